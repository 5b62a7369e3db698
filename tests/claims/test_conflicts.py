"""What cannot all be true stands together; what is only different does not."""

from datetime import date
from itertools import count
from typing import Any

import pytest

from activities.research.claims import check
from activities.research.compose import compose
from activities.research.conflicts import conflicts
from activities.research.drafts import Aliases, Draft
from schemas.briefs import Claim, Composed, Confidence, Nature, Section, Topic
from tests.research.material import COMPANY_ID, NOW, PERSON_ID, draft, evidence, material

NUMBERS = count(1)
TODAY = date(2026, 11, 1)


def claim(text: str, topic: Topic = Topic.SIZE, **changes: Any) -> Claim:
    number = next(NUMBERS)
    values: dict[str, Any] = {
        "id": f"{number:08d}-0000-4000-8000-000000000000",
        "section": Section.COMPANY,
        "nature": Nature.FACT,
        "text": text,
        "subject_id": COMPANY_ID,
        "topic": topic,
        "as_of": TODAY,
        "evidence_id": f"{number:08d}-1111-4000-8000-000000000000",
        "quote": text,
    }
    return Claim(**{**values, **changes})


@pytest.mark.parametrize(
    ("topic", "one", "other", "differ"),
    [
        (Topic.SIZE, "Acme employs 420 people.", "Acme has 610 employees.", True),
        (Topic.SIZE, "Acme employs 1,200 people.", "Acme beschäftigt 1.350 Mitarbeiter.", True),
        (Topic.SIZE, "Acme counts about 85 people.", "Acme employs 130 people.", True),
        (Topic.SIZE, "Acme has 51-200 employees.", "Acme has 640 employees.", True),
        (Topic.SIZE, "Acme has a staff of 420.", "Acme employs 610 people.", True),
        # The same, or the same as far as it is said.
        (Topic.SIZE, "Acme employs 640 people.", "Acme has 640 employees, of whom 410 drive.", False),
        (Topic.SIZE, "Acme employs 1,200 people.", "Acme emploie 1 200 salariés.", False),
        (Topic.SIZE, "Acme employs about 600 people.", "Acme employs 640 people.", False),
        (Topic.SIZE, "Acme employs over 600 people.", "Acme employs 640 people.", False),
        (Topic.SIZE, "Acme has 500 to 700 employees.", "Acme employs 640 people.", False),
        (Topic.SIZE, "Acme has nearly 700 employees.", "Acme employs 640 people.", False),
        # Another time, another whole, another thing.
        (Topic.SIZE, "Acme employed 420 people in 2022.", "Acme employed 610 people in 2025.", False),
        (Topic.SIZE, "Acme employed 420 people in 2022.", "Acme employed 610 people in 2022.", True),
        (Topic.SIZE, "Acme employs 640 people.", "Acme employs 40 people in Leeds.", False),
        (Topic.SIZE, "Acme employs 640 people.", "Its modelling team of 22 people is in Leeds.", False),
        (Topic.SIZE, "Acme employs 640 people.", "Acme will hire 200 people.", False),
        (Topic.SIZE, "Acme employs 640 people.", "Acme has four depots.", False),
        (Topic.SIZE, "Acme has five depots.", "Acme has four depots.", False),
        (Topic.FUNDING, "Acme raised 38 million euros in total.", "Acme has raised 61 million euros to date.", True),
        (Topic.FUNDING, "Acme raised €14m in a Series A.", "The Series A brought 12 million euros.", True),
        (Topic.FUNDING, "Acme raised 38 million euros in total.", "Acme has raised €38m to date.", False),
        (Topic.FUNDING, "Acme raised €14m in a Series A.", "Acme raised €40m in a Series B.", False),
        (Topic.FUNDING, "Acme raised €14m in a Series A.", "Acme raised $15m in a Series A.", False),
        (Topic.FUNDING, "Acme raised 14 million euros.", "Acme raised 20 million euros.", False),
        (Topic.FUNDING, "Acme raised €14m in a seed round in 2024.", "Its seed round in 2025 was €20m.", False),
        (Topic.ROLE, "Ada is Head of Planning at Acme Freight.", "Ada is Chief Analyst at Lovelace Analytics.", True),
        (Topic.ROLE, "Ada is Head of Planning at Acme.", "Ada is Director of Planning at Acme Freight.", False),
        (Topic.ROLE, "Ada is Head of Planning at Acme.", "Ada is a board member of Lovelace Analytics.", False),
        (Topic.ROLE, "Ada is Head of Planning at Acme.", "Ada was Chief Analyst at Lovelace Analytics.", False),
        (Topic.ROLE, "Ada has led planning since 2025.", "Ada is Chief Analyst at Lovelace Analytics.", False),
        (Topic.NEWS, "Acme opened 2 depots.", "Acme opened 3 depots.", False),
        (Topic.INDUSTRY, "Acme employs 420 people.", "Acme has 610 employees.", False),
    ],
)
def test_by_rule(topic: Topic, one: str, other: str, differ: bool) -> None:
    pair = (claim(one, topic), claim(other, topic))
    assert conflicts(pair) == (((pair[0].id, pair[1].id),) if differ else ())
    assert bool(conflicts(pair[::-1])) is differ


