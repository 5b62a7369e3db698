"""A long call, invented and always the same, and how each service would write it down."""

import html
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

HOUR_MS = 3_600_000
# Eight of nobody's names: accents, a particle, a comma, initials, small letters, and another script.
PEOPLE = (
    "Ada Quill",
    "Cem Özdal",
    "Berg, Ilse",
    "Jean-Noël Farou",
    "Rosa de la Peñuela",
    "T. J. Marrow",
    "pipwick",
    "沢田 りん",
)
ADDRESS = "ada.quill@northmoor.example"
_WORDS = """
we need the rollout before winter because our depots in Halvik run out of paper forms and nobody likes them
planning takes two days each week while dispatchers phone every driver again budget was approved in principle
but finance wants three references security review takes six weeks unless you bring the questionnaire filled in
pilot could start with forty drivers and end when routes are corrected less often than one time in twenty
"""
_SAID = (
    "One thing: we will not sign before March.",
    "Let us meet at 10:30",
    "Research & development pays, not sales.",
    "Fewer than 5 < 6 of them, he said.",
    "Well, as I said... the price: that is the question!",
    "Größe und Maß „sind“ nicht egal.",
)


@dataclass(frozen=True)
class Cue:
    """What one speaker says in one breath."""

    speaker: str
    start_ms: int
    end_ms: int
    text: str


def call(seconds: int = 7200, seed: int = 5) -> tuple[Cue, ...]:
    """Some two and a half words a second. One speaker's cues stand close; whole seconds, as text formats tell no less."""
    return tuple(_cues(random.Random(seed), seconds * 1000))


def _cues(chance: random.Random, length_ms: int) -> Iterator[Cue]:
    at, speaker = 4_000, PEOPLE[0]
    while at < length_ms - 60_000:
        for _ in range(chance.randint(1, 5)):
            text = _sentence(chance)
            end = at + max(len(text.split()) * 300, 1_000)
            yield Cue(speaker, at, end, text)
            at = -(-(end + chance.randint(0, 900)) // 1000) * 1000
        at += chance.choice((0, 0, 1_000, 3_000))
        speaker = chance.choice([name for name in PEOPLE if name != speaker])


def _sentence(chance: random.Random) -> str:
    if chance.random() < 0.06:
        return chance.choice(_SAID)
    words = chance.choices(_WORDS.split(), k=chance.randint(6, 24))
    return " ".join(words).capitalize() + chance.choice(".?!")


def stamp(milliseconds: int, point: str = ".") -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def clock(milliseconds: int) -> str:
    return stamp(milliseconds)[:-4]


def short(milliseconds: int) -> str:
    """As people write it: 0:05, and 1:00:05 after an hour."""
    seconds = milliseconds // 1000
    hours = f"{seconds // 3600}:{seconds // 60 % 60:02d}" if seconds >= 3600 else f"{seconds // 60}"
    return f"{hours}:{seconds % 60:02d}"


def vtt(cues: tuple[Cue, ...]) -> str:
    """With voices, numbers, notes and settings."""
    told = (
        f"{number}\n{stamp(cue.start_ms)} --> {stamp(cue.end_ms)} align:start position:10%\n"
        f"<v.loud {cue.speaker}>{html.escape(cue.text, quote=False)}</v>\n"
        for number, cue in enumerate(cues)
    )
    return "WEBVTT - a call\nKind: captions\n\nNOTE nobody says this\n\n" + "\n".join(told)


def zoom_vtt(cues: tuple[Cue, ...]) -> str:
    told = (
        f"{number}\r\n{stamp(cue.start_ms)} --> {stamp(cue.end_ms)}\r\n{cue.speaker}: {cue.text}\r\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "WEBVTT\r\n\r\n" + "\r\n".join(told)


def srt(cues: tuple[Cue, ...]) -> str:
    return "\n".join(
        f"{number}\n{stamp(cue.start_ms, ',')} --> {stamp(cue.end_ms, ',')}\n{cue.speaker}: {cue.text}\n"
        for number, cue in enumerate(cues, start=1)
    )


def zoom(cues: tuple[Cue, ...]) -> str:
    """By the clock: the call began at half past nine."""
    began = 9 * HOUR_MS + HOUR_MS // 2 - cues[0].start_ms
    return "\n".join(f"[{cue.speaker}] {clock(began + cue.start_ms)}\n{cue.text}\n" for cue in cues)


def zoom_from(cues: tuple[Cue, ...]) -> str:
    """By the clock, over midnight."""
    began = 23 * HOUR_MS - cues[0].start_ms
    return "\n".join(
        f"{clock((began + cue.start_ms) % (24 * HOUR_MS))} From {cue.speaker} to Everyone: {cue.text}" for cue in cues
    )


def teams(cues: tuple[Cue, ...]) -> str:
    head = "First call\nNovember 22, 2026, 10:00AM\n1h 59m 3s\n\npipwick started transcription\n\n"
    return head + "\n".join(f"{cue.speaker}   {short(cue.start_ms)}\n{cue.text}\n" for cue in cues)


def teams_cues(cues: tuple[Cue, ...]) -> str:
    return "\n".join(
        f"{stamp(cue.start_ms)} --> {stamp(cue.end_ms)}\n<v {cue.speaker}>{html.escape(cue.text, quote=False)}</v>\n"
        for cue in cues
    )


def meet(cues: tuple[Cue, ...]) -> str:
    head = f"First call (2026-11-22 10:00 GMT) - Transcript\nAttendees\n{', '.join(PEOPLE)}\nTranscript\n"
    return head + "\n".join(_blocks(cues, lambda cue: f"{cue.speaker}: {cue.text}")) + _TAIL


def meet_names(cues: tuple[Cue, ...]) -> str:
    return "\n".join(_blocks(cues, lambda cue: f"{cue.speaker}\n{cue.text}")) + _TAIL


_TAIL = (
    "\n\nTranscription ended after 01:59:00\n\n"
    "This editable transcript was computer generated and might contain errors. People can also change it.\n"
)
FIVE_MINUTES = 300_000


def _blocks(cues: tuple[Cue, ...], written: Callable[[Cue], str]) -> Iterator[str]:
    for block, told in groupby(cues, key=lambda cue: cue.start_ms // FIVE_MINUTES):
        yield f"\n{clock(block * FIVE_MINUTES)}\n"
        yield from map(written, told)


def plain(cues: tuple[Cue, ...]) -> str:
    return "First call\n\n" + "\n".join(f"{cue.speaker}: {cue.text}" for cue in cues)


def led(cues: tuple[Cue, ...]) -> str:
    return "\n".join(f"[{clock(cue.start_ms)}] {cue.speaker}: {cue.text}" for cue in cues)


def words_alone(cues: tuple[Cue, ...]) -> str:
    return "\n\n".join(cue.text for cue in cues)
