"""What goes of skills' runs: with a person whom they name, and with time. What was put away is left to be deleted from
where objects are kept. Within one transaction."""

from collections.abc import Sequence
from datetime import datetime

from activities.skills import keys
from activities.store import skill_endings
from activities.store.database import Connection
from activities.store.mentions import Mentions
from activities.store.scripts import unneeded
from schemas.base import RowId
from schemas.skills import ERASED

_OBJECTS = """
INSERT INTO unneeded_objects (tenant_id, key, since)
SELECT current_tenant(), object_key, $2 FROM outputs WHERE skill_run_id = ANY($1::uuid[]) ON CONFLICT DO NOTHING
"""


async def forget(
    connection: Connection,
    named: Mentions,
    *,
    people: Sequence[RowId],
    meetings: Sequence[RowId],
    read: Sequence[RowId],
    now: datetime,
) -> dict[str, int]:
    """How much that was, by kind. `read` are briefs, calls and documents that know of them: whoever has read one of these, or was
    told of a meeting with them or of their company, may name them by their first name alone."""
    rows = await connection.fetch(_RUNS, named.rows["skill_runs"], meetings, people, read)
    emptied = await empty(connection, [row["id"] for row in rows], now)
    return {"skills' runs, emptied": emptied}


async def empty(connection: Connection, runs: Sequence[RowId], now: datetime) -> int:
    """All that was asked for, written and said of it goes. Their rows stay, empty. That those which are under way have
    failed is told here: perhaps nobody works on them any more."""
    await connection.execute(_OBJECTS, runs, now)
    await unneeded(connection, await _put_away(connection, runs), now)
    open_ = await connection.fetch(_OPEN, runs)
    for table in ("skill_replies", "outputs", "feedback"):
        await connection.execute(f"DELETE FROM {table} WHERE skill_run_id = ANY($1::uuid[])", runs)  # noqa: S608
    count = await _count(
        connection,
        """
        UPDATE skill_runs SET status = 'failed', failed_step = $2, retryable = false,
          failure_reason = 'somebody who was in it asked to be forgotten', message = '', inputs = '{}', client_id = NULL,
          client = '', meeting_id = NULL, draft = '', written = NULL, run_id = NULL, ended_at = coalesce(ended_at, $3)
        WHERE id = ANY($1::uuid[])
        """,
        runs,
        ERASED,
        now,
    )
    for row in open_:
        await skill_endings.tell(connection, row["id"], now)
    return count


async def _put_away(connection: Connection, runs: Sequence[RowId]) -> list[str]:
    """Where the text of those is, perhaps, that were written and had no time to say that it is there."""
    rows = await connection.fetch(
        "SELECT tenant_id, id FROM skill_runs WHERE id = ANY($1::uuid[]) AND written IS NOT NULL", runs
    )
    return [keys.output(row["tenant_id"], row["id"]) for row in rows]


async def discard(connection: Connection, before: datetime, most: int, now: datetime) -> int:
    """So many of those that are older; how many that were. What is under way is left to the next night."""
    rows = await connection.fetch(
        """
        SELECT id FROM skill_runs WHERE created_at < $1 AND coalesce(ended_at < $1, false)
          AND status IN ('completed', 'failed')
        ORDER BY id LIMIT $2 FOR UPDATE
        """,
        before,
        most,
    )
    runs = [row["id"] for row in rows]
    await connection.execute(_OBJECTS, runs, now)
    return await _count(connection, "DELETE FROM skill_runs WHERE id = ANY($1::uuid[])", runs)


_OPEN = "SELECT id FROM skill_runs WHERE id = ANY($1::uuid[]) AND status IN ('queued', 'running')"

# What a run under way has read may be in nobody's rows yet. A tool's call says which brief, call or document it was for.
_RUNS = f"""
SELECT id FROM skill_runs r
WHERE (id = ANY($1::uuid[]) OR meeting_id = ANY($2::uuid[])
    OR client_id IN (
      SELECT c.id FROM subjects c JOIN subjects p ON p.domain = c.domain WHERE c.kind = 'company' AND p.id = ANY($3::uuid[])
    ) OR EXISTS (
      SELECT FROM skill_replies s, jsonb_array_elements(s.reply->'calls') c, jsonb_each_text(c->'input') i
      WHERE s.skill_run_id = r.id AND i.value = ANY($4::text[])
    ) OR (r.status = 'running' AND (client_id IS NOT NULL OR EXISTS (
      SELECT FROM skill_replies s, jsonb_array_elements(s.reply->'calls') c
      WHERE s.skill_run_id = r.id AND c->>'name' IN ('list_briefs', 'list_calls', 'list_documents')
    )))
  ) AND failed_step IS DISTINCT FROM '{ERASED}'
ORDER BY id FOR UPDATE
"""  # noqa: S608 - put together from constants


async def _count(connection: Connection, statement: str, *values: object) -> int:
    """How many rows it has changed."""
    said: str = await connection.execute(statement, *values)
    return int(said.rpartition(" ")[2])
