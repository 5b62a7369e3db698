"""Calendars: how far each is read, and what its events have become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from activities import errors
from activities.calendars.ports import Found, Placed, Taken
from activities.ports import Page
from activities.store import places, suppressions
from activities.store.database import Connection, Database, patient
from activities.store.meetings import Keys, Owner, save
from schemas.base import RowId, TenantId
from schemas.calendars import Polling, Reading, ReadingFailed, Reason, Troubles
from schemas.meetings import Attendee, MeetingFacts

# In the place of the newest revision that a meeting's workflow was told of: it may have been told of one.
PERHAPS = -1


class CalendarStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def place(self, reading: Reading) -> Placed:
        """Where to read on, and whose it is. A full reading is begun here: it gets its number and its beginning.

        Safe to run twice: a reading that is under way goes on.
        """
        async with self._database.tenant(reading.tenant_id) as connection:
            row = await places.lock(connection, reading.calendar_id)
            if places.begins(row, reading.now):
                row = await places.begin(connection, reading)
            return await places.placed(connection, row)

    @patient
    async def lose_place(self, reading: Reading, placed: Placed) -> None:
        """The provider knows the place no more: everything is read again, under a new number."""
        async with self._database.tenant(reading.tenant_id) as connection:
            row = await places.lock(connection, reading.calendar_id)
            if places.same(row, placed):
                await connection.execute(
                    "UPDATE calendars SET sync_token = NULL, page_token = NULL, full_reading = false WHERE id = $1",
                    reading.calendar_id,
                )

    @patient
    async def take(
        self, reading: Reading, placed: Placed, page: Page, found: Sequence[Found], people: Mapping[str, str]
    ) -> Taken:
        """The changes of a page and the place behind it, in one transaction.

        Safe to run twice, and beside another reading that is taken for dead: a page is taken from the place where the
        row stands, or not at all.
        """
        async with self._database.tenant(reading.tenant_id) as connection:
            row = await places.lock(connection, reading.calendar_id)
            if not places.same(row, placed):
                return Taken(changed=0, done=False, ours=False)
            # The campaign may have been switched while the page was read.
            placed = replace(placed, campaign_id=row["campaign_id"] or placed.campaign_id)
            known = await _known(connection, placed, [one.key for one in found])
            changed = 0
            for one in await _allowed(connection, found, people):
                changed += await _apply(connection, reading, placed, one, known.get(one.key), Keys(dict(people)))
            await _see(
                connection, placed, [one.key for one in found] + [placed.whose.key(one) for one in page.unreadable]
            )
            if page.page_token is None:
                changed += await _withdraw_unseen(connection, reading, placed) if placed.full else 0
            await _move(connection, reading, page)
            return Taken(changed=changed, done=page.page_token is None)

    @patient
    async def untold(self, reading: Reading) -> list[tuple[RowId, int]]:
        """Meetings with a change of which their workflow has not heard, and which revision that is.

        Those that start after `reading.ahead` wait; those that are over, or were withdrawn before anybody could hear of
        them or ask for their research, need nobody. Safe to run twice: it is noted that they are about to be told, so that whoever was rung by
        somebody who died before saying so hears of what comes after.
        """
        async with self._database.tenant(reading.tenant_id) as connection:
            rows = await connection.fetch(
                """
                WITH due AS (
                  UPDATE meetings SET told = CASE told WHEN 0 THEN $4 ELSE told END
                  WHERE calendar_id = $1 AND revision > told AND ends_at > $2
                    AND CASE WHEN withdrawn IS NULL THEN starts_at <= $3 ELSE told <> 0 OR EXISTS (
                      SELECT FROM research r WHERE r.id = meetings.id AND r.version > 0
                    ) END
                  RETURNING id, revision, starts_at
                )
                SELECT id, revision FROM due ORDER BY starts_at
                """,
                reading.calendar_id,
                reading.now,
                reading.ahead,
                PERHAPS,
            )
            return [(row["id"], row["revision"]) for row in rows]

    @patient
    async def told(self, tenant_id: TenantId, meetings: Sequence[tuple[RowId, int]]) -> None:
        """Their workflows know of these revisions."""
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                """
                UPDATE meetings m SET told = t.revision FROM unnest($1::uuid[], $2::int[]) AS t(id, revision)
                WHERE m.id = t.id AND m.told < t.revision
                """,
                [meeting_id for meeting_id, _ in meetings],
                [revision for _, revision in meetings],
            )

    @patient
    async def failed(self, failure: ReadingFailed) -> Troubles:
        """The calendar cannot be read, since the first time that this was said without a reading between."""
        async with self._database.tenant(failure.tenant_id) as connection:
            row = await connection.fetchrow(
                """
                UPDATE calendars c SET failure = $2, failing_since = coalesce(failing_since, $3)
                FROM connections n WHERE c.id = $1 AND n.id = c.connection_id
                RETURNING c.user_id, c.connection_id, c.failing_since, n.status, n.version
                """,
                failure.calendar_id,
                failure.reason,
                failure.now,
            )
            if row is None:
                raise errors.not_found("calendar")
            lost = row["status"] == "reauth_required"
            return Troubles(
                user_id=row["user_id"],
                connection_id=row["connection_id"],
                lost=row["version"] if lost else None,
                dark_since=None if lost else row["failing_since"],
            )

    @patient
    async def due(self, polling: Polling) -> list[tuple[TenantId, RowId]]:
        """Watched calendars that were not read since `before`, of connections that let us in; those of which nothing
        was heard for longest come first."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch(
                """
                SELECT c.tenant_id, c.id FROM calendars c
                JOIN connections n ON n.tenant_id = c.tenant_id AND n.id = c.connection_id
                WHERE c.watched AND n.status = 'active' AND coalesce(c.read_at < $1, true)
                ORDER BY c.pushed_at NULLS FIRST, c.id
                """,
                polling.before,
            )
            return [(row["tenant_id"], row["id"]) for row in rows]


