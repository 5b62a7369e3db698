"""Runs of skills: what is asked for and when its turn comes, how it goes on, and what came of it.

ask ─▶ queued ─▶ begin: running ─▶ (draft | keep)* ─▶ write ─▶ finish: completed
          └──────────────────────────────┴─▶ fail: failed
"""

from collections.abc import Callable
from datetime import datetime

import asyncpg

from activities import errors, liveness
from activities.skills.ports import BoughtBy, KeptReply, Task, Written
from activities.spending import Purchase
from activities.store import events, skill_asking, skill_book, skill_endings, skill_library, skill_replies
from activities.store.database import Connection, Database, patient, storable
from schemas.base import RowId, TenantId
from schemas.skills import (
    ENDED,
    Asked,
    NewRun,
    RunLine,
    RunStatus,
    RunView,
    SkillDone,
    SkillFailure,
    SkillStanding,
    SkillStep,
    SkillTold,
)


class SkillRunStore:
    """A Runs, and what users ask for and read of them. `clock` says when a run begins: work is timed by the real one."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = liveness.now) -> None:
        self._database = database
        self._clock = clock

    @patient
    async def ask(self, tenant_id: TenantId, new: NewRun, client: str, now: datetime) -> Asked:
        """Write down what is asked for, with its turn. TooManyRunsError, and no row, for too many in an hour.

        Safe to run twice when it has an id: that run is the same. Somebody else's is not found.
        """
        async with self._database.tenant(tenant_id) as connection:
            return await skill_asking.ask(connection, new, client, now)

    @patient
    async def client(self, tenant_id: TenantId, named: str) -> tuple[RowId, str] | None:
        """A company that we know, by its id or by its domain, and what it is called."""
        async with self._database.tenant(tenant_id) as connection:
            return await skill_library.company(connection, named)

    @patient
    async def meeting(self, tenant_id: TenantId, user_id: RowId, named: str, now: datetime) -> RowId | None:
        """A meeting of theirs by its id, or the next one by that word."""
        async with self._database.tenant(tenant_id) as connection:
            return await skill_library.meeting(connection, user_id, named, now)

    @patient
    async def list(self, tenant_id: TenantId, user_id: RowId | None, most: int = 30) -> tuple[RunLine, ...]:
        """The newest first; without a user, the tenant's."""
        async with self._database.tenant(tenant_id) as connection:
            return await skill_book.lines(connection, user_id, most, self._clock())

    @patient
    async def view(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> RunView | None:
        """None when it is not there, or somebody else's."""
        async with self._database.tenant(tenant_id) as connection:
            return await skill_book.view(connection, user_id, run_id, self._clock())

    @patient
    async def begin(self, step: SkillStep, *, sandbox: bool) -> Task:
        """It is running from now on, and its event says so once.

        Safe to run twice: it goes on where it was. A run of ours that comes later takes it, as another version; one that
        comes late is refused.
        """
        async with self._database.tenant(step.tenant_id) as connection:
            row = await _take(connection, step, self._clock(), sandbox=sandbox)
            task = Task(
                user_id=row["user_id"],
                version=row["version"],
                skill=row["skill"],
                message=row["message"],
                inputs=row["inputs"],
                client=await skill_library.about_company(connection, row),
                meeting=await skill_library.about_meeting(connection, row),
                kept=await skill_replies.kept(connection, step.run_id, sandbox=sandbox),
                written=row["written"] is not None,
            )
            payload = {"runId": step.run_id, "step": "execute", "percent": 10}
            key = f"skill/{step.run_id}/begun"
            await events.record(connection, "skill.execute.progress", key, payload, row["started_at"])
            return task

    @patient
    async def draft(self, step: SkillStep, text: str) -> None:
        """Safe to run twice: the next one says more."""
        async with self._database.tenant(step.tenant_id) as connection:
            there = await connection.fetchval(
                """
                UPDATE skill_runs SET draft = $3 WHERE id = $1 AND run_id = $2 AND status = 'running' RETURNING true
                """,
                step.run_id,
                step.temporal_run_id,
                storable(text),
            )
            if not there:
                raise errors.superseded()

    @patient
    async def keep(self, step: SkillStep, kept: KeptReply, purchase: Purchase, by: BoughtBy) -> None:
        """Keep an answer with what it cost, and settle that. Safe to run twice: it is bought once.

        Of a run that has ended meanwhile it is paid all the same; of one that was emptied, it is not kept.
        """
        async with self._database.tenant(step.tenant_id) as connection:
            await skill_replies.keep(connection, kept, purchase, by, self._clock())

    @patient
    async def write(self, step: SkillStep, written: Written) -> None:
        """Safe to run twice: what is written stays as it is."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await _own(connection, step)
            if row["written"] is None:
                await skill_replies.write(connection, step.run_id, written)

    @patient
    async def written(self, step: SkillStep) -> Written | None:
        async with self._database.tenant(step.tenant_id) as connection:
            return skill_replies.written(await _own(connection, step))

    async def finish(self, step: SkillStep, written: Written, object_key: str) -> SkillDone:
        """Output, status and event in one transaction. Safe to run twice: how it ended is told again.

        What was put away for a run that came to nothing meanwhile is to be deleted.
        """
        done = await self._finish(step, written, object_key)
        if done is None:
            raise errors.superseded()
        return done

    @patient
    async def _finish(self, step: SkillStep, written: Written, object_key: str) -> SkillDone | None:
        async with self._database.tenant(step.tenant_id) as connection:
            return await skill_endings.finish(connection, step, written, object_key)

    @patient
    async def done(self, step: SkillStep) -> SkillDone | None:
        async with self._database.tenant(step.tenant_id) as connection:
            return await skill_endings.done(connection, step.run_id)

    @patient
    async def fail(self, failure: SkillFailure) -> SkillDone:
        """Say why it came to nothing, with what it has used. One that ended stays as it is, and that comes back.

        Safe to run twice: the row is the same, and the event's key is the run's.
        """
        async with self._database.tenant(failure.tenant_id) as connection:
            return await skill_endings.fail(connection, failure)

    @patient
    async def standing(self, step: SkillStep) -> SkillStanding:
        async with self._database.tenant(step.tenant_id) as connection:
            row = await connection.fetchrow("SELECT status, started_at FROM skill_runs WHERE id = $1", step.run_id)
            if row is None:
                raise errors.not_found("run")
            return SkillStanding(status=RunStatus(row["status"]), started_at=row["started_at"])

    @patient
    async def slow(self, step: SkillStep) -> SkillTold | None:
        """Safe to run twice: each says the same, as long as it runs, and keys of notices are told once."""
        async with self._database.tenant(step.tenant_id) as connection:
            noted = await connection.fetchrow(
                """
                UPDATE skill_runs SET slow_at = coalesce(slow_at, $2) WHERE id = $1 AND status = 'running' RETURNING *
                """,
                step.run_id,
                step.now,
            )
            return None if noted is None else await skill_endings.whom(connection, noted["user_id"])


async def _take(connection: Connection, step: SkillStep, now: datetime, *, sandbox: bool) -> asyncpg.Record:
    """Its row, locked, and from now on this run's."""
    row = await connection.fetchrow("SELECT * FROM skill_runs WHERE id = $1 FOR UPDATE", step.run_id)
    if row is None or row["status"] in ENDED:
        raise errors.superseded()
    ours = row["run_id"] == step.temporal_run_id
    if not ours and row["started_at"] is not None and row["started_at"] > step.now:
        raise errors.superseded()
    taken = await connection.fetchrow(
        """
        UPDATE skill_runs SET status = 'running', run_id = $2, sandbox = $4,
          version = version + ($5 AND run_id IS NOT NULL)::int, started_at = CASE WHEN $5 THEN $3 ELSE started_at END
        WHERE id = $1 RETURNING *
        """,
        step.run_id,
        step.temporal_run_id,
        now,
        sandbox,
        not ours,
    )
    assert taken is not None, "it is locked"
    return taken


async def _own(connection: Connection, step: SkillStep) -> asyncpg.Record:
    """Its row, locked, if it is this run's still."""
    row = await connection.fetchrow("SELECT * FROM skill_runs WHERE id = $1 FOR UPDATE", step.run_id)
    if row is None or row["run_id"] != step.temporal_run_id or row["status"] != RunStatus.RUNNING:
        raise errors.superseded()
    return row
