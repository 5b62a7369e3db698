"""What goes with a person of what was said in calls, and of what other applications sent. Within one transaction."""

from collections.abc import Sequence

from activities.store.database import Connection
from activities.store.mentions import Mentions
from schemas.base import Email, RowId

# An address without its +tag.
BARE = "regexp_replace(email, '\\+[^@]*@', '@')"

# What the failed step of a call is called that was emptied. It is not read again, and nothing is added to it.
ERASED = "erased"


async def calls(connection: Connection, email: Email, named: Mentions) -> list[RowId]:
    """Those in which they spoke, or were spoken of by name, locked."""
    rows = await connection.fetch(_CALLS, email, named.rows["calls"])
    return [row["id"] for row in rows]


async def forget(connection: Connection, calls: Sequence[RowId], named: Mentions) -> dict[str, int]:
    """How much that was, by kind."""
    return await empty(connection, calls) | await _forget_what_came(connection, named)


async def empty(connection: Connection, calls: Sequence[RowId]) -> dict[str, int]:
    """All that was said in a call goes. Its row stays, empty, so that its recorder does not bring it again; a run that
    reads it finds that it is not its own any more."""
    for table in ("opportunity_history", "findings", "readings", "transcripts", "speakers"):
        await connection.execute(f"DELETE FROM {table} WHERE call_id = ANY($1)", calls)  # noqa: S608
    emptied = await _count(
        connection,
        f"""
        UPDATE calls SET title = '', url = '', status = 'failed', history_status = 'none', failed_step = '{ERASED}',
          failure_reason = 'somebody who was in it asked to be forgotten', run_id = NULL, meeting_id = NULL,
          opportunity_id = NULL, claimed = 0, kept = 0
        WHERE id = ANY($1)
        """,  # noqa: S608 - put together from constants
        calls,
    )
    empty = await _count(
        connection,
        """
        DELETE FROM opportunities o WHERE NOT EXISTS (SELECT FROM calls c WHERE c.opportunity_id = o.id)
          AND NOT EXISTS (SELECT FROM opportunity_history h WHERE h.opportunity_id = o.id)
        """,
    )
    return {"calls, emptied": emptied, "opportunities": empty}


async def _forget_what_came(connection: Connection, named: Mentions) -> dict[str, int]:
    """What other applications sent that names them."""
    gone = {
        what: await _count(connection, f"DELETE FROM {table} WHERE id = ANY($1)", named.rows[table])  # noqa: S608
        for table, what in (("records", "records"), ("letters", "mails asked for"))
    }
    gone["events that came, emptied"] = await _count(
        connection,
        """
        UPDATE received SET key = 'erased/' || id, payload = NULL, state = 'done', reason = 'somebody in it asked to be forgotten',
          ended_at = coalesce(ended_at, received_at)
        WHERE id = ANY($1)
        """,
        named.rows["received"],
    )
    return gone


_CALLS = f"""
SELECT id FROM calls c
WHERE (id = ANY($2) OR EXISTS (SELECT FROM speakers s WHERE s.call_id = c.id AND {BARE} = $1))
  AND failed_step IS DISTINCT FROM '{ERASED}'
ORDER BY id FOR UPDATE
"""  # noqa: S608 - put together from constants


async def _count(connection: Connection, statement: str, *values: object) -> int:
    """How many rows it has changed."""
    said: str = await connection.execute(statement, *values)
    return int(said.rpartition(" ")[2])
