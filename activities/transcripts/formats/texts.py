"""Transcripts that are saved as text: each kind has its own line that says who speaks, and when.

Zoom        [Name] 10:02:03, or 10:02:03 From Name: text
Teams       Name   0:05
Meet        00:05:00, and below it Name: text, or Name and then text
any other   Name: text, with or without a time before it; or words alone
"""

import re
from collections.abc import Callable, Iterator
from operator import itemgetter

from activities.transcripts.formats.clocks import TIME, elapsed, milliseconds
from activities.transcripts.formats.labelled import PREFACE, Labelled, closed
from activities.transcripts.formats.labels import namelike, plain_line, titled
from activities.transcripts.formats.utterances import Utterance

# Longer lines are words.
_LONGEST_HEAD = 300

_BRACKETED = re.compile(rf"\[(?P<name>[^\[\]]{{1,250}})\]\s{{1,8}}{TIME}")
_FROM = re.compile(rf"{TIME}\s{{1,8}}From\s{{1,8}}(?P<name>[^:]{{1,250}}):(?P<text>.*)", re.DOTALL)
# "November 22, 2026, 10:00AM" says when a call was.
_DATED = re.compile(r"[0-9]{4}|,$")
_TAILED = re.compile(rf"(?P<gap>\s{{1,12}})\(?{TIME}\)?$")
_Head = Callable[[str], Utterance | None]


def read(text: str) -> tuple[str, list[Utterance]]:
    """What kind it is, and its utterances; "words" when nothing in it says who speaks, or when."""
    lines = [plain_line(line) for line in text.split("\n")]
    spoken = Labelled(lines)
    often, (kind, head) = max(((_heads(head, lines), (kind, head)) for kind, head in _HEADS), key=itemgetter(0))
    if often >= max(spoken.named, 1):
        return kind, list(elapsed(_headed(lines, head)))
    return spoken.kind, list(elapsed(spoken.utterances()))


def _bracketed(line: str) -> Utterance | None:
    found = _BRACKETED.fullmatch(line)
    return Utterance("", found["name"], milliseconds(found["time"])) if found else None


def _from(line: str) -> Utterance | None:
    found = _FROM.match(line)
    if not found:
        return None
    # Whom it was said to is nobody who speaks.
    name = " ".join(found["name"].split()).partition(" to ")[0]
    return Utterance(found["text"], name, milliseconds(found["time"]))


def _tailed(line: str) -> Utterance | None:
    """A name and its time, and wide space between them; or narrow, when the name is written as names are."""
    if len(line) > _LONGEST_HEAD or not (found := _TAILED.search(line, max(len(line) - 30, 0))):
        return None
    name = line[: found.start()].rstrip()
    if not namelike(name) or _DATED.search(name) or (found["gap"] == " " and not titled(name)):
        return None
    return Utterance("", name, milliseconds(found["time"]))


_HEADS: tuple[tuple[str, _Head], ...] = (("zoom", _bracketed), ("zoom", _from), ("teams", _tailed))


def _heads(head: _Head, lines: list[str]) -> int:
    """How many there are. One alone, far down, is words."""
    at = [number for number, line in enumerate(lines) if line and head(line)]
    return 0 if len(at) == 1 and at[0] > PREFACE else len(at)


def _headed(lines: list[str], head: _Head) -> Iterator[Utterance]:
    """A line says who, and the words stand below."""
    last, words = Utterance(""), list[str]()
    for line in lines:
        if not (found := head(line)):
            words.append(line)
            continue
        yield from closed(last, words)
        last, words = found, [found.text]
    yield from closed(last, words)
