"""What a morning costs: `python -m tests.digests.thousands --users 100 1000 10000 [--audio 200]`.

Servers of its own: Postgres, Temporal on a file, the sandbox without delays, one `greenroom worker`. For each number of
users the sweep of a morning is begun as the clock begins it, and when all have their digest it is told: whether each has
one and nothing was bought twice, and for each user the CPU of every server and the history, and the worker's memory.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from temporalio.client import Client

from activities.store.database import Database
from bench.servers import Servers, serving
from schemas.digests import DigestSweep
from workflows import policies, queues
from workflows.digests import DigestsWorkflow

A_TENANT = 100
TOPICS = ("school meals", "rail freight", "port fees", "night buses", "river locks")
GLANCE_S = 2.0
LISTED_S = 60.0
PATIENCE_S = 7200.0


@dataclass
class Morning:
    """So many users, and what their digests took."""

    users: int
    audio: bool
    wall_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    events: float = 0.0
    bytes: float = 0.0
    longest: int = 0
    sweep_events: int = 0
    memory_mb: list[float] = field(default_factory=list)

    def told(self) -> str:
        each = {name: f"{1000 * spent / self.users:.0f}" for name, spent in self.cpu_s.items()}
        third = max(len(self.memory_mb) // 3, 1)
        spoken, rate = " with audio" if self.audio else "", self.users / self.wall_s
        return f"""{self.users} users{spoken}: {self.wall_s:.0f} s, {rate:.1f} digests a second
  CPU ms a user: {sum(self.cpu_s.values()) * 1000 / self.users:.0f} in all, {each}
  a digest's history: {self.events:.1f} events, {self.bytes:.0f} bytes; the longest: {self.longest} events
  the sweep's first history: {self.sweep_events} events
  memory of the worker: {self.memory_mb[third - 1]:.0f} MB after a third, {self.memory_mb[-1]:.0f} MB in the end
"""


async def populate(database: Database, users: int, *, audio: bool) -> list[str]:
    """Tenants of a hundred users each, all of whom want something; their ids."""
    tenants = []
    for first in range(0, users, A_TENANT):
        tenant_id = str(uuid4())
        tenants.append(tenant_id)
        async with database.tenant(tenant_id) as connection:
            await connection.execute(
                "INSERT INTO tenants (id, slug, name, created_at) VALUES ($1::uuid, $1::uuid::text, 'T', $2)",
                tenant_id,
                datetime.now(UTC),
            )
            await connection.execute(
                """
                INSERT INTO users (tenant_id, id, email, name, time_zone, created_at, digest_days, digest_audio,
                  digests_by_mail)
                SELECT current_tenant(), gen_random_uuid(), 'user' || n || '@harbour.example', 'User ' || n, 'UTC', $1,
                  127, $3, false FROM generate_series(1, $2::int) n
                """,
                datetime.now(UTC),
                min(A_TENANT, users - first),
                audio,
            )
            await connection.execute(
                """
                INSERT INTO interests (tenant_id, user_id, key, topic, position)
                SELECT current_tenant(), id, topic, topic, 1 FROM (
                  SELECT id, ($1::text[])[1 + (row_number() OVER (ORDER BY id))::int % 5] AS topic FROM users
                ) chosen
                """,
                list(TOPICS),
            )
    return tenants


async def counted(database: Database, tenants: Sequence[str]) -> dict[str, int]:
    """How many digests stand how, and how often something was bought twice."""
    found: dict[str, int] = {}
    for tenant_id in tenants:
        async with database.tenant(tenant_id) as connection:
            for row in await connection.fetch(
                """
                SELECT status, count(*) AS number FROM digests GROUP BY status UNION ALL
                SELECT 'again', count(*) FROM digests WHERE version > 1 UNION ALL
                SELECT 'twice', count(*) FROM (
                  SELECT work_id, purpose FROM spending WHERE state = 'settled' GROUP BY 1, 2 HAVING count(*) > 1
                ) bought UNION ALL
                SELECT 'silent', count(*) FROM digests d WHERE status = 'ready' AND audio = 'refused'
                """
            ):
                found[row["status"]] = found.get(row["status"], 0) + row["number"]
    return found


async def measured(servers: Servers, client: Client, database: Database, users: int, *, audio: bool) -> Morning:
    tenants = await populate(database, users, audio=audio)
    morning, before, began = Morning(users, audio), servers.cpu_s(), time.perf_counter()
    started = datetime.now(UTC)
    at = started.replace(hour=6, minute=0, second=0, microsecond=0)
    sweep = await client.start_workflow(
        DigestsWorkflow.run,
        DigestSweep(at=at),
        id=f"digests-{uuid4()}",
        task_queue=queues.WORKFLOWS,
        task_timeout=policies.WORKFLOW_TASK,
    )
    worker = psutil.Process(servers._pids["worker"][0])
    while (found := await counted(database, tenants)).get("ready", 0) < users:
        assert time.perf_counter() - began < PATIENCE_S, found
        assert not found.get("failed"), found
        morning.memory_mb.append(_memory(worker))
        await asyncio.sleep(GLANCE_S)
    morning.wall_s = time.perf_counter() - began
    await sweep.result()
    after = servers.cpu_s()
    morning.cpu_s = {name: after[name] - before[name] for name in after if name not in ("plain", "client")}
    assert not found["again"] and not found["twice"] and not found["silent"], found
    await _histories(client, started, morning)
    first = await client.get_workflow_handle(sweep.id, run_id=sweep.first_execution_run_id).fetch_history()
    morning.sweep_events = len(first.events)
    return morning


async def _histories(client: Client, began: datetime, morning: Morning) -> None:
    """All of them: whoever is first to want to hear of something asks for it, so that a few are longer than the rest.

    The server's list is a little behind.
    """
    query = f"WorkflowType = 'Digest' AND ExecutionStatus = 'Completed' AND StartTime >= '{began.isoformat()}'"
    async with asyncio.timeout(LISTED_S):
        while (await client.count_workflows(query)).count < morning.users:
            await asyncio.sleep(GLANCE_S)
    runs = [run.raw_info async for run in client.list_workflows(query)]
    morning.events = sum(run.history_length for run in runs) / len(runs)
    morning.bytes = sum(run.history_size_bytes for run in runs) / len(runs)
    morning.longest = max(run.history_length for run in runs)


def _memory(process: psutil.Process) -> float:
    return float(sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))) / 2**20


async def main(users: Sequence[int], audio: int) -> None:
    with tempfile.TemporaryDirectory(prefix="greenroom-thousands-") as home:
        folder = Path(home)
        async with serving(folder) as servers:
            client, settings = await servers.client(), servers.settings()
            told: dict[str, Any] = {
                "GREENROOM_BRAVE_PACE": "unlimited",
                "GREENROOM_OBJECTS_URL": (folder / "objects").as_uri(),
                "GREENROOM_ELEVENLABS_AT_ONCE": "20",
                "GREENROOM_AUDIO_SLOTS": "20",
            }
            async with (
                Database.opened(settings.database_url, settings.database_crossing_url) as database,
                servers.working(**told),
            ):
                await measured(servers, client, database, 20, audio=audio > 0)
                for number in users:
                    say((await measured(servers, client, database, number, audio=False)).told())
                if audio:
                    say((await measured(servers, client, database, audio, audio=True)).told())


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--audio", type=int, default=0, help="so many more, who want it spoken")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.users, arguments.audio))
