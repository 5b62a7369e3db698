"""Runs: who is to be researched, how far it is, how it ended."""

from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg

from activities import errors, freshness
from activities.research import economy
from activities.research.economy import Standing, Thrift
from activities.research.ports import Tried, ask, look_up
from activities.spending import Purchase
from activities.store import events, spending
from activities.store.database import Connection, Database, patient
from schemas.base import RowId
from schemas.budgets import Bound
from schemas.research import Begun, Failure, Overdue, Start, Subject, Written

# How far a research is when it has begun, and when its brief is written.
BEGUN, WRITTEN_NOW = ("begin", 10), ("write", 75)


class ResearchStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def begin(self, start: Start, thrift: Thrift, *, sandbox: bool) -> Begun:
        """Take the row for this run: a new version, once for each run; an older run that comes late is refused.

        What the budget lasts for is set aside with it, so a run that begins can end with a brief. When it lasts for
        none, nothing is taken.
        """
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
            subjects = await _afford(connection, start, row["version"], thrift, sandbox=sandbox)
            await progress(connection, start.research_id, row["version"], BEGUN, start.now)
            return Begun(
                version=row["version"],
                brief_id=row["next_brief_id"],
                prospects=tuple(one for one in subjects if one.key is not None),
                companies=tuple(one for one in subjects if one.key is None),
            )

    @patient
    async def tried(self, overdue: Overdue, provider: str) -> list[Tried]:
        """How each of these subjects stands, for the deadline, and whether their provider serves anybody just now."""
        async with self._database.tenant(overdue.tenant_id) as connection:
            rows = await connection.fetch(
                """
                SELECT s.subject_id, t.first_start, coalesce(t.waited_s, 0) AS waited_s,
                  coalesce(l.expires_at > $4, false)
                    OR EXISTS (SELECT FROM paces WHERE provider = $6 AND starts[cardinality(starts)] > $5)
                    OR EXISTS (
                      SELECT FROM tries others
                      WHERE others.first_start > $5 AND $7 = NOT EXISTS (SELECT FROM subjects WHERE id = others.subject_id)
                    ) AS queue_moves
                FROM unnest($3::uuid[]) AS s(subject_id)
                LEFT JOIN tries t ON t.research_id = $1 AND t.version = $2 AND t.subject_id = s.subject_id
                LEFT JOIN leases l ON l.subject_id = s.subject_id
                """,
                overdue.research_id,
                overdue.version,
                list(overdue.subject_ids),
                overdue.now,
                overdue.now - timedelta(seconds=overdue.limit_s),
                provider,
                overdue.writing,
            )
            return [Tried(**row) for row in rows]

    @patient
    async def fail(self, failure: Failure) -> Written:
        """Say why there is no brief. If this very version was finished after all, its receipt comes back instead.

        A run that never took the row speaks for it all the same, unless a later one has; it has not taken it by that.

        Safe to run twice: the row is the same, and the event's key is the run's.
        """
        async with self._database.tenant(failure.tenant_id) as connection:
            return await fail(connection, failure)


async def fail(connection: Connection, failure: Failure) -> Written:
    """As above, in a transaction of somebody's."""
    failed = await connection.fetchval(
        """
        UPDATE research SET status = 'failed', failed_step = $3, failure_reason = $4, ended_at = $5, cancelled = $7
        WHERE id = $1 AND status <> 'ready'
          AND (version = $2 OR ($2::int IS NULL AND coalesce(begun_at <= $6, true)))
        RETURNING true
        """,
        failure.research_id,
        failure.version,
        failure.step,
        failure.reason,
        failure.now,
        failure.started_at,
        failure.cancelled,
    )
    if failed or failure.version is not None:
        await spending.release(connection, failure.research_id, failure.now, version=failure.version)
    if failed or failure.version is None:
        payload = {"researchId": failure.research_id, "step": failure.step, "failureReason": failure.reason}
        key = terminal_key(failure.run_id)
        await events.record(connection, "research/generate.failed", key, payload, failure.now)
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


async def progress(
    connection: Connection, research_id: RowId, version: int, step: tuple[str, int], now: datetime
) -> None:
    """Tell how far a version is, once for each step. The last thing of its transaction."""
    name, percent = step
    payload = {"researchId": research_id, "version": version, "step": name, "percent": percent}
    key = f"research/{research_id}/{version}/{name}"
    await events.record(connection, "research/generate.progress", key, payload, now)


