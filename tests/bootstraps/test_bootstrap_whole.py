"""References are taken in by two tenants who asked at once, while one source is slow, one is no document, and the worker is
killed in the middle. GREENROOM_SOURCES=2500 for as many as there may be some day."""

import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client

from schemas.bootstraps import BootstrapStatus, BootstrapView, NewBootstrap, SourceStatus
from schemas.events import Event
from starter import bootstraps
from starter.dev.postgres import Cluster
from starter.office import Office
from tests.crash.doomed_worker import Order
from tests.crash.lanes import Lane, Lanes, lanes
from tests.crash.servers import WorkerProcess, until
from tests.stage import Stage
from workflows import ids

SOURCES = int(os.environ.get("GREENROOM_SOURCES", "30"))
# Two calls a source, on two cores, beside servers and a database.
WITHIN_S = 60 + SOURCES * 0.5
SLOW_S = 4.0
SLOW, PICTURE = "source-00003.txt", "source-00007.txt"

TEXT = """REFERENCE {n} (INVENTED)

1. Definition
Confidential Information of reference {n} is what a party marks as confidential, about {word}.

2. Term
This Agreement lasts for {n} months and {word} survives for two years.

3. Governing law
The laws of Atlantis number {n} govern {word}.
"""


def library(folder: Path, changed: Sequence[int] = ()) -> Path:
    """So many sources; one is slow for whoever makes its vectors, one is a picture."""
    folder.mkdir(exist_ok=True)
    for n in range(SOURCES):
        word = "slowness" if n == 3 else f"canal {n}" + (" anew" if n in changed else "")
        (folder / f"source-{n:05}.txt").write_text(TEXT.format(n=n, word=word))
    (folder / PICTURE).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    return folder


class Ground:
    """Two tenants in a lane, and a library that both take in."""

    def __init__(self, lane: Lane, folder: Path) -> None:
        self.lane = lane
        self.folder = folder
        self.tenants: tuple[Stage, Stage] = (lane.stage(), lane.stage())
        self.settings = self.tenants[0].settings(
            objects_url=(folder / "objects").as_uri(),
            references_url=str(library(folder / "library")),
            voyage_api_key="",
            voyage_pace="unlimited",
            # Those that a dead worker leaves are free in 20 s: nobody waits for them here.
            embeddings_at_once=12,
        )
        self.office = Office(self.settings, lane.database, lane.client)

    def worker(self) -> WorkerProcess:
        trail = self.lane.folder / f"{uuid4()}.trail"
        return WorkerProcess(
            Order(self.settings, self.lane.address, self.lane.client.namespace, trail, None, clock=False)
        )

    async def ask(self, stage: Stage, *sources: str, force: bool = False) -> str:
        wanted = NewBootstrap(sources=sources, force=force)
        return (await bootstraps.ask(self.office, stage.tenant.id, wanted)).bootstrap_id

    async def view(self, stage: Stage, bootstrap_id: str) -> BootstrapView:
        view = await self.office.bootstraps.view(stage.tenant.id, bootstrap_id)
        assert view is not None
        return view

    async def ended(self, stage: Stage, bootstrap_id: str) -> BootstrapView:
        async def over() -> bool:
            return (await self.view(stage, bootstrap_id)).ended_at is not None

        await until(over, "the end of a bootstrap", WITHIN_S)
        return await self.view(stage, bootstrap_id)

    async def calls(self) -> list[str]:
        """Texts that vectors were made of, one a source."""
        return [str(one["request"]) for one in self.tenants[0].calls("voyage")]

    def files(self, stage: Stage) -> int:
        return len(list((self.folder / "objects" / stage.tenant.id).rglob("original")))


@pytest.fixture(scope="module")
async def there(cluster: Cluster) -> AsyncIterator[Lanes]:
    async with lanes(cluster, "greenroom_bootstraps", 1) as opened:
        yield opened


@pytest.fixture
async def ground(there: Lanes, tmp_path: Path) -> AsyncIterator[Ground]:
    async with there.one() as lane:
        ground = Ground(lane, tmp_path)
        for stage in ground.tenants:
            await stage.set_up(datetime.now(UTC))
        yield ground
        await lane.clear()


async def lengths(client: Client) -> list[int]:
    """Events in each history of those that take in one bootstrap after the other."""
    runs = [one async for one in client.list_workflows(f"WorkflowId = '{ids.BOOTSTRAPS}'")]
    found = [await client.get_workflow_handle(one.id, run_id=one.run_id).describe() for one in runs]
    return sorted(one.history_length for one in found)


@pytest.mark.timeout(60 + 2 * WITHIN_S)
async def test_two_bootstraps_one_slow_source_one_that_fails_and_a_crash(ground: Ground) -> None:
    first, second = ground.tenants
    ground.lane.sandbox.faults.put("voyage", "slow", seconds=SLOW_S, times=1, match="slowness")
    began = time.monotonic()
    async with ground.worker().running() as doomed:
        asked = [await ground.ask(stage) for stage in ground.tenants]
        assert (await ground.view(second, asked[1])).position in (1, 2)

        async def in_the_middle() -> bool:
            counts = (await ground.view(first, asked[0])).counts
            return counts.get(SourceStatus.COMPLETED, 0) >= SOURCES // 3

        await until(in_the_middle, "a third of the sources", WITHIN_S)
        doomed.send(signal.SIGKILL)
        assert await doomed.ended(10) == -9
    assert (await ground.view(first, asked[0])).indexed_at is None
    assert (await ground.view(second, asked[1])).status is BootstrapStatus.QUEUED
    async with ground.worker().running():
        views = [await ground.ended(stage, one) for stage, one in zip(ground.tenants, asked, strict=True)]
    for stage, view in zip(ground.tenants, views, strict=True):
        await assert_whole(ground, stage, view)
    assert views[0].ended_at and views[1].started_at and views[0].ended_at <= views[1].started_at, "one at a time"
    took = time.monotonic() - began
    print(f"\n2 x {SOURCES} sources in {took:.1f} s; events of histories: {await lengths(ground.lane.client)}")  # noqa: T201


