"""Documents, as events ask for them: each is checked against our rows, and then done as for anybody else."""

from activities.store.received import Begun
from schemas.base import RowId, TenantId
from schemas.documents import Against, AskedRun, NewRun, Role, Work
from schemas.payloads import (
    AnalysisCancelled,
    AnalysisRequested,
    AnalysisRetried,
    ComparisonRequested,
    DocumentDeleted,
    DocumentUploaded,
    RedlineRequested,
)
from starter import documents
from starter.inbox import Problem
from starter.intake import ROW_ID
from starter.office import Office
from starter.words import UsageError
from workflows import ids

OfDocument = AnalysisRequested | AnalysisRetried | ComparisonRequested | RedlineRequested

NO_DOCUMENT = "there is no such document"


async def may_take(at: Office, tenant_id: TenantId, sent: DocumentUploaded) -> Problem | None:
    """Why an event is refused that brings a document, or names one."""
    if sent.document_id is not None:
        return await _unknown(at, tenant_id, sent.document_id)
    assert sent.text is not None, "the payload says so"
    if sent.user_id is None or await at.user(tenant_id, sent.user_id) is None:
        return Problem("userId", "there is no such user")
    try:
        documents.fit(Role.REVIEW, sent.file_name, sent.text.encode())
    except UsageError as error:
        return Problem("text", _within(error.sentence))
    return None


async def may(at: Office, tenant_id: TenantId, asked: OfDocument) -> Problem | None:
    return await _unknown(at, tenant_id, asked.document_id)


async def may_compare(at: Office, tenant_id: TenantId, asked: ComparisonRequested) -> Problem | None:
    problem = await _unknown(at, tenant_id, asked.document_id)
    if problem is None and asked.other_id is not None:
        problem = await _unknown(at, tenant_id, asked.other_id, "otherId")
    return problem


async def uploaded(at: Office, tenant_id: TenantId, sent: DocumentUploaded, _row: RowId) -> Begun:
    """A text becomes a document of its user's; the same text is the same document."""
    document_id = sent.document_id
    if sent.text is not None:
        user = await at.user(tenant_id, sent.user_id or "")
        if user is None:
            return Begun(reason="There is no such user", parked=True)
        taken = await documents.upload(at, tenant_id, user.id, Role.REVIEW, sent.file_name, sent.text.encode())
        document_id = taken.id
    assert document_id is not None, "the payload says so"
    return await _ask(at, tenant_id, NewRun(document_id=_ours(document_id), urgent=_urgent(sent)))


async def requested(at: Office, tenant_id: TenantId, asked: AnalysisRequested, _row: RowId) -> Begun:
    return await _ask(at, tenant_id, NewRun(document_id=_ours(asked.document_id), urgent=_urgent(asked)))


async def retried(at: Office, tenant_id: TenantId, asked: AnalysisRetried, _row: RowId) -> Begun:
    """Whatever came to nothing last."""
    wanted = await at.documents.to_retry(tenant_id, _ours(asked.document_id))
    if wanted is None:
        return Begun(reason="Nothing of it has failed or was cancelled")
    return await _ask(at, tenant_id, wanted.model_copy(update={"reason": asked.reason}))


async def compared(at: Office, tenant_id: TenantId, asked: ComparisonRequested, _row: RowId) -> Begun:
    other_id = _ours(asked.other_id) if asked.against is Against.DOCUMENT and asked.other_id else None
    wanted = NewRun(
        document_id=_ours(asked.document_id),
        work=Work.COMPARISON,
        against=asked.against,
        other_id=other_id,
        urgent=_urgent(asked),
    )
    return await _ask(at, tenant_id, wanted)


async def redlined(at: Office, tenant_id: TenantId, asked: RedlineRequested, _row: RowId) -> Begun:
    wanted = NewRun(document_id=_ours(asked.document_id), work=Work.REDLINE, urgent=_urgent(asked))
    return await _ask(at, tenant_id, wanted)


async def cancelled(at: Office, tenant_id: TenantId, asked: AnalysisCancelled, _row: RowId) -> Begun:
    """One that has ended stays as it is, and one that is not there needs no stopping."""
    run_id = _ours(asked.analysis_id)
    there = await at.documents.run(tenant_id, run_id) if ROW_ID.fullmatch(run_id) else None
    if there is None:
        return Begun(reason="There is no such run")
    stopped = await documents.cancel(at, tenant_id, run_id)
    workflow_id = ids.document(tenant_id, there[0], there[1], run_id)
    return Begun(workflow_id) if stopped else Begun(reason="It has ended already")


async def deleted(at: Office, tenant_id: TenantId, asked: DocumentDeleted, _row: RowId) -> Begun:
    document_id = _ours(asked.document_id)
    there = ROW_ID.fullmatch(document_id) and await documents.delete(at, tenant_id, document_id)
    return Begun(reason="It is deleted" if there else "There is no such document")


async def _ask(at: Office, tenant_id: TenantId, wanted: NewRun) -> Begun:
    asked: AskedRun = await documents.ask(at, tenant_id, wanted)
    return Begun(ids.document(tenant_id, asked.document_id, asked.work, asked.run_id))


async def _unknown(at: Office, tenant_id: TenantId, named: str, field: str = "documentId") -> Problem | None:
    there = await at.references.document(tenant_id, named)
    return None if there else Problem(field, NO_DOCUMENT)


def _ours(named: str) -> RowId:
    """Documents and runs go by our ids alone."""
    return named.strip().lower()


def _urgent(sent: DocumentUploaded | AnalysisRequested | ComparisonRequested | RedlineRequested) -> bool:
    return sent.priority == "urgent"


def _within(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"
