"""Documents, as people and other applications bring them and have them worked on: checked, written down, and begun.

file ─▶ what it is, its bounds ─▶ kept ─▶ its row
NewRun ─▶ can it be meant ─▶ its row ─▶ DocumentAnalysis, Comparison, Generation
"""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.documents import keys
from activities.documents.formats.sniff import sniff
from activities.documents.ports import UnreadableFileError
from activities.plain import clean
from activities.ports import Objects
from activities.sealing import SealError
from activities.store.document_asking import UnfitRunError
from activities.store.document_taking import FiledDocument
from activities.store.unneeded import UnneededStore
from schemas.base import RowId, TenantId
from schemas.documents import (
    CANCELLED,
    ENDED,
    LARGEST_FILE,
    LONGEST_NAME,
    AskedRun,
    DocumentOrder,
    FileKind,
    NewRun,
    Role,
    RunFailure,
    RunStatus,
    TakenDocument,
    Work,
)
from starter.office import Office
from starter.words import NotFoundError, NotReadyError, UsageError
from workflows import ids, policies, queues, story
from workflows.documents import ComparisonWorkflow, DocumentAnalysisWorkflow, GenerationWorkflow
from workflows.priorities import priority

log = structlog.get_logger("documents")

LIST = "greenroom document list shows them"
# Whoever asked waits for Temporal no longer: their run is written down, and who looks after runs begins it.
PATIENCE_S = 2.0

KINDS: Mapping[FileKind, str] = MappingProxyType(
    {
        FileKind.PDF: "application/pdf",
        FileKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        FileKind.TEXT: "text/plain; charset=utf-8",
    }
)
WORKFLOWS: Mapping[Work, tuple[Any, str]] = MappingProxyType(
    {
        Work.ANALYSIS: (DocumentAnalysisWorkflow.run, "Review a document"),
        Work.COMPARISON: (ComparisonWorkflow.run, "Compare a document"),
        Work.REDLINE: (GenerationWorkflow.run, "Propose changes to a document"),
    }
)


async def upload(
    at: Office, tenant_id: TenantId, user_id: RowId | None, role: Role, name: str, data: bytes
) -> TakenDocument:
    """Keep a file. The same file of the same user in the same role is the same document.

    UsageError for a file that is none of ours, NotFoundError for nobody's, NotReadyError without a place for files.
    """
    kind, objects = fit(role, name, data), _objects(at)
    digest = hashlib.sha256(data).hexdigest()
    there = await at.documents.there(tenant_id, user_id, role, digest)
    if there is not None:
        await _put_back(objects, keys.original(tenant_id, there.id), data, kind)
        return there
    new_id = str(uuid4())
    key = keys.original(tenant_id, new_id)
    # Whoever is cut off in the middle leaves no file that nobody knows of.
    await at.documents.expect(tenant_id, key, datetime.now(UTC))
    await _put(objects, key, data, kind)
    filed = FiledDocument(
        id=new_id,
        user_id=user_id,
        role=role,
        name=clean(name, LONGEST_NAME) or "document",
        kind=kind,
        size_bytes=len(data),
        sha256=digest,
        object_key=key,
    )
    try:
        return await at.documents.take(tenant_id, filed, datetime.now(UTC))
    except ApplicationError as error:
        raise _unknown(error, "user") from None


def fit(role: Role, name: str, data: bytes) -> FileKind:
    """What a file is. UsageError for one that cannot be a document."""
    if role is Role.REFERENCE:
        raise UsageError("References are taken in from their library", "greenroom bootstrap run does that")
    if len(data) > LARGEST_FILE:
        raise UsageError(f"The file has more than {LARGEST_FILE // 2**20} MB")
    try:
        return sniff(data, name)
    except UnreadableFileError as error:
        raise UsageError(error.sentence) from None


async def ask(at: Office, tenant_id: TenantId, wanted: NewRun) -> AskedRun:
    """Have something done with a document, or join whoever does it.

    UsageError, NotFoundError and NotReadyError come before anything is written down.
    """
    _objects(at)
    try:
        asked = await at.documents.ask(tenant_id, wanted, datetime.now(UTC))
    except UnfitRunError as unfit:
        raise UsageError(str(unfit)) from None
    except ApplicationError as error:
        raise _unknown(error, "document") from None
    await soon(at, tenant_id, asked)
    return asked


async def soon(at: Office, tenant_id: TenantId, asked: AskedRun) -> None:
    """A run that is written down is begun, or stays queued until Temporal is there again."""
    if asked.status is not RunStatus.QUEUED:
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            await begin(at.client, _order(tenant_id, asked), anew=asked.fresh)
    except (RPCError, TimeoutError, RuntimeError, OSError, SealError) as error:
        log.warning("a run is not begun yet", run_id=asked.run_id, error=type(error).__name__)


async def begin(client: Client, order: DocumentOrder, *, anew: bool = False) -> str:
    """Have a run looked after, or join whoever does. Its workflow id.

    With `anew` nobody looks after this version of it yet: whoever still runs is of one that has ended, and only says so.
    """
    run, summary = WORKFLOWS[order.work]
    workflow_id = ids.document(order.tenant_id, order.document_id, order.work, order.run_id)
    await client.start_workflow(
        run,
        order,
        id=workflow_id,
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=(
            WorkflowIDConflictPolicy.TERMINATE_EXISTING if anew else WorkflowIDConflictPolicy.USE_EXISTING
        ),
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.document(order.tenant_id, urgent=order.urgent),
        static_summary=summary,
        priority=priority(order.tenant_id, urgent=order.urgent, premium=order.premium),
    )
    return workflow_id


