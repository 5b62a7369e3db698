"""A calendar file becomes meetings: zones, series, people, and whatever else strangers put into such files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.tenants import User
from starter import ics
from starter.cli.prep import Reader
from starter.words import UsageError

CALENDARS = Path(__file__).parent / "calendars"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ROBIN = "robin@harbour.example"
HEAD = b"BEGIN:VCALENDAR\nVERSION:2.0\n"
EVENT = b"BEGIN:VEVENT\nUID:u%d\nDTSTART:20261201T100000Z\n%bATTENDEE:mailto:ada@lovelace.example\nEND:VEVENT\n"
TAIL = b"END:VCALENDAR\n"


def coming(name: str, days: int = 30) -> list[ics.Instance]:
    data = (CALENDARS / name).read_bytes()
    until = NOW + timedelta(days=days)
    return ics.between(ics.read(data, NOW, until), NOW, until, BERLIN)


def reader(me: str | None = None, domains: tuple[str, ...] = ("harbour.example",)) -> Reader:
    user = User(id="5a3d1c1e-0000-4000-8000-000000000002", email=ROBIN, name="Robin", time_zone="Europe/Berlin")
    return Reader(user, frozenset({user.email}), frozenset(domains), me)


def met(name: str, by: Reader) -> dict[str, list[str]]:
    """The meetings that have prospects, and who they are."""
    data = (CALENDARS / name).read_bytes()
    meetings = by.meetings(ics.read(data, NOW, NOW + timedelta(days=30)), NOW)
    return {one.title: [person.email for person in one.prospects] for one in meetings}


def calendar(*lines: bytes) -> list[ics.Instance]:
    until = NOW + timedelta(days=30)
    return ics.between(ics.read(HEAD + b"".join(lines) + TAIL, NOW, until), NOW, until, BERLIN)


def test_each_kind_of_time_is_understood() -> None:
    """Floating times, and zones that nobody knows, are the reader's own: Berlin, an hour before UTC in winter."""
    assert [(one.title, f"{one.starts_at:%d %H:%M}") for one in coming("zones.ics")] == [
        ("Zone of the file", "01 13:30"),
        ("Zone by its name", "02 04:30"),
        ("Zone as Windows says it", "03 09:00"),
        ("UTC", "04 10:00"),
        ("Floating", "05 09:00"),
        ("Zone that nobody knows", "06 09:00"),
    ]


def test_ends_are_kept_where_they_are_said() -> None:
    lengths = {one.title: one.ends_at - one.starts_at for one in coming("zones.ics") if one.ends_at}

    assert lengths == {
        "Zone of the file": timedelta(hours=1),
        "UTC": timedelta(minutes=45),
        "Floating": timedelta(minutes=30),
    }


def test_a_series_is_its_instances() -> None:
    """27 November is left out, 4 December is moved to the 5th, 11 December cancelled, and then it ends."""
    assert [(one.title, f"{one.starts_at:%m-%d %H:%M}", one.key) for one in coming("series.ics")] == [
        ("Twice", "12-01 08:00", "twice@harbour.example 2026-12-01T08:00:00+00:00"),
        ("Twice", "12-03 08:00", "twice@harbour.example 2026-12-03T08:00:00+00:00"),
        ("Weekly, moved", "12-05 08:00", "weekly@harbour.example 2026-12-04T14:00:00+00:00"),
        ("Weekly", "12-18 14:00", "weekly@harbour.example 2026-12-18T14:00:00+00:00"),
    ]


def test_a_single_meeting_keeps_its_name_when_it_moves() -> None:
    (before,) = calendar(EVENT % (1, b""))
    (after,) = calendar((EVENT % (1, b"")).replace(b"1201T10", b"1208T15"))

    assert before.key == after.key == "u1"
    assert before.starts_at != after.starts_at


def test_everybody_is_who_the_file_says() -> None:
    (meeting,) = reader().meetings(ics.read((CALENDARS / "people.ics").read_bytes(), NOW, NOW + ics.MARGIN * 30), NOW)

    assert meeting.title == "Introduction to Lovelace"
    assert {one.email: (one.name, one.standing.value) for one in meeting.attendees} == {
        "ada@lovelace.example": ("Lovelace, Ada", "prospect"),
        "tomas.okafor@brightwater.example": ("Okafor, Tomas", "prospect"),
        "mei.tanaka@gmail.com": ("Mei Tanaka", "prospect"),
        "north@harbour.example": ("North room", "room"),
        "projector@rental.example": ("Projector", "room"),
        "everybody@brightwater.example": ("Everybody", "group"),
        "bo@northwind.example": ("Bo Lindt", "declined"),
        "kim@sales.harbour.example": ("Kim Berg", "colleague"),
        "robin@harbour.example": ("Robin Marsh", "self"),
    }


