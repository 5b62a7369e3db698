"""The whole way under a budget: real workflows and rows, pretended providers, and a ledger that is watched."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.research.economy import SMALLER_MODEL
from activities.store.budgets import BudgetStore
from activities.store.database import Database
from activities.store.lookups import LookUpStore
from activities.store.spending import STALE, SpendingStore
from schemas.budgets import DOLLAR, OwnCaps
from tests.budgets.money import CENT, entries, month, paid, sampled, states
from tests.diary import Diary, soon
from tests.stage import Stage
from workflows import policies

ADA, TOMAS = "ada@lovelace.example", "tomas.okafor@brightwater.example"


async def spare(stage: Stage, **changes: Any) -> None:
    """The tenant's own caps, in cents."""
    caps = OwnCaps(**{f"{bound}_micro_usd": round(cents * CENT) for bound, cents in changes.items()})
    await BudgetStore(stage.database).put(stage.tenant.id, caps)


@pytest.mark.timeout(120)
async def test_fifty_runs_at_once_against_a_dollar(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends: with a brief that is paid for, or refused with the reason. The ledger never passes the cap."""
    monkeypatch.setattr(policies, "MONEY_COMES_BACK", [timedelta(seconds=2)] * 8)
    async with stage.working(budget_month_usd=1), sampled(stage) as seen:
        ends = await asyncio.gather(*(_researched(stage, f"kim@firm{n}.example") for n in range(50)))

    briefs, failures = [one for one in ends if one is None], [one for one in ends if one is not None]
    assert len(briefs) > 5, "what others had set aside came back: three at once are all that a dollar lasts for"
    assert failures, "and not for all"
    assert {one.message for one in failures} <= {
        "begin: the budget of this month is used up ($1.00)",
        "write: the budget of this month is used up ($1.00)",
    }
    assert {one.type for one in failures} <= {"OverBudget", "BudgetHeld"}
    assert seen.most <= DOLLAR
    assert len(seen.months) > 20
    # Who was refused at the beginning has called nobody; what was called is settled, with what the answers say.
    assert set(await states(stage)) <= {"settled", "released"}
    assert await month(stage) == await paid(stage)
    calls = len(stage.calls("perplexity")) + len(stage.calls("anthropic"))
    assert (await states(stage))["settled"] == calls


async def _researched(stage: Stage, email: str) -> ApplicationError | None:
    handle = await stage.start(await stage.request(email))
    try:
        await handle.result()
    except WorkflowFailureError as error:
        assert isinstance(error.cause, ApplicationError)
        return error.cause
    return None


async def test_a_run_sets_aside_reserves_and_settles_what_its_answers_cost(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA)

    ledger = await entries(stage)
    assert {entry["purpose"].partition("/")[0] for entry in ledger} == {"look-up", "brief"}
    assert {entry["state"] for entry in ledger} == {"settled"}
    assert len(ledger) == 3
    assert brief.cost_micro_usd == await month(stage) == await paid(stage) > 0
    assert brief.economies == ()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"anthropic_model": "claude-unheard-of"}, "anthropic/claude-unheard-of"),
        ({"perplexity_model": "perplexity/dearer"}, "perplexity/perplexity/dearer"),
    ],
)
async def test_a_price_that_is_missing_is_a_call_that_is_not_made(
    stage: Stage, settings: dict[str, str], named: str
) -> None:
    async with stage.working(**settings):
        error, row = await stage.failure(ADA)

    assert (error.type, row.status) == ("PriceUnknown", "failed")
    assert row.failure_reason == f"begin: no price is known for {named}, so it is not called: set GREENROOM_PRICES"
    assert stage.calls("perplexity") == stage.calls("anthropic") == []
    assert await entries(stage) == []


@pytest.mark.parametrize(
    ("provider", "fault"), [("perplexity", "no_usage"), ("anthropic", "no_usage"), ("anthropic", "nan")]
)
async def test_usage_that_is_missing_costs_what_was_reserved(stage: Stage, provider: str, fault: str) -> None:
    stage.sandbox.faults.put(provider, fault, times=None)
    async with stage.working():
        brief = await stage.research(ADA)

    told = [entry for entry in await entries(stage) if not entry["assumed"]]
    assumed = [entry for entry in await entries(stage) if entry["assumed"]]
    assert {entry["provider"] for entry in assumed} == {provider}
    assert {entry["state"] for entry in (*told, *assumed)} == {"settled"}
    assert min(entry["micro_usd"] for entry in assumed) > 2 * CENT, "the most that it could cost"
    assert brief.cost_micro_usd == await month(stage) == await paid(stage)
    assert len(stage.calls("anthropic")) == 1, "the answer is good, and bought once"


async def test_a_try_that_dies_between_reservation_and_settlement_is_settled_by_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is here and nothing of it is stored: the next try asks again, and one call is paid for."""
    keep, died = LookUpStore.keep, []

    async def dying(self: LookUpStore, *args: Any, **kwargs: Any) -> None:
        if not died:
            died.append(await states(stage))
            raise RuntimeError("the worker dies")
        await keep(self, *args, **kwargs)

    monkeypatch.setattr(LookUpStore, "keep", dying)
    async with stage.working():
        brief = await stage.research(ADA)

    assert died[0]["reserved"] >= 1
    assert len(stage.calls("perplexity")) == 3
    assert await states(stage) == {"settled": 3}
    assert brief.cost_micro_usd == await month(stage) == await paid(stage)


async def test_a_call_that_fails_gives_back_what_was_reserved(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "status", status=400, times=None, match="Research company")
    async with stage.working():
        brief = await stage.research(ADA)

    assert await states(stage) == {"settled": 2, "released": 1}
    assert brief.cost_micro_usd == await month(stage)


async def test_an_answer_that_cannot_be_read_has_been_paid_for(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "garbage", times=1)
    async with stage.working():
        brief = await stage.research(ADA)

    assert await states(stage) == {"settled": 4}
    assert brief.cost_micro_usd == await paid(stage) < await month(stage)


async def test_what_a_terminated_run_had_set_aside_is_given_back(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "hang", times=None)
    async with stage.working():
        handle = await stage.start(await stage.request(ADA))
        async with asyncio.timeout(20):
            while (await states(stage))["reserved"] < 2:
                await asyncio.sleep(0.05)
        await handle.terminate()
    held = await month(stage)

    assert held > 0
    await SpendingStore(stage.database).release_stale(stage.tenant.id, datetime.now(UTC) + 2 * STALE)
    assert await month(stage) == 0
    assert set(await states(stage)) == {"released"}


async def test_a_cancelled_run_gives_back_what_it_had(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "hang", times=None)
    async with stage.working():
        handle = await stage.start(await stage.request(ADA))
        async with asyncio.timeout(20):
            while (await states(stage))["reserved"] < 2:
                await asyncio.sleep(0.05)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        async with asyncio.timeout(20):
            while await month(stage):
                await asyncio.sleep(0.05)

    assert set(await states(stage)) == {"released"}


async def test_a_calendar_of_audiences_costs_nothing(stage: Stage) -> None:
    diary = await Diary.connected(stage)
    crowd = [f"guest{n}@firm{n}.example" for n in range(500)]
    async with stage.working():
        events = [diary.calendar.add("All hands", soon(days=2 + n), attendees=crowd) for n in range(3)]
        await diary.read()
        rows = await diary.rows()

    assert [rows[event]["withdrawn"] for event in events if event in rows] in ([], ["too many guests"] * 3)
    assert await entries(stage) == []
    assert stage.calls("perplexity") == stage.calls("anthropic") == []


@pytest.mark.timeout(120)
async def test_more_people_than_there_is_money_for_are_left_out_and_the_brief_says_so(stage: Stage) -> None:
    people = [ADA, TOMAS, *(f"kim@firm{n}.example" for n in range(18))]
    await spare(stage, run=70)
    async with stage.working(), sampled(stage) as seen:
        brief = await stage.research(*people)

    gaps = [gap for gap in brief.gaps if gap.reason == "left out, to stay within the budget"]
    assert seen.most <= 70 * CENT
    assert len(brief.economies) == 1
    assert brief.economies[0].endswith(" left out, to stay within the budget of this run ($0.70)")
    asked = {call["about"] for call in stage.calls("perplexity")}
    assert f"person:{ADA}" in asked, "in their order"
    assert not any(about.startswith("company:") for about in asked), "companies are the first to be left out"
    assert len(gaps) == 40 - len(asked) > 20
    assert brief.cost_micro_usd == await month(stage)


async def test_a_brief_that_the_better_model_is_too_dear_for_is_written_by_the_smaller_one(stage: Stage) -> None:
    await spare(stage, run=15)
    async with stage.working():
        brief = await stage.research(ADA)

    assert brief.model == "claude-haiku-5-5"
    assert SMALLER_MODEL in brief.economies
    assert brief.claims
    assert [call["request"]["model"] for call in stage.calls("anthropic")] == ["claude-haiku-5-5"]


async def test_when_there_is_money_again_the_better_one_writes_and_nothing_is_said(stage: Stage) -> None:
    await spare(stage, run=15)
    async with stage.working():
        await stage.research(ADA)
        await spare(stage, run=200)
        brief = await stage.research(ADA)

    assert brief.version == 2
    assert (brief.model, brief.economies) == ("claude-sonnet-5-5", ())


async def test_a_month_that_is_nearly_used_up_refreshes_nobody(stage: Stage) -> None:
    async with stage.working():
        await stage.research(ADA)
        async with stage.database.tenant(stage.tenant.id) as connection:
            await connection.execute("UPDATE subjects SET fresh_until = $1", datetime.now(UTC) - timedelta(days=1))
            await connection.execute(
                "UPDATE answers SET fresh_until = $1, asked_at = asked_at - $2::interval",
                datetime.now(UTC) - timedelta(days=1),
                timedelta(days=8),
            )
            await connection.execute("UPDATE months SET micro_usd = $1", 170 * DOLLAR)
        before = len(stage.calls("perplexity"))
        brief = await stage.research(ADA)

    assert len(stage.calls("perplexity")) == before
    assert brief.economies == (
        "1 person and 1 company not looked up again, since more than 80% of this month's budget is used",
    )
    assert brief.claims


async def test_a_budget_of_nothing_begins_nothing(stage: Stage) -> None:
    await spare(stage, month=0)
    async with stage.working():
        error, row = await stage.failure(ADA)

    assert row.failure_reason == "begin: the budget of this month is used up ($0.00)"
    assert (error.type, row.version) == ("OverBudget", 0)
    assert stage.calls("perplexity") == []


async def test_a_look_up_that_the_budget_refuses_is_left_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Money that was set aside at the beginning can be gone when a run has waited for hours: then it is a gap."""
    begun = SpendingStore.reserve

    async def late(self: SpendingStore, purchase: Any, *args: Any) -> Any:
        if purchase.purpose.startswith("look-up/") and purchase.purpose.endswith("/1") and not stage.calls("anthropic"):
            subjects = await _kinds(stage.database, stage.tenant.id)
            if subjects[purchase.purpose.split("/")[1]] == "company":
                async with stage.database.tenant(stage.tenant.id) as connection:
                    await connection.execute("DELETE FROM spending WHERE purpose = $1", purchase.purpose)
                    await connection.execute("UPDATE months SET micro_usd = $1", 200 * DOLLAR)
        return await begun(self, purchase, *args)

    monkeypatch.setattr(SpendingStore, "reserve", late)
    async with stage.working():
        brief = await stage.research(ADA)

    assert [gap.reason for gap in brief.gaps if gap.about == "lovelace.example"] == [
        "left out, to stay within the budget"
    ]


async def _kinds(database: Database, tenant_id: str) -> dict[str, str]:
    async with database.tenant(tenant_id) as connection:
        return {row["id"]: row["kind"] for row in await connection.fetch("SELECT id, kind FROM subjects")}


async def test_answers_say_by_which_prompt_and_run_they_were_bought(stage: Stage) -> None:
    async with stage.working():
        handle = await stage.start(await stage.request(ADA))
        await handle.result()
    async with stage.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch("SELECT prompt, workflow_id, run_id FROM answers ORDER BY prompt")

    assert [row["prompt"].partition("/")[0] for row in rows] == ["brief", "company", "person"]
    assert all(row["prompt"].partition("/")[2].isdigit() for row in rows)
    brief, company, person = rows
    assert brief["workflow_id"] == company["workflow_id"] == handle.id
    assert brief["run_id"] == company["run_id"] == handle.first_execution_run_id
    assert person["workflow_id"].startswith(f"{handle.id}/prospect/")
    assert person["run_id"] not in ("", brief["run_id"])


async def test_what_was_planned_for_an_answer_that_another_run_bought_is_given_back(stage: Stage) -> None:
    """Two runs about one company, at once: each plans to ask about it, and one does."""
    stage.sandbox.delays["perplexity"] = 0.3
    async with stage.working():
        ends = await asyncio.gather(*(_researched(stage, f"{name}@firm.example") for name in ("kim", "lee")))

    assert ends == [None, None]
    assert len([call for call in stage.calls("perplexity") if call["about"] == "company:firm.example"]) == 1
    assert (await states(stage))["released"] >= 1
    assert set(await states(stage)) == {"settled", "released"}
    assert await month(stage) == await paid(stage)


async def test_a_meeting_that_the_budget_does_not_last_for_is_not_tried_again_at_once(stage: Stage) -> None:
    """It has failed like any other: the next try is a day before it starts."""
    await spare(stage, month=0)
    diary = await Diary.connected(stage)
    async with stage.working():
        event = diary.calendar.add("Introduction", soon(days=5), attendees=[ADA])
        await diary.read()
        meeting_id = (await diary.rows())[event]["id"]
        async with asyncio.timeout(20):
            while (await stage.run(meeting_id)).status != "failed":
                await asyncio.sleep(0.05)
        await diary.read()
        await asyncio.sleep(1)

    assert (await stage.run(meeting_id)).failure_reason == "begin: the budget of this month is used up ($0.00)"
    assert [event.name for event in await stage.events.after(stage.tenant.id, 0)].count("research/generate.failed") == 1
