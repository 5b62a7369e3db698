"""What reading calls needs kept, and how a call comes in. Postgres keeps it; the tests have twins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from activities.ports import ModelAnswer, Prompt
from activities.spending import Purchase
from schemas.base import Email, RowId, TenantId
from schemas.transcripts import (
    CallDone,
    CallEnding,
    CallFailed,
    CallFailure,
    CallOrder,
    CallStart,
    CallStatus,
    Reading,
    Source,
    Speaker,
    Spoken,
)


@dataclass(frozen=True)
class NewCall:
    """A call that is to be read. `source_key` is what its source calls it: the same call is the same row."""

    source: Source
    source_key: str
    title: str = ""
    url: str = ""
    started_at: datetime | None = None
    duration_s: int | None = None
    recorder_id: RowId | None = None
    # Whose call it is, if they are a user of the tenant.
    owner_email: Email | None = None
    # What the tenant's own system calls the opportunity; without it, the domain of the company that was met.
    opportunity: str | None = None
    speakers: tuple[Speaker, ...] = ()
    sandbox: bool = False


@dataclass(frozen=True)
class Taken:
    """The row of a call; `new` when it was not there before, `erased` when somebody in it asked to be forgotten: of such a
    call nothing is kept but that it was."""

    call_id: RowId
    new: bool
    status: CallStatus
    erased: bool = False


class CallIntake(Protocol):
    """Calls come in here, whoever tells of them: a webhook, a sweep, an event, a file."""

    async def take(self, tenant_id: TenantId, call: NewCall, spoken: Spoken | None, now: datetime) -> Taken:
        """Write a call down, with its transcript when that is there already. Safe to run twice: what is known stays."""
        ...


@dataclass(frozen=True)
class Standing:
    """How a call stands that a run has taken: `done` when it was read before, `recorded` when a recorder knows it."""

    version: int
    done: CallDone | None = None
    spoken: Spoken | None = None
    recorded: bool = False


@dataclass(frozen=True)
class KeptAnswer:
    """What a model answered about a part; `ours` when this run has asked."""

    answer: ModelAnswer
    ours: bool


@dataclass(frozen=True)
class Heard:
    """What was said in a call, on which day, and what was made of it so far, by what was asked."""

    spoken: Spoken
    held_on: date | None
    kept: Mapping[str, KeptAnswer]


@dataclass(frozen=True)
class ReadBy:
    """Who answered, to which prompt, for which run, and when."""

    provider: str
    sandbox: bool
    prompt: str
    workflow_id: str
    run_id: str
    now: datetime


class Readings(Protocol):
    """Who has a call, and what is made of it."""

    async def begin(self, start: CallStart) -> Standing: ...
    async def heard(self, order: CallOrder, version: int, *, sandbox: bool) -> Heard: ...
    async def keep_answer(self, purchase: Purchase, prompt: Prompt, answer: ModelAnswer, by: ReadBy) -> None: ...
    async def finish(self, ending: CallEnding, reading: Reading, model: str, *, sandbox: bool) -> CallDone: ...
    async def fail(self, failure: CallFailure) -> CallFailed: ...
