"""What is done with the money that is left: a table of cases, in cents."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import pytest

from activities.providers.made import web_search
from activities.providers.models import language_models
from activities.research.economy import BESIDE, EVIDENCE_EACH, Standing, Thrift, Writer, plan
from activities.research.paying import thrift
from activities.spending import Offer, Purse, Treasurer
from schemas.budgets import Bound, Caps, Price
from schemas.research import Subject
from schemas.settings import Settings
from tests.fakes import FakeLedger

CENT = 10_000
LOOK_UP = Offer("search", "m", 3 * CENT)
# Twenty cents for a brief, however long, and five.
BIG, SMALL = (
    Writer("model", name, Price(input_usd=0, output_usd=0, call_usd=usd), 0)
    for name, usd in (("big", 0.20), ("small", 0.05))
)
CAPS = Caps(run_micro_usd=100 * CENT, meeting_micro_usd=300 * CENT, month_micro_usd=10_000 * CENT)
THRIFT = Thrift(CAPS, LOOK_UP, (BIG, SMALL))


def standings(words: str) -> list[Standing]:
    """p and c are a person and a company, in capitals when something is known of them, with * when they are fresh, with 0
    when they are fresh and nothing is known."""
    made = []
    for number, word in enumerate(words.split()):
        key = "0123456789abcdef" if word[0] in "pP" else None
        fresh, empty = word[-1] in "*0", word[-1] == "0"
        subject = Subject(
            subject_id=f"{number:08d}-0000-4000-8000-000000000000", label=word, key=key, fresh=fresh, empty=empty
        )
        made.append(Standing(subject, known=word[0].isupper()))
    return made


def purse(cents: int, share: float = 0.1, bound: Bound = Bound.RUN) -> Purse:
    return Purse(cents * CENT, bound, CAPS.of(bound), share)


@dataclass(frozen=True)
class Case:
    who: str
    left: int
    asked: str
    left_out: str
    model: str
    said: tuple[str, ...] = ()
    share: float = 0.1


RUN = "to stay within the budget of this run ($1.00)"
CASES = [
    Case("p c", 26, "p c", "", "big"),
    Case("p c", 25, "p", "c", "big", (f"1 company left out, {RUN}",)),
    Case("p p c c", 26, "p p", "c c", "big", (f"2 companies left out, {RUN}",)),
    Case("p p p c", 23, "p", "p p c", "big", (f"2 people and 1 company left out, {RUN}",)),
    # Not one look-up beside the better model's brief: the smaller one's.
    Case("p c", 22, "p c", "", "small"),
    Case("p c", 9, "p", "c", "small", (f"1 company left out, {RUN}",)),
    # Whoever is known is spared first, and nobody else when that is enough.
    Case("P p c", 26, "p c", "", "big", (f"1 person not looked up again, {RUN}",)),
    Case(
        "P p C c",
        23,
        "p",
        "c",
        "big",
        (f"1 person and 1 company not looked up again, {RUN}", f"1 company left out, {RUN}"),
    ),
    Case("P C", 20, "", "", "big", (f"1 person and 1 company not looked up again, {RUN}",)),
    Case("P C", 5, "", "", "small", (f"1 person and 1 company not looked up again, {RUN}",)),
    # What is fresh costs nothing, and is something to write about.
    Case("P* c", 20, "", "c", "big", (f"1 company left out, {RUN}",)),
    Case("P* C*", 20, "", "", "big"),
    Case("P* C*", 19, "", "", "small"),
    # Nobody known, and nobody to be looked up: the run is to say so itself.
    Case("p0", 20, "", "", "big"),
    # A month that is nearly used up refreshes nobody, whatever is left.
    Case(
        "P p",
        2600,
        "p",
        "",
        "big",
        ("1 person not looked up again, since more than 80% of this month's budget is used",),
        share=0.81,
    ),
    Case("P p", 2600, "P p", "", "big", share=0.8),
    Case("p c", 2600, "p c", "", "big", share=0.99),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.who}, {case.left} cents, {case.share:.0%}")
def test_less_is_done_for_less(case: Case) -> None:
    made = plan(standings(case.who), purse(case.left, case.share), THRIFT)

    assert made is not None
    labels = {one.subject_id: one.label for one in made.subjects}
    assert " ".join(labels[one] for one in made.asked) == case.asked
    assert " ".join(one.label for one in made.subjects if one.left_out) == case.left_out
    assert made.writing.model == case.model
    assert made.economies == case.said
    costs = made.writing.most_micro_usd + len(made.asked) * LOOK_UP.most_micro_usd
    assert costs <= case.left * CENT, "what is planned can be paid"
    # Everybody is looked up, left out, or served by what is known.
    assert all(one.fresh + one.left_out + (one.subject_id in made.asked) == 1 for one in made.subjects)


@pytest.mark.parametrize(("who", "left"), [("p c", 7), ("p", 4), ("P* C*", 4), ("P C", 4), ("p", -1), ("p0 c", 7)])
def test_when_it_lasts_for_no_brief_nothing_is_begun(who: str, left: int) -> None:
    assert plan(standings(who), purse(left), THRIFT) is None


@pytest.mark.parametrize(
    ("used", "bound", "left", "share"),
    [
        ({Bound.RUN: 0, Bound.MEETING: 0, Bound.MONTH: 0}, Bound.RUN, 100, 0.0),
        ({Bound.RUN: 0, Bound.MEETING: 250, Bound.MONTH: 250}, Bound.MEETING, 50, 0.025),
        ({Bound.RUN: 0, Bound.MEETING: 0, Bound.MONTH: 9990}, Bound.MONTH, 10, 0.999),
        ({Bound.RUN: 0, Bound.MONTH: 10_500}, Bound.MONTH, -500, 1.05),
        # Of an ad hoc request there is no meeting.
        ({Bound.RUN: 0, Bound.MONTH: 500}, Bound.RUN, 100, 0.05),
    ],
)
def test_the_narrowest_cap_binds(used: dict[Bound, int], bound: Bound, left: int, share: float) -> None:
    found = Purse.of(CAPS, {one: cents * CENT for one, cents in used.items()})
    assert (found.bound, found.left_micro_usd, found.month_share) == (bound, left * CENT, pytest.approx(share))


def test_a_cap_of_nothing_lets_nothing_be_spent() -> None:
    nothing = Caps(run_micro_usd=0, meeting_micro_usd=0, month_micro_usd=0)
    found = Purse.of(nothing, dict.fromkeys(Bound, 0))
    assert (found.left_micro_usd, found.month_share) == (0, 1.0)
    assert plan(standings("p"), found, THRIFT) is None


def test_a_brief_is_planned_for_by_how_many_it_is_about_up_to_what_a_prompt_holds() -> None:
    writer = Writer("model", "m", Price(input_usd=1, output_usd=1), most_tokens=100)
    assert writer.offer(1).most_micro_usd == BESIDE + EVIDENCE_EACH + 100
    assert writer.offer(2).most_micro_usd == BESIDE + 2 * EVIDENCE_EACH + 100
    assert writer.offer(40).most_micro_usd == writer.offer(100).most_micro_usd


async def test_the_largest_meeting_fits_into_the_default_caps() -> None:
    """Twenty people of twenty companies, by the real prices, each call at its most."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    async with AsyncExitStack() as stack, aiohttp.ClientSession() as session:
        treasurer = Treasurer(FakeLedger(), settings.prices, settings.caps())
        planned = thrift(treasurer, web_search(settings, session), language_models(settings, stack))
    made = plan(
        standings(" ".join(["p"] * 20 + ["c"] * 20)), Purse.of(settings.caps(), dict.fromkeys(Bound, 0)), planned
    )

    assert made is not None
    assert len(made.asked) == 40
    assert made.economies == ()
    assert made.writing.model == settings.anthropic_model
