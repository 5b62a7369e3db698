"""What users say of outputs, and how well a skill does by that."""

from datetime import datetime

import structlog

from activities.store.database import Connection, Database, patient, storable
from schemas.base import RowId, TenantId
from schemas.skills import LAST_SCORES, LOW_SCORE, Health, Opinion

log = structlog.get_logger("feedback")


class FeedbackStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def say(
        self, tenant_id: TenantId, user_id: RowId, run_id: RowId, opinion: Opinion, now: datetime
    ) -> RowId | None:
        """Its id; None when the user has no such run, or it has no output. Whoever says it again changes what they said.

        Safe to run twice: a user has one opinion of an output.
        """
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                INSERT INTO feedback AS f (tenant_id, skill_run_id, user_id, overall, accuracy, quality, issues, created_at)
                SELECT current_tenant(), r.id, r.user_id, $3, $4, $5, $6, $7
                FROM skill_runs r JOIN outputs o ON o.skill_run_id = r.id WHERE r.id = $2 AND r.user_id = $1
                ON CONFLICT (tenant_id, skill_run_id, user_id) DO UPDATE SET overall = excluded.overall,
                  accuracy = excluded.accuracy, quality = excluded.quality, issues = excluded.issues
                RETURNING f.id, (SELECT skill FROM skill_runs WHERE id = $2) AS skill
                """,
                user_id,
                run_id,
                opinion.overall,
                opinion.accuracy,
                opinion.quality,
                storable(opinion.issues),
                now,
            )
            if row is None:
                return None
            _warn(tenant_id, row["skill"], (await _health(connection)).get(row["skill"]))
            feedback_id: RowId = row["id"]
            return feedback_id

    @patient
    async def health(self, tenant_id: TenantId) -> dict[str, Health]:
        """By skill, of those that anybody has said something of."""
        async with self._database.tenant(tenant_id) as connection:
            return await _health(connection)

    @patient
    async def of(self, tenant_id: TenantId, feedback_id: str) -> str | None:
        """Which skill it is about; None for whatever is no id of an opinion."""
        async with self._database.tenant(tenant_id) as connection:
            skill: str | None = await connection.fetchval(
                "SELECT r.skill FROM feedback f JOIN skill_runs r ON r.id = f.skill_run_id WHERE f.id::text = $1",
                storable(feedback_id).strip().lower(),
            )
            return skill


async def _health(connection: Connection) -> dict[str, Health]:
    rows = await connection.fetch(
        """
        SELECT skill, avg(overall)::float8 AS score, count(*)::int AS scores FROM (
          SELECT r.skill, f.overall, row_number() OVER (PARTITION BY r.skill ORDER BY f.created_at DESC, f.id) AS place
          FROM feedback f JOIN skill_runs r ON r.id = f.skill_run_id
        ) said WHERE place <= $1 GROUP BY skill
        """,
        LAST_SCORES,
    )
    return {
        row["skill"]: Health(score=row["score"], scores=row["scores"], low=row["score"] < LOW_SCORE) for row in rows
    }


def _warn(tenant_id: TenantId, skill: str, health: Health | None) -> None:
    if health is not None and health.low:
        log.warning("a skill does badly", tenant=tenant_id, skill=skill, score=health.score, scores=health.scores)
