"""What research needs kept: its runs, its look-ups, its briefs. Postgres keeps them; the tests have twins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from activities.ports import ModelAnswer, Prompt, Question, SearchAnswer
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
class Bought:
    """An answer to keep: until when it serves, what it says, and whether the subject needs no other question."""

    answer: SearchAnswer
    provider: str
    sandbox: bool
    until: datetime
    profile: dict[str, Any]
    settled: bool


@dataclass(frozen=True)
class Tried:
    """How a subject stands; `queue_moves` when somebody is being served just now, if not us."""

    subject_id: RowId
    first_start: datetime | None
    waited_s: float
    queue_moves: bool


class Runs(Protocol):
    async def begin(self, start: Start, *, sandbox: bool) -> Begun: ...
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
        self, order: Writing, prompt: Prompt, answer: ModelAnswer, *, provider: str, sandbox: bool, now: datetime
    ) -> None: ...
    async def finish(self, order: Writing, brief: Composed, model: str, sandbox: bool, now: datetime) -> Written: ...
