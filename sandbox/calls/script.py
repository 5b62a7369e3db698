"""What a call is made of, and how a script becomes one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

# How fast people speak, and the pauses between their sentences and their turns.
WORD_MS, PAUSE_MS, TURN_MS = 370, 300, 700

_SENTENCES = re.compile(r"(?<=[.!?]) +")


@dataclass(frozen=True)
class Voice:
    """Somebody on a call. Not everybody was invited by address."""

    name: str
    email: str | None
    ours: bool


@dataclass(frozen=True)
class Sentence:
    """Milliseconds from the start of the call; `speaker` is a voice's name."""

    speaker: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class InventedCall:
    """`ago` is how long before now it began."""

    id: str
    title: str
    ago: timedelta
    speakers: tuple[Voice, ...]
    sentences: tuple[Sentence, ...]

    @property
    def duration_ms(self) -> int:
        return self.sentences[-1].end_ms + TURN_MS


def spoken(turns: Iterable[tuple[str, str]]) -> tuple[Sentence, ...]:
    """Turns, each a speaker and what they say at a stretch, as sentences with their times."""
    sentences: list[Sentence] = []
    at = 2_000
    for speaker, text in turns:
        for sentence in _SENTENCES.split(text):
            end = at + WORD_MS * len(sentence.split())
            sentences.append(Sentence(speaker, at, end, sentence))
            at = end + PAUSE_MS
        at += TURN_MS
    return tuple(sentences)
