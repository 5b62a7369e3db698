"""The life of bootstraps with twins for all that they do: rows in memory, and sources that take as long as they are told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import errors
from schemas.bootstraps import (
    BootstrapDone,
    BootstrapFailure,
    BootstrapStatus,
    BootstrapStep,
    BootstrapTaking,
    BootstrapTurn,
    Indexed,
    NextBootstrap,
    SourceDone,
    SourceFailure,
    Sources,
    SourcesListing,
    SourcesPage,
    SourceStatus,
    SourceStep,
)
from worker import build_worker
from workflows import queues

TENANT = "7b5b1c1e-0000-4000-8000-000000000001"
OPEN = {SourceStatus.QUEUED, SourceStatus.RUNNING}


def row_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def comes_back(hours: float) -> ApplicationError:
    """A provider that asks for a wait: the time of a slow source, in which nothing else is waited for."""
    return ApplicationError("provider said 529", type="ProviderDown", next_retry_delay=timedelta(hours=hours))


@dataclass
class Row:
    """A bootstrap, and its sources by their ids."""

    sources: dict[str, SourceStatus]
    status: BootstrapStatus = BootstrapStatus.QUEUED
    run_id: str = ""
    version: int = 0
    reason: str = ""
    listed: bool = False


@dataclass
class World:
    """All bootstraps in the order in which they were asked for, and how each step of them goes. `faults` are raised in
    their order, by the name of a step or of a source."""

    rows: dict[str, Row] = field(default_factory=dict)
    faults: dict[str, list[Exception | None]] = field(default_factory=dict)
    # Sources that do not end as long as these are shut.
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    # What was done, in its order.
    log: list[str] = field(default_factory=list)
    ingested: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    stopped: set[str] = field(default_factory=set)

    def ask(self, name: str, *sources: str) -> str:
        bootstrap_id = row_id(name)
        self.rows[bootstrap_id] = Row({row_id(one): SourceStatus.QUEUED for one in sources})
        return bootstrap_id

    def shut(self, *sources: str) -> None:
        for one in sources:
            self.gates[row_id(one)] = asyncio.Event()

    def let_go(self) -> None:
        for gate in self.gates.values():
            gate.set()

    def status(self, source: str) -> SourceStatus:
        return next(row.sources[row_id(source)] for row in self.rows.values() if row_id(source) in row.sources)

    def raise_next(self, step: str) -> None:
        fault = self.faults[step].pop(0) if self.faults.get(step) else None
        if fault is not None:
            raise fault

    def own(self, turn: BootstrapTurn) -> Row:
        row = self.rows[turn.bootstrap_id]
        if row.status is not BootstrapStatus.RUNNING or row.version != turn.version:
            raise errors.superseded()
        return row


class TwinBootstraps:
    """The activities of bootstraps, over rows in memory. Their names are those of the real ones."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="bootstraps.next")
    async def take(self, taking: BootstrapTaking) -> NextBootstrap:
        rows = self._world.rows.items()
        running = [one for one in rows if one[1].status is BootstrapStatus.RUNNING]
        queued = [one for one in rows if one[1].status is BootstrapStatus.QUEUED]
        for bootstrap_id, row in [*running, *queued]:
            if row.run_id != taking.temporal_run_id:
                row.run_id, row.version = taking.temporal_run_id, row.version + 1
            row.status = BootstrapStatus.RUNNING
            turn = BootstrapTurn(tenant_id=TENANT, bootstrap_id=bootstrap_id, version=row.version)
            return NextBootstrap(turn=turn)
        return NextBootstrap()

    @activity.defn(name="bootstraps.list")
    async def list(self, step: BootstrapStep) -> Sources:
        row = self._world.own(step)
        if not row.listed:
            self._world.raise_next("list")
            row.listed = True
        return Sources(sources=len(row.sources))

    @activity.defn(name="bootstraps.page")
    async def page(self, listing: SourcesListing) -> SourcesPage:
        row = self._world.own(listing)
        left = [one for one, status in row.sources.items() if status in OPEN]
        return SourcesPage(source_ids=tuple(left[: listing.most]), left=max(len(left) - listing.most, 0))

    @activity.defn(name="bootstraps.ingest")
    async def ingest(self, step: SourceStep) -> SourceDone:
        world, row = self._world, self._world.rows[step.bootstrap_id]
        if row.status is not BootstrapStatus.RUNNING:
            raise errors.superseded()
        world.at_once += 1
        world.most_at_once = max(world.most_at_once, world.at_once)
        try:
            world.raise_next(step.source_id)
            while step.source_id in world.gates and not world.gates[step.source_id].is_set():
                activity.heartbeat()
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            world.stopped.add(step.source_id)
            raise
        finally:
            world.at_once -= 1
        world.ingested[step.source_id] += 1
        row.sources[step.source_id] = SourceStatus.COMPLETED
        world.log.append(step.source_id)
        return SourceDone(source_id=step.source_id, status=SourceStatus.COMPLETED)

    @activity.defn(name="bootstraps.source_failed")
    async def source_failed(self, failure: SourceFailure) -> SourceDone:
        row = self._world.rows[failure.bootstrap_id]
        if row.status is BootstrapStatus.RUNNING and row.sources[failure.source_id] in OPEN:
            row.sources[failure.source_id] = SourceStatus.FAILED
            self._world.reasons[failure.source_id] = failure.reason
            self._world.log.append(failure.source_id)
        return SourceDone(source_id=failure.source_id, status=row.sources[failure.source_id])

    @activity.defn(name="bootstraps.index")
    async def index(self, step: BootstrapStep) -> Indexed:
        self._world.own(step)
        self._world.raise_next("index")
        self._world.log.append(f"index {step.bootstrap_id}")
        return Indexed(documents=1)

    @activity.defn(name="bootstraps.finish")
    async def finish(self, step: BootstrapStep) -> BootstrapDone:
        row = self._world.rows[step.bootstrap_id]
        if row.status is not BootstrapStatus.COMPLETED:
            self._world.own(step).status = BootstrapStatus.COMPLETED
        return BootstrapDone(bootstrap_id=step.bootstrap_id, status=row.status)

    @activity.defn(name="bootstraps.fail")
    async def fail(self, failure: BootstrapFailure) -> BootstrapDone:
        row = self._world.rows[failure.bootstrap_id]
        if row.status is BootstrapStatus.RUNNING and row.version == failure.version:
            row.status = BootstrapStatus.CANCELLED if failure.cancelled else BootstrapStatus.FAILED
            row.reason = failure.reason
        return BootstrapDone(bootstrap_id=failure.bootstrap_id, status=row.status)


@asynccontextmanager
async def working(client: Client, world: World) -> AsyncIterator[None]:
    async with AsyncExitStack() as workers:
        for queue in (queues.WORKFLOWS, queues.DOCUMENTS, queues.VECTORS):
            await workers.enter_async_context(build_worker(client, [TwinBootstraps(world)], task_queue=queue))
        yield
