"""The doors for events, open: real keys and rows of a stage, and behind them Temporal itself or a twin of it."""

import asyncio
import dataclasses
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from activities.sealing import Sealer
from activities.store.event_keys import EventKeyStore, NewKey
from activities.store.received import Begun, Collected, ReceivedStore
from starter.dispatch import Dispatcher
from starter.errands import AwayError
from starter.inbox import Dispatch, Inbox, Problem, Sent
from starter.web.app import build_app, listening
from starter.web.parts import Parts
from tests.stage import TOKEN_KEYS, Stage
from tests.web.conftest import settings as app_settings

Event = dict[str, Any]


@dataclass
class Twin:
    """A twin of what begins work: remembers what it was asked for, takes its time, refuses, or is away."""

    begun: list[Sent] = field(default_factory=list)
    collected: list[tuple[Sent, Collected]] = field(default_factory=list)
    takes_s: float = 0.0
    away: bool = False
    # Fields of payloads that are wrong, by the event's id.
    problems: dict[str, Problem] = field(default_factory=dict)
    parks: str = ""
    at_once: int = 0
    most: int = 0

    async def check(self, _tenant_id: str, sent: Sent) -> Problem | None:
        return self.problems.get(sent.key)

    async def begin(self, _tenant_id: str, sent: Sent, received_id: str) -> Begun:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(self.takes_s)
        self.at_once -= 1
        self._there()
        self.begun.append(sent)
        return Begun(reason=self.parks, parked=True) if self.parks else Begun(f"twin/{received_id}")

    def keep(self, sent: Sent) -> dict[str, Any]:
        return {"collection": "records", "key": sent.key, "data": sent.payload.model_extra or {}}

    async def collect(self, _tenant_id: str, sent: Sequence[tuple[Sent, Collected]]) -> None:
        self._there()
        self.collected.extend(sent)

    def _there(self) -> None:
        if self.away:
            raise AwayError


@dataclass
class Gate:
    """The app for a stage's tenant, and a key of theirs."""

    stage: Stage
    session: aiohttp.ClientSession
    keys: EventKeyStore
    key: NewKey
    base: str

    async def post(self, body: Any, key: str | None = None, **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        said = {"data": io.BytesIO(body)} if isinstance(body, bytes) else {"json": body}
        async with self.session.post(f"/e/{key or self.key.key}", headers=named, **said) as response:
            return response.status, await response.json()

    async def rows(self, columns: str = "key, name, state, workflow_id, reason, payload") -> list[dict[str, Any]]:
        """What has been received, by key."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            rows = await connection.fetch(f"SELECT {columns} FROM received ORDER BY key")
            return [dict(row) for row in rows]

    async def counted(self, outcome: str) -> float:
        async with self.session.get("/metrics") as response:
            lines = (await response.text()).splitlines()
        line = f'greenroom_web_events_total{{outcome="{outcome}"}} '
        return sum(float(one.removeprefix(line)) for one in lines if one.startswith(line))


def keys_of(stage: Stage) -> EventKeyStore:
    return EventKeyStore(stage.database, Sealer(TOKEN_KEYS))


@asynccontextmanager
async def opened(stage: Stage, dispatch: Dispatch) -> AsyncIterator[Gate]:
    keys = keys_of(stage)
    there: dict[str, Any] = {"settings": app_settings(), "checks": {}, "event_keys": keys}
    there["inbox"] = Inbox(ReceivedStore(stage.database), dispatch)
    nothing = [
        one.name
        for one in dataclasses.fields(Parts)
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING and one.name not in there
    ]
    app = build_app(Parts(**there, **dict.fromkeys(nothing)))
    async with AsyncExitStack() as exits:
        port = await exits.enter_async_context(listening(app, 0))
        session = await exits.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{port}"))
        key = await keys.create(stage.tenant.id, "crm", datetime.now(UTC))
        yield Gate(stage, session, keys, key, f"http://127.0.0.1:{port}")


@pytest.fixture
def twin() -> Twin:
    return Twin()


@pytest.fixture
async def gate(stage: Stage, twin: Twin) -> AsyncIterator[Gate]:
    """Behind it a twin of Temporal."""
    async with opened(stage, twin) as gate:
        yield gate


@pytest.fixture
async def real(stage: Stage) -> AsyncIterator[Gate]:
    """Behind it Temporal itself."""
    async with opened(stage, Dispatcher(stage.settings(), stage.database, stage.temporal)) as gate:
        yield gate


def adhoc(*emails: str, **more: Any) -> Event:
    """A request for research, as the seeds have it."""
    people = [{"email": email, "name": "Ada Lovelace", "companyDomain": "lovelace.example"} for email in emails]
    return {"name": "research/generate.requested", "data": {"type": "adhoc", "prospects": people}, **more}
