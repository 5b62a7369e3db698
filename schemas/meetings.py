"""Meetings: one instance of a calendar event, and who comes. Content: stored, never sent through Temporal."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Email
from schemas.briefs import Document


class Standing(StrEnum):
    """What an attendee is to us. Only prospects are researched."""

    PROSPECT = "prospect"
    COLLEAGUE = "colleague"
    ROOM = "room"
    GROUP = "group"
    DECLINED = "declined"
    SELF = "self"


class Invited(Document):
    """Somebody on an invitation, as the calendar says it."""

    email: Email
    name: str = ""
    room: bool = False
    group: bool = False
    declined: bool = False


class Attendee(Document):
    email: Email
    name: str = ""
    standing: Standing = Standing.PROSPECT


class MeetingFacts(Document):
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
