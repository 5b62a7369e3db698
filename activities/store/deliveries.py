"""Deliveries: which events a tenant's endpoint has not heard of, and what became of each.

pending ─▶ delivered │ parked, by the endpoint's no or after days without it ─▶ pending, when a person says so
"""

from datetime import datetime, timedelta

import asyncpg

from activities import errors
from activities.deliveries import Due
from activities.sealing import Sealed, Sealer, SealError
from activities.store.database import Database, patient
from activities.store.endpoints import sealed_for
from schemas.base import TenantId


class DeliveryStore:
    """Without a sealer it only says who waits."""

    def __init__(self, database: Database, sealer: Sealer | None = None) -> None:
        self._database = database
        self._sealer = sealer

    @patient
    async def waiting(self) -> list[TenantId]:
        """Whose endpoint has something to hear."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                """
                SELECT tenant_id FROM endpoints p WHERE status = 'active'
                  AND EXISTS (SELECT FROM events e WHERE e.tenant_id = p.tenant_id AND e.delivery = 'pending')
                ORDER BY tenant_id
                """
            )
            return [row["tenant_id"] for row in rows]

    @patient
    async def due(self, tenant_id: TenantId) -> Due | None:
        """The oldest that is pending, unless there is nobody to hear of it."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT e.id, e.sequence, e.name, e.payload, e.created_at, p.url, p.key_id, p.sealed, p.created_at AS set_at
                FROM endpoints p JOIN events e ON e.delivery = 'pending'
                WHERE p.status = 'active' ORDER BY e.sequence LIMIT 1
                """
            )
            return None if row is None else self._due(tenant_id, row)

    @patient
    async def delivered(self, due: Due, now: datetime) -> None:
        """Safe to run twice: an event is delivered once."""
        async with self._database.tenant(due.tenant_id) as connection:
            await connection.execute(_THERE, due.set_at)
            await connection.execute(
                """
                UPDATE events SET delivery = 'delivered', attempts = attempts + 1, delivered_at = $2, refusal = NULL
                WHERE id = $1 AND delivery = 'pending'
                """,
                due.event_id,
                now,
            )

    @patient
    async def refused(self, due: Due, reason: str, tries: int) -> bool:
        """The endpoint is there and does not take this event. Run twice it counts twice: it is parked sooner."""
        async with self._database.tenant(due.tenant_id) as connection:
            await connection.execute(_THERE, due.set_at)
            parked: bool | None = await connection.fetchval(
                """
                UPDATE events SET attempts = attempts + 1, refusal = $2,
                  delivery = CASE WHEN attempts + 1 >= $3 THEN 'parked' ELSE 'pending' END
                WHERE id = $1 AND delivery = 'pending' RETURNING delivery = 'parked'
                """,
                due.event_id,
                reason,
                tries,
            )
            return bool(parked)

    @patient
    async def gone(self, due: Due, reason: str) -> None:
        """Nothing more is sent there. Safe to run twice; an endpoint that was set meanwhile is another."""
        async with self._database.tenant(due.tenant_id) as connection:
            await connection.execute(
                "UPDATE endpoints SET status = 'refused', reason = $2 WHERE created_at = $1", due.set_at, reason
            )

    @patient
    async def down(self, due: Due, reason: str, patience: timedelta, now: datetime) -> int:
        """Nobody took it. What has waited as long as it may, of the endpoint and by its own age, is parked.

        Safe to run twice: since when it is down stays.
        """
        async with self._database.tenant(due.tenant_id) as connection:
            since = await connection.fetchval(
                """
                UPDATE endpoints SET failing_since = coalesce(failing_since, $2), reason = $3
                WHERE created_at = $1 AND status = 'active' RETURNING failing_since
                """,
                due.set_at,
                now,
                reason,
            )
            if since is None or now - since < patience:
                return 0
            rows = await connection.fetch(
                """
                UPDATE events SET delivery = 'parked', refusal = $2
                WHERE delivery = 'pending' AND created_at <= $1 RETURNING id
                """,
                now - patience,
                f"{reason}, for {patience.days} days",
            )
            return len(rows)

    def _due(self, tenant_id: TenantId, row: asyncpg.Record) -> Due:
        assert self._sealer is not None, "without one nothing is opened"
        try:
            secret = self._sealer.open(Sealed(row["key_id"], row["sealed"]), sealed_for(tenant_id)).decode()
        except SealError as error:
            raise errors.sealed(str(error)) from None
        return Due(
            tenant_id=tenant_id,
            event_id=row["id"],
            secret=secret,
            **{field: row[field] for field in ("sequence", "name", "payload", "created_at", "url", "set_at")},
        )


# It has answered, whatever it said.
_THERE = """
UPDATE endpoints SET failing_since = NULL, reason = NULL
WHERE created_at = $1 AND status = 'active' AND failing_since IS NOT NULL
"""
