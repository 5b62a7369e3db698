"""Runs of documents that say that they wait or are running, of all tenants, and how one that nobody works on ends."""

from datetime import datetime

from activities.reconciliation import Row
from activities.store import document_endings
from activities.store.database import Database, patient
from activities.store.reconciliation import PAGE
from schemas.documents import DocumentOrder, RunDone, RunFailure, Work
from schemas.reconciliation import Comparing


class StuckDocuments:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def open(self, comparing: Comparing, after: Row | None) -> list[Row]:
        """The key of a row is what its workflow is called by: its document and what is done with it."""
        tenant_id, row_id = (after.tenant_id, after.id) if after else (None, None)
        async with self._database.crossing() as connection:
            rows = await connection.fetch(_OPEN, tenant_id, row_id, PAGE, comparing.before)
            return [Row(**row) for row in rows]

    @patient
    async def order(self, row: Row) -> DocumentOrder | None:
        """What was asked for, if nobody has come to it meanwhile."""
        async with self._database.tenant(row.tenant_id) as connection:
            there = await connection.fetchrow(_RUN, row.id, row.status, row.version, row.run_id)
            if there is None:
                return None
            return DocumentOrder(
                tenant_id=row.tenant_id,
                document_id=there["document_id"],
                run_id=row.id,
                work=Work(there["work"]),
                urgent=there["urgent"],
                premium=there["premium"],
            )

    @patient
    async def end(self, row: Row, why: str, now: datetime) -> RunDone | None:
        """Nobody works on it: it has failed, and may be asked for again. Safe to run twice, and late: a row of another
        run, or that has ended, stays."""
        async with self._database.tenant(row.tenant_id) as connection:
            there = await connection.fetchrow(_RUN, row.id, row.status, row.version, row.run_id)
            if there is None:
                return None
            failure = RunFailure(
                tenant_id=row.tenant_id,
                document_id=there["document_id"],
                run_id=row.id,
                temporal_run_id=row.run_id or "",
                version=row.version,
                step=there["step"] or "start",
                reason=why,
                retryable=True,
                now=now,
            )
            return await document_endings.fail(connection, failure)


_OPEN = """
SELECT tenant_id, id, status, version, run_id, document_id || '/' || work AS key FROM document_runs
WHERE status IN ('queued', 'running') AND coalesce(started_at, asked_at) <= $4
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

# What it was when it was found. It is locked by whoever ends it, after its document.
_RUN = """
SELECT r.document_id, r.work, r.urgent, r.step, t.premium FROM document_runs r, tenants t
WHERE r.id = $1 AND r.status = $2 AND r.version = $3 AND r.run_id IS NOT DISTINCT FROM $4
"""