async def assert_whole(ground: Ground, stage: Stage, view: BootstrapView) -> None:
    """Each source once, all but the picture; searched after the last of them, and not before."""
    assert view.status is BootstrapStatus.COMPLETED
    assert view.counts == {SourceStatus.COMPLETED: SOURCES - 1, SourceStatus.FAILED: 1}
    ((failed),) = view.failed
    assert failed.source == PICTURE
    assert failed.failure_reason.startswith("the file: This is a picture")
    async with ground.lane.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch(
            """
            SELECT d.source, d.searchable, bool_and(c.indexed AND c.embedding IS NOT NULL) AS whole
            FROM documents d JOIN clauses c ON c.document_id = d.id GROUP BY d.id, d.source, d.searchable
            """
        )
        last = await connection.fetchval("SELECT max(ended_at) FROM bootstrap_sources")
        settled = await connection.fetch("SELECT state, count(*) AS number FROM spending GROUP BY state")
    assert len({row["source"] for row in rows}) == len(rows) == SOURCES - 1
    assert all(row["searchable"] and row["whole"] for row in rows)
    assert view.indexed_at is not None and view.indexed_at >= last
    assert ground.files(stage) == SOURCES - 1
    assert {row["state"] for row in settled} <= {"settled", "released"}
    told = Counter([one.name for one in await events(stage)])
    assert told == {"bootstrap/source.completed": SOURCES, "bootstrap/ingest.completed": 1}


async def events(stage: Stage) -> list[Event]:
    found = await stage.events.after(stage.tenant.id, 0, 1000)
    while more := await stage.events.after(stage.tenant.id, found[-1].sequence, 1000):
        found += more
    return [one for one in found if one.name.startswith("bootstrap")]


@pytest.mark.timeout(120)
async def test_what_has_not_changed_is_left_and_what_has_is_replaced(ground: Ground) -> None:
    stage, _ = ground.tenants
    few = [f"source-{n:05}.txt" for n in range(4)]
    async with ground.worker().running():
        await ground.ended(stage, await ground.ask(stage, *few))
        before = await searched(ground, stage)
        library(ground.folder / "library", changed=[1])
        again = await ground.ended(stage, await ground.ask(stage, *few, "../../etc/passwd"))
        after = await searched(ground, stage)
        assert again.counts == {SourceStatus.UNCHANGED: 3, SourceStatus.COMPLETED: 1, SourceStatus.FAILED: 1}
        assert {name for name in few if before[name] != after[name]} == {few[1]}
        calls = len(await ground.calls())
        forced = await ground.ended(stage, await ground.ask(stage, *few, force=True))
    assert forced.counts == {SourceStatus.COMPLETED: 4}
    assert len(await ground.calls()) == calls + 4
    assert not set((await searched(ground, stage)).values()) & set(after.values())
    async with ground.lane.database.tenant(stage.tenant.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM documents") == 4


async def searched(ground: Ground, stage: Stage) -> dict[str, str]:
    async with ground.lane.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch("SELECT source, id FROM documents WHERE searchable")
        return {row["source"]: row["id"] for row in rows}


@pytest.mark.timeout(120)
async def test_one_that_is_cancelled_leaves_nothing(ground: Ground) -> None:
    stage, other = ground.tenants
    ground.lane.sandbox.faults.put("voyage", "slow", seconds=20, times=1, match="slowness")
    async with ground.worker().running():
        cancelled, next_one = await ground.ask(stage), await ground.ask(other, "source-00001.txt")

        async def under_way() -> bool:
            return (await ground.view(stage, cancelled)).counts.get(SourceStatus.COMPLETED, 0) > 5

        await until(under_way, "some sources", WITHIN_S)
        assert await bootstraps.cancel(ground.office, stage.tenant.id, cancelled)
        at = time.monotonic()
        await ground.ended(other, next_one)
        assert time.monotonic() - at < 10, "nobody waits for the slow one"
        assert not await bootstraps.cancel(ground.office, stage.tenant.id, cancelled)

        async def stopped() -> bool:
            return await open_money(ground, stage) == 0

        await until(stopped, "what is under way gives its money back", 5)
    async with ground.lane.database.tenant(stage.tenant.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM documents") == 0
        assert await connection.fetchval("SELECT count(*) FROM clauses") == 0
        kept = await connection.fetch("SELECT key FROM unneeded_objects")
    assert (await ground.view(stage, cancelled)).status is BootstrapStatus.CANCELLED
    there = {str(one.relative_to(ground.folder / "objects")) for one in ground.folder.rglob("original")}
    theirs = {one for one in there if one.startswith(stage.tenant.id)}
    assert theirs <= {row["key"] for row in kept}, "whatever lies there is to be deleted"


async def open_money(ground: Ground, stage: Stage) -> int:
    """What is set aside, and neither paid nor given back."""
    async with ground.lane.database.tenant(stage.tenant.id) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM spending WHERE ended_at IS NULL"))
