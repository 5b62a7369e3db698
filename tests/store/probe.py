"""Whether the fence holds, table by table: what one tenant sees and writes of another's, and what each sees of its own.

The same probe says that all is well and, once a policy is gone, what is not; so the tests that rest on it can fail.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg

APPLICATION, CROSSING = "greenroom_app", "greenroom_crossing"

TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('schema_migrations', 'paces', 'bills', 'seats')
    ORDER BY 1
"""


async def tables(connection: asyncpg.Connection) -> list[str]:
    found = [row["relname"] for row in await connection.fetch(TABLES)]
    assert len(found) >= 18
    return found


async def count(connection: asyncpg.Connection, table: str) -> int:
    number: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return number


class Probe:
    """`connection` is a superuser's inside a transaction, `theirs` a tenant with a row in every table."""

    def __init__(self, connection: asyncpg.Connection, theirs: str) -> None:
        self._connection = connection
        self._theirs = theirs
        self._ours = str(uuid4())

    async def leaks(self, table: str) -> set[str]:
        """What is wrong with the fence of a table, in words; nothing when it holds."""
        found = {
            "its own tenant does not see it": not await self._seen(table, APPLICATION, self._theirs),
            "another tenant sees it": await self._seen(table, APPLICATION, self._ours),
            "nobody's sees it": await self._seen(table, APPLICATION, ""),
            "its owner sees it": await self._seen(table, await self._owner(table), self._ours),
            "another tenant changes it": await self._changed(table),
            "rows are written for another tenant": await self._written(table),
            "who crosses tenants is kept out": await self._kept_out(table),
        }
        return {said for said, holds in found.items() if holds}

    @asynccontextmanager
    async def _as(self, role: str, tenant_id: str) -> AsyncIterator[None]:
        """Whatever happens here is undone."""
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            await self._connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant_id)
            await self._connection.execute(f"SET LOCAL ROLE {role}")
            yield
        finally:
            await transaction.rollback()

    async def _seen(self, table: str, role: str, tenant_id: str) -> bool:
        async with self._as(role, tenant_id):
            return bool(await count(self._connection, table))

    async def _owner(self, table: str) -> str:
        owner: str = await self._connection.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = $1", table)
        return owner

    async def _changed(self, table: str) -> bool:
        own = _own(table)
        async with self._as(APPLICATION, self._ours):
            try:
                return await self._connection.execute(f"UPDATE {table} SET {own} = {own}") != "UPDATE 0"
            except asyncpg.InsufficientPrivilegeError:
                return False

    async def _written(self, table: str) -> bool:
        """A row for somebody else: refused by the fence, before anything else has a say."""
        own = _own(table)
        async with self._as(APPLICATION, self._theirs):
            try:
                await self._connection.execute(f"UPDATE {table} SET {own} = $1", UUID(self._ours))
            except asyncpg.InsufficientPrivilegeError as error:
                return "row-level security" not in str(error)
            except asyncpg.PostgresError:
                return True
            return True

    async def _kept_out(self, table: str) -> bool:
        """Where that role may see ids, it sees them."""
        may = await self._connection.fetchval("SELECT has_any_column_privilege($1, $2, 'SELECT')", CROSSING, table)
        return bool(may) and not await self._seen(table, CROSSING, "")


def _own(table: str) -> str:
    return "id" if table == "tenants" else "tenant_id"
