"""A skill's run from its turn to its end, with twins for all that it does."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities import errors
from schemas.notices import NoticeKind
from schemas.skills import RunStatus, SkillOrder
from tests.skills.life import CHATS, OUTPUT, TENANT, World, comes_back, failure, working
from tests.waiting import until
from workflows import ids, policies, queues
from workflows.skills import SkillRunWorkflow


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tries are those of the policy, the pauses between them are not."""
    for step in (policies.EXECUTE_SKILL, policies.STORE_OUTPUT, policies.TELLING):
        monkeypatch.setattr(step["retry_policy"], "initial_interval", timedelta(milliseconds=10))
        monkeypatch.setattr(step["retry_policy"], "backoff_coefficient", 1.0)


@pytest.fixture
def world() -> Iterator[World]:
    """Whatever its worker waits for in the end is let go."""
    made = World()
    yield made
    made.let_go()


@pytest.fixture
async def client(skipping: WorkflowEnvironment) -> Client:
    return skipping.client


@pytest.fixture
async def now(skipping: WorkflowEnvironment) -> datetime:
    return await skipping.get_current_time()


async def begun(client: Client, turn_at: datetime, position: int | None = None) -> WorkflowHandle[Any, Any]:
    order = SkillOrder(tenant_id=TENANT, run_id=str(uuid4()), turn_at=turn_at, position=position)
    return await client.start_workflow(
        SkillRunWorkflow.run, order, id=ids.skill(TENANT, order.run_id), task_queue=queues.WORKFLOWS
    )


def told(world: World, kind: NoticeKind) -> list[str | None]:
    """On which ways: their mail is None."""
    return [one.channel_id for one in world.told if one.kind is kind]


def all_of(world: World, kind: NoticeKind) -> Any:
    async def there() -> bool:
        return set(told(world, kind)) == {None, *CHATS}

    return there


async def test_it_is_run_put_away_and_told_on_every_way(client: Client, world: World, now: datetime) -> None:
    async with working(client, world):
        done = await (await begun(client, now)).result()
        await until(all_of(world, NoticeKind.SKILL))

    assert (done.status, done.output_id) == (RunStatus.COMPLETED, OUTPUT)
    assert world.events == ["skill.execute.completed"]
    assert {one.key for one in world.told} == {f"skill/{done.run_id}/{way}" for way in ("mail", *CHATS)}
    assert len(world.told) == 3


async def test_who_wants_no_mail_gets_none(client: Client, world: World, now: datetime) -> None:
    world.by_mail = False
    async with working(client, world):
        await (await begun(client, now)).result()

        async def both() -> bool:
            return len(world.told) == len(CHATS)

        await until(both)

    assert set(told(world, NoticeKind.SKILL)) == set(CHATS)


async def test_before_its_turn_it_is_not_begun(client: Client, world: World, now: datetime) -> None:
    turn_at = now + timedelta(minutes=7)
    async with working(client, world):
        handle = await begun(client, turn_at, position=3)
        await handle.result()

    assert len(world.executed_at) == 1
    assert timedelta() <= world.executed_at[0] - turn_at < timedelta(seconds=5)


async def test_who_waits_is_told_since_when_and_behind_how_many(temporal: Client, world: World) -> None:
    async with working(temporal, world):
        handle = await begun(temporal, datetime.fromisoformat("2099-01-01T10:20:30Z"), position=3)

        async def details() -> str:
            described: Any = await handle.query("__temporal_workflow_metadata")
            return str(described)

        async def waits() -> bool:
            return "2 before it, its turn is at 10:20:30 UTC" in await details()

        await until(waits)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert (world.status, world.steps["execute"], world.told) == (RunStatus.FAILED, 0, [])


