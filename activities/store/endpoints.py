"""Endpoints: where a tenant hears of what happened, with the secret that signs it, sealed.

set ─▶ active ─▶ refused, when it says that it is gone ─▶ active, when it is set again │ off: the row goes
"""

import base64
import secrets
from datetime import datetime

from activities.sealing import Sealer
from activities.store import events
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.deliveries import EndpointLine

SECRET_BYTES = 32


class EndpointStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def endpoint(self, tenant_id: TenantId) -> EndpointLine | None:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT url, status, created_at AS set_at, failing_since, reason,
                  (SELECT count(*) FROM events WHERE delivery = 'pending') AS pending,
                  (SELECT count(*) FROM events WHERE delivery = 'parked') AS parked,
                  (SELECT refusal FROM events WHERE delivery = 'parked' ORDER BY sequence DESC LIMIT 1) AS refusal
                FROM endpoints
                """
            )
            return None if row is None else EndpointLine(**row)

    @patient
    async def put(
        self, tenant_id: TenantId, url: str | None, sealer: Sealer, now: datetime, *, rotate: bool
    ) -> str | None:
        """Send there from now on, or (without an address) to where it is. A new secret comes back, this once.

        Run twice it makes another secret, and the first is nobody's.
        """
        async with self._database.tenant(tenant_id) as connection:
            there = await connection.fetchval("SELECT url FROM endpoints FOR UPDATE")
            secret = new_secret() if rotate or there is None else None
            if secret is None:
                await connection.execute(_MOVE, url or there, now)
            else:
                sealed = sealer.seal(secret.encode(), sealed_for(tenant_id))
                await connection.execute(_SET, url or there, sealed.key_id, sealed.data, now)
            await events.tell(connection)
            return secret

    @patient
    async def off(self, tenant_id: TenantId) -> bool:
        """Nobody hears of anything any more. What was still to be told is parked. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            # Who is telling just now has seen the endpoint: what they tell is parked too.
            await events.alone(connection)
            await connection.execute(
                "UPDATE events SET delivery = 'parked', refusal = $1 WHERE delivery = 'pending'",
                "the endpoint was switched off",
            )
            return bool(await connection.fetchval("DELETE FROM endpoints RETURNING true"))

    @patient
    async def redeliver(self, tenant_id: TenantId, event_id: RowId) -> int:
        """Have an event told again. Safe to run twice: it is pending."""
        async with self._database.tenant(tenant_id) as connection:
            return await _pend(connection, _PEND + "WHERE id = $1", event_id)

    @patient
    async def redeliver_parked(self, tenant_id: TenantId) -> int:
        async with self._database.tenant(tenant_id) as connection:
            return await _pend(connection, _PEND + "WHERE delivery = $1", "parked")

    @patient
    async def redeliver_since(self, tenant_id: TenantId, sequence: int) -> int:
        """What follows this sequence number, told before or not."""
        async with self._database.tenant(tenant_id) as connection:
            return await _pend(connection, _PEND + "WHERE sequence > $1", sequence)


def new_secret() -> str:
    """As the Standard Webhooks have it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def sealed_for(tenant_id: TenantId) -> str:
    """The row that a secret is bound to."""
    return f"endpoint/{tenant_id}"


async def _pend(connection: Connection, statement: str, value: object) -> int:
    """However long the endpoint was down, it has all its time again."""
    await connection.execute("UPDATE endpoints SET failing_since = NULL, reason = NULL WHERE status = 'active'")
    said: str = await connection.execute(statement, value)
    await events.tell(connection)
    return int(said.rpartition(" ")[2])


_PEND = "UPDATE events SET delivery = 'pending', attempts = 0, delivered_at = NULL, refusal = NULL "

_MOVE = "UPDATE endpoints SET url = $1, status = 'active', failing_since = NULL, reason = NULL, created_at = $2"

_SET = """
INSERT INTO endpoints (tenant_id, url, key_id, sealed, created_at) VALUES (current_tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant_id) DO UPDATE SET url = excluded.url, key_id = excluded.key_id, sealed = excluded.sealed,
  status = 'active', failing_since = NULL, reason = NULL, created_at = excluded.created_at
"""
