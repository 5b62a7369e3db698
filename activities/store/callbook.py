"""What the pages and the command line show of calls.

A user sees the calls that are theirs, and those that are nobody's; a tenant's operator sees all.
"""

import asyncpg

from activities.research import quotes
from activities.store.calls import turn as as_turn
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.callbook import CallLine, CallView, Said
from schemas.transcripts import Speaker, Turn

MOST_CALLS = 100


class CallBook:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def calls(self, tenant_id: TenantId, user_id: RowId | None) -> list[CallLine]:
        """The newest calls first; without a user, the tenant's."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                f"{_CALLS} ORDER BY coalesce(c.started_at, c.created_at) DESC, c.id LIMIT {MOST_CALLS}", user_id
            )
            return [_line(row) for row in rows]

    @patient
    async def call(self, tenant_id: TenantId, user_id: RowId | None, call_id: RowId) -> CallView | None:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(f"{_CALLS} AND c.id = $2", user_id, call_id)
            if row is None:
                return None
            said = await connection.fetchrow(_SAID, call_id)
            turns = tuple(as_turn(*turn) for turn in said["turns"]) if said else ()
            return CallView(
                line=_line(row),
                meeting_id=row["meeting_id"],
                version=row["version"],
                begun_at=row["begun_at"],
                speakers=await _speakers(connection, call_id),
                findings=await _findings(connection, call_id, turns),
                turns=turns,
                timed=bool(said and said["timed"]),
                claimed=row["claimed"],
                model=row["model"],
                cost_micro_usd=row["cost_micro_usd"],
                history_at=said["history_at"] if said else None,
            )


_CALLS = """
SELECT c.*, coalesce(o.name, '') AS opportunity, ARRAY(
    SELECT coalesce(nullif(s.name, ''), s.email, s.key) FROM speakers s
    WHERE s.call_id = c.id AND s.ours IS NOT TRUE ORDER BY s.position
  ) AS with_whom,
  (SELECT count(*) FROM findings f WHERE f.call_id = c.id AND f.kind = 'next_step') AS next_steps
FROM calls c LEFT JOIN opportunities o ON o.id = c.opportunity_id
WHERE ($1::uuid IS NULL OR c.user_id IS NULL OR c.user_id = $1)
"""

_SAID = """
SELECT t.turns, t.timed, h.created_at AS history_at
FROM transcripts t LEFT JOIN opportunity_history h ON h.call_id = t.call_id AND h.transcript_hash = t.hash
WHERE t.call_id = $1
"""


def _line(row: asyncpg.Record) -> CallLine:
    return CallLine(**{field: row[field] for field in CallLine.model_fields})


async def _speakers(connection: Connection, call_id: RowId) -> tuple[Speaker, ...]:
    rows = await connection.fetch(
        "SELECT key, name, email, role, ours FROM speakers WHERE call_id = $1 ORDER BY position, key", call_id
    )
    return tuple(Speaker(**row) for row in rows)


async def _findings(connection: Connection, call_id: RowId, turns: tuple[Turn, ...]) -> tuple[Said, ...]:
    rows = await connection.fetch(
        """
        SELECT f.kind, f.text, f.owner, f.due, f.speaker, f.quote, f.at_ms, coalesce(nullif(s.name, ''), s.key) AS who
        FROM findings f JOIN speakers s ON s.call_id = f.call_id AND s.key = f.speaker
        WHERE f.call_id = $1 ORDER BY f.position
        """,
        call_id,
    )
    return tuple(Said(**row, turn=_where(row, turns)) for row in rows)


def _begun(turn: Turn) -> set[int]:
    return {turn.start_ms, *(at_ms for _, at_ms in turn.times)}


def _where(row: asyncpg.Record, turns: tuple[Turn, ...]) -> int | None:
    """The turn in which it was said: several may bear the same time, where only every fifth minute is told."""
    then = [n for n, turn in enumerate(turns) if turn.speaker == row["speaker"] and row["at_ms"] in _begun(turn)]
    return next((n for n in then if quotes.found(row["quote"], turns[n].text)), then[0] if then else None)
