"""Meetings and ad hoc requests: who is to be met, and so whom a research is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from activities.domains import company_domain
from activities.store import campaigns, suppressions
from activities.store.database import Connection, Database, patient
from activities.store.suppressions import SuppressedError
from schemas.base import RowId, TenantId
from schemas.meetings import Attendee, MeetingFacts


@dataclass(frozen=True)
class Keys:
    """Keyed hashes of addresses, made where the key is: the store only writes them."""

    people: dict[str, str]
    request: str = ""


@dataclass(frozen=True)
class Occasion:
    """A research as whoever starts it needs it: when the meeting is, and whether its campaign still runs.

    `looked_after` says that a workflow of the meeting's own decides about its research.
    """

    research_id: RowId
    starts_at: datetime | None
    active: bool
    looked_after: bool = False


@dataclass(frozen=True)
class Owner:
    """Whose a meeting is, and for which campaign it is researched; `calendar_id` and `reading` when it was read there."""

    user_id: RowId
    campaign_id: RowId
    calendar_id: RowId | None = None
    reading: int = 0


class MeetingStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def save_meeting(
        self, tenant_id: TenantId, user_id: RowId, campaign_id: RowId, meeting: MeetingFacts, keys: Keys, now: datetime
    ) -> RowId:
        """The meeting as it now is, and its research, which has the same id. Safe to run twice: both have keys.

        Who asked to be forgotten is left out; SuppressedError when nobody else is to be met.
        """
        async with self._database.tenant(tenant_id) as connection:
            suppressed = await suppressions.among(connection, [one.email for one in meeting.attendees], keys.people)
            meeting = suppressions.without(meeting, suppressed)
            if suppressed and not meeting.prospects:
                raise SuppressedError(suppressed)
            return await save(connection, Owner(user_id, campaign_id), meeting, keys, now)

    @patient
    async def save_request(
        self,
        tenant_id: TenantId,
        user_id: RowId,
        campaign_id: RowId,
        people: Sequence[Attendee],
        keys: Keys,
        now: datetime,
    ) -> RowId:
        """An ad hoc request. Safe to run twice: the same campaign and people are the same request.

        SuppressedError when somebody of them asked to be forgotten.
        """
        async with self._database.tenant(tenant_id) as connection:
            suppressed = await suppressions.among(connection, [one.email for one in people], keys.people)
            if suppressed:
                raise SuppressedError(suppressed)
            research_id: RowId = await connection.fetchval(
                """
                INSERT INTO research (tenant_id, kind, user_id, campaign_id, request_key, requested_at)
                VALUES (current_tenant(), 'adhoc', $1, $2, $3, $4)
                ON CONFLICT (tenant_id, request_key) DO UPDATE SET requested_at = excluded.requested_at
                RETURNING id
                """,
                user_id,
                campaign_id,
                keys.request,
                now,
            )
            await _save_prospects(connection, research_id, people, keys)
            return research_id

    @patient
    async def of_event(self, tenant_id: TenantId, source_key: str) -> RowId | None:
        """The meeting that an event has become, if it has."""
        async with self._database.tenant(tenant_id) as connection:
            meeting_id: RowId | None = await connection.fetchval(
                "SELECT id FROM meetings WHERE source_key = $1", source_key
            )
            return meeting_id

    @patient
    async def occasion(self, tenant_id: TenantId, research_id: RowId) -> Occasion | None:
        async with self._database.tenant(tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT r.id AS research_id, m.starts_at, c.active, m.calendar_id IS NOT NULL AS looked_after
                FROM research r JOIN campaigns c ON c.id = r.campaign_id LEFT JOIN meetings m ON m.id = r.meeting_id
                WHERE r.id = $1
                """,
                research_id,
            )
            return None if row is None else Occasion(**row)

    @patient
    async def revise(self, tenant_id: TenantId, user_id: RowId, now: datetime, until: datetime) -> list[RowId]:
        """Something that they are decided by has changed for this user's meetings to come.

        Returns those that start before `until`: their workflows are to be told. Whoever is not told now is told when its
        calendar is read next.
        """
        async with self._database.tenant(tenant_id) as connection:
            return await campaigns.reach(connection, now, until, user_id=user_id)

    @patient
    async def assign(
        self, tenant_id: TenantId, calendar_id: RowId, campaign_id: RowId, now: datetime, until: datetime
    ) -> list[RowId]:
        """Meetings of this calendar are for this campaign, from now on and those to come. As `revise` for the rest."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute("UPDATE calendars SET campaign_id = $2 WHERE id = $1", calendar_id, campaign_id)
            return await campaigns.assign(connection, calendar_id, campaign_id, now, until)

    @patient
    async def given_up(self, tenant_id: TenantId, connection_id: RowId, now: datetime) -> list[RowId]:
        """Meetings to come that were withdrawn with their account, and of which a workflow may not have heard that.

        Nobody reads their calendars any more, so nobody else tells it.
        """
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT m.id FROM meetings m JOIN calendars k ON k.id = m.calendar_id
                WHERE k.connection_id = $1 AND m.ends_at > $2 AND m.withdrawn IS NOT NULL
                  AND m.told <> 0 AND m.revision > m.told
                ORDER BY m.starts_at
                """,
                connection_id,
                now,
            )
            return [row["id"] for row in rows]


