"""Every morning each who wants a digest gets one: in pages, some at once, when it is morning where they are."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, ScheduleBackfill, ScheduleOverlapPolicy, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities import errors
from activities.digests.mornings import morning
from schemas.digests import DigestStatus, DigestSweep
from starter import schedules, start
from tests.digests.life import DAY, TENANT, USER, World, order, row_id, working
from tests.stage import Stage
from workflows import ids, policies, queues
from workflows.digests import DigestsWorkflow, DigestWorkflow

STRUCK = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (
        policies.ASK_NEWS,
        policies.WRITE_SCRIPT,
        policies.SPEAK,
        policies.PUBLISH,
        policies.SAVE_DIGEST,
        policies.TELLING,
    ):
        monkeypatch.setattr(step["retry_policy"], "initial_interval", timedelta(milliseconds=10))
        monkeypatch.setattr(step["retry_policy"], "backoff_coefficient", 1.0)


@pytest.fixture
def world() -> Iterator[World]:
    made = World(spoken=False, by_mail=False)
    yield made
    for one in made.slow.values():
        one.set()


def users(number: int) -> list[str]:
    """Nobody else's."""
    return sorted(str(uuid4()) for _ in range(number))


async def sweep(client: Client, **how: Any) -> DigestSweep:
    return await client.execute_workflow(
        DigestsWorkflow.run, DigestSweep(**how), id=str(uuid4()), task_queue=queues.WORKFLOWS
    )


def digest(client: Client, user: str) -> WorkflowHandle[Any, Any]:
    """Somebody's, of today."""
    return client.get_workflow_handle(ids.digest(TENANT, user, DAY))


async def until(what: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.02)


async def test_everybody_gets_one_a_page_in_each_history(
    temporal: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "DIGESTS_A_PAGE", 10)
    everybody = users(2 * policies.DIGESTS_A_PAGE + 5)
    world.orders = [order(one) for one in everybody]
    async with working(temporal, world):
        done = await sweep(temporal, at=STRUCK)

    assert (done.begun, done.after, done.at) == (len(everybody), None, STRUCK)
    assert sorted(row.user_id for row in world.rows.values()) == everybody
    assert {row.status for row in world.rows.values()} == {DigestStatus.READY}
    assert [(one.after, one.most, one.at) for one in world.pagings] == [
        (None, policies.DIGESTS_A_PAGE, STRUCK),
        (everybody[policies.DIGESTS_A_PAGE - 1], policies.DIGESTS_A_PAGE, STRUCK),
        (everybody[2 * policies.DIGESTS_A_PAGE - 1], policies.DIGESTS_A_PAGE, STRUCK),
    ]
    assert set(world.bought.values()) == {1}


async def test_no_more_than_some_are_made_at_once(temporal: Client, world: World) -> None:
    world.orders = [order(one) for one in users(3 * policies.DIGESTS_AT_ONCE)]
    world.slow["script"] = asyncio.Event()
    async with working(temporal, world):
        sweeping = asyncio.create_task(sweep(temporal, at=STRUCK))
        await until(lambda: world.at_work["script"] == policies.DIGESTS_AT_ONCE)
        await asyncio.sleep(0.5)
        assert world.done["begin"] == policies.DIGESTS_AT_ONCE, "nobody else is begun meanwhile"
        world.slow["script"].set()
        assert (await sweeping).begun == 3 * policies.DIGESTS_AT_ONCE

    assert world.done["script"] == 3 * policies.DIGESTS_AT_ONCE
    assert world.most_at_work["script"] == policies.DIGESTS_AT_ONCE


async def test_a_slow_one_holds_up_nobody_and_is_done_in_the_end(
    temporal: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "DIGEST_WAITED_FOR", timedelta(milliseconds=300))
    everybody = users(policies.DIGESTS_AT_ONCE + 5)
    world.orders = [order(one) for one in everybody]
    # All that may be made at once are put off, and the others come after them.
    world.faults["script"] = [errors.spent("provider", timedelta(seconds=8)) for _ in range(policies.DIGESTS_AT_ONCE)]
    async with working(temporal, world):
        done = await sweep(temporal, at=STRUCK)
        ready = [row for row in world.rows.values() if row.status is DigestStatus.READY]
        assert (done.begun, len(world.rows)) == (len(everybody), len(everybody))
        assert len(ready) < len(everybody), "the slow ones are left to themselves"
        ends = await asyncio.gather(*(digest(temporal, one).result() for one in everybody))

    assert {one["status"] for one in ends} == {"ready"}


async def test_one_that_fails_is_its_own_affair(temporal: Client, world: World) -> None:
    world.orders = [order(one) for one in users(10)]
    world.faults["script"] = [errors.impossible("provider", "no") for _ in range(3)]
    async with working(temporal, world):
        assert (await sweep(temporal, at=STRUCK)).begun == 10

    ends = sorted(row.status.value for row in world.rows.values())
    assert ends == ["failed"] * 3 + ["ready"] * 7


