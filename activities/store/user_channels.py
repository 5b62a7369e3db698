"""Ways to tell a user something beside their mail: their addresses are secrets, and sealed."""

from datetime import datetime
from uuid import uuid4

import asyncpg

from activities import errors
from activities.people import PersonKeys
from activities.sealing import Sealed, Sealer, SealError
from activities.store.database import Connection, Database, patient, storable
from activities.ways import Channel
from schemas.base import RowId, TenantId
from schemas.channels import ChannelOff, UserChannel

# Of one user. Whatever is told is told on each.
MOST_CHANNELS = 10


class TooManyChannelsError(Exception):
    """A user has as many channels as one may have."""

    def __init__(self) -> None:
        super().__init__(f"There are {MOST_CHANNELS} channels already")


class UserChannelStore:
    """`keys` hash addresses: the same address is the same channel, and nobody reads which one it is."""

    def __init__(self, database: Database, sealer: Sealer, keys: PersonKeys) -> None:
        self._database = database
        self._sealer = sealer
        self._keys = keys

    @patient
    async def add(
        self, tenant_id: TenantId, user_id: RowId, kind: str, address: str, label: str, now: datetime
    ) -> RowId:
        """Safe to run twice: an address that is there already is the same channel, on, and called as it is now.

        TooManyChannelsError, and no row, for one too many.
        """
        async with self._database.tenant(tenant_id) as connection:
            # One at a time for a user: an address is sealed for an id that must be known before.
            if not await connection.fetchval("SELECT true FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id):
                raise errors.not_found("user")
            hashed = self._hash(tenant_id, kind, address)
            there: RowId | None = await connection.fetchval(_SAME, user_id, kind, hashed)
            if there is None:
                await _refuse_too_many(connection, user_id)
            channel_id = there or str(uuid4())
            sealed = self._sealer.seal(address.encode(), channel_id)
            await connection.execute(
                """
                INSERT INTO user_channels (tenant_id, id, user_id, kind, label, key_id, sealed, address_hash, created_at)
                VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (tenant_id, id) DO UPDATE SET label = excluded.label, key_id = excluded.key_id,
                  sealed = excluded.sealed, status = 'on', reason = '', off_at = NULL
                """,
                channel_id,
                user_id,
                kind,
                storable(label),
                sealed.key_id,
                sealed.data,
                hashed,
                now,
            )
            return channel_id

    @patient
    async def list(self, tenant_id: TenantId, user_id: RowId | None) -> tuple[UserChannel, ...]:
        """A user's, the oldest first; without one, the tenant's."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT c.id, c.user_id, u.email AS user, c.kind, c.label, c.status, c.reason, c.created_at, c.off_at
                FROM user_channels c JOIN users u ON u.id = c.user_id
                WHERE $1::uuid IS NULL OR c.user_id = $1 ORDER BY u.email, c.created_at, c.id
                """,
                user_id,
            )
            return tuple(UserChannel(**row) for row in rows)

    @patient
    async def remove(self, tenant_id: TenantId, user_id: RowId | None, channel_id: RowId) -> bool:
        """Whether it was there, and theirs. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            gone = await connection.fetchval(
                "DELETE FROM user_channels WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2) RETURNING true",
                channel_id,
                user_id,
            )
            return bool(gone)

    @patient
    async def on(self, tenant_id: TenantId, user_id: RowId | None, channel_id: RowId) -> bool:
        """Switch it on again; whether it is there, and theirs. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            there = await connection.fetchval(
                """
                UPDATE user_channels SET status = 'on', reason = '', off_at = NULL
                WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2) RETURNING true
                """,
                channel_id,
                user_id,
            )
            return bool(there)

    @patient
    async def off(self, tenant_id: TenantId, channel_id: RowId, reason: str, now: datetime) -> ChannelOff | None:
        """Safe to run twice: one that is off stays as it is, and since when is told again. None when it is gone."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                "UPDATE user_channels SET status = 'off', reason = $2, off_at = $3 WHERE id = $1 AND status = 'on'",
                channel_id,
                storable(reason),
                now,
            )
            return await _off(connection, channel_id)

    @patient
    async def stands_off(self, tenant_id: TenantId, channel_id: RowId) -> ChannelOff | None:
        """Since when it is off, if it is."""
        async with self._database.tenant(tenant_id) as connection:
            return await _off(connection, channel_id)

    @patient
    async def channel(self, tenant_id: TenantId, channel_id: RowId) -> Channel | None:
        """Opened; nothing when it is gone, or off."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow("SELECT * FROM user_channels WHERE id = $1 AND status = 'on'", channel_id)
            return None if row is None else Channel(id=row["id"], kind=row["kind"], address=self._open(row))

    @patient
    async def readdress(self, tenant_id: TenantId, channel_id: RowId, address: str) -> None:
        """It leads elsewhere now. Safe to run twice. An address that their other channel has already stays that one's: what
        is sent here goes there all the same."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow("SELECT * FROM user_channels WHERE id = $1 FOR UPDATE", channel_id)
            if row is None:
                return
            hashed = self._hash(tenant_id, row["kind"], address)
            taken = await connection.fetchval(_SAME, row["user_id"], row["kind"], hashed)
            sealed = self._sealer.seal(address.encode(), channel_id)
            await connection.execute(
                "UPDATE user_channels SET key_id = $2, sealed = $3, address_hash = $4 WHERE id = $1",
                channel_id,
                sealed.key_id,
                sealed.data,
                row["address_hash"] if taken else hashed,
            )

    def _hash(self, tenant_id: TenantId, kind: str, address: str) -> str:
        return self._keys.of(tenant_id, f"{kind}\n{address}")

    def _open(self, row: asyncpg.Record) -> str:
        try:
            return self._sealer.open(Sealed(row["key_id"], row["sealed"]), row["id"]).decode()
        except SealError as error:
            raise errors.sealed(str(error)) from None


async def _refuse_too_many(connection: Connection, user_id: RowId) -> None:
    """Nobody else adds one meanwhile: its user's row is locked."""
    if await connection.fetchval("SELECT count(*) FROM user_channels WHERE user_id = $1", user_id) >= MOST_CHANNELS:
        raise TooManyChannelsError


_SAME = "SELECT id FROM user_channels WHERE user_id = $1 AND kind = $2 AND address_hash = $3 FOR UPDATE"


async def _off(connection: Connection, channel_id: RowId) -> ChannelOff | None:
    row = await connection.fetchrow(
        """
        SELECT id AS channel_id, off_at AS since, ARRAY(
          SELECT id FROM user_channels o WHERE o.user_id = c.user_id AND o.status = 'on' ORDER BY created_at, id
        ) AS others FROM user_channels c WHERE id = $1 AND status = 'off'
        """,
        channel_id,
    )
    return None if row is None else ChannelOff(**row)
