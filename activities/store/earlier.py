"""What a brief is compared with: the last meeting with the same people, and its own last version."""

from datetime import datetime

import asyncpg

from activities.store.database import Connection
from schemas.base import RowId
from schemas.briefs import Evidence, LastMeeting, LastVersion
from schemas.research import Writing


async def last_meeting(
    connection: Connection, order: Writing, before: datetime, *, sandbox: bool
) -> LastMeeting | None:
    """The newest that counts, as `LastMeeting` says. A pretended brief is nothing to compare a real one with."""
    row = await connection.fetchrow(
        """
        SELECT m.starts_at, b.id AS brief_id,
          ARRAY(SELECT subject_id FROM research_prospects WHERE research_id = r.id) AS people,
          ARRAY(SELECT subject_id FROM brief_subjects WHERE brief_id = b.id) AS about
        FROM research mine JOIN research r ON r.user_id = mine.user_id AND r.id <> mine.id
        JOIN meetings m ON m.id = r.meeting_id LEFT JOIN briefs b ON b.id = r.brief_id AND ($4 OR NOT b.sandbox)
        WHERE mine.id = $1 AND m.starts_at < $3 AND NOT m.cancelled AND EXISTS (
          SELECT FROM run_subjects s JOIN research_prospects p ON p.subject_id = s.subject_id
          WHERE s.research_id = $1 AND s.version = $2 AND p.research_id = r.id
        )
        ORDER BY m.starts_at DESC, m.id LIMIT 1
        """,
        order.research_id,
        order.version,
        before,
        sandbox,
    )
    if row is None:
        return None
    return LastMeeting(**row, evidence=await _written_from(connection, row["brief_id"]))


async def last_version(connection: Connection, order: Writing) -> LastVersion | None:
    row = await connection.fetchrow(
        """
        SELECT b.id, b.facts_digest FROM research r JOIN briefs b ON b.id = r.brief_id
        WHERE r.id = $1 AND b.version < $2
        """,
        order.research_id,
        order.version,
    )
    if row is None:
        return None
    people = await connection.fetch(
        "SELECT subject_id, coalesce(identity, '') AS identity FROM brief_subjects WHERE brief_id = $1", row["id"]
    )
    return LastVersion(
        digest=row["facts_digest"],
        people=frozenset((one["subject_id"], one["identity"]) for one in people),
        evidence=await _written_from(connection, row["id"]),
    )


async def _written_from(connection: Connection, brief_id: RowId | None) -> tuple[Evidence, ...]:
    rows = await connection.fetch(
        "SELECT e.* FROM brief_evidence b JOIN evidence e ON e.id = b.evidence_id WHERE b.brief_id = $1", brief_id
    )
    return tuple(map(piece, rows))


def piece(row: asyncpg.Record) -> Evidence:
    return Evidence.model_validate({field: row[field] for field in Evidence.model_fields})
