"""What whoever looks after a tenant sees of all its calendars, whosever they are."""

from activities.store.database import Database, patient
from schemas.agenda import CalendarHealth, ChannelLine
from schemas.base import TenantId


class Oversight:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def calendars(self, tenant_id: TenantId) -> list[CalendarHealth]:
        """By account; those that were given up come last."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT c.id, c.connection_id, n.account, c.provider_key AS name, u.email AS user, n.status, n.sandbox,
                  c.watched, c.read_at, c.pushed_at, c.failing_since, c.failure,
                  s.expires_at AS channel_expires_at
                FROM calendars c JOIN connections n ON n.id = c.connection_id JOIN users u ON u.id = c.user_id
                LEFT JOIN subscriptions s ON s.calendar_id = c.id AND s.status = 'active'
                ORDER BY n.status = 'disconnected', n.account, u.email, c.provider_key
                """
            )
            return [CalendarHealth.model_validate(dict(row)) for row in rows]

    @patient
    async def channels(self, tenant_id: TenantId, limit: int) -> list[ChannelLine]:
        """The newest first."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT s.id, s.calendar_id, n.account, s.status, s.created_at, s.expires_at, s.confirmed_at,
                  s.renewal_failures
                FROM subscriptions s JOIN calendars c ON c.id = s.calendar_id JOIN connections n ON n.id = c.connection_id
                ORDER BY s.created_at DESC, s.id LIMIT $1
                """,
                limit,
            )
            return [ChannelLine.model_validate(dict(row)) for row in rows]
