"""What research needs kept: its runs, its look-ups, its briefs. Postgres keeps them; the tests have twins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from activities.ports import ModelAnswer, Prompt, Question, SearchAnswer
from activities.research.economy import Thrift
from schemas.base import RowId
from schemas.briefs import Company, Composed, Material, Person
from schemas.research import Begun, Failure, LookUp, Overdue, Start, Writing, Written

Ask = Callable[[Person | Company, int], Question]


@dataclass(frozen=True)
class Claimed:
    """A question, and what to do with it: `known` is how much evidence a kept answer has, `ours` that we ask now."""

    question: Question
    known: int | None
    ours: bool


@dataclass(frozen=True)
class Origin:
    """By which prompt an answer was asked for, and by which run of which workflow."""

    prompt: str = ""
    workflow_id: str = ""
    run_id: str = ""


@dataclass(frozen=True)
class Bought:
    """An answer to keep: until when it serves, what it says, and whether the subject needs no other question."""

    answer: SearchAnswer
    provider: str
    sandbox: bool
    until: datetime
    profile: dict[str, Any]
    settled: bool
    origin: Origin = Origin()


@dataclass(frozen=True)
class WrittenBy:
    """Who wrote an answer; `economy` says in a sentence that it was not the best of those who could."""

    provider: str
    sandbox: bool
    economy: str | None = None
    origin: Origin = Origin()


def look_up(subject_id: RowId, question: int = 1) -> str:
    """The purpose of asking a question about somebody."""
    return f"look-up/{subject_id}/{question}"


def ask(number: int = 1) -> str:
    """The purpose of asking for the brief: the first time, or for a repair."""
    return f"brief/{number}"


@dataclass(frozen=True)
class Tried:
    """How a subject stands; `queue_moves` when somebody is being served just now, if not us."""

    subject_id: RowId
    first_start: datetime | None
    waited_s: float
    queue_moves: bool


class Runs(Protocol):
    async def begin(self, start: Start, thrift: Thrift, *, sandbox: bool) -> Begun: ...
    async def tried(self, overdue: Overdue, provider: str) -> list[Tried]: ...
    async def fail(self, failure: Failure) -> Written: ...


class LookUps(Protocol):
    async def claim(
        self, look_up: LookUp, ask: Ask, *, sandbox: bool, holder: str, now: datetime, queued_s: float
    ) -> Claimed: ...
    async def wait(self, look_up: LookUp, holder: str, wait_s: float) -> None: ...
    async def release(self, look_up: LookUp, holder: str) -> None: ...
    async def keep(
        self, look_up: LookUp, question: Question, bought: Bought, *, holder: str, now: datetime
    ) -> None: ...


class Briefs(Protocol):
    async def material(self, order: Writing, *, sandbox: bool, now: datetime, queued_s: float) -> Material: ...
    async def wait(self, order: Writing, wait_s: float) -> None: ...
    async def keep_answer(
        self, order: Writing, prompt: Prompt, answer: ModelAnswer, by: WrittenBy, *, now: datetime
    ) -> None: ...
    async def finish(self, order: Writing, brief: Composed, model: str, sandbox: bool, now: datetime) -> Written: ...
