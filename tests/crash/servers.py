"""What can be killed: a Temporal server on a file, a Postgres in a folder, worker processes. Each ends with its block."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from starter.dev.parts import Part
from starter.dev.postgres import Cluster
from starter.dev.stack import Plan
from tests.crash.doomed_worker import Order, serve
from workflows import queues

GLANCE_S = 0.02

# Forked from a process that has imported everything: a worker is there in milliseconds, as a process of its own.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.crash.warm"])


async def until(true: Callable[[], Awaitable[bool]], what: str, within_s: float) -> None:
    """Wait until something is so; a TimeoutError says what never was."""
    end = time.monotonic() + within_s
    while not await true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {within_s:g} s")
        await asyncio.sleep(GLANCE_S)


class TemporalServer:
    """The development server as the stack starts it, with a namespace for each lane."""

    def __init__(self, folder: Path, namespaces: list[str]) -> None:
        ports = dict.fromkeys(("temporal", "temporal_ui", "temporal_metrics"), 0)
        plan = Plan.read().model_copy(update={"ports": {name: _free_port() for name in ports}, "namespace": "crash"})
        self.address = f"127.0.0.1:{plan.ports['temporal']}"
        self._namespaces = namespaces
        command = [*plan.temporal_command(folder / "temporal.db"), "--headless"]
        command += [f"--namespace={name}" for name in namespaces]
        self._part = Part("Temporal server", command, self._serves, folder)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            await self._part.start()
            yield
        finally:
            await self._part.stop()

    async def client(self, namespace: str) -> Client:
        return await Client.connect(self.address, namespace=namespace, data_converter=pydantic_data_converter)

    async def kill(self, away_s: float) -> None:
        """As a power cut would, and back after a while."""
        assert self._part.process is not None
        self._part.process.kill()
        await self._part.process.wait()
        await asyncio.sleep(away_s)
        await self._part.start()

    async def _serves(self) -> bool:
        """All namespaces are known."""
        try:
            client = await self.client(self._namespaces[0])
            for name in self._namespaces:
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
        except (RPCError, RuntimeError):
            return False
        return True


async def kill_postgres(cluster: Cluster, away_s: float) -> None:
    """Kill the postmaster, and start it again over what it leaves behind: a pid file, and children that must notice."""
    postmaster, server = cluster.pid(), cluster._server
    address = server.get_postmaster_info().socket_dir
    os.kill(postmaster, signal.SIGKILL)
    await asyncio.sleep(away_s)
    started = False
    while not started:
        # A pid file whose process lingers as a zombie would pass for a running server.
        (server.pgdata / "postmaster.pid").unlink(missing_ok=True)
        with contextlib.suppress(Exception):
            await asyncio.to_thread(_start_postgres, server, address)
            started = True
    assert cluster.pid() != postmaster


def _start_postgres(server: Any, address: Path) -> None:
    server.ensure_postgres_running()
    assert server.get_postmaster_info().socket_dir == address, "the URLs that everybody has would be wrong"


class WorkerProcess:
    """A worker, and what can be done to it from the outside."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._process = FORKS.Process(target=serve, args=(order,), daemon=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["WorkerProcess"]:
        self._process.start()
        try:
            yield self
        finally:
            if self._process.is_alive():
                self._process.kill()
            await asyncio.to_thread(self._process.join, 10)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def ended(self, within_s: float) -> int:
        """Its exit code, negative for a signal."""

        async def dead() -> bool:
            return not self._process.is_alive()

        await until(dead, f"the end of the worker\n{self.words()}", within_s)
        assert self._process.exitcode is not None
        return self._process.exitcode

    async def polls(self, client: Client, within_s: float = 30) -> datetime:
        """When it first asked for workflow tasks, as the server saw it."""
        moments: list[datetime] = []

        async def seen() -> bool:
            moments.extend(await _polls(client, f"{self.pid}@"))
            return bool(moments)

        await until(seen, f"the first poll of the worker\n{self.words()}", within_s)
        return moments[0]

    def trail(self) -> list[str]:
        """The points it came by."""
        path = self.order.trail
        return path.read_text().splitlines() if path.exists() else []

    def words(self) -> str:
        """The end of its log."""
        log = self.order.trail.with_suffix(".log")
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""


async def _polls(client: Client, whose: str) -> list[datetime]:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queues.WORKFLOWS),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return [poller.last_access_time.ToDatetime(UTC) for poller in answer.pollers if poller.identity.startswith(whose)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
