"""What Postgres says of itself and of the role that asks: for `doctor`, which trusts no URL."""

from dataclasses import dataclass
from datetime import datetime

from activities.store.database import Database


@dataclass(frozen=True)
class Role:
    """Who a URL logs in as, what that role could do to row security, and what time it is there."""

    name: str
    # It sees every tenant's rows, whatever the policies say.
    bypasses: bool
    # Tables that belong to it: an owner can switch row security off.
    owns: int
    # Tables of tenants that are not fenced, for owners too.
    unfenced: tuple[str, ...]
    now: datetime
    # Postgres has what vectors need, made or ready to be made.
    vectors: bool = True


async def role(url: str) -> Role:
    """Log in, and look. Raises what the driver raises when that fails."""
    async with Database.opened(url, url, size=1) as database, database.untenanted() as connection:
        row = await connection.fetchrow(
            """
            SELECT current_user AS name, r.rolsuper OR r.rolbypassrls AS bypasses,
              (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p')) AS owns,
              ARRAY(
                SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
                  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
                  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
                ORDER BY 1
              ) AS unfenced,
              clock_timestamp() AS now,
              EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS vectors
            FROM pg_roles r WHERE r.rolname = current_user
            """
        )
        assert row is not None, "whoever is logged in is a role"
        return Role(**{**row, "unfenced": tuple(row["unfenced"])})
