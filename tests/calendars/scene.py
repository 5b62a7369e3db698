"""A tenant with one or two calendars that are read, and everything around them: our rows, their channels, the door at
which notifications knock."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import aiohttp
from aiohttp.test_utils import make_mocked_request

from activities.access import Access
from activities.pacing import Pacing
from activities.ports import Grant
from activities.providers.google import GoogleCalendar
from activities.providers.google_accounts import CALENDAR, SIGN_IN, GoogleAccounts
from activities.sealing import Sealer
from activities.store.channels import ChannelStore
from activities.store.connections import ConnectionStore
from activities.store.database import Database
from activities.store.paces import PaceStore
from activities.store.subscriptions import SubscriptionStore
from activities.store.tenants import TenantStore
from activities.subscriptions import SubscriptionActivities
from sandbox import Sandbox, running
from sandbox.google.diary import Calendar
from sandbox.google.push import Message
from sandbox.google.state import State
from sandbox.world import World as Cast
from schemas.calendars import Polled, Polling, Reading, ReadingFailed, Reason, Ring, Troubles
from schemas.providers import Google
from schemas.subscriptions import Opened, Opening, Retiring
from schemas.tenants import Tenant, User
from starter.web.metrics import Metrics
from starter.web.webhooks import Remembered, Webhooks
from tests.calendars.people import KIM, KIM_AWAY
from tests.calendars.processes import Ended, Fate, Meetings, Process, StillClock, Turns, World
from tests.stage import CAMPAIGN, TOKEN_KEYS

T = TypeVar("T")

AHEAD = timedelta(days=30)
# Time enough for all pages.
FOR_EVER_S = 600.0
SCOPES = (*SIGN_IN, *CALENDAR)
# Whose calendar an account is, if not Robin's.
KIMS = {KIM, KIM_AWAY}


@dataclass(frozen=True)
class Row:
    """A meeting as it is kept."""

    id: str
    event: str
    title: str
    starts_at: datetime
    ends_at: datetime
    prospects: frozenset[str]
    withdrawn: str | None
    revision: int


@dataclass(frozen=True)
class Watched:
    """A calendar that is read, by our ids."""

    user_id: str
    connection_id: str
    calendar_id: str


class Ground:
    """What all scenes stand on: one Postgres, one pretended provider, one loop that does the work."""

    def __init__(
        self, database: Database, sandbox: Sandbox, clock: StillClock, google: GoogleCalendar, accounts: GoogleAccounts
    ) -> None:
        self.database = database
        self.sandbox = sandbox
        self.clock = clock
        self.google = google
        self.accounts = accounts
        self._loop = asyncio.get_running_loop()

    @classmethod
    @asynccontextmanager
    async def opened(cls, database: Database) -> AsyncIterator["Ground"]:
        clock = StillClock(datetime.now(UTC))
        async with AsyncExitStack() as stack:
            sandbox = await stack.enter_async_context(running(world=Cast(clock)))
            pretended = Google.pretended(sandbox.google_url)
            google = GoogleCalendar(pretended, notifications_url="http://127.0.0.1:1/", channel_s=604_800)
            stack.callback(google.close)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            yield cls(database, sandbox, clock, google, GoogleAccounts(session, pretended))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Hypothesis is not async: it runs in a thread, and the work in the tests' loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class Scene:
    """One tenant, and the accounts whose calendars are read. Notifications go nowhere by themselves: they are kept."""

    def __init__(self, ground: Ground, now: datetime) -> None:
        self.ground = ground
        self.clock, self.sandbox, self.google = ground.clock, ground.sandbox, ground.sandbox.google
        self.clock.moment = now
        self.tenant = Tenant(id=str(uuid4()), slug=f"t-{uuid4().hex[:8]}", name="Tenant", domains=("harbour.example",))
        self.robin = User(id=str(uuid4()), email="robin@harbour.example", name="Robin")
        self.kim = User(id=str(uuid4()), email=KIM, name="Kim")
        self.watched: dict[str, Watched] = {}
        self.bell = Meetings(self.row)
        self.world = World(ground.database, ground.google, ground.accounts, self.bell, self.clock)
        self.door = Webhooks(ChannelStore(ground.database), self.bell, Metrics())
        self.sleeping: list[tuple[Process, asyncio.Task[Ended]]] = []
        self._connections = ConnectionStore(ground.database, Sealer(TOKEN_KEYS))

    @classmethod
    async def set_up(cls, ground: Ground, now: datetime, accounts: Sequence[str]) -> "Scene":
        scene = cls(ground, now)
        scene._forget()
        tenants = TenantStore(ground.database)
        await tenants.create(scene.tenant, scene.robin, CAMPAIGN, now)
        await tenants.add_user(scene.tenant.id, scene.kim, now)
        for account in accounts:
            scene.google.account(account)
        for account in accounts:
            await scene.connect(account)
        return scene

    def _forget(self) -> None:
        """The provider's memory of the last scene."""
        store = next(brand for brand in self.sandbox.brands if brand.name == "google").store  # type: ignore[attr-defined]
        store.state = State()
        self.sandbox.push.messages.clear()
        self.calm_down()

    def calm_down(self) -> None:
        """Nothing fails any more. What the provider has forgotten stays forgotten."""
        self.sandbox.faults.clear()
        self.google.turn(gone_on_page=None, largest_page=2500, lose_notifications=True)
        self.bell.fails.clear()

    def calendar(self, account: str) -> Calendar:
        return self.google.calendar(account)

    async def connect(self, account: str) -> None:
        """For the first time, or again."""
        user = self.kim if account in KIMS else self.robin
        grant = Grant(self.google.access(account, SCOPES), self.google.grant(account, SCOPES), 3599, SCOPES)
        made = await self._connections.connect(
            self.tenant.id, user.id, account, grant, provider="google", sandbox=True, now=self.clock.now()
        )
        self.watched[account] = Watched(user.id, made.connection_id, made.calendar_id)

    async def lost(self, account: str) -> bool:
        tokens = await self._connections.tokens(self.tenant.id, self.watched[account].connection_id)
        return tokens.status != "active"

    async def close(self) -> None:
        """Nobody reads or polls these calendars any more."""
        await self.thaw()
        async with self.ground.database.tenant(self.tenant.id) as connection:
            await connection.execute("UPDATE calendars SET watched = false")

    # Readings.

    async def read(self, account: str, reason: Reason, budget_s: float, fate: Fate | None = None) -> Ended:
        return await Process(self.world, fate).read(self._reading(account, reason, budget_s))

    async def read_together(self, account: str, fates: Sequence[Fate | None], order: Sequence[int]) -> list[Ended]:
        """Two processes read the same calendar, step by step in this order."""
        turns = Turns(order, len(fates))
        processes = [Process(self.world, fate, turns, number) for number, fate in enumerate(fates)]
        reading = self._reading(account, Reason.POLL, FOR_EVER_S)
        return list(await asyncio.gather(*(process.read(reading) for process in processes)))

    async def freeze(self, account: str, fate: Fate) -> None:
        """A process that reads and falls silent there; it is taken for dead, and may wake up when others have read."""
        process = Process(self.world, fate)
        reading = asyncio.ensure_future(process.read(self._reading(account, Reason.POLL, FOR_EVER_S)))
        frozen = asyncio.ensure_future(process.frozen.wait())
        await asyncio.wait([reading, frozen], return_when=asyncio.FIRST_COMPLETED)
        frozen.cancel()
        self.sleeping.append((process, reading))

    async def thaw(self) -> None:
        """What they end in does not matter: nobody listens to them any more."""
        for process, reading in self.sleeping:
            process.woken.set()
            await reading
        self.sleeping.clear()

    def _reading(self, account: str, reason: Reason, budget_s: float) -> Reading:
        now = self.clock.now()
        return Reading(
            tenant_id=self.tenant.id,
            calendar_id=self.watched[account].calendar_id,
            ring=Ring(reason=reason, at=now),
            budget_s=budget_s,
            ahead=now + AHEAD,
            now=now,
        )

    async def say_that_it_failed(self, account: str, reason: str) -> Troubles:
        now, process = self.clock.now(), Process(self.world)
        failure = ReadingFailed(
            tenant_id=self.tenant.id, calendar_id=self.watched[account].calendar_id, reason=reason, now=now
        )
        troubles: Troubles = await process.do(process.activities.failed, failure)
        return troubles

    async def poll(self) -> set[str]:
        """Everything that was not read this very moment is rung: these accounts' calendars."""
        self.bell.calendars.clear()
        process, now = Process(self.world), self.clock.now()
        polled: Polled = await process.do(process.activities.poll, Polling(before=now, now=now))
        assert polled.rung >= len(self.bell.calendars)
        return {name for name, one in self.watched.items() if one.calendar_id in self.bell.calendars}

    # Channels.

    async def open_channel(self, account: str, *, stop_others: bool) -> str:
        """A new channel; the one before it is replaced, and stopped or not."""
        now, calendar_id = self.clock.now(), self.watched[account].calendar_id
        access = Access(self._connections, self.ground.accounts, Pacing(PaceStore(self.ground.database), {}))
        channels = SubscriptionActivities(
            SubscriptionStore(self.ground.database), access, self.ground.google, self.bell, timedelta(days=7)
        )
        process = Process(self.world)
        opening = Opening(tenant_id=self.tenant.id, calendar_id=calendar_id, now=now)
        opened: Opened = await process.do(channels.open, opening)
        if stop_others:
            retiring = Retiring(tenant_id=self.tenant.id, calendar_id=calendar_id, keep=opened.subscription_id, now=now)
            await process.do(channels.retire, retiring)
        return opened.subscription_id

    async def end_grace(self, account: str) -> None:
        """The door goes by the machine's clock: for what was replaced the grace is over there, and nothing remembered."""
        self.door._remembered = Remembered(ChannelStore(self.ground.database))
        async with self.ground.database.tenant(self.tenant.id) as connection:
            await connection.execute(
                """
                UPDATE subscriptions SET accepted_until = $2, expires_at = least(expires_at, $2)
                WHERE calendar_id = $1 AND status <> 'active'
                """,
                self.watched[account].calendar_id,
                datetime.now(UTC) - timedelta(seconds=1),
            )

    async def knock(self, message: Message, **forged: str) -> int:
        """A notification at our door, as the provider sends it or with something else in it; the answer's status."""
        said = {
            "Channel-ID": message.channel.id,
            "Channel-Token": message.channel.token or "",
            "Resource-ID": message.channel.resource_id,
            "Resource-State": message.state,
            "Message-Number": str(message.number),
        } | forged
        headers = {f"X-Goog-{name}": value for name, value in said.items()}
        return (
            await self.door.calendar(make_mocked_request("POST", "/webhooks/google-calendar", headers=headers))
        ).status

    # Rows.

    async def rows(self, account: str) -> dict[str, Row]:
        """Our meetings of this calendar, by the id of their event there."""
        rows = [Row(**row) for row in await self._rows("m.calendar_id = $1", self.watched[account].calendar_id)]
        assert len({row.event for row in rows}) == len(rows), "a meeting is there twice"
        return {row.event: row for row in rows}

    async def row(self, meeting_id: str) -> Row:
        (row,) = await self._rows("m.id = $1", meeting_id)
        return Row(**row)

    async def health(self, account: str) -> tuple[Any, Any]:
        async with self.ground.database.tenant(self.tenant.id) as connection:
            row = await connection.fetchrow(
                "SELECT failing_since, failure FROM calendars WHERE id = $1", self.watched[account].calendar_id
            )
            assert row is not None
            return row["failing_since"], row["failure"]

    async def _rows(self, where: str, value: str) -> list[dict[str, Any]]:
        async with self.ground.database.tenant(self.tenant.id) as connection:
            rows = await connection.fetch(
                f"""
                SELECT m.id, m.source_key, m.title, m.starts_at, m.ends_at, m.withdrawn, m.revision, ARRAY(
                  SELECT email FROM attendees a WHERE a.meeting_id = m.id AND standing = 'prospect'
                ) AS prospects FROM meetings m WHERE {where}
                """,
                value,
            )
        return [
            {name: row[name] for name in ("id", "title", "starts_at", "ends_at", "withdrawn", "revision")}
            | {"event": row["source_key"].partition("/")[2], "prospects": frozenset(row["prospects"])}
            for row in rows
        ]
