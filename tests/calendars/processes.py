"""Worker processes that read calendars and may die anywhere, in process and without Temporal.

Process ─▶ CalendarActivities over real stores, Access and the pretended provider; each transaction, call and ring is one
step, and between two of them, or inside a transaction, it may end. Meetings is what is left of Temporal: who was rung.
"""

import asyncio
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import FrameType
from typing import Any, Literal

from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.access import Access
from activities.calendars import CalendarActivities
from activities.pacing import Pacing
from activities.people import PersonKeys
from activities.ports import Grant, Page, Place
from activities.providers.google import GoogleCalendar
from activities.providers.google_accounts import GoogleAccounts
from activities.sealing import Sealer
from activities.store.calendars import CalendarStore
from activities.store.connections import ConnectionStore
from activities.store.database import Connection, Database
from activities.store.paces import PaceStore
from sandbox.clock import Clock
from schemas.calendars import Read, Reading, Ring
from tests.stage import KEY, TOKEN_KEYS

Look = Callable[[str], Any]


class Killed(BaseException):
    """The process is no more."""


class StillClock(Clock):
    """It goes on when it is told to."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def pass_(self, span: timedelta) -> None:
        self.moment += span


@dataclass(frozen=True)
class Fate:
    """Where a reading ends before its time: around its nth step of that name, or inside it.

    Killed it does nothing more; cancelled it tidies up; frozen it goes on when it is woken.
    """

    step: str
    nth: int
    side: Literal["before", "inside", "after"]
    how: Literal["killed", "cancelled", "frozen"]


@dataclass
class Meetings:
    """A Bell. A meeting that is rung looks at its row at once, and remembers what it saw.

    `fails` is how the next rings fail: not at all, away, or with an answer that is lost.
    """

    look: Look
    heard: dict[str, Any] = field(default_factory=dict)
    calendars: dict[str, Ring] = field(default_factory=dict)
    fails: deque[str] = field(default_factory=deque)
    rings: int = 0

    async def meeting(self, tenant_id: str, meeting_id: str) -> None:
        how = self._ring()
        self.heard[meeting_id] = await self.look(meeting_id)
        self._answer(how)

    async def calendar(self, tenant_id: str, calendar_id: str, ring: Ring) -> None:
        how = self._ring()
        self.calendars[calendar_id] = ring
        self._answer(how)

    def _ring(self) -> str:
        how = self.fails.popleft() if self.fails else ""
        if how == "away":
            raise _away()
        self.rings += 1
        return how

    def _answer(self, how: str) -> None:
        if how:
            raise _away()


def _away() -> RPCError:
    return RPCError("away", RPCStatusCode.UNAVAILABLE, b"")


class Turns:
    """Whose step is next when several processes are at work: as ordered, and after that whoever comes first."""

    def __init__(self, order: Sequence[int] = (), count: int = 1) -> None:
        self._order = deque(order)
        self._alive = set(range(count))
        self._busy = False
        self._moved = asyncio.Condition()

    @asynccontextmanager
    async def take(self, who: int) -> AsyncIterator[None]:
        async with self._moved:
            await self._moved.wait_for(lambda: not self._busy and self._next() in {None, who})
            self._busy = True
            if self._order:
                self._order.popleft()
        try:
            yield
        finally:
            self._busy = False
            await self._tell()

    async def leave(self, who: int) -> None:
        self._alive.discard(who)
        await self._tell()

    def _next(self) -> int | None:
        while self._order and self._order[0] not in self._alive:
            self._order.popleft()
        return self._order[0] if self._order else None

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()


@dataclass(frozen=True)
class World:
    """What processes share."""

    database: Database
    google: GoogleCalendar
    accounts: GoogleAccounts
    bell: Meetings
    clock: StillClock


@dataclass(frozen=True)
class Ended:
    """How a reading ended: well, with an error, or with its process."""

    read: Read | None = None
    error: Exception | None = None

    @property
    def well(self) -> bool:
        return self.read is not None and not self.read.more


class Process:
    """One reading's own worker."""

    def __init__(self, world: World, fate: Fate | None = None, turns: Turns | None = None, number: int = 0) -> None:
        self._world = world
        self._fate = fate
        self._turns = turns or Turns()
        self._number = number
        self._steps: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reading: asyncio.Task[Read] | None = None
        self.dead = False
        self.frozen, self.woken = asyncio.Event(), asyncio.Event()
        self._environment = ActivityEnvironment()
        database = _Database(self)
        access = Access(ConnectionStore(database, Sealer(TOKEN_KEYS)), _Accounts(self), Pacing(PaceStore(database), {}))
        self.activities = CalendarActivities(
            CalendarStore(database), access, _Google(self), _Bell(self), PersonKeys(KEY), timedelta(hours=24)
        )

    @property
    def world(self) -> World:
        return self._world

    async def do(self, activity: Callable[[Any], Any], order: Any) -> Any:
        """An activity as Temporal would run it, at the clock's time."""
        self._environment.info = replace(self._environment.info, started_time=self._world.clock.now())
        return await self._environment.run(activity, order)

    async def read(self, reading: Reading) -> Ended:
        """Returns when nothing of it is at work any more."""
        self._reading = asyncio.ensure_future(self.do(self.activities.read, reading))
        ended = await self._ended(self._reading)
        while left := {task for task in self._tasks if not task.done()}:
            await asyncio.wait(left)
        await self._turns.leave(self._number)
        return ended

    async def _ended(self, reading: "asyncio.Task[Read]") -> Ended:
        try:
            return Ended(await reading)
        except (Killed, asyncio.CancelledError):
            return Ended()
        except (ApplicationError, RPCError) as error:
            return Ended(error=error)

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[Callable[[], Any]]:
        """Yields what is to be called inside."""
        if task := asyncio.current_task():
            self._tasks.add(task)
        # A lease that a dead process held ends while its successor waits for it.
        self._environment.info = replace(self._environment.info, started_time=self._world.clock.now())
        async with self._turns.take(self._number):
            self._steps[name] += 1
            nth = self._steps[name]
            await self._reach(name, nth, "before")
            yield lambda: self._reach(name, nth, "inside")
            await self._reach(name, nth, "after")

    async def _reach(self, name: str, nth: int, side: str) -> None:
        fate = self._fate
        if fate is not None and (fate.step, fate.nth, fate.side) == (name, nth, side):
            await self._meet(fate)
        if self.dead:
            raise Killed

    async def _meet(self, fate: Fate) -> None:
        if fate.how == "cancelled" and self._reading is not None:
            self._reading.cancel()
            await asyncio.sleep(0)
            return
        # Long enough for whatever it held to be given up.
        self._world.clock.pass_(timedelta(minutes=1))
        if fate.how == "frozen":
            self.frozen.set()
            await self.woken.wait()
        else:
            self.dead = True


