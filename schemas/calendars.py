"""Calendars: an account that is connected, and how far its calendar is read. Ids travel; events stay where they are."""

from datetime import datetime, timedelta
from enum import StrEnum

from schemas.base import Message, RowId, TenantId

# Of a calendar that was read within this nothing new is to be expected.
JUST_NOW_S = 30.0


class Reason(StrEnum):
    """Why a calendar is to be read."""

    PUSH = "push"
    POLL = "poll"
    CONNECTED = "connected"
    RENEWED = "renewed"
    ASKED = "asked"


class Ring(Message):
    """Something may have happened in a calendar: read it. `at` is when we were told."""

    reason: Reason
    at: datetime


class CalendarOrder(Message):
    """Look after this calendar. `rung` says that a reading is due from the start: what is left of the last run."""

    tenant_id: TenantId
    calendar_id: RowId
    rung: Ring | None = None


class Reading(Message):
    """Read what is new of a calendar, for at most `budget_s` seconds. Meetings that start by `ahead` are looked after."""

    tenant_id: TenantId
    calendar_id: RowId
    ring: Ring
    budget_s: float
    ahead: datetime
    now: datetime


class Read(Message):
    """What a reading did. `more` says that its time was up before the end."""

    events: int = 0
    # Events that could not be understood, and were left out.
    unreadable: int = 0
    changed: int = 0
    told: int = 0
    full: bool = False
    more: bool = False


class ReadingFailed(Message):
    """A calendar could not be read: since when that is so is kept with it."""

    tenant_id: TenantId
    calendar_id: RowId
    reason: str
    now: datetime


class Troubles(Message):
    """What the user must hear of: the connection to mend, whether it was lost, or since when the calendar is dark."""

    user_id: RowId
    connection_id: RowId
    # The connection's version with which it was lost.
    lost: int | None = None
    dark_since: datetime | None = None


class Poll(Message):
    """Read every calendar of which nothing was read for this many seconds."""

    every_s: float

    def before(self, now: datetime) -> datetime:
        """What was read since then is left to the next poll: just now."""
        return now - timedelta(seconds=min(JUST_NOW_S, self.every_s / 2))


class Polling(Message):
    """Ring every calendar that was not read since `before`; those without a recent notification first."""

    before: datetime
    now: datetime


class Polled(Message):
    """How many were rung."""

    rung: int
