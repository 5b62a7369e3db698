"""Clauses of two agreements find each other by words, headings and vectors, each once, and none is lost."""

import time
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from activities.documents import pairing
from activities.documents.pairing import Near, nearest, of_part, pair
from activities.documents.parts import parts
from activities.documents.ports import Pair, Text
from sandbox import voyage
from tests.documents.thinking import BONTERMS, LAW, OTHER, RETURN, SECRET, TERM, agreement

OURS = agreement(SECRET, TERM, RETURN, LAW)


def near(ours: Text, theirs: Text) -> dict[tuple[int, int], float]:
    """As Postgres would tell it."""
    mine, others = ([voyage.vector(text.of(one)) for one in text.clauses] for text in (ours, theirs))
    return {
        (one, other): sum(a * b for a, b in zip(mine[one], others[other], strict=True))
        for one, other in product(range(len(mine)), range(len(others)))
    }


def met(pairs: tuple[Pair, ...]) -> list[tuple[int | None, int | None]]:
    return [(one.ours.ordinal if one.ours else None, one.theirs.ordinal if one.theirs else None) for one in pairs]


def test_the_same_words_answer_each_other_wherever_they_stand_and_however_they_are_numbered() -> None:
    theirs = agreement(LAW.replace("9. Law", "1) **Law**"), SECRET, RETURN.replace("7.", "3."), TERM)
    pairs = pair(OURS, theirs, OTHER, {})
    assert met(pairs) == [(0, 1), (1, 3), (2, 2), (3, 0)]
    assert all(one.nearness == 1.0 and one.theirs_document_id == OTHER for one in pairs)
    assert [one.theirs_text for one in pairs] == [theirs.of(theirs.clauses[n]) for n in (1, 3, 2, 0)]


def test_equal_headings_answer_each_other_without_a_vector() -> None:
    theirs = agreement(
        "1. Term. Whoever wants may leave at any time.", "2. Law. French law applies to everything here."
    )
    assert met(pair(OURS, theirs, OTHER, {})) == [(0, None), (1, 0), (2, None), (3, 1)]


def test_vectors_tell_what_headings_do_not() -> None:
    theirs = agreement(
        "1. Duration. This Agreement ends three years after its Effective Date.",
        "2. Handing back. The Recipient shall return all Confidential Information within 10 days of a request.",
    )
    assert met(pair(OURS, theirs, OTHER, near(OURS, theirs))) == [(0, None), (1, 0), (2, 1), (3, None)]


def test_what_theirs_has_alone_stands_behind_the_pair_that_it_follows() -> None:
    theirs = agreement(
        "0. Parties. Harbour and Quay.", TERM, "8. Audit. Anybody may look at everything.", LAW, "X. Signed."
    )
    assert met(pair(OURS, theirs, OTHER, {})) == [
        *((None, 0), (0, None), (1, 1), (None, 2)),
        *((2, None), (3, 3), (None, 4)),
    ]


def test_what_is_far_is_no_answer() -> None:
    theirs = agreement("1. Weather. Rain is expected in the north tomorrow.")
    assert met(pair(OURS, theirs, OTHER, {(n, 0): 0.49 for n in range(4)})) == [
        *((None, 0), (0, None), (1, None), (2, None), (3, None)),
    ]


def test_blank_clauses_are_nobody_s_answer() -> None:
    blank = agreement("", TERM, " \t")
    assert met(pair(OURS, blank, OTHER, {(0, 0): 0.9, (2, 2): 0.9})) == [(0, None), (1, 1), (2, None), (3, None)]
    assert met(pair(blank, OURS, OTHER, {})) == [(None, 0), (1, 1), (None, 2), (None, 3)]


PIECES = st.lists(
    st.sampled_from([SECRET, TERM, RETURN, LAW, "", "1. Term. Another one.", "No heading here"]), max_size=7
)


@given(PIECES, PIECES, st.dictionaries(st.tuples(st.integers(0, 8), st.integers(0, 8)), st.floats(-1, 1)))
def test_every_clause_with_words_is_in_one_pair(
    ours: list[str], theirs: list[str], known: dict[tuple[int, int], float]
) -> None:
    mine, others = agreement(*ours), agreement(*theirs)
    pairs = met(pair(mine, others, OTHER, known))
    assert [one for one, _ in pairs if one is not None] == [n for n, text in enumerate(ours) if text]
    assert sorted(other for _, other in pairs if other is not None) == [n for n, text in enumerate(theirs) if text]


def test_the_nearest_reference_answers_if_it_is_near_enough() -> None:
    reference = agreement(TERM, LAW)
    hits = [
        Near(0, reference.clauses[0], OTHER, TERM, 0.9),
        Near(0, reference.clauses[1], OTHER, LAW, 0.95),
        Near(2, reference.clauses[1], OTHER, LAW, pairing.NEAR_ENOUGH - 0.01),
    ]
    pairs = nearest(OURS, hits)
    assert met(pairs) == [(0, 1), (1, None), (2, None), (3, None)]
    assert [one.theirs_document_id for one in pairs] == [OTHER, None, None, None]


def test_parts_have_every_pair_once() -> None:
    ours = agreement(*(f"{n}. Head {n}. {'word ' * 600}{n}" for n in range(12)))
    theirs = agreement("Before.", *(f"{n}. Head {n}. {'word ' * 600}{n * n}" for n in range(0, 12, 2)), "Behind.")
    pairs, pages = pair(ours, theirs, OTHER, {}), parts(ours.clauses)
    assert len(pages) > 2
    assert [one for page in pages for one in of_part(page, pairs)] == list(pairs)


def test_a_real_agreement_answers_itself() -> None:
    paragraphs = [one for one in BONTERMS.read_text().split("\n\n") if one.strip()]
    changed = [one.replace("Recipient will", "The Recipient shall") for one in reversed(paragraphs)]
    ours, theirs = agreement(*paragraphs), agreement(*changed)
    last = len(paragraphs) - 1
    assert met(pair(ours, theirs, OTHER, near(ours, theirs))) == [(n, last - n) for n in range(last + 1)]


def test_two_thousand_clauses_are_paired_soon() -> None:
    ours = agreement(*(f"{n}. Term. Clause {n} of many." for n in range(2000)))
    theirs = agreement(*(f"{n}. Term. Clause {n} of some." for n in range(2000)))
    known = {(n, m % 2000): 0.9 - (m - n) / 100 for n in range(2000) for m in range(n, n + 5)}
    begun = time.monotonic()
    assert met(pair(ours, theirs, OTHER, known)) == [(n, n) for n in range(2000)]
    assert time.monotonic() - begun < 5