class _Database(Database):
    """`inside` is after all statements and before COMMIT; `after` is when nobody has heard of it yet."""

    def __init__(self, process: Process) -> None:
        real = process.world.database
        super().__init__(real._application, real._crossing)
        self._process = process

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Connection]:
        async with self._process.step(_store_method()) as inside, super().tenant(tenant_id) as connection:
            yield connection
            await inside()


def _store_method() -> str:
    """Whose transaction it is: the method of a store that opens it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.startswith("activities.store.") and module != "activities.store.database":
            return frame.f_code.co_name
        frame = frame.f_back
    return "unknown"


class _Google:
    def __init__(self, process: Process) -> None:
        self._process = process
        self.name, self.sandbox = "google", True

    async def events(self, token: str, calendar: str, place: Place) -> Page:
        async with self._process.step("events") as inside:
            page = await self._process.world.google.events(token, calendar, place)
            await inside()
            return page


class _Accounts:
    def __init__(self, process: Process) -> None:
        self._process = process
        self.name = "google"

    async def refresh(self, refresh_token: str) -> Grant:
        async with self._process.step("refresh") as inside:
            grant = await self._process.world.accounts.refresh(refresh_token)
            await inside()
            return grant


class _Bell:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def meeting(self, tenant_id: str, meeting_id: str) -> None:
        async with self._process.step("meeting") as inside:
            await self._process.world.bell.meeting(tenant_id, meeting_id)
            await inside()

    async def calendar(self, tenant_id: str, calendar_id: str, ring: Ring) -> None:
        async with self._process.step("calendar"):
            await self._process.world.bell.calendar(tenant_id, calendar_id, ring)
