"""Briefs and runs as people read them."""

from typing import Any

import asyncpg

from activities.store import promises
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.briefs import Brief, BriefGap, BriefSubject, Changes, Claim, Evidence
from schemas.tenants import BriefLine, RunRow


class Library:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def brief(self, tenant_id: TenantId, brief_id: RowId) -> Brief | None:
        """A brief with all it rests on, or nothing when this tenant has no such brief."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT b.*, m.title, m.starts_at, c.name AS campaign, u.time_zone
                FROM briefs b JOIN research r ON r.id = b.research_id JOIN campaigns c ON c.id = r.campaign_id
                JOIN users u ON u.id = r.user_id LEFT JOIN meetings m ON m.id = r.meeting_id
                WHERE b.id = $1
                """,
                brief_id,
            )
            return None if row is None else await _brief(connection, row)

    @patient
    async def briefs(self, tenant_id: TenantId, limit: int) -> list[BriefLine]:
        """The newest first."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT b.id, coalesce(m.title, (
                    SELECT string_agg(p.email, ', ' ORDER BY rp.position) FROM research_prospects rp
                    JOIN subjects p ON p.id = rp.subject_id WHERE rp.research_id = r.id
                  )) AS title, b.version, b.confidence, b.sandbox,
                  b.written_at, (SELECT count(*) FROM claims c WHERE c.brief_id = b.id) AS claims
                FROM briefs b JOIN research r ON r.id = b.research_id LEFT JOIN meetings m ON m.id = r.meeting_id
                ORDER BY b.written_at DESC LIMIT $1
                """,
                limit,
            )
            return [BriefLine.model_validate(dict(row)) for row in rows]

    @patient
    async def runs(self, tenant_id: TenantId, limit: int) -> list[RunRow]:
        """What is researched, the newest first."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(f"{_RUNS} ORDER BY r.requested_at DESC LIMIT $1", limit)
            return [RunRow.model_validate(dict(row)) for row in rows]

    @patient
    async def run(self, tenant_id: TenantId, research_id: RowId) -> RunRow | None:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(f"{_RUNS} WHERE r.id = $1", research_id)
            return None if row is None else RunRow.model_validate(dict(row))


_RUNS = """
SELECT r.id, r.kind, coalesce(m.title, (
    SELECT string_agg(p.email, ', ' ORDER BY rp.position) FROM research_prospects rp
    JOIN subjects p ON p.id = rp.subject_id WHERE rp.research_id = r.id
  )) AS title, c.name AS campaign, r.status, r.version,
  r.brief_id, r.failure_reason, r.requested_at, r.begun_at, r.ended_at
FROM research r JOIN campaigns c ON c.id = r.campaign_id LEFT JOIN meetings m ON m.id = r.meeting_id
"""


async def _brief(connection: Connection, row: asyncpg.Record) -> Brief:
    claims = await connection.fetch("SELECT * FROM claims WHERE brief_id = $1 ORDER BY position", row["id"])
    subjects = await connection.fetch("SELECT * FROM brief_subjects WHERE brief_id = $1 ORDER BY position", row["id"])
    evidence = await connection.fetch(
        """
        SELECT e.* FROM brief_evidence b JOIN evidence e ON e.id = b.evidence_id
        WHERE b.brief_id = $1 ORDER BY b.position
        """,
        row["id"],
    )
    return Brief(
        **{
            field: row[field]
            for field in (
                "id",
                "research_id",
                "version",
                "starts_at",
                "campaign",
                "confidence",
                "reasons",
                "what_changed",
                "dropped",
                "cost_micro_usd",
                "model",
                "sandbox",
                "written_at",
                "time_zone",
                "facts_digest",
                "conflicts",
                "economies",
            )
        },
        title=row["title"] or ", ".join(one["name"] for one in subjects if one["kind"] == "person"),
        changes=picked(Changes, row),
        promises=await promises.told(connection, row["promises"]),
        subjects=tuple(picked(BriefSubject, one, id=one["subject_id"]) for one in subjects),
        claims=tuple(picked(Claim, one) for one in claims),
        evidence=tuple(picked(Evidence, one) for one in evidence),
        gaps=tuple(map(BriefGap.model_validate, row["gaps"])),
    )


def picked(shape: Any, row: asyncpg.Record, **instead: Any) -> Any:
    """A document from those columns of a row that it has fields for."""
    fields = [field for field in shape.model_fields if field not in instead]
    return shape.model_validate({field: row[field] for field in fields} | instead)
