"""A tenant whose calls are recorded by the pretended Gong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from activities.pacing import Pacing
from activities.people import PersonKeys
from activities.ports import RecorderAccess
from activities.providers.gong import Gong
from activities.recorders import RecorderActivities
from activities.sealing import Sealer
from activities.store.calls import CallStore
from activities.store.paces import PaceStore
from activities.store.recorders import RecorderStore
from sandbox.gong import ACCESS_KEY, ACCESS_SECRET
from schemas.recorders import CallsSwept, CallSweep, Listed, RecorderRow
from starter.web.gong import notices_url
from tests.stage import KEY, TOKEN_KEYS, Stage
from worker import build_worker
from workflows import queues
from workflows.recorders import CallSweepsWorkflow

CREDENTIALS = f"{ACCESS_KEY}:{ACCESS_SECRET}"
WEB_URL = "https://greenroom.harbour.example"


@dataclass
class Bell:
    """A twin of Temporal: notes who was rung for, or is away."""

    rung: list[tuple[str, str]]
    away: Exception | None = None
    takes_s: float = 0.0

    async def call(self, tenant_id: str, call_id: str) -> None:
        await asyncio.sleep(self.takes_s)
        if self.away:
            raise self.away
        self.rung.append((tenant_id, call_id))


class Ours(RecorderStore):
    """Of all recorders the sweep hears of this tenant's: other tests have theirs."""

    tenant_id = ""

    async def listed(self, after: str | None, limit: int) -> Listed:
        found = await super().listed(after, limit)
        return Listed(recorders=tuple(one for one in found.recorders if one[0] == self.tenant_id), after=found.after)


class Scene:
    """The stage, its recorder, and what happens with its calls."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.gong = stage.sandbox.gong
        self.bell = Bell([])
        self.store = Ours(stage.database, Sealer(TOKEN_KEYS))
        self.store.tenant_id = stage.tenant.id
        self.calls = CallStore(stage.database, PersonKeys(KEY))
        self.provider = Gong(session, timeout_s=5, sandbox=True)
        self.recorder_id = ""

    async def connect(self, credentials: str = CREDENTIALS, now: datetime | None = None) -> str:
        self.recorder_id = await self.store.connect(
            self.stage.tenant.id,
            RecorderAccess(self.stage.sandbox.gong_url, credentials),
            provider="gong",
            public_key=self.gong.rule.public_key,
            sandbox=True,
            now=now or datetime.now(UTC),
        )
        self.gong.rule.url = notices_url(WEB_URL, self.recorder_id)
        return self.recorder_id

    async def row(self) -> RecorderRow:
        row = await self.store.row(self.stage.tenant.id, "gong")
        assert row is not None
        return row

    def activities(self, **paces: str) -> RecorderActivities:
        settings = self.stage.settings(**{"gong_pace": "unlimited", "gong_day_pace": "unlimited", **paces})
        pacing = Pacing(PaceStore(self.stage.database), settings.paces())
        return RecorderActivities(self.store, self.calls, self.provider, self.bell, pacing)

    @asynccontextmanager
    async def working(self, *more: object, **paces: str) -> AsyncIterator[None]:
        """Workers for sweeps alone: whoever is rung for is noted, and not read."""
        async with AsyncExitStack() as workers:
            for queue in (queues.WORKFLOWS, queues.CALLS):
                worker = build_worker(self.stage.temporal, [self.activities(**paces), *more], task_queue=queue)
                await workers.enter_async_context(worker)
            yield

    async def sweep(self) -> CallsSwept:
        return await self.stage.temporal.execute_workflow(
            CallSweepsWorkflow.run,
            CallSweep(),
            id=f"sweep of {self.stage.tenant.id} at {datetime.now(UTC)}",
            task_queue=queues.WORKFLOWS,
        )

    async def rows(self) -> list[dict[str, Any]]:
        """The calls as we know them, in the order in which they began."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            rows = await connection.fetch("SELECT * FROM calls ORDER BY started_at, source_key")
        return [dict(row) for row in rows]

    async def put(self, change: str) -> None:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            await connection.execute(change)

    def asked(self, about: str = "") -> list[str]:
        records = self.stage.sandbox.journal.records(provider="gong")
        return [one["about"] for one in records if (one["about"] or "").startswith(about)]


@pytest.fixture
async def scene(stage: Stage) -> AsyncIterator[Scene]:
    async with aiohttp.ClientSession() as session:
        scene = Scene(stage, session)
        yield scene
        # Sweeps of other tests would look for a sandbox that is gone.
        await scene.store.disconnect(stage.tenant.id, "gong")
