"""Documents: files under review, what is worked on them, and what came of it. Texts stay in rows; messages carry ids."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Content, Message, RowId, TenantId

# What a file may be at most, and what its text may.
LARGEST_FILE = 20 * 1024 * 1024
MOST_PAGES = 500
LONGEST_TEXT = 2_000_000
MOST_CLAUSES = 5000
LONGEST_NAME = 200
# A part is as many clauses as a model reads in one call, so many letters in all; a clause is never longer than that.
LONGEST_PART = 12_000
LONGEST_CLAUSE = 4000
# What the vectors of clauses have: a column of Postgres knows it too.
DIMENSIONS = 1024

# Why a run came to nothing that somebody stopped, or whose document is gone.
CANCELLED = "cancelled"
DELETED = "its document was deleted"


class Role(StrEnum):
    """What a document is to its tenant: under review, its own rules, or something to compare with."""

    REVIEW = "review"
    PLAYBOOK = "playbook"
    REFERENCE = "reference"


class FileKind(StrEnum):
    PDF = "pdf"
    DOCX = "docx"
    TEXT = "text"


class Work(StrEnum):
    """What is done with a document."""

    ANALYSIS = "analysis"
    COMPARISON = "comparison"
    REDLINE = "redline"


class Against(StrEnum):
    """What a document is compared with."""

    PLAYBOOK = "playbook"
    DOCUMENT = "document"
    NEAREST = "nearest"


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})


class Topic(StrEnum):
    """What a clause is about. A clause may be about several; `OTHER` is about none of these."""

    PARTIES = "parties"
    PURPOSE = "purpose"
    DEFINITION = "definition"
    EXCLUSIONS = "exclusions"
    OBLIGATIONS = "obligations"
    REPRESENTATIVES = "representatives"
    COMPELLED = "compelled disclosure"
    RETURN = "return or destruction"
    TERM = "term"
    SURVIVAL = "survival"
    OWNERSHIP = "no licence"
    WARRANTY = "no warranty"
    REMEDIES = "remedies"
    LIABILITY = "liability"
    INDEMNITY = "indemnity"
    NON_SOLICIT = "non-solicitation"
    NON_COMPETE = "non-competition"
    ASSIGNMENT = "assignment"
    GOVERNING_LAW = "governing law"
    DISPUTES = "disputes"
    NOTICES = "notices"
    GENERAL = "general"
    OTHER = "other"


class Risk(StrEnum):
    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Change(StrEnum):
    """How a clause stands to what it is compared with."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    MISSING = "missing"


class Clause(Content):
    """A piece of a document's text, from `start` to before `end`, in characters. Clauses follow each other without a
    gap, from the first character to the last. `number` and `heading` are as written, empty where there are none."""

    ordinal: int
    start: int
    end: int
    number: str = ""
    heading: str = ""


class Passage(Content):
    """A quote that code has found: `quote` is the document's text from `start` to before `end`, exactly."""

    clause: int
    start: int
    end: int
    quote: str


class Finding(Content):
    """One thing that was found in a document. `rule` is the line of the rubric that it breaks, empty for a plain fact.
    Without a passage it says that something is missing."""

    id: RowId
    topic: Topic
    rule: str = ""
    risk: Risk
    said: str
    passage: Passage | None = None


class Difference(Content):
    """What differs from what it is compared with, in a clause. A side that has nothing of it is None."""

    id: RowId
    topic: Topic
    change: Change
    matters: Risk
    said: str
    ours: Passage | None
    theirs: Passage | None
    theirs_document_id: RowId | None = None


class Proposal(Content):
    """A change that is proposed: the document's text of `passage` is to be `replacement`, for `reason`."""

    id: RowId
    passage: Passage
    replacement: str
    reason: str
    finding_id: RowId | None = None


class TakenDocument(Content):
    """The row of a document: the same file of the same user in the same role is the same document."""

    id: RowId
    fresh: bool


class NewRun(Content):
    """What is asked for. `reason` is why it is asked again."""

    document_id: RowId
    work: Work = Work.ANALYSIS
    against: Against | None = None
    other_id: RowId | None = None
    urgent: bool = False
    reason: str = Field(default="", max_length=500)
    # Though it ended well before.
    again: bool = False


class AskedRun(Content):
    """A run as it was written down, and what its workflow is told. `fresh`: to be begun now."""

    run_id: RowId
    document_id: RowId
    work: Work
    status: RunStatus
    fresh: bool
    urgent: bool = False
    premium: bool = False


class DocumentOrder(Message):
    """Work on a document: what is asked for is in its row."""

    tenant_id: TenantId
    document_id: RowId
    run_id: RowId
    work: Work
    urgent: bool = False
    premium: bool = False


class RunStart(Message):
    tenant_id: TenantId
    document_id: RowId
    run_id: RowId
    temporal_run_id: str
    now: datetime


class RunBegun(Message):
    """The row is taken. `other_id` is the document that it is compared with; `done` when it has ended before."""

    version: int
    # These have no text yet: this document, and whatever it is compared with.
    unread: tuple[RowId, ...] = ()
    against: Against | None = None
    done: "RunDone | None" = None
    other_id: RowId | None = None


class DocumentStep(Message):
    """A step of a run. `document_id` is the document that it is about: the run's own, or the one that it is compared
    with."""

    tenant_id: TenantId
    document_id: RowId
    run_id: RowId
    version: int
    now: datetime


class Read(Message):
    """A document has its text. `parts` are the calls that it takes to go through it."""

    clauses: int
    parts: int


class PartStep(DocumentStep):
    """A part of a document, from 1, asked for the `ask`th time."""

    part: int
    ask: int = 1


class PartDone(Message):
    """None: it is done. Otherwise what was wrong with the answer, in our words."""

    problem: str | None = None


class Embedded(Message):
    clauses: int


class RunEnding(DocumentStep):
    """`notes` are what was left out, in our words."""

    notes: tuple[str, ...] = ()
    work: Work = Work.ANALYSIS


class RunFailure(Message):
    """A run that came to nothing, or was stopped. `version` is None when it was never taken."""

    tenant_id: TenantId
    document_id: RowId
    run_id: RowId
    temporal_run_id: str
    version: int | None
    step: str
    reason: str
    retryable: bool
    cancelled: bool = False
    now: datetime


class RunDone(Message):
    """How a run ended. `count` is of findings, differences or proposals."""

    run_id: RowId
    status: RunStatus
    count: int = 0


class Progress(Message):
    """How far a run is, for whoever asks its workflow."""

    step: str
    percent: int
    message: str = ""
