"""Events: what other applications ask of us and what we tell them, each by its name, with what it says.

One page for both directions: the doors read `REGISTRY`, and whoever tells of something finds the shape of it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from schemas.base import Message, RowId, TenantId
from schemas.payloads import (
    AnalysisCancelled,
    AnalysisRequested,
    AnalysisRetried,
    CalendarChanged,
    ComparisonRequested,
    DemoContinued,
    DemoRequested,
    DigestRequested,
    DocumentDeleted,
    DocumentUploaded,
    EntityCreated,
    FeedbackRequested,
    IngestRequested,
    MessageRequested,
    Payload,
    RedlineRequested,
    RenewalRequested,
    ResearchRequested,
    SkillRequested,
    SourceRequested,
    TranscriptRequested,
)
from schemas.tellings import (
    BatchCompleted,
    DemoCompleted,
    DigestCompleted,
    DigestFailed,
    EntityParked,
    IngestCompleted,
    IngestFailed,
    ResearchCompleted,
    ResearchFailed,
    ResearchProgress,
    RunCompleted,
    RunFailed,
    RunProgress,
    SkillCompleted,
    SkillFailed,
    SkillProgress,
    SourceCompleted,
    TranscriptCompleted,
    TranscriptFailed,
    TranscriptProgress,
)


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Event(Message):
    """One event of ours. `sequence` orders the events of all time; a reader remembers the last it saw."""

    tenant_id: TenantId
    id: RowId
    sequence: int
    name: str
    payload: dict[str, Any]
    created_at: datetime
    # How far the tenant's endpoint has heard of it; nothing when nobody was to.
    delivery: Literal["pending", "delivered", "parked"] | None = None
    attempts: int = 0
    delivered_at: datetime | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class Definition:
    """What an event is called, what it says, and what comes of it. `collected`: many together are one piece of work."""

    name: str
    payload: type[Payload]
    direction: Direction
    does: str
    aliases: tuple[str, ...] = ()
    version: int = 1
    collected: bool = False

    def schema(self) -> dict[str, Any]:
        """Its payload for programs, as JSON Schema."""
        told = self.payload.model_json_schema(by_alias=True)
        return {
            **told,
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{self.name} v{self.version}",
        }


IN, OUT = Direction.IN, Direction.OUT

REGISTRY: Mapping[str, Definition] = MappingProxyType(
    {
        one.name: one
        for one in (
            Definition("calendar/webhook.received", CalendarChanged, IN, "Reads a calendar that may have changed."),
            Definition("research/generate.requested", ResearchRequested, IN, "Researches a meeting, or people."),
            Definition(
                "subscription/renewal.requested",
                RenewalRequested,
                IN,
                "Renews the channels of calendars that end before long.",
                ("app/scheduled.webhook-renewal",),
            ),
            Definition("transcript/parse.requested", TranscriptRequested, IN, "Reads the transcript of a call."),
            Definition("digest/generate.requested", DigestRequested, IN, "Makes a user's digest of a day, now."),
            Definition(
                "mail/message.requested",
                MessageRequested,
                IN,
                "Mails a user of the tenant, nobody else.",
                ("email/send",),
            ),
            Definition(
                "record/entity.created",
                EntityCreated,
                IN,
                "Keeps a row, inserted together with others; an urgent one at once.",
                ("record/created",),
                collected=True,
            ),
            Definition("skill/execute.requested", SkillRequested, IN, "Runs a skill for a user.", ("skill.execute",)),
            Definition(
                "skill/feedback.requested",
                FeedbackRequested,
                IN,
                "Looks at what was said of a skill's output.",
                ("feedback.process",),
            ),
            Definition(
                "document/file.uploaded",
                DocumentUploaded,
                IN,
                "Reviews a document.",
                ("nda/uploaded", "document/uploaded"),
            ),
            Definition(
                "document/analysis.requested",
                AnalysisRequested,
                IN,
                "Reviews a document that is here.",
                ("nda/analysis.requested",),
            ),
            Definition(
                "document/analysis.retry",
                AnalysisRetried,
                IN,
                "Reviews a document again whose review came to nothing.",
                ("nda/analysis.retry",),
            ),
            Definition(
                "document/analysis.cancelled",
                AnalysisCancelled,
                IN,
                "Stops what is worked on a document, and removes what it made.",
                ("nda/analysis.cancelled",),
            ),
            Definition(
                "document/file.deleted",
                DocumentDeleted,
                IN,
                "Deletes a document with all that was made of it.",
                ("nda/document.deleted", "document/deleted"),
            ),
            Definition(
                "document/comparison.requested",
                ComparisonRequested,
                IN,
                "Compares a document with the playbook, another one, or references.",
                ("nda/comparison.requested",),
            ),
            Definition("document/redline.requested", RedlineRequested, IN, "Proposes changes to a document."),
            Definition("bootstrap/ingest.requested", IngestRequested, IN, "Takes in references."),
            Definition("bootstrap/source.process", SourceRequested, IN, "Takes in one reference."),
            Definition("demo/run.requested", DemoRequested, IN, "Shows how work goes here.", ("demo/process",)),
            Definition(
                "demo/steps.requested",
                DemoRequested,
                IN,
                "The same in several steps, which wait for an event.",
                ("demo/multi-step",),
            ),
            Definition("demo/run.continued", DemoContinued, IN, "What such a run waits for."),
            Definition("research/generate.progress", ResearchProgress, OUT, "A research has come further."),
            Definition("research/generate.completed", ResearchCompleted, OUT, "A brief is ready."),
            Definition("research/generate.failed", ResearchFailed, OUT, "A research ended without a brief."),
            Definition("transcript/parse.progress", TranscriptProgress, OUT, "The reading of a call has come further."),
            Definition("transcript/parse.completed", TranscriptCompleted, OUT, "A call has been read."),
            Definition("transcript/parse.failed", TranscriptFailed, OUT, "A call could not be read."),
            Definition("digest/generate.completed", DigestCompleted, OUT, "A digest is ready."),
            Definition("digest/generate.failed", DigestFailed, OUT, "There is no digest, for the reason that is said."),
            # As the seeds call them, for whoever listens already.
            Definition("skill.execute.progress", SkillProgress, OUT, "A skill's run has come further."),
            Definition("skill.execute.completed", SkillCompleted, OUT, "A skill's run has an output."),
            Definition("skill.execute.failed", SkillFailed, OUT, "A skill's run came to nothing, and why."),
            Definition("document/analysis.progress", RunProgress, OUT, "A review has come further."),
            Definition("document/analysis.completed", RunCompleted, OUT, "A document has been reviewed."),
            Definition("document/analysis.failed", RunFailed, OUT, "A review came to nothing, or was stopped."),
            Definition("document/comparison.progress", RunProgress, OUT, "A comparison has come further."),
            Definition("document/comparison.completed", RunCompleted, OUT, "A document has been compared."),
            Definition("document/comparison.failed", RunFailed, OUT, "A comparison came to nothing, or was stopped."),
            Definition("document/redline.progress", RunProgress, OUT, "A redline has come further."),
            Definition("document/redline.completed", RunCompleted, OUT, "A redline is ready."),
            Definition("document/redline.failed", RunFailed, OUT, "A redline came to nothing, or was stopped."),
            Definition("bootstrap/source.completed", SourceCompleted, OUT, "A reference is taken in, or could not be."),
            Definition("bootstrap/ingest.completed", IngestCompleted, OUT, "References can be searched."),
            Definition("bootstrap/ingest.failed", IngestFailed, OUT, "No references were taken in, and why."),
            Definition("demo/run.completed", DemoCompleted, OUT, "A run that shows how work goes has ended."),
            Definition("record/batch.completed", BatchCompleted, OUT, "Rows have been kept, together."),
            Definition(
                "record/entity.parked", EntityParked, OUT, "An event could not be done, and waits for a person."
            ),
        )
    }
)

_ALIASES = {alias: one for one in REGISTRY.values() for alias in one.aliases}


def known(name: str) -> Definition | None:
    """The event of this name, its own or one that the seeds gave it."""
    return REGISTRY.get(name) or _ALIASES.get(name)
