"""What is done next for a meeting: every line of the rule, with the clock in hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.meetings import BriefStanding, Situation
from schemas.notices import brief_key, failed_key
from workflows.plans import Do, Doings, Step, next_step

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
    situation = Situation(
        meeting_id=ROW, revision=1, user_id=ROW, starts_at=STARTS, ends_at=STARTS + HOUR, deliver_before_s=3600
    )
    return situation.model_copy(update=more)


def before(span: timedelta) -> datetime:
    return STARTS - span


def step(now: datetime, situation: Situation, doings: Doings = Doings()) -> tuple[Do, datetime, bool]:  # noqa: B008
    found = next_step(now, situation, doings)
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
    assert step(before(2 * HOUR), situation, Doings(asked=True))[0] is Do.RESEARCH


@pytest.mark.parametrize("idle", ["cancelled", "its campaign is not active"])
def test_nobody_gets_a_research_for_what_is_no_meeting(idle: str) -> None:
    found = next_step(before(DAY), meeting(idle=idle), Doings(asked=True))
    assert (found.do, found.why) == (Do.END, idle)


def test_a_meeting_that_moves_takes_its_times_with_it() -> None:
    later = meeting(brief=brief(**FRESH), **TRIED, starts_at=STARTS + 3 * DAY, ends_at=STARTS + 3 * DAY + HOUR)
    assert next_step(before(2 * HOUR), later, Doings()) == Step(
        Do.RESEARCH, STARTS + 3 * DAY - timedelta(minutes=75), latest=True, why="refresh"
    )


@pytest.mark.parametrize("minutes", [0, 30, 60, 1440])
def test_the_reader_says_when_it_is_delivered(minutes: int) -> None:
    situation = meeting(brief=brief(**FRESH), tried_at=before(HOUR), deliver_before_s=60.0 * minutes)
    now = before(timedelta(minutes=minutes))
    steps = {next_step(now - timedelta(seconds=1), situation, Doings()).do, next_step(now, situation, Doings()).do}
    assert Do.DELIVER in steps


RUNNING = Doings(running_since=before(2 * HOUR))
AGAIN = timedelta(seconds=30)

DOINGS_TABLE = [
    ("while a research runs no other is begun", before(HOUR * 2), meeting(), RUNNING, Do.LOOK),
    ("nor when somebody asks", before(HOUR * 2), meeting(), replace(RUNNING, asked=True), Do.LOOK),
    ("what is withdrawn is stopped first", before(DAY), meeting(idle="cancelled"), RUNNING, Do.STOP),
    ("and once", before(DAY), meeting(idle="cancelled"), replace(RUNNING, stopping=True), Do.LOOK),
    ("a meeting is not over while its research is stopped", STARTS + HOUR, meeting(), RUNNING, Do.LOOK),
    (
        "a brief goes out though its renewal takes long",
        before(HOUR / 2),
        meeting(brief=brief(**FRESH), tried_at=before(2 * HOUR)),
        RUNNING,
        Do.DELIVER,
    ),
    (
        "but a renewal has a quarter of an hour",
        before(HOUR),
        meeting(brief=brief(**FRESH), tried_at=before(HOUR)),
        Doings(running_since=before(HOUR + timedelta(minutes=5))),
        Do.LOOK,
    ),
    (
        "nobody is told of a failure while another try runs",
        before(4 * HOUR),
        meeting(tried_at=before(23 * HOUR), failed=True),
        Doings(running_since=before(4 * HOUR)),
        Do.LOOK,
    ),
    (
        "what is on its way is not sent again",
        before(HOUR / 2),
        meeting(brief=brief(**FRESH), tried_at=before(HOUR / 2)),
        Doings(sending=frozenset({brief_key(ROW, "d", STARTS)})),
        Do.END,
    ),
    (
        "nor told again",
        before(HOUR / 2),
        meeting(tried_at=before(HOUR / 2), failed=True),
        Doings(sending=frozenset({failed_key(ROW, STARTS)})),
        Do.END,
    ),
    (
        "a research that failed before it could say so waits for the next try",
        before(5 * DAY),
        meeting(failed=True),
        Doings(tried_at=before(5 * DAY)),
        Do.RESEARCH,
    ),
    (
        "and is told within a day",
        before(2 * HOUR),
        meeting(failed=True),
        Doings(tried_at=before(2 * HOUR)),
        Do.TELL,
    ),
    (
        "somebody else's is given a moment",
        before(5 * DAY),
        meeting(),
        Doings(wait_until=before(5 * DAY) + AGAIN),
        Do.LOOK,
    ),
]


@pytest.mark.parametrize(
    ("now", "situation", "doings", "do"), [row[1:] for row in DOINGS_TABLE], ids=[row[0] for row in DOINGS_TABLE]
)
def test_what_is_under_way_counts(now: datetime, situation: Situation, doings: Doings, do: Do) -> None:
    found = next_step(now, situation, doings)
    assert found.do is do
    if do is Do.LOOK:
        assert now < found.at <= now + AGAIN


def test_a_research_that_failed_at_once_is_not_begun_at_once() -> None:
    found = next_step(before(5 * DAY), meeting(failed=True), Doings(tried_at=before(5 * DAY)))
    assert found.at == before(DAY)


@given(
    minutes=st.integers(-120, 60 * 24 * 40),
    tried=st.none() | st.integers(-60, 60 * 24 * 30),
    run=st.none() | st.integers(0, 60),
    flags=st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_every_step_that_is_due_changes_something_or_the_next_is_later(
    minutes: int, tried: int | None, run: int | None, flags: list[bool]
) -> None:
    """Whatever is begun is not due again: a plan that repeats itself would spin."""
    asked, idle, has, covers, thin, delivered, failed, busy, told = flags
    now = before(timedelta(minutes=minutes))
    standing = brief(covers=covers, thin=thin, delivered=delivered) if has else None
    situation = meeting(
        idle="cancelled" if idle else "",
        brief=standing,
        failed=failed,
        busy=busy,
        told=told,
        tried_at=None if tried is None else before(timedelta(minutes=tried)),
    )
    doings = Doings(asked=asked, running_since=None if run is None else now - timedelta(minutes=run))
    done = list(islice(due(now, situation, doings), 10))
    assert len(done) < 10, f"it goes round: {done}"


def due(now: datetime, situation: Situation, doings: Doings) -> Iterator[Do]:
    """What is begun one after the other at this moment."""
    while (step := next_step(now, situation, doings)).at <= now and step.do is not Do.END:
        yield step.do
        doings = after(step, situation, doings, now)


def after(step: Step, situation: Situation, doings: Doings, now: datetime) -> Doings:
    """What the workflow knows when it has begun a step."""
    match step.do:
        case Do.STOP:
            return replace(doings, stopping=True)
        case Do.RESEARCH:
            return replace(doings, asked=False, running_since=now, tried_at=now)
        case Do.TELL:
            key = failed_key(situation.meeting_id, situation.starts_at)
        case _:
            assert situation.brief is not None
            key = brief_key(situation.meeting_id, situation.brief.digest, situation.starts_at)
    return replace(doings, sending=doings.sending | {key})
