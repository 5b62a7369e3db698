"""An item in Google's JSON: only what is set is said."""

import base64
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.google.items import Item
from sandbox.google.state import Guest, Person, When

Resource = dict[str, Any]


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def etag(version: int, updated: datetime) -> str:
    return f'"{int(updated.timestamp() * 1000)}{version:06d}"'


def bare(item: Item) -> Resource:
    """All that is promised of what is gone."""
    return {"id": item.id, "status": "cancelled", **_of_series(item, None)}


def full(item: Item, zone: str, most_guests: int | None = None) -> Resource:
    """The event as its calendar sees it, in a time zone."""
    event, details = item.event, item.details
    resource: Resource = {
        "kind": "calendar#event",
        "etag": etag(item.version, item.updated),
        "id": item.id,
        "status": "cancelled" if item.gone else details.status,
        "htmlLink": f"https://calendar.sandbox.example/event?eid={_mark(item)}",
        "created": stamp(event.created),
        "updated": stamp(item.updated),
        "creator": _person(event.organizer, item),
        "organizer": _person(event.organizer, item),
        "start": _when(details.start, zone),
        "end": _when(details.end, zone),
        "iCalUID": f"{event.id}@google.com",
        "sequence": item.sequence,
        "reminders": {"useDefault": True},
        "eventType": details.event_type,
    }
    if event.recurrence and item.original is None:
        resource["recurrence"] = event.recurrence
    return resource | _of_series(item, zone) | _said(item) | _guests(item, most_guests) | _meeting(details.meeting_link)


def _of_series(item: Item, zone: str | None) -> Resource:
    if item.original is None:
        return {}
    start = _when(item.original, zone or item.original.zone)
    return {"recurringEventId": item.event.id, "originalStartTime": start}


def _said(item: Item) -> Resource:
    details = item.details
    said = {"summary": details.title, "description": details.description, "location": details.location}
    unusual = {
        "visibility": None if details.visibility == "default" else details.visibility,
        "transparency": None if details.transparency == "opaque" else details.transparency,
    }
    return {name: value for name, value in {**said, **unusual}.items() if value is not None}


def _when(when: When, zone: str) -> Resource:
    """On the asked zone's clock, with the event's own zone beside it, as Google does."""
    if when.day is not None:
        return {"date": when.day.isoformat()}
    local = when.moment().astimezone(ZoneInfo(zone))
    return {"dateTime": local.isoformat(timespec="seconds").replace("+00:00", "Z"), "timeZone": when.zone}


def _person(person: Person, item: Item) -> Resource:
    named = {"displayName": person.name} if person.name else {}
    return {"email": person.email, **named, **({"self": True} if person.email == item.calendar else {})}


def _guests(item: Item, most: int | None) -> Resource:
    guests = item.details.guests
    hidden = item.details.guests_hidden or (most is not None and len(guests) > most)
    if hidden:
        guests = [guest for guest in guests if guest.email == item.calendar]
    listed = {"attendees": [_guest(guest, item) for guest in guests]} if guests else {}
    return listed | ({"attendeesOmitted": True} if hidden else {})


def _guest(guest: Guest, item: Item) -> Resource:
    flags = {
        "organizer": guest.email == item.event.organizer.email,
        "self": guest.email == item.calendar,
        "resource": guest.resource,
        "optional": guest.optional,
    }
    named = {"displayName": guest.name} if guest.name else {}
    return {
        "email": guest.email,
        **named,
        **{name: True for name, so in flags.items() if so},
        "responseStatus": guest.status,
    }


def _meeting(link: str | None) -> Resource:
    if link is None:
        return {}
    code = link.rpartition("/")[2]
    solution = {
        "key": {"type": "hangoutsMeet"},
        "name": "Google Meet",
        "iconUri": "https://meet.sandbox.example/icon.png",
    }
    points = [
        {"entryPointType": "video", "uri": link, "label": link.partition("://")[2]},
        {"entryPointType": "phone", "uri": "tel:+49-30-555-0100", "label": "+49 30 555 0100", "pin": "404202606"},
    ]
    return {
        "hangoutLink": link,
        "conferenceData": {"entryPoints": points, "conferenceSolution": solution, "conferenceId": code},
    }


def _mark(item: Item) -> str:
    return base64.urlsafe_b64encode(f"{item.id} {item.calendar}".encode()).decode().rstrip("=")
