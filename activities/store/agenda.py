"""What the pages show a user: their own meetings, and the accounts that these come from."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

import asyncpg

from activities.store.database import Connection, Database, patient
from schemas.agenda import CalendarLine, ConnectionLine, Guest, MeetingLine, MeetingView, Outlook, Told, Version
from schemas.base import RowId, TenantId
from schemas.meetings import Attendee

MOST_MEETINGS = 300


class AgendaStore:
    """Everything is asked for one user of one tenant: whatever is somebody else's is not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def meetings(
        self, tenant_id: TenantId, user_id: RowId, since: datetime, until: datetime
    ) -> list[MeetingLine]:
        """The meetings that begin between the two, or are under way then, in their order."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                f"{_MEETINGS} AND m.starts_at < $3 AND coalesce(m.ends_at, m.starts_at) >= $2"
                f" ORDER BY m.starts_at, m.id LIMIT {MOST_MEETINGS}",
                user_id,
                since,
                until,
            )
            guests = await _guests(connection, [row["id"] for row in rows])
            return [_line(row, guests.get(row["id"], ())) for row in rows]

    @patient
    async def meeting(self, tenant_id: TenantId, user_id: RowId, meeting_id: RowId) -> MeetingView | None:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(f"{_MEETINGS} AND m.id = $2", user_id, meeting_id)
            if row is None:
                return None
            guests = await _guests(connection, [meeting_id])
            return MeetingView(
                line=_line(row, guests.get(meeting_id, ())),
                account=row["account"],
                attendees=await _attendees(connection, meeting_id),
                versions=await _versions(connection, meeting_id),
                notices=await _notices(connection, user_id, meeting_id),
            )

    @patient
    async def connections(self, tenant_id: TenantId, user_id: RowId) -> list[ConnectionLine]:
        """The user's accounts, oldest first, each with its calendars and their newest channel."""
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT c.id AS connection_id, c.provider, c.account, c.status, c.sandbox, c.connected_at,
                  k.id, k.provider_key AS name, k.campaign_id, k.watched, k.read_at, k.pushed_at,
                  k.failing_since, k.failure, s.expires_at AS channel_expires_at
                FROM connections c LEFT JOIN calendars k ON k.connection_id = c.id
                LEFT JOIN subscriptions s ON s.calendar_id = k.id AND s.status = 'active'
                WHERE c.user_id = $1 ORDER BY c.connected_at, c.id, k.provider_key
                """,
                user_id,
            )
            return [_connection(group) for _, group in groupby(rows, key=lambda row: row["connection_id"])]

    @patient
    async def outlook(self, tenant_id: TenantId, user_id: RowId) -> Outlook:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT
                  count(DISTINCT c.id) FILTER (WHERE c.status = 'active') AS connections,
                  count(DISTINCT c.id) FILTER (WHERE c.status = 'reauth_required') AS lost,
                  count(k.id) FILTER (WHERE c.status = 'active' AND k.read_at IS NULL) AS unread,
                  count(k.id) FILTER (WHERE c.status = 'active' AND k.failing_since IS NOT NULL) AS failing,
                  coalesce(bool_or(c.sandbox) FILTER (WHERE c.status <> 'disconnected'), false) AS sandbox,
                  (SELECT count(*) FROM campaigns WHERE active) AS campaigns
                FROM connections c LEFT JOIN calendars k ON k.connection_id = c.id WHERE c.user_id = $1
                """,
                user_id,
            )
            assert row is not None, "counts of nothing are a row too"
            return Outlook(**row)


_MEETINGS = """
SELECT m.id, m.title, m.starts_at, m.ends_at, coalesce(m.withdrawn, CASE WHEN m.cancelled THEN 'cancelled' END)
  AS withdrawn, c.name AS campaign, c.active AS campaign_active, r.status,
  coalesce(r.version, 0) AS version, r.failure_reason, r.begun_at, b.id AS brief_id, b.confidence, b.written_at,
  coalesce(n.sandbox, false) OR coalesce(b.sandbox, false) AS sandbox, n.account
FROM meetings m JOIN campaigns c ON c.id = m.campaign_id
LEFT JOIN research r ON r.meeting_id = m.id LEFT JOIN briefs b ON b.id = r.brief_id
LEFT JOIN calendars k ON k.id = m.calendar_id LEFT JOIN connections n ON n.id = k.connection_id
WHERE m.user_id = $1
"""


def _line(row: asyncpg.Record, guests: tuple[Guest, ...]) -> MeetingLine:
    return MeetingLine(**{field: row[field] for field in MeetingLine.model_fields if field != "guests"}, guests=guests)


async def _guests(connection: Connection, meeting_ids: list[RowId]) -> dict[RowId, tuple[Guest, ...]]:
    rows = await connection.fetch(
        """
        SELECT meeting_id, name, email FROM attendees
        WHERE meeting_id = ANY($1::uuid[]) AND standing = 'prospect' ORDER BY meeting_id, email
        """,
        meeting_ids,
    )
    return {
        meeting_id: tuple(Guest(name=row["name"], email=row["email"]) for row in group)
        for meeting_id, group in groupby(rows, key=lambda row: row["meeting_id"])
    }


async def _attendees(connection: Connection, meeting_id: RowId) -> tuple[Attendee, ...]:
    rows = await connection.fetch(
        """
        SELECT email, name, standing FROM attendees WHERE meeting_id = $1
        ORDER BY array_position(ARRAY['prospect', 'declined', 'colleague', 'self', 'group', 'room'], standing), email
        """,
        meeting_id,
    )
    return tuple(Attendee.model_validate(dict(row)) for row in rows)


async def _versions(connection: Connection, meeting_id: RowId) -> tuple[Version, ...]:
    rows = await connection.fetch(
        """
        SELECT b.id, b.version, b.confidence, b.written_at, b.sandbox,
          (SELECT count(*) FROM claims c WHERE c.brief_id = b.id) AS claims
        FROM briefs b WHERE b.research_id = $1 ORDER BY b.version DESC
        """,
        meeting_id,
    )
    return tuple(Version(**row) for row in rows)


async def _notices(connection: Connection, user_id: RowId, meeting_id: RowId) -> tuple[Told, ...]:
    rows = await connection.fetch(
        """
        SELECT kind, status, reason, created_at, ended_at FROM notices
        WHERE user_id = $1 AND (meeting_id = $2 OR research_id = $2) ORDER BY created_at DESC
        """,
        user_id,
        meeting_id,
    )
    return tuple(Told(**row) for row in rows)


def _connection(rows: Iterable[asyncpg.Record]) -> ConnectionLine:
    """One account out of the rows of its calendars; without any, one row that names none."""
    each = list(rows)
    first = each[0]
    return ConnectionLine(
        id=first["connection_id"],
        **{field: first[field] for field in ("provider", "account", "status", "sandbox", "connected_at")},
        calendars=tuple(
            CalendarLine(**{field: row[field] for field in CalendarLine.model_fields})
            for row in each
            if row["id"] is not None
        ),
    )
