"""What goes of digests: with a person whom they name, and with time. What was spoken is left to be deleted from where
objects are kept. Within one transaction."""

from collections.abc import Sequence
from datetime import datetime

from activities.store.database import Connection
from activities.store.mentions import Mentions
from activities.store.scripts import ERASED
from schemas.base import RowId

_OBJECTS = """
INSERT INTO unneeded_objects (tenant_id, key, since)
SELECT current_tenant(), key, $2 FROM (
  SELECT audio_key AS key FROM digests WHERE id = ANY($1::uuid[]) UNION
  SELECT object_key FROM digest_pieces WHERE digest_id = ANY($1::uuid[])
) kept WHERE key IS NOT NULL ON CONFLICT DO NOTHING
"""


async def forget(connection: Connection, named: Mentions, meetings: Sequence[RowId], now: datetime) -> dict[str, int]:
    """How much that was, by kind. A digest that tells of a meeting with them may name them by their first name alone."""
    rows = await connection.fetch(_DIGESTS, named.rows["digests"], meetings)
    emptied = await empty(connection, [row["id"] for row in rows], now)
    news = await _count(connection, "DELETE FROM news WHERE id = ANY($1::uuid[])", named.rows["news"])
    return {"digests, emptied": emptied, "news that named them": news}


async def empty(connection: Connection, digests: Sequence[RowId], now: datetime) -> int:
    """All that they tell goes. Their rows stay, empty; a run that makes one finds that it is not its own any more."""
    await connection.execute(_OBJECTS, digests, now)
    for table in ("digest_lines", "digest_items", "digest_answers", "digest_pieces"):
        await connection.execute(f"DELETE FROM {table} WHERE digest_id = ANY($1::uuid[])", digests)  # noqa: S608
    return await _count(
        connection,
        """
        UPDATE digests SET status = 'failed', failed_step = $2, failure_reason = 'somebody who was in it asked to be forgotten',
          run_id = NULL, topics = NULL, quiet = false, dropped = 0, audio = 'none', audio_reason = '',
          audio_key = NULL, duration_ms = NULL, size = NULL, chapters = '[]', ended_at = coalesce(ended_at, $3)
        WHERE id = ANY($1::uuid[])
        """,
        digests,
        ERASED,
        now,
    )


async def discard(connection: Connection, before: datetime, most: int, now: datetime) -> int:
    """So many of those that are older; how many that were. What is being made is left to the next night."""
    rows = await connection.fetch(
        """
        SELECT id FROM digests WHERE greatest(created_at, begun_at) < $1 AND status <> 'generating'
        ORDER BY id LIMIT $2 FOR UPDATE
        """,
        before,
        most,
    )
    digests = [row["id"] for row in rows]
    await connection.execute(_OBJECTS, digests, now)
    return await _count(connection, "DELETE FROM digests WHERE id = ANY($1::uuid[])", digests)


_DIGESTS = f"""
SELECT id FROM digests d
WHERE (id = ANY($1::uuid[]) OR EXISTS (
    SELECT FROM digest_items i WHERE i.digest_id = d.id AND i.meeting_id = ANY($2::uuid[])
  )) AND failed_step IS DISTINCT FROM '{ERASED}'
ORDER BY id FOR UPDATE
"""  # noqa: S608 - put together from constants


async def _count(connection: Connection, statement: str, *values: object) -> int:
    """How many rows it has changed."""
    said: str = await connection.execute(statement, *values)
    return int(said.rpartition(" ")[2])
