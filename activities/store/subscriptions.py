"""Subscriptions: the push channels of calendars.

begin ─▶ creating ─▶ activate ─▶ active ─▶ (the next is activated) ─▶ replaced ─▶ stopped
            └────────────────────┴──────────── past its end ───────────────┴──▶ expired
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from activities import errors
from activities.ports import Channel
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.subscriptions import Due, Errand, Expiring, NotRenewed, Opened, Opening, Renewal, Retiring

# A notification that was under way while its channel was replaced still counts for this long.
GRACE = timedelta(minutes=10)


@dataclass(frozen=True)
class Watched:
    """A calendar as its channels need it."""

    connection_id: RowId
    calendar: str


@dataclass(frozen=True)
class Leftover:
    """A channel that should be no more. Its provider knows it by a resource, which may not be known to us."""

    id: RowId
    resource_id: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Standing:
    """How a calendar stands after a renewal failed."""

    user_id: RowId
    connection_id: RowId
    version: int
    status: str
    # When its newest channel ends or has ended; None when it never had one.
    expires_at: datetime | None


class SubscriptionStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def calendar(self, tenant_id: TenantId, calendar_id: RowId) -> Watched:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT connection_id, provider_key AS calendar FROM calendars WHERE id = $1", calendar_id
            )
            if row is None:
                raise errors.not_found("calendar")
            return Watched(**row)

    @patient
    async def begin(self, opening: Opening, channel_id: RowId, token_hash: bytes, expires_at: datetime) -> None:
        """A channel that is about to be: its notifications may come before its provider's answer does.

        Safe to run twice: it is there once.
        """
        async with self._database.tenant(opening.tenant_id) as connection:
            # Also of a calendar that nobody looked after: it is read from now on, even if no channel can be had.
            await connection.execute(
                "UPDATE calendars SET watched = true WHERE id = $1 AND NOT watched", opening.calendar_id
            )
            await connection.execute(
                """
                INSERT INTO subscriptions (tenant_id, id, calendar_id, status, token_hash, created_at, expires_at)
                VALUES (current_tenant(), $1, $2, 'creating', $3, $4, $5)
                ON CONFLICT (tenant_id, id) DO NOTHING
                """,
                channel_id,
                opening.calendar_id,
                token_hash,
                opening.now,
                expires_at,
            )

    @patient
    async def opened(self, opening: Opening) -> Opened | None:
        """What an earlier try of this order has opened already."""
        async with self._database.tenant(opening.tenant_id) as connection:
            return await _since(connection, opening)

    @patient
    async def activate(self, opening: Opening, channel: Channel) -> Opened:
        """The new channel notifies from now on, and the old one is replaced, in one transaction.

        Safe to run twice, and late: a channel of the same or a newer order stays, and is the answer.
        """
        async with self._database.tenant(opening.tenant_id) as connection:
            await connection.execute("SELECT FROM calendars WHERE id = $1 FOR UPDATE", opening.calendar_id)
            there = await _since(connection, opening)
            if there is not None:
                return there
            await connection.execute(
                """
                UPDATE subscriptions SET status = 'replaced', accepted_until = $2
                WHERE calendar_id = $1 AND status = 'active'
                """,
                opening.calendar_id,
                opening.now + GRACE,
            )
            await connection.execute(
                """
                UPDATE subscriptions SET status = 'active', resource_id = $2, expires_at = $3, renewal_failures = 0
                WHERE id = $1
                """,
                channel.id,
                channel.resource_id,
                channel.expires_at,
            )
            return Opened(subscription_id=channel.id, expires_at=channel.expires_at)

    @patient
    async def leftovers(self, retiring: Retiring) -> list[Leftover]:
        """The calendar's other channels that may still be there, oldest first.

        All channels of a calendar have the same resource: one whose own was never told has its sisters'. Safe to run
        twice: what is stopped is not listed any more.
        """
        async with self._database.tenant(retiring.tenant_id) as connection:
            if retiring.all:
                await connection.execute("UPDATE calendars SET watched = false WHERE id = $1", retiring.calendar_id)
            rows = await connection.fetch(
                """
                SELECT s.id, s.expires_at, coalesce(s.resource_id, (
                  SELECT resource_id FROM subscriptions
                  WHERE calendar_id = $1 AND resource_id IS NOT NULL ORDER BY created_at DESC LIMIT 1
                )) AS resource_id
                FROM subscriptions s
                WHERE s.calendar_id = $1 AND s.id IS DISTINCT FROM $2
                  AND (s.status IN ('creating', 'replaced') OR (s.status = 'active' AND ($3 OR s.expires_at <= $4)))
                ORDER BY s.created_at, s.id
                """,
                retiring.calendar_id,
                retiring.keep,
                retiring.all,
                retiring.now,
            )
            return [Leftover(**row) for row in rows]

    @patient
    async def retire(self, tenant_id: TenantId, channel_id: RowId, *, expired: bool) -> None:
        """It is stopped, or over by itself."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                "UPDATE subscriptions SET status = $2 WHERE id = $1 AND status IN ('creating', 'active', 'replaced')",
                channel_id,
                "expired" if expired else "stopped",
            )

    @patient
    async def fail(self, failure: NotRenewed) -> Standing:
        """The channel that still notifies stays, and its failures are counted; with a lost account it is over.

        Run twice it counts twice: the count is for people to read.
        """
        async with self._database.tenant(failure.tenant_id) as connection:
            await connection.execute(
                """
                UPDATE subscriptions SET renewal_failures = renewal_failures + 1,
                  status = CASE WHEN $2 OR expires_at <= $3 THEN 'expired' ELSE status END
                WHERE calendar_id = $1 AND status = 'active'
                """,
                failure.calendar_id,
                failure.lost,
                failure.now,
            )
            row = await connection.fetchrow(
                """
                SELECT c.user_id, c.connection_id, n.version, n.status, (
                  SELECT max(expires_at) FROM subscriptions s
                  WHERE s.calendar_id = c.id AND s.status IN ('active', 'replaced', 'expired') AND s.resource_id IS NOT NULL
                ) AS expires_at
                FROM calendars c JOIN connections n ON n.id = c.connection_id WHERE c.id = $1
                """,
                failure.calendar_id,
            )
            if row is None:
                raise errors.not_found("calendar")
            return Standing(**row)

    @patient
    async def due(self, expiring: Expiring, limit: int) -> Due:
        """Calendars of all tenants whose channels need somebody.

        Those that are watched, in accounts that let us in, need a new one before theirs ends, and the others stopped. Of
        all others it is only noted that their channels are over.
        """
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                """
                WITH channels AS (
                  SELECT tenant_id, calendar_id, max(expires_at) FILTER (WHERE status = 'active') AS ends_at,
                    bool_or(status <> 'active') AS untidy, bool_or(expires_at <= $2) AS over
                  FROM subscriptions WHERE status IN ('creating', 'active', 'replaced')
                  GROUP BY tenant_id, calendar_id
                ), standing AS (
                  SELECT c.tenant_id, c.id AS calendar_id, c.watched AND n.status = 'active' AS ours,
                    coalesce(s.ends_at < $1, true) AS expiring, coalesce(s.untidy, false) AS untidy,
                    coalesce(s.over, false) AS over
                  FROM calendars c
                  JOIN connections n ON n.tenant_id = c.tenant_id AND n.id = c.connection_id
                  LEFT JOIN channels s ON s.tenant_id = c.tenant_id AND s.calendar_id = c.id
                )
                SELECT tenant_id, calendar_id, ours AND expiring AS expiring FROM standing
                WHERE (ours AND (expiring OR untidy) OR over) AND ($3::uuid IS NULL OR calendar_id > $3)
                ORDER BY calendar_id LIMIT $4
                """,
                expiring.until,
                expiring.now,
                expiring.after,
                limit,
            )
        return Due(
            calendars=tuple(_renewal(row) for row in rows),
            after=rows[-1]["calendar_id"] if len(rows) == limit else None,
        )


async def _since(connection: Connection, opening: Opening) -> Opened | None:
    """The channel that notifies, if it is of this order or a newer one."""
    row = await connection.fetchrow(
        """
        SELECT id AS subscription_id, expires_at FROM subscriptions
        WHERE calendar_id = $1 AND status = 'active' AND created_at >= $2
        """,
        opening.calendar_id,
        opening.now,
    )
    return None if row is None else Opened(**row)


def _renewal(row: asyncpg.Record) -> Renewal:
    return Renewal(
        tenant_id=row["tenant_id"],
        calendar_id=row["calendar_id"],
        errand=Errand.RENEW if row["expiring"] else Errand.TIDY,
    )
