"""What an operator reads of a run: search attributes, details in Markdown, and why it failed. Nothing personal."""

from datetime import datetime
from typing import Any

from temporalio import exceptions, workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from schemas import documents
from schemas.base import RowId, TenantId
from schemas.bootstraps import BootstrapStatus
from schemas.digests import DigestStatus
from schemas.research import Begun, Gap, Phase, Progress, State, Subject
from schemas.skills import RunStatus
from schemas.transcripts import CallStatus

TENANT_ID = SearchAttributeKey.for_keyword("TenantId")
NOUN = SearchAttributeKey.for_keyword("Noun")
PHASE = SearchAttributeKey.for_keyword("Phase")
FAILED_STEP = SearchAttributeKey.for_keyword("FailedStep")
MEETING_START = SearchAttributeKey.for_datetime("MeetingStart")
URGENT = SearchAttributeKey.for_bool("Urgent")
COST = SearchAttributeKey.for_int("CostMicroUsd")

# What the namespace must know before anything is started; `doctor` and the development stack read it here.
SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (
    TENANT_ID,
    NOUN,
    PHASE,
    FAILED_STEP,
    MEETING_START,
    URGENT,
    COST,
)


def found_by(tenant_id: TenantId, noun: str = "research") -> TypedSearchAttributes:
    """What every run of the noun is found by, children included."""
    return TypedSearchAttributes([SearchAttributePair(TENANT_ID, tenant_id), SearchAttributePair(NOUN, noun)])


def research(tenant_id: TenantId, starts_at: datetime | None, *, urgent: bool) -> TypedSearchAttributes:
    """What a research is found by when it begins."""
    attributes: list[SearchAttributePair[Any]] = [
        *found_by(tenant_id),
        SearchAttributePair(PHASE, Phase.RESEARCHING.value),
        SearchAttributePair(URGENT, urgent),
    ]
    if starts_at is not None:
        attributes.append(SearchAttributePair(MEETING_START, starts_at))
    return TypedSearchAttributes(attributes)


def tell_step(what: str, why: str, at: datetime) -> None:
    """What is done next for a meeting, and when; its phase is what a list shows."""
    workflow.set_current_details(f"## Next: {what}\n\n- **when**: {at:%Y-%m-%d %H:%M} UTC\n- **why**: {why}")


def tell_call(status: CallStatus, said: str, *updates: SearchAttributeUpdate[Any]) -> None:
    """How far a call is; nobody is named."""
    workflow.upsert_search_attributes([PHASE.value_set(status.value), *updates])
    workflow.set_current_details(f"## {status.value.capitalize()}: {said}")


def tell_digest(status: DigestStatus, said: str, *updates: SearchAttributeUpdate[Any]) -> None:
    """How far a digest is; nobody is named."""
    workflow.upsert_search_attributes([PHASE.value_set(status.value), *updates])
    workflow.set_current_details(f"## {status.value.capitalize()}: {said}")


def tell_skill(status: RunStatus, said: str, *updates: SearchAttributeUpdate[Any]) -> None:
    """How far a skill's run is; nobody is named."""
    workflow.upsert_search_attributes([PHASE.value_set(status.value), *updates])
    workflow.set_current_details(f"## {status.value.capitalize()}: {said}")


def document(tenant_id: TenantId, *, urgent: bool) -> TypedSearchAttributes:
    """What work on a document is found by when it begins."""
    queued = documents.RunStatus.QUEUED.value
    attributes: list[SearchAttributePair[Any]] = [
        *found_by(tenant_id, "documents"),
        SearchAttributePair(PHASE, queued),
        SearchAttributePair(URGENT, urgent),
    ]
    return TypedSearchAttributes(attributes)


def tell_document(status: documents.RunStatus, told: documents.Progress, *updates: SearchAttributeUpdate[Any]) -> None:
    """How work on a document stands; nobody is named."""
    workflow.upsert_search_attributes([PHASE.value_set(status.value), *updates])
    workflow.set_current_details(f"## {status.value.capitalize()}\n\n{_percent(told)}")


