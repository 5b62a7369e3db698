"""What the tests of reading say: calls, and answers of a model about them."""

import json
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from activities.ports import ModelAnswer
from activities.transcripts.reading import Extract, Part, prompt, read, split
from activities.transcripts.said import Heard
from sandbox import listener
from sandbox.calls import CALLS, InventedCall
from schemas.transcripts import Speaker, Spoken, Turn

LISTS = tuple(Heard.model_fields)
THURSDAY = date(2026, 11, 19)
ROBIN, ADA = (
    Speaker(key="s1", name="Robin Marsh", email="robin.marsh@harbour.example", ours=True),
    Speaker(key="s2", name="Ada Lovelace", email="ada@lovelace.example", ours=False),
)


def call(*said: tuple[str, str], speakers: Sequence[Speaker] = (ROBIN, ADA), every_ms: int = 10_000) -> Spoken:
    """One turn every ten seconds."""
    turns = (
        Turn(speaker=by, start_ms=n * every_ms, end_ms=(n + 1) * every_ms, text=text)
        for n, (by, text) in enumerate(said)
    )
    return Spoken(format="test", speakers=tuple(speakers), turns=tuple(turns))


def part(*said: tuple[str, str]) -> Part:
    (only,) = split(call(*said))
    return only


def claim(quote: str, text: str = "Something was said.", turn: int = 1, **beside: Any) -> dict[str, Any]:
    return {"text": text, "turn": turn, "quote": quote, **beside}


def step(quote: str, text: str = "Send it.", owner: str = "", due: str | None = None, turn: int = 1) -> dict[str, Any]:
    return claim(quote, text, turn, owner=owner, due=due)


def answer(stopped: str = "end_turn", **lists: list[dict[str, Any]]) -> ModelAnswer:
    return ModelAnswer(json.dumps({name: lists.get(name, []) for name in LISTS}), stopped, "model", None)


def extract(of: Part, held_on: date | None = THURSDAY, **lists: list[dict[str, Any]]) -> Extract:
    read_so = read(answer(**lists), of, held_on=held_on)
    assert isinstance(read_so, Extract), read_so
    return read_so


def invented(title: str) -> InventedCall:
    return next(one for one in CALLS if title in one.title)


def spoken(of: InventedCall) -> Spoken:
    """As a recorder's adapter would hand it over: a turn for each stretch of one speaker."""
    speakers = tuple(Speaker(key=one.name, name=one.name, email=one.email, ours=one.ours) for one in of.speakers)
    stretches = ((by, list(said)) for by, said in groupby(of.sentences, key=lambda one: one.speaker))
    turns = tuple(
        Turn(speaker=by, start_ms=said[0].start_ms, end_ms=said[-1].end_ms, text=" ".join(one.text for one in said))
        for by, said in stretches
    )
    return Spoken(format="test", speakers=speakers, turns=turns)


def listened(of: Part, trick: str | None = None, held_on: date | None = THURSDAY) -> Extract:
    """What comes of a part when the sandbox's model has read it."""
    asked = prompt(of, held_on=held_on)
    heard = listener.transcript(asked.material)
    assert heard is not None
    written = ModelAnswer(listener.written(heard, asked.schema, trick), "end_turn", "model", None)
    read_so = read(written, of, held_on=held_on)
    assert isinstance(read_so, Extract), read_so
    return read_so
