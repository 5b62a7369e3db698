"""What the events say that we tell. They name rows by id, people not at all."""

from datetime import date as date_

from pydantic import Field

from schemas.base import RowId
from schemas.payloads import Payload


class ResearchProgress(Payload):
    research_id: RowId
    version: int = 0
    step: str
    percent: int = Field(default=0, ge=0, le=100)
    message: str = ""


class ResearchCompleted(Payload):
    research_id: RowId
    brief_id: RowId
    confidence: str


class ResearchFailed(Payload):
    research_id: RowId
    step: str
    failure_reason: str


class TranscriptProgress(Payload):
    call_id: RowId
    step: str
    percent: int = Field(default=0, ge=0, le=100)
    message: str = ""


class TranscriptCompleted(Payload):
    call_id: RowId
    findings: int = 0


class TranscriptFailed(Payload):
    call_id: RowId
    step: str
    failure_reason: str


class DigestCompleted(Payload):
    digest_id: RowId
    date: date_
    audio: str
    quiet: bool = False


class DigestFailed(Payload):
    digest_id: RowId
    date: date_
    step: str
    failure_reason: str


class SkillProgress(Payload):
    run_id: RowId
    step: str
    percent: int = Field(default=0, ge=0, le=100)
    message: str = ""


class SkillCompleted(Payload):
    run_id: RowId
    output_id: RowId
    s3_key: str
    tokens_used: int = 0


class SkillFailed(Payload):
    run_id: RowId
    error: str
    retryable: bool
    step: str = ""


class BatchCompleted(Payload):
    count: int


class EntityParked(Payload):
    """An event that was not done: what its sender calls it, and our row of it."""

    event: str
    received_id: RowId
    reason: str


class RunProgress(Payload):
    """A run of a document's has come further."""

    analysis_id: RowId
    document_id: RowId
    step: str
    percent: int = Field(default=0, ge=0, le=100)
    message: str = ""


class RunCompleted(Payload):
    """`count` is of findings, differences or proposals."""

    analysis_id: RowId
    document_id: RowId
    count: int = 0
    risk: str | None = None


class RunFailed(Payload):
    analysis_id: RowId
    document_id: RowId
    step: str
    failure_reason: str
    retryable: bool = False


class SourceCompleted(Payload):
    """`progress_id` is ours; `failure_reason` says why one that failed did."""

    source: str
    progress_id: RowId
    bootstrap_id: RowId
    status: str
    failure_reason: str = ""


class IngestCompleted(Payload):
    bootstrap_id: RowId
    completed: int
    failed: int = 0


class IngestFailed(Payload):
    bootstrap_id: RowId
    failure_reason: str


class DemoCompleted(Payload):
    demo_id: str
    steps: int
    # Whether what it waited for came.
    continued: bool = False
