"""News: what was found about an interest on a day, asked once for a tenant however many of its users want to hear of it.

claim ─▶ whoever claims an interest asks, everybody else waits for what they find ─▶ kept, and settled
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import asyncpg

from activities.digests import mornings
from activities.digests.ports import BoughtBy, News, Topic
from activities.ports import ModelAnswer
from activities.spending import Purchase
from activities.store import spending
from activities.store.database import Connection, storable
from schemas.base import RowId

# A digest that has not asked for so long does not ask any more: another one does.
ASKED_WITHIN = timedelta(minutes=3)


async def topics(connection: Connection, digest: asyncpg.Record) -> tuple[Topic, ...]:
    """What a digest is about: what it was asked for with, or its user's interests."""
    if digest["topics"] is not None:
        return mornings.topics(digest["topics"])
    rows = await connection.fetch(
        "SELECT key, topic FROM interests WHERE user_id = $1 ORDER BY position", digest["user_id"]
    )
    return tuple(Topic(row["key"], row["topic"]) for row in rows)


async def unasked(connection: Connection, digest: asyncpg.Record) -> list[Topic]:
    """Those about which nothing is there yet. What is pretended serves no real digest."""
    wanted = await topics(connection, digest)
    known = await found(connection, digest, wanted)
    return [topic for topic in wanted if topic.key not in known]


async def found(connection: Connection, digest: asyncpg.Record, wanted: Sequence[Topic]) -> dict[str, list[News]]:
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (key) key, found FROM news
        WHERE key = ANY($1::text[]) AND day = $2 AND found IS NOT NULL AND (NOT sandbox OR $3) ORDER BY key, sandbox
        """,
        [topic.key for topic in wanted],
        digest["day"],
        digest["sandbox"],
    )
    return {row["key"]: [_news(one) for one in row["found"]] for row in rows}


async def claim(connection: Connection, digest: asyncpg.Record, now: datetime) -> tuple[list[Topic], bool]:
    """The interests that are this digest's to ask about, and whether others ask about the rest just now.

    They are claimed in one order everywhere, so that nobody waits for somebody who waits for them.
    """
    missing = await unasked(connection, digest)
    rows = await connection.fetch(
        """
        INSERT INTO news AS old (tenant_id, key, day, sandbox, asked_for, asked_until)
        SELECT current_tenant(), t.key, $2, $3, $4, $5 FROM unnest($1::text[]) AS t(key) ORDER BY t.key
        ON CONFLICT (tenant_id, key, day, sandbox) DO UPDATE
          SET asked_for = excluded.asked_for, asked_until = excluded.asked_until
        WHERE old.found IS NULL AND (old.asked_for = excluded.asked_for OR old.asked_until <= $6)
        RETURNING key
        """,
        [topic.key for topic in missing],
        digest["day"],
        digest["sandbox"],
        digest["id"],
        now + ASKED_WITHIN,
        now,
    )
    ours = {row["key"] for row in rows}
    return [topic for topic in missing if topic.key in ours], len(ours) < len(missing)


async def let_go(connection: Connection, digest_id: RowId) -> None:
    """It asks about nothing any more."""
    await connection.execute("DELETE FROM news WHERE asked_for = $1 AND found IS NULL", digest_id)


async def keep(
    connection: Connection,
    digest: asyncpg.Record | None,
    topic: Topic,
    found: Sequence[News],
    bought: Purchase,
    by: BoughtBy,
) -> None:
    """In one transaction with what it cost: all that was set aside, for a question costs the same whatever it finds.

    Of a digest that is gone meanwhile it is paid, and not kept.
    """
    answer = ModelAnswer(text="", stopped="", model=by.model, usage=None)
    bill = replace(await spending.bill(connection, bought, by.provider, answer), assumed=False)
    new = digest is None or await _keep(connection, digest, topic, found, bill.micro_usd, by)
    await spending.settle(connection, bill, by.now, new=new)


async def _keep(
    connection: Connection,
    digest: asyncpg.Record,
    topic: Topic,
    found: Sequence[News],
    micro_usd: int,
    by: BoughtBy,
) -> bool:
    """Whether it is new."""
    new = await connection.fetchval(
        """
        INSERT INTO news AS old (tenant_id, key, day, sandbox, asked_for, asked_until, found, provider, cost_micro_usd,
          fetched_at)
        VALUES (current_tenant(), $1, $2, $3, $4, $8, $5, $6, $7, $8)
        ON CONFLICT (tenant_id, key, day, sandbox) DO UPDATE SET found = excluded.found, asked_for = excluded.asked_for,
          provider = excluded.provider, cost_micro_usd = excluded.cost_micro_usd, fetched_at = excluded.fetched_at
        WHERE old.found IS NULL RETURNING true
        """,
        topic.key,
        digest["day"],
        by.sandbox,
        digest["id"],
        [_said(one) for one in found],
        by.provider,
        micro_usd,
        by.now,
    )
    await connection.execute(
        "DELETE FROM news WHERE asked_for = $1 AND key = $2 AND found IS NULL", digest["id"], topic.key
    )
    return bool(new)


def _said(one: News) -> dict[str, object]:
    return {name: storable(value) for name, value in asdict(one).items()}


def _news(said: dict[str, str | None]) -> News:
    told = {name: said[name] or "" for name in ("url", "title", "text", "source")}
    day = said.get("published")
    return News(**told, published=datetime.fromisoformat(day).date() if day else None)
