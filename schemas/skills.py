"""Skills: what is asked of one, how its run stands, what came of it. Content stays in rows and files; messages carry ids."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.base import Content, Message, RowId, TenantId

# S3-2, S3-9: so many starts of a user a minute, beyond which a run waits for its turn; so many an hour, beyond which
# there is none.
STARTS, STARTS_WITHIN_S = 10, 60
MOST_STARTS, MOST_WITHIN_S = 100, 3600
# S3-3.
LONGEST_PREVIEW = 500
LONGEST_MESSAGE = 20_000
# Scores are 1 to 5; S3-6: of the last ten, and below three is bad.
LEAST_SCORE, BEST_SCORE = 1, 5
LAST_SCORES, LOW_SCORE = 10, 3.0

# Why a run came to nothing that somebody stopped.
CANCELLED = "cancelled"
# What the failed step of a run is called that was emptied. What is still done for it is not kept.
ERASED = "erased"


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


ENDED = frozenset({RunStatus.COMPLETED, RunStatus.FAILED})


class Tool(StrEnum):
    """What a skill may read of its tenant's, if it says that it wants to. Its own files it may always read."""

    BRIEFS = "briefs"
    CALLS = "calls"
    DOCUMENTS = "documents"


class Limits(Content):
    """What a run of a skill may take: tokens of one answer, and answers until it has to be done."""

    max_tokens: int = Field(default=4000, ge=100, le=16_000)
    turns: int = Field(default=8, ge=1, le=20)


class Skill(Content):
    """A skill as its folder says. `version` is a hash of all that is in it. `model` is empty for the usual one.

    `inputs` is the JSON Schema of what it is told beside the message; None: nothing. `foreign` are the tools that it
    names and that there are none of here: it is run without them.
    """

    name: str
    description: str
    version: str
    model: str = ""
    limits: Limits = Limits()
    tools: tuple[Tool, ...] = ()
    foreign: tuple[str, ...] = ()
    inputs: dict[str, Any] | None = None
    output: str = "markdown"
    files: tuple[str, ...] = ()


class Health(Content):
    """The mean of its last scores, and of how many; `low` is a warning. Without scores there is none."""

    score: float
    scores: int
    low: bool


class RunLine(Content):
    """A run in a list. `position` is its place in its user's line, from 1, while it waits for its turn."""

    id: RowId
    skill: str
    status: RunStatus
    client: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    position: int | None
    failure_reason: str
    sandbox: bool


class Output(Content):
    """What a run produced. Its text is where files are kept, under `object_key`."""

    id: RowId
    title: str
    format: str
    preview: str
    size_bytes: int
    object_key: str


class Opinion(Content):
    """What a user says of an output. Scores are 1 to 5; `issues` are words."""

    overall: int = Field(ge=LEAST_SCORE, le=BEST_SCORE)
    accuracy: int | None = Field(default=None, ge=LEAST_SCORE, le=BEST_SCORE)
    quality: int | None = Field(default=None, ge=LEAST_SCORE, le=BEST_SCORE)
    issues: str = Field(default="", max_length=2000)


class RunView(Content):
    """A run as its user sees it. `draft` is what has been written so far, while it is being written."""

    id: RowId
    user_id: RowId
    skill: str
    skill_version: str
    message: str
    inputs: dict[str, Any]
    # What its company is called, and the domain that it is asked for by; neither when it is about none.
    client: str
    client_domain: str = ""
    meeting_id: RowId | None
    status: RunStatus
    # When its turn comes, and its place in its user's line, from 1, until then.
    turn_at: datetime
    position: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    draft: str
    output: Output | None
    opinions: tuple[Opinion, ...]
    tokens_in: int
    tokens_out: int
    cost_micro_usd: int
    failed_step: str
    failure_reason: str
    retryable: bool
    sandbox: bool


class NewRun(Content):
    """What is asked for. `id` is given by whoever names their runs; the same id is the same run."""

    id: RowId | None = None
    user_id: RowId
    skill: str
    message: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict)
    # Of a company that we know, and of a meeting: what is there of it is read to the skill.
    client_id: RowId | None = None
    meeting_id: RowId | None = None


class Asked(Content):
    """A run as it was written down: when its turn is, and its place in the line. `fresh`: just now."""

    run_id: RowId
    turn_at: datetime
    position: int | None
    status: RunStatus
    fresh: bool


class SkillOrder(Message):
    """Run a skill: what is asked for is in its row. `turn_at` is when its turn comes, `position` its place in the line."""

    tenant_id: TenantId
    run_id: RowId
    turn_at: datetime
    position: int | None = None


class SkillStep(Message):
    """A step of a run. `temporal_run_id` is the run of ours that works on it."""

    tenant_id: TenantId
    run_id: RowId
    temporal_run_id: str
    now: datetime


class SkillStanding(Message):
    """How a run stands: without `started_at` nobody has come to it yet."""

    status: RunStatus
    started_at: datetime | None = None


class SkillExecuted(Message):
    """It is written. Its text waits in its row to be put away."""

    tokens_in: int = 0
    tokens_out: int = 0


class SkillDone(Message):
    """How a run ended. `channels` are the user's, beside their mail, that are to be told."""

    run_id: RowId
    status: RunStatus
    output_id: RowId | None = None
    s3_key: str = ""
    tokens_used: int = 0
    by_mail: bool = True
    channels: tuple[RowId, ...] = ()


class SkillFailure(Message):
    """A run that came to nothing: at which step, why, and whether asking again may help."""

    tenant_id: TenantId
    run_id: RowId
    temporal_run_id: str
    step: str
    reason: str
    retryable: bool
    now: datetime


class SkillTold(Message):
    """Whom to tell about a run that is slow: None when nobody is to be told (again)."""

    by_mail: bool = True
    channels: tuple[RowId, ...] = ()