@pytest.mark.parametrize(
    ("name", "by", "expected"),
    [
        ("not-meetings.ics", reader(), {}),
        ("method-cancel.ics", reader(), {}),
        ("bombs.ics", reader(), {"Good": ["ada@lovelace.example"], "Ends before it begins": ["ada@lovelace.example"]}),
        # They invited us: the organizer is whom we meet.
        ("hosted-by-them.ics", reader(), {"Hosted by them": ["charles@lovelace.example", "ada@lovelace.example"]}),
        # Nobody of us is in it: the organizer's side is ours ...
        ("of-somebody-else.ics", reader(), {"Of somebody else": ["ada@lovelace.example"]}),
        # ... unless somebody says who they are.
        (
            "of-somebody-else.ics",
            reader(me="ada@lovelace.example"),
            {"Of somebody else": ["sam@elsewhere.example", "pat@elsewhere.example"]},
        ),
        ("not-meetings.ics", reader(me="kim@harbour.example"), {"Declined by me": ["ada@lovelace.example"]}),
    ],
)
def test_a_meeting_has_somebody_from_outside_and_is_ours(name: str, by: Reader, expected: dict[str, list[str]]) -> None:
    assert met(name, by) == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"x" * (ics.LARGEST + 1), "more than 5 MB"),
        (b"hello", "does not begin with BEGIN:VCALENDAR"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "does not begin with BEGIN:VCALENDAR"),
        (HEAD + b"\0" + TAIL, "does not begin with BEGIN:VCALENDAR"),
        (b"BEGIN:VEVENT\nEND:VEVENT\n", "does not begin with BEGIN:VCALENDAR"),
        (b"BEGIN:VCALENDARS\n", "ends too early"),
        (HEAD + EVENT % (1, b""), "ends too early"),
        (HEAD + b"BEGIN:VEVENT\n" * 2000 + TAIL, "ends too early"),
        (HEAD + b"what is this\n" + TAIL, "no calendar that can be read"),
    ],
)
def test_what_is_no_calendar_is_refused_with_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ics.read(data, NOW, NOW)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + TAIL,
        HEAD + EVENT % (1, b"RRULE:FREQ=SECONDLY\n") + TAIL,
        b"\xef\xbb\xbf" + HEAD + TAIL,
        (HEAD + TAIL).lower(),
    ],
)
def test_a_calendar_without_meetings_is_a_calendar(data: bytes) -> None:
    assert ics.read(data, NOW, NOW + timedelta(days=30)) == []


def test_a_rule_that_never_strikes_is_left_behind_in_time() -> None:
    """30 February is looked for until the year 9999."""
    never = EVENT % (1, b"RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\n")

    with pytest.raises(UsageError, match=r"could not be worked out in 0\.2 s"):
        ics.bounded(lambda: ics._instances((HEAD + never + TAIL).decode(), NOW, NOW), 0.2)


def test_a_long_history_costs_nothing() -> None:
    past = b"".join((EVENT % (n, b"")).replace(b"20261201", b"20211201") for n in range(20_000))

    began = datetime.now(UTC)
    assert [one.key for one in calendar(past, EVENT % (0, b""))] == ["u0"]
    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_only_so_much_of_a_file_is_looked_at() -> None:
    crowd = b"".join(b"ATTENDEE:mailto:guest%d@lovelace.example\n" % n for n in range(1000))
    often = calendar(EVENT % (1, crowd), *(EVENT % (n, b"") for n in range(2, 1200)))

    assert len(often) == ics.MOST_INSTANCES
    assert max(len(one.invited) for one in often) == ics.MOST_INVITED


def test_names_that_cannot_be_kept_are_hashed() -> None:
    long = calendar((EVENT % (1, b"")).replace(b"UID:u1", b"UID:" + b"u" * 2000))
    none = calendar((EVENT % (1, b"")).replace(b"UID:u1\n", b""))
    odd = calendar((EVENT % (1, b"")).replace(b"UID:u1", b"UID:a\x1bb"))

    keys = [one.key for one in (*long, *none, *odd)]
    assert [len(key) for key in keys] == [64, 64, 64]
    assert len(set(keys)) == 3
