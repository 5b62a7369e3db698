"""Calls, and what was said in them. Row ids travel; names, words and findings stay in their rows."""

import hashlib
from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Email, Message, RowId, TenantId
from schemas.briefs import Document


class Source(StrEnum):
    """Where a call came from."""

    GONG = "gong"
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


class Speaker(Document):
    """Somebody who spoke, or was there. `key` is what the transcript calls them; `ours` is None when nobody knows."""

    key: str = Field(max_length=200)
    name: str = Field(default="", max_length=200)
    email: Email | None = None
    role: str = Field(default="", max_length=200)
    ours: bool | None = None


class Turn(Document):
    """What one speaker said at a stretch. Milliseconds from the start of the call."""

    speaker: str
    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)
    text: str


class Spoken(Document):
    """A transcript as it was read: turns in the order of the call. Without `timed` their times only tell the order."""

    format: str
    timed: bool = True
    speakers: tuple[Speaker, ...]
    turns: tuple[Turn, ...]

    def digest(self) -> str:
        """What tells one transcript from another: the same words by the same people at the same times."""
        told = "\n".join(f"{turn.speaker}\t{turn.start_ms}\t{turn.text}" for turn in self.turns)
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()


class Finding(Document):
    """One thing that came of a call. `quote` stands in what `speaker` said from `at_ms` on."""

    kind: FindingKind
    text: str
    # Of a next step: who is to do it, and until when.
    owner: str = ""
    due: date | None = None
    speaker: str
    quote: str
    at_ms: int = Field(ge=0)


class Reading(Document):
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
