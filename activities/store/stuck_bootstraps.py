"""Bootstraps that say that they wait or are under way, of all tenants, and that nobody works on."""

from activities.reconciliation import Row
from activities.store.database import Database, patient
from activities.store.reconciliation import PAGE
from schemas.reconciliation import Comparing


class StuckBootstraps:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def open(self, comparing: Comparing, after: Row | None) -> list[Row]:
        tenant_id, row_id = (after.tenant_id, after.id) if after else (None, None)
        async with self._database.crossing() as connection:
            rows = await connection.fetch(_OPEN, tenant_id, row_id, PAGE, comparing.before)
            return [Row(**row) for row in rows]

    @patient
    async def still_waits(self, row: Row) -> bool:
        """Nobody has come to it meanwhile."""
        async with self._database.tenant(row.tenant_id) as connection:
            return bool(await connection.fetchval(_SAME, row.id, row.status, row.version, row.run_id))


_OPEN = """
SELECT tenant_id, id, status, version, run_id FROM bootstraps
WHERE status IN ('queued', 'running') AND coalesce(started_at, created_at) <= $4
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

# What it was when it was found.
_SAME = """
SELECT true FROM bootstraps WHERE id = $1 AND status = $2 AND version = $3 AND run_id IS NOT DISTINCT FROM $4
"""
