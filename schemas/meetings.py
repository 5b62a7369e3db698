"""Meetings: one instance of a calendar event, and who comes.

`Content` is stored, never sent through Temporal. `Message`s travel, with ids and times alone.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from schemas.base import Content, Email, Message, RowId, TenantId


class Standing(StrEnum):
    """What an attendee is to us. Only prospects are researched."""

    PROSPECT = "prospect"
    COLLEAGUE = "colleague"
    ROOM = "room"
    GROUP = "group"
    DECLINED = "declined"
    SELF = "self"


class Invited(Content):
    """Somebody on an invitation, as the calendar says it."""

    email: Email
    name: str = ""
    room: bool = False
    group: bool = False
    declined: bool = False


class Attendee(Content):
    email: Email
    name: str = ""
    standing: Standing = Standing.PROSPECT


class MeetingFacts(Content):
    """One instance of an event. `source` says where it came from, `source_key` what that place calls this instance."""

    source: str
    source_key: str = Field(max_length=1000)
    title: str
    starts_at: datetime
    ends_at: datetime | None = None
    attendees: tuple[Attendee, ...]

    @property
    def prospects(self) -> tuple[Attendee, ...]:
        return tuple(one for one in self.attendees if one.standing is Standing.PROSPECT)


class MeetingOrder(Message):
    """Look after this meeting until it is over."""

    tenant_id: TenantId
    meeting_id: RowId
    # Somebody has asked for research before this run began: what is left of the last run.
    asked: bool = False


class Look(Message):
    """Look at a meeting as it stands now."""

    tenant_id: TenantId
    meeting_id: RowId
    now: datetime


class BriefStanding(Message):
    """The newest brief of a meeting. `covers` says that nobody is to be met whom it is not about."""

    brief_id: RowId
    covers: bool
    thin: bool
    # What is material in it, hashed: the same digest is delivered once.
    digest: str
    delivered: bool
    # The oldest that it knows of its people and of its companies.
    people_asked_at: datetime | None = None
    companies_asked_at: datetime | None = None


class Situation(Message):
    """A meeting as its rows say it stands. Ids and times; who is met is not here."""

    meeting_id: RowId
    revision: int
    user_id: RowId
    starts_at: datetime
    ends_at: datetime
    # Why there is nothing to do for it: withdrawn, nobody to research, no active campaign. Empty when there is.
    idle: str = ""
    premium: bool = False
    deliver_before_s: float
    by_mail: bool = True
    brief: BriefStanding | None = None
    # The last run of its research, if it was about everybody who is to be met now and was not called off: when it
    # began, whether it is under way, and whether it ended without a brief.
    tried_at: datetime | None = None
    busy: bool = False
    failed: bool = False
    # The user has been told that there is no brief.
    told: bool = False

    @property
    def deliver_at(self) -> datetime:
        return self.starts_at - timedelta(seconds=self.deliver_before_s)


class Asked(Message):
    """What "research now" begins: nothing, with the reason, when there is nobody to research."""

    begun: bool
    reason: str = ""


class MeetingOutcome(Message):
    """How a meeting's life ended: over, or withdrawn and why."""

    ended: str
    researched: int = 0
    delivered: int = 0
