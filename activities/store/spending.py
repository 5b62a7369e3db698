"""The ledger: what calls can cost at most is set aside before they are made, and then settled with what they did cost.

begin ─▶ planned ─▶ reserved ─▶ the call ─▶ settled, with the answer that was bought
              └──────────┴─▶ released: nothing was bought

Whoever sets money aside holds the row of the tenant's month, so sums are read and added to by one at a time. Rows are
locked in one order everywhere: a research, call, digest, skill's or document's run or subject, entries of the ledger, the month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from activities import errors
from activities.ports import ModelAnswer, SearchAnswer, Usage
from activities.spending import Offer, Purchase, Purse
from activities.store import budgets
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.budgets import Bound, Caps

# What is set aside for so long belongs to nobody any more: calls end within minutes.
STALE = timedelta(hours=1)

NO_USAGE = Usage(0, 0, 0)

log = structlog.get_logger("spending")


@dataclass(frozen=True)
class Bill:
    """What came of a call: what it cost, `assumed` when its provider told no usage."""

    purchase: Purchase
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    micro_usd: int
    assumed: bool


class SpendingStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def reserve(self, purchase: Purchase, offers: Sequence[Offer], caps: Caps, now: datetime) -> Offer:
        """Set aside the most that the first of these calls can cost for which the caps leave enough.

        Safe to run twice: what is set aside for the same purpose already is what counts, or is given back first.
        """
        async with self._database.tenant(purchase.tenant_id) as connection:
            if await _planned(connection, purchase, offers[0], now):
                return offers[0]
            await connection.execute("SELECT FROM research WHERE id = $1 FOR UPDATE", purchase.work_id)
            await connection.execute("SELECT FROM calls WHERE id = $1 FOR UPDATE", purchase.work_id)
            await connection.execute("SELECT FROM digests WHERE id = $1 FOR UPDATE", purchase.work_id)
            await connection.execute("SELECT FROM skill_runs WHERE id = $1 FOR UPDATE", purchase.work_id)
            await connection.execute("SELECT FROM document_runs WHERE id = $1 FOR UPDATE", purchase.work_id)
            await release(connection, purchase.work_id, now, version=purchase.version, purpose=purchase.purpose)
            purse = await purse_of(connection, purchase.work_id, purchase.version, caps, now)
            for offer in offers:
                if offer.most_micro_usd <= purse.left_micro_usd:
                    await set_aside(connection, purchase, [(purchase.purpose, offer)], now, state="reserved")
                    return offer
            raise errors.over_budget(purse.bound.value, purse.cap_micro_usd)

    @patient
    async def give_up(self, purchase: Purchase, now: datetime, *, paid: bool) -> None:
        """Nothing is kept for what was reserved. If it was paid all the same, it is gone.

        Safe to run twice: what is settled or released is so.
        """
        async with self._database.tenant(purchase.tenant_id) as connection:
            if paid:
                await _end(connection, purchase, now, assumed=True)
            else:
                await release(connection, purchase.work_id, now, version=purchase.version, purpose=purchase.purpose)

    @patient
    async def release_stale(self, tenant_id: TenantId, now: datetime) -> int:
        """Give back what was set aside so long ago that nobody can be spending it; how many entries that were.

        Safe to run twice, and beside others.
        """
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT id FROM spending WHERE ended_at IS NULL AND reserved_at < $1 ORDER BY id FOR UPDATE",
                now - STALE,
            )
            await _give_back(connection, [row["id"] for row in rows], now)
            return len(rows)


async def release(
    connection: Connection, work_id: RowId, now: datetime, *, version: int | None = None, purpose: str | None = None
) -> None:
    """Give back what was planned for some work, of one version if it is named.

    A call that is under way may yet be paid: what is reserved for it is given back only by whoever names its purpose.
    """
    rows = await connection.fetch(
        """
        SELECT id FROM spending WHERE work_id = $1 AND ended_at IS NULL AND version = coalesce($2, version)
          AND (purpose = $3 OR ($3 IS NULL AND state = 'planned'))
        ORDER BY id FOR UPDATE
        """,
        work_id,
        version,
        purpose,
    )
    if rows:
        await _give_back(connection, [row["id"] for row in rows], now)


async def _give_back(connection: Connection, entries: Sequence[RowId], now: datetime) -> None:
    """These are locked."""
    await connection.execute(
        """
        WITH open AS (
          SELECT id, month, micro_usd FROM spending WHERE id = ANY($1::uuid[])
        ), done AS (
          UPDATE spending s SET state = 'released', micro_usd = 0, ended_at = $2 FROM open o WHERE s.id = o.id
        )
        UPDATE months m SET micro_usd = m.micro_usd - o.micro_usd
        FROM (SELECT month, sum(micro_usd)::bigint AS micro_usd FROM open GROUP BY month) o WHERE m.month = o.month
        """,
        list(entries),
        now,
    )


async def purse_of(connection: Connection, work_id: RowId, version: int, caps: Caps, now: datetime) -> Purse:
    """What may still be spent on this version. The month's row is locked: until the end nobody else sets aside.

    What is spent on all versions of a call, digest, skill's or document's run is bounded as on those of a meeting.
    """
    month: int = await connection.fetchval(
        """
        INSERT INTO months AS m (tenant_id, month) VALUES (current_tenant(), $1)
        ON CONFLICT (tenant_id, month) DO UPDATE SET micro_usd = m.micro_usd RETURNING micro_usd
        """,
        month_of(now),
    )
    row = await connection.fetchrow(
        """
        SELECT coalesce(sum(s.micro_usd), 0)::bigint AS meeting,
          coalesce(sum(s.micro_usd) FILTER (WHERE s.version = $2), 0)::bigint AS run,
          EXISTS (SELECT FROM research WHERE id = $1 AND kind = 'calendar') OR EXISTS (SELECT FROM calls WHERE id = $1)
            OR EXISTS (SELECT FROM digests WHERE id = $1) OR EXISTS (SELECT FROM skill_runs WHERE id = $1)
            OR EXISTS (SELECT FROM document_runs WHERE id = $1) AS is_meeting
        FROM spending s WHERE s.work_id = $1
        """,
        work_id,
        version,
    )
    assert row is not None, "sums have a row"
    used = {Bound.RUN: row["run"], Bound.MONTH: month} | ({Bound.MEETING: row["meeting"]} if row["is_meeting"] else {})
    return Purse.of((await budgets.own(connection)).over(caps), used)


async def held(connection: Connection, now: datetime) -> int:
    """What is set aside this month for calls that are not paid yet."""
    micro_usd: int = await connection.fetchval(
        "SELECT coalesce(sum(micro_usd), 0)::bigint FROM spending WHERE month = $1 AND ended_at IS NULL", month_of(now)
    )
    return micro_usd


async def set_aside(
    connection: Connection, run: Purchase, purposes: Sequence[tuple[str, Offer]], now: datetime, *, state: str
) -> None:
    """Entries for these purposes of a run; whoever calls has found out that the caps allow them."""
    await connection.execute(
        """
        WITH entered AS (
          INSERT INTO spending (tenant_id, month, work_id, version, purpose, provider, model, state, micro_usd,
            reserved_at)
          SELECT current_tenant(), $1, $2, $3, e.purpose, e.provider, e.model, $4, e.micro_usd, $5
          FROM unnest($6::text[], $7::text[], $8::text[], $9::bigint[]) AS e(purpose, provider, model, micro_usd)
          RETURNING micro_usd
        )
        UPDATE months SET micro_usd = micro_usd + (SELECT coalesce(sum(micro_usd), 0)::bigint FROM entered)
        WHERE month = $1
        """,
        month_of(now),
        run.work_id,
        run.version,
        state,
        now,
        [purpose for purpose, _ in purposes],
        [offer.provider for _, offer in purposes],
        [offer.model for _, offer in purposes],
        [offer.most_micro_usd for _, offer in purposes],
    )


async def bill(connection: Connection, purchase: Purchase, provider: str, answer: SearchAnswer | ModelAnswer) -> Bill:
    """What an answer cost: what its provider tells, or else all that was reserved for it."""
    usage = answer.usage
    cost = usage.cost_micro_usd if usage else await _reserved(connection, purchase)
    tokens = usage or NO_USAGE
    return Bill(
        purchase, provider, answer.model, tokens.input_tokens, tokens.output_tokens, cost, assumed=usage is None
    )


async def settle(connection: Connection, bill: Bill, now: datetime, *, new: bool) -> None:
    """Enter what was paid, in the transaction that keeps what was bought. Run twice, it is entered once.

    A `new` answer for which nothing was reserved any more has been paid all the same.
    """
    reserved = await _end(connection, bill.purchase, now, cost=bill.micro_usd, assumed=bill.assumed)
    said = {"provider": bill.provider, "model": bill.model, "micro_usd": bill.micro_usd}
    if bill.assumed:
        log.warning("no usage was told: what was reserved is taken for the cost", **said)
    if reserved is not None and bill.micro_usd > reserved:
        log.warning("a call cost more than it could: check its price", reserved=reserved, **said)
    if reserved is None and new:
        log.warning("a call was paid for which nothing was reserved", **said)
        await _enter(connection, bill, now)


async def _planned(connection: Connection, purchase: Purchase, offer: Offer, now: datetime) -> bool:
    """Enough is set aside for this call already: then it is reserved, and nobody is kept waiting."""
    enough = await connection.fetchval(
        """
        UPDATE spending SET state = 'reserved', reserved_at = $7
        WHERE work_id = $1 AND version = $2 AND purpose = $3 AND ended_at IS NULL
          AND provider = $4 AND model = $5 AND micro_usd >= $6 RETURNING true
        """,
        purchase.work_id,
        purchase.version,
        purchase.purpose,
        offer.provider,
        offer.model,
        offer.most_micro_usd,
        now,
    )
    return bool(enough)


async def _reserved(connection: Connection, purchase: Purchase) -> int:
    reserved: int | None = await connection.fetchval(
        """
        SELECT micro_usd FROM spending
        WHERE work_id = $1 AND version = $2 AND purpose = $3 AND ended_at IS NULL
        """,
        purchase.work_id,
        purchase.version,
        purchase.purpose,
    )
    return reserved or 0


async def _end(
    connection: Connection, purchase: Purchase, now: datetime, *, cost: int | None = None, assumed: bool
) -> int | None:
    """Settle what is open with what it cost, or with all of it; what it was is returned, if there is something open."""
    reserved: int | None = await connection.fetchval(
        """
        WITH open AS (
          SELECT id, month, micro_usd FROM spending
          WHERE work_id = $1 AND version = $2 AND purpose = $3 AND ended_at IS NULL FOR UPDATE
        ), done AS (
          UPDATE spending s SET state = 'settled', micro_usd = coalesce($4, o.micro_usd), assumed = $5, ended_at = $6
          FROM open o WHERE s.id = o.id
        ), counted AS (
          UPDATE months m SET micro_usd = m.micro_usd + coalesce($4, o.micro_usd) - o.micro_usd
          FROM open o WHERE m.month = o.month
        )
        SELECT micro_usd FROM open
        """,
        purchase.work_id,
        purchase.version,
        purchase.purpose,
        cost,
        assumed,
        now,
    )
    return reserved


async def _enter(connection: Connection, bill: Bill, now: datetime) -> None:
    """Straight into the ledger."""
    purchase, offer = bill.purchase, Offer(bill.provider, bill.model, bill.micro_usd)
    await connection.execute(
        "INSERT INTO months (tenant_id, month) VALUES (current_tenant(), $1) ON CONFLICT DO NOTHING", month_of(now)
    )
    await set_aside(connection, purchase, [(purchase.purpose, offer)], now, state="reserved")
    await _end(connection, purchase, now, assumed=bill.assumed)


def month_of(now: datetime) -> date:
    """The month that a moment is counted to: by UTC."""
    return date(now.year, now.month, 1)
