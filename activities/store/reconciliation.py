"""Reconciliation: which rows say that they are being worked on, of all tenants, and how one that nobody works on ends.

crossing ─▶ ids, a page at a time        tenant ─▶ the row again, locked ─▶ what its workflow would have said itself

A row that is not what it was when it was found is left alone: whoever changed it is alive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from activities.reconciliation import Row
from activities.store import readings, research
from activities.store.database import Connection, Database, patient
from schemas.base import RowId
from schemas.notices import NoticeKind, NoticeOrder
from schemas.reconciliation import Comparing, Done
from schemas.research import Failure
from schemas.transcripts import CallFailure

PAGE = 500


@dataclass(frozen=True)
class Ended:
    """How a row was ended, and who is to hear of it: its meeting's workflow, or whoever asked."""

    done: Done
    looked_after: bool = False
    owned: bool = False


class ReconciliationStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def researches(self, comparing: Comparing, after: Row | None) -> Sequence[Row]:
        return await self._page(_RESEARCHES, after, comparing.before, comparing.asked_before)

    async def calls(self, comparing: Comparing, after: Row | None) -> Sequence[Row]:
        return await self._page(_CALLS, after, comparing.before)

    async def erasures(self, comparing: Comparing, after: Row | None) -> Sequence[Row]:
        return await self._page(_ERASURES, after, comparing.before)

    async def notices(self, comparing: Comparing, after: Row | None) -> Sequence[Row]:
        return await self._page(_NOTICES, after, comparing.before)

    async def meetings(self, comparing: Comparing, after: Row | None) -> Sequence[Row]:
        return await self._page(_MEETINGS, after, comparing.before, comparing.now, comparing.soon)

    async def deliveries(self, comparing: Comparing, after: Row | None) -> Sequence[Row]:
        """Tenants whose endpoint has something to hear."""
        return await self._page(_DELIVERIES, after, comparing.before)

    @patient
    async def end_research(self, row: Row, why: str, now: datetime) -> Ended | None:
        """Nobody works on it: it has failed, unless the brief of that very version is there.

        Safe to run twice, and late: a row of another run, or that has ended, stays as it is.
        """
        async with self._database.tenant(row.tenant_id) as connection:
            there = await connection.fetchrow(_RESEARCH, row.id, row.status, row.version, row.run_id)
            if there is None:
                return None
            ended = Ended(Done.FAILED, looked_after=there["looked_after"], owned=row.status == "generating")
            if there["brief_id"] is not None:
                await connection.execute(
                    "UPDATE research SET status = 'ready', brief_id = $2, ended_at = coalesce(ended_at, $3) WHERE id = $1",
                    row.id,
                    there["brief_id"],
                    now,
                )
                return Ended(Done.RIGHTED, looked_after=there["looked_after"])
            step = "begin" if row.status == "requested" else "write" if there["writing"] else "look-up"
            failure = Failure(
                tenant_id=row.tenant_id,
                research_id=row.id,
                version=row.version,
                step=step,
                reason=f"{step}: {why}",
                run_id=_speaker(row),
                started_at=now,
                now=now,
                # As its meeting's own workflow has it: what was ended from outside is tried again.
                cancelled=there["looked_after"],
            )
            await research.fail(connection, failure)
            return ended

    @patient
    async def end_call(self, row: Row, why: str, now: datetime) -> Ended | None:
        """Nobody reads it: it has failed, unless it was read before. Safe to run twice, and late, as above."""
        async with self._database.tenant(row.tenant_id) as connection:
            there = await connection.fetchrow(_CALL, row.id, row.status, row.version, row.run_id)
            if there is None:
                return None
            if there["was_read"]:
                await connection.execute("UPDATE calls SET status = 'parsed' WHERE id = $1", row.id)
                return Ended(Done.RIGHTED)
            step = "fetch" if row.status == "waiting" else "read" if row.run_id else "begin"
            failure = CallFailure(
                tenant_id=row.tenant_id,
                call_id=row.id,
                version=row.version,
                step=step,
                reason=f"{step}: {why}",
                run_id=_speaker(row),
                started_at=now,
                now=now,
            )
            failed = await readings.fail(connection, failure)
            return Ended(Done.FAILED, owned=failed.owned)

    @patient
    async def still_waits(self, row: Row) -> bool:
        """A call that nobody has taken meanwhile."""
        async with self._database.tenant(row.tenant_id) as connection:
            return await connection.fetchrow(_CALL, row.id, row.status, row.version, row.run_id) is not None

    @patient
    async def unfinished(self, row: Row) -> bool:
        """An erasure that is not done."""
        async with self._database.tenant(row.tenant_id) as connection:
            there: bool | None = await connection.fetchval(
                "SELECT true FROM erasures WHERE id = $1 AND finished_at IS NULL", row.id
            )
            return bool(there)

    @patient
    async def notice(self, row: Row) -> NoticeOrder | None:
        """What was ordered, if it is still to be sent. The connection that it is about stands in its key."""
        async with self._database.tenant(row.tenant_id) as connection:
            there = await connection.fetchrow(_NOTICE, row.id)
            return None if there is None else _order(row, there)

    async def research_ended(self, row: Row, comparing: Comparing) -> bool:
        return await self._has_ended(_RESEARCH_ENDED, row, comparing.before)

    async def call_ended(self, row: Row, comparing: Comparing) -> bool:
        return await self._has_ended(_CALL_ENDED, row, comparing.before)

    @patient
    async def _has_ended(self, query: str, row: Row, before: datetime) -> bool:
        async with self._database.tenant(row.tenant_id) as connection:
            return bool(await connection.fetchval(query, row.id, row.run_id, before))

    @patient
    async def _page(self, query: str, after: Row | None, *values: datetime) -> list[Row]:
        async with self._database.crossing() as connection:
            return await _rows(connection, query, after, values)


