"""An event of a pretended calendar in words: one cell of a row each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def title(event: Mapping[str, Any]) -> str:
    return str(event.get("summary", "(no title)"))


def start(event: Mapping[str, Any]) -> str:
    return str(event["start"].get("dateTime") or event["start"]["date"])


def when(event: Mapping[str, Any]) -> str:
    """On the calendar's clock."""
    if "date" in event["start"]:
        return f"{datetime.fromisoformat(event['start']['date']):%a %d %b %Y}, all day"
    start, end = (datetime.fromisoformat(event[name]["dateTime"]) for name in ("start", "end"))
    return f"{start:%a %d %b %Y %H:%M}-{end:%H:%M}"


def guests(event: Mapping[str, Any]) -> str:
    others = (guest for guest in event.get("attendees", ()) if not guest.get("self"))
    return " ".join(guest["email"] for guest in others)


def state(event: Mapping[str, Any]) -> str:
    rule = "".join(event.get("recurrence", ())).removeprefix("RRULE:")
    return ", ".join(filter(None, [event["status"], rule, event.get("visibility", "")]))
