"""How a run of a skill ends: completed with an output, or failed, and why. One terminal event for each. Within one
transaction."""

from datetime import datetime
from typing import Any

import asyncpg

from activities.skills import keys
from activities.skills.ports import Written
from activities.store import events, skill_replies
from activities.store.database import Connection, storable
from activities.store.scripts import unneeded
from schemas.base import RowId
from schemas.skills import CANCELLED, LONGEST_PREVIEW, RunStatus, SkillDone, SkillFailure, SkillStep, SkillTold


async def finish(connection: Connection, step: SkillStep, written: Written, object_key: str) -> SkillDone | None:
    """None when it has failed, is gone, or another run of ours has taken it. The event is the last thing that is told."""
    row = await connection.fetchrow("SELECT * FROM skill_runs WHERE id = $1 FOR UPDATE", step.run_id)
    if row is not None and row["status"] == RunStatus.COMPLETED:
        return await done(connection, step.run_id)
    if row is None or row["status"] != RunStatus.RUNNING:
        await unneeded(connection, [object_key], step.now)
        return None
    if row["run_id"] != step.temporal_run_id:
        # What is there is that other run's, or will be.
        return None
    await _put(connection, step, written, object_key)
    await _complete(connection, step, written)
    ended = await done(connection, step.run_id)
    assert ended is not None, "it has just ended"
    payload = {
        "runId": ended.run_id,
        "outputId": ended.output_id,
        "s3Key": ended.s3_key,
        "tokensUsed": ended.tokens_used,
    }
    await events.record(connection, "skill.execute.completed", terminal_key(step.run_id), payload, step.now)
    return ended


async def _put(connection: Connection, step: SkillStep, written: Written, object_key: str) -> None:
    text = storable(written.text)
    await connection.execute(
        """
        INSERT INTO outputs (tenant_id, skill_run_id, title, format, preview, size_bytes, object_key, created_at)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7)
        """,
        step.run_id,
        storable(written.title),
        written.format,
        text[:LONGEST_PREVIEW],
        len(text.encode()),
        object_key,
        step.now,
    )


async def _complete(connection: Connection, step: SkillStep, written: Written) -> None:
    """Its text is where files are kept now."""
    await skill_replies.count(connection, step.run_id)
    await connection.execute(
        """
        UPDATE skill_runs SET status = 'completed', ended_at = $2, skill_version = $3, draft = '', written = NULL,
          tokens_in = greatest(tokens_in, $4), tokens_out = greatest(tokens_out, $5), sandbox = sandbox OR $6
        WHERE id = $1
        """,
        step.run_id,
        step.now,
        written.skill_version,
        written.tokens_in,
        written.tokens_out,
        written.sandbox,
    )


async def fail(connection: Connection, failure: SkillFailure) -> SkillDone:
    """A run of ours that never took it speaks for it all the same, unless another has taken it. Without one, nobody
    looks after it any more."""
    await connection.execute("SELECT FROM skill_runs WHERE id = $1 FOR UPDATE", failure.run_id)
    await _fail(connection, failure)
    ended = await done(connection, failure.run_id)
    if ended is None:
        return SkillDone(run_id=failure.run_id, status=RunStatus.FAILED, by_mail=False)
    if ended.status is RunStatus.FAILED:
        await tell(connection, failure.run_id, failure.now)
    return ended


async def _fail(connection: Connection, failure: SkillFailure) -> None:
    """What was written may have been put away by a try that died before it could say so."""
    key = keys.output(failure.tenant_id, failure.run_id)
    was_written = await connection.fetchval(
        "SELECT written IS NOT NULL FROM skill_runs WHERE id = $1 AND status = 'running'", failure.run_id
    )
    failed = await connection.fetchval(
        """
        UPDATE skill_runs SET status = 'failed', ended_at = $3, failed_step = $4, failure_reason = $5, retryable = $6,
          written = NULL
        WHERE id = $1 AND status IN ('queued', 'running') AND ($2 = '' OR coalesce(run_id = $2, true)) RETURNING true
        """,
        failure.run_id,
        failure.temporal_run_id,
        failure.now,
        failure.step,
        storable(failure.reason),
        failure.retryable,
    )
    if failed:
        await skill_replies.count(connection, failure.run_id)
    if failed and was_written:
        await unneeded(connection, [key], failure.now)


async def tell(connection: Connection, run_id: RowId, now: datetime) -> None:
    """That a run came to nothing, as its row says. Told once, whoever comes to it."""
    row = await connection.fetchrow("SELECT * FROM skill_runs WHERE id = $1", run_id)
    assert row is not None, "it is locked"
    payload = {
        "runId": run_id,
        "error": row["failure_reason"],
        "retryable": row["retryable"],
        "step": row["failed_step"],
    }
    await events.record(connection, "skill.execute.failed", terminal_key(run_id), payload, now)


def terminal_key(run_id: RowId) -> str:
    """One terminal event for each run, whichever way it ends."""
    return f"skill/{run_id}/ended"


async def done(connection: Connection, run_id: RowId) -> SkillDone | None:
    """How it ended, if it has, and whom to tell."""
    row = await connection.fetchrow(
        """
        SELECT r.*, o.id AS output_id, o.object_key FROM skill_runs r LEFT JOIN outputs o ON o.skill_run_id = r.id
        WHERE r.id = $1 AND r.status IN ('completed', 'failed')
        """,
        run_id,
    )
    return None if row is None else _done(row, await whom(connection, row["user_id"]))


def _done(row: asyncpg.Record, told: SkillTold) -> SkillDone:
    said: dict[str, Any] = {"output_id": row["output_id"], "s3_key": row["object_key"] or ""}
    # Whoever stopped it knows that it was stopped.
    told = SkillTold(by_mail=False) if row["failure_reason"] == CANCELLED else told
    return SkillDone(
        run_id=row["id"],
        status=RunStatus(row["status"]),
        tokens_used=row["tokens_in"] + row["tokens_out"],
        by_mail=told.by_mail,
        channels=told.channels,
        **said,
    )


async def whom(connection: Connection, user_id: RowId) -> SkillTold:
    """How a user wants to hear of runs."""
    row = await connection.fetchrow(
        """
        SELECT skills_by_mail, ARRAY(
          SELECT id FROM user_channels WHERE user_id = u.id AND status = 'on' ORDER BY created_at, id
        ) AS channels FROM users u WHERE id = $1
        """,
        user_id,
    )
    assert row is not None, "a run goes with its user"
    return SkillTold(by_mail=row["skills_by_mail"], channels=tuple(row["channels"]))
