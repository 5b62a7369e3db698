"""When a series takes place. The arithmetic is dateutil's; the clock on the wall stays what it was across summer time."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]

from sandbox.google.state import Past, When

# An endless series is shown this far ahead.
AHEAD = timedelta(days=731)

RULE = re.compile(
    r"RRULE:FREQ=(?P<freq>DAILY|WEEKLY|MONTHLY|YEARLY)"
    r"(;(COUNT=[1-9]\d{0,3}|UNTIL=\d{8}(T\d{6}Z)?|INTERVAL=[1-9]\d{0,2}|BYDAY=(MO|TU|WE|TH|FR|SA|SU)"
    r"(,(MO|TU|WE|TH|FR|SA|SU))*|WKST=(MO|SU)))*"
)


def checked(rule: str) -> str:
    """The rule as Google writes it. Raises ValueError with one sentence when it is none that we can follow."""
    line = rule if rule.startswith("RRULE:") else f"RRULE:{rule}"
    names = re.findall(r"[;:](\w+)=", line)
    known = RULE.fullmatch(line) and len(names) == len(set(names)) and not {"COUNT", "UNTIL"} <= set(names)
    # A rule of days that skips whole weeks may never meet its weekday.
    endless_search = "BYDAY" in names and "FREQ=WEEKLY" not in line
    if not known or endless_search or not _has_real_days(line):
        raise ValueError(
            f"must be a rule such as FREQ=WEEKLY;COUNT=10 (DAILY, WEEKLY, MONTHLY, YEARLY; COUNT or UNTIL, "
            f"INTERVAL, and BYDAY with WEEKLY), not {rule!r:.80}"
        )
    return line


def _has_real_days(line: str) -> bool:
    try:
        _rule(When(zone="UTC", at=datetime(2026, 1, 1, tzinfo=UTC)), line)
    except ValueError:
        return False
    return True


def starts(series: Past, until: datetime) -> Iterator[When]:
    """The series' starts in order, none after `until`."""
    for moment in _rule(series.start, series.recurrence[0]):
        start = series.start.alike(_really(moment, series.start))
        if start.moment() > until:
            return
        yield start


def _rule(start: When, line: str) -> Iterator[datetime]:
    """All starts; days without a zone, moments on the zone's clock."""
    whole_days = start.day is not None
    first = start.moment().replace(tzinfo=None) if whole_days else start.moment()
    found: Iterator[datetime] = iter(
        rrulestr(re.sub(r"UNTIL=(\w+)", lambda m: _until(m[1], start), line), dtstart=first)
    )
    return found


def _until(text: str, start: When) -> str:
    """dateutil wants a day for days, and UTC for moments; people write either."""
    if start.day is not None:
        return f"UNTIL={text[:8]}"
    if "T" in text:
        return f"UNTIL={text}"
    last = datetime.combine(date.fromisoformat(text), time(23, 59, 59), ZoneInfo(start.zone))
    return f"UNTIL={last.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _really(moment: datetime, start: When) -> datetime:
    """A time that the clocks skip is an hour later."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).astimezone(ZoneInfo(start.zone))
