"""The change of the key that seals secrets: all that is sealed with another is sealed with the current one."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from activities.sealing import Sealed, Sealer, SealError
from activities.store.database import Database, patient
from activities.store.endpoints import sealed_for
from schemas.base import RowId, TenantId


@dataclass(frozen=True)
class Rotated:
    """How many of a batch were sealed anew, how many no key opens, and after which to go on; None at the end."""

    sealed: int
    failed: int
    after: str | None


# Where secrets are kept, and by what a row of it is found.
KEEPERS: Mapping[str, str] = MappingProxyType(
    {"connections": "id", "endpoints": "tenant_id", "event_keys": "id", "recorders": "id", "user_channels": "id"}
)


class Rotation:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    @patient
    async def rotate(self, after: str | None, limit: int) -> Rotated:
        """Seal the next secrets of all tenants with the current key, one table after the other.

        Safe to run twice, and while tokens are refreshed: what has the current key is left alone, and each row is
        locked while it is changed.
        """
        table, _, last = (after or f"{next(iter(KEEPERS))}/").partition("/")
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                f"""
                SELECT tenant_id, {KEEPERS[table]} AS id FROM {table}
                WHERE key_id <> $1 AND ($2::uuid IS NULL OR {KEEPERS[table]} > $2) ORDER BY {KEEPERS[table]} LIMIT $3
                """,  # noqa: S608 - names of ours
                self._sealer.current,
                last or None,
                limit,
            )
        done = [await self._seal(table, row["tenant_id"], row["id"]) for row in rows]
        following = f"{table}/{rows[-1]['id']}" if len(rows) == limit else _next(table)
        return Rotated(done.count(True), done.count(False), following)

    async def _seal(self, table: str, tenant_id: TenantId, row_id: RowId) -> bool:
        """False when no key opens it. What is sealed stays as it is, so its version does too."""
        bound = sealed_for(tenant_id) if table == "endpoints" else row_id
        async with self._database.tenant(tenant_id) as connection:
            found = f"FROM {table} WHERE {KEEPERS[table]} = $1"
            row = await connection.fetchrow(f"SELECT key_id, sealed {found} FOR UPDATE", row_id)
            if row is None or row["key_id"] == self._sealer.current:
                return True
            try:
                secret = self._sealer.open(Sealed(row["key_id"], row["sealed"]), bound)
            except SealError:
                return False
            sealed = self._sealer.seal(secret, bound)
            await connection.execute(
                f"UPDATE {table} SET key_id = $2, sealed = $3 WHERE {KEEPERS[table]} = $1",  # noqa: S608 - likewise
                row_id,
                sealed.key_id,
                sealed.data,
            )
            return True


def _next(table: str) -> str | None:
    tables = list(KEEPERS)
    following = tables[tables.index(table) + 1 :]
    return f"{following[0]}/" if following else None
