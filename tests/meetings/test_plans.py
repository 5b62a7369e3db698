"""What is done next for a meeting: every line of the rule, with the clock in hand."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.meetings import BriefStanding, Situation
from workflows.plans import Do, Step, next_step

STARTS = datetime(2026, 12, 10, 15, 0, tzinfo=UTC)
ROW = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def brief(**more: object) -> BriefStanding:
    """A good one, asked an hour before T-24 h and not delivered."""
    asked = STARTS - 25 * HOUR
    standing = BriefStanding(
        brief_id=ROW,
        covers=True,
        thin=False,
        digest="d",
        delivered=False,
        people_asked_at=asked,
        companies_asked_at=asked,
    )
    return standing.model_copy(update=more)


def meeting(**more: object) -> Situation:
    """Nothing was done for it yet."""
    situation = Situation(revision=1, user_id=ROW, starts_at=STARTS, ends_at=STARTS + HOUR, deliver_before_s=3600)
    return situation.model_copy(update=more)


def before(span: timedelta) -> datetime:
    return STARTS - span


def step(now: datetime, situation: Situation, *, asked: bool = False) -> tuple[Do, datetime, bool]:
    found = next_step(now, situation, asked=asked)
    return found.do, found.at, found.latest


TRIED = {"tried_at": before(10 * DAY)}
FAILED = {**TRIED, "failed": True}
FRESH = {"companies_asked_at": before(2 * HOUR), "people_asked_at": before(2 * HOUR)}

NOW_TABLE = [
    ("a new one is researched at once", before(20 * DAY), meeting(), (Do.RESEARCH, before(20 * DAY), False)),
    ("one far ahead waits", before(40 * DAY), meeting(), (Do.RESEARCH, before(30 * DAY), False)),
    ("a late one asks for news", before(HOUR), meeting(), (Do.RESEARCH, before(HOUR), True)),
    ("one that has begun gets no first brief", STARTS, meeting(), (Do.END, STARTS + HOUR, False)),
    ("over is over", STARTS + HOUR, meeting(brief=brief()), (Do.END, STARTS + HOUR, False)),
    (
        "withdrawn ends at once",
        before(9 * DAY),
        meeting(idle="cancelled", brief=brief()),
        (Do.END, before(9 * DAY), False),
    ),
    ("a failure waits for T-24 h", before(9 * DAY), meeting(**FAILED), (Do.RESEARCH, before(DAY), False)),
    ("at T-24 h the try comes before the telling", before(DAY), meeting(**FAILED), (Do.RESEARCH, before(DAY), False)),
    (
        "failed again within a day is told",
        before(23 * HOUR),
        meeting(tried_at=before(23 * HOUR), failed=True),
        (Do.TELL, before(DAY), False),
    ),
    (
        "told once, T-4 h is next",
        before(23 * HOUR),
        meeting(tried_at=before(23 * HOUR), failed=True, told=True),
        (Do.RESEARCH, before(4 * HOUR), False),
    ),
    (
        "the last try is at T-1 h",
        before(3 * HOUR),
        meeting(tried_at=before(4 * HOUR), failed=True, told=True),
        (Do.RESEARCH, before(HOUR), False),
    ),
    (
        "after the last try only the end is left",
        before(HOUR / 2),
        meeting(tried_at=before(HOUR / 2), failed=True, told=True),
        (Do.END, STARTS + HOUR, False),
    ),
    (
        "newcomers are researched at once",
        before(5 * DAY),
        meeting(brief=brief(covers=False)),
        (Do.RESEARCH, before(5 * DAY), False),
    ),
    (
        "newcomers who failed wait for the next try, and nobody is told",
        before(5 * HOUR),
        meeting(brief=brief(covers=False, delivered=True), tried_at=before(6 * HOUR), failed=True),
        (Do.RESEARCH, before(4 * HOUR), False),
    ),
    (
        "a thin brief is tried again",
        before(5 * DAY),
        meeting(brief=brief(thin=True), **TRIED),
        (Do.RESEARCH, before(DAY), False),
    ),
    (
        "stale news is renewed before delivery",
        before(5 * HOUR),
        meeting(brief=brief(), **TRIED),
        (Do.RESEARCH, before(HOUR + timedelta(minutes=15)), True),
    ),
    (
        "fresh news is delivered as it is",
        before(2 * HOUR),
        meeting(brief=brief(**FRESH), **TRIED),
        (Do.DELIVER, before(HOUR), False),
    ),
    (
        "people age in a week, and a brief without companies has no news",
        before(2 * HOUR),
        meeting(brief=brief(companies_asked_at=None, people_asked_at=before(8 * DAY)), **TRIED),
        (Do.RESEARCH, before(HOUR + timedelta(minutes=15)), True),
    ),
    (
        "a renewal that was tried is not tried again",
        before(HOUR),
        meeting(brief=brief(), tried_at=before(HOUR + timedelta(minutes=14))),
        (Do.DELIVER, before(HOUR), False),
    ),
    (
        "later than the reader's time is at once",
        before(HOUR / 2),
        meeting(brief=brief(**FRESH), tried_at=before(HOUR / 2)),
        (Do.DELIVER, before(HOUR), False),
    ),
    (
        "delivered once",
        before(HOUR / 2),
        meeting(brief=brief(**FRESH, delivered=True), tried_at=before(HOUR / 2)),
        (Do.END, STARTS + HOUR, False),
    ),
    (
        "no mail, no delivery",
        before(HOUR / 2),
        meeting(brief=brief(**FRESH), tried_at=before(HOUR / 2), by_mail=False),
        (Do.END, STARTS + HOUR, False),
    ),
    (
        "somebody else's run is waited for",
        before(5 * DAY),
        meeting(busy=True, tried_at=before(5 * DAY)),
        (Do.LOOK, before(5 * DAY) + timedelta(seconds=30), False),
    ),
]


@pytest.mark.parametrize(
    ("now", "situation", "expected"), [row[1:] for row in NOW_TABLE], ids=[row[0] for row in NOW_TABLE]
)
def test_the_next_step(now: datetime, situation: Situation, expected: tuple[Do, datetime, bool]) -> None:
    assert step(now, situation) == expected


def test_whoever_asks_gets_a_research_even_when_all_is_fresh() -> None:
    situation = meeting(brief=brief(**FRESH), **TRIED)
    assert step(before(2 * HOUR), situation, asked=True)[0] is Do.RESEARCH


@pytest.mark.parametrize("idle", ["cancelled", "its campaign is not active"])
def test_nobody_gets_a_research_for_what_is_no_meeting(idle: str) -> None:
    found = next_step(before(DAY), meeting(idle=idle), asked=True)
    assert (found.do, found.why) == (Do.END, idle)


def test_a_meeting_that_moves_takes_its_times_with_it() -> None:
    later = meeting(brief=brief(**FRESH), **TRIED, starts_at=STARTS + 3 * DAY, ends_at=STARTS + 3 * DAY + HOUR)
    assert next_step(before(2 * HOUR), later) == Step(
        Do.RESEARCH, STARTS + 3 * DAY - timedelta(minutes=75), latest=True, why="refresh"
    )


@pytest.mark.parametrize("minutes", [0, 30, 60, 1440])
def test_the_reader_says_when_it_is_delivered(minutes: int) -> None:
    situation = meeting(brief=brief(**FRESH), tried_at=before(HOUR), deliver_before_s=60.0 * minutes)
    now = before(timedelta(minutes=minutes))
    steps = {next_step(now - timedelta(seconds=1), situation).do, next_step(now, situation).do}
    assert Do.DELIVER in steps
