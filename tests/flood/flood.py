"""A storm of notifications against a real web app and a real worker, each a process of its own.

changes, their echoes, late ones, forged ones ─▶ shuffled ─▶ 50 connections ─▶ web app ─▶ signals ─▶ readings ─▶ rows
"""

import asyncio
import random
import shutil
import socket
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp
from temporalio.client import Client, WorkflowExecutionStatus

from activities.store.database import Database
from sandbox import Sandbox, running
from schemas.subscriptions import Renewal
from starter import start
from starter.dev.parts import Part
from starter.dev.postgres import Cluster
from starter.dev.stack import script
from starter.migrate import migrate
from tests.crash.servers import TemporalServer
from tests.diary import ADA, Diary, soon
from tests.stage import KEY, TOKEN_KEYS, Stage
from workflows import ids

QUIET_WITHIN_S = 120.0
PERCENTILES = {"p50": 0.5, "p99": 0.99, "longest": 1.0}


@dataclass(frozen=True)
class Storm:
    """How many of each sort, over how many connections, about how many calendars."""

    changes: int
    echoes: int
    late: int
    forged: int
    calendars: int = 10
    connections: int = 50
    seed: int = 1

    @property
    def notifications(self) -> int:
        return self.changes + self.echoes + self.late + self.forged


@dataclass
class Outcome:
    """What was answered, and what became of it."""

    storm: Storm
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    counted: dict[str, int] = field(default_factory=dict)
    took_s: float = 0.0
    quiet_s: float = 0.0
    readings: int = 0
    missing: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    def __str__(self) -> str:
        rate = self.storm.notifications / self.took_s
        times = ", ".join(f"{name} {self.percentile(at) * 1000:.0f} ms" for name, at in PERCENTILES.items())
        return "\n".join(
            (
                f"{self.storm.notifications} notifications, {self.storm.calendars} calendars, "  # noqa: ISC004
                f"{self.storm.connections} connections: {self.took_s:.1f} s, {rate:.0f} a second",
                f"answers: {dict(self.statuses)}; {times}",
                f"counted by the web app: {self.counted}",
                f"{self.readings} pages were read; all was quiet {self.quiet_s:.1f} s after the last answer",
                f"{self.storm.changes} changes, of which {len(self.missing)} are missing in the database",
            )
        )


@dataclass
class Ground:
    """A web app and a worker, with the world that they need."""

    database: Database
    client: Client
    sandbox: Sandbox
    diaries: list[Diary]
    web_url: str


@asynccontextmanager
async def ground(cluster: Cluster, calendars: int, **more: str) -> AsyncIterator[Ground]:
    """No notification comes but those that a test sends. `more` is environment of the web app and the worker."""
    folder = Path(tempfile.mkdtemp(prefix="greenroom-flood-"))
    async with AsyncExitStack() as exits:
        exits.callback(shutil.rmtree, folder, ignore_errors=True)
        temporal = TemporalServer(folder, ["flood"])
        await exits.enter_async_context(temporal.running())
        urls = await cluster.create(f"greenroom_flood_{uuid4().hex[:8]}")
        await asyncio.to_thread(migrate, urls.owner)
        sandbox = await exits.enter_async_context(running())
        sandbox.google.lose_notifications = True
        database = await exits.enter_async_context(Database.opened(urls.application, urls.crossing))
        client = await temporal.client("flood")
        port = _free_port()
        web_url = f"http://127.0.0.1:{port}"
        environment = {
            "DATABASE_URL": urls.application,
            "DATABASE_CROSSING_URL": urls.crossing,
            "TEMPORAL_ADDRESS": temporal.address,
            "TEMPORAL_NAMESPACE": "flood",
            "GREENROOM_SANDBOX": "1",
            "GREENROOM_SANDBOX_URL": sandbox.url,
            "GREENROOM_SANDBOX_SMTP_URL": f"smtp://127.0.0.1:{sandbox.smtp_port}",
            "GREENROOM_WEB_URL": web_url,
            "GREENROOM_LINK_KEY": KEY,
            "GREENROOM_HASH_KEY": KEY,
            "GREENROOM_SESSION_KEY": KEY,
            "GREENROOM_TOKEN_KEYS": TOKEN_KEYS,
            "GREENROOM_PAYLOAD_CODEC": "off",
            "GREENROOM_LOG_FORMAT": "json",
            **more,
        }
        for name, command in (
            ("web", [script("greenroom"), "web", f"--port={port}"]),
            ("worker", [script("greenroom"), "worker"]),
        ):
            part = Part(name, command, _ready(web_url) if name == "web" else _there, folder, environment)
            exits.push_async_callback(part.stop)
            await part.start()
        diaries = []
        for number in range(calendars):
            stage = Stage(database, client, sandbox, urls, tenant_id=str(uuid4()))
            await stage.set_up(datetime.now(UTC))
            diary = await Diary.connected(stage, f"robin{number}@harbour.example")
            await (
                await start.renewal(client, Renewal(tenant_id=stage.tenant.id, calendar_id=diary.calendar_id))
            ).result()
            diaries.append(diary)
        yield Ground(database, client, sandbox, diaries, web_url)


