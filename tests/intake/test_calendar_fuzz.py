"""Whatever a calendar file holds: meetings, or one sentence. Never anything else, never for long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starter import ics
from starter.words import UsageError

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent / "calendars").glob("*.ics"))]

NAMES = ["DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "UID", "SUMMARY", "STATUS"]
NAMES += ["ATTENDEE", "ORGANIZER", "SEQUENCE", "BEGIN", "END", "X-WR-TIMEZONE", "METHOD", ""]
PARAMETERS = [
    "",
    ";VALUE=DATE",
    ";TZID=Europe/Berlin",
    ";TZID=",
    ";TZID=\x07",
    ";CN=a,b;CUTYPE=ROOM",
    ";VALUE=PERIOD",
    ";",
]
VALUES = [
    "20261201T100000Z",
    "20261201",
    "00010101T000000",
    "99991231T235959Z",
    "20261301T000000",
    "PT1H",
    "-P9999999D",
]
VALUES += ["FREQ=WEEKLY", "FREQ=DAILY;COUNT=-1", "FREQ=SECONDLY", "FREQ=YEARLY;INTERVAL=0", "FREQ=;BYDAY=99XX", "FREQ"]
VALUES += [
    "FREQ=WEEKLY;UNTIL=2026",
    "mailto:ada@lovelace.example",
    "mailto:",
    "VEVENT",
    "VTIMEZONE",
    "\ud7ff\u202e\x00",
]
LINES = st.builds(
    lambda name, parameter, value: f"{name}{parameter}:{value}",
    st.sampled_from(NAMES),
    st.sampled_from(PARAMETERS),
    st.one_of(st.sampled_from(VALUES), st.text(max_size=20)),
)
FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def check_understood(data: bytes) -> None:
    """Nothing but a UsageError leaves, and what comes out can be stored."""
    try:
        found = ics.read(data, NOW, NOW + timedelta(days=30))
    except UsageError:
        return
    for one in ics.between(found, NOW, NOW + timedelta(days=30), UTC):
        assert 0 < len(one.key) <= ics.LONGEST_KEY
        assert one.starts_at.tzinfo is not None
        assert "\0" not in one.title + one.key


@FUZZ
@given(st.binary(max_size=300))
def test_bytes(data: bytes) -> None:
    check_understood(data)
    check_understood(b"BEGIN:VCALENDAR\n" + data)


@FUZZ
@given(st.lists(LINES, max_size=12))
def test_lines_of_an_event(lines: list[str]) -> None:
    event = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", *lines, "END:VEVENT", "END:VCALENDAR"]
    check_understood("\r\n".join(event).encode(errors="replace"))


@FUZZ
@given(st.sampled_from(SAMPLES), st.integers(0), st.binary(max_size=12), st.integers(0, 40))
def test_damaged_files(sample: bytes, where: int, instead: bytes, gone: int) -> None:
    at = where % len(sample)
    check_understood(sample[:at] + instead + sample[at + gone :])
