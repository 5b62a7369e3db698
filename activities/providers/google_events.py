"""Google's events as ours: parsed at the door, with nothing in them that we do not need.

Join links, passcodes and descriptions are never asked for, so they are not here to be lost.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from activities.plain import clean, without_access
from activities.ports import CalendarEvent
from schemas.base import Email, Inbound
from schemas.meetings import Invited

# What of an event is read; a request names these and no others.
FIELDS = (
    "id,status,summary,visibility,eventType,attendeesOmitted,start,end,"
    "organizer(email,displayName,self),attendees(email,displayName,self,resource,responseStatus)"
)

# Calendars that Google lists like people: rooms, shared calendars, mailing lists.
ROOMS = ("@resource.calendar.google.com",)
GROUPS = ("@group.calendar.google.com", "@group.v.calendar.google.com", "@googlegroups.com", "@calendar.google.com")

# An event of this kind takes place with people; the others mark time.
MEETINGS = ("", "default", "fromGmail")
LONGEST_TITLE = 300
LONGEST_NAME = 300
LONGEST_ID = 900
# Far enough from the ends of the calendar that a zone and a month can be added.
YEARS = range(1971, 9000)

_EMAIL = TypeAdapter(Email)


def _text(value: object) -> object:
    return "" if value is None else value


class When(Inbound):
    date: str | None = None
    dateTime: str | None = None  # noqa: N815 - their name
    timeZone: str | None = None  # noqa: N815


class Somebody(Inbound):
    email: Annotated[str, BeforeValidator(_text)] = ""
    displayName: Annotated[str, BeforeValidator(_text)] = ""  # noqa: N815
    self: bool = False
    resource: bool = False
    responseStatus: Annotated[str, BeforeValidator(_text)] = ""  # noqa: N815


class Event(Inbound):
    id: str = Field(min_length=1, max_length=LONGEST_ID)
    status: Annotated[str, BeforeValidator(_text)] = ""
    summary: Annotated[str, BeforeValidator(_text)] = ""
    visibility: Annotated[str, BeforeValidator(_text)] = ""
    eventType: Annotated[str, BeforeValidator(_text)] = ""  # noqa: N815
    attendeesOmitted: bool = False  # noqa: N815
    start: When | None = None
    end: When | None = None
    organizer: Somebody | None = None
    attendees: tuple[Somebody, ...] = ()


def read(item: object, calendar_zone: str) -> CalendarEvent | None:
    """An event; nothing when it cannot be one."""
    try:
        event = Event.model_validate(item)
        if event.status == "cancelled":
            return CalendarEvent(id=event.id, cancelled=True)
        return _event(event, _zone(calendar_zone))
    except (ValidationError, ValueError, OverflowError):
        return None


def _event(event: Event, zone: tzinfo) -> CalendarEvent:
    return CalendarEvent(
        id=event.id,
        title=without_access(clean(event.summary, LONGEST_TITLE)),
        starts_at=_moment(event.start, zone),
        ends_at=_moment(event.end, zone),
        all_day=event.start is not None and event.start.dateTime is None and event.start.date is not None,
        private=event.visibility in ("private", "confidential"),
        marker=event.eventType not in MEETINGS,
        guests_omitted=event.attendeesOmitted,
        organizer=None if event.organizer is None else _invited(event.organizer),
        invited=tuple(_all(event.attendees)),
        own=frozenset(one.email.lower() for one in (*event.attendees, event.organizer) if one and one.self),
    )


def _all(attendees: tuple[Somebody, ...]) -> Iterator[Invited]:
    for one in attendees:
        if invited := _invited(one):
            yield invited


def _invited(one: Somebody) -> Invited | None:
    """Nobody, when the address is none: some calendars list people without."""
    try:
        email = _EMAIL.validate_python(one.email)
    except ValidationError:
        return None
    return Invited(
        email=email,
        name=clean(one.displayName, LONGEST_NAME),
        room=one.resource or email.endswith(ROOMS),
        group=email.endswith(GROUPS),
        declined=one.responseStatus == "declined",
    )


def _moment(when: When | None, zone: tzinfo) -> datetime | None:
    if when is None or when.dateTime is None:
        return None
    moment = datetime.fromisoformat(when.dateTime)
    if moment.year not in YEARS:
        raise ValueError("a time out of all calendars")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone(when.timeZone) if when.timeZone else zone)
    return moment.astimezone(UTC)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def page(items: list[Any], calendar_zone: str) -> tuple[tuple[CalendarEvent, ...], tuple[str, ...]]:
    """The events of a page, and the ids of those that could not be read; "" for one whose id cannot be either."""
    events = [(item, read(item, calendar_zone)) for item in items]
    return (
        tuple(event for _, event in events if event is not None),
        tuple(_id(item) for item, event in events if event is None),
    )


def _id(item: object) -> str:
    said = item.get("id") if isinstance(item, dict) else None
    return said if isinstance(said, str) and len(said) <= LONGEST_ID and "\0" not in said else ""
