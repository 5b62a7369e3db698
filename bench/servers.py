"""The bench's own servers: Postgres, Temporal on a file, the sandbox, the plain script, and workers as they are run."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.coding import PAYLOAD_KEYS, data_converter
from bench import cpu
from schemas.settings import Settings
from starter.checks import polled
from starter.dev import files
from starter.dev.parts import Part, Ready, listens
from starter.dev.postgres import Cluster, Urls
from starter.dev.stack import Plan, script
from starter.migrate import migrate
from workflows import queues

ROOT = Path(__file__).parents[1]
NAMESPACE = "bench"
UNLIMITED = "unlimited"

# More than any scenario has under way at once: what is measured is not a queue of ours.
SLOTS = "5000"

# What of the caller's environment would reach into the measurement.
FOREIGN = ("GREENROOM_", "TEMPORAL_", "DATABASE_", "PERPLEXITY_", "ANTHROPIC_")


class Servers:
    """Everything that runs beside the load, by name, and how to reach it."""

    def __init__(self, folder: Path, urls: Urls, cluster: Cluster) -> None:
        ports = _free_ports("temporal", "temporal_ui", "temporal_metrics", "sandbox", "sandbox_smtp")
        self.plan = Plan.read().model_copy(update={"namespace": NAMESPACE, "ports": ports})
        self.folder = folder
        self.urls = urls
        self.sandbox_url = f"http://127.0.0.1:{ports['sandbox']}"
        self.plain_socket = folder / "plain.sock"
        self._address = f"127.0.0.1:{ports['temporal']}"
        self._hash_key = secrets.token_hex(32)
        self._pids = {"postgres": [cluster.pid()]}

    def settings(self) -> Settings:
        """What the load itself needs: the database, and the keys that addresses are hashed and payloads read with."""
        values: dict[str, Any] = {"database_url": self.urls.application, "database_crossing_url": self.urls.crossing}
        values |= {"hash_key": self._hash_key, "payload_keys": files.own_keys(self.folder / "keys.env")[PAYLOAD_KEYS]}
        return Settings(**values, _env_file=None)  # type: ignore[call-arg]

    async def client(self) -> Client:
        return await Client.connect(self._address, namespace=NAMESPACE, data_converter=data_converter(self.settings()))

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds so far, by server; `client` is the load itself."""
        spent = {name: sum(map(cpu.tree_s, pids)) for name, pids in self._pids.items()}
        return {**spent, "client": cpu.own_s()}

    @asynccontextmanager
    async def working(self, workers: int = 1, **changes: str) -> AsyncIterator[None]:
        """`greenroom worker`, as often as wanted, for all queues and without a pace unless told otherwise."""
        async with AsyncExitStack() as exits:
            for number in range(workers):
                worker = self._part(f"worker-{number}", [script("greenroom"), "worker"], self._polled, **changes)
                await self._start(exits, "worker", worker)
            try:
                yield
            finally:
                del self._pids["worker"]

    async def start_others(self, exits: AsyncExitStack) -> None:
        ports = self.plan.ports
        temporal = self.plan.temporal_command(self.folder / "temporal.db")
        sandbox = [sys.executable, "-m", "sandbox", f"--port={ports['sandbox']}"]
        sandbox += [f"--smtp-port={ports['sandbox_smtp']}"]
        plain = [sys.executable, "-m", "bench.plain", str(self.plain_socket)]
        parts = {
            "temporal": self._part("temporal", temporal, self._knows_namespace),
            "sandbox": self._part("sandbox", sandbox, lambda: listens(ports["sandbox"])),
            "plain": self._part("plain", plain, self._plain_listens),
        }
        await asyncio.gather(*(self._start(exits, name, part) for name, part in parts.items()))

    async def _start(self, exits: AsyncExitStack, name: str, part: Part) -> None:
        exits.push_async_callback(part.stop)
        await part.start()
        assert part.process is not None, "started"
        self._pids.setdefault(name, []).append(part.process.pid)

    def _part(self, name: str, command: list[str], ready: Ready, **changes: str) -> Part:
        return Part(name, command, ready, self.folder / "logs", {**self._environment(), **changes})

    def _environment(self) -> dict[str, str]:
        """All that a worker is told; the plain script gets the same."""
        return {
            "PYTHONPATH": str(ROOT),
            # A caller that forbids compiled modules would have every workflow compile its own again.
            "PYTHONDONTWRITEBYTECODE": "",
            "DATABASE_URL": self.urls.application,
            "DATABASE_CROSSING_URL": self.urls.crossing,
            "TEMPORAL_ADDRESS": self._address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "GREENROOM_SANDBOX": "1",
            "GREENROOM_SANDBOX_URL": self.sandbox_url,
            "GREENROOM_PERPLEXITY_PACE": UNLIMITED,
            "GREENROOM_ANTHROPIC_PACE": UNLIMITED,
            "GREENROOM_SEARCH_SLOTS": SLOTS,
            "GREENROOM_MODEL_SLOTS": SLOTS,
            **files.own_keys(self.folder / "keys.env"),
        }

    async def _knows_namespace(self) -> bool:
        try:
            client = await self.client()
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
        except (RPCError, RuntimeError):
            return False
        return True

    async def _polled(self) -> bool:
        client = await self.client()
        return all([await polled(client, queue) for queue in queues.ALL])

    async def _plain_listens(self) -> bool:
        return await asyncio.to_thread(self.plain_socket.exists)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Servers]:
    """All but the workers, inside the block. Nothing of the caller's own configuration reaches them."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    async with AsyncExitStack() as exits:
        cluster = Cluster(folder / "postgres")
        exits.callback(cluster.stop)
        urls = await cluster.create("bench")
        await asyncio.to_thread(migrate, urls.owner)
        servers = Servers(folder, urls, cluster)
        await servers.start_others(exits)
        yield servers


class Providers:
    """The pretended providers, as the bench sees them: how slow they are to be, and what they were asked."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url}/sandbox"

    async def delay(self, seconds: dict[str, float]) -> None:
        async with self._session.put(f"{self._url}/delays", json=seconds) as response:
            response.raise_for_status()

    async def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """The calls that have ended, after that number."""
        async with self._session.get(f"{self._url}/journal", params={"since": since}) as response:
            records: list[dict[str, Any]] = (await response.json())["records"]
            return records


def _free_ports(*names: str) -> dict[str, int]:
    """A port each that nobody uses just now, all different."""
    with ExitStack() as exits:
        sockets = [exits.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