async def save(connection: Connection, owner: Owner, meeting: MeetingFacts, keys: Keys, now: datetime) -> RowId:
    """The meeting as it now is, with its guests and its research, which has the same id. Each saving is a revision."""
    meeting_id: RowId = await connection.fetchval(
        """
        INSERT INTO meetings AS m (tenant_id, user_id, campaign_id, source, source_key, title, starts_at, ends_at,
          created_at, calendar_id, reading)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (tenant_id, user_id, source, source_key) DO UPDATE SET
          campaign_id = excluded.campaign_id, title = excluded.title, starts_at = excluded.starts_at,
          ends_at = excluded.ends_at, calendar_id = excluded.calendar_id, reading = excluded.reading,
          cancelled = false, withdrawn = NULL, revision = m.revision + 1
        RETURNING id
        """,
        owner.user_id,
        owner.campaign_id,
        meeting.source,
        meeting.source_key,
        meeting.title,
        meeting.starts_at,
        meeting.ends_at,
        now,
        owner.calendar_id,
        owner.reading,
    )
    await _save_attendees(connection, meeting_id, meeting.attendees)
    await connection.execute(
        """
        INSERT INTO research (tenant_id, id, kind, user_id, campaign_id, meeting_id, requested_at)
        VALUES (current_tenant(), $1, 'calendar', $2, $3, $1, $4)
        ON CONFLICT (tenant_id, id) DO UPDATE SET campaign_id = excluded.campaign_id
        """,
        meeting_id,
        owner.user_id,
        owner.campaign_id,
        now,
    )
    await _save_prospects(connection, meeting_id, meeting.prospects, keys)
    return meeting_id


async def _save_attendees(connection: Connection, meeting_id: RowId, attendees: Sequence[Attendee]) -> None:
    await connection.execute("DELETE FROM attendees WHERE meeting_id = $1", meeting_id)
    await connection.execute(
        """
        INSERT INTO attendees (tenant_id, meeting_id, email, name, standing)
        SELECT current_tenant(), $1, a.email, a.name, a.standing
        FROM unnest($2::text[], $3::text[], $4::text[]) AS a(email, name, standing)
        """,
        meeting_id,
        [one.email for one in attendees],
        [one.name for one in attendees],
        [one.standing.value for one in attendees],
    )


async def _save_prospects(connection: Connection, research_id: RowId, people: Sequence[Attendee], keys: Keys) -> None:
    """The people a research is about, in their order, and the companies of those who have one."""
    domains = [company_domain(one.email) for one in people]
    await connection.execute(
        """
        INSERT INTO subjects (tenant_id, kind, domain)
        SELECT DISTINCT current_tenant(), 'company', d FROM unnest($1::text[]) AS d WHERE d IS NOT NULL ORDER BY 3
        -- Nothing is changed, but the row is locked: it is not cleared away while its people come.
        ON CONFLICT (tenant_id, domain) WHERE kind = 'company' DO UPDATE SET domain = excluded.domain WHERE false
        """,
        domains,
    )
    await connection.execute("DELETE FROM research_prospects WHERE research_id = $1", research_id)
    await connection.execute(
        """
        WITH people AS (
          SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
            AS p(email, key, name, domain, position)
        ), saved AS (
          INSERT INTO subjects AS old (tenant_id, kind, email, key, name, domain)
          SELECT current_tenant(), 'person', email, key, name, domain FROM people ORDER BY email
          ON CONFLICT (tenant_id, email) DO UPDATE SET name = coalesce(nullif(excluded.name, ''), old.name)
          RETURNING id, email
        )
        INSERT INTO research_prospects (tenant_id, research_id, subject_id, position)
        SELECT current_tenant(), $1, saved.id, people.position FROM saved JOIN people USING (email)
        """,
        research_id,
        [one.email for one in people],
        [keys.people[one.email] for one in people],
        [one.name for one in people],
        domains,
    )
