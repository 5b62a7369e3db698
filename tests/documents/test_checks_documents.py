"""Of what a model says of a document only that is kept which stands there: quotes to the character, numbers, no addresses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.documents import checks, differing, proposing, rubric
from activities.documents.places import Words
from activities.documents.ports import Material, Pair, Text
from activities.documents.said import Compared, Proposals, Reviewed
from activities.research.questions import strict
from sandbox.schema import unsupported
from schemas.documents import Change, Difference, Passage, Risk, Topic
from tests.documents.thinking import LAW, OTHER, RETURN, RUN, SECRET, TERM, agreement, finding

LETTERS = st.text(st.sampled_from("ab cd.\n\t\u00ad\u200b\u0301ßéİ“”’5,"), max_size=60)
TEXT = agreement(SECRET, TERM, RETURN, LAW)


def found(**changes: Any) -> tuple[Any, int]:
    known = {"clause": "c2", "topic": "term", "rule": "", "said": "It ends.", "quote": "ends two years after"}
    extract = checks.reviewed(Reviewed.model_validate({"findings": [known | changes]}), TEXT, TEXT.clauses)
    return (extract.findings[0] if extract.findings else None), extract.dropped


# --- places ---


@given(LETTERS, LETTERS, LETTERS)
def test_whatever_is_found_is_cut_from_the_text_as_it_is(before: str, quote: str, after: str) -> None:
    text = f"{before} {quote} {after}"
    for place in (Words(text).find(quote), Words(text).exactly(quote)):
        if place is not None:
            start, end = place
            assert 0 <= start < end <= len(text)
            assert Words(text[start:end]).find(quote) or Words(text[start:end]).exactly(quote)


@given(st.text(st.sampled_from("abcdefg "), min_size=1, max_size=40), st.integers(0, 30), st.integers(12, 30))
def test_words_of_a_text_are_found_in_it(text: str, start: int, length: int) -> None:
    said = f"The parties agree that {text} and nothing else"
    words = said.split()
    quote = " ".join(words[start % len(words) :][:length])
    place = Words(said).find(quote)
    if len(quote) >= 12:
        assert place is not None
        assert said[slice(*place)].split() == quote.split()


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("shall NOT  disclose\nthe “Confidential", 'shall not dis\u00adclose the "Confidential'),
        ("shall not disclose the", "shall not dis\u00adclose the"),
        ("to Strasse étude anyone", "to Straße e\u0301tude anyone"),
        ("disclose the “Confidential", None),
        ("hall not disclose", None),
        ("shall not ... anyone", None),
        ("anyone at al", None),
        ("too short", None),
        ("", None),
        ("\u200b" * 50, None),
    ],
    ids=[
        "set-otherwise",
        "hyphen",
        "marks",
        "negation-left-out",
        "half-a-word",
        "ellipsis",
        "cut",
        "short",
        "none",
        "unseen",
    ],
)
def test_a_quote_is_found_as_it_stands_there_or_not_at_all(quote: str, stands: str | None) -> None:
    text = 'The Recipient shall not dis\u00adclose the "Confidential Information" to Straße e\u0301tude anyone at all.'
    place = Words(text).find(quote)
    assert (text[slice(*place)] if place else None) == stands


def test_words_to_be_replaced_stand_in_one_place() -> None:
    words = Words("Each party pays. Each party signs. Nobody signs alone.")
    assert words.exactly("each party signs") == (17, 33)
    assert words.exactly("Each party") is None
    assert words.exactly("sign") is None
    assert words.exactly(" ") is None


# --- findings ---


def test_a_quote_stands_at_its_place_in_the_whole_text() -> None:
    kept, dropped = found()
    assert (kept.passage.clause, dropped) == (1, 0)
    assert TEXT.text[kept.passage.start : kept.passage.end] == kept.passage.quote == "ends two years after"


def test_a_quote_of_another_clause_is_told_of_that_clause() -> None:
    kept, _ = found(clause="c1", quote="governed by the laws of England")
    assert kept.passage.clause == 3
    assert TEXT.text[kept.passage.start : kept.passage.end] == kept.passage.quote


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": "ends three years after the Effective Date"},
        {"quote": "disclose the Confidential Information to anybody"},
        {"quote": "governed by the laws of England and Wales.\n7. Return."},
        {"quote": ""},
        {"said": ""},
        {"said": "\u200b\u202e"},
        {"said": "It ends after 3 years."},
        {"said": "It ends after three years."},
        {"said": "It ends on 1 January 2031."},
        {"said": "See https://owned.example/x."},
        {"said": "Write to law@owned.example."},
        {"said": "See owned.example for more."},
        {"said": "It ends <b>soon</b>."},
        {"said": "It ends [here](x)."},
        {"said": "javascript:alert(1)"},
        {"topic": "weather"},
        {"rule": "no-such-rule"},
        {"rule": "HIGH"},
    ],
    ids=lambda changes: "-".join(f"{key}-{value[:12]!r}" for key, value in changes.items()),
)
def test_what_does_not_stand_there_is_dropped_and_counted(changes: dict[str, Any]) -> None:
    assert found(**changes) == (None, 1)


def test_risk_is_the_rubric_s_and_the_topic_is_its_rule_s() -> None:
    kept, _ = found(
        clause="c1", topic="notices", rule="perpetual", said="It never ends.", quote="to anybody, in perpetuity"
    )
    assert (kept.topic, kept.risk, kept.rule) == ("survival", Risk.HIGH, rubric.RULES["perpetual"].line)
    assert found()[0].risk is Risk.NONE


def test_a_model_s_own_risk_is_not_even_read() -> None:
    kept, _ = found(risk="high", severity="critical")
    assert kept.risk is Risk.NONE


def test_a_number_that_a_quote_cuts_off_is_not_another_one() -> None:
    text = agreement("1. Cap. Liability is capped at EUR 5,000 for each breach of this.")
    said = {"clause": "c1", "topic": "liability", "rule": "", "quote": "Liability is capped at EUR 5"}
    for told, kept in (("The cap is EUR 5.", 0), ("There is a cap.", 1)):
        extract = checks.reviewed(Reviewed.model_validate({"findings": [said | {"said": told}]}), text, text.clauses)
        assert len(extract.findings) == kept


def test_an_address_of_the_document_may_be_told() -> None:
    text = agreement("1. Notices. Notices go to legal@harbour.example in writing.")
    one = {
        "clause": "c1",
        "topic": "notices",
        "rule": "",
        "said": "Write to legal@harbour.example.",
        "quote": text.text[12:-1],
    }
    assert len(checks.reviewed(Reviewed.model_validate({"findings": [one]}), text, text.clauses).findings) == 1


def test_the_same_is_said_once() -> None:
    one = {"clause": "c2", "topic": "term", "rule": "", "said": "It ends.", "quote": "ends two years after"}
    extract = checks.reviewed(
        Reviewed.model_validate({"findings": [one, one | {"said": "It ends then."}]}), TEXT, TEXT.clauses
    )
    assert [one.said for one in extract.findings] == ["It ends."]


CLAIM = {
    "clause": st.text(max_size=20) | st.sampled_from(["c1", "c2"]),
    "topic": st.text(max_size=20) | st.just("term"),
    "rule": st.text(max_size=20) | st.just(""),
    "said": st.text(max_size=20) | st.just("It ends."),
    "quote": st.text(max_size=20) | st.integers(0, 90).map(lambda at: TEXT.text[at : at + 40]),
}


@given(st.lists(st.fixed_dictionaries(CLAIM), max_size=4))
def test_any_answer_is_checked_without_an_accident(items: list[dict[str, str]]) -> None:
    extract = checks.reviewed(Reviewed.model_validate({"findings": items}), TEXT, TEXT.clauses)
    for one in extract.findings:
        assert one.passage is not None
        assert TEXT.text[one.passage.start : one.passage.end] == one.passage.quote


@pytest.mark.parametrize("shape", [Reviewed, Compared, Proposals], ids=lambda shape: shape.__name__)
def test_what_is_asked_for_is_what_a_strict_provider_takes(shape: Any) -> None:
    assert unsupported(strict(shape)) is None


# --- differences ---

THEIRS = agreement("4. Term. This Agreement ends five years after the Effective Date.")
PAIR = Pair(TEXT.clauses[1], THEIRS.clauses[0], OTHER, THEIRS.text, 0.9)


def differs(both: Pair = PAIR, /, **changes: Any) -> Any:
    known = {
        "pair": "p1",
        "topic": "term",
        "effect": "wording",
        "said": "It ends at another time.",
        "ours": "ends two years after",
        "theirs": "ends five years after",
    }
    return differing.compared(Compared.model_validate({"differences": [known | changes]}), TEXT, [both])


def test_a_difference_stands_on_both_sides_at_its_place() -> None:
    one = differs().differences[0]
    assert (one.change, one.topic, one.theirs_document_id) == ("changed", "term", OTHER)
    assert TEXT.text[one.ours.start : one.ours.end] == one.ours.quote == "ends two years after"
    assert THEIRS.text[one.theirs.start : one.theirs.end] == one.theirs.quote == "ends five years after"


def test_another_number_is_never_other_words_alone() -> None:
    assert differs(effect="wording").differences[0].matters is Risk.MEDIUM
    assert differs(effect="loss").differences[0].matters is Risk.HIGH


@pytest.mark.parametrize(
    ("theirs", "matters"),
    [
        ("2. Secrecy. The Recipient must keep the Confidential Information to itself, in perpetuity.", Risk.MEDIUM),
        (
            "8. Secrecy. The Recipient shall not reveal the Confidential Information to anybody, in perpetuity.",
            Risk.NONE,
        ),
        ("8. Secrecy. Under Section 9(b) the Recipient shall not disclose it to anybody, in perpetuity.", Risk.NONE),
    ],
    ids=["negation-gone", "other-words", "another-section"],
)
def test_a_word_that_turns_a_sentence_counts_and_a_section_s_number_does_not(theirs: str, matters: Risk) -> None:
    other = agreement(theirs)
    pair = Pair(TEXT.clauses[0], other.clauses[0], OTHER, other.text)
    one = differs(pair, topic="obligations", ours="the Confidential Information to", theirs="").differences[0]
    assert one.said == "It ends at another time."
    assert one.matters is matters


@pytest.mark.parametrize(
    "changes",
    [
        {"ours": "ends nine years after the"},
        {"theirs": "ends nine years after the"},
        {"ours": "", "theirs": ""},
        {"effect": "deadly"},
        {"topic": "weather"},
        {"pair": "p2"},
        {"said": "It ends after nine years."},
        {"said": "See owned.example."},
    ],
    ids=lambda changes: "-".join(f"{key}-{value!r}" for key, value in changes.items()),
)
def test_of_a_difference_that_does_not_stand_there_only_that_is_kept_that_it_is_one(changes: dict[str, Any]) -> None:
    extract = differs(**changes)
    assert extract.dropped == 1
    assert [(one.said, one.change) for one in extract.differences] == [("The words differ here.", "changed")]


def test_the_same_words_and_what_is_missing_need_no_model() -> None:
    same = agreement(TERM.replace("6.", "11."))
    pairs = [
        Pair(TEXT.clauses[1], same.clauses[0], OTHER, same.text),
        Pair(None, THEIRS.clauses[0], OTHER, THEIRS.text),
        Pair(TEXT.clauses[3], None, None),
    ]
    assert differing.asked(pairs, TEXT) == {}
    told = differing.compared(Compared(differences=[]), TEXT, pairs).differences
    assert [(one.change, one.matters) for one in told] == [
        (Change.SAME, Risk.NONE),
        (Change.MISSING, Risk.MEDIUM),
        (Change.ADDED, Risk.LOW),
    ]
    assert told[1].theirs is not None
    assert told[1].theirs.quote == THEIRS.text.strip()


def test_more_than_a_model_reads_is_told_as_different() -> None:
    long = agreement(*("x" * 3900 for _ in range(40)))
    pairs = [Pair(clause, THEIRS.clauses[0], OTHER, "y" * 3900) for clause in long.clauses]
    asked = differing.asked(pairs, long)
    assert 0 < len(asked) < 10
    assert len(differing.compared(Compared(differences=[]), long, pairs).differences) == 40


# --- proposals ---

RISKY = finding(TEXT, 0, "to anybody, in perpetuity")
MISSING = finding(TEXT, 0, "Secrecy", id=OTHER, passage=None, topic="remedies", risk="low")


def proposed(text: Text = TEXT, /, **changes: Any) -> Any:
    material = Material(text, findings=(RISKY, MISSING))
    names = proposing.asked(material, text.clauses)
    known = {"finding": "f1", "old": "in perpetuity", "new": "for three years", "reason": "It should end some day."}
    return proposing.proposed(Proposals.model_validate({"proposals": [known | changes]}), text, text.clauses, names)


def test_words_are_replaced_where_they_stand_for_the_finding_that_is_named() -> None:
    one = proposed().proposals[0]
    assert (one.finding_id, one.replacement) == (RUN, "for three years")
    assert TEXT.text[one.passage.start : one.passage.end] == one.passage.quote == "in perpetuity"


def test_what_is_missing_is_put_behind_words_that_stay() -> None:
    behind = "This Agreement is governed by the laws of England and Wales."
    one = proposed(finding="f2", old=behind, new=f"{behind} Either party may ask a court for an injunction.").proposals[
        0
    ]
    assert (one.finding_id, one.passage.clause) == (OTHER, 3)
    assert not proposed(finding="f2", old=behind, new="Either party may ask a court for an injunction.").proposals


@pytest.mark.parametrize(
    "changes",
    [
        {"finding": "f9"},
        {"finding": "perpetual"},
        {"old": "ends two years after"},
        {"old": "the"},
        {"old": ""},
        {"old": "in eternity"},
        {"new": "in perpetuity"},
        {"new": "until https://owned.example says otherwise"},
        {"new": "until law@owned.example says otherwise"},
        {"new": "<script>x</script>"},
        {"reason": ""},
        {"reason": "See owned.example."},
        {"reason": "[x](y)"},
    ],
    ids=lambda changes: "-".join(f"{key}-{value[:20]!r}" for key, value in changes.items()),
)
def test_a_proposal_that_does_not_fit_is_dropped_and_counted(changes: dict[str, str]) -> None:
    extract = proposed(**changes)
    assert (extract.proposals, extract.dropped) == ((), 1)


CELLS = agreement("1. Secrecy.\tto anybody, in perpetuity\tof the agreement")


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("anybody, in perpetuity\tof the agreement", "anybody, for a year\tof the agreement", True),
        ("Secrecy.\tto anybody, in perpetuity", "Secrecy.\tto nobody, for a year", True),
        ("Secrecy.\tto anybody, in perpetuity", "Secret.\tto nobody, for a year", False),
        ("Secrecy.\tto anybody, in perpetuity", "Secrecy. to nobody, for a year", False),
    ],
    ids=["before", "behind", "over", "without"],
)
def test_words_of_several_cells_are_not_replaced(old: str, new: str, *, kept: bool) -> None:
    risky = finding(CELLS, 0, "to anybody, in perpetuity")
    names = proposing.asked(Material(CELLS, findings=(risky,)), CELLS.clauses)
    said = Proposals.model_validate({"proposals": [{"finding": "f1", "old": old, "new": new, "reason": "Shorter."}]})
    extract = proposing.proposed(said, CELLS, CELLS.clauses, names)
    assert ([one.replacement for one in extract.proposals], extract.dropped) == (([new], 0) if kept else ([], 1))


def test_what_nobody_sees_is_not_put_into_a_document() -> None:
    assert proposed(new="for\u200b three\U000e0041 years\x00").proposals[0].replacement == "for three years"


def test_of_two_changes_to_the_same_words_the_first_wins() -> None:
    names = proposing.asked(Material(TEXT, findings=(RISKY,)), TEXT.clauses)
    one = {"finding": "f1", "old": "in perpetuity", "new": "for a year", "reason": "Shorter."}
    other = one | {"old": "to anybody, in perpetuity", "new": "to others"}
    said = Proposals.model_validate({"proposals": [one, other]})
    extract = proposing.proposed(said, TEXT, TEXT.clauses, names)
    assert ([change.replacement for change in extract.proposals], extract.dropped) == (["for a year"], 1)


def test_what_is_fine_and_what_is_the_same_asks_for_no_change() -> None:
    fine = finding(TEXT, 3, "governed by the laws", risk="none", rule="")
    passage = Passage(clause=1, start=TEXT.clauses[1].start, end=TEXT.clauses[1].start + 2, quote="6.")
    differences = tuple(
        Difference(
            id=OTHER, topic=Topic.TERM, change=change, matters=matters, said="It differs.", ours=passage, theirs=None
        )
        for change, matters in ((Change.SAME, Risk.NONE), (Change.CHANGED, Risk.LOW), (Change.CHANGED, Risk.HIGH))
    )
    material = Material(TEXT, findings=(fine,), differences=differences)
    assert list(proposing.asked(material, TEXT.clauses).values()) == [differences[2]]
    assert proposing.asked(material, TEXT.clauses[:1]) == {}
