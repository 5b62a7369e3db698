"""Letters: mails that other applications have asked for, each to a user of their own tenant."""

from datetime import datetime

from activities.store.database import Database, patient
from schemas.base import Email, RowId, TenantId


class LetterStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def addressee(self, tenant_id: TenantId, email: Email) -> RowId | None:
        """The user of this tenant who has this address."""
        async with self._database.tenant(tenant_id) as connection:
            found: RowId | None = await connection.fetchval("SELECT id FROM users WHERE email = $1", email)
            return found

    @patient
    async def write(
        self, tenant_id: TenantId, letter_id: RowId, user_id: RowId, subject: str, body: str, now: datetime
    ) -> None:
        """Safe to run twice: a letter has one row, and says what it said first."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                INSERT INTO letters (tenant_id, id, user_id, subject, body, created_at)
                VALUES (current_tenant(), $1, $2, $3, $4, $5) ON CONFLICT (tenant_id, id) DO NOTHING
                """,
                letter_id,
                user_id,
                subject,
                body,
                now,
            )
