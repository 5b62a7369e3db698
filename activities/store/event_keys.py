"""Event keys: with which other applications send us events. A key is known to its holder alone; we know its hash."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from activities import errors
from activities.sealing import Sealed, Sealer, SealError
from activities.store.database import Database, patient
from schemas.base import RowId, TenantId
from schemas.tenants import EventKey

KEY_BYTES = 32
LONGEST_KEY = 200
LONGEST_HASH = 64


@dataclass(frozen=True)
class KeyRow:
    """Whose key it is: all that is known of it before anything else is."""

    tenant_id: TenantId
    id: RowId


@dataclass(frozen=True)
class NewKey:
    """A key as its holder gets it, once. `secret` signs what is sent to /events, as Standard Webhooks have it."""

    id: RowId
    key: str = field(repr=False)
    secret: str = field(repr=False)


def digest(key: str) -> str:
    """What a key is found by. It is random and long, so a plain hash does."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


class EventKeyStore:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    @patient
    async def create(self, tenant_id: TenantId, name: str, now: datetime) -> NewKey:
        """Another key. Done twice it is two: the first is known to nobody."""
        made = NewKey(
            id=str(uuid4()),
            key=f"grk_{secrets.token_urlsafe(KEY_BYTES)}",
            secret="whsec_" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(),
        )
        sealed = self._sealer.seal(made.secret.encode(), made.id)
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                INSERT INTO event_keys (tenant_id, id, name, key_hash, key_id, sealed, created_at)
                VALUES (current_tenant(), $1, $2, $3, $4, $5, $6)
                """,
                made.id,
                name,
                bytes.fromhex(digest(made.key)),
                sealed.key_id,
                sealed.data,
                now,
            )
        return made

    @patient
    async def list(self, tenant_id: TenantId) -> list[EventKey]:
        """Oldest first, revoked ones too."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT id, name, created_at, revoked_at FROM event_keys ORDER BY created_at, id"
            )
            return [EventKey.model_validate(dict(row)) for row in rows]

    @patient
    async def revoke(self, tenant_id: TenantId, key_id: RowId, now: datetime) -> bool:
        """Whether there is such a key; from now on nothing is taken with it. Safe to run twice: the first time stands."""
        async with self._database.tenant(tenant_id) as connection:
            done = await connection.fetchval(
                "UPDATE event_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING true", key_id, now
            )
            return bool(done)

    @patient
    async def find(self, name: str) -> KeyRow | None:
        """Whose key has this hash or id; None when nobody's has, or it was revoked."""
        by_hash = len(name) == LONGEST_HASH
        async with self._database.crossing() as connection:
            row = await connection.fetchrow(
                "SELECT tenant_id, id FROM event_keys WHERE key_hash = $1 AND revoked_at IS NULL"
                if by_hash
                else "SELECT tenant_id, id FROM event_keys WHERE id = $1 AND revoked_at IS NULL",
                bytes.fromhex(name) if by_hash else name,
            )
            return None if row is None else KeyRow(**row)

    @patient
    async def holds(self, tenant_id: TenantId, key_id: RowId) -> bool:
        """Whether it has not been revoked: whoever was found a while ago is asked again before anything is done."""
        async with self._database.tenant(tenant_id) as connection:
            return bool(
                await connection.fetchval("SELECT true FROM event_keys WHERE id = $1 AND revoked_at IS NULL", key_id)
            )

    @patient
    async def secret(self, tenant_id: TenantId, key_id: RowId) -> str | None:
        """What signs with this key; None when it was revoked."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT key_id, sealed FROM event_keys WHERE id = $1 AND revoked_at IS NULL", key_id
            )
        if row is None:
            return None
        try:
            return self._sealer.open(Sealed(row["key_id"], row["sealed"]), key_id).decode()
        except SealError as error:
            raise errors.sealed(str(error)) from None
