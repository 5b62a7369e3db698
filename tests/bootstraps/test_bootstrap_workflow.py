"""The life of bootstraps: one after the other, sources side by side, searched when all have ended, and however it is
interrupted it goes on, each source once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities import errors
from schemas.bootstraps import BootstrapStatus, SourceOrder, SourceStatus
from starter.bootstraps import ring
from tests.bootstraps.bootstrap_life import TENANT, World, comes_back, row_id, working
from tests.waiting import until
from workflows import ids, policies, queues
from workflows.bootstraps import BootstrapSourceWorkflow, BootstrapWorkflow

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def small() -> Iterator[None]:
    """Few sources in a history, and fewer at once."""
    before = policies.SOURCES_A_PAGE, policies.SOURCES_AT_ONCE
    vars(policies).update(SOURCES_A_PAGE=4, SOURCES_AT_ONCE=2)
    yield
    vars(policies).update(SOURCES_A_PAGE=before[0], SOURCES_AT_ONCE=before[1])


@pytest.fixture
async def client(temporal: Client) -> AsyncIterator[Client]:
    """Temporal itself; what a test leaves is ended."""
    yield temporal
    left = "Noun = 'bootstraps' AND ExecutionStatus = 'Running'"
    async for run in temporal.list_workflows(left):
        try:
            await temporal.get_workflow_handle(run.id).terminate("its test is over")
        except RPCError:
            continue


async def held(world: World, *sources: str) -> None:
    """So many are being taken in, and cannot end."""

    async def there() -> bool:
        return world.at_once == len(sources)

    await until(there)


async def taken_in(world: World, source: str) -> None:
    async def so() -> bool:
        return row_id(source) in world.log

    await until(so)


async def stopped(world: World, *sources: str) -> None:
    """These are not being taken in any more, though they had not ended."""

    async def so() -> bool:
        return world.stopped == {row_id(one) for one in sources}

    await until(so)


async def runs(client: Client, workflow_id: str) -> int:
    return len([one async for one in client.list_workflows(f"WorkflowId = '{workflow_id}'")])


async def test_what_fails_and_what_is_slow_hold_up_nobody_and_are_waited_for(client: Client, small: None) -> None:
    world = World()
    names = [f"source {n}" for n in range(9)]
    bootstrap_id = world.ask("first", *names)
    world.shut("source 0")
    world.faults[row_id("source 5")] = [errors.impossible("the file", "It is a picture.")]
    async with working(client, world):
        handle = await ring(client)

        async def others() -> bool:
            return len(world.log) == 8

        await until(others)
        world.let_go()
        await handle.result()
    ended = [world.status(one) for one in names]
    assert ended == [SourceStatus.FAILED if n == 5 else SourceStatus.COMPLETED for n in range(9)]
    assert world.reasons == {row_id("source 5"): "the file: It is a picture."}
    assert world.log[-2:] == [row_id("source 0"), f"index {bootstrap_id}"], "after the last of them"
    assert set(world.ingested.values()) == {1}
    assert world.most_at_once <= 2
    assert world.rows[bootstrap_id].status is BootstrapStatus.COMPLETED


@pytest.mark.parametrize(("hours", "status"), [(1.5, SourceStatus.COMPLETED), (3, SourceStatus.FAILED)])
async def test_a_source_has_two_hours(skipping: WorkflowEnvironment, hours: float, status: SourceStatus) -> None:
    """Its bootstrap is nowhere to be told."""
    world = World()
    bootstrap_id, source_id = world.ask("first", "source 0"), row_id("source 0")
    world.rows[bootstrap_id].status = BootstrapStatus.RUNNING
    world.faults[source_id] = [comes_back(hours)]
    order = SourceOrder(tenant_id=TENANT, bootstrap_id=bootstrap_id, source_id=source_id)
    async with working(skipping.client, world):
        done = await skipping.client.execute_workflow(
            BootstrapSourceWorkflow.run, order, id=ids.source(TENANT, source_id), task_queue=queues.WORKFLOWS
        )
    assert (done.status, world.status("source 0")) == (status, status)
    assert world.reasons == ({} if hours < 2 else {source_id: "not done within 7200 s"})


async def test_many_are_taken_in_by_several_histories_and_a_straggler_outlives_its_own(
    client: Client, small: None
) -> None:
    world = World()
    names = [f"source {n}" for n in range(11)]
    bootstrap_id = world.ask("first", *names)
    world.shut("source 0")
    async with working(client, world):
        handle = await ring(client)

        async def others() -> bool:
            return len(world.ingested) == 10

        await until(others)
        assert world.rows[bootstrap_id].status is BootstrapStatus.RUNNING
        assert not [one for one in world.log if one.startswith("index")]
        world.let_go()
        await handle.result()
    assert set(world.ingested.values()) == {1}
    assert (len(world.ingested), world.most_at_once) == (11, 2)
    assert world.log[-2:] == [row_id("source 0"), f"index {bootstrap_id}"]
    newest = (await handle.describe()).run_id
    history = await client.get_workflow_handle(ids.BOOTSTRAPS, run_id=newest).fetch_history()
    assert history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id


async def test_two_that_are_asked_for_are_done_one_after_the_other(client: Client) -> None:
    world = World()
    first = world.ask("first", "source 0", "source 1")
    world.shut("source 0")
    async with working(client, world):
        handle = await ring(client)
        await held(world, "source 0")
        second = world.ask("second", "source 2")
        await ring(client)
        assert world.rows[second].status is BootstrapStatus.QUEUED
        await taken_in(world, "source 1")
        world.let_go()
        await handle.result()
    assert world.log == [
        row_id("source 1"),
        row_id("source 0"),
        f"index {first}",
        row_id("source 2"),
        f"index {second}",
    ]


async def test_one_that_is_not_wanted_any_more_is_stopped_and_the_next_one_begun(client: Client) -> None:
    world = World()
    first, second = world.ask("first", "source 0", "source 1"), world.ask("second", "source 2")
    world.shut("source 0", "source 1")
    async with working(client, world):
        handle = await ring(client)
        await held(world, "source 0", "source 1")
        async with asyncio.timeout(5):
            world.rows[first].status = BootstrapStatus.CANCELLED
            await handle.signal(BootstrapWorkflow.stop, first)
            await handle.result()
            await stopped(world, "source 0", "source 1")
    assert world.rows[second].status is BootstrapStatus.COMPLETED
    assert world.log == [row_id("source 2"), f"index {second}"]


async def test_one_is_stopped_while_its_sources_are_being_begun(client: Client) -> None:
    """To begin one is nothing that can be interrupted."""
    for late in range(2):
        world = World()
        first = world.ask("first", *(f"source {n}" for n in range(60)))
        world.shut("source 0")
        async with working(client, world):
            handle = await ring(client)

            async def some(world: World = world, least: int = 8 + 3 * late) -> bool:
                return len(world.log) >= least

            await until(some)
            async with asyncio.timeout(5):
                world.rows[first].status = BootstrapStatus.CANCELLED
                await handle.signal(BootstrapWorkflow.stop, first)
                await handle.result()
                await stopped(world, "source 0")
            assert len(world.log) < 60


async def test_one_that_was_cancelled_while_nobody_could_be_told_ends_by_itself(client: Client, small: None) -> None:
    world = World()
    first, second = world.ask("first", *(f"source {n}" for n in range(6))), world.ask("second", "source 9")
    world.shut("source 0")
    async with working(client, world):
        handle = await ring(client)
        await held(world, "source 0")
        world.rows[first].status = BootstrapStatus.CANCELLED
        world.let_go()
        await handle.result()
    assert world.rows[first].status is BootstrapStatus.CANCELLED
    assert world.rows[second].status is BootstrapStatus.COMPLETED


async def test_whoever_is_cancelled_says_so_and_stops_what_is_under_way(client: Client) -> None:
    world = World()
    first = world.ask("first", "source 0")
    world.shut("source 0")
    async with working(client, world):
        handle = await ring(client)
        await held(world, "source 0")
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        source = client.get_workflow_handle(ids.source(TENANT, row_id("source 0")))
        with pytest.raises(WorkflowFailureError):
            await source.result()
    assert (world.rows[first].status, world.rows[first].reason) == (BootstrapStatus.CANCELLED, "cancelled")
    assert world.stopped == {row_id("source 0")}
    assert world.status("source 0") is SourceStatus.QUEUED, "its bootstrap is no more, and that is all there is to say"


async def test_one_whose_workflow_was_ended_by_hand_goes_on_each_source_once(client: Client, small: None) -> None:
    world = World()
    first = world.ask("first", *(f"source {n}" for n in range(5)))
    world.shut("source 0")
    async with working(client, world):
        handle = await ring(client)
        await held(world, "source 0")
        await handle.terminate("by hand")
        again = await ring(client)

        async def others() -> bool:
            return len(world.ingested) == 4

        await until(others)
        world.let_go()
        await again.result()
    assert world.rows[first].version == 2
    assert set(world.ingested.values()) == {1}
    assert world.log[-2:] == [row_id("source 0"), f"index {first}"]


async def test_a_source_that_was_ended_by_hand_is_begun_again(client: Client) -> None:
    world = World()
    first = world.ask("first", "source 0")
    world.shut("source 0")
    async with working(client, world):
        handle = await ring(client)
        await held(world, "source 0")
        await client.get_workflow_handle(ids.source(TENANT, row_id("source 0"))).terminate("by hand")
        await stopped(world, "source 0")
        world.let_go()
        await handle.result()
    assert world.rows[first].status is BootstrapStatus.COMPLETED
    assert await runs(client, ids.source(TENANT, row_id("source 0"))) >= 2


async def test_a_source_that_ended_without_a_word_is_looked_for(client: Client, small: None) -> None:
    """Another history has begun it, so that nobody hears how its workflow ended."""
    before = policies.SOURCES_LOOK
    vars(policies)["SOURCES_LOOK"] = before / 300
    world = World()
    first = world.ask("first", *(f"source {n}" for n in range(7)))
    world.shut("source 0")
    async with working(client, world):
        handle = await ring(client)

        async def others() -> bool:
            return len(world.ingested) == 6

        await until(others)
        await client.get_workflow_handle(ids.source(TENANT, row_id("source 0"))).terminate("by hand")
        await stopped(world, "source 0")
        world.let_go()
        await handle.result()
    vars(policies)["SOURCES_LOOK"] = before
    assert world.log[-2:] == [row_id("source 0"), f"index {first}"]


@pytest.mark.parametrize("step", ["list", "index"])
async def test_one_that_cannot_be_done_says_why_and_the_next_one_is_done(client: Client, step: str) -> None:
    world = World()
    first, second = world.ask("first", "source 0"), world.ask("second", "source 1")
    world.faults[step] = [errors.impossible("the library of references", "it is empty")]
    async with working(client, world):
        await (await ring(client)).result()
    assert world.rows[first].status is BootstrapStatus.FAILED
    assert world.rows[first].reason == "the library of references: it is empty"
    assert world.rows[second].status is BootstrapStatus.COMPLETED


async def test_nothing_waits_and_the_run_ends(client: Client) -> None:
    async with working(client, World()):
        handle = await ring(client)
        await handle.result()
        description: Any = await handle.describe()
    assert description.status is WorkflowExecutionStatus.COMPLETED
