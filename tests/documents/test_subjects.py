"""Clauses on one subject answer each other though their words are far apart; titles and notes matter nothing."""

from pathlib import Path

import pytest

from activities.documents import differing, signs
from activities.documents.clauses import split
from activities.documents.pairing import Near, nearest, pair
from activities.documents.ports import Pair, Text
from activities.documents.said import Compared
from activities.store.document_pairs import MANY
from sandbox import reviewer
from schemas.documents import Risk
from tests.documents.test_pairing import near
from tests.documents.thinking import BONTERMS, LAW, OTHER, TERM, agreement

REFERENCES = Path(__file__).parents[2] / "references"


def read(path: Path) -> Text:
    text = path.read_text()
    return Text(text, split(text))


def answers(pairs: tuple[Pair, ...]) -> dict[str, str]:
    return {one.ours.heading: one.theirs.heading for one in pairs if one.ours and one.theirs}


OURS, MUTUAL = read(BONTERMS), read(REFERENCES / "mutual-nda-plain.txt")


def test_a_real_agreement_is_answered_by_a_reference_on_the_same_subjects() -> None:
    met = answers(pair(OURS, MUTUAL, OTHER, near(OURS, MUTUAL)))
    assert met["Governing Law and Courts"] == "Governing law"
    assert met["Term and Termination"] == "Term and survival"
    assert met["Exceptions"] == "Exclusions"


def test_the_nearest_of_all_references_is_on_the_same_subject() -> None:
    """Among as many as Postgres tells of."""
    hits = [
        Near(one, theirs.clauses[other], OTHER, theirs.of(theirs.clauses[other]), score)
        for theirs in map(read, sorted(REFERENCES.glob("*nda*.txt")))
        for (one, other), score in near(OURS, theirs).items()
    ]
    hits = [
        hit
        for clause in OURS.clauses
        for hit in sorted((one for one in hits if one.ours == clause.ordinal), key=lambda one: -one.nearness)[:MANY]
    ]
    met = answers(nearest(OURS, hits))
    assert met["Governing Law and Courts"].startswith("Governing law")
    assert met["Term and Termination"].startswith("Term")
    assert met["Exceptions"].startswith("Exclusions")


@pytest.mark.parametrize(
    ("text", "formal"),
    [
        ("# Bonterms Mutual NDA (Version 1.0)", True),
        (
            "MUTUAL NON-DISCLOSURE AGREEMENT (PLAIN)\n\nThis reference is invented. It is sandbox data and no legal advice.",
            True,
        ),
        ("\u00a9 2021. Free to use under CC BY 4.0.", True),
        ("This Agreement is made on 1 May 2026 between Harbour Ltd and Quay Ltd.", True),
        (TERM, False),
        (LAW, False),
        (f"This Agreement is made between Harbour and Quay. {'They keep it secret. ' * 60}", False),
    ],
    ids=["title", "note", "copyright", "preamble", "term", "law", "long"],
)
def test_titles_and_notes(text: str, *, formal: bool) -> None:
    assert signs.formal(text) is formal


def test_titles_and_notes_matter_nothing_on_either_side() -> None:
    ours, theirs = agreement("NDA (Version 2)", TERM), agreement("Copyright Quay, all rights reserved.", LAW)
    pairs = (
        Pair(ours.clauses[0], None, None),
        Pair(ours.clauses[0], theirs.clauses[0], OTHER, theirs.of(theirs.clauses[0])),
        Pair(None, theirs.clauses[0], OTHER, theirs.of(theirs.clauses[0])),
        Pair(None, theirs.clauses[1], OTHER, theirs.of(theirs.clauses[1])),
    )
    assert differing.asked(pairs, ours) == {}
    found = differing.compared(Compared(differences=[]), ours, pairs).differences
    assert [one.matters for one in found] == [Risk.NONE] * 3 + [Risk.MEDIUM]


def test_what_is_said_of_a_difference_repeats_no_quote() -> None:
    task = reviewer.Task(
        kind="pairs",
        pairs=[reviewer.Pair(pair="p1", ours=TERM, theirs="6. Term. This Agreement ends when either party says so.")],
    )
    (one,) = reviewer.answered(task)["differences"]
    assert one["said"] == "The two say different things about survival."
    assert one["ours"] and one["theirs"]
