"""Push channels, as a notification finds them: before anybody knows whose they are."""

from dataclasses import dataclass
from datetime import datetime

from activities.store.database import Database, patient
from schemas.base import RowId, TenantId


@dataclass(frozen=True)
class ChannelRow:
    """A channel as its row has it. `resource_id` is not known before its provider has answered."""

    tenant_id: TenantId
    calendar_id: RowId
    status: str
    token_hash: bytes
    resource_id: str | None
    expires_at: datetime
    accepted_until: datetime | None

    def open(self, now: datetime) -> bool:
        """Its notifications count: it is the calendar's channel, or was until just now."""
        if self.accepted_until is not None and now <= self.accepted_until:
            return True
        return self.status in ("creating", "active") and now < self.expires_at


class ChannelStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def find(self, channel_id: RowId) -> ChannelRow | None:
        async with self._database.crossing() as connection:
            row = await connection.fetchrow(
                """
                SELECT tenant_id, calendar_id, status, token_hash, resource_id, expires_at, accepted_until
                FROM subscriptions WHERE id = $1
                """,
                channel_id,
            )
            return None if row is None else ChannelRow(**row)

    @patient
    async def confirm(self, tenant_id: TenantId, channel_id: RowId, resource_id: str, now: datetime) -> None:
        """The provider's first message came. Safe to run twice: the first time stands."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                UPDATE subscriptions SET confirmed_at = coalesce(confirmed_at, $3), resource_id = coalesce(resource_id, $2)
                WHERE id = $1
                """,
                channel_id,
                resource_id,
                now,
            )
