"""The whole stack on one machine: Postgres, Temporal with its Web UI, the sandbox, the worker, the web app.

temporal-dev.yaml ─▶ Plan ─▶ Stack.started() ─▶ .greenroom/stack.env, which the CLI reads in another terminal
"""

import asyncio
import json
import sys
import sysconfig
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from pydantic import BaseModel, Field
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from schemas.settings import STACK_FILE
from starter.checks import polled
from starter.dev import files
from starter.dev.parts import Part, Ready, free
from starter.dev.postgres import Cluster, Urls
from starter.migrate import migrate
from starter.words import FailedError

HOME = Path(".greenroom")
PLAN = Path(__file__).parents[2] / "temporal-dev.yaml"
DATABASE = "greenroom"
PRETENDED = {"GREENROOM_SANDBOX": "1"}
# Read from the stack's file, the weakest of all origins: what a user sets is heard before it.
ALLOWED = {"GREENROOM_PRIVATE_ENDPOINTS": "true"}


class Plan(BaseModel):
    """What temporal-dev.yaml says."""

    namespace: str
    retention: str
    ports: dict[str, int]
    sqlite_pragmas: dict[str, str]
    dynamic_config: dict[str, Any]
    search_attributes: dict[str, str]
    task_queues: list[str] = Field(min_length=1)

    @classmethod
    def read(cls, path: Path = PLAN) -> "Plan":
        return cls.model_validate(yaml.safe_load(path.read_text()))

    def temporal_command(self, database: Path) -> list[str]:
        flags = [f"--sqlite-pragma={key}={value}" for key, value in self.sqlite_pragmas.items()]
        flags += [f"--dynamic-config-value={key}={_json(value)}" for key, value in self.dynamic_config.items()]
        flags += [f"--search-attribute={key}={value}" for key, value in self.search_attributes.items()]
        return [
            script("temporal"),
            "server",
            "start-dev",
            f"--db-filename={database}",
            f"--namespace={self.namespace}",
            f"--port={self.ports['temporal']}",
            f"--ui-port={self.ports['temporal_ui']}",
            f"--metrics-port={self.ports['temporal_metrics']}",
            "--log-level=error",
            "--ui-disable-news-fetch",
            *flags,
        ]


