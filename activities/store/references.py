"""What events speak of, as other applications call it, among a tenant's own rows."""

from dataclasses import dataclass

from activities.store.database import Database, patient
from schemas.base import RowId, TenantId

# An address may be read for several users.
MOST_CALENDARS = 20


@dataclass(frozen=True)
class RecorderRow:
    id: RowId
    sandbox: bool


class References:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def calendars(self, tenant_id: TenantId, channel: str | None, calendar: str | None) -> list[RowId]:
        """Calendars that are read, by one of their channels, by our id, or by their address."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT c.id FROM calendars c JOIN connections n ON n.id = c.connection_id
                WHERE c.watched AND n.status = 'active' AND (
                  c.id::text = lower($2) OR c.provider_key = lower($2)
                  OR EXISTS (SELECT FROM subscriptions s WHERE s.calendar_id = c.id AND s.id::text = lower($1))
                )
                ORDER BY c.id LIMIT $3
                """,
                channel,
                calendar,
                MOST_CALENDARS,
            )
            return [row["id"] for row in rows]

    @patient
    async def call(self, tenant_id: TenantId, theirs: str) -> RowId | None:
        """A call by what its source calls it, or by our id; of several the newest."""
        async with self._database.tenant(tenant_id) as connection:
            call_id: RowId | None = await connection.fetchval(
                """
                SELECT id FROM calls WHERE source_key = $1 OR id::text = lower($1) ORDER BY created_at DESC, id LIMIT 1
                """,
                theirs,
            )
            return call_id

    @patient
    async def document(self, tenant_id: TenantId, named: str) -> RowId | None:
        """A document by our id."""
        async with self._database.tenant(tenant_id) as connection:
            document_id: RowId | None = await connection.fetchval(
                "SELECT id FROM documents WHERE id::text = lower($1)", named.strip()
            )
            return document_id

    @patient
    async def recorder(self, tenant_id: TenantId) -> RecorderRow | None:
        """What records the tenant's calls, while it lets us in."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT id, sandbox FROM recorders WHERE status = 'active' ORDER BY created_at, id LIMIT 1"
            )
            return None if row is None else RecorderRow(**row)
