"""The effects of calendars: read what is new, wake the meetings that changed, ring what was silent.

provider ─▶ a page ─▶ rules ─▶ one transaction: meetings and the place behind the page ─▶ their workflows are told
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from temporalio import activity

from activities.calendars import rules
from activities.calendars.ports import Found, Placed, Taken
from activities.liveness import heartbeating
from activities.people import PersonKeys
from activities.ports import Bell, CalendarService, Page, PlaceGoneError
from schemas.base import RowId, TenantId
from schemas.calendars import Polled, Polling, Read, Reading, ReadingFailed, Reason, Ring, Troubles
from schemas.meetings import MeetingFacts

# Workflows that are told at once, of one calendar.
AT_ONCE = 10

T = TypeVar("T")


class Access(Protocol):
    """Calls the provider as the user of a connection, in their turn."""

    async def call(self, tenant_id: TenantId, connection_id: RowId, ask: Callable[[str], Awaitable[T]]) -> T: ...


class Store(Protocol):
    async def place(self, reading: Reading) -> Placed: ...
    async def lose_place(self, reading: Reading, placed: Placed) -> None: ...
    async def take(
        self, reading: Reading, placed: Placed, page: Page, found: Sequence[Found], people: dict[str, str]
    ) -> Taken: ...
    async def untold(self, reading: Reading) -> list[tuple[RowId, int]]: ...
    async def told(self, tenant_id: TenantId, meetings: Sequence[tuple[RowId, int]]) -> None: ...
    async def failed(self, failure: ReadingFailed) -> Troubles: ...
    async def due(self, polling: Polling) -> list[tuple[TenantId, RowId]]: ...


class CalendarActivities:
    """`dark_after` is how long a calendar may be dark before its user hears of it."""

    def __init__(
        self,
        store: Store,
        access: Access,
        service: CalendarService,
        bell: Bell,
        people: PersonKeys,
        dark_after: timedelta,
    ) -> None:
        self._store = store
        self._access = access
        self._service = service
        self._bell = bell
        self._people = people
        self._dark_after = dark_after

    @activity.defn(name="calendars.read")
    async def read(self, reading: Reading) -> Read:
        """Safe to run twice: each page is taken with the place behind it, and meetings are told until they were.

        Its end is the end of what was begun here: an earlier reading that is ended here may have passed what we were
        rung for.
        """
        async with heartbeating():
            ends = time.monotonic() + reading.budget_s
            read, begun = Read(), False
            while True:
                placed, page, taken = await self._turn(reading)
                begun = begun or (taken.ours and placed.place.page_token is None)
                done = taken.done and begun
                read = Read(
                    events=read.events + len(page.events),
                    unreadable=read.unreadable + len(page.unreadable),
                    changed=read.changed + taken.changed,
                    full=read.full or placed.full,
                )
                if done or time.monotonic() >= ends:
                    told = await self._tell(reading)
                    return read.model_copy(update={"told": told, "more": not done})

    @activity.defn(name="calendars.failed")
    async def failed(self, failure: ReadingFailed) -> Troubles:
        """Safe to run twice: the same words on the same row, since the first of them."""
        troubles = await self._store.failed(failure)
        dark = troubles.dark_since is not None and troubles.dark_since <= failure.now - self._dark_after
        return troubles if dark else troubles.model_copy(update={"dark_since": None})

    @activity.defn(name="calendars.poll")
    async def poll(self, polling: Polling) -> Polled:
        """Safe to run twice: who is rung again while it reads joins."""
        async with heartbeating():
            due = await self._store.due(polling)
            ring = Ring(reason=Reason.POLL, at=polling.now)
            await _in_groups(due, lambda one: self._bell.calendar(*one, ring))
            return Polled(rung=len(due))

    async def _turn(self, reading: Reading) -> tuple[Placed, Page, Taken]:
        """One page, from wherever the calendar's row stands. A place that is gone costs one page more: the first."""
        placed = await self._store.place(reading)
        try:
            page = await self._page(reading, placed)
        except PlaceGoneError:
            await self._store.lose_place(reading, placed)
            placed = await self._store.place(reading)
            page = await self._page(reading, placed)
        found = [_found(placed, event.id, rules.meeting(event, placed.whose)) for event in page.events]
        emails = {one.email for each in found if each.meeting for one in each.meeting.attendees}
        taken = await self._store.take(reading, placed, page, found, self._people.all(reading.tenant_id, emails))
        return placed, page, taken

    async def _page(self, reading: Reading, placed: Placed) -> Page:
        return await self._access.call(
            reading.tenant_id,
            placed.connection_id,
            lambda token: self._service.events(token, placed.calendar, placed.place),
        )

    async def _tell(self, reading: Reading) -> int:
        """Wake the meetings that changed; whom we could not tell is told by the next reading."""
        untold = await self._store.untold(reading)

        async def tell(meeting: tuple[RowId, int]) -> None:
            await self._bell.meeting(reading.tenant_id, meeting[0])
            await self._store.told(reading.tenant_id, [meeting])

        await _in_groups(untold, tell)
        return len(untold)


def _found(placed: Placed, event_id: str, read: MeetingFacts | rules.Withdrawal) -> Found:
    key = placed.whose.key(event_id)
    return Found(key, None, read.value) if isinstance(read, rules.Withdrawal) else Found(key, read)


async def _in_groups(items: Sequence[T], do: Callable[[T], Awaitable[Any]]) -> None:
    """A few at once."""
    for start in range(0, len(items), AT_ONCE):
        await asyncio.gather(*(do(item) for item in items[start : start + AT_ONCE]))
