"""Recorders: what records a tenant's calls, and how it lets us in, sealed.

connect ─▶ active ─▶ (swept)* ─▶ refused │ disconnected ─▶ connect
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import asyncpg

from activities import errors
from activities.ports import RecorderAccess
from activities.sealing import Sealed, Sealer, SealError
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.recorders import Listed, RecorderRow
from schemas.transcripts import CallStatus, Source

ACTIVE, REFUSED, DISCONNECTED = "active", "refused", "disconnected"


@dataclass(frozen=True)
class Signer:
    """Whose notifications a recorder's are, and the key that tells whether they are its own: None for none."""

    tenant_id: TenantId
    public_key: str | None
    sandbox: bool


@dataclass(frozen=True)
class Recorder:
    """A recorder that lets us in, or did. `version` tells what it was connected with from what comes after."""

    id: RowId
    status: str
    access: RecorderAccess = field(repr=False)
    sandbox: bool
    swept_until: datetime | None
    version: bytes = field(repr=False)


class RecorderStore:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    @patient
    async def connect(
        self,
        tenant_id: TenantId,
        access: RecorderAccess,
        *,
        provider: str,
        public_key: str | None,
        sandbox: bool,
        now: datetime,
    ) -> RowId:
        """The tenant's recorder, with what lets us in now. Calls are looked for from now on, or from where that ended.

        Safe to run twice: a tenant has one recorder of a brand, and it keeps its id, which is in its address.
        """
        async with self._database.tenant(tenant_id) as connection:
            recorder_id: RowId = await connection.fetchval(
                """
                INSERT INTO recorders (tenant_id, id, provider, base_url, key_id, sealed, sandbox, created_at)
                VALUES (current_tenant(), $1, $2, '', '', '', $3, $4)
                ON CONFLICT (tenant_id, provider) DO UPDATE SET provider = excluded.provider RETURNING id
                """,
                str(uuid4()),
                provider,
                sandbox,
                now,
            )
            sealed = self._sealer.seal(access.credentials.encode(), recorder_id)
            await connection.execute(
                """
                UPDATE recorders SET base_url = $2, key_id = $3, sealed = $4, public_key = $5, status = 'active',
                  reason = NULL, sandbox = $6, swept_until = CASE status WHEN 'disconnected' THEN $7
                  ELSE coalesce(swept_until, $7) END
                WHERE id = $1
                """,
                recorder_id,
                access.base_url,
                sealed.key_id,
                sealed.data,
                public_key,
                sandbox,
                now,
            )
            return recorder_id

    @patient
    async def disconnect(self, tenant_id: TenantId, provider: str) -> bool:
        """Forget what lets us in, and listen no more; whether there was something to forget. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow("SELECT id, status FROM recorders WHERE provider = $1 FOR UPDATE", provider)
            if row is None or row["status"] == DISCONNECTED:
                return False
            nothing = self._sealer.seal(b"", row["id"])
            await connection.execute(
                """
                UPDATE recorders SET status = 'disconnected', reason = NULL, public_key = NULL, key_id = $2, sealed = $3
                WHERE id = $1
                """,
                row["id"],
                nothing.key_id,
                nothing.data,
            )
            return True

    @patient
    async def row(self, tenant_id: TenantId, provider: str) -> RecorderRow | None:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT id, provider, base_url, status, reason, public_key IS NOT NULL AS listens, swept_until, sandbox,
                  created_at
                FROM recorders WHERE provider = $1
                """,
                provider,
            )
            return None if row is None else RecorderRow(**row)

    @patient
    async def find(self, recorder_id: RowId) -> Signer | None:
        """By its id alone, as a notification names it; nothing when it is not there, or given up."""
        async with self._database.crossing() as connection:
            tenant_id = await connection.fetchval(
                "SELECT tenant_id FROM recorders WHERE id = $1 AND status <> 'disconnected'", recorder_id
            )
        if tenant_id is None:
            return None
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow("SELECT public_key, sandbox FROM recorders WHERE id = $1", recorder_id)
            return None if row is None else Signer(tenant_id, row["public_key"], row["sandbox"])

    @patient
    async def listed(self, after: RowId | None, limit: int) -> Listed:
        """Those of all tenants that let us in."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                """
                SELECT tenant_id, id FROM recorders WHERE status = 'active' AND ($1::uuid IS NULL OR id > $1)
                ORDER BY id LIMIT $2
                """,
                after,
                limit,
            )
            found = tuple((row["tenant_id"], row["id"]) for row in rows)
            return Listed(recorders=found, after=found[-1][1] if len(found) == limit else None)

    @patient
    async def recorder(self, tenant_id: TenantId, recorder_id: RowId) -> Recorder:
        async with self._database.tenant(tenant_id) as connection:
            return self._recorder(await _row(connection, recorder_id))

    @patient
    async def of_call(self, tenant_id: TenantId, call_id: RowId) -> tuple[Recorder, str]:
        """Who recorded a call, and what it is called there."""
        async with self._database.tenant(tenant_id) as connection:
            call = await connection.fetchrow("SELECT recorder_id, source_key FROM calls WHERE id = $1", call_id)
            if call is None:
                raise errors.not_found("call")
            return self._recorder(await _row(connection, call["recorder_id"])), call["source_key"]

    @patient
    async def refused(self, tenant_id: TenantId, recorder_id: RowId, version: bytes, reason: str) -> bool:
        """What it was connected with lets nobody in any more. False when it was connected anew meanwhile.

        Safe to run twice: it stays refused.
        """
        async with self._database.tenant(tenant_id) as connection:
            marked = await connection.fetchval(
                """
                UPDATE recorders SET status = 'refused', reason = $3
                WHERE id = $1 AND sealed = $2 AND status IN ('active', 'refused') RETURNING true
                """,
                recorder_id,
                version,
                reason,
            )
            return bool(marked)

    @patient
    async def swept(self, tenant_id: TenantId, recorder_id: RowId, until: datetime) -> None:
        """Calls have been looked for up to then. Safe to run twice, and late: it never goes back."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                "UPDATE recorders SET swept_until = greatest(coalesce(swept_until, $2), $2) WHERE id = $1",
                recorder_id,
                until,
            )

    @patient
    async def seen(self, tenant_id: TenantId, source: Source, keys: Sequence[str]) -> frozenset[str]:
        """Which of these calls are known and have been begun, whatever came of them."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT source_key FROM calls WHERE source = $1 AND source_key = ANY($2) AND status <> $3",
                source.value,
                list(keys),
                CallStatus.WAITING.value,
            )
            return frozenset(row["source_key"] for row in rows)

    def _recorder(self, row: asyncpg.Record) -> Recorder:
        """Only what is active is opened: a key that is gone is no reason not to say that it was given up."""
        credentials = self._open(row) if row["status"] == ACTIVE else ""
        access = RecorderAccess(base_url=row["base_url"], credentials=credentials, of=row["id"])
        return Recorder(row["id"], row["status"], access, row["sandbox"], row["swept_until"], row["sealed"])

    def _open(self, row: asyncpg.Record) -> str:
        try:
            return self._sealer.open(Sealed(row["key_id"], row["sealed"]), row["id"]).decode()
        except SealError as error:
            raise errors.sealed(str(error)) from None


async def _row(connection: Connection, recorder_id: RowId | None) -> asyncpg.Record:
    row = await connection.fetchrow("SELECT * FROM recorders WHERE id = $1", recorder_id)
    if row is None:
        raise errors.not_found("recorder")
    return row
