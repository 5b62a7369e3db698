"""Servers that are killed and come back, and workers that are stopped, slow or frozen: the brief arrives by itself.

All of it happens at once, since most of it is waiting.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from starter.dev.postgres import Cluster
from tests.crash.ground import Ground, Run, ground
from tests.crash.invariants import complaints
from tests.crash.servers import WorkerProcess, kill_postgres, until
from worker import GRACE
from workflows import policies

AWAY_S = 2.0
ARRIVES_WITHIN_S = 90.0

# What a worker needs to end beside its grace.
CLOSING_S = 5.0

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
async def stories(
    there: Ground, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, asyncio.Task[list[str]]]]:
    """Each begins at once; what it returns is what there is to complain of."""
    told = {
        "temporal": temporal_is_killed(cluster),
        "postgres": postgres_is_killed(tmp_path_factory.mktemp("postgres")),
        "stopped": a_worker_is_told_to_stop(there),
        "grace": a_worker_is_told_to_stop_in_a_call_that_outlasts_its_grace(there),
        "refusing": a_stopping_worker_is_given_more(there),
        "frozen": a_worker_is_frozen(there),
    }
    tasks = {name: asyncio.create_task(story) for name, story in told.items()}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize(
    "story",
    [
        pytest.param("temporal", id="a Temporal server that is killed costs a while"),
        pytest.param("postgres", id="a Postgres that is killed costs a while"),
        pytest.param("stopped", id="a worker that is told to stop ends its calls"),
        pytest.param("grace", id="a call that outlasts the grace is made by the next worker"),
        pytest.param("refusing", id="a worker that is told to stop takes nothing more"),
        pytest.param("frozen", id="a frozen worker that comes back doubles nothing"),
    ],
)
async def test_the_brief_arrives_once(stories: dict[str, asyncio.Task[list[str]]], story: str) -> None:
    assert await stories[story] == []


async def temporal_is_killed(cluster: Cluster) -> list[str]:
    async with ground(cluster, "greenroom_crash_temporal", lanes=1) as there, there.run("kim") as run:
        slow(run, 3.0)
        async with run.worker().running():
            await calling(run)
            await there.temporal.kill(AWAY_S)
            run.restarts += 1
            return await ends_well(run)


async def postgres_is_killed(folder: Path) -> list[str]:
    """The answers come while it is away."""
    cluster = await asyncio.to_thread(Cluster, folder / "data")
    try:
        async with ground(cluster, "greenroom", lanes=1) as there, there.run("kim") as run:
            slow(run, 1.0)
            async with run.worker().running():
                await calling(run)
                await kill_postgres(cluster, AWAY_S)
                run.restarts += 1
                return await ends_well(run)
    finally:
        await asyncio.to_thread(cluster.stop)


async def a_worker_is_told_to_stop(there: Ground) -> list[str]:
    """What it is doing ends within its grace, so nobody does it again."""
    async with there.run("kim") as run:
        slow(run, 3.0)
        async with run.worker().running() as first:
            await calling(run)
            said = await stops(first)
        async with run.worker().running():
            return said + await ends_well(run)


async def a_worker_is_told_to_stop_in_a_call_that_outlasts_its_grace(there: Ground) -> list[str]:
    async with there.run("kim") as run:
        slow(run, 50.0, times=2)
        async with run.worker().running() as first:
            await calling(run)
            said = await stops(first)
            run.restarts += 1
        async with run.worker().running():
            return said + await ends_well(run)


async def a_stopping_worker_is_given_more(there: Ground) -> list[str]:
    """While it writes one brief, another is asked for: it does not begin with that."""
    async with there.run("kim") as run:
        there.sandbox.faults.put("anthropic", "slow", seconds=8.0, match=run.name)
        async with run.worker().running() as first:
            await calling(run, "brief", 1)
            stopping = asyncio.create_task(stops(first))
            await asyncio.sleep(2)
            async with there.run("lee", beside=run) as more:
                said = await stopping
                assert there.witness.calls(more.name) == []
                async with run.worker().running():
                    return said + await ends_well(run) + await ends_well(more)


async def a_worker_is_frozen(there: Ground) -> list[str]:
    """When it comes back, another has written the brief.

    It has no more slots than its calls fill: a frozen worker is still handed what it asked for, and every try of a step
    could end with it.
    """
    async with there.run("kim", search_slots=2, model_slots=1) as run:
        slow(run, 1.0)
        async with run.worker().running() as frozen:
            await calling(run)
            frozen.send(signal.SIGSTOP)
            run.restarts += 1
            async with run.worker().running() as other:
                await run.brief(ARRIVES_WITHIN_S)
                assert "transaction finish 1 after" in other.trail()
                frozen.send(signal.SIGCONT)
                await asyncio.sleep(policies.HEARTBEAT.total_seconds())
                assert "call perplexity 2 after" in frozen.trail(), "it came back with answers of its own"
                return await ends_well(run)


def slow(run: Run, seconds: float, times: int | None = None) -> None:
    run.ground.sandbox.faults.put("perplexity", "slow", seconds=seconds, times=times, match=run.name)


async def calling(run: Run, about: str = "", calls: int = 2) -> None:
    """So many calls are under way: both look-ups, if nothing else is said."""

    async def so_many() -> bool:
        running = [str(call["about"]) for call in run.ground.sandbox.journal.running()]
        return sum(run.name in one and one.startswith(about) for one in running) == calls

    await until(so_many, f"{calls} calls under way", 60)


async def stops(worker: WorkerProcess) -> list[str]:
    """It ends by itself, in time, and says that all is well."""
    asked, worst = time.monotonic(), GRACE.total_seconds() + CLOSING_S
    worker.send(signal.SIGTERM)
    code = await worker.ended(3 * worst)
    took = time.monotonic() - asked
    return [f"it ended with {code}"] * (code != 0) + [f"it took {took:.1f} s to end"] * (took > worst)


async def ends_well(run: Run) -> list[str]:
    await run.brief(ARRIVES_WITHIN_S)
    found = complaints(await run.seen())
    return [*found, f"history: {await run.history()}"] if found else []
