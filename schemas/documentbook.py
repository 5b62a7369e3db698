"""What the pages and the command line show of documents."""

from datetime import datetime

from schemas.base import Content, RowId
from schemas.documents import Against, Clause, Difference, FileKind, Finding, Proposal, Risk, Role, RunStatus, Work


class DocumentLine(Content):
    """A document in a list. How it stands is how its analysis stands; `doing` is other work that is under way."""

    id: RowId
    name: str
    role: Role
    kind: FileKind
    size_bytes: int
    pages: int | None
    clauses: int
    created_at: datetime
    status: RunStatus | None = None
    step: str = ""
    percent: int = 0
    risk: Risk | None = None
    doing: Work | None = None
    sandbox: bool = False


class RunView(Content):
    """A run as its user sees it. `step`, `percent` and `message` say how far it is; `notes` what was left out, and why."""

    id: RowId
    document_id: RowId
    work: Work
    against: Against | None = None
    other_id: RowId | None = None
    other_name: str = ""
    status: RunStatus
    step: str
    percent: int
    message: str
    version: int
    reason: str = ""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    failed_step: str = ""
    failure_reason: str = ""
    retryable: bool = False
    cost_micro_usd: int = 0
    sandbox: bool = False
    risk: Risk | None = None
    summary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    # How many claims of the model were left out, since no quote of theirs stands there.
    dropped: int = 0
    # What a redline has: its file, how it is called, and the words for the other side.
    file_name: str = ""
    letter: str = ""


class DocumentView(Content):
    """A document as its user sees it: its text, its clauses, its runs from the newest on, and what its newest analysis
    that ended well found."""

    id: RowId
    user_id: RowId | None
    name: str
    role: Role
    kind: FileKind
    size_bytes: int
    pages: int | None
    # It came with changes that are not accepted yet: its text is as if they were.
    tracked: bool
    created_at: datetime
    text: str
    clauses: tuple[Clause, ...]
    runs: tuple[RunView, ...]
    findings: tuple[Finding, ...]
    sandbox: bool = False


class ComparisonView(Content):
    """A comparison with its two sides: differences that matter first."""

    run: RunView
    document: DocumentView
    other: DocumentView | None
    differences: tuple[Difference, ...]


class RedlineView(Content):
    run: RunView
    proposals: tuple[Proposal, ...]
