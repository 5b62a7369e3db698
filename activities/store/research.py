"""Runs: who is to be researched, how far it is, how it ended."""

from datetime import timedelta

import asyncpg

from activities import errors
from activities.research.ports import Tried
from activities.store import events
from activities.store.database import Connection, Database, patient
from schemas.base import RowId
from schemas.research import Begun, Failure, Overdue, Start, Subject, Written


class ResearchStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def begin(self, start: Start) -> Begun:
        """Take the row for this run: a new version, once for each run; an older run that comes late is refused."""
        async with self._database.tenant(start.tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT r.run_id, r.version, r.next_brief_id, r.begun_at, c.active
                FROM research r JOIN campaigns c ON c.id = r.campaign_id
                WHERE r.id = $1 FOR UPDATE OF r
                """,
                start.research_id,
            )
            if row is None:
                raise errors.not_found("research")
            if row["run_id"] != start.run_id:
                if row["begun_at"] is not None and row["begun_at"] > start.now:
                    raise errors.superseded()
                if not row["active"]:
                    raise errors.inactive()
                row = await _take(connection, start)
            return Begun(
                version=row["version"],
                brief_id=row["next_brief_id"],
                prospects=await _prospects(connection, start),
                companies=await _companies(connection, start),
            )

    @patient
    async def tried(self, overdue: Overdue) -> list[Tried]:
        """How each of these subjects stands, for the deadline."""
        async with self._database.tenant(overdue.tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT s.subject_id, t.first_start, coalesce(t.waited_s, 0) AS waited_s,
                  coalesce(l.expires_at > $4, false)
                    OR EXISTS (SELECT FROM paces WHERE starts[cardinality(starts)] > $5)
                    OR EXISTS (SELECT FROM tries others WHERE others.first_start > $5) AS queue_moves
                FROM unnest($3::uuid[]) AS s(subject_id)
                LEFT JOIN tries t ON t.research_id = $1 AND t.version = $2 AND t.subject_id = s.subject_id
                LEFT JOIN leases l ON l.subject_id = s.subject_id
                """,
                overdue.research_id,
                overdue.version,
                list(overdue.subject_ids),
                overdue.now,
                overdue.now - timedelta(seconds=overdue.limit_s),
            )
            return [Tried(**row) for row in rows]

    @patient
    async def fail(self, failure: Failure) -> Written:
        """Say why there is no brief. If this very version was finished after all, its receipt comes back instead.

        Safe to run twice: the row is the same, and the event's key is the run's.
        """
        async with self._database.tenant(failure.tenant_id) as connection:
            failed = await connection.fetchval(
                """
                UPDATE research SET status = 'failed', failed_step = $4, failure_reason = $5, run_id = $3, ended_at = $6
                WHERE id = $1 AND status <> 'ready' AND (version = $2 OR $2::int IS NULL)
                RETURNING true
                """,
                failure.research_id,
                failure.version,
                failure.run_id,
                failure.step,
                failure.reason,
                failure.now,
            )
            if failed:
                payload = {"researchId": failure.research_id, "step": failure.step, "failureReason": failure.reason}
                await events.record(
                    connection, "research/generate.failed", terminal_key(failure.run_id), payload, failure.now
                )
                return Written()
            return await written(connection, failure.research_id, failure.version) or Written()


async def written(connection: Connection, research_id: RowId, version: int | None) -> Written | None:
    """The receipt of a version's brief, if there is one."""
    row = await connection.fetchrow(
        """
        SELECT confidence, cost_micro_usd, (SELECT count(*) FROM claims c WHERE c.brief_id = b.id) AS claims
        FROM briefs b WHERE research_id = $1 AND version = $2
        """,
        research_id,
        version,
    )
    return None if row is None else Written(**row)


def terminal_key(run_id: str) -> str:
    """One terminal event for each run, whichever way it ends."""
    return f"research/{run_id}/ended"


async def _take(connection: Connection, start: Start) -> asyncpg.Record:
    row = await connection.fetchrow(
        """
        UPDATE research SET status = 'generating', version = version + 1, next_brief_id = gen_random_uuid(),
          run_id = $2, begun_at = $3, ended_at = NULL, failed_step = NULL, failure_reason = NULL
        WHERE id = $1 RETURNING version, next_brief_id
        """,
        start.research_id,
        start.run_id,
        start.now,
    )
    assert row is not None, "the row is locked by this transaction"
    return row


async def _prospects(connection: Connection, start: Start) -> tuple[Subject, ...]:
    rows = await connection.fetch(
        """
        SELECT p.id, p.key, p.company_domain, coalesce(p.fresh_until > $2, false) AS fresh,
          NOT EXISTS (SELECT FROM evidence e WHERE e.subject_id = p.id) AS empty
        FROM research_prospects rp JOIN prospects p ON p.id = rp.prospect_id
        WHERE rp.research_id = $1 ORDER BY rp.position
        """,
        start.research_id,
        start.now,
    )
    return tuple(
        Subject(
            subject_id=row["id"],
            label=f"Prospect {number} {'at ' + row['company_domain'] if row['company_domain'] else '(free mail)'}",
            fresh=row["fresh"],
            empty=row["fresh"] and row["empty"],
            key=row["key"],
        )
        for number, row in enumerate(rows, start=1)
    )


async def _companies(connection: Connection, start: Start) -> tuple[Subject, ...]:
    """The companies of a run's prospects, each once; their rows were made with the prospects'."""
    rows = await connection.fetch(
        """
        SELECT c.id, c.domain, coalesce(c.fresh_until > $2, false) AS fresh,
          NOT EXISTS (SELECT FROM evidence e WHERE e.subject_id = c.id) AS empty
        FROM companies c WHERE c.domain IN (
          SELECT p.company_domain FROM research_prospects rp JOIN prospects p ON p.id = rp.prospect_id
          WHERE rp.research_id = $1
        ) ORDER BY c.domain
        """,
        start.research_id,
        start.now,
    )
    return tuple(
        Subject(subject_id=row["id"], label=row["domain"], fresh=row["fresh"], empty=row["fresh"] and row["empty"])
        for row in rows
    )
