"""A calendar file as meetings: what its events say, each instance of a series for itself.

The file is a stranger's. It is bounded in size, in time, and in how much of it is looked at; an event that makes no
sense is left out, and a file that makes none is refused with a sentence.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from math import prod
from typing import Any, ClassVar, TypeAlias, TypeVar

import recurring_ical_events
from icalendar import Calendar
from pydantic import ValidationError

from activities.plain import clean, without_access
from schemas.meetings import Invited
from starter.words import SaidError, UsageError

T = TypeVar("T")

# What the parser makes; each of its properties could be any of thirty types, since the file is a stranger's.
Component: TypeAlias = Any

LARGEST = 5 * 1024 * 1024
PATIENCE_S = 15.0
MOST_INSTANCES = 1000
MOST_INVITED = 300
LONGEST_TITLE = 200
LONGEST_KEY = 500

# A meeting is not held more often than this in a day; what recurs every second is an attack, or a mistake.
MOST_A_DAY = 24
OLDEST_YEAR = 1970

# Floating times are placed later, in the zone of whoever reads: until then a day to each side is in question.
MARGIN = timedelta(days=1)


@dataclass(frozen=True)
class Instance:
    """One instance of an event. `key` stays the same when the file is exported again, and when the instance moves."""

    key: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    organizer: str | None
    invited: tuple[Invited, ...]

    def placed(self, zone: tzinfo) -> "Instance":
        """With floating times, which mean the reader's own, in their zone."""
        return replace(
            self, starts_at=_in_zone(self.starts_at, zone), ends_at=self.ends_at and _in_zone(self.ends_at, zone)
        )


def read(data: bytes, after: datetime, until: datetime) -> list[Instance]:
    """What is to happen about this time, in no zone yet: no all-day events, nothing that is cancelled."""
    text = _text(data)
    return bounded(lambda: _instances(text, after - MARGIN, until + MARGIN), PATIENCE_S)


def between(instances: list[Instance], after: datetime, until: datetime, zone: tzinfo) -> list[Instance]:
    """Those that begin between these times, in their order."""
    placed = sorted((one.placed(zone) for one in instances), key=lambda one: (one.starts_at, one.key))
    return [one for one in placed if after <= one.starts_at <= until]


