"""Files that no row needs any more, until they are deleted from where they are kept."""

from collections.abc import Sequence
from datetime import datetime

from activities.store.database import Database, patient
from schemas.base import TenantId

# As many are deleted before the next are looked for.
BATCH = 100


class UnneededStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def tenants(self) -> list[TenantId]:
        """Those that have some."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch("SELECT DISTINCT tenant_id FROM unneeded_objects ORDER BY tenant_id")
            return [row["tenant_id"] for row in rows]

    @patient
    async def unneeded(self, tenant_id: TenantId, now: datetime, folder: str = "") -> list[str]:
        """The keys of some of them, or of a folder's, the oldest first. One whose file is being uploaded has its time
        yet."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT key FROM unneeded_objects WHERE since <= $2 AND starts_with(key, $3) ORDER BY since, key LIMIT $1
                """,
                BATCH,
                now,
                folder,
            )
            return [row["key"] for row in rows]

    @patient
    async def deleted(self, tenant_id: TenantId, keys: Sequence[str]) -> int:
        """They are gone; how many of them were written down. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                "DELETE FROM unneeded_objects WHERE key = ANY($1::text[]) RETURNING key", list(keys)
            )
            return len(rows)
