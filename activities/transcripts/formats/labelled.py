"""Text in which a name and a colon tell who speaks, with or without times; and text in which nothing does."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from activities.transcripts.formats.clocks import TIME, milliseconds
from activities.transcripts.formats.labels import candidate, namelike, titled, trusted
from activities.transcripts.formats.utterances import Utterance

# What stands above the first one who speaks: a title, a date, who was invited. More of it is text of some kind.
PREFACE = 15
# What a service writes below a transcript, in its last lines.
_TAIL = ("transcription ended after", "meeting ended after", "this editable transcript was computer generated")
_TAIL_LINES = 10
_LONGEST_NAME = 80
_ENDS = (".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f")

_STAMP = re.compile(rf"[\[(]?{TIME}[\])]?")
_LED = re.compile(rf"[\[(]?{TIME}[\])]?(?:\s{{1,4}}[-\u2013])?\s{{1,8}}(?P<rest>\S.*)", re.DOTALL)


def closed(last: Utterance, words: list[str]) -> Iterator[Utterance]:
    """What was gathered under one head. Above the first one stands no speech, unless it is long."""
    if last.name or last.start_ms is not None or sum(map(bool, words)) > PREFACE:
        yield Utterance(" ".join(words), last.name, last.start_ms)


class Labelled:
    """Reads the lines once for what they hold, and once for what was said."""

    def __init__(self, lines: list[str]) -> None:
        self._stamped = any(_STAMP.fullmatch(line) for line in lines)
        self._lines = _without_tail(lines) if self._stamped else lines
        # Agendas and prose have lines that begin with a time, but not so many.
        led = sum(1 for line in self._lines if _LED.match(line))
        self._led = led >= 2 and 4 * led >= sum(map(bool, self._lines))
        self._names, self.named = self._labels()
        alone = _alone(self._lines) if self._stamped else frozenset()
        self._alone = alone if sum(line in alone for line in self._lines) > self.named else frozenset()

    @property
    def kind(self) -> str:
        if self._stamped:
            return "meet"
        return "text" if self.named or self._led else "words"

    def utterances(self) -> Iterator[Utterance]:
        if self.kind == "words":
            return _paragraphs(self._lines)
        return self._told()

    def _labels(self) -> tuple[frozenset[str], int]:
        """The names that stand before a colon, and how often they do. One alone, far down, is words."""
        found = [(number, label[0]) for number, line in enumerate(self._lines) if (label := self._label(line))]
        names = trusted((name for _, name in found), sum(map(bool, self._lines)))
        at = [number for number, name in found if name in names]
        return (frozenset(), 0) if len(at) == 1 and at[0] > PREFACE else (names, len(at))

    def _label(self, line: str) -> tuple[str, str] | None:
        return candidate(self._split(line)[1])

    def _split(self, line: str) -> tuple[int | None, str]:
        """The time before a line's words, if lines have such."""
        led = _LED.match(line) if self._led else None
        return (milliseconds(led["time"]), led["rest"]) if led else (None, line)

    def _told(self) -> Iterator[Utterance]:
        """Lines that tell nothing go on with what was said before."""
        last, words = Utterance(""), list[str]()
        for line in self._lines:
            begun = self._begun(line, last, words)
            if begun is None:
                words.append(line)
                continue
            yield from closed(last, words)
            last, words = begun, [begun.text]
        yield from closed(last, words)

    def _begun(self, line: str, last: Utterance, words: list[str]) -> Utterance | None:
        """What begins with this line: under a new time the same one goes on, and under a new name it is as late."""
        if stamp := _STAMP.fullmatch(line):
            # Where names stand alone, one stands below each time.
            return Utterance("", "" if self._alone else last.name, milliseconds(stamp["time"]))
        # Directly below a name stands what they said, were it another's name.
        if line in self._alone and (any(words) or not last.name) and last.start_ms is not None:
            return replace(last, text="", name=line)
        at, rest = self._split(line)
        label = candidate(rest)
        name, text = label if label and label[0] in self._names else (None, rest)
        if name is None and at is None:
            return None
        return Utterance(text, last.name if name is None else name, last.start_ms if at is None else at)


def _without_tail(lines: list[str]) -> list[str]:
    for number in range(max(len(lines) - _TAIL_LINES, 0), len(lines)):
        if lines[number].casefold().startswith(_TAIL):
            return lines[:number]
    return lines


def _alone(lines: list[str]) -> frozenset[str]:
    """Lines that are a name and nothing else: below a time or nothing, or again and again, and words follow."""
    times = Counter(lines)
    return frozenset(
        line
        for above, line, below in zip(["", *lines], lines, lines[1:], strict=False)
        if _nameline(line)
        and below
        and not _STAMP.fullmatch(below)
        and (not above or times[line] > 1 or _STAMP.fullmatch(above))
    )


def _nameline(line: str) -> bool:
    """Small letters are a name of one word."""
    if len(line) > _LONGEST_NAME or line.endswith((*_ENDS, ",", ":")):
        return False
    return namelike(line) and (titled(line) or " " not in line)


def _paragraphs(lines: list[str]) -> Iterator[Utterance]:
    """Nobody is named: up to an empty line, or a line's end that ends a sentence."""
    words: list[str] = []
    for line in lines:
        words.append(line)
        if not line or line.endswith(_ENDS):
            yield Utterance(" ".join(words))
            words = []
    yield Utterance(" ".join(words))
