"""What an event is to us: the table of the rules, one line each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from activities.calendars.rules import Whose, Withdrawal, meeting
from activities.ports import CalendarEvent
from schemas.meetings import Invited, MeetingFacts, Standing

STARTS = datetime(2026, 12, 10, 15, 0, tzinfo=UTC)
ME = Invited(email="robin@harbour.example")
ADA = Invited(email="ada@lovelace.example", name="Ada Lovelace")
WHOSE = Whose(
    source="calendar",
    calendar_id="c",
    own=frozenset({"robin@harbour.example"}),
    colleagues=frozenset({"kim.berg@gmail.com"}),
    domains=frozenset({"harbour.example"}),
)
EVENT = CalendarEvent(
    id="e",
    title="Introduction",
    starts_at=STARTS,
    ends_at=STARTS + timedelta(minutes=30),
    invited=(ME, ADA),
    own=frozenset({"robin@harbour.example"}),
)


def invited(*people: Invited | str) -> tuple[Invited, ...]:
    return (ME, *(one if isinstance(one, Invited) else Invited(email=one) for one in people))


def with_(**more: object) -> CalendarEvent:
    return replace(EVENT, **more)  # type: ignore[arg-type]


NO_MEETING = [
    ("cancelled", with_(cancelled=True), Withdrawal.CANCELLED),
    ("only an id and that it is cancelled", CalendarEvent(id="e", cancelled=True), Withdrawal.CANCELLED),
    ("out of office", with_(marker=True), Withdrawal.NO_MEETING),
    ("all day", with_(all_day=True, starts_at=None, ends_at=None), Withdrawal.ALL_DAY),
    ("no time at all", with_(starts_at=None), Withdrawal.NO_MEETING),
    ("private", with_(private=True), Withdrawal.PRIVATE),
    ("declined by us", with_(invited=(ME.model_copy(update={"declined": True}), ADA)), Withdrawal.DECLINED),
    (
        "declined by us under another address",
        with_(
            invited=(Invited(email="robin@other.example", declined=True), ADA),
            own=frozenset({"robin@other.example"}),
        ),
        Withdrawal.DECLINED,
    ),
    ("guests omitted", with_(guests_omitted=True), Withdrawal.AUDIENCE),
    ("an audience", with_(invited=invited(*(f"g{n}@guests.example" for n in range(21)))), Withdrawal.AUDIENCE),
    ("nobody but us", with_(invited=(ME,)), Withdrawal.NOBODY),
    ("no guests at all", with_(invited=()), Withdrawal.NOBODY),
    ("colleagues alone", with_(invited=invited("kim@harbour.example")), Withdrawal.NOBODY),
    ("a sub-domain of ours", with_(invited=invited("kim@mail.harbour.example")), Withdrawal.NOBODY),
    ("a colleague with a free-mail address", with_(invited=invited("kim.berg@gmail.com")), Withdrawal.NOBODY),
    ("a colleague's plus address", with_(invited=invited("kim.berg+work@gmail.com")), Withdrawal.NOBODY),
    ("our own plus address", with_(invited=invited("robin+x@harbour.example")), Withdrawal.NOBODY),
    ("a room", with_(invited=invited(Invited(email="r@rooms.example", room=True))), Withdrawal.NOBODY),
    ("a group", with_(invited=invited(Invited(email="all@acme.example", group=True))), Withdrawal.NOBODY),
    (
        "the only guest declined",
        with_(invited=invited(ADA.model_copy(update={"declined": True}))),
        Withdrawal.NOBODY,
    ),
    ("called by ourselves", with_(invited=(), organizer=ME), Withdrawal.NOBODY),
]


@pytest.mark.parametrize(("event", "reason"), [row[1:] for row in NO_MEETING], ids=[row[0] for row in NO_MEETING])
def test_what_is_no_meeting_and_why(event: CalendarEvent, reason: Withdrawal) -> None:
    assert meeting(event, WHOSE) is reason


def facts(event: CalendarEvent) -> MeetingFacts:
    found = meeting(event, WHOSE)
    assert isinstance(found, MeetingFacts)
    return found


MEETINGS = [
    ("a guest", EVENT, {"ada@lovelace.example"}),
    ("somebody at a free-mail address", with_(invited=invited("mei@gmail.com")), {"mei@gmail.com"}),
    ("a plus address is a person", with_(invited=invited("mei+cal@acme.example")), {"mei+cal@acme.example"}),
    (
        "one person under two addresses",
        with_(invited=invited("mei@acme.example", "mei+cal@acme.example")),
        {"mei@acme.example"},
    ),
    (
        "who declined is left out",
        with_(invited=invited(ADA, Invited(email="bo@acme.example", declined=True))),
        {"ada@lovelace.example"},
    ),
    ("the organizer, who is not listed", with_(invited=(ME,), organizer=ADA), {"ada@lovelace.example"}),
    (
        "an organizer from outside beside other guests is none of them",
        with_(organizer=Invited(email="assistant@acme.example")),
        {"ada@lovelace.example"},
    ),
    ("us tentatively", EVENT, {"ada@lovelace.example"}),
]


@pytest.mark.parametrize(("event", "prospects"), [row[1:] for row in MEETINGS], ids=[row[0] for row in MEETINGS])
def test_who_of_a_meeting_is_researched(event: CalendarEvent, prospects: set[str]) -> None:
    assert {one.email for one in facts(event).prospects} == prospects


def test_everybody_has_a_standing() -> None:
    room = Invited(email="r@rooms.example", room=True)
    standings = {
        one.email: one.standing for one in facts(with_(invited=invited(ADA, room, "kim@harbour.example"))).attendees
    }
    assert standings == {
        "robin@harbour.example": Standing.SELF,
        "ada@lovelace.example": Standing.PROSPECT,
        "r@rooms.example": Standing.ROOM,
        "kim@harbour.example": Standing.COLLEAGUE,
    }


def test_an_instance_keeps_its_key_when_it_moves() -> None:
    moved = with_(starts_at=STARTS + timedelta(days=3), ends_at=None)
    assert facts(moved).source_key == facts(EVENT).source_key == "c/e"
    assert facts(moved).ends_at == STARTS + timedelta(days=3, hours=1)
