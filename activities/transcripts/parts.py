"""A long call in parts that a model reads at once: cut between turns, each part beginning with the end of the one before."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from activities.plain import clean
from schemas.transcripts import Speaker, Spoken, Turn

# Characters of what was said. What a model reads carefully, and answers within its window.
LONGEST_PART = 24_000
# Of a turn; a longer one is cut, so that it fits into what is left of a part.
LONGEST_LINE = 4_000
# What a part repeats: a promise is often the answer to what was asked a turn before.
OVERLAP, OVERLAP_TURNS = 1_500, 4
# Of the turn around a line: where a line is cut, a quote may run over the cut. Where this in its turn is cut off stands
# a sign: whatever is found so near to it that it shows beside the words may go on in another way than it seems.
AROUND = 200
CUT = "\u241e"

_SENTENCE = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019\u00bb)\]]*\s+|[\u3002\uff01\uff1f]+\s*")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Line:
    """A turn, or a piece of a long one, as it is numbered for the model. Its time is the turn's."""

    number: int
    turn: Turn
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.turn.text[self.start : self.end]

    @property
    def heard(self) -> str:
        """What a quote is looked for in."""
        start, end = max(self.start - AROUND, 0), self.end + AROUND
        return CUT * (start > 0) + self.turn.text[start:end] + CUT * (end < len(self.turn.text))


@dataclass(frozen=True)
class Part:
    """Lines of a call that are read together. `speakers` are all of the transcript's."""

    number: int
    lines: tuple[Line, ...]
    speakers: tuple[Speaker, ...]
    timed: bool = True

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(dict.fromkeys(line.turn for line in self.lines))

    def shown(self, names: dict[str, str]) -> list[dict[str, Any]]:
        """As the model sees it; `names` are by a speaker's key."""
        return [
            {
                "turn": line.number,
                "by": names.get(line.turn.speaker) or clean(line.turn.speaker, 200),
                **({"at": _clock(line.turn.start_ms)} if self.timed else {}),
                "text": clean(line.text, LONGEST_LINE),
            }
            for line in self.lines
        ]


def split(spoken: Spoken) -> tuple[Part, ...]:
    """The call in parts, in its order. Without a word in it there is none."""
    return tuple(
        Part(number, tuple(lines), spoken.speakers, spoken.timed)
        for number, lines in enumerate(_packed(spoken), start=1)
    )


def _packed(spoken: Spoken) -> Iterator[list[Line]]:
    lines: list[Line] = []
    for line in _lines(spoken):
        if lines and _length(lines) + _length([line]) > LONGEST_PART:
            yield lines
            lines = _end_of(lines)
        lines.append(line)
    if lines:
        yield lines


def _end_of(lines: list[Line]) -> list[Line]:
    """The last line, and of those before it as many as are short."""
    kept = 1
    while kept < OVERLAP_TURNS and _length(lines[-kept - 1 :]) <= OVERLAP:
        kept += 1
    return lines[-kept:]


def _length(lines: list[Line]) -> int:
    return sum(line.end - line.start for line in lines)


def _lines(spoken: Spoken) -> Iterator[Line]:
    number = 0
    for turn in spoken.turns:
        for start, end in _pieces(turn.text):
            number += 1
            yield Line(number, turn, start, end)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """From where to where: at sentences, where there are none at spaces, and else anywhere."""
    start = 0
    while len(text) - start > LONGEST_LINE:
        end = _cut(text, start, _SENTENCE) or _cut(text, start, _SPACE) or start + LONGEST_LINE
        yield start, end
        start = end
    if text[start:].strip():
        yield start, len(text)


def _cut(text: str, start: int, pattern: re.Pattern[str]) -> int | None:
    """The last place of its kind in what may be a line, unless that is near the beginning."""
    ends = [match.end() for match in pattern.finditer(text, start + LONGEST_LINE // 2, start + LONGEST_LINE)]
    return ends[-1] if ends else None


def _clock(at_ms: int) -> str:
    minutes, seconds = divmod(at_ms // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