def terminal_key(run_id: str) -> str:
    """One terminal event for each run, whichever way it ends."""
    return f"research/{run_id}/ended"


async def _take(connection: Connection, start: Start) -> asyncpg.Record:
    """A new version, about whom the calendar or the request names at this moment."""
    row = await connection.fetchrow(
        """
        UPDATE research SET status = 'generating', version = version + 1, next_brief_id = gen_random_uuid(),
          run_id = $2, begun_at = $3, ended_at = NULL, failed_step = NULL, failure_reason = NULL,
          cancelled = false
        WHERE id = $1 RETURNING version, next_brief_id
        """,
        start.research_id,
        start.run_id,
        start.now,
    )
    assert row is not None, "the row is locked by this transaction"
    await connection.execute(
        """
        WITH people AS (
          SELECT s.id, s.domain, rp.position FROM research_prospects rp JOIN subjects s ON s.id = rp.subject_id
          WHERE rp.research_id = $1
        ), everybody AS (
          SELECT id, 1 AS kind, position, NULL AS domain FROM people UNION ALL
          SELECT id, 2, 0, domain FROM subjects WHERE kind = 'company' AND domain IN (SELECT domain FROM people)
        )
        INSERT INTO run_subjects (tenant_id, research_id, version, subject_id, position)
        SELECT current_tenant(), $1, $2, id, row_number() OVER (ORDER BY kind, position, domain) FROM everybody
        """,
        start.research_id,
        row["version"],
    )
    return row


async def _afford(
    connection: Connection, start: Start, version: int, thrift: Thrift, *, sandbox: bool
) -> tuple[Subject, ...]:
    """Everybody, with what is done about them: money for that is set aside, in place of what a run had before."""
    standings = await _standings(connection, start, version, sandbox=sandbox)
    await spending.release(connection, start.research_id, start.now)
    purse = await spending.purse_of(connection, start.research_id, version, thrift.caps, start.now)
    plan = economy.plan(standings, purse, thrift)
    if plan is None:
        free = replace(purse, left_micro_usd=purse.left_micro_usd + await spending.held(connection, start.now))
        held = purse.bound is Bound.MONTH and economy.plan(standings, free, thrift) is not None
        raise errors.over_budget(purse.bound.value, purse.cap_micro_usd, held=held)
    run = Purchase(start.tenant_id, start.research_id, version, ask())
    entries = [(run.purpose, plan.writing), *((look_up(subject_id), thrift.look_up) for subject_id in plan.asked)]
    await spending.set_aside(connection, run, entries, start.now, state="planned")
    await connection.execute(
        "UPDATE research SET economies = $2 WHERE id = $1 AND economies <> $2", start.research_id, list(plan.economies)
    )
    return plan.subjects


async def _standings(connection: Connection, start: Start, version: int, *, sandbox: bool) -> list[Standing]:
    """People, then companies. What is fresh was found by the same sort of provider: pretended ones serve no real run."""
    rows = await connection.fetch(
        """
        SELECT s.id, s.key, s.domain,
          coalesce(s.fresh_until > $3 AND s.fresh_sandbox = $4 AND (s.kind = 'person' OR s.last_researched_at > $5), false)
            AS fresh,
          NOT EXISTS (
            SELECT FROM evidence e JOIN answers a ON a.id = e.answer_id WHERE e.subject_id = s.id AND a.sandbox = $4
          ) AS empty
        FROM run_subjects r JOIN subjects s ON s.id = r.subject_id
        WHERE r.research_id = $1 AND r.version = $2 ORDER BY r.position
        """,
        start.research_id,
        version,
        start.now,
        sandbox,
        start.now - (freshness.NEWS if start.latest else freshness.COMPANY),
    )
    return [Standing(_subject(row, number), known=not row["empty"]) for number, row in enumerate(rows, start=1)]


def _subject(row: asyncpg.Record, number: int) -> Subject:
    """With the label that an operator may read."""
    label = row["domain"] if row["key"] is None else f"Prospect {number} {_whereabouts(row['domain'])}"
    empty = row["fresh"] and row["empty"]
    return Subject(subject_id=row["id"], label=label, fresh=row["fresh"], empty=empty, key=row["key"])


def _whereabouts(domain: str | None) -> str:
    return f"at {domain}" if domain else "(free mail)"