def tell_further(told: documents.Progress) -> None:
    """How far it is, and no more: a part more is no other phase."""
    workflow.set_current_details(f"## {documents.RunStatus.RUNNING.value.capitalize()}\n\n{_percent(told)}")


def _percent(told: documents.Progress) -> str:
    return f"- **{told.step}**: {told.percent} %" + (f" ({told.message})" if told.message else "")


def why(error: BaseException) -> tuple[str, str]:
    """The type and the words of what really went wrong, below the wrappers that Temporal puts around it."""
    last = error
    while isinstance(last, FailureError) and last.cause is not None:
        last = last.cause
    if isinstance(last, ApplicationError):
        return last.type or "Failed", last.message
    if isinstance(last, exceptions.TimeoutError):
        return "TimedOut", "a step took too long, or its worker died"
    return type(last).__name__, "the run was cancelled" if is_cancelled_exception(error) else type(last).__name__


class Account:
    """A run as it is told: its phase, its step, and the state of each subject. Tells Temporal at every change."""

    def __init__(self) -> None:
        self.phase = Phase.RESEARCHING
        self.step = "begin"
        self._prospects: tuple[Subject, ...] = ()
        self._companies: tuple[Subject, ...] = ()
        self._states: dict[RowId, tuple[State, str]] = {}

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return (*self._prospects, *self._companies)

    def waiting(self) -> list[Subject]:
        """Who is to be looked up."""
        return [one for one in self.subjects if self._states[one.subject_id][0] is State.WAITING]

    def begin(self, begun: Begun) -> None:
        """Who it is about; what is fresh needs nothing more."""
        self._prospects, self._companies = begun.prospects, begun.companies
        for subject in self.subjects:
            self._states[subject.subject_id] = (_begins(subject), "")

    def enter(self, phase: Phase, step: str, *updates: SearchAttributeUpdate[Any]) -> None:
        if phase is not self.phase or updates:
            workflow.upsert_search_attributes([PHASE.value_set(phase.value), *updates])
        self.phase, self.step = phase, step
        self._tell()

    def note(self, subject: Subject, state: State, reason: str = "") -> None:
        self._states[subject.subject_id] = (state, reason)
        self._tell()

    def usable(self) -> bool:
        """Something was found about somebody."""
        return any(state in (State.FOUND, State.FRESH) for state, _ in self._states.values())

    def gaps(self) -> tuple[Gap, ...]:
        """What the brief must own up to."""
        return tuple(
            Gap(subject_id=subject_id, state=state, reason=reason)
            for subject_id, (state, reason) in self._states.items()
            if state in (State.NOT_FOUND, State.FAILED, State.TIMED_OUT, State.LEFT_OUT)
        )

    def reasons(self) -> str:
        lines = ((subject.label, *self._states[subject.subject_id]) for subject in self.subjects)
        return "; ".join(f"{label}: {reason or state.value}" for label, state, reason in lines)

    def progress(self) -> Progress:
        return Progress(
            phase=self.phase, prospects=self._listed(self._prospects), companies=self._listed(self._companies)
        )

    def _listed(self, subjects: tuple[Subject, ...]) -> tuple[tuple[str, State], ...]:
        return tuple((subject.label, self._states[subject.subject_id][0]) for subject in subjects)

    def _tell(self) -> None:
        """The phase, then each subject with its state and, for a bad one, the reason."""
        lines = [f"## {self.phase.value.capitalize()}: {self.step}", ""]
        for subject in self.subjects:
            state, reason = self._states[subject.subject_id]
            lines.append(f"- **{subject.label}**: {state.value}" + (f" ({reason})" if reason else ""))
        workflow.set_current_details("\n".join(lines))


def _begins(subject: Subject) -> State:
    if subject.left_out:
        return State.LEFT_OUT
    if not subject.fresh:
        return State.WAITING
    return State.NOT_FOUND if subject.empty else State.FRESH


def tell_bootstrap(status: BootstrapStatus, said: str) -> None:
    """How far the taking in of references is; the workflow is of no tenant for long."""
    workflow.upsert_search_attributes([PHASE.value_set(status.value)])
    workflow.set_current_details(f"## {status.value.capitalize()}: {said}")
