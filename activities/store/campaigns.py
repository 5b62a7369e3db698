"""What a change reaches: meetings to come, each with its next revision, in the transaction of the change."""

from datetime import datetime

from activities.store.database import Connection
from schemas.base import RowId


async def reach(
    connection: Connection,
    now: datetime,
    until: datetime,
    *,
    user_id: RowId | None = None,
    campaign_id: RowId | None = None,
) -> list[RowId]:
    """Meetings to come of this user, or for this campaign, are not what they were.

    Those that start before `until` have a workflow, which is to be told; the others have none yet.
    """
    rows = await connection.fetch(
        """
        UPDATE meetings SET revision = revision + 1
        WHERE ends_at > $1 AND withdrawn IS NULL AND calendar_id IS NOT NULL AND (user_id = $3 OR campaign_id = $4)
        RETURNING id, starts_at <= $2 AS near
        """,
        now,
        until,
        user_id,
        campaign_id,
    )
    return [row["id"] for row in rows if row["near"]]


async def follow(connection: Connection, now: datetime, until: datetime) -> list[RowId]:
    """Calendars without a campaign of their own are for the oldest active one: their user's, or else the tenant's.

    Meetings to come for which that is another one now go over to it, with their research; without any active campaign
    they stay. As `reach` for the rest.
    """
    rows = await connection.fetch(
        """
        WITH chosen AS (
          SELECT k.id AS calendar_id, (
            SELECT c.id FROM campaigns c WHERE c.active
            ORDER BY (c.user_id = k.user_id) DESC, c.created_at, c.name LIMIT 1
          ) AS campaign_id
          FROM calendars k WHERE k.campaign_id IS NULL
        ), moved AS (
          UPDATE meetings m SET campaign_id = chosen.campaign_id, revision = m.revision + 1
          FROM chosen WHERE m.calendar_id = chosen.calendar_id AND m.ends_at > $1 AND m.campaign_id <> chosen.campaign_id
          RETURNING m.id, m.campaign_id, m.withdrawn IS NULL AND m.starts_at <= $2 AS near
        ), theirs AS (
          UPDATE research r SET campaign_id = moved.campaign_id FROM moved WHERE r.id = moved.id
        )
        SELECT id, near FROM moved
        """,
        now,
        until,
    )
    return [row["id"] for row in rows if row["near"]]


async def assign(
    connection: Connection, calendar_id: RowId, campaign_id: RowId, now: datetime, until: datetime
) -> list[RowId]:
    """Meetings to come of this calendar go over to this campaign, with their research. As `reach` for the rest."""
    rows = await connection.fetch(
        """
        WITH moved AS (
          UPDATE meetings SET campaign_id = $2, revision = revision + 1
          WHERE calendar_id = $1 AND ends_at > $3 AND campaign_id <> $2
          RETURNING id, withdrawn IS NULL AND starts_at <= $4 AS near
        ), theirs AS (
          UPDATE research r SET campaign_id = $2 FROM moved WHERE r.id = moved.id
        )
        SELECT id, near FROM moved
        """,
        calendar_id,
        campaign_id,
        now,
        until,
    )
    return [row["id"] for row in rows if row["near"]]
