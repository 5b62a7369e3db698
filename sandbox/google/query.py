"""What stands behind the question mark of a call, as strict as its description in the discovery document."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from sandbox.google.errors import ApiError, invalid

EVERY_CALL = {"alt", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userIp", "$.xgafv"}
ONE = {"alwaysIncludeEmail", "maxAttendees", "timeZone"}
SOME = ONE | {"maxResults", "pageToken", "showDeleted", "timeMin", "timeMax"}
INSTANCES = SOME | {"originalStart"}
WITHOUT_SYNC_TOKEN = {
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
}
LIST = SOME | WITHOUT_SYNC_TOKEN | {"eventTypes", "showHiddenInvitations", "singleEvents", "syncToken"}
EVENT_TYPES = {"birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"}
# What may change from page to page.
PER_PAGE = EVERY_CALL | {"maxResults", "pageToken"}
YEARS = range(1800, 2900)


class Query:
    """Reads each parameter as its type. What cannot be read is a 400 that names it."""

    def __init__(self, text: str, known: set[str]) -> None:
        self._pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
        self._values: dict[str, list[str]] = {}
        for name, value in self._pairs:
            self._values.setdefault(name, []).append(value)
            if name not in known | EVERY_CALL:
                raise ApiError(400, "badRequest", f"Unknown name {name!r:.60}: Cannot bind query parameter.", name)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def text(self, name: str) -> str | None:
        values = self._values.get(name)
        return values[0] if values else None

    def flag(self, name: str) -> bool | None:
        text = self.text(name)
        if text not in {None, "true", "false"}:
            raise invalid(name, text)
        return None if text is None else text == "true"

    def number(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
            raise invalid(name, text)
        return int(text)

    def moment(self, name: str) -> datetime | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(name, text) from None
        if moment.tzinfo is None or moment.year not in YEARS:
            raise invalid(name, text)
        return moment

    def zone(self, otherwise: str) -> str:
        text = self.text("timeZone")
        if text is None:
            return otherwise
        try:
            return ZoneInfo(text).key
        except (ValueError, OSError, KeyError):
            raise invalid("timeZone", text) from None

    def event_types(self) -> set[str]:
        asked = set(self.all("eventTypes"))
        if asked - EVENT_TYPES:
            raise invalid("eventTypes", min(asked - EVENT_TYPES))
        return asked or EVENT_TYPES

    def window(self) -> tuple[datetime | None, datetime | None]:
        low, high = self.moment("timeMin"), self.moment("timeMax")
        if low and high and low >= high:
            raise ApiError(400, "timeRangeEmpty", location="timeMax")
        return low, high

    def print_of_pages(self) -> str:
        """The same for all pages of one listing."""
        return _print(pair for pair in self._pairs if pair[0] not in PER_PAGE)

    def print_of_sync(self) -> str:
        """The same for a listing and for those that ask what is new since."""
        told = {"singleEvents": "false", "showHiddenInvitations": "false"}
        told |= {name: value for name, value in self._pairs if name in told}
        return _print([*told.items(), *(("eventTypes", value) for value in self.event_types())])


def _print(pairs: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(repr(sorted(pairs)).encode()).hexdigest()[:12]
