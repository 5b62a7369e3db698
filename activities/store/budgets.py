"""Caps of tenants, and what their months come to."""

from datetime import date

from activities.store.database import Connection, Database, patient
from schemas.base import TenantId
from schemas.budgets import CostOfMeeting, OwnCaps, Spending, Spent

# Of the dearest meetings so many are told.
DEAREST = 5


class BudgetStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def own(self, tenant_id: TenantId) -> OwnCaps:
        """The tenant's own caps."""
        async with self._database.tenant(tenant_id) as connection:
            return await own(connection)

    @patient
    async def put(self, tenant_id: TenantId, caps: OwnCaps) -> None:
        """These are the tenant's own caps from now on. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                INSERT INTO budgets (tenant_id, run_micro_usd, meeting_micro_usd, month_micro_usd)
                VALUES (current_tenant(), $1, $2, $3)
                ON CONFLICT (tenant_id) DO UPDATE SET run_micro_usd = excluded.run_micro_usd,
                  meeting_micro_usd = excluded.meeting_micro_usd, month_micro_usd = excluded.month_micro_usd
                """,
                caps.run_micro_usd,
                caps.meeting_micro_usd,
                caps.month_micro_usd,
            )

    @patient
    async def spending(self, tenant_id: TenantId, month: date) -> Spending:
        """What a month has come to so far."""
        async with self._database.tenant(tenant_id) as connection:
            total = await connection.fetchval("SELECT micro_usd FROM months WHERE month = $1", month)
            return Spending(
                month=month,
                micro_usd=total or 0,
                providers=await _providers(connection, month),
                dearest=await _dearest(connection, month),
            )


async def own(connection: Connection) -> OwnCaps:
    """The caps of the connection's tenant."""
    row = await connection.fetchrow("SELECT run_micro_usd, meeting_micro_usd, month_micro_usd FROM budgets")
    return OwnCaps() if row is None else OwnCaps(**row)


async def _providers(connection: Connection, month: date) -> tuple[Spent, ...]:
    rows = await connection.fetch(
        """
        SELECT provider, model, count(*) FILTER (WHERE state = 'settled') AS calls,
          coalesce(sum(micro_usd) FILTER (WHERE state = 'settled'), 0)::bigint AS settled_micro_usd,
          coalesce(sum(micro_usd) FILTER (WHERE ended_at IS NULL), 0)::bigint AS reserved_micro_usd,
          coalesce(sum(micro_usd) FILTER (WHERE assumed), 0)::bigint AS assumed_micro_usd
        FROM spending WHERE month = $1 GROUP BY provider, model HAVING sum(micro_usd) > 0
        ORDER BY sum(micro_usd) DESC, provider, model
        """,
        month,
    )
    return tuple(Spent(**row) for row in rows)


async def _dearest(connection: Connection, month: date) -> tuple[CostOfMeeting, ...]:
    """What is gone is told without its title."""
    rows = await connection.fetch(
        """
        SELECT s.work_id AS research_id, sum(s.micro_usd)::bigint AS micro_usd, coalesce(max(m.title), max(c.title), (
            SELECT string_agg(p.email, ', ' ORDER BY rp.position) FROM research_prospects rp
            JOIN subjects p ON p.id = rp.subject_id WHERE rp.research_id = s.work_id
          ), '') AS title
        FROM spending s LEFT JOIN meetings m ON m.id = s.work_id LEFT JOIN calls c ON c.id = s.work_id
        WHERE s.month = $1 GROUP BY s.work_id HAVING sum(s.micro_usd) > 0
        ORDER BY sum(s.micro_usd) DESC, s.work_id LIMIT $2
        """,
        month,
        DEAREST,
    )
    return tuple(CostOfMeeting(**row) for row in rows)
