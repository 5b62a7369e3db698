"""Promises: what was said in the last call with somebody that would be done. A brief keeps which they are, not their
words: those go with the call."""

from collections.abc import Sequence
from datetime import timedelta

from activities.store.database import Connection
from schemas.base import RowId
from schemas.promises import Promise
from schemas.research import Writing

# Older than this, nobody is held to it.
SERVES = timedelta(days=180)


async def last_time(connection: Connection, order: Writing) -> tuple[RowId, ...]:
    """The next steps of the newest call with any of these people that their user may see."""
    rows = await connection.fetch(
        """
        WITH newest AS (
          SELECT c.id FROM calls c JOIN research r ON r.id = $1
          WHERE c.status = 'parsed' AND (c.user_id IS NULL OR c.user_id = r.user_id)
            AND coalesce(c.started_at, c.created_at) BETWEEN $3 AND $4
            AND EXISTS (
              SELECT FROM run_subjects p JOIN subjects s ON s.id = p.subject_id JOIN speakers k ON k.email = s.email
              WHERE p.research_id = $1 AND p.version = $2 AND s.kind = 'person' AND k.call_id = c.id
            )
          ORDER BY coalesce(c.started_at, c.created_at) DESC, c.id LIMIT 1
        )
        SELECT f.id FROM newest n JOIN findings f ON f.call_id = n.id WHERE f.kind = 'next_step' ORDER BY f.position
        """,
        order.research_id,
        order.version,
        order.now - SERVES,
        order.now,
    )
    return tuple(row["id"] for row in rows)


async def pretended(connection: Connection, findings: Sequence[RowId]) -> bool:
    """Some of these were said in a call that is made up, or read by somebody who is."""
    row = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM findings f JOIN calls c ON c.id = f.call_id WHERE f.id = ANY($1::uuid[]) AND c.sandbox)",
        list(findings),
    )
    return bool(row)


async def told(connection: Connection, findings: Sequence[RowId]) -> tuple[Promise, ...]:
    """What is there of them: a call may have been forgotten since."""
    rows = await connection.fetch(
        """
        SELECT f.id, f.call_id, f.text, f.owner, f.due, f.quote, coalesce(nullif(s.name, ''), s.key) AS who,
          CASE WHEN t.timed THEN f.at_ms END AS at_ms, c.title, coalesce(c.started_at, c.created_at) AS held_at
        FROM findings f JOIN calls c ON c.id = f.call_id JOIN speakers s ON s.call_id = f.call_id AND s.key = f.speaker
        LEFT JOIN transcripts t ON t.call_id = f.call_id
        WHERE f.id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], f.id)
        """,
        list(findings),
    )
    return tuple(Promise(**row) for row in rows)
