"""Digests that say that they are being made, of all tenants, and how one that nobody makes ends."""

from datetime import datetime

from activities.reconciliation import Row
from activities.store import endings
from activities.store.database import Database, patient
from activities.store.reconciliation import PAGE
from schemas.digests import DigestFailure
from schemas.reconciliation import Comparing, Done


class StuckDigests:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def open(self, comparing: Comparing, after: Row | None) -> list[Row]:
        """Each with its user and day: by these its workflow is called."""
        tenant_id, row_id = (after.tenant_id, after.id) if after else (None, None)
        async with self._database.crossing() as connection:
            rows = await connection.fetch(_OPEN, tenant_id, row_id, PAGE, comparing.before)
            return [Row(**row) for row in rows]

    @patient
    async def still_waits(self, row: Row) -> bool:
        """One that nobody has taken meanwhile."""
        async with self._database.tenant(row.tenant_id) as connection:
            return await connection.fetchrow(_DIGEST, row.id, row.status, row.version, row.run_id) is not None

    @patient
    async def end(self, row: Row, why: str, now: datetime) -> Done | None:
        """Nobody makes it: it has failed. Safe to run twice, and late: a row of another run, or that has ended, stays."""
        async with self._database.tenant(row.tenant_id) as connection:
            there = await connection.fetchrow(_DIGEST, row.id, row.status, row.version, row.run_id)
            if there is None:
                return None
            step = "make" if row.run_id else "begin"
            failure = DigestFailure(
                tenant_id=row.tenant_id,
                user_id=there["user_id"],
                day=there["day"],
                digest_id=row.id,
                version=row.version,
                step=step,
                reason=f"{step}: {why}",
                run_id=row.run_id or f"{row.id}.{row.version}",
                started_at=now,
                now=now,
            )
            await endings.fail(connection, failure)
            return Done.FAILED


_OPEN = """
SELECT tenant_id, id, status, version, run_id, user_id || '/' || day AS key FROM digests
WHERE status IN ('requested', 'generating') AND coalesce(begun_at, created_at) <= $4
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

# What it was when it was found.
_DIGEST = """
SELECT user_id, day FROM digests WHERE id = $1 AND status = $2 AND version = $3 AND run_id IS NOT DISTINCT FROM $4
FOR UPDATE
"""
