"""A script cut into what is spoken in one call, and where its lines are heard once that is spoken.

lines ─▶ turns ─▶ pieces of whole turns; a turn that is longer is cut at its lines, a line that is longer at its words
"""

import hashlib
import json
import textwrap
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from activities.digests.ports import Utterance
from schemas.digests import Chapter, Line, Script

# The letters of one call. Near 2,000 an answer may end early and say nothing of it, so we stay well below.
MOST_LETTERS = 1500

OPENING, END = "Opening", "End"


@dataclass(frozen=True)
class Part:
    """A line, or as much of it as one call takes; `line` is its position in the script, from 0."""

    line: int
    turn: int
    voice: int
    text: str


@dataclass(frozen=True)
class Piece:
    """What is spoken in one call. The hash is the same for the same words in the same voices."""

    parts: tuple[Part, ...]
    utterances: tuple[Utterance, ...]
    hash: str

    @property
    def letters(self) -> int:
        return letters(self.utterances)


def letters(utterances: Iterable[Utterance]) -> int:
    """What is paid for."""
    return sum(len(one.text) for one in utterances)


def pieces(script: Script, manner: str) -> tuple[Piece, ...]:
    """In the script's order, each of no more than MOST_LETTERS."""
    return tuple(_piece(parts, manner) for parts in _packed(_units(script.lines)))


def timed(script: Script, cut: Sequence[Piece], durations_ms: Sequence[int]) -> Script:
    """The script with where each line is heard: a piece's time is shared out by letters."""
    spans: dict[int, tuple[int, int]] = {}
    began = 0
    for piece, duration_ms in zip(cut, durations_ms, strict=True):
        for part, (start, end) in zip(piece.parts, _shared(piece.parts, began, duration_ms), strict=True):
            spans[part.line] = (spans.get(part.line, (start, end))[0], end)
        began += duration_ms
    lines = (_at(line, spans.get(position)) for position, line in enumerate(script.lines))
    return script.model_copy(update={"lines": tuple(lines)})


def chapters(script: Script) -> tuple[Chapter, ...]:
    """The opening, each item, and the end, of a script whose lines have their times."""
    told = [position for position, line in enumerate(script.lines) if line.item is not None]
    parts = groupby(enumerate(script.lines), key=lambda one: _chapter(script, one[0], told))
    made = (_of(title, [line for _, line in several]) for (_, title), several in parts)
    return tuple(chapter for chapter in made if chapter is not None)


def _units(lines: Sequence[Line]) -> Iterator[tuple[Part, ...]]:
    """What stays together: turns, as far as a piece takes them."""
    for (turn, voice), several in groupby(enumerate(lines), key=lambda one: (one[1].turn, one[1].voice)):
        parts = [Part(at, turn, voice, text) for at, line in several for text in _cut(line.text)]
        yield from _packed((part,) for part in parts)


def _cut(text: str) -> list[str]:
    """Nothing for a line that says nothing."""
    return textwrap.wrap(text, MOST_LETTERS)


def _packed(units: Iterable[tuple[Part, ...]]) -> Iterator[tuple[Part, ...]]:
    """As many of these in one as fit."""
    held: tuple[Part, ...] = ()
    for unit in units:
        if held and letters(_utterances(held + unit)) > MOST_LETTERS:
            yield held
            held = ()
        held += unit
    if held:
        yield held


def _piece(parts: tuple[Part, ...], manner: str) -> Piece:
    utterances = _utterances(parts)
    said = json.dumps([manner, *((one.voice, one.text) for one in utterances)], ensure_ascii=True)
    return Piece(parts, utterances, hashlib.sha256(said.encode()).hexdigest())


def _utterances(parts: Sequence[Part]) -> tuple[Utterance, ...]:
    turns = groupby(parts, key=lambda part: (part.turn, part.voice))
    return tuple(Utterance(voice, " ".join(part.text for part in several)) for (_, voice), several in turns)


def _shared(parts: Sequence[Part], began: int, duration_ms: int) -> Iterator[tuple[int, int]]:
    total, before = sum(len(part.text) for part in parts), 0
    for part in parts:
        start, before = before, before + len(part.text)
        yield began + duration_ms * start // total, began + duration_ms * before // total


def _at(line: Line, span: tuple[int, int] | None) -> Line:
    return line if span is None else line.model_copy(update={"start_ms": span[0], "end_ms": span[1]})


def _chapter(script: Script, position: int, told: Sequence[int]) -> tuple[int, str]:
    """What leads from one item to the next belongs to the one before."""
    before = bisect_right(told, position)
    item = script.lines[told[before - 1]].item if before else None
    if item is None:
        return 0, OPENING
    return (0, END) if position > told[-1] else (item, script.items[item - 1].title)


def _of(title: str, lines: Sequence[Line]) -> Chapter | None:
    """None of what is not heard."""
    starts = [line.start_ms for line in lines if line.start_ms is not None]
    ends = [line.end_ms for line in lines if line.end_ms is not None]
    return Chapter(title=title, start_ms=starts[0], end_ms=ends[-1]) if starts and ends else None