@dataclass(frozen=True)
class Known:
    """A meeting as its row has it."""

    id: RowId
    withdrawn: str | None
    campaign_id: RowId
    facts: MeetingFacts
    # Its title named somebody who asked to be forgotten.
    title_erased: bool


async def _known(connection: Connection, placed: Placed, keys: Sequence[str]) -> dict[str, Known]:
    rows = await connection.fetch(
        """
        SELECT m.id, m.source, m.source_key, m.title, m.starts_at, m.ends_at, m.withdrawn, m.campaign_id, m.title_erased,
          coalesce(jsonb_agg(jsonb_build_object('email', a.email, 'name', a.name, 'standing', a.standing))
            FILTER (WHERE a.email IS NOT NULL), '[]') AS attendees
        FROM meetings m LEFT JOIN attendees a ON a.meeting_id = m.id
        WHERE m.user_id = $1 AND m.source = $2 AND m.source_key = ANY($3)
        GROUP BY m.tenant_id, m.id
        """,
        placed.user_id,
        placed.whose.source,
        list(keys),
    )
    return {row["source_key"]: _as_known(row) for row in rows}


def _as_known(row: asyncpg.Record) -> Known:
    fields = ("source", "source_key", "title", "starts_at", "ends_at")
    facts = MeetingFacts(
        **{field: row[field] for field in fields},
        attendees=tuple(Attendee.model_validate(one) for one in row["attendees"]),
    )
    return Known(row["id"], row["withdrawn"], row["campaign_id"], facts, row["title_erased"])


async def _allowed(connection: Connection, found: Sequence[Found], people: Mapping[str, str]) -> list[Found]:
    """What the page says, without those who asked to be forgotten: they are not even compared."""
    emails = [one.email for each in found if each.meeting for one in each.meeting.attendees]
    suppressed = await suppressions.among(connection, emails, people)
    return [_without(each, suppressed) for each in found]


