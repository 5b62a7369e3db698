"""Calls as their readers see them. Content: read for pages and the command line, never sent anywhere."""

from datetime import date, datetime

from schemas.base import Content, RowId
from schemas.transcripts import CallStatus, FindingKind, Source, Speaker, Turn


class CallLine(Content):
    """A call in a list. Each `None` is something that nobody has told."""

    id: RowId
    source: Source
    title: str
    url: str
    started_at: datetime | None
    duration_s: int | None
    status: CallStatus
    failed_step: str | None
    failure_reason: str | None
    # Who was there from outside, by name or address.
    with_whom: tuple[str, ...]
    next_steps: int
    opportunity: str
    sandbox: bool
    created_at: datetime


class Said(Content):
    """A finding with what it rests on. `turn` counts the turns of the transcript from 0."""

    kind: FindingKind
    text: str
    owner: str
    due: date | None
    who: str
    quote: str
    at_ms: int
    turn: int | None


class CallView(Content):
    """A call with what came of it, and all that was said. Without `timed` the transcript tells no times."""

    line: CallLine
    meeting_id: RowId | None
    version: int
    begun_at: datetime | None
    speakers: tuple[Speaker, ...]
    findings: tuple[Said, ...]
    turns: tuple[Turn, ...]
    timed: bool
    # How many findings were claimed: those whose quote nobody said were left out.
    claimed: int
    model: str
    cost_micro_usd: int
    # When it went into the history of its opportunity.
    history_at: datetime | None

    def of(self, kind: FindingKind) -> tuple[Said, ...]:
        return tuple(one for one in self.findings if one.kind is kind)
