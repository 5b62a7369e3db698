"""A document's text cut where something begins or ends: its clauses, and the passages that findings quote.

text, clauses, findings ─▶ paragraphs ─▶ pieces, each with the findings that it belongs to ─▶ a page
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas.documents import Clause, Finding, Risk

# The first line of a clause is its heading when it is no longer than that.
LONGEST_HEADING = 120
# By how much they weigh.
WEIGHT = {Risk.NONE: 0, Risk.LOW: 1, Risk.MEDIUM: 2, Risk.HIGH: 3}


@dataclass(frozen=True)
class Piece:
    """A stretch of text that belongs to the same findings from its first letter to its last. Findings are told by their
    numbers, the gravest first."""

    text: str
    numbers: tuple[int, ...] = ()
    risk: Risk = Risk.NONE
    # The findings that begin, and those that end here.
    begins: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    heading: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A clause, as pieces."""

    ordinal: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Numbered:
    """A finding with its number: those with a passage are counted in the order in which they are read."""

    number: int
    finding: Finding


@dataclass(frozen=True)
class _Stretch:
    start: int
    end: int
    of: Numbered


def numbered(findings: Iterable[Finding], longest: int) -> tuple[Numbered, ...]:
    """Findings that stand in the text, by where they do. What claims to stand beyond its end does not stand there."""
    standing = [one for one in findings if one.passage and 0 <= one.passage.start < one.passage.end <= longest]
    standing.sort(key=lambda one: (one.passage.start, one.passage.end) if one.passage else (0, 0))
    return tuple(Numbered(number, one) for number, one in enumerate(standing, 1))


def paragraphs(text: str, clauses: Sequence[Clause], findings: Sequence[Numbered]) -> tuple[Paragraph, ...]:
    """The whole text: joined, all pieces are it again. A finding may span clauses, and several may overlap. Findings come
    in the order in which they stand."""
    whole = clauses or ((Clause(ordinal=0, start=0, end=len(text)),) if text else ())
    waiting = [
        _Stretch(one.finding.passage.start, one.finding.passage.end, one) for one in findings if one.finding.passage
    ]
    waiting.reverse()
    here: list[_Stretch] = []
    made = []
    for clause in whole:
        while waiting and waiting[-1].start < clause.end:
            here.append(waiting.pop())
        here = [one for one in here if one.end > clause.start]
        made.append(Paragraph(clause.ordinal, tuple(_pieces(text, clause, here))))
    return tuple(made)


def gravest(findings: Sequence[Numbered]) -> list[Numbered]:
    return sorted(findings, key=lambda one: (-WEIGHT[one.finding.risk], one.number))


def _pieces(text: str, clause: Clause, here: Sequence[_Stretch]) -> Iterator[Piece]:
    """A clause, cut where its heading ends and where findings begin or end."""
    heading = _heading(text, clause)
    cuts = {clause.start, clause.end, *(edge for one in here for edge in (one.start, one.end)), heading}
    for start, end in pairwise(sorted(cut for cut in cuts if clause.start <= cut <= clause.end)):
        over = gravest([one.of for one in here if one.start < end and one.end > start])
        yield Piece(
            text=text[start:end],
            numbers=tuple(one.number for one in over),
            risk=over[0].finding.risk if over else Risk.NONE,
            begins=tuple(one.of.number for one in here if one.start == start),
            ends=tuple(one.of.number for one in here if one.end == end),
            heading=end <= heading,
        )


def _heading(text: str, clause: Clause) -> int:
    """Where the heading of a clause ends: its first line, if that is what it is. Before the clause when it has none."""
    if not clause.heading:
        return -1
    line = text[clause.start : clause.end].split("\n", 1)[0]
    return clause.start + len(line) if clause.heading in line and len(line) <= LONGEST_HEADING else -1
