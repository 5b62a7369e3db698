"""When an event shall be, in the words of people: tomorrow 14:00, friday, in 20 minutes, 2026-11-23T10:00."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
USUAL = time(10)
YEARS = range(1971, 2900)
EXAMPLES = "tomorrow, tomorrow 14:00, friday 9:30, in 20 minutes, 2026-11-23 or 2026-11-23T10:00"


def moment(text: str, now: datetime, zone: str) -> datetime:
    """The moment meant, on the zone's clock. Raises ValueError with one sentence."""
    local = now.astimezone(ZoneInfo(zone))
    words = text.strip().lower()
    try:
        found = _soon(words, local) or _on_a_day(words, local) or _written(text.strip(), local)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.year not in YEARS:
        raise ValueError(f"start must be a time such as {EXAMPLES}, not {text!r:.60}")
    return found


def zone_of(text: str) -> str:
    """A time zone that exists. Raises ValueError with one sentence."""
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, KeyError):
        raise ValueError(f"must be a zone such as Europe/Berlin, not {text!r:.60}") from None


def _soon(words: str, local: datetime) -> datetime | None:
    if words == "now":
        return local
    found = re.fullmatch(r"in (\d{1,6}) ?(m|min|minutes?|h|hours?|d|days?)", words)
    if not found:
        return None
    unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2][0]]
    later = local.astimezone(UTC) + timedelta(**{unit: int(found[1])})
    return later.astimezone(local.tzinfo).replace(second=0, microsecond=0)


def _on_a_day(words: str, local: datetime) -> datetime | None:
    name, _, clock = words.partition(" ")
    day = _day(name, local.date())
    if day is None:
        return None
    return datetime.combine(day, _clock(clock), local.tzinfo)


def _day(name: str, today: date) -> date | None:
    if name in {"today", "tomorrow"}:
        return today + timedelta(days=name == "tomorrow")
    if name in DAYS:
        return today + timedelta(days=(DAYS.index(name) - today.weekday() - 1) % 7 + 1)
    return None


def _clock(text: str) -> time:
    if not text:
        return USUAL
    hours, _, minutes = text.partition(":")
    return time(int(hours), int(minutes or 0))


def _written(text: str, local: datetime) -> datetime:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return datetime.combine(date.fromisoformat(text), USUAL, local.tzinfo)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=local.tzinfo)
