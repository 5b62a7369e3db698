"""Records: what other applications want kept, and the received events that wait to become some."""

from datetime import datetime

import asyncpg

from activities.records import SpoiltError
from activities.store import events
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.batches import Parked, Waiting

# Classes of Postgres's codes that speak of the rows themselves; the third is of its bounds of what a row may be. Anything
# else is no fault of the data. What a person is told of the usual ones: Postgres's own words quote the row.
SPOILT = ("22", "23", "54")
REASONS = {
    "22P05": "a text in it has a character that cannot be kept",
    "22P02": "it holds characters that are no text",
    "22003": "a number in it is too large",
    "23502": "a part of it is missing",
    "54000": "a part of it is too long",
    "54001": "it is nested too deeply",
}


class RecordStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def insert(self, tenant_id: TenantId, ids: tuple[RowId, ...], now: datetime) -> int:
        """Make records of received events, all or none; how many events that were. SpoiltError when one cannot be.

        Safe to run twice: an event is used while it is collected, and is done in the same transaction. Of several with
        the same collection and key the one that was received last wins, in whichever order they are inserted.
        """
        try:
            async with self._database.tenant(tenant_id) as connection:
                done = [row["id"] for row in await connection.fetch(_INSERT, ids, now)]
                if done:
                    payload = {"count": len(done)}
                    await events.record(connection, "record/batch.completed", f"batch/{min(done)}", payload, now)
                return len(done)
        except asyncpg.PostgresError as error:
            if error.sqlstate is None or error.sqlstate[:2] not in SPOILT:
                raise
            raise SpoiltError(REASONS.get(error.sqlstate, f"the database refuses it ({error.sqlstate})")) from None

    @patient
    async def park(self, tenant_id: TenantId, received_id: RowId, reason: str, now: datetime) -> int:
        """Put an event aside for a person; whether it was. Safe to run twice: only what is collected is parked."""
        async with self._database.tenant(tenant_id) as connection:
            parked = await connection.fetchval(
                """
                UPDATE received SET state = 'parked', reason = $2, ended_at = $3
                WHERE id = $1 AND state = 'collected' RETURNING key
                """,
                received_id,
                reason,
                now,
            )
            if parked is None:
                return 0
            payload = {"event": parked, "receivedId": received_id, "reason": reason}
            await events.record(
                connection, "record/entity.parked", f"parked/{received_id}/{now.isoformat()}", payload, now
            )
            return 1

    @patient
    async def parked(self, tenant_id: TenantId, limit: int) -> list[Parked]:
        """What waits for a person, the newest first."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT id, key, name, coalesce(reason, '') AS reason, payload IS NOT NULL AS kept, received_at, ended_at
                FROM received
                WHERE state = 'parked' ORDER BY received_at DESC, id LIMIT $1
                """,
                limit,
            )
            return [Parked(**row) for row in rows]

    @patient
    async def put_back(self, tenant_id: TenantId, received_id: RowId) -> tuple[str, Waiting] | None:
        """Have a parked event collected again: its name, and what its batch is to hear. None when it is not parked, or
        was never collected: what such a one said is not kept.

        Safe to run twice: the second finds nothing parked, and what is collected is found by `stranded`.
        """
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                UPDATE received SET state = 'collected', reason = NULL, ended_at = NULL
                WHERE id = $1 AND state = 'parked' AND payload IS NOT NULL RETURNING id, name, octet_length(payload::text) AS size
                """,
                received_id,
            )
            return None if row is None else (row["name"], _waiting(row))

    @patient
    async def stranded(self, before: datetime) -> list[tuple[TenantId, str]]:
        """Whose events of which name still wait that were received before then: their batch may be gone."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                """
                SELECT DISTINCT tenant_id, name FROM received WHERE state = 'collected' AND received_at < $1
                ORDER BY tenant_id, name
                """,
                before,
            )
            return [(row["tenant_id"], row["name"]) for row in rows]

    @patient
    async def waiting(self, tenant_id: TenantId, name: str, before: datetime, limit: int = 1000) -> list[Waiting]:
        """The oldest of them, for their batch to hear of again: what it knows already it does not take twice."""
        async with self._database.tenant(tenant_id) as connection:
            return await _collected(connection, name, before, limit)


async def _collected(connection: Connection, name: str, before: datetime, limit: int) -> list[Waiting]:
    rows = await connection.fetch(
        """
        SELECT id, coalesce(octet_length(payload::text), 0) AS size FROM received
        WHERE state = 'collected' AND name = $1 AND received_at < $2 ORDER BY received_at, id LIMIT $3
        """,
        name,
        before,
        limit,
    )
    return [_waiting(row) for row in rows]


def _waiting(row: asyncpg.Record) -> Waiting:
    return Waiting(received_id=row["id"], size=row["size"] or 0)


# What waits is read by Postgres itself, where it becomes jsonb: what it cannot keep is found out here. Of those received
# at the same moment the one that was sent last wins.
_INSERT = """
WITH chosen AS (
  SELECT r.id, r.payload, r.received_at, array_position($1::uuid[], r.id) AS position
  FROM received r WHERE r.id = ANY($1) AND r.state = 'collected' FOR UPDATE
), inserted AS (
  INSERT INTO records (tenant_id, collection, key, data, created_at)
  SELECT DISTINCT ON (collection, key) current_tenant(), collection, key, data, received_at
  FROM (
    SELECT payload->>'collection' AS collection, payload->>'key' AS key, (payload->'data')::jsonb AS data,
      received_at, position
    FROM chosen
  ) said
  ORDER BY collection, key, received_at DESC, position DESC
  ON CONFLICT (tenant_id, collection, key) DO UPDATE SET data = excluded.data, created_at = excluded.created_at
  WHERE records.created_at <= excluded.created_at
)
UPDATE received r SET state = 'done', payload = NULL, ended_at = $2 FROM chosen c WHERE r.id = c.id RETURNING r.id
"""