class Stack:
    """The parts, and the environment that joins them."""

    def __init__(self, plan: Plan, home: Path = HOME) -> None:
        self.plan = plan
        self.home = home
        self.parts: dict[str, Part] = {}
        self.cluster: Cluster | None = None
        self.environment: dict[str, str] = {}

    @asynccontextmanager
    async def started(self) -> AsyncIterator["Stack"]:
        """Everything serves inside the block; everything we started is stopped after it."""
        with files.alone(self.home):
            free(self.plan.ports)
            async with AsyncExitStack() as exits:
                exits.callback(self._forget)
                urls = await self._start_postgres(exits)
                self.environment = self._joined(urls)
                await asyncio.gather(*(self._start(exits, part) for part in (self._temporal(), self._sandbox())))
                await self._keep_long()
                self._leave()
                await asyncio.gather(*(self._start(exits, part) for part in (self._worker(), self._web())))
                yield self

    async def died(self) -> Part:
        """Wait until a part ends by itself, which none should."""
        waits = {asyncio.create_task(_end(part)): part for part in self.parts.values()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return waits[done.pop()]

    async def _start(self, exits: AsyncExitStack, part: Part) -> None:
        self.parts[part.name] = part
        exits.push_async_callback(part.stop)
        await part.start()

    async def _start_postgres(self, exits: AsyncExitStack) -> Urls:
        cluster = self.cluster = await asyncio.to_thread(Cluster, (self.home / "postgres").resolve())
        exits.push_async_callback(asyncio.to_thread, cluster.stop)
        urls = await cluster.create(DATABASE)
        await asyncio.to_thread(migrate, urls.owner)
        return urls

    def _joined(self, urls: Urls) -> dict[str, str]:
        """What every part and the CLI must agree on. Keys of our own are made once and kept."""
        ports = self.plan.ports
        return {
            "DATABASE_URL": urls.application,
            "DATABASE_CROSSING_URL": urls.crossing,
            "DATABASE_OWNER_URL": urls.owner,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{ports['temporal']}",
            "TEMPORAL_NAMESPACE": self.plan.namespace,
            "GREENROOM_TEMPORAL_UI_URL": f"http://127.0.0.1:{ports['temporal_ui']}",
            "GREENROOM_WEB_URL": f"http://127.0.0.1:{ports['web']}",
            "GREENROOM_SANDBOX_URL": f"http://127.0.0.1:{ports['sandbox']}",
            "GREENROOM_OBJECTS_URL": (self.home / "objects").resolve().as_uri(),
            "GREENROOM_SANDBOX_SMTP_URL": f"smtp://127.0.0.1:{ports['sandbox_smtp']}",
            **files.own_keys(self.home / "keys.env"),
        }

    def _temporal(self) -> Part:
        command = self.plan.temporal_command(self.home / "temporal.db")
        command.append(f"--ui-codec-endpoint=http://127.0.0.1:{self.plan.ports['web']}/codec")
        return self._part("Temporal server", command, self._knows_namespace)

    def _sandbox(self) -> Part:
        ports = self.plan.ports
        command = [
            sys.executable,
            "-m",
            "sandbox",
            f"--port={ports['sandbox']}",
            f"--smtp-port={ports['sandbox_smtp']}",
            f"--journal={self.home / 'journal.jsonl'}",
            f"--state={self.home / 'sandbox.json'}",
        ]
        return self._part("sandbox", command, lambda: _answers(f"http://127.0.0.1:{ports['sandbox']}/healthz"))

    def _worker(self) -> Part:
        """Told to use the sandbox for each provider without a key; with all keys set it changes nothing."""
        return self._part("worker", [script("greenroom"), "worker"], self._polled, **PRETENDED)

    def _web(self) -> Part:
        """Where people sign in with the account that the worker reads, so it pretends likewise."""
        port = self.plan.ports["web"]
        command = [script("greenroom"), "web", f"--port={port}"]
        return self._part("web app", command, lambda: _answers(f"http://127.0.0.1:{port}/healthz"), **PRETENDED)

    def _part(self, name: str, command: list[str], ready: Ready, **more: str) -> Part:
        return Part(name, command, ready, self.home / "logs", {**self.environment, **more})

    async def _knows_namespace(self) -> bool:
        try:
            client = await self._client()
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=self.plan.namespace))
        except (RPCError, RuntimeError):
            return False
        return True

    async def _polled(self) -> bool:
        client = await self._client()
        return all([await polled(client, queue) for queue in self.plan.task_queues])

    async def _client(self) -> Client:
        return await Client.connect(self.environment["TEMPORAL_ADDRESS"], namespace=self.plan.namespace)

    async def _keep_long(self) -> None:
        """Closed runs are kept as long as the plan says, not for the server's one day; all is declared before use."""
        update = await asyncio.create_subprocess_exec(
            script("temporal"),
            *("operator", "namespace", "update", f"--namespace={self.plan.namespace}"),
            *(f"--retention={self.plan.retention}", f"--address={self.environment['TEMPORAL_ADDRESS']}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await update.communicate()
        if update.returncode:
            raise FailedError(f"The namespace could not be prepared: {said.decode().strip()[:200]}")

    def _leave(self) -> None:
        """For the CLI, which pretends as the worker does, and for the parts that are started after it."""
        files.write(STACK_FILE, self.environment | ALLOWED | PRETENDED)

    def _forget(self) -> None:
        """Nobody is to look for a stack that is gone."""
        STACK_FILE.unlink(missing_ok=True)


def script(name: str) -> str:
    """A program that our environment installed."""
    return str(Path(sysconfig.get_path("scripts")) / name)


async def _end(part: Part) -> None:
    assert part.process is not None, "only started parts are kept"
    await part.process.wait()


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def _json(value: object) -> str:
    return json.dumps(value)
