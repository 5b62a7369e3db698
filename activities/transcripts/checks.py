"""What a model says of a part of a call, held against what was said there: who said it, and when, is set here."""

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from activities.plain import clean, fold, tokens
from activities.research import quotes
from activities.research.figures import lacking
from activities.transcripts.dues import due
from activities.transcripts.names import Names
from activities.transcripts.parts import AROUND, CUT, Line, Part
from activities.transcripts.said import Heard, Said, StepSaid
from schemas.transcripts import Finding, FindingKind

LONGEST_TEXT, LONGEST_QUOTE, LONGEST_ROLE = 600, 1500, 200

# An address may be repeated where somebody said it; markup and schemes that do something, never.
_MARKUP = re.compile(r"javascript:|data:\s*\w+/|\]\(|<[a-z/!]", re.IGNORECASE)
_ADDRESS = re.compile(r"\w+://\S*|www\.\S+|\S+@\S+|(?<![\w.-])(?:[\w-]+\.)+[a-z]{2,24}(?![\w-])", re.IGNORECASE)

# Of these every number counts, in words too: what is promised, and for how much.
_TO_THE_LETTER = {FindingKind.BUDGET, FindingKind.NEXT_STEP}


class Refusal(StrEnum):
    """Why a finding is refused."""

    QUOTE = "quote not in this part"
    FIGURE = "a number that is not in its quote"
    EMPTY = "empty"
    ADDRESS = "holds an address or markup"


@dataclass
class Extract:
    """What survived of one answer, in the model's order, how much was claimed, and what was refused for which reason."""

    findings: tuple[Finding, ...] = ()
    # By a speaker's key.
    roles: dict[str, str] = field(default_factory=dict)
    claimed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def check(heard: Heard, part: Part, names: Names, held_on: date | None) -> Extract:
    """Keep what stands in the part."""
    return _Check(part, names, held_on).all_of(heard)


class _Check:
    """One answer's check: what it is held against."""

    def __init__(self, part: Part, names: Names, held_on: date | None) -> None:
        self._lines = [(line, fold(line.heard)) for line in part.lines]
        self._names = names
        self._held_on = held_on

    def all_of(self, heard: Heard) -> Extract:
        said = [(kind, one) for kind, several in heard.by_kind().items() for one in several]
        checked = [self._finding(kind, one) for kind, one in said]
        return Extract(
            findings=tuple(one for one in checked if isinstance(one, Finding)),
            roles=self._roles(heard),
            claimed=len(said),
            dropped=Counter(str(one) for one in checked if isinstance(one, Refusal)),
        )

    def _finding(self, kind: FindingKind, said: Said) -> Finding | Refusal:
        text, quote = clean(said.text, LONGEST_TEXT), clean(said.quote, LONGEST_QUOTE)
        spoken = self._where(quote, said.turn)
        if spoken is None:
            return Refusal.QUOTE
        line, passage = spoken
        owner, until = self._promised(said, quote) if isinstance(said, StepSaid) else ("", None)
        # What was said as "by Friday" may be told as the day that it is.
        told = f" {until:%A} {until.isoformat()}" if until else ""
        if (refusal := _unfit(text, quote, (quote + told, passage + told), spelt=kind in _TO_THE_LETTER)) is not None:
            return refusal
        at_ms = _begun(quote, line)
        return Finding(
            kind=kind, text=text, owner=owner, due=until, speaker=line.turn.speaker, quote=quote, at_ms=at_ms
        )

    def _promised(self, said: StepSaid, quote: str) -> tuple[str, date | None]:
        key = self._names.key(said.owner)
        return self._names.shown(key) if key is not None else "", due(said.due, quote, self._held_on)

    def _roles(self, heard: Heard) -> dict[str, str]:
        """The first that is said of each speaker, by their keys."""
        roles: dict[str, str] = {}
        for said in heard.roles:
            key, role = self._names.key(said.speaker), clean(said.role, LONGEST_ROLE)
            quote = clean(said.quote, LONGEST_QUOTE)
            spoken = self._where(quote, said.turn)
            if key is not None and spoken and _unfit(role, quote, (quote, spoken[1]), spelt=False) is None:
                roles.setdefault(key, role)
        return roles

    def _where(self, quote: str, number: int) -> tuple[Line, str] | None:
        """The line in which the quote stands, with its words there: the one that was named, or the nearest to it."""
        needed = tokens(quote)
        for line, folded in sorted(self._lines, key=lambda one: abs(one[0].number - number)):
            # Looking closely takes long, and a model may claim a lot that nobody said.
            passage = quotes.passage(quote, line.heard) if all(word in folded for word in needed) else None
            if passage is not None and CUT not in passage:
                return line, passage
        return None


def _begun(quote: str, line: Line) -> int:
    """When what is quoted was begun: the last time that is told before it."""
    turn, end = line.turn, line.end + AROUND
    times = [(place, at_ms) for place, at_ms in turn.times if place < end]
    # What is found after a place is found after those before it.
    later = bisect_left(times, True, key=lambda one: not quotes.found(quote, turn.text[one[0] : end]))
    return times[later - 1][1] if later else turn.start_ms


def _unfit(text: str, quote: str, known: tuple[str, ...], *, spelt: bool) -> Refusal | None:
    if not text:
        return Refusal.EMPTY
    addresses = (address.rstrip(".,;:!?)") for address in _ADDRESS.findall(text.casefold()))
    strange = any(address not in quote.casefold() for address in addresses)
    if strange or _MARKUP.search(text):
        return Refusal.ADDRESS
    return Refusal.FIGURE if lacking(text, *known, spelt=spelt) else None