@pytest.mark.parametrize(
    "change",
    [
        {"subject_id": PERSON_ID},
        {"current": False},
        {"as_of": date(2025, 6, 1)},
        {"topic": Topic.OTHER},
    ],
    ids=["of somebody else", "no longer so", "of another time", "of another kind"],
)
def test_what_is_not_of_one_kind_of_one_subject_at_one_time_is_no_contradiction(change: dict[str, Any]) -> None:
    assert conflicts((claim("Acme employs 420 people."), claim("Acme has 610 employees.", **change))) == ()


def test_one_source_does_not_contradict_itself() -> None:
    one = claim("Acme employs 420 people.")
    assert conflicts((one, claim("Acme has 610 employees.", evidence_id=one.evidence_id))) == ()


def test_all_that_disagree_stand_together() -> None:
    three = [claim(f"Acme employs {number} people.") for number in (420, 610, 420)]
    assert conflicts(three) == (tuple(one.id for one in three),)


def test_what_the_model_names_counts_when_it_is_one_matter_of_several_sources() -> None:
    one, other = claim("Acme is for sale.", Topic.NEWS), claim("Acme is not for sale.", Topic.NEWS)
    stranger = claim("Ada bakes.", subject_id=PERSON_ID)
    same_page = claim("Acme may be for sale.", evidence_id=one.evidence_id)
    everything = (one, other, stranger, same_page)

    assert conflicts(everything, [(other.id, one.id)]) == ((one.id, other.id),)
    for refused in ((one.id,), (one.id, one.id), (one.id, "gone"), (one.id, stranger.id), (one.id, same_page.id), ()):
        assert conflicts(everything, [refused]) == ()


def said(number: int, text: str, **more: Any) -> dict[str, Any]:
    fact = {"id": f"f{number}", "about": "c1", "evidence": f"e{number}", "quote": text, "text": text, "topic": "size"}
    return {**fact, **more}


def brief(*facts: dict[str, Any], texts: tuple[str, ...], **sections: Any) -> Composed:
    pieces = tuple(evidence(n, COMPANY_ID, text) for n, text in enumerate(texts, start=1))
    made = compose(material(people=(), evidence=pieces), Draft.model_validate(draft(*facts, **sections)), (), NOW)
    assert isinstance(made, Composed)
    return made


def test_a_contradiction_is_in_the_brief_and_lowers_its_confidence() -> None:
    texts = ("Acme Freight employs 420 people.", "Acme Freight has 610 employees.", "Acme Freight moves chilled food.")
    made = brief(*(said(n, text) for n, text in enumerate(texts, start=1)), texts=texts)

    facts = [one.id for one in made.claims if one.nature is Nature.FACT]
    assert made.conflicts == (tuple(facts[:2]),)
    assert made.confidence is Confidence.MEDIUM
    assert "sources disagree about the size of Acme Freight" in made.reasons


def test_a_contradiction_of_a_refused_fact_is_none() -> None:
    texts = ("Acme Freight is for sale, it says.", "Acme Freight is not for sale, it says.")
    facts = [said(1, texts[0], topic="news"), said(2, texts[1], topic="news")]
    named = [{"facts": ["f1", "f2"]}]

    assert len(brief(*facts, texts=texts, conflicts=named).conflicts) == 1
    lie = {**facts[1], "text": "Acme Freight is not for sale for 5 million."}
    assert brief(facts[0], lie, texts=texts, conflicts=named).conflicts == ()


def test_an_answer_of_an_earlier_release_is_read() -> None:
    old = draft(said(1, "Acme Freight employs 420 people."))
    del old["facts"][0]["topic"]
    read = Draft.model_validate(old)
    assert read.conflicts == []
    pieces = (evidence(1, COMPANY_ID, "Acme Freight employs 420 people."),)
    checked = check(read, Aliases(material(people=(), evidence=pieces)), NOW.date())
    assert checked.claims[1].topic is Topic.OTHER