async def retry(at: Office, tenant_id: TenantId, run_id: RowId, reason: str = "") -> AskedRun:
    """Do a run again that failed or was cancelled. UsageError for one that did not."""
    there = await at.documents.run(tenant_id, run_id)
    if there is None:
        raise NotFoundError("There is no such run", LIST)
    wanted = await at.documents.to_retry(tenant_id, run_id)
    if wanted is None:
        raise UsageError(f"It is {there[2].value}, so there is nothing to do again")
    return await ask(at, tenant_id, wanted.model_copy(update={"reason": reason}))


async def cancel(at: Office, tenant_id: TenantId, run_id: RowId) -> bool:
    """Stop a run, and remove what it made. Whether there was something to stop; NotFoundError for no such run.

    The row and whoever works on it at once: the one may wait for a lock, and Temporal may be away. Without a row to work
    for it stores nothing any more.
    """
    there = await at.documents.run(tenant_id, run_id)
    if there is None:
        raise NotFoundError("There is no such run", LIST)
    document_id, work, status = there
    if status in ENDED:
        return False
    failure = RunFailure(
        tenant_id=tenant_id,
        document_id=document_id,
        run_id=run_id,
        temporal_run_id="",
        version=None,
        step="",
        reason=CANCELLED,
        retryable=True,
        cancelled=True,
        now=datetime.now(UTC),
    )
    workflow_id = ids.document(tenant_id, document_id, work, run_id)
    done, _ = await asyncio.gather(at.document_runs.fail(failure), _stop(at, workflow_id))
    return done.status is RunStatus.CANCELLED


async def delete(at: Office, tenant_id: TenantId, document_id: RowId) -> bool:
    """Delete a document with all that was made of it. Whether it was there."""
    running = await at.documents.delete(tenant_id, document_id, datetime.now(UTC))
    workflows = (ids.document(tenant_id, one.document_id, one.work, one.run_id) for one in running or ())
    await asyncio.gather(*(_stop(at, one) for one in workflows))
    if running is not None:
        await _discard(at, tenant_id, document_id, forget=not running)
    return running is not None


async def _discard(at: Office, tenant_id: TenantId, document_id: RowId, *, forget: bool) -> None:
    """Delete its files at once. What cannot be deleted now goes by night, as it is written down; so it stays while
    somebody who works on it yet may put one away."""
    rows = UnneededStore(at.database)
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await rows.unneeded(tenant_id, datetime.now(UTC), keys.folder(tenant_id, document_id))
            if (objects := at.objects) is None or not found:
                return
            await objects.delete(found)
            if forget:
                await rows.deleted(tenant_id, found)
    except (ApplicationError, TimeoutError, ValueError, OSError) as error:
        log.warning("files are not deleted yet", document_id=document_id, error=type(error).__name__)


async def _stop(at: Office, workflow_id: str) -> None:
    """Stop whoever works on what is ended already. With Temporal away it ends by itself: it can store nothing."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await at.client.get_workflow_handle(workflow_id).cancel()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            log.warning("a run is not stopped yet", workflow_id=workflow_id, error=error.status.name)
    except (TimeoutError, RuntimeError, OSError) as error:
        log.warning("a run is not stopped yet", workflow_id=workflow_id, error=type(error).__name__)


async def _put(objects: Objects, key: str, data: bytes, kind: FileKind) -> None:
    try:
        await objects.put(key, data, KINDS[kind])
    except ApplicationError as error:
        raise _unkept(error) from None


async def _put_back(objects: Objects, key: str, data: bytes, kind: FileKind) -> None:
    """The file of a document that is there, should it be gone."""
    try:
        there = await objects.get(key)
    except ApplicationError as error:
        raise _unkept(error) from None
    if there is None:
        await _put(objects, key, data, kind)


def _unkept(error: ApplicationError) -> NotReadyError:
    return NotReadyError(f"The file cannot be kept ({error.message})", "greenroom doctor says more")


def _objects(at: Office) -> Objects:
    try:
        objects = at.objects
    except ValueError as error:
        raise NotReadyError(f"Files cannot be kept: {error}", "GREENROOM_OBJECTS_URL says where") from None
    if objects is None:
        raise NotReadyError("There is nowhere to keep files", "GREENROOM_OBJECTS_URL says where")
    return objects


def _order(tenant_id: TenantId, asked: AskedRun) -> DocumentOrder:
    return DocumentOrder(
        tenant_id=tenant_id,
        document_id=asked.document_id,
        run_id=asked.run_id,
        work=asked.work,
        urgent=asked.urgent,
        premium=asked.premium,
    )


def _unknown(error: ApplicationError, what: str) -> Exception:
    """What is named is gone, or somebody else's: no more is said of that."""
    return NotFoundError(f"There is no such {what}", LIST) if error.type == "NotFound" else error
