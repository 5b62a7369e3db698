"""What happened, told once: rows that are written in the transaction that changes the status."""

from datetime import datetime
from typing import Any

from activities.store.database import Connection, Database, patient
from schemas.base import TenantId
from schemas.events import Event

# Where Postgres tells whoever listens that a tenant's endpoint has something to hear.
CHANNEL = "greenroom_events"


async def record(connection: Connection, name: str, key: str, payload: dict[str, Any], now: datetime) -> None:
    """Write an event of the connection's tenant, unless its key has been told already.

    One transaction of a tenant at a time tells: a reader who remembers a sequence never misses a lower one. So this is
    the last thing that a transaction does. Where the tenant has an endpoint, it is to hear of it.
    """
    await alone(connection)
    delivery = await connection.fetchval(
        """
        INSERT INTO events (tenant_id, name, key, payload, created_at, delivery)
        SELECT current_tenant(), $1, $2, $3, $4,
          CASE WHEN EXISTS (SELECT FROM endpoints WHERE status = 'active') THEN 'pending' END
        ON CONFLICT (tenant_id, key) DO NOTHING RETURNING delivery
        """,
        name,
        key,
        payload,
        now,
    )
    if delivery is not None:
        await tell(connection)


async def tell(connection: Connection) -> None:
    """Whoever listens hears of it once this is committed."""
    await connection.execute("SELECT pg_notify($1, current_tenant()::text)", CHANNEL)


async def alone(connection: Connection) -> None:
    """Until the end of the transaction nobody else of the tenant tells."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_tenant()::text, 0))")


class EventStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def after(self, tenant_id: TenantId, sequence: int, limit: int = 100) -> list[Event]:
        """The events that follow `sequence`, oldest first."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT id, sequence, name, payload, created_at, delivery, attempts, delivered_at, refusal FROM events
                WHERE sequence > $1 ORDER BY sequence LIMIT $2
                """,
                sequence,
                limit,
            )
            return [Event(tenant_id=tenant_id, **row) for row in rows]

    @patient
    async def newest(self, tenant_id: TenantId, count: int) -> int:
        """The sequence after which the newest `count` events stand."""
        async with self._database.tenant(tenant_id) as connection:
            sequence: int = await connection.fetchval(
                """
                SELECT coalesce(min(sequence), 1) - 1
                FROM (SELECT sequence FROM events ORDER BY sequence DESC LIMIT $1) newest
                """,
                count,
            )
            return sequence
