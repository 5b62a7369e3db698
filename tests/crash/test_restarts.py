"""Servers that are killed and come back, and workers that are stopped, frozen or slow: the brief arrives by itself.

All of it happens at once, each on lanes or servers of its own, since most of it is waiting.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from starter.dev.postgres import Cluster
from tests.crash.ground import Ground, Run, ground
from tests.crash.invariants import complaints
from tests.crash.servers import kill_postgres, until
from worker import GRACE
from workflows import policies

AWAY_S = 2.0
ARRIVES_WITHIN_S = 90.0

Story = Callable[[], Awaitable[list[str]]]


@pytest.fixture(scope="module")
async def stories(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Story]]:
    """Each story is begun at once; what it returns is what can be complained of."""
    folder = tmp_path_factory.mktemp("postgres")
    told = {
        "temporal": temporal_is_killed(cluster),
        "postgres": postgres_is_killed(folder),
        "stopped": a_worker_is_told_to_stop(cluster),
        "impatient": a_worker_is_told_to_stop_in_a_call_that_outlasts_its_grace(cluster),
        "frozen": a_worker_is_frozen(cluster),
    }
    tasks = {name: asyncio.create_task(story) for name, story in told.items()}
    yield {name: lambda task=task: task for name, task in tasks.items()}
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.timeout(200)
async def test_a_killed_temporal_server_costs_a_while_and_nothing_else(stories: dict[str, Story]) -> None:
    assert await stories["temporal"]() == []


@pytest.mark.timeout(200)
async def test_a_killed_postgres_costs_a_while_and_nothing_else(stories: dict[str, Story]) -> None:
    assert await stories["postgres"]() == []


@pytest.mark.timeout(200)
async def test_a_worker_that_is_told_to_stop_ends_its_call_and_leaves_the_rest_to_the_next(
    stories: dict[str, Story],
) -> None:
    assert await stories["stopped"]() == []


@pytest.mark.timeout(200)
async def test_a_call_that_outlasts_the_grace_of_a_stopping_worker_is_made_by_the_next(
    stories: dict[str, Story],
) -> None:
    assert await stories["impatient"]() == []


@pytest.mark.timeout(200)
async def test_a_frozen_worker_that_comes_back_finds_everything_done_and_doubles_nothing(
    stories: dict[str, Story],
) -> None:
    assert await stories["frozen"]() == []


@asynccontextmanager
async def slow(cluster: Cluster, database: str, **delays: float) -> AsyncIterator[tuple[Ground, Run]]:
    """A run on a ground of its own, whose providers take their time."""
    async with ground(cluster, database, lanes=1) as there:
        there.sandbox.delays.update(delays)
        async with there.run("kim") as run:
            yield there, run


async def calling(there: Ground, provider: str, calls: int) -> None:
    async def so_many() -> bool:
        return len(there.sandbox.journal.running(provider)) >= calls

    await until(so_many, f"{calls} calls of {provider} under way", 60)


async def temporal_is_killed(cluster: Cluster) -> list[str]:
    async with slow(cluster, "greenroom_crash_temporal", perplexity=3.0) as (there, run), run.worker().running():
        await calling(there, "perplexity", 2)
        await there.temporal.kill(AWAY_S)
        run.restarts += 1
        await run.brief(ARRIVES_WITHIN_S)
        return complaints(await run.seen())


async def postgres_is_killed(folder: Path) -> list[str]:
    """Its answers come while it is away."""
    own = await asyncio.to_thread(Cluster, folder / "postgres")
    try:
        async with slow(own, "greenroom", perplexity=1.0) as (there, run), run.worker().running():
            await calling(there, "perplexity", 2)
            await kill_postgres(own, AWAY_S)
            run.restarts += 1
            await run.brief(ARRIVES_WITHIN_S)
            return complaints(await run.seen())
    finally:
        await asyncio.to_thread(own.stop)


async def a_worker_is_told_to_stop(cluster: Cluster) -> list[str]:
    """Its two calls end within the grace, so nobody makes them again."""
    async with slow(cluster, "greenroom_crash_stop", perplexity=3.0) as (there, run):
        async with run.worker().running() as first:
            await calling(there, "perplexity", 2)
            said = await stops(run, first)
        async with run.worker().running():
            await run.brief(ARRIVES_WITHIN_S)
        return said + complaints(await run.seen())


async def a_worker_is_told_to_stop_in_a_call_that_outlasts_its_grace(cluster: Cluster) -> list[str]:
    async with slow(cluster, "greenroom_crash_grace") as (there, run):
        there.sandbox.faults.put("perplexity", "slow", seconds=50.0, times=2)
        async with run.worker().running() as first:
            await calling(there, "perplexity", 2)
            said = await stops(run, first)
            run.restarts += 1
        async with run.worker().running():
            await run.brief(ARRIVES_WITHIN_S)
        return said + complaints(await run.seen())


async def stops(run: Run, first: "object") -> list[str]:
    ...


async def a_worker_is_frozen(cluster: Cluster) -> list[str]:
    """Longer than its heartbeats may be missing; it comes back when another has written the brief."""
    async with slow(cluster, "greenroom_crash_frozen", perplexity=1.0) as (there, run):
        async with run.worker().running() as frozen:
            await calling(there, "perplexity", 2)
            frozen.send(signal.SIGSTOP)
            async with run.worker().running():
                run.restarts += 1
                await asyncio.sleep(policies.HEARTBEAT.total_seconds())
                await run.brief(ARRIVES_WITHIN_S)
                frozen.send(signal.SIGCONT)
                await asyncio.sleep(3)
                return complaints(await run.seen())