async def flood(there: Ground, storm: Storm) -> Outcome:
    """Let it loose, wait until all is quiet, and compare what is there with what was done."""
    dice, outcome = random.Random(storm.seed), Outcome(storm)
    jobs: list[tuple[str, Diary]] = [
        (kind, dice.choice(there.diaries))
        for kind, number in (
            ("change", storm.changes),
            ("echo", storm.echoes),
            ("late", storm.late),
            ("forged", storm.forged),
        )
        for _ in range(number)
    ]
    dice.shuffle(jobs)
    before = len(there.sandbox.journal.records(provider="google"))
    made: dict[str, Diary] = {}
    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=storm.connections)) as session:
        waiting = iter(enumerate(jobs))

        async def send() -> None:
            for number, (kind, diary) in waiting:
                if kind == "change":
                    made[diary.calendar.add(f"Meeting {number}", soon(days=60), attendees=[ADA])] = diary
                await _post(session, there.web_url, outcome, _headers(kind, diary, number, dice))

        await asyncio.gather(*(send() for _ in range(storm.connections)))
        outcome.took_s = time.perf_counter() - began
        ended = time.perf_counter()
        await _quiet(there)
        outcome.quiet_s = time.perf_counter() - ended
        outcome.counted = await _counted(session, there.web_url)
    calls = there.sandbox.journal.records(provider="google")[before:]
    outcome.readings = sum(str(call["about"]).startswith("events.list") for call in calls)
    known = {event for diary in there.diaries for event in await diary.rows()}
    outcome.missing = [event for event in made if event not in known]
    return outcome


async def _post(session: aiohttp.ClientSession, web_url: str, outcome: Outcome, headers: dict[str, str]) -> None:
    began = time.perf_counter()
    async with session.post(f"{web_url}/webhooks/google-calendar", headers=headers) as response:
        await response.read()
        outcome.statuses[response.status] += 1
    outcome.seconds.append(time.perf_counter() - began)


def _headers(kind: str, diary: Diary, number: int, dice: random.Random) -> dict[str, str]:
    """As Google sends them. A late one has a number that is long past, which must not matter."""
    (channel,) = diary.calendar.channels
    headers = {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Token": channel.token or "",
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": str(2 if kind == "late" else 1000 + number),
    }
    if kind == "forged":
        wrong = dice.choice(("X-Goog-Channel-ID", "X-Goog-Channel-Token", "X-Goog-Resource-ID"))
        headers[wrong] = str(uuid4())
    return headers


async def _quiet(there: Ground) -> None:
    """No calendar is being read any more."""
    async with asyncio.timeout(QUIET_WITHIN_S):
        for diary in there.diaries:
            handle = there.client.get_workflow_handle(ids.calendar(diary.stage.tenant.id, diary.calendar_id))
            while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                await asyncio.sleep(0.2)


async def _counted(session: aiohttp.ClientSession, web_url: str) -> dict[str, int]:
    async with session.get(f"{web_url}/metrics") as response:
        lines = (await response.text()).splitlines()
    start_ = 'greenroom_web_notifications_total{outcome="'
    found = (line.removeprefix(start_).split('"} ') for line in lines if line.startswith(start_))
    return {outcome: int(float(count)) for outcome, count in found}


def _ready(web_url: str):  # type: ignore[no-untyped-def] # noqa: ANN202
    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{web_url}/healthz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    return answers


async def _there() -> bool:
    """Its work waits for it."""
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
