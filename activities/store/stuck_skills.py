"""Runs of skills that say that they wait or are running, of all tenants, and how one that nobody works on ends."""

from datetime import datetime

from activities.reconciliation import Row
from activities.store import skill_endings
from activities.store.database import Database, patient
from activities.store.reconciliation import PAGE
from schemas.reconciliation import Comparing
from schemas.skills import SkillDone, SkillFailure, SkillOrder


class StuckSkills:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def open(self, comparing: Comparing, after: Row | None) -> list[Row]:
        """One that waits for its turn has somebody who waits for it."""
        tenant_id, row_id = (after.tenant_id, after.id) if after else (None, None)
        async with self._database.crossing() as connection:
            rows = await connection.fetch(_OPEN, tenant_id, row_id, PAGE, comparing.before)
            return [Row(**row) for row in rows]

    @patient
    async def order(self, row: Row) -> SkillOrder | None:
        """What was asked for, if nobody has come to it meanwhile."""
        async with self._database.tenant(row.tenant_id) as connection:
            there = await connection.fetchrow(_RUN, row.id, row.status, row.version, row.run_id)
            return (
                None if there is None else SkillOrder(tenant_id=row.tenant_id, run_id=row.id, turn_at=there["turn_at"])
            )

    @patient
    async def end(self, row: Row, why: str, now: datetime) -> SkillDone | None:
        """Nobody works on it: it has failed, and may be asked for again. Safe to run twice, and late: a row of another
        run, or that has ended, stays."""
        async with self._database.tenant(row.tenant_id) as connection:
            if await connection.fetchrow(_RUN, row.id, row.status, row.version, row.run_id) is None:
                return None
            step = "execute" if row.run_id else "start"
            failure = SkillFailure(
                tenant_id=row.tenant_id,
                run_id=row.id,
                temporal_run_id=row.run_id or "",
                step=step,
                reason=why,
                retryable=True,
                now=now,
            )
            return await skill_endings.fail(connection, failure)

    @patient
    async def ended(self, row: Row, comparing: Comparing) -> bool:
        """Whether its row says that this very run has ended, and did a while ago."""
        async with self._database.tenant(row.tenant_id) as connection:
            return bool(await connection.fetchval(_ENDED, row.id, row.run_id, comparing.before))


_OPEN = """
SELECT tenant_id, id, status, version, run_id FROM skill_runs
WHERE status IN ('queued', 'running') AND coalesce(started_at, created_at) <= $4
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

# What it was when it was found.
_RUN = """
SELECT turn_at FROM skill_runs WHERE id = $1 AND status = $2 AND version = $3 AND run_id IS NOT DISTINCT FROM $4
FOR UPDATE
"""

_ENDED = """
SELECT true FROM skill_runs
WHERE id = $1 AND run_id = $2 AND status IN ('completed', 'failed') AND coalesce(ended_at <= $3, true)
"""
