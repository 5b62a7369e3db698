"""Where the crashes happen: one Postgres, one Temporal server, one sandbox, and lanes that are namespaces of their own.

One lane has one run at a time; tenants and domains keep all runs of a ground apart.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from activities.store.database import Database
from sandbox import Sandbox, running
from starter.dev.postgres import Cluster, Urls
from starter.migrate import migrate
from tests.crash.doomed_worker import Order, Point
from tests.crash.servers import TemporalServer, WorkerProcess
from tests.crash.witness import Seen, Witness
from tests.stage import Stage


@dataclass
class Ground:
    folder: Path
    cluster: Cluster
    urls: Urls
    database: Database
    temporal: TemporalServer
    sandbox: Sandbox
    witness: Witness
    lanes: asyncio.Queue[Client]
    _numbers: "count[int]" = field(default_factory=count)

    @asynccontextmanager
    async def run(
        self, *names: str, companies: int = 1, asked_again: bool = False, beside: "Run | None" = None, **settings: Any
    ) -> AsyncIterator["Run"]:
        """A run of its own, begun: a tenant, a request about these people, at as many new companies.

        Asked again: the first question about each of them finds nobody. Beside another it shares its lane and workers.
        """
        async with self._lane(beside) as client:
            run = Run(self, client, f"n{next(self._numbers)}-{uuid4().hex[:8]}", settings)
            for number in range(companies * asked_again):
                first = rf"{run.domain(number)}\", \"question\": 1"
                self.sandbox.faults.put("perplexity", "no_results", times=None, match=first)
            await run.begin([f"{name}@{run.domain(n % companies)}" for n, name in enumerate(names)])
            yield run
            await run.end()

    @asynccontextmanager
    async def _lane(self, beside: "Run | None") -> AsyncIterator[Client]:
        if beside is not None:
            yield beside.client
            return
        client = await self.lanes.get()
        try:
            yield client
        finally:
            self.lanes.put_nowait(client)


class Run:
    """One research, the workers that serve it, and what is seen of it."""

    def __init__(self, ground: Ground, client: Client, name: str, settings: dict[str, Any]) -> None:
        self.ground = ground
        self.client = client
        self.name = name
        self.stage = Stage(ground.database, client, ground.sandbox, ground.urls, tenant_id=str(uuid4()))
        self.settings = self.stage.settings(**settings)
        self.restarts = 0
        self._workers = 0
        self.handle: WorkflowHandle[Any, Any]

    def domain(self, number: int) -> str:
        return f"c{number}-{self.name}.example"

    async def begin(self, emails: list[str]) -> None:
        await self.stage.set_up(datetime.now(UTC))
        self.handle = await self.stage.start(await self.stage.request(*emails))

    def worker(self, point: Point | None = None, flaw: str | None = None) -> WorkerProcess:
        self._workers += 1
        trail = self.ground.folder / f"{self.name}-{self._workers}.trail"
        return WorkerProcess(
            Order(self.settings, self.ground.temporal.address, self.client.namespace, trail, point, flaw)
        )

    async def brief(self, within_s: float) -> None:
        """Wait for the end of the workflow, over whatever the server does meanwhile."""
        async with asyncio.timeout(within_s):
            while True:
                try:
                    await self.handle.result()
                except RPCError:
                    await asyncio.sleep(0.2)
                else:
                    return

    async def seen(self) -> Seen:
        description = await self.handle.describe()
        assert description.status is not None
        return Seen(
            rows=await self.ground.witness.rows(self.stage.tenant.id),
            calls=self.ground.witness.calls(self.name),
            workflow=description.status.name,
            restarts=self.restarts,
        )

    async def history(self) -> Path:
        """Everything that Temporal knows of the run and its children, in a file that stays."""
        mine = f"TenantId = '{self.stage.tenant.id}' OR WorkflowId STARTS_WITH '{self.handle.id}'"
        found = [one.id async for one in self.client.list_workflows(mine)]
        texts = []
        for workflow_id in dict.fromkeys([self.handle.id, *found]):
            history = await self.client.get_workflow_handle(workflow_id).fetch_history()
            texts.append(f'"{workflow_id}": {history.to_json()}')
        path = Path(tempfile.mkdtemp(prefix="greenroom-crash-")) / f"{self.name}.json"
        path.write_text("{" + ",\n".join(texts) + "}")
        return path

    async def end(self) -> None:
        """The lane is for the next; what has not ended by itself is ended."""
        if (await self.handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            await self.handle.terminate("the test is over")


@asynccontextmanager
async def ground(cluster: Cluster, database: str, lanes: int) -> AsyncIterator[Ground]:
    """All servers of a ground but Postgres, which is given; everything ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="greenroom-ground-"))
    async with AsyncExitStack() as exits:
        exits.callback(shutil.rmtree, folder, ignore_errors=True)
        temporal = TemporalServer(folder, [f"lane-{number}" for number in range(lanes)])
        await exits.enter_async_context(temporal.running())
        urls = await cluster.create(database)
        await asyncio.to_thread(migrate, urls.owner)
        sandbox = await exits.enter_async_context(running())
        watching = Witness.watching(cluster.url("postgres", database), sandbox)
        witness = await exits.enter_async_context(watching)
        await witness.begin()
        opened = await exits.enter_async_context(Database.opened(urls.application, urls.crossing))
        free: asyncio.Queue[Client] = asyncio.Queue()
        for number in range(lanes):
            free.put_nowait(await temporal.client(f"lane-{number}"))
        yield Ground(folder, cluster, urls, opened, temporal, sandbox, witness, free)
