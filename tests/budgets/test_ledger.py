"""The ledger in Postgres: whoever comes first has the money, nothing is set aside twice, and nothing is lost."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError

from activities.ports import ModelAnswer, Usage
from activities.spending import Offer, Purchase
from activities.store import spending
from activities.store.budgets import BudgetStore
from activities.store.spending import STALE, SpendingStore
from schemas.budgets import Caps, OwnCaps
from tests.budgets.money import CENT, entries, month, states
from tests.stage import Stage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAPS = Caps(run_micro_usd=100 * CENT, meeting_micro_usd=100 * CENT, month_micro_usd=100 * CENT)
MANY = Caps(run_micro_usd=10**9, meeting_micro_usd=10**9, month_micro_usd=100 * CENT)


def offer(cents: float, model: str = "big") -> Offer:
    return Offer("model", model, round(cents * CENT))


def purchase(stage: Stage, purpose: str = "brief/1", research_id: str | None = None, version: int = 1) -> Purchase:
    return Purchase(stage.tenant.id, research_id or str(uuid4()), version, purpose)


async def reserve(stage: Stage, what: Purchase, *offers: Offer, caps: Caps = CAPS, now: datetime = NOW) -> Offer:
    return await SpendingStore(stage.database).reserve(what, offers, caps, now)


async def refused(stage: Stage, what: Purchase, *offers: Offer, caps: Caps = CAPS) -> str:
    with pytest.raises(ApplicationError) as raised:
        await reserve(stage, what, *offers, caps=caps)
    assert (raised.value.type, raised.value.non_retryable) == ("OverBudget", True)
    return raised.value.message


async def settle(stage: Stage, what: Purchase, usage: Usage | None, *, new: bool = True) -> int:
    answer = ModelAnswer(text="", stopped="end_turn", model="m", usage=usage)
    async with stage.database.tenant(stage.tenant.id) as connection:
        bill = await spending.bill(connection, what, "model", answer)
        await spending.settle(connection, bill, NOW, new=new)
        return bill.micro_usd


@pytest.mark.parametrize("caps", [MANY, CAPS])
async def test_fifty_at_once_against_a_dollar(stage: Stage, caps: Caps) -> None:
    """Of a month, and of one run: thirty-three times three cents is what there is."""
    research_id = None if caps is MANY else str(uuid4())
    wanted = [purchase(stage, f"look-up/{n}/1", research_id) for n in range(50)]
    results = await asyncio.gather(
        *(reserve(stage, one, offer(3), caps=caps) for one in wanted), return_exceptions=True
    )

    no = [one for one in results if isinstance(one, ApplicationError)]
    assert (len(results) - len(no), len(no)) == (33, 17)
    assert {one.message for one in no} == {
        "the budget of this month is used up ($1.00)" if caps is MANY else "the budget of this run is used up ($1.00)"
    }
    assert await month(stage) == 99 * CENT


async def test_fifty_who_reserve_settle_and_give_up_at_once_never_pass_the_cap(stage: Stage) -> None:
    seen: list[int] = []

    async def buy(number: int) -> None:
        what = purchase(stage, f"look-up/{number}/1")
        try:
            await reserve(stage, what, offer(9), offer(4, "small"), caps=MANY)
        except ApplicationError:
            seen.append(await month(stage))
            return
        seen.append(await month(stage))
        if number % 3:
            await settle(stage, what, Usage(1, 1, number % 3 * CENT))
        else:
            await SpendingStore(stage.database).give_up(what, NOW, paid=number % 2 == 0)

    await asyncio.gather(*map(buy, range(50)))

    assert max(seen) <= 100 * CENT
    assert await month(stage) == sum(entry["micro_usd"] for entry in await entries(stage))
    assert set(await states(stage)) <= {"settled", "released"}


async def test_the_same_purpose_is_set_aside_once_however_often_it_is_tried(stage: Stage) -> None:
    what = purchase(stage)
    for _ in range(3):
        await reserve(stage, what, offer(60))
    await asyncio.gather(*(reserve(stage, what, offer(60)) for _ in range(5)))

    assert await month(stage) == 60 * CENT
    assert (await states(stage))["reserved"] == 1


async def test_a_dearer_try_takes_the_place_of_the_last(stage: Stage) -> None:
    what = purchase(stage)
    await reserve(stage, what, offer(60))
    assert await reserve(stage, what, offer(90)) == offer(90)
    assert await month(stage) == 90 * CENT
    assert await refused(stage, what, offer(101)) == "the budget of this run is used up ($1.00)"
    assert await month(stage) == 90 * CENT, "what was refused has changed nothing"


async def test_the_first_offer_that_fits_is_taken(stage: Stage) -> None:
    await reserve(stage, purchase(stage), offer(80), caps=MANY)
    assert await reserve(stage, purchase(stage), offer(60), offer(20, "small"), caps=MANY) == offer(20, "small")
    assert "month" in await refused(stage, purchase(stage), offer(60), offer(1, "small"), caps=MANY)


async def test_what_was_settled_or_given_back_can_be_bought_again(stage: Stage) -> None:
    what = purchase(stage)
    await reserve(stage, what, offer(10))
    await settle(stage, what, Usage(1, 1, 2 * CENT))
    await reserve(stage, what, offer(10))
    await SpendingStore(stage.database).give_up(what, NOW, paid=False)
    await reserve(stage, what, offer(10))

    assert [entry["state"] for entry in await entries(stage)].count("settled") == 1
    assert await month(stage) == 12 * CENT


async def test_a_planned_call_is_reserved_without_another_look_at_the_caps(stage: Stage) -> None:
    what = purchase(stage)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await spending.purse_of(connection, what.work_id, 1, CAPS, NOW)
        await spending.set_aside(
            connection, what, [("brief/1", offer(30)), ("brief/2", offer(9))], NOW, state="planned"
        )
    none = Caps(run_micro_usd=0, meeting_micro_usd=0, month_micro_usd=0)

    assert await reserve(stage, what, offer(25), caps=none) == offer(25)
    assert await month(stage) == 39 * CENT
    assert "used up ($0.00)" in await refused(stage, replace(what, purpose="brief/2"), offer(10), caps=none)


async def test_the_end_of_a_run_gives_back_what_was_planned_and_not_what_is_under_way(stage: Stage) -> None:
    what = purchase(stage)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await spending.purse_of(connection, what.work_id, 1, CAPS, NOW)
        purposes = [("brief/1", offer(30)), ("look-up/1/1", offer(3))]
        await spending.set_aside(connection, what, purposes, NOW, state="planned")
    await reserve(stage, replace(what, purpose="look-up/1/1"), offer(3))
    async with stage.database.tenant(stage.tenant.id) as connection:
        await spending.release(connection, what.work_id, NOW, version=2)
        assert (await states(stage))["released"] == 0, "of another version"
        await spending.release(connection, what.work_id, NOW, version=1)

    assert await states(stage) == {"released": 1, "reserved": 1}
    assert await month(stage) == 3 * CENT


async def test_an_answer_without_usage_costs_what_was_reserved_and_that_is_noted(stage: Stage) -> None:
    what = purchase(stage)
    await reserve(stage, what, offer(30))
    with capture_logs() as logs:
        assert await settle(stage, what, None) == 30 * CENT

    (entry,) = await entries(stage)
    assert (entry["state"], entry["micro_usd"], entry["assumed"]) == ("settled", 30 * CENT, True)
    assert [(log["log_level"], log["event"].partition(":")[0]) for log in logs] == [("warning", "no usage was told")]


async def test_a_settlement_that_comes_twice_counts_once(stage: Stage) -> None:
    what = purchase(stage)
    await reserve(stage, what, offer(30))
    await settle(stage, what, Usage(1, 1, 7 * CENT))
    await settle(stage, what, Usage(1, 1, 7 * CENT), new=False)

    assert await month(stage) == 7 * CENT


async def test_what_is_billed_beyond_the_most_is_told_all_the_same(stage: Stage) -> None:
    what = purchase(stage)
    await reserve(stage, what, offer(30))
    with capture_logs() as logs:
        await settle(stage, what, Usage(1, 1, 150 * CENT))

    assert await month(stage) == 150 * CENT
    assert "cost more than it could" in logs[0]["event"]
    assert "month" in await refused(stage, purchase(stage), offer(1))


async def test_a_new_answer_that_nothing_was_reserved_for_is_entered(stage: Stage) -> None:
    with capture_logs() as logs:
        await settle(stage, purchase(stage), Usage(1, 1, 7 * CENT))

    assert await month(stage) == 7 * CENT
    assert await states(stage) == {"settled": 1}
    assert "nothing was reserved" in logs[0]["event"]


async def test_nonsense_that_was_answered_is_paid(stage: Stage) -> None:
    what = purchase(stage)
    await reserve(stage, what, offer(30))
    await SpendingStore(stage.database).give_up(what, NOW, paid=True)
    await SpendingStore(stage.database).give_up(what, NOW, paid=True)

    (entry,) = await entries(stage)
    assert (entry["state"], entry["micro_usd"], entry["assumed"]) == ("settled", 30 * CENT, True)


async def test_what_nobody_can_be_spending_any_more_is_given_back(stage: Stage) -> None:
    store = SpendingStore(stage.database)
    await reserve(stage, purchase(stage), offer(30), caps=MANY)
    await reserve(stage, purchase(stage), offer(20), caps=MANY, now=NOW + timedelta(minutes=30))

    assert await store.release_stale(stage.tenant.id, NOW + STALE) == 0
    assert await store.release_stale(stage.tenant.id, NOW + STALE + timedelta(seconds=1)) == 1
    assert await month(stage) == 20 * CENT
    counts = await asyncio.gather(*(store.release_stale(stage.tenant.id, NOW + 2 * STALE) for _ in range(3)))
    assert sum(counts) == 1
    assert await month(stage) == 0


async def test_each_month_is_counted_by_itself(stage: Stage) -> None:
    last = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    first = last + timedelta(minutes=1)
    what = purchase(stage)
    await reserve(stage, what, offer(90), caps=MANY, now=last)
    await reserve(stage, purchase(stage), offer(90), caps=MANY, now=first)
    # A try that goes on in the next month: what was set aside last month is given back there.
    await refused_in(stage, what, first)
    await settle(stage, what, Usage(1, 1, 5 * CENT))

    assert [(entry["month"].month, entry["micro_usd"]) for entry in await entries(stage)] == [
        (11, 5 * CENT),
        (12, 90 * CENT),
    ]


async def refused_in(stage: Stage, what: Purchase, now: datetime) -> None:
    with pytest.raises(ApplicationError, match="budget of this month"):
        await reserve(stage, what, offer(95), caps=MANY, now=now)


async def test_a_tenant_s_own_caps_come_first_and_the_rest_is_the_settings(stage: Stage) -> None:
    await BudgetStore(stage.database).put(stage.tenant.id, OwnCaps(run_micro_usd=10 * CENT))
    assert await refused(stage, purchase(stage), offer(11)) == "the budget of this run is used up ($0.10)"
    await BudgetStore(stage.database).put(stage.tenant.id, OwnCaps(run_micro_usd=500 * CENT))
    assert await refused(stage, purchase(stage), offer(101)) == "the budget of this month is used up ($1.00)"
    await BudgetStore(stage.database).put(stage.tenant.id, OwnCaps())
    assert await refused(stage, purchase(stage), offer(101)) == "the budget of this run is used up ($1.00)"


async def test_all_versions_of_a_meeting_count_together_and_an_ad_hoc_request_s_do_not(stage: Stage) -> None:
    caps = Caps(run_micro_usd=10**9, meeting_micro_usd=100 * CENT, month_micro_usd=10**9)
    ad_hoc = await stage.request("ada@lovelace.example")
    meeting = str(uuid4())
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute(
            """
            INSERT INTO meetings (tenant_id, id, user_id, campaign_id, source, source_key, title, starts_at, ends_at, created_at)
            VALUES (current_tenant(), $1, $2, $3, 'test', '1', 't', $4, $4, $4)
            """,
            meeting,
            stage.user.id,
            stage.campaign.id,
            NOW,
        )
        await connection.execute(
            """
            INSERT INTO research (tenant_id, id, kind, user_id, campaign_id, meeting_id, requested_at)
            VALUES (current_tenant(), $1, 'calendar', $2, $3, $1, $4)
            """,
            meeting,
            stage.user.id,
            stage.campaign.id,
            NOW,
        )
    for research_id in (ad_hoc, meeting):
        await reserve(stage, purchase(stage, research_id=research_id), offer(60), caps=caps)
    await reserve(stage, purchase(stage, research_id=ad_hoc, version=2), offer(60), caps=caps)
    again = purchase(stage, research_id=meeting, version=2)
    assert await refused(stage, again, offer(60), caps=caps) == "the budget of this meeting is used up ($1.00)"


async def test_another_tenant_s_money_is_theirs(stage: Stage) -> None:
    """Row security: neither what they have set aside nor their caps are seen."""
    await reserve(stage, purchase(stage), offer(90))
    await BudgetStore(stage.database).put(stage.tenant.id, OwnCaps(month_micro_usd=0))
    other = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, tenant_id=str(uuid4()))
    await other.set_up(NOW)

    await reserve(other, purchase(other), offer(90))
    assert await month(other) == 90 * CENT
