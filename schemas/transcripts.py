"""Calls, and what was said in them. Row ids travel; names, words and findings stay in their rows."""

import hashlib
from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Content, Email, Message, RowId, TenantId


class Source(StrEnum):
    """Where a call came from."""

    RECORDER = "recorder"
    UPLOAD = "upload"
    EVENT = "event"


class CallStatus(StrEnum):
    """How a call stands: its transcript is waited for, or read just now, or that is over."""

    WAITING = "waiting"
    PARSING = "parsing"
    PARSED = "parsed"
    FAILED = "failed"


class FindingKind(StrEnum):
    """What a finding of a call tells, in the order in which it is read."""

    SUMMARY = "summary"
    NEXT_STEP = "next_step"
    PAIN = "pain"
    OBJECTION = "objection"
    COMPETITOR = "competitor"
    BUDGET = "budget"
    DECISION = "decision"
    STAGE = "stage"
    RISK = "risk"
    QUOTE = "quote"


class Speaker(Content):
    """Somebody who spoke, or was there. `key` is what the transcript calls them; `ours` is None when nobody knows."""

    key: str = Field(max_length=200)
    name: str = Field(default="", max_length=200)
    email: Email | None = None
    role: str = Field(default="", max_length=200)
    ours: bool | None = None


class Turn(Content):
    """What one speaker said at a stretch. Milliseconds from the start of the call.

    `times` say when what follows a place of the text was begun, where that is told of more than its beginning.
    """

    speaker: str
    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)
    text: str
    times: tuple[tuple[int, int], ...] = ()


class Spoken(Content):
    """A transcript as it was read: turns in the order of the call. Without `timed` their times only tell the order."""

    format: str
    timed: bool = True
    speakers: tuple[Speaker, ...]
    turns: tuple[Turn, ...]

    def digest(self) -> str:
        """What tells one transcript from another: the same words by the same people at the same times."""
        told = "\n".join(f"{turn.speaker}\t{turn.start_ms}\t{turn.text}" for turn in self.turns)
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()


class Finding(Content):
    """One thing that came of a call. `quote` stands in what `speaker` said from `at_ms` on."""

    kind: FindingKind
    text: str
    # Of a next step: who is to do it, and until when.
    owner: str = ""
    due: date | None = None
    speaker: str
    quote: str
    at_ms: int = Field(ge=0)


class Reading(Content):
    """What was made of a call: its findings in their order, what each speaker is, and how many findings were claimed."""

    findings: tuple[Finding, ...]
    # By a speaker's key.
    roles: dict[str, str] = Field(default_factory=dict)
    claimed: int = Field(ge=0)


class CallOrder(Message):
    """Read this call."""

    tenant_id: TenantId
    call_id: RowId


class CallDone(Message):
    """What became of it: how many findings were kept."""

    call_id: RowId
    status: CallStatus
    findings: int = 0
    at: datetime


class CallStart(CallOrder):
    """Take the call for this run."""

    run_id: str
    now: datetime


class CallBegun(Message):
    """How a call stands that a run has taken. `done` when there is nothing to do any more."""

    version: int = 0
    done: CallDone | None = None
    # It has a transcript, of so many parts; without one, `recorded` says that somebody may yet have it.
    heard: bool = False
    parts: int = 0
    recorded: bool = False


class PartOrder(CallOrder):
    """Read one part of the transcript: the first time, or again because the last answer could not be used."""

    version: int
    part: int
    ask: int = 1
    now: datetime


class PartRead(Message):
    """What was wrong with the answer, in our own words, when it could not be used."""

    problem: str | None = None


class CallEnding(CallOrder):
    """All parts are read."""

    version: int
    now: datetime


class CallFailure(CallOrder):
    """Why a call could not be read. Without a version the run never took it."""

    version: int | None
    step: str
    reason: str
    run_id: str
    started_at: datetime
    now: datetime


class CallFailed(Message):
    """What came of telling that: of which version it was told, unless a newer run has the call, or it was read after
    all. `owned` when somebody is there to be told."""

    version: int | None = None
    owned: bool = False
    done: CallDone | None = None