async def test_whose_morning_is_to_come_is_begun_and_not_waited_for(temporal: Client, world: World) -> None:
    early, late = users(2)
    sunrise = datetime.now(UTC) + timedelta(seconds=4)
    world.orders = [order(early), order(late, not_before=sunrise)]
    async with working(temporal, world):
        done = await sweep(temporal, at=STRUCK)
        assert datetime.now(UTC) < sunrise
        assert [row.user_id for row in world.rows.values()] == [early]
        await digest(temporal, late).result()

    assert done.begun == 2
    assert world.began(late) >= sunrise


@pytest.mark.parametrize(
    ("day", "six"),
    [(13, datetime(2027, 3, 13, 11, tzinfo=UTC)), (14, datetime(2027, 3, 14, 10, tzinfo=UTC))],
    ids=["the day before", "the day"],
)
async def test_six_is_six_on_the_morning_on_which_clocks_change(
    skipping: WorkflowEnvironment, world: World, day: int, six: datetime
) -> None:
    """They go forward in New York in the night to Sunday, 14 March 2027."""
    struck = datetime(2027, 3, day, 6, tzinfo=UTC)
    today, not_before = morning(struck, "America/New_York")
    await skipping.sleep(struck - await skipping.get_current_time())
    async with working(skipping.client, world):
        await skipping.client.execute_workflow(
            DigestWorkflow.run,
            order(day=today, not_before=not_before),
            id=str(uuid4()),
            task_queue=queues.WORKFLOWS,
        )

    assert timedelta() <= world.began(USER, today) - six < timedelta(minutes=1)


async def test_the_clock_and_a_person_at_once_are_one_digest(temporal: Client, world: World) -> None:
    everybody = users(10)
    world.orders = [order(one) for one in everybody]
    async with working(temporal, world):
        handles, *swept = await asyncio.gather(
            asyncio.gather(*(start.digest(temporal, TENANT, one, DAY) for one in everybody)),
            sweep(temporal, at=STRUCK),
            sweep(temporal, at=STRUCK),
        )
        await asyncio.gather(*(one.result() for one in handles))

    assert [one.begun for one in swept] == [10, 10]
    assert set(world.bought.values()) == {1}
    assert {row_id(f"{one}/{DAY}") for one in everybody} == set(world.rows)


async def test_whoever_stops_the_sweep_stops_no_digest(temporal: Client, world: World) -> None:
    world.orders = [order(one) for one in users(5)]
    world.slow["script"] = asyncio.Event()
    async with working(temporal, world):
        handle = await temporal.start_workflow(
            DigestsWorkflow.run, DigestSweep(at=STRUCK), id=str(uuid4()), task_queue=queues.WORKFLOWS
        )
        await until(lambda: world.at_work["script"] == 5)
        await handle.cancel()
        async with asyncio.timeout(20):
            while (await handle.describe()).status is not WorkflowExecutionStatus.CANCELED:
                await asyncio.sleep(0.05)
        world.slow["script"].set()
        await until(lambda: all(row.status is DigestStatus.READY for row in world.rows.values()))

    assert len(world.rows) == 5


async def test_the_clock_strikes_at_six_and_makes_up_for_one_morning(stage: Stage) -> None:
    wanted = schedules.wanted(stage.settings())[schedules.DIGESTS]
    assert (wanted.spec.cron_expressions, wanted.spec.time_zone_name) == (["0 6 * * *"], "UTC")
    assert wanted.spec.jitter is not None
    assert wanted.spec.jitter >= timedelta(minutes=1)
    assert wanted.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert wanted.policy.catchup_window == timedelta(days=1), "after two days there is one morning within it"
    assert schedules.DIGESTS in schedules.NAMES


async def test_the_hour_is_the_one_that_the_clock_struck(stage: Stage, world: World) -> None:
    """However late it is begun: what was missed is looked at as of then."""
    wanted = schedules.wanted(stage.settings())[schedules.DIGESTS]
    handle = await stage.temporal.create_schedule(str(uuid4()), wanted)
    before = datetime.now(UTC)
    yesterday = (before - timedelta(days=1)).replace(hour=5, minute=0, second=0, microsecond=0)
    async with working(stage.temporal, world):
        await handle.backfill(
            ScheduleBackfill(
                start_at=yesterday, end_at=yesterday + timedelta(hours=3), overlap=ScheduleOverlapPolicy.SKIP
            )
        )
        await until(lambda: world.pagings)
    await handle.delete()

    assert [one.at for one in world.pagings] == [yesterday.replace(hour=6)]


async def test_without_a_clock_it_is_now(temporal: Client, world: World) -> None:
    before = datetime.now(UTC)
    async with working(temporal, world):
        done = await sweep(temporal)
    assert done.at is not None
    assert before - timedelta(seconds=1) <= done.at <= datetime.now(UTC)
