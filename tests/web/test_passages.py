"""A text cut by its clauses and by what is quoted of it: nothing is lost, and every passage is marked from end to end."""

from itertools import pairwise
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as some

from schemas.documents import Clause, Finding, Passage, Risk, Topic
from starter.show import differing, passages

TEXT = "1. Term\nTwo years. It survives.\n2. Law\nEngland."


def finding(start: int, end: int, risk: Risk = Risk.LOW, text: str = TEXT) -> Finding:
    passage = Passage(clause=0, start=start, end=end, quote=text[start:end])
    return Finding(id=str(uuid4()), topic=Topic.TERM, risk=risk, said="It says so.", passage=passage)


@some.composite
def cut(draw: some.DrawFn) -> tuple[str, list[Clause], list[Finding]]:
    """Any text, any clauses that cover it, any passages in it."""
    text = draw(some.text(min_size=1, max_size=120))
    edges = sorted({0, len(text), *draw(some.lists(some.integers(0, len(text)), max_size=6))})
    clauses = [
        Clause(ordinal=n, start=start, end=end, heading=draw(some.sampled_from(("", text[start : start + 3]))))
        for n, (start, end) in enumerate(pairwise(edges))
    ]
    found = []
    for _ in range(draw(some.integers(0, 6))):
        start = draw(some.integers(0, len(text) - 1))
        found.append(finding(start, draw(some.integers(start + 1, len(text))), draw(some.sampled_from(Risk)), text))
    return text, clauses, found


@settings(max_examples=150, deadline=None)
@given(cut())
def test_every_piece_joined_is_the_text_and_every_passage_is_marked_whole(
    made: tuple[str, list[Clause], list[Finding]],
) -> None:
    text, clauses, found = made
    counted = passages.numbered(found, len(text))
    pieces = [piece for one in passages.paragraphs(text, clauses, counted) for piece in one.pieces]

    assert "".join(piece.text for piece in pieces) == text
    for one in counted:
        assert one.finding.passage is not None
        assert "".join(piece.text for piece in pieces if one.number in piece.numbers) == one.finding.passage.quote
        assert sum(one.number in piece.begins for piece in pieces) == 1
        assert sum(one.number in piece.ends for piece in pieces) == 1
    assert all(piece.text for piece in pieces)


def test_where_passages_overlap_the_gravest_colours_and_all_are_named() -> None:
    found = passages.numbered([finding(8, 31, Risk.LOW), finding(19, 31, Risk.HIGH), finding(8, 18)], len(TEXT))
    clauses = [Clause(ordinal=0, start=0, end=32, heading="Term"), Clause(ordinal=1, start=32, end=len(TEXT))]
    first, second = passages.paragraphs(TEXT, clauses, found)

    assert [(one.text, one.numbers, one.risk) for one in first.pieces] == [
        ("1. Term", (), Risk.NONE),
        ("\n", (), Risk.NONE),
        ("Two years.", (1, 2), Risk.LOW),
        (" ", (2,), Risk.LOW),
        ("It survives.", (3, 2), Risk.HIGH),
        ("\n", (), Risk.NONE),
    ]
    assert [one.heading for one in first.pieces] == [True, *[False] * 5]
    assert [one.text for one in second.pieces] == [TEXT[32:]]


def test_what_stands_nowhere_is_not_counted() -> None:
    beyond = finding(0, 4).model_copy(update={"passage": Passage(clause=0, start=40, end=4000, quote="x")})
    missing = finding(0, 4).model_copy(update={"passage": None})

    assert passages.numbered([beyond, missing], len(TEXT)) == ()


WORDS = some.lists(some.sampled_from(["two", "years", ",", "\n", " ", "five", "\u00e9\u0301", "a.b"]), max_size=30)


@settings(max_examples=150, deadline=None)
@given(WORDS, WORDS)
def test_either_side_is_whole_whatever_differs(left: list[str], right: list[str]) -> None:
    ours, theirs = "".join(left), "".join(right)
    one, other = differing.sides(ours, theirs)
    assert ("".join(run.text for run in one), "".join(run.text for run in other)) == (ours, theirs)
    old = "".join(step.text for step in differing.steps(ours, theirs) if step.kind != "ins")
    assert old == ours


def test_words_that_differ_are_marked_and_line_ends_are_none() -> None:
    one, other = differing.sides("for two years\nafter", "for five years after")

    assert [(run.text, run.differs) for run in one] == [("for ", False), ("two ", True), ("years\nafter", False)]
    assert [(run.text, run.differs) for run in other] == [("for ", False), ("five ", True), ("years after", False)]


def test_a_step_says_what_goes_and_what_comes() -> None:
    said = [(step.kind, step.text) for step in differing.steps("for five years", "for two years")]
    assert said == [("", "for "), ("del", "five "), ("ins", "two "), ("", "years")]


def test_texts_that_would_take_too_long_differ_as_a_whole() -> None:
    one, other = differing.sides("a " * 1000, "a b " * 500)

    assert [run.differs for run in (*one, *other)] == [True, True]
