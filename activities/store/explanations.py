"""How the claims of a brief came about, as the rows tell it."""

import asyncpg

from activities.store.database import Connection, Database, patient
from activities.store.library import picked
from schemas.base import RowId, TenantId
from schemas.briefs import Claim
from schemas.explanations import Call, Explanation, Origin


class ExplanationStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def explain(self, tenant_id: TenantId, brief_id: RowId) -> Explanation | None:
        """Everything that a brief's claims came from, or nothing when this tenant has no such brief."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT b.id AS brief_id, b.research_id, b.version, b.written_at, b.sandbox, u.time_zone,
                  CASE WHEN r.version = b.version THEN r.run_id END AS run_id
                FROM briefs b JOIN research r ON r.id = b.research_id JOIN users u ON u.id = r.user_id WHERE b.id = $1
                """,
                brief_id,
            )
            return None if row is None else await _explanation(connection, row)


async def _explanation(connection: Connection, row: asyncpg.Record) -> Explanation:
    brief_id = row["brief_id"]
    claims = await connection.fetch("SELECT * FROM claims WHERE brief_id = $1 ORDER BY position", brief_id)
    subjects = await connection.fetch("SELECT subject_id, name FROM brief_subjects WHERE brief_id = $1", brief_id)
    writing = await _writing(connection, brief_id)
    return Explanation(
        **{**row, "run_id": row["run_id"] or next((call.run_id for call in writing), "")},
        claims=tuple(picked(Claim, one) for one in claims),
        subjects={one["subject_id"]: one["name"] for one in subjects},
        origins=await _origins(connection, brief_id),
        calls=await _look_ups(connection, brief_id),
        writing=writing,
    )


async def _origins(connection: Connection, brief_id: RowId) -> tuple[Origin, ...]:
    """The sources that facts of the brief rest on."""
    rows = await connection.fetch(
        """
        SELECT id AS evidence_id, answer_id AS call_id, url, title, published, fetched_at
        FROM evidence WHERE id IN (SELECT evidence_id FROM claims WHERE brief_id = $1) ORDER BY fetched_at, position
        """,
        brief_id,
    )
    return tuple(picked(Origin, row) for row in rows)


async def _look_ups(connection: Connection, brief_id: RowId) -> tuple[Call, ...]:
    """The answers that brought these sources, whichever run paid for them."""
    rows = await connection.fetch(
        """
        SELECT * FROM answers WHERE id IN (
          SELECT e.answer_id FROM evidence e JOIN claims c ON c.evidence_id = e.id WHERE c.brief_id = $1
        ) ORDER BY asked_at
        """,
        brief_id,
    )
    return tuple(picked(Call, row) for row in rows)


async def _writing(connection: Connection, brief_id: RowId) -> tuple[Call, ...]:
    rows = await connection.fetch("SELECT * FROM answers WHERE brief_id = $1 ORDER BY asked_at", brief_id)
    return tuple(picked(Call, row) for row in rows)