async def test_overload_three_times_and_then_success(client: Client, world: World, now: datetime) -> None:
    world.faults["execute"] = [errors.answered("provider", 529, "overloaded_error", {}, timedelta())] * 3
    async with working(client, world):
        done = await (await begun(client, now)).result()

    assert (done.status, world.steps["execute"]) == (RunStatus.COMPLETED, 4)
    assert world.events == ["skill.execute.completed"]


async def test_overload_that_does_not_end_fails_and_may_be_asked_for_again(
    client: Client, world: World, now: datetime
) -> None:
    world.faults["execute"] = [errors.answered("provider", 529, "overloaded_error", {}, timedelta())] * 9
    async with working(client, world):
        error = await failure((await begun(client, now)).result())
        await until(all_of(world, NoticeKind.SKILL))

    assert world.failure is not None
    assert (world.failure.step, world.failure.retryable) == ("execute", True)
    assert error.message == "execute: provider said 529 (overloaded_error)"
    assert (world.steps["execute"], world.events) == (4, ["skill.execute.failed"])


@pytest.mark.parametrize("step", ["execute", "store"])
async def test_what_is_refused_for_good_is_tried_once_and_says_why(
    client: Client, world: World, now: datetime, step: str
) -> None:
    world.faults[step] = [errors.impossible("provider", "no such key")]
    async with working(client, world):
        error = await failure((await begun(client, now)).result())
        await until(all_of(world, NoticeKind.SKILL))

    assert world.failure is not None
    assert (world.failure.step, world.failure.reason, world.failure.retryable) == (
        step,
        "provider: no such key",
        False,
    )
    assert (error.type, error.message) == ("ProviderRefused", f"{step}: provider: no such key")
    assert (world.steps[step], world.events) == (1, ["skill.execute.failed"])


@pytest.mark.parametrize("without", [(queues.SKILLS,), ()], ids=["no worker", "no seat"])
async def test_what_nobody_begins_in_time_after_its_turn_fails(
    temporal: Client, world: World, monkeypatch: pytest.MonkeyPatch, without: tuple[str, ...]
) -> None:
    """Time is not skipped while something is under way: so five minutes are two seconds."""
    monkeypatch.setattr(policies, "SKILL_STARTS_WITHIN", timedelta(seconds=2))
    world.seat.clear()
    turn_at = datetime.now(UTC) + timedelta(seconds=1)
    async with working(temporal, world, without=without):
        error = await failure((await begun(temporal, turn_at)).result())

    assert world.failure is not None
    assert (error.type, error.message) == ("TooSlow", f"start: it was not begun within {2 / 60:g} minutes")
    assert (world.failure.step, world.failure.retryable) == ("start", True)
    assert timedelta(seconds=2) <= world.failure.now - turn_at < timedelta(seconds=5)
    assert (world.steps["standing"], world.steps["slow"], world.steps["execute"]) == (1, 0, 0)
    assert world.events == ["skill.execute.failed"]


async def test_nine_minutes_are_slow_and_told_once(client: Client, world: World, now: datetime) -> None:
    world.faults["execute"] = [comes_back(9)]
    async with working(client, world):
        done = await (await begun(client, now)).result()
        await until(all_of(world, NoticeKind.SKILL))

    assert done.status is RunStatus.COMPLETED
    assert sorted(told(world, NoticeKind.SKILL_SLOW), key=str) == sorted([None, *CHATS], key=str)
    assert {one.key for one in world.told if one.kind is NoticeKind.SKILL_SLOW} == {
        f"skill-slow/{done.run_id}/{way}" for way in ("mail", *CHATS)
    }
    assert world.slow_at is not None
    assert world.started_at is not None
    assert timedelta(minutes=5) <= world.slow_at - world.started_at < timedelta(minutes=5, seconds=5)
    assert (world.steps["slow"], world.events) == (1, ["skill.execute.completed"])


async def test_four_minutes_are_not_slow(client: Client, world: World, now: datetime) -> None:
    world.faults["execute"] = [comes_back(4)]
    async with working(client, world):
        assert (await (await begun(client, now)).result()).status is RunStatus.COMPLETED

    assert (world.steps["standing"], world.steps["slow"]) == (0, 0)


