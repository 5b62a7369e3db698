"""Who works on a document's run, and how far it is. Within one transaction.

Rows are locked in one order everywhere: documents by their ids, then runs.
"""

from datetime import datetime

import asyncpg

from activities import errors
from activities.store import events
from activities.store.database import Connection
from schemas.base import RowId
from schemas.documents import DocumentStep, RunStatus

# How far a run is when it comes to a step; going through the parts of a document it is between two of these.
PERCENT = {"parsing": 5, "parsed": 25, "embedded": 30, "saving": 95}


async def locked(connection: Connection, run_id: RowId) -> asyncpg.Record | None:
    """A run, with the documents that it is about: none of them is deleted until the end of the transaction."""
    await connection.execute(
        """
        SELECT FROM documents WHERE id IN (
          SELECT document_id FROM document_runs WHERE id = $1 UNION ALL SELECT other_id FROM document_runs WHERE id = $1
        ) ORDER BY id FOR KEY SHARE
        """,
        run_id,
    )
    row: asyncpg.Record | None = await connection.fetchrow(
        "SELECT * FROM document_runs WHERE id = $1 FOR UPDATE", run_id
    )
    return row


async def own(connection: Connection, step: DocumentStep, *, over: bool = False) -> asyncpg.Record:
    """Its row, locked, if this version of it is under way still, or `over` and done, and the step is about a document of
    its."""
    row = await locked(connection, step.run_id)
    if row is None or not is_own(row, step, over=over):
        raise errors.superseded()
    return row


def is_own(row: asyncpg.Record, step: DocumentStep, *, over: bool = False) -> bool:
    live = (RunStatus.RUNNING, RunStatus.COMPLETED) if over else (RunStatus.RUNNING,)
    about = step.document_id in (row["document_id"], row["other_id"])
    return about and row["version"] == step.version and row["status"] in live


async def come_to(
    connection: Connection, run_id: RowId, step: str, now: datetime, *, percent: int | None = None, message: str = ""
) -> None:
    """A run that is under way is so far now, and its event says so. It never goes back, and the same is told once."""
    percent = PERCENT[step] if percent is None else percent
    row = await connection.fetchrow(
        """
        UPDATE document_runs SET step = $2, percent = $3, message = $4
        WHERE id = $1 AND status = 'running' AND percent < $3 RETURNING *
        """,
        run_id,
        step,
        percent,
        message,
    )
    if row is None:
        return
    payload = {
        "analysisId": run_id,
        "documentId": row["document_id"],
        "step": step,
        "percent": percent,
        "message": message,
    }
    key = f"document/{run_id}/{row['version']}/{percent}"
    await events.record(connection, f"document/{row['work']}.progress", key, payload, now)
