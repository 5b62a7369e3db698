"""What can be ordered of a calendar, over the control API and from Python alike."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from sandbox.google.recurrence import checked
from sandbox.google.state import EventType, Guest, Person, ResponseStatus
from sandbox.google.times import zone_of

# Long enough for what people write, short enough for a page.
Line = Annotated[str, StringConstraints(max_length=1024)]
Text = Annotated[str, StringConstraints(max_length=8192)]


def _address(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>\",;/]{1,64}@[^@\s<>\",;/]{1,255}", text):
        raise ValueError(f"{text!r:.60} is no address; write such as ada@lovelace.example")
    return text.lower()


Address = Annotated[str, AfterValidator(_address)]
Minutes = Annotated[int, Field(ge=1, le=14 * 24 * 60)]
ROOMS = "resource.calendar.google.com"


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Who(Order):
    email: Address
    name: Line | None = None
    status: ResponseStatus = "needsAction"
    optional: bool = False
    resource: bool = False

    def guest(self) -> Guest:
        return Guest(**self.model_dump())

    def person(self) -> Person:
        return Person(email=self.email, name=self.name)


def _who(value: object) -> object:
    """An address alone will do."""
    return {"email": value} if isinstance(value, str) else value


Attendee = Annotated[Who, BeforeValidator(_who)]


class NewAccount(Order):
    email: Address
    name: Line | None = None
    time_zone: Line = "Europe/Berlin"

    _zone = field_validator("time_zone")(zone_of)


class Content(Order):
    """What stands in an event. Flags say what is unusual about it."""

    title: Line | None = None
    description: Text | None = None
    location: Line | None = None
    private: bool | None = None
    free: bool | None = None
    tentative: bool | None = None
    event_type: EventType | None = None
    guests_hidden: bool | None = None
    meet: bool | None = None

    def changes(self) -> dict[str, Any]:
        """In the words of `Details`."""
        given = self.model_dump(include={"title", "description", "location", "event_type", "guests_hidden"})
        flags = {
            "visibility": {True: "private", False: "default"}.get(self.private),  # type: ignore[arg-type]
            "transparency": {True: "transparent", False: "opaque"}.get(self.free),  # type: ignore[arg-type]
            "status": {True: "tentative", False: "confirmed"}.get(self.tentative),  # type: ignore[arg-type]
        }
        return {name: value for name, value in {**given, **flags}.items() if value is not None}


class NewEvent(Content):
    """`start` is words, a date or a time; `room` is a room's name; `organizer` is somebody else than the account."""

    title: Line | None = "Introduction"
    start: Line = "tomorrow"
    minutes: Minutes = 30
    days: int = Field(1, ge=1, le=60)
    all_day: bool = False
    time_zone: Line | None = None
    attendees: list[Attendee] = Field(default=[], max_length=500)
    room: Line | None = None
    organizer: Attendee | None = None
    recurrence: Line | None = None

    @field_validator("recurrence")
    @classmethod
    def _followed(cls, rule: str | None) -> str | None:
        return None if rule is None else checked(rule)

    @field_validator("time_zone")
    @classmethod
    def _existing(cls, zone: str | None) -> str | None:
        return None if zone is None else zone_of(zone)

    def guests(self, account: Person) -> list[Guest]:
        """Who is invited. An event with guests has its calendar's owner among them."""
        rooms = [] if self.room is None else [_room(self.room)]
        invited = [*(who.guest() for who in self.attendees), *rooms]
        if self.organizer is not None:
            host = Guest(email=self.organizer.email, name=self.organizer.name, status="accepted")
            invited = [host, *invited]
        invited_too = self.organizer is not None and self.organizer.email != account.email
        owner = Guest(email=account.email, name=account.name, status="needsAction" if invited_too else "accepted")
        everybody = [owner, *invited] if invited else []
        return list({guest.email: guest for guest in reversed(everybody)}.values())[::-1]


class Move(Order):
    start: Line
    minutes: Minutes | None = None


class Guests(Order):
    attendees: list[Attendee] = Field(min_length=1, max_length=500)


class Leaving(Order):
    email: Address


class Reply(Order):
    """By the calendar's owner, when no address is given."""

    status: ResponseStatus
    email: Address | None = None


class Flood(Order):
    """New events, and notifications without any change."""

    changes: int = Field(0, ge=0, le=10_000)
    notifications: int = Field(0, ge=0, le=10_000)


class Scopes(Order):
    scopes: list[Line] | None = None


def _room(name: str) -> Guest:
    mark = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return Guest(email=f"room-{mark}@{ROOMS}", name=name, status="accepted", resource=True)
