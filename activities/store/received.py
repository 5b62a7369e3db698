"""Received events: each is taken once for good, by what its sender calls it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from activities.store.database import Database, patient
from schemas.base import RowId, TenantId


@dataclass(frozen=True)
class Arrival:
    """An event that came in. `payload` is JSON, kept when it has to wait; `key_id` is with which key it came."""

    key: str
    name: str
    key_id: RowId | None = None
    payload: str | None = None


@dataclass(frozen=True)
class Begun:
    """What came of an event: the workflow that it began or woke, or why it did nothing. Parked, it was not done."""

    workflow_id: str | None = None
    reason: str | None = None
    parked: bool = False


@dataclass(frozen=True)
class Collected:
    """A row that waits for its batch, by what its sender calls it."""

    id: RowId
    key: str
    size: int


def row_of(tenant_id: TenantId, key: str) -> RowId:
    """The id of an event's row: the same each time it comes, so that what is made of it twice is one."""
    return str(uuid5(UUID(tenant_id), key))


class ReceivedStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def settled(self, tenant_id: TenantId, keys: Sequence[str]) -> frozenset[str]:
        """Which of these have come before, and need nothing any more."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT key FROM received WHERE key = ANY($1::text[]) AND state IN ('done', 'parked')", list(keys)
            )
            return frozenset(row["key"] for row in rows)

    @patient
    async def once(
        self, tenant_id: TenantId, arrival: Arrival, now: datetime, begin: Callable[[RowId], Awaitable[Begun]]
    ) -> None:
        """Have an event done, in the transaction that takes it: whoever brings it meanwhile waits for that.

        Safe to run twice: what is taken is not begun again. What fails is not taken, and its repeat begins it.
        """
        async with self._database.tenant(tenant_id) as connection:
            received_id = await connection.fetchval(
                """
                INSERT INTO received (tenant_id, id, key, name, event_key_id, state, received_at)
                VALUES (current_tenant(), $1, $2, $3, $4, 'taken', $5)
                ON CONFLICT (tenant_id, key) DO NOTHING RETURNING id
                """,
                row_of(tenant_id, arrival.key),
                arrival.key,
                arrival.name,
                arrival.key_id,
                now,
            )
            if received_id is None:
                return
            begun = await begin(received_id)
            await connection.execute(
                "UPDATE received SET state = $2, workflow_id = $3, reason = $4, ended_at = $5 WHERE id = $1",
                received_id,
                "parked" if begun.parked else "done",
                begun.workflow_id,
                begun.reason,
                now,
            )

    @patient
    async def collect(self, tenant_id: TenantId, arrivals: Sequence[Arrival], now: datetime) -> list[Collected]:
        """Keep events until their batch takes them: those that wait now, in the order in which they were sent.

        Safe to run twice: a row that is there stays as it is, and is told again while it waits.
        """
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                INSERT INTO received (tenant_id, id, key, name, event_key_id, state, payload, received_at)
                SELECT current_tenant(), a.id, a.key, a.name, a.key_id, 'collected', a.payload::json, $6
                FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])
                  AS a(id, key, name, key_id, payload)
                -- In one order for all: two requests with the same events wait for each other, not both ways.
                ORDER BY a.key
                ON CONFLICT (tenant_id, key) DO NOTHING
                """,
                [row_of(tenant_id, one.key) for one in arrivals],
                [one.key for one in arrivals],
                [one.name for one in arrivals],
                [one.key_id for one in arrivals],
                [one.payload for one in arrivals],
                now,
            )
            rows = await connection.fetch(
                """
                SELECT id, key, octet_length(payload::text) AS size FROM received
                WHERE key = ANY($1::text[]) AND state = 'collected' ORDER BY array_position($1::text[], key)
                """,
                [one.key for one in arrivals],
            )
            return [Collected(**row) for row in rows]
