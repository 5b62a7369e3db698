"""What the pretended Google remembers. One document, so that it can be kept in a file."""

import secrets
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

ResponseStatus = Literal["needsAction", "declined", "tentative", "accepted"]
EventStatus = Literal["confirmed", "tentative", "cancelled"]
EventType = Literal["birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"]


class Kept(BaseModel):
    model_config = ConfigDict(extra="forbid")


class When(Kept):
    """A moment in a zone, or a whole day there."""

    zone: str
    at: datetime | None = None
    day: date | None = None

    def moment(self) -> datetime:
        """When it is, on the zone's clock; a day begins at its midnight."""
        zone = ZoneInfo(self.zone)
        if self.at is not None:
            return self.at.astimezone(zone)
        return datetime.combine(self.day or date.min, time(), zone)

    def mark(self) -> str:
        """What the id of an instance that starts here ends in."""
        if self.day is not None:
            return f"{self.day:%Y%m%d}"
        return f"{self.moment().astimezone(UTC):%Y%m%dT%H%M%SZ}"

    def alike(self, moment: datetime) -> "When":
        """Another time of the same kind, in the same zone."""
        if self.day is not None:
            return When(zone=self.zone, day=moment.date())
        return When(zone=self.zone, at=moment)


class Person(Kept):
    email: str
    name: str | None = None


class Guest(Person):
    status: ResponseStatus = "needsAction"
    optional: bool = False
    resource: bool = False


class Details(Kept):
    """What people see of an event, and what one instance of a series may have of its own."""

    title: str | None = None
    start: When
    end: When
    description: str | None = None
    location: str | None = None
    guests: list[Guest] = []
    guests_hidden: bool = False
    status: EventStatus = "confirmed"
    visibility: Literal["default", "public", "private", "confidential"] = "default"
    transparency: Literal["opaque", "transparent"] = "opaque"
    event_type: EventType = "default"
    meeting_link: str | None = None


class Variation(Kept):
    """What is different in one instance of a series."""

    changes: dict[str, Any] = {}
    version: int
    updated: datetime
    sequence: int = 0


class Past(Kept):
    """When a series took place until a version, and which of its instances differed."""

    version: int
    start: When
    recurrence: list[str]
    marks: list[str] = []


class Event(Kept):
    """One event or series, on the calendars of all its people who have an account here."""

    id: str
    organizer: Person
    details: Details
    recurrence: list[str] = []
    variations: dict[str, Variation] = {}
    past: list[Past] = []
    calendars: list[str]
    created: datetime
    updated: datetime
    born: int
    version: int
    sequence: int = 0


class Account(Person):
    time_zone: str
    oldest_sync: int = 0
    """Sync tokens of earlier versions are worth nothing."""


class Code(Kept):
    """What the consent page hands to the client, for one use."""

    email: str
    scopes: list[str]
    redirect_uri: str
    challenge: str | None
    offline: bool
    expires: datetime
    used: bool = False


class Refresh(Kept):
    email: str
    scopes: list[str]
    live: bool = True


class Access(Kept):
    email: str
    scopes: list[str]
    expires: datetime


class Channel(Kept):
    id: str
    email: str
    address: str
    token: str | None
    resource_id: str
    resource_uri: str
    expires: datetime
    number: int = 0
    stopped: bool = False


class State(Kept):
    """`version` counts changes; whatever changed says at which version it did."""

    version: int = 1
    secret: str = Field(default_factory=lambda: secrets.token_hex(16))
    accounts: dict[str, Account] = {}
    events: dict[str, Event] = {}
    codes: dict[str, Code] = {}
    refresh: dict[str, Refresh] = {}
    access: dict[str, Access] = {}
    channels: dict[str, Channel] = {}