async def test_past_ten_minutes_it_is_stopped_and_says_so(client: Client, world: World, now: datetime) -> None:
    world.faults["execute"] = [comes_back(11)]
    async with working(client, world):
        error = await failure((await begun(client, now)).result())
        await until(all_of(world, NoticeKind.SKILL))

    assert world.failure is not None
    assert world.started_at is not None
    assert error.message == "execute: it took longer than 10 minutes"
    assert timedelta(minutes=10) <= world.failure.now - world.started_at < timedelta(minutes=10, seconds=5)
    assert (world.steps["execute"], world.steps["slow"]) == (1, 1)
    assert world.events == ["skill.execute.failed"]


async def test_a_store_that_is_away_too_long_is_why_it_failed(client: Client, world: World, now: datetime) -> None:
    world.faults["store"] = [comes_back(11)]
    async with working(client, world):
        error = await failure((await begun(client, now)).result())

    assert error.message == "store: it took longer than 10 minutes"
    assert world.events == ["skill.execute.failed"]


async def test_an_output_that_is_written_down_after_all_is_a_good_end(
    client: Client, world: World, now: datetime
) -> None:
    """The store was told, and its worker could not say so any more."""

    class Lost(World):
        def raise_next(self, step: str) -> None:
            super().raise_next(step)
            if step == "store":
                self.end(RunStatus.COMPLETED)
                raise errors.impossible("provider", "and yet")

    lost = Lost()
    async with working(client, lost):
        done = await (await begun(client, now)).result()
        await until(all_of(lost, NoticeKind.SKILL))

    assert done.status is RunStatus.COMPLETED
    assert (lost.events, lost.failure) == (["skill.execute.completed"], None)


async def test_a_cancelled_run_stops_its_call_within_five_seconds(temporal: Client, world: World) -> None:
    world.pen.clear()
    async with working(temporal, world):
        handle = await begun(temporal, datetime.fromisoformat("2026-01-01T00:00:00Z"))

        async def runs() -> bool:
            return world.steps["execute"] == 1

        await until(runs)
        asked = time.monotonic()
        await handle.cancel()
        await asyncio.wait_for(world.stopped.wait(), 10)
        took = time.monotonic() - asked
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED

    assert took < 5
    assert world.failure is not None
    assert (world.failure.reason, world.failure.retryable) == ("cancelled", False)
    assert (world.events, world.told) == (["skill.execute.failed"], [])


async def test_a_cancellation_that_comes_while_it_ends_leaves_nothing_out(temporal: Client, world: World) -> None:
    """Neither what is written down, nor whom it is told to."""
    world.faults["execute"] = [errors.impossible("provider", "no such key")]
    world.book.clear()
    async with working(temporal, world):
        handle = await begun(temporal, datetime.now(UTC))

        async def ending() -> bool:
            return bool(world.steps["fail"])

        async def heard() -> bool:
            history = await handle.fetch_history()
            return any(one.HasField("workflow_execution_cancel_requested_event_attributes") for one in history.events)

        await until(ending)
        await handle.cancel()
        await until(heard)
        # The worker hears of it with its next task.
        await asyncio.sleep(0.5)
        world.book.set()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        await until(all_of(world, NoticeKind.SKILL))

    assert (world.status, world.events) == (RunStatus.FAILED, ["skill.execute.failed"])
    assert world.failure is not None
    assert world.failure.reason == "provider: no such key"


async def test_a_run_that_is_cancelled_before_any_worker_came_fails_too(temporal: Client, world: World) -> None:
    handle = await begun(temporal, datetime.fromisoformat("2026-01-01T00:00:00Z"))
    await handle.cancel()
    async with working(temporal, world):
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert (world.status, world.events, world.told) == (RunStatus.FAILED, ["skill.execute.failed"], [])
