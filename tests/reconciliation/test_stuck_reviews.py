"""Runs of documents that say that they wait or are running, and that nobody works on."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.store.document_taking import FiledDocument
from activities.store.documents import DocumentStore
from schemas.documents import FileKind, NewRun, Role, Work
from schemas.reconciliation import Done
from tests.reconciliation.ground import Ground
from workflows import ids

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def a_review(ground: Ground, **fields: Any) -> tuple[str, str]:
    """One that was asked for long ago, and the id of its workflow."""
    stage, store, new_id = ground.stage, DocumentStore(ground.stage.database), str(uuid4())
    filed = FiledDocument(
        id=new_id,
        user_id=stage.user.id,
        role=Role.REVIEW,
        name="nda.txt",
        kind=FileKind.TEXT,
        size_bytes=1,
        sha256=sha256(new_id.encode()).hexdigest(),
        object_key=new_id,
    )
    await store.take(stage.tenant.id, filed, LONG_AGO)
    run_id = (await store.ask(stage.tenant.id, NewRun(document_id=new_id), LONG_AGO)).run_id
    for name, value in fields.items():
        await ground.sql(f"UPDATE document_runs SET {name} = $2 WHERE id = $1", run_id, value)
    return run_id, ids.document(stage.tenant.id, new_id, Work.ANALYSIS, run_id)


async def test_one_that_nobody_works_on_has_failed_and_says_so_once(ground: Ground) -> None:
    run_id, workflow_id = await a_review(ground, status="running", run_id="run", started_at=LONG_AGO)
    handle = await ground.stand_in(workflow_id)
    assert await ground.stuck() == [], "somebody works on it"
    await handle.terminate("by hand")
    one = await ground.only()
    assert (one.noun, one.row_id, one.done) == ("documents", run_id, Done.FAILED)
    row = await ground.row("document_runs", run_id)
    assert (row["status"], row["failure_reason"], row["retryable"]) == ("failed", "its workflow was terminated", True)
    assert await ground.stuck() == []
    assert await ground.ends(run_id) == ["document/analysis.failed"]


@pytest.mark.parametrize("before", [False, True], ids=["never", "in vain"])
async def test_one_that_was_asked_for_and_not_taken_is_begun(ground: Ground, before: bool) -> None:
    """Also when an earlier version had a workflow that has ended."""
    run_id, workflow_id = await a_review(ground)
    if before:
        await (await ground.stand_in(workflow_id)).terminate("by hand")
    assert await ground.stuck() == [("documents", run_id, Done.BEGUN)]
    assert await ground.status(workflow_id) == WorkflowExecutionStatus.RUNNING
    assert await ground.stuck() == []
