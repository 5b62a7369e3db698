"""Utterances to turns: names and words cleaned, times told from the start of the call, and what one speaker says joined."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from activities.plain import clean
from activities.transcripts.formats.labels import person
from activities.transcripts.formats.utterances import (
    MOST_SPEAKERS,
    MOST_TURNS,
    UnreadableError,
    Utterance,
    too_many_turns,
)
from schemas.transcripts import Speaker, Spoken, Turn

# Who speaks in a file that names nobody.
NOBODY = "Speaker"
# A breath, between two cues of one speaker; and what a turn may grow to by joining.
PAUSE_MS = 2_000
LONGEST_JOINED = 1_500
# Seven days: no call lasts so long, and a damaged time does not become a number that nothing can keep.
_LATEST_MS = 7 * 24 * 3_600_000


@dataclass
class _Open:
    """A turn that may still grow. Until when its last utterance was heard is its beginning where no end is told."""

    speaker: str
    start_ms: int
    end_ms: int
    last_ms: int
    heard_ms: int
    length: int
    texts: list[str]
    # Where in the joined text an utterance begins, and when.
    times: list[tuple[int, int]] = field(default_factory=list)

    def takes(self, other: "_Open") -> bool:
        return (
            self.speaker == other.speaker
            and self.last_ms <= other.start_ms < self.heard_ms + PAUSE_MS
            and self.length + 1 + other.length < LONGEST_JOINED
        )

    def join(self, other: "_Open") -> None:
        self.texts += other.texts
        if other.start_ms > self.last_ms:
            self.times.append((self.length + 1, other.start_ms))
        self.length += 1 + other.length
        self.last_ms, self.heard_ms = other.start_ms, max(self.heard_ms, other.heard_ms)
        self.end_ms = max(self.end_ms, other.end_ms)


@dataclass
class _Cast:
    """Everybody who spoke, in the order of their first words."""

    speakers: dict[str, Speaker] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)

    def key(self, told: str) -> str:
        if told not in self._keys:
            self._keys[told] = self._met(told)
        return self._keys[told]

    def _met(self, told: str) -> str:
        name, email = person(told)
        key = name or NOBODY
        known = self.speakers.get(key)
        self.speakers[key] = known if known and (known.email or not email) else Speaker(key=key, name=name, email=email)
        if len(self.speakers) > MOST_SPEAKERS:
            raise UnreadableError(f"The file names more than {MOST_SPEAKERS} speakers; it seems to be no transcript.")
        return key


def spoken(kind: str, utterances: Iterable[Utterance]) -> Spoken:
    """The transcript. Its speakers are told as they were met, and no word of it is left out."""
    said, cast = list(_cleaned(utterances)), _Cast()
    if not any(letter.isalnum() for one in said for letter in one.text):
        raise UnreadableError("The file holds no words that were spoken.")
    timed = any(one.start_ms is not None for one in said)
    turns = tuple(_turn(one, None if timed else index * 1000) for index, one in enumerate(_joined(_opened(said, cast))))
    return Spoken(format=kind, timed=timed, speakers=tuple(cast.speakers.values()), turns=turns)


def _cleaned(utterances: Iterable[Utterance]) -> Iterator[Utterance]:
    kept = 0
    for one in utterances:
        if text := clean(one.text, len(one.text)):
            kept += 1
            if kept > MOST_TURNS:
                raise too_many_turns()
            yield replace(one, text=text)


def _opened(said: list[Utterance], cast: _Cast) -> Iterator[_Open]:
    starts = _starts(said)
    for one, start, following in zip(said, starts, [*starts[1:], 0], strict=True):
        told = one.end_ms is not None
        heard = max(_bounded(one.end_ms or 0), start)
        end = heard if told else max(following, start)
        yield _Open(cast.key(one.name), start, end, start, heard, len(one.text), [one.text])


def _starts(said: list[Utterance]) -> list[int]:
    """Where no time is told, the last that was."""
    starts, at = [], 0
    for one in said:
        at = at if one.start_ms is None else _bounded(one.start_ms)
        starts.append(at)
    return starts


def _bounded(milliseconds: int) -> int:
    return min(max(milliseconds, 0), _LATEST_MS)


def _joined(opened: Iterable[_Open]) -> Iterator[_Open]:
    last: _Open | None = None
    for one in opened:
        if last and last.takes(one):
            last.join(one)
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def _turn(one: _Open, order_ms: int | None) -> Turn:
    start, end = (one.start_ms, one.end_ms) if order_ms is None else (order_ms, order_ms)
    times = tuple(one.times) if order_ms is None else ()
    return Turn(speaker=one.speaker, start_ms=start, end_ms=end, text=" ".join(one.texts), times=times)
