"""Connections: the accounts that users let us read, and the tokens that let us in, sealed.

grant ─▶ connect ─▶ active ─▶ (tokens ─▶ lease ─▶ refreshed)* ─▶ reauth_required | disconnected
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
from pydantic import BaseModel, ConfigDict
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.ports import Grant
from activities.sealing import Sealed, Sealer, SealError
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId

ACTIVE, REAUTH_REQUIRED, DISCONNECTED = "active", "reauth_required", "disconnected"


@dataclass(frozen=True)
class Connected:
    """A connection and the calendar that comes with it."""

    connection_id: RowId
    calendar_id: RowId


@dataclass(frozen=True)
class Tokens:
    """What lets us in, as the row has it. `version` tells one grant or refresh from the next."""

    status: str
    version: int
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


class _Kept(BaseModel):
    """What is sealed."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access: str = ""
    refresh: str = ""


class ConnectionStore:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    @patient
    async def connect(
        self,
        tenant_id: TenantId,
        user_id: RowId,
        account: str,
        grant: Grant,
        *,
        provider: str,
        sandbox: bool,
        now: datetime,
    ) -> Connected:
        """The account with its new tokens, and its calendar, which keeps its place when it was there before.

        Safe to run twice: an account is connected once for each user.
        """
        async with self._database.tenant(tenant_id) as connection:
            # One at a time for a user: the tokens are sealed for an id that must be known before.
            if not await connection.fetchval("SELECT true FROM users WHERE id = $1 FOR UPDATE", user_id):
                raise errors.not_found("user")
            old = await connection.fetchrow(
                "SELECT * FROM connections WHERE user_id = $1 AND provider = $2 AND account = $3 FOR UPDATE",
                user_id,
                provider,
                account.lower(),
            )
            connection_id: RowId = old["id"] if old else str(uuid4())
            kept = _Kept(access=grant.access_token, refresh=grant.refresh_token or self._old_refresh_token(old))
            sealed = self._seal(kept, connection_id)
            await connection.execute(
                """
                INSERT INTO connections AS old (tenant_id, id, user_id, provider, account, scopes, key_id, sealed,
                  expires_at, sandbox, connected_at)
                VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                ON CONFLICT (tenant_id, id) DO UPDATE SET status = 'active', scopes = excluded.scopes,
                  key_id = excluded.key_id, sealed = excluded.sealed, version = old.version + 1,
                  expires_at = excluded.expires_at, refreshing_until = NULL, sandbox = excluded.sandbox,
                  connected_at = excluded.connected_at
                """,
                connection_id,
                user_id,
                provider,
                account.lower(),
                list(grant.scopes),
                sealed.key_id,
                sealed.data,
                now + timedelta(seconds=grant.expires_in_s),
                sandbox,
                now,
            )
            return Connected(connection_id, await _calendar(connection, connection_id, user_id, account.lower()))

    @patient
    async def tokens(self, tenant_id: TenantId, connection_id: RowId) -> Tokens:
        async with self._database.tenant(tenant_id) as connection:
            row = await _row(connection, connection_id)
            # Only what is active is opened: a key that is gone is no reason not to say that the rest is lost.
            kept = self._open(row) if row["status"] == ACTIVE else _Kept()
            return Tokens(row["status"], row["version"], kept.access, kept.refresh, row["expires_at"])

    @patient
    async def lease(
        self, tenant_id: TenantId, connection_id: RowId, version: int, *, until: datetime, now: datetime
    ) -> bool:
        """The right to refresh these tokens is ours `until` then. It is also what the lease is known by.

        Safe to run twice: the same lease is ours again.
        """
        async with self._database.tenant(tenant_id) as connection:
            taken = await connection.fetchval(
                """
                UPDATE connections SET refreshing_until = $3
                WHERE id = $1 AND version = $2 AND status = 'active'
                  AND (refreshing_until IS NULL OR refreshing_until <= $4 OR refreshing_until = $3)
                RETURNING true
                """,
                connection_id,
                version,
                until,
                now,
            )
            return bool(taken)

    @patient
    async def release(self, tenant_id: TenantId, connection_id: RowId, until: datetime) -> None:
        """Let somebody else refresh."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                "UPDATE connections SET refreshing_until = NULL WHERE id = $1 AND refreshing_until = $2",
                connection_id,
                until,
            )

    @patient
    async def refreshed(
        self, tenant_id: TenantId, connection_id: RowId, version: int, grant: Grant, now: datetime
    ) -> None:
        """The new tokens, in place of those of `version`; the refresh token stays when none came.

        Safe to run twice, and late: tokens that are newer than `version` stay.
        """
        async with self._database.tenant(tenant_id) as connection:
            row = await _row(connection, connection_id, lock=True)
            if row["version"] != version or row["status"] != ACTIVE:
                return
            refresh_token = grant.refresh_token or self._open(row).refresh
            sealed = self._seal(_Kept(access=grant.access_token, refresh=refresh_token), connection_id)
            await connection.execute(
                """
                UPDATE connections SET key_id = $2, sealed = $3, version = version + 1, expires_at = $4,
                  refreshing_until = NULL
                WHERE id = $1
                """,
                connection_id,
                sealed.key_id,
                sealed.data,
                now + timedelta(seconds=grant.expires_in_s),
            )

    @patient
    async def lost(self, tenant_id: TenantId, connection_id: RowId, version: int) -> bool:
        """The tokens of this version let nobody in any more. False when there are newer ones.

        Safe to run twice: it stays lost.
        """
        async with self._database.tenant(tenant_id) as connection:
            marked = await connection.fetchval(
                """
                UPDATE connections SET status = 'reauth_required', refreshing_until = NULL
                WHERE id = $1 AND version = $2 AND status IN ('active', 'reauth_required') RETURNING true
                """,
                connection_id,
                version,
            )
            return bool(marked)

    @patient
    async def disconnect(self, tenant_id: TenantId, connection_id: RowId, now: datetime) -> str | None:
        """Forget the tokens, and give back the one that revokes them at their provider: None when there is none.

        Meetings to come are none of ours any more: their workflows see that before they do anything else. Whoever
        connects again has all of them read anew. Safe to run twice; what was forgotten is not given back again.
        """
        async with self._database.tenant(tenant_id) as connection:
            row = await _row(connection, connection_id, lock=True)
            token = self._old_refresh_token(row)
            nothing = self._seal(_Kept(), connection_id)
            await connection.execute(
                """
                UPDATE connections SET status = 'disconnected', key_id = $2, sealed = $3, version = version + 1,
                  refreshing_until = NULL
                WHERE id = $1
                """,
                connection_id,
                nothing.key_id,
                nothing.data,
            )
            await connection.execute(
                """
                UPDATE calendars SET watched = false, sync_token = NULL, page_token = NULL, full_reading = false
                WHERE connection_id = $1
                """,
                connection_id,
            )
            await connection.execute(
                """
                UPDATE meetings SET withdrawn = 'calendar disconnected', cancelled = true, revision = revision + 1
                WHERE calendar_id IN (SELECT id FROM calendars WHERE connection_id = $1)
                  AND ends_at > $2 AND withdrawn IS NULL
                """,
                connection_id,
                now,
            )
            # Without tokens nobody can stop them any more.
            await connection.execute(
                """
                UPDATE subscriptions SET status = 'expired' WHERE status IN ('creating', 'active', 'replaced')
                  AND calendar_id IN (SELECT id FROM calendars WHERE connection_id = $1)
                """,
                connection_id,
            )
            return token or None

    def _seal(self, kept: _Kept, connection_id: RowId) -> Sealed:
        return self._sealer.seal(kept.model_dump_json().encode(), connection_id)

    def _open(self, row: asyncpg.Record) -> _Kept:
        try:
            return _Kept.model_validate_json(self._sealer.open(Sealed(row["key_id"], row["sealed"]), row["id"]))
        except SealError as error:
            raise errors.sealed(str(error)) from None

    def _old_refresh_token(self, row: asyncpg.Record | None) -> str:
        """Of a row that may not be there, or not be opened any more."""
        try:
            return "" if row is None else self._open(row).refresh
        except ApplicationError:
            return ""


async def _row(connection: Connection, connection_id: RowId, *, lock: bool = False) -> asyncpg.Record:
    query = "SELECT * FROM connections WHERE id = $1"
    row = await connection.fetchrow(query + " FOR UPDATE" if lock else query, connection_id)
    if row is None:
        raise errors.not_found("connection")
    return row


async def _calendar(connection: Connection, connection_id: RowId, user_id: RowId, account: str) -> RowId:
    """An account's own calendar goes by its address."""
    calendar_id: RowId = await connection.fetchval(
        """
        INSERT INTO calendars (tenant_id, connection_id, user_id, provider_key) VALUES (current_tenant(), $1, $2, $3)
        ON CONFLICT (tenant_id, connection_id, provider_key)
          DO UPDATE SET watched = true, failing_since = NULL, failure = NULL
        RETURNING id
        """,
        connection_id,
        user_id,
        account,
    )
    return calendar_id
