"""What a reader marked is left out of the next version, and the brief says why."""

from typing import Any

import pytest

from activities.research.claims import Refusal
from activities.research.compose import compose
from activities.research.drafts import Draft
from activities.research.marks import overlap
from schemas.briefs import Composed, Mark, Nature, Verdict
from tests.research.material import COMPANY_ID, NOW, PERSON_ID, draft, fact, material

SAID = fact()
PAGE = "https://news1.example/1"
TALKED = fact(
    id="f2",
    text="She said that much is corrected by phone.",
    evidence="e2",
    quote="of all routes” is corrected by phone",
)


def mark(verdict: Verdict = Verdict.WRONG, **changes: Any) -> Mark:
    values: dict[str, Any] = {
        "subject_id": PERSON_ID,
        "verdict": verdict,
        "text": SAID["text"],
        "url": PAGE,
        "quote": SAID["quote"],
    }
    return Mark(**{**values, **changes})


def brief(*marks: Mark, facts: tuple[dict[str, Any], ...] = (SAID, TALKED), **sections: Any) -> Composed:
    made = compose(material(marks=marks), Draft.model_validate(draft(*facts, **sections)), (), NOW)
    assert isinstance(made, Composed)
    return made


def facts_of(made: Composed) -> list[str]:
    return [claim.text for claim in made.claims if claim.nature is Nature.FACT]


@pytest.mark.parametrize(
    ("verdict", "reason", "words"),
    [(Verdict.WRONG, Refusal.WRONG, "as wrong"), (Verdict.STALE, Refusal.STALE, "as stale")],
)
def test_a_marked_fact_is_absent_with_its_reason(verdict: Verdict, reason: Refusal, words: str) -> None:
    made = brief(mark(verdict))
    assert facts_of(made) == [TALKED["text"]]
    assert made.dropped[reason] == 1
    gap = next(gap for gap in made.gaps if "left out" in gap.reason)
    assert (gap.subject_id, gap.about) == (PERSON_ID, "Ada Lovelace")
    assert gap.reason == f"left out: a reader marked “{SAID['text']}” {words}"


@pytest.mark.parametrize(
    ("change", "left_out"),
    [
        # Other words for the same passage, the same sentence from another page.
        ({"text": "Planning is hers."}, True),
        ({"url": "https://elsewhere.example", "quote": "x"}, True),
        ({"text": "SHE has led planning, since March 2025", "url": "", "quote": ""}, True),
        ({"text": "Planning is hers.", "quote": "She began as a dispatcher in Leeds"}, False),
        ({"text": "Planning is hers.", "url": "https://elsewhere.example"}, False),
        ({"subject_id": COMPANY_ID}, False),
        ({"verdict": Verdict.USEFUL}, False),
        ({"verdict": Verdict.STALE, "url": "https://elsewhere.example", "quote": "x"}, False),
    ],
)
def test_which_facts_a_mark_speaks_against(change: dict[str, Any], left_out: bool) -> None:
    assert (SAID["text"] not in facts_of(brief(mark(**change)))) is left_out


def test_what_is_somebody_else_s_is_absent_with_its_reason() -> None:
    """Of a person the whole page counts for nothing any more; of a company, the passage."""
    made = brief(mark(Verdict.WRONG_PERSON), facts=({**TALKED, "evidence": "e1"},))
    assert facts_of(made) == [TALKED["text"]]
    assert any(gap.reason.endswith("as about somebody else") for gap in made.gaps)

    text = "Acme Freight employs 640 people."
    size = fact(id="f3", about="c1", text=text, evidence="e3", quote="Acme Freight employs 640 people")
    spoken = mark(Verdict.WRONG_PERSON, subject_id=COMPANY_ID, text=text, url="https://news3.example/3")
    assert brief(spoken, facts=(SAID, size)).dropped[Refusal.WRONG_PERSON] == 1


def test_what_nobody_says_again_is_still_told_to_be_left_out() -> None:
    made = brief(mark(), facts=(TALKED,))
    assert sum("left out" in gap.reason for gap in made.gaps) == 1
    gone = mark(Verdict.STALE, url="https://gone.example")
    assert not any("left out" in gap.reason for gap in brief(gone, facts=(TALKED,)).gaps)


def test_a_brief_of_which_everything_was_marked_is_a_brief_of_gaps() -> None:
    made = brief(mark(), facts=(SAID,))
    assert facts_of(made) == []
    assert any("left out" in gap.reason for gap in made.gaps)


def test_marked_advice_is_absent_too() -> None:
    line = {"text": "Ask about planning.", "rests_on": ["f2"]}
    spoken = mark(subject_id=None, text="Ask about  PLANNING", url="", quote="")
    made = brief(spoken, questions=[line])
    assert "Ask about planning." not in [claim.text for claim in made.claims]
    assert made.dropped[Refusal.WRONG] == 1
    assert any(gap.about == "advice" and "left out" in gap.reason for gap in made.gaps)


def test_a_long_sentence_is_shortened_and_hostile_text_is_plain() -> None:
    made = brief(mark(text="\u202e" + "word " * 100))
    gap = next(gap for gap in made.gaps if "left out" in gap.reason)
    assert len(gap.reason) < 180
    assert "\u202e" not in gap.reason


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("led planning at Acme Freight", "has led planning at Acme Freight since March", True),
        ("employs 640", "Acme employs 640 people", True),
        ("led planning at Acme", "led the planning at an Acme", False),
        ("", "anything at all", False),
    ],
)
def test_overlap(one: str, other: str, same: bool) -> None:
    assert overlap(one, other) is same
