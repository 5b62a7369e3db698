"""How a run of a document ends: completed, failed, or stopped; and how a document goes. One terminal event for each
version of a run. Within one transaction."""

from datetime import datetime
from typing import Any

import asyncpg

from activities.documents.ports import Conclusion
from activities.store import document_made, document_texts, events
from activities.store.database import Connection, storable, storable_all
from activities.store.document_made import AT_THE_END
from activities.store.document_progress import locked
from activities.store.scripts import unneeded
from schemas.base import RowId
from schemas.documents import CANCELLED, DELETED, ENDED, AskedRun, RunDone, RunEnding, RunFailure, RunStatus

TAKEN_OVER = "another run took its place"


async def finish(connection: Connection, ending: RunEnding, conclusion: Conclusion) -> RunDone | None:
    """None when it is not this version's to end, or gone: then what was put away for it is to be deleted."""
    row = await locked(connection, ending.run_id)
    if row is not None and row["version"] == ending.version and row["status"] == RunStatus.COMPLETED:
        return await done(connection, row)
    if row is None or row["version"] != ending.version or row["status"] != RunStatus.RUNNING:
        await unneeded(connection, [conclusion.object_key] if conclusion.object_key else [], ending.now)
        return None
    await document_made.add_findings(connection, row["id"], AT_THE_END, conclusion.findings)
    await document_made.count(connection, row["id"])
    row = await connection.fetchrow(
        """
        UPDATE document_runs SET status = 'completed', step = 'done', percent = 100, message = '', risk = $2, summary = $3,
          notes = $4, letter = $5, object_key = $6, ended_at = $7
        WHERE id = $1 RETURNING *
        """,
        ending.run_id,
        conclusion.risk.value if conclusion.risk else None,
        storable_all(list(conclusion.summary)),
        storable_all(list(ending.notes)),
        storable(conclusion.letter),
        conclusion.object_key,
        ending.now,
    )
    assert row is not None, "it is locked"
    ended = await done(connection, row)
    payload = {"analysisId": row["id"], "documentId": row["document_id"], "count": ended.count, "risk": row["risk"]}
    await events.record(connection, f"document/{row['work']}.completed", terminal_key(row), payload, ending.now)
    return ended


async def fail(connection: Connection, failure: RunFailure) -> RunDone:
    """Whoever knows no version of it ends it unless another workflow has taken it; without a workflow, it is a person who
    does. What it has not made in full goes; of
    one that was stopped, what was answered goes too, and what was read for it alone."""
    row = await locked(connection, failure.run_id)
    if row is None:
        return RunDone(run_id=failure.run_id, status=RunStatus.FAILED)
    if row["status"] in ENDED or not _may_end(row, failure):
        return await done(connection, row)
    await document_made.undo(connection, row, failure.now, replies=failure.cancelled)
    await document_made.count(connection, row["id"])
    ended = await connection.fetchrow(
        """
        UPDATE document_runs SET status = $2, message = '', failed_step = $3, failure_reason = $4, retryable = $5,
          ended_at = $6
        WHERE id = $1 RETURNING *
        """,
        failure.run_id,
        (RunStatus.CANCELLED if failure.cancelled else RunStatus.FAILED).value,
        storable(failure.step) or row["step"] or "start",
        CANCELLED if failure.cancelled else storable(failure.reason),
        failure.cancelled or failure.retryable,
        failure.now,
    )
    assert ended is not None, "it is locked"
    if failure.cancelled:
        await document_texts.forget(connection, [one for one in (row["document_id"], row["other_id"]) if one])
    await _tell_failed(connection, ended, failure.now)
    return await done(connection, ended)


async def take_over(connection: Connection, run: asyncpg.Record, now: datetime) -> None:
    """Another workflow goes on with a locked run, as its next version: what this one has not made in full goes, and has
    failed for whoever listens. What was answered stays, for the next; what is reserved is given back by whoever calls still."""
    await document_made.undo(connection, run, now, replies=False)
    await connection.execute("UPDATE document_runs SET step = '', percent = 0, message = '' WHERE id = $1", run["id"])
    said = {"failed_step": run["step"] or "start", "failure_reason": TAKEN_OVER, "retryable": True}
    await _tell_failed(connection, {**run, **said}, now)


def _may_end(row: asyncpg.Record, failure: RunFailure) -> bool:
    if failure.version is not None:
        return bool(row["version"] == failure.version)
    return not failure.temporal_run_id or row["run_id"] in (None, failure.temporal_run_id)


async def delete(connection: Connection, document_id: RowId, now: datetime) -> tuple[AskedRun, ...] | None:
    """Comparisons with it go as well, whosever they are."""
    document = await connection.fetchrow("SELECT * FROM documents WHERE id = $1 FOR UPDATE", document_id)
    if document is None:
        return None
    runs = await connection.fetch(
        "SELECT * FROM document_runs WHERE document_id = $1 OR other_id = $1 ORDER BY id FOR UPDATE", document_id
    )
    files = [key for run in runs for key in document_made.files(run)]
    await unneeded(connection, [document["object_key"], *files], now)
    await connection.execute("DELETE FROM documents WHERE id = $1", document_id)
    live = [run for run in runs if run["status"] not in ENDED]
    for run in live:
        said = {"failed_step": run["step"] or "start", "failure_reason": DELETED, "retryable": False}
        await _tell_failed(connection, {**run, **said}, now)
    return tuple(_stopped(run) for run in live)


async def delete_run(connection: Connection, run_id: RowId, now: datetime) -> bool:
    """A run alone, with all that it made."""
    row = await locked(connection, run_id)
    if row is None:
        return False
    await unneeded(connection, document_made.files(row), now)
    await connection.execute("DELETE FROM document_runs WHERE id = $1", run_id)
    if row["status"] not in ENDED:
        said = {"failed_step": row["step"] or "start", "failure_reason": DELETED, "retryable": False}
        await _tell_failed(connection, {**row, **said}, now)
    return True


async def done(connection: Connection, row: asyncpg.Record) -> RunDone:
    """How it stands; of one that ended well, how much came of it."""
    count: int = await connection.fetchval(
        """
        SELECT (SELECT count(*) FROM document_findings WHERE document_run_id = $1)
          + (SELECT count(*) FROM document_differences WHERE document_run_id = $1 AND change <> 'same')
          + (SELECT count(*) FROM document_proposals WHERE document_run_id = $1)
        """,
        row["id"],
    )
    return RunDone(run_id=row["id"], status=RunStatus(row["status"]), count=count)


def terminal_key(run: asyncpg.Record | dict[str, Any]) -> str:
    """One terminal event for each version, whichever way it ends."""
    return f"document/{run['id']}/{run['version']}/ended"


async def _tell_failed(connection: Connection, run: asyncpg.Record | dict[str, Any], now: datetime) -> None:
    payload = {
        "analysisId": run["id"],
        "documentId": run["document_id"],
        "step": run["failed_step"],
        "failureReason": run["failure_reason"],
        "retryable": run["retryable"],
    }
    await events.record(connection, f"document/{run['work']}.failed", terminal_key(run), payload, now)


def _stopped(run: asyncpg.Record) -> AskedRun:
    return AskedRun(
        run_id=run["id"], document_id=run["document_id"], work=run["work"], status=run["status"], fresh=False
    )
