"""Every few hours all channels that end before long are renewed, whosever they are, and nothing is left for ever."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from activities.store.subscriptions import SubscriptionStore
from schemas.subscriptions import Errand, Expiring, Renewal, Renewed, Sweep
from tests.stage import Stage
from tests.subscriptions.conftest import Watched
from workflows import policies, queues
from workflows.subscriptions import SubscriptionRenewalsWorkflow, expiring

HOURS = timedelta(hours=1)


async def sweep(stage: Stage) -> Renewed:
    return await stage.temporal.execute_workflow(
        SubscriptionRenewalsWorkflow.run, Sweep(), id=str(uuid4()), task_queue=queues.WORKFLOWS
    )


async def due(watched: Watched, limit: int = 1000) -> list[Errand]:
    """What is to be done for this tenant's calendars; other tests have theirs."""
    store = SubscriptionStore(watched.stage.database)
    order, found = expiring(datetime.now(UTC), Sweep()), list[Renewal]()
    while True:
        page = await store.due(order, limit)
        found += page.calendars
        if page.after is None:
            return [one.errand for one in found if one.tenant_id == watched.stage.tenant.id]
        order = order.model_copy(update={"after": page.after})


async def put(watched: Watched, status: str, left: timedelta) -> None:
    """A channel as a row."""
    async with watched.stage.database.tenant(watched.stage.tenant.id) as connection:
        await connection.execute(
            """
            INSERT INTO subscriptions (tenant_id, id, calendar_id, status, token_hash, resource_id, created_at, expires_at)
            VALUES (current_tenant(), $1, $2, $3, 'hash', 'r', $4, $5)
            """,
            str(uuid4()),
            watched.calendar_id,
            status,
            datetime.now(UTC),
            datetime.now(UTC) + left,
        )


async def standing(watched: Watched, table: str, change: str) -> None:
    async with watched.stage.database.tenant(watched.stage.tenant.id) as connection:
        await connection.execute(f"UPDATE {table} SET {change}")


@pytest.mark.parametrize("limit", [1, 1000])
@pytest.mark.parametrize(
    ("channels", "errands"),
    [
        ([], [Errand.RENEW]),
        ([("active", 11.9)], [Errand.RENEW]),
        ([("active", 12.1)], []),
        ([("active", -1.0)], [Errand.RENEW]),
        ([("expired", -1.0)], [Errand.RENEW]),
        ([("stopped", 100.0)], [Errand.RENEW]),
        ([("creating", 100.0)], [Errand.RENEW]),
        ([("active", 100.0), ("stopped", 50.0), ("expired", -5.0)], []),
        ([("active", 100.0), ("replaced", 50.0)], [Errand.TIDY]),
        ([("active", 100.0), ("creating", 50.0)], [Errand.TIDY]),
        ([("active", 5.0), ("creating", 50.0)], [Errand.RENEW]),
    ],
)
async def test_which_calendars_need_somebody(
    watched: Watched, channels: list[tuple[str, float]], errands: list[Errand], limit: int
) -> None:
    for status, left in channels:
        await put(watched, status, left * HOURS)
    assert await due(watched, limit) == errands


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("connections", "status = 'reauth_required'"),
        ("connections", "status = 'disconnected'"),
        ("calendars", "watched = false"),
    ],
)
async def test_of_calendars_that_nobody_watches_it_is_only_noted_that_channels_are_over(
    watched: Watched, table: str, change: str
) -> None:
    await standing(watched, table, change)
    await put(watched, "active", 1 * HOURS)
    assert await due(watched) == []
    await watched.ends_in(-1 * HOURS)
    assert await due(watched) == [Errand.TIDY]


async def test_a_sweep_renews_what_ends_and_lets_be_what_does_not(watched: Watched) -> None:
    async with watched.working():
        await sweep(watched.stage)
        first = await watched.active()
        await sweep(watched.stage)
        assert (await watched.active())["id"] == first["id"]

        await watched.ends_in(11 * HOURS)
        swept = await sweep(watched.stage)
        assert swept.renewed >= 1
        second = await watched.active()
    assert second["id"] != first["id"]
    assert second["expires_at"] > datetime.now(UTC) + timedelta(days=6)
    assert watched.live() == [second["id"]]


async def test_a_failed_renewal_is_the_next_sweep_s_again(watched: Watched, quick: None) -> None:
    async with watched.working():
        watched.stage.sandbox.faults.put("google", "status", status=503, match="/watch", times=3)
        swept = await sweep(watched.stage)
        assert swept.failed >= 1
        await sweep(watched.stage)
    assert len(await watched.rows("active")) == 1


async def test_what_is_over_is_noted_without_any_call(watched: Watched) -> None:
    await put(watched, "active", -1 * HOURS)
    await put(watched, "replaced", -1 * HOURS)
    await put(watched, "creating", -1 * HOURS)
    await standing(watched, "connections", "status = 'reauth_required'")
    async with watched.working():
        await sweep(watched.stage)
    assert [row["status"] for row in await watched.rows()] == ["expired"] * 3
    assert watched.calls() == []


async def test_two_sweeps_at_once_renew_once(watched: Watched) -> None:
    watched.stage.sandbox.delays["google"] = 0.3
    async with watched.working():
        await asyncio.gather(sweep(watched.stage), sweep(watched.stage))
    assert watched.calls("events.watch") == ["events.watch"]


async def test_renewals_of_a_sweep_are_bounded(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "RENEWALS_AT_ONCE", 2)
    stage = watched.stage
    for number in range(6):
        account = f"sweep{number}-{stage.tenant.slug}@harbour.example"
        stage.sandbox.google.account(account)
        await stage.connect(account)
    most, stop = 0, asyncio.Event()

    async def look() -> None:
        nonlocal most
        while not stop.is_set():
            running = [call["about"] for call in stage.sandbox.journal.running("google")]
            most = max(most, running.count("events.watch"))
            await asyncio.sleep(0.01)

    stage.sandbox.delays["google"] = 0.2
    async with watched.working():
        looking = asyncio.create_task(look())
        await sweep(stage)
        stop.set()
        await looking
    assert len(await watched.rows("active")) == 7
    assert 1 <= most <= 2


def test_what_is_renewed_lives_beyond_the_next_sweep_but_one() -> None:
    now = datetime.now(UTC)
    assert expiring(now, Sweep()) == Expiring(until=now + 2 * policies.RENEWAL_EVERY, now=now)
    assert policies.RENEWAL_AHEAD - policies.RENEWAL_EVERY >= policies.LAST_HOURS