async def _rows(connection: Connection, query: str, after: Row | None, values: Sequence[datetime]) -> list[Row]:
    tenant_id, row_id = (after.tenant_id, after.id) if after else (None, None)
    return [Row(**row) for row in await connection.fetch(query, tenant_id, row_id, PAGE, *values)]


def _speaker(row: Row) -> RowId:
    """The run whose end is told. One that nobody ever began has none: its row and version stand for it."""
    return row.run_id or f"{row.id}.{row.version}"


def _order(row: Row, there: asyncpg.Record) -> NoticeOrder:
    said = {
        name: there[name]
        for name in (
            *("user_id", "meeting_id", "research_id", "connection_id", "call_id", "letter_id", "digest_id"),
            *("skill_run_id", "channel_id", "by_channel_id"),
        )
    }
    return NoticeOrder(tenant_id=row.tenant_id, key=there["key"], kind=NoticeKind(there["kind"]), **said)


# A request that was undone when somebody was forgotten is asked for again by its meeting, or told of by the erasure: it has
# had a version. A meeting's own is its workflow's to begin.
_RESEARCHES = """
SELECT r.tenant_id, r.id, r.status, r.version, r.run_id
FROM research r LEFT JOIN meetings m ON m.tenant_id = r.tenant_id AND m.id = r.id
WHERE (
    (r.status = 'generating' AND coalesce(r.begun_at <= $4, true))
    OR (r.status = 'requested' AND r.version = 0 AND r.requested_at <= $5 AND m.calendar_id IS NULL)
  ) AND ($1::uuid IS NULL OR (r.tenant_id, r.id) > ($1, $2::uuid))
ORDER BY r.tenant_id, r.id LIMIT $3
"""

_CALLS = """
SELECT tenant_id, id, status, version, run_id FROM calls
WHERE status IN ('waiting', 'parsing') AND coalesce(begun_at, created_at) <= $4
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

_ERASURES = """
SELECT tenant_id, id FROM erasures WHERE finished_at IS NULL AND requested_at <= $4
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

_NOTICES = """
SELECT tenant_id, id, status, key FROM notices WHERE status = 'pending' AND created_at <= $4
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

_MEETINGS = """
SELECT tenant_id, id FROM meetings
WHERE calendar_id IS NOT NULL AND withdrawn IS NULL AND NOT cancelled
  AND created_at <= $4 AND starts_at > $5 AND starts_at <= $6
  AND ($1::uuid IS NULL OR (tenant_id, id) > ($1, $2::uuid))
ORDER BY tenant_id, id LIMIT $3
"""

_DELIVERIES = """
SELECT p.tenant_id, p.tenant_id AS id FROM endpoints p
WHERE p.status = 'active' AND EXISTS (
    SELECT FROM events e WHERE e.tenant_id = p.tenant_id AND e.delivery = 'pending' AND e.created_at <= $4
  ) AND ($1::uuid IS NULL OR (p.tenant_id, p.tenant_id) > ($1, $2::uuid))
ORDER BY p.tenant_id LIMIT $3
"""

# What it was when it was found.
_RESEARCH = """
SELECT b.id AS brief_id, m.calendar_id IS NOT NULL AS looked_after, EXISTS (
    SELECT FROM tries t WHERE t.research_id = r.id AND t.version = r.version AND t.subject_id = r.next_brief_id
  ) AS writing
FROM research r
LEFT JOIN briefs b ON b.research_id = r.id AND b.version = r.version
LEFT JOIN meetings m ON m.id = r.meeting_id
WHERE r.id = $1 AND r.status = $2 AND r.version = $3 AND r.run_id IS NOT DISTINCT FROM $4
FOR UPDATE OF r
"""

# A run that takes a call takes its end away: one that has an end, and no failure, was read.
_CALL = """
SELECT ended_at IS NOT NULL AND failure_reason IS NULL AS was_read FROM calls
WHERE id = $1 AND status = $2 AND version = $3 AND run_id IS NOT DISTINCT FROM $4
FOR UPDATE
"""

_RESEARCH_ENDED = """
SELECT true FROM research
WHERE id = $1 AND run_id = $2 AND status IN ('ready', 'failed') AND coalesce(ended_at <= $3, true)
"""

_CALL_ENDED = """
SELECT true FROM calls
WHERE id = $1 AND run_id = $2 AND status IN ('parsed', 'failed') AND coalesce(ended_at <= $3, true)
"""

_NOTICE = """
SELECT n.key, n.kind, n.user_id, n.meeting_id, n.research_id, n.call_id, n.letter_id, n.digest_id, n.skill_run_id,
  n.channel_id, n.by_channel_id, coalesce(
    (SELECT c.id FROM connections c WHERE c.id::text = split_part(n.key, '/', 2)),
    (SELECT k.connection_id FROM calendars k WHERE k.id::text = split_part(n.key, '/', 2))
  ) AS connection_id
FROM notices n WHERE n.id = $1 AND n.status = 'pending'
"""
