"""The pretended model that reads a call: it finds promises, pains and prices by simple rules, and says nothing else.

<transcript> ─▶ turns ─▶ sentences ─▶ what each tells, quoted
"""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from sandbox.brand import RefusedError
from sandbox.schema import fitted

Item = dict[str, Any]
Answer = dict[str, list[Item]]

MOST = 12
SUMMARY_POINTS = 3
LONGEST_TEXT = 300
SHORTEST_QUOTE = 12

# What a sentence tells, by the list in which it is told. The first that fits is what it is.
RULES = {
    "next_steps": r"\b(?:I|[Ww]e) will (?:also )?(?:ask|book|bring|call|check|come back|prepare|send|share|write)\b",
    "competitors": r"\b(?:Tidal Forecast|Stockwise|Planwell)\b",
    "budget": r"\bbudget\b|\b\d[\d,]* (?:euros|pounds|dollars)\b",
    "objections": r"\b(?:not convinced|too expensive|hard to justify|[Mm]y concern is|I am worried)\b",
    "decision_process": r"\b(?:board|approved?|procurement|decides?|signs?)\b",
    "deal_stage": r"\b(?:pilot|trial)\b",
    "risks": r"\b(?:risk|freeze|delay)\b",
    "pains": r"\b(?:costs us|[Ww]e lose|by hand|overtime|too late|struggle)\b",
    "quotes": r"\b(?:[Hh]onestly|[Tt]he truth is)\b",
}
_ROLE = re.compile(r"\bI am ([A-Z]\w+(?: (?:of|[A-Z]\w+))*) at\b")
_SENTENCES = re.compile(r"(?<=[.!?]) +")
_PROMISED = re.compile(r"^.*?\b(?:I|we) will (?:also )?", re.IGNORECASE)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY = re.compile(rf"\b(?:by|on|until|for)(?: next)? ({'|'.join(_WEEKDAYS)})\b", re.IGNORECASE)
_DATE = re.compile(r"\b(\d{4}-\d\d-\d\d)\b")


class Speaker(BaseModel):
    name: str
    ours: bool | None = None


class Turn(BaseModel):
    turn: int
    by: str
    text: str


class Transcript(BaseModel):
    """What the client hands over. Fields we do not need are ignored, as a reader would."""

    part: int = 1
    held_on: date | None = None
    speakers: list[Speaker] = []
    turns: list[Turn]
    problem: str | None = None

    @property
    def label(self) -> str:
        return f"transcript:{self.part}"


def transcript(text: str) -> Transcript | None:
    """The block in a message, if there is one."""
    blocks = re.findall(r"<transcript>(.*?)</transcript>", text, re.DOTALL)
    if not blocks:
        return None
    if len(blocks) > 1:
        raise RefusedError(400, f"The sandbox reads one <transcript> block, not {len(blocks)}.", "contents")
    try:
        return Transcript.model_validate_json(blocks[0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(400, f"The sandbox cannot read <transcript>: {where} {first['msg']}", "contents") from None


def heard(call: Transcript) -> Answer:
    """Deterministic: the same transcript gives the same answer."""
    found: Answer = {name: [] for name in ("roles", "summary", *RULES)}
    for turn, sentence in _sentences(call):
        if role := _ROLE.search(sentence):
            found["roles"].append({"speaker": turn.by, "role": role[1], "turn": turn.turn, "quote": sentence})
        elif name := _kind(sentence):
            found[name].append(_told(name, turn, sentence, call.held_on))
    found["summary"] = _summary(call)
    return {name: items[: MOST if name != "summary" else SUMMARY_POINTS] for name, items in found.items()}


def lying(call: Transcript) -> Answer:
    """The honest answer with lies among it, all of them valid by any schema."""
    honest = heard(call)
    turn = call.turns[0].turn if call.turns else 1
    true = next((one for items in honest.values() for one in items if "text" in one), None)
    never = {"text": "They have signed already.", "turn": turn, "quote": "we have signed already, as nobody ever said"}
    honest["deal_stage"].append(never)
    honest["quotes"].append(never | {"turn": 10**9})
    honest["next_steps"].append(never | {"owner": "Nobody Known", "due": "9999-12-31"})
    honest["roles"].append({"speaker": "Nobody Known", "role": "King", **{k: never[k] for k in ("turn", "quote")}})
    if true is not None:
        honest["budget"].append(true | {"text": "They will pay 987,654,321 euros."})
        honest["pains"].append(true | {"text": "See [the price](javascript:alert(1)) at https://owned.example/x."})
        honest["risks"].append(true | {"text": "Write to winner@owned.example today."})
    return honest


def written(call: Transcript, schema: dict[str, Any] | None, trick: str | None) -> str:
    """The answer as a model writes it."""
    answer = lying(call) if trick == "lies" else heard(call)
    return json.dumps(fitted(answer, schema) if schema else answer, ensure_ascii=False)


def _sentences(call: Transcript) -> Iterator[tuple[Turn, str]]:
    for turn in call.turns:
        for sentence in _SENTENCES.split(turn.text):
            if len(sentence) >= SHORTEST_QUOTE:
                yield turn, sentence


def _kind(sentence: str) -> str | None:
    """What asks tells nothing yet."""
    rules = RULES.items() if not sentence.endswith("?") else ()
    return next((name for name, rule in rules if re.search(rule, sentence)), None)


def _told(name: str, turn: Turn, sentence: str, held_on: date | None) -> Item:
    told = {"text": f"{turn.by}: {sentence}"[:LONGEST_TEXT], "turn": turn.turn, "quote": sentence}
    if name != "next_steps":
        return told
    promise = _PROMISED.sub("", sentence).rstrip(".")
    text = f"{promise[:1].upper()}{promise[1:]}."[:LONGEST_TEXT]
    return told | {"text": text, "owner": turn.by, "due": _due(sentence, held_on)}


def _due(sentence: str, held_on: date | None) -> str | None:
    if said := _DATE.search(sentence):
        return said[1]
    if held_on is None or (weekday := _WEEKDAY.search(sentence)) is None:
        return None
    ahead = (_WEEKDAYS.index(weekday[1].lower()) - held_on.weekday() - 1) % 7 + 1
    return (held_on + timedelta(days=ahead)).isoformat()


def _summary(call: Transcript) -> list[Item]:
    """What was said at the longest in each stretch of the call."""
    size = max(len(call.turns) // SUMMARY_POINTS, 1)
    stretches = (call.turns[start : start + size] for start in range(0, len(call.turns), size))
    longest = (max(stretch, key=lambda turn: len(turn.text)) for stretch in stretches)
    points = ((turn, max(_SENTENCES.split(turn.text), key=len)) for turn in longest)
    return [
        {"text": f"{turn.by} said: {sentence}"[:LONGEST_TEXT], "turn": turn.turn, "quote": sentence}
        for turn, sentence in points
        if len(sentence) >= SHORTEST_QUOTE
    ]
