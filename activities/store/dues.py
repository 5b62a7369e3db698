"""Who is to have a digest: users of all tenants by their wishes and clocks, less those who have one of their day."""

from collections.abc import Sequence

import asyncpg

from activities.digests import mornings
from activities.store.database import Connection
from schemas.digests import DigestOrder, DigestPage, DigestPaging


async def page(connection: Connection, paging: DigestPaging) -> DigestPage:
    """So many users in the order of their ids, whoever of them wants one; a little more where ids are the same."""
    users = await connection.fetch(_WISHING, paging.after, paging.most)
    ordered = [order for row in users if (order := _order(row, paging)) is not None]
    made = await _made(connection, ordered)
    orders = tuple(order for order in ordered if _who(order) not in made)
    return DigestPage(orders=orders, after=users[-1]["id"] if len(users) >= paging.most else None)


def _order(row: asyncpg.Record, paging: DigestPaging) -> DigestOrder | None:
    day, not_before = mornings.morning(paging.at, row["time_zone"])
    if not mornings.is_wanted(day, row["digest_days"]):
        return None
    return DigestOrder(tenant_id=row["tenant_id"], user_id=row["id"], day=day, not_before=not_before)


async def _made(connection: Connection, orders: Sequence[DigestOrder]) -> frozenset[tuple[object, ...]]:
    rows = await connection.fetch(
        """
        SELECT d.tenant_id, d.user_id, d.day FROM digests d
        JOIN unnest($1::uuid[], $2::uuid[], $3::date[]) AS o(tenant_id, user_id, day)
          ON (d.tenant_id, d.user_id, d.day) = (o.tenant_id, o.user_id, o.day)
        WHERE d.status IN ('ready', 'skipped', 'generating')
        """,
        [order.tenant_id for order in orders],
        [order.user_id for order in orders],
        [order.day for order in orders],
    )
    return frozenset(tuple(row) for row in rows)


def _who(order: DigestOrder) -> tuple[object, ...]:
    return order.tenant_id, order.user_id, order.day


_WISHING = """
SELECT tenant_id, id, time_zone, digest_days FROM users u
WHERE digest_days <> 0 AND ($1::uuid IS NULL OR id > $1)
  AND (digest_sales OR EXISTS (SELECT FROM interests i WHERE i.tenant_id = u.tenant_id AND i.user_id = u.id))
ORDER BY id FETCH FIRST ($2) ROWS WITH TIES
"""
