"""Where a calendar is read on: its row, locked while that is settled."""

from datetime import datetime, timedelta

import asyncpg

from activities import errors
from activities.calendars.ports import Placed
from activities.calendars.rules import Whose
from activities.ports import Place
from activities.store.database import Connection
from schemas.base import RowId
from schemas.calendars import Reading

# A calendar's instances have an end somewhere ahead; reading everything again moves it, and mends what may have drifted.
FULLY_AGAIN = timedelta(days=7)

# A full reading begins this long ago: what is under way counts.
LOOK_BACK = timedelta(days=1)


async def lock(connection: Connection, calendar_id: RowId) -> asyncpg.Record:
    row = await connection.fetchrow("SELECT * FROM calendars WHERE id = $1 AND watched FOR UPDATE", calendar_id)
    if row is None:
        raise errors.not_found("calendar")
    return row


def begins(row: asyncpg.Record, now: datetime) -> bool:
    """A full reading is due: nothing was read yet, the place was lost, or it has been long."""
    if row["page_token"] is not None:
        return False
    if row["sync_token"] is None:
        return not (row["full_reading"] and row["reading"] > 0)
    return row["fully_read_at"] is None or row["fully_read_at"] < now - FULLY_AGAIN


async def begin(connection: Connection, reading: Reading) -> asyncpg.Record:
    row = await connection.fetchrow(
        """
        UPDATE calendars SET reading = reading + 1, full_reading = true, sync_token = NULL, page_token = NULL,
          reading_since = $2
        WHERE id = $1 RETURNING *
        """,
        reading.calendar_id,
        reading.now - LOOK_BACK,
    )
    assert row is not None, "the row is locked by this transaction"
    return row


def same(row: asyncpg.Record, placed: Placed) -> bool:
    place = placed.place
    return (row["reading"], row["page_token"], row["sync_token"]) == (
        placed.reading,
        place.page_token,
        place.sync_token,
    )


async def placed(connection: Connection, row: asyncpg.Record) -> Placed:
    about = await connection.fetchrow(
        """
        SELECT n.provider, n.account, u.email, t.domains,
          -- Under all addresses that we know of: an account that is read is one of ours, too.
          (
            SELECT array_agg(address) FROM (
              SELECT email AS address FROM users WHERE id <> $2 UNION SELECT account FROM connections WHERE id <> $1
            ) others
          ) AS colleagues,
          coalesce($3, (
            SELECT id FROM campaigns ORDER BY (user_id = $2 AND active) DESC, active DESC, created_at, name LIMIT 1
          )) AS campaign_id
        FROM connections n, users u, tenants t WHERE n.id = $1 AND u.id = $2
        """,
        row["connection_id"],
        row["user_id"],
        row["campaign_id"],
    )
    assert about is not None, "a calendar has a connection and a user"
    if about["campaign_id"] is None:
        raise errors.not_found("campaign")
    return Placed(
        connection_id=row["connection_id"],
        calendar=row["provider_key"],
        place=Place(row["page_token"], row["sync_token"], row["reading_since"] if row["full_reading"] else None),
        reading=row["reading"],
        full=row["full_reading"],
        user_id=row["user_id"],
        campaign_id=about["campaign_id"],
        whose=Whose(
            source=about["provider"],
            calendar_id=row["id"],
            own=frozenset({about["email"], about["account"]}),
            colleagues=frozenset(about["colleagues"] or ()),
            domains=frozenset(about["domains"]),
        ),
    )