def _without(found: Found, suppressed: frozenset[str]) -> Found:
    if found.meeting is None or not suppressed & {one.email for one in found.meeting.attendees}:
        return found
    meeting = suppressions.without(found.meeting, suppressed)
    return replace(found, meeting=meeting) if meeting.prospects else Found(found.key, None, suppressions.GONE)


async def _apply(
    connection: Connection, reading: Reading, placed: Placed, found: Found, known: Known | None, keys: Keys
) -> int:
    """One event; 1 when it changed something."""
    if found.meeting is None:
        return 0 if known is None else await _withdraw(connection, known, found.reason)
    if known is None and (found.meeting.ends_at or found.meeting.starts_at) <= reading.now:
        return 0
    meeting = found.meeting
    if known is not None and known.title_erased:
        meeting = meeting.model_copy(update={"title": suppressions.UNTITLED})
    if known is not None and _unchanged(known, meeting):
        return 0
    campaign_id = placed.campaign_id if known is None else known.campaign_id
    owner = Owner(placed.user_id, campaign_id, reading.calendar_id, placed.reading)
    await save(connection, owner, meeting, keys, reading.now)
    return 1


def _unchanged(known: Known, meeting: MeetingFacts) -> bool:
    there = known.facts.model_copy(update={"attendees": _sorted(known.facts.attendees)})
    now = meeting.model_copy(update={"attendees": _sorted(meeting.attendees)})
    return known.withdrawn is None and there == now


def _sorted(attendees: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
    return tuple(sorted(attendees, key=lambda one: one.email))


async def _withdraw(connection: Connection, known: Known, reason: str) -> int:
    if known.withdrawn == reason:
        return 0
    await connection.execute(
        "UPDATE meetings SET withdrawn = $2, cancelled = true, revision = revision + 1 WHERE id = $1",
        known.id,
        reason,
    )
    return 1


async def _see(connection: Connection, placed: Placed, keys: Sequence[str]) -> None:
    """This reading has seen them."""
    if placed.full:
        await connection.execute(
            "UPDATE meetings SET reading = $3 WHERE calendar_id = $1 AND source_key = ANY($2)",
            placed.whose.calendar_id,
            list(keys),
            placed.reading,
        )


async def _withdraw_unseen(connection: Connection, reading: Reading, placed: Placed) -> int:
    """What a whole reading has not seen is not there any more."""
    gone = await connection.fetch(
        """
        UPDATE meetings SET withdrawn = 'cancelled', cancelled = true, revision = revision + 1
        WHERE calendar_id = $1 AND reading < $2 AND ends_at > $3 AND withdrawn IS NULL RETURNING id
        """,
        reading.calendar_id,
        placed.reading,
        placed.place.since,
    )
    return len(gone)


async def _move(connection: Connection, reading: Reading, page: Page) -> None:
    """Behind the page; behind the last one the calendar has been read, and is well."""
    done = page.page_token is None
    await connection.execute(
        """
        UPDATE calendars SET page_token = $2, sync_token = CASE WHEN $3 THEN $4 ELSE sync_token END,
          full_reading = full_reading AND NOT $3,
          read_at = CASE WHEN $3 THEN $5 ELSE read_at END,
          fully_read_at = CASE WHEN $3 AND full_reading THEN $5 ELSE fully_read_at END,
          failing_since = CASE WHEN $3 THEN NULL ELSE failing_since END,
          failure = CASE WHEN $3 THEN NULL ELSE failure END,
          pushed_at = CASE WHEN $6 THEN greatest(pushed_at, $7) ELSE pushed_at END
        WHERE id = $1
        """,
        reading.calendar_id,
        page.page_token,
        done,
        page.sync_token,
        reading.now,
        reading.ring.reason is Reason.PUSH,
        reading.ring.at,
    )
