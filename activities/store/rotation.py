"""The change of the key that seals tokens: all that is sealed with another is sealed with the current one."""

from dataclasses import dataclass

from activities.sealing import Sealed, Sealer, SealError
from activities.store.database import Database, patient
from schemas.base import RowId, TenantId


@dataclass(frozen=True)
class Rotated:
    """How many of a batch were sealed anew, how many no key opens, and after which to go on; None at the end."""

    sealed: int
    failed: int
    after: RowId | None


class Rotation:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    @patient
    async def rotate(self, after: RowId | None, limit: int) -> Rotated:
        """Seal the next connections of all tenants with the current key.

        Safe to run twice, and while tokens are refreshed: what has the current key is left alone, and each row is
        locked while it is changed.
        """
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                """
                SELECT tenant_id, id FROM connections
                WHERE key_id <> $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
                """,
                self._sealer.current,
                after,
                limit,
            )
        done = [await self._seal(row["tenant_id"], row["id"]) for row in rows]
        return Rotated(done.count(True), done.count(False), rows[-1]["id"] if len(rows) == limit else None)

    async def _seal(self, tenant_id: TenantId, connection_id: RowId) -> bool:
        """False when no key opens it. What is sealed stays as it is, so its version does too."""
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow("SELECT * FROM connections WHERE id = $1 FOR UPDATE", connection_id)
            if row is None or row["key_id"] == self._sealer.current:
                return True
            try:
                secret = self._sealer.open(Sealed(row["key_id"], row["sealed"]), connection_id)
            except SealError:
                return False
            sealed = self._sealer.seal(secret, connection_id)
            await connection.execute(
                "UPDATE connections SET key_id = $2, sealed = $3 WHERE id = $1",
                connection_id,
                sealed.key_id,
                sealed.data,
            )
            return True
