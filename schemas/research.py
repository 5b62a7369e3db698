"""Research: who we are about to meet, and what we found out. Row ids travel; people and text stay in their rows."""

from datetime import datetime
from enum import StrEnum

from schemas.base import Message, PersonKey, RowId, TenantId


class Phase(StrEnum):
    """Where a run is. It only reports; the status in the research row drives."""

    RESEARCHING = "researching"
    WRITING = "writing"
    READY = "ready"
    FAILED = "failed"


class State(StrEnum):
    """What has become of one subject of a run."""

    WAITING = "waiting"
    FRESH = "fresh"
    FOUND = "found"
    NOT_FOUND = "not found"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    LEFT_OUT = "left out"


class ResearchRequest(Message):
    """Research this meeting or ad hoc request: `research_id` is the row that holds who is to be met."""

    tenant_id: TenantId
    research_id: RowId
    # The meeting is near: what companies did is asked again when it is hours old, not only when it is a day.
    latest: bool = False


class Subject(Message):
    """A person or company to look up. `label` is what an operator may read: "Prospect 2 at acme.example"."""

    subject_id: RowId
    label: str
    # Their last research is recent enough to be used again as it is.
    fresh: bool = False
    # ... and found nothing at all.
    empty: bool = False
    # The budget does not last for them.
    left_out: bool = False
    # People only: what stands for them in workflow ids.
    key: PersonKey | None = None


class Begun(Message):
    """The run is written down: its version, its brief's id, and who is still to be looked up."""

    version: int
    brief_id: RowId
    prospects: tuple[Subject, ...]
    companies: tuple[Subject, ...]


class LookUp(Message):
    """One question about one subject. The second question is asked when the first finds nobody."""

    tenant_id: TenantId
    research_id: RowId
    version: int
    subject: Subject
    question: int = 1
    # Workflow time: what is fresh, and what is recent, is judged by it.
    now: datetime
    # As in the request: the news of a company must be new.
    latest: bool = False


class Found(Message):
    """How much a look-up found; the evidence itself is stored."""

    subject_id: RowId
    evidence: int
    # True when another run asked, or we did and crashed, and the kept answer served.
    reused: bool = False


class Writing(Message):
    """Write the brief of this version. `ask` counts: the first, and at most two repairs."""

    tenant_id: TenantId
    research_id: RowId
    version: int
    brief_id: RowId
    gaps: tuple["Gap", ...] = ()
    ask: int = 1
    now: datetime


class Gap(Message):
    """What was looked for and is not there, and why. `subject_id` says about whom."""

    subject_id: RowId
    state: State
    # What an operator may read: never a person's name, never a provider's text.
    reason: str = ""


class Written(Message):
    """A finished brief, or what was wrong with the model's answer."""

    confidence: str = ""
    claims: int = 0
    cost_micro_usd: int = 0
    problem: str | None = None


class Overdue(Message):
    """The window has closed on these subjects: had they their time? The writing's subject is its brief."""

    tenant_id: TenantId
    research_id: RowId
    version: int
    subject_ids: tuple[RowId, ...]
    limit_s: float
    # The subject is the brief itself: its queue is the model's.
    writing: bool = False
    now: datetime


class Remaining(Message):
    """Who has had all their time, and seconds until the next of the others could have.

    `moving` is false when none of the others has begun and no queue moves either: perhaps nobody is there to try.
    """

    over: tuple[RowId, ...] = ()
    seconds: float
    moving: bool


class Failure(Message):
    """A run that ends without a brief: which step, and why."""

    tenant_id: TenantId
    research_id: RowId
    version: int | None
    step: str
    reason: str
    run_id: str
    started_at: datetime
    now: datetime
    # It was called off, and has not failed by itself.
    cancelled: bool = False


class Start(Message):
    """Write down that this run has begun."""

    tenant_id: TenantId
    research_id: RowId
    run_id: str
    now: datetime
    # As in the request: the news of companies must be new.
    latest: bool = False


class ResearchOutcome(Message):
    """The receipt. The brief itself is stored; only its id and its gaps travel back."""

    brief_id: RowId
    version: int
    confidence: str
    cost_micro_usd: int
    gaps: tuple[Gap, ...] = ()


class Progress(Message):
    """Where a run is, for whoever watches: labels and states only."""

    phase: Phase
    prospects: tuple[tuple[str, State], ...] = ()
    companies: tuple[tuple[str, State], ...] = ()


Writing.model_rebuild()