def bounded(work: Callable[[], T], seconds: float) -> T:
    """The result of work on a stranger's file; whatever it trips over is the file's fault.

    Work that takes too long is left behind in its thread, which does not outlive a command.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - handed on, below
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except SaidError:
        raise
    except Exception as error:  # noqa: BLE001 - parsers of strangers' files raise anything at all
        if not done.done():
            raise UsageError(f"The calendar could not be worked out in {seconds:g} s", "export less of it") from None
        raise UsageError(f"This is no calendar that can be read ({type(error).__name__})", EXPORT) from None


EXPORT = "export one from your calendar as .ics"


def _text(data: bytes) -> str:
    """The file as text, or what it is instead of a calendar."""
    if len(data) > LARGEST:
        raise UsageError(
            f"The file has more than {LARGEST // 1024 // 1024} MB", "export a shorter time of the calendar"
        )
    if not data.strip():
        raise UsageError("The file is empty", EXPORT)
    text = data.decode("utf-8-sig", errors="replace").strip()
    if "\0" in text or not text[:20].upper().startswith("BEGIN:VCALENDAR"):
        raise UsageError("This is no calendar file: it does not begin with BEGIN:VCALENDAR", EXPORT)
    return text


def _instances(text: str, after: datetime, until: datetime) -> list[Instance]:
    calendars = Calendar.from_ical(_trimmed(text, after, until), multiple=True)
    if not calendars:
        raise UsageError("The calendar file ends too early, without END:VCALENDAR", EXPORT)
    standing = [one for one in calendars if str(one.get("METHOD", "")).upper() != "CANCEL"]
    return [instance for calendar in standing for instance in _of(calendar, after, until)]


def _trimmed(text: str, after: datetime, until: datetime) -> str:
    """Without the single events of other times: they are most of a calendar, and parsing them takes long."""
    kept: list[str] = []
    event: list[str] = []
    for line in text.split("\n"):
        said = line.strip().upper()
        if event or said == "BEGIN:VEVENT":
            event.append(line)
        else:
            kept.append(line)
        if event and said == "END:VEVENT":
            kept += event if _in_question(event, after, until) else []
            event = []
    return "\n".join([*kept, *event])


def _in_question(event: list[str], after: datetime, until: datetime) -> bool:
    """It recurs, or begins in these days, or does not say clearly when it does."""
    if any(line.upper().startswith(("RRULE", "RDATE", "RECURRENCE-ID")) for line in event):
        return True
    begins = [
        found[1] for line in event if (found := re.match(r"DTSTART(?:;[^:]{0,200})?:(\d{8})", line, re.IGNORECASE))
    ]
    return len(begins) != 1 or f"{after - MARGIN:%Y%m%d}" <= begins[0] <= f"{until + MARGIN:%Y%m%d}"


class _Tolerant(recurring_ical_events.CalendarQuery):  # type: ignore[misc]  # the library has no types
    """Leaves out a series that makes no sense, for whatever reason."""

    suppressed_errors: ClassVar[list[type[Exception]]] = [Exception]


def _of(calendar: Component, after: datetime, until: datetime) -> Iterator[Instance]:
    calendar.subcomponents = [one for one in calendar.subcomponents if _bearable(one)]
    series = {str(one.get("UID")) for one in calendar.walk("VEVENT") if _recurs(one)}
    query = recurring_ical_events.of(calendar, skip_bad_series=True, calendar_query=_Tolerant)
    found = sorted(filter(_timed, query.between(after, until)), key=lambda one: _aware(one.start))
    for component in found[:MOST_INSTANCES]:
        yield _instance(component, recurs=str(component.get("UID")) in series)


def _bearable(component: Component) -> bool:
    """Not an event whose rule alone would keep us busy for ever."""
    if component.name != "VEVENT" or "RRULE" not in component:
        return True
    try:
        old = component.start.year < OLDEST_YEAR
        return not old and all(_a_day(rule) <= MOST_A_DAY for rule in _many(component["RRULE"]))
    except Exception:  # noqa: BLE001 - an event without a start, or with a rule that is none
        return False


def _a_day(rule: Any) -> int:
    """How often a rule could strike in a day."""
    often = {"SECONDLY": 86_400, "MINUTELY": 1440, "HOURLY": 24}.get(str(rule["FREQ"][0]).upper(), 1)
    return often * prod(len(rule.get(part, [1])) for part in ("BYHOUR", "BYMINUTE", "BYSECOND"))


def _recurs(component: Component) -> bool:
    return any(name in component for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _timed(component: Component) -> bool:
    """A meeting that takes place: at a time, not all day, and not cancelled."""
    cancelled = str(component.get("STATUS", "")).upper() == "CANCELLED"
    return not cancelled and isinstance(component.start, datetime)


def _instance(component: Component, *, recurs: bool) -> Instance:
    end = component.end
    return Instance(
        key=_key(component, recurs=recurs),
        title=without_access(clean(_first(component, "SUMMARY"), LONGEST_TITLE)) or "Meeting without a title",
        starts_at=component.start,
        ends_at=end if isinstance(end, datetime) and _aware(end) > _aware(component.start) else None,
        organizer=_address(component["ORGANIZER"]) if "ORGANIZER" in component else None,
        invited=tuple(_invited(component)),
    )


def _key(component: Component, *, recurs: bool) -> str:
    """The UID, and for one of a series the time at which it was first to be."""
    uid = _first(component, "UID")
    if recurs:
        planned: datetime = component["RECURRENCE-ID"].dt if "RECURRENCE-ID" in component else component.start
        uid = f"{uid} {(planned.astimezone(UTC) if planned.tzinfo else planned).isoformat()}"
    return uid if 0 < len(uid) <= LONGEST_KEY and clean(uid, LONGEST_KEY) == uid else _hashed(component, uid)


def _hashed(component: Component, uid: str) -> str:
    """For an event that has no name of its own, or none that can be kept: what tells it from others."""
    told = uid or f"{_first(component, 'SUMMARY')}\n{component.start.isoformat()}"
    return hashlib.sha256(told.encode(errors="replace")).hexdigest()


def _invited(component: Component) -> Iterator[Invited]:
    """Everybody invited whose address is one; the organizer too, who need not be listed."""
    organizer = [component["ORGANIZER"]] if "ORGANIZER" in component else []
    listed = _many(component.get("ATTENDEE", []))[:MOST_INVITED]
    people = [one for one in map(_person, [*listed, *organizer]) if one]
    seen: set[str] = set()
    for one in people:
        if one.email not in seen:
            seen.add(one.email)
            yield one


def _person(entry: Any) -> Invited | None:
    kind, answer = _parameter(entry, "CUTYPE").upper(), _parameter(entry, "PARTSTAT").upper()
    try:
        return Invited(
            email=_address(entry),
            name=_parameter(entry, "CN"),
            room=kind in {"ROOM", "RESOURCE"},
            group=kind == "GROUP",
            declined=answer == "DECLINED",
        )
    except ValidationError:
        return None


def _address(entry: Any) -> str:
    """The mail address of a calendar user: its own, or the one that Apple and others put beside an opaque id."""
    said = str(_many(entry)[0])
    address = said[7:] if said.lower().startswith("mailto:") else _parameter(entry, "EMAIL") or said
    return address.strip().lower()


def _parameter(entry: Any, name: str) -> str:
    """A parameter of a property; one with commas that nobody quoted is several, and means them all."""
    value = getattr(entry, "params", {}).get(name, "")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _first(component: Component, name: str) -> str:
    return str(next(iter(_many(component.get(name, ""))), ""))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
