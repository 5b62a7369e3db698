"""Where stories of calendars are interrupted: lanes, each with a namespace and a database of its own.

A sweep goes over all tenants of a database, so no two stories that are told at once may share one.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import uuid4

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from activities.store.database import Database
from sandbox import Sandbox, running
from starter.dev.postgres import OWNER, Cluster, Urls
from starter.migrate import migrate
from tests.crash.doomed_worker import Order, Point
from tests.crash.servers import TemporalServer, WorkerProcess
from tests.stage import Stage
from workflows.meetings import MeetingWorkflow

REST_WITHIN_S = 100.0
# What was begun just now is not listed yet: quiet is what stays quiet.
GLANCE_S, GLANCES = 0.4, 2
SERVED_WITHIN_S = 30.0


@dataclass
class Lane:
    """One story at a time, and one worker at a time. Between two stories the last one's heir prepares the next."""

    folder: Path
    client: Client
    address: str
    urls: Urls
    database: Database
    sandbox: Sandbox
    _exits: AsyncExitStack
    _names: "count[int]" = field(default_factory=count)
    _living: AsyncExitStack | None = None

    def stage(self) -> Stage:
        """A tenant that is not set up yet."""
        return Stage(self.database, self.client, self.sandbox, self.urls, tenant_id=str(uuid4()))

    def worker(self, point: Point | None = None, flaw: str | None = None) -> WorkerProcess:
        trail = self.folder / f"{self.client.namespace}-{next(self._names)}.trail"
        return WorkerProcess(
            Order(self.stage().settings(), self.address, self.client.namespace, trail, point, flaw, clock=False)
        )

    async def keep(self, worker: WorkerProcess) -> None:
        """It works here from now on, until it must leave."""
        await self.leave()
        self._living = AsyncExitStack()
        await self._living.enter_async_context(worker.running())

    async def attended(self) -> None:
        """Somebody works here."""
        if self._living is None:
            await self.keep(self.worker())

    async def leave(self) -> None:
        """Nobody works here any more."""
        if self._living is not None:
            await self._living.aclose()
            self._living = None

    async def rest(self) -> None:
        """Until every meeting waits for something, and nothing else is there."""
        quiet = 0
        async with asyncio.timeout(REST_WITHIN_S):
            while quiet < GLANCES:
                await asyncio.sleep(GLANCE_S)
                quiet = quiet + 1 if await self._quiet() else 0

    async def clear(self) -> None:
        """What has not ended by itself is ended."""
        async for one in self.client.list_workflows("ExecutionStatus = 'Running'"):
            # Listed a moment longer than it ran.
            with suppress(RPCError):
                await self.client.get_workflow_handle(one.id, run_id=one.run_id).terminate("the story is over")

    async def _quiet(self) -> bool:
        found = [one async for one in self.client.list_workflows("ExecutionStatus = 'Running'")]
        if any(one.workflow_type != "Meeting" for one in found):
            return False
        return all(await asyncio.gather(*(self._waits(one.id) for one in found)))

    async def _waits(self, workflow_id: str) -> bool:
        raw = (await self.client.get_workflow_handle_for(MeetingWorkflow.run, workflow_id).describe()).raw_description
        return not raw.pending_children and not raw.HasField("pending_workflow_task")


@dataclass
class Lanes:
    """All lanes, and what they share: one pretended world and one Temporal server."""

    sandbox: Sandbox
    free: "asyncio.Queue[Lane]"

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Lane]:
        lane = await self.free.get()
        try:
            yield lane
        finally:
            self.free.put_nowait(lane)


@asynccontextmanager
async def lanes(cluster: Cluster, database: str, number: int) -> AsyncIterator[Lanes]:
    """No notification arrives by itself: what is found is found without."""
    folder = Path(tempfile.mkdtemp(prefix="greenroom-lanes-"))
    async with AsyncExitStack() as exits:
        exits.callback(shutil.rmtree, folder, ignore_errors=True)
        names = [f"calendars-{one}" for one in range(number)]
        temporal = TemporalServer(folder, names)
        await exits.enter_async_context(temporal.running())
        sandbox = await exits.enter_async_context(running())
        sandbox.google.lose_notifications = True
        free: asyncio.Queue[Lane] = asyncio.Queue()
        for name, urls in zip(names, await _databases(cluster, database, number), strict=True):
            opened = await exits.enter_async_context(Database.opened(urls.application, urls.crossing, size=4))
            lane = Lane(folder, await temporal.client(name), temporal.address, urls, opened, sandbox, exits)
            exits.push_async_callback(lane.leave)
            free.put_nowait(lane)
        yield Lanes(sandbox, free)


async def _databases(cluster: Cluster, name: str, number: int) -> list[Urls]:
    """So many of the newest schema: one is migrated, the others are copies."""
    first = await cluster.create(f"{name}_0")
    await asyncio.to_thread(migrate, first.owner)
    connection = await asyncpg.connect(cluster.url("postgres", "postgres"))
    try:
        for copy in range(1, number):
            await connection.execute(f'CREATE DATABASE "{name}_{copy}" TEMPLATE "{name}_0" OWNER {OWNER}')
    finally:
        await connection.close()
    return [cluster.urls(f"{name}_{copy}") for copy in range(number)]
