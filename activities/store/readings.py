"""Readings of calls: who has a call, what models made of its parts, and what came of it in the end."""

from typing import Any

import asyncpg

from activities import errors
from activities.ports import ModelAnswer, Prompt
from activities.spending import Purchase
from activities.store import calls, events, spending, unsaid
from activities.store.database import Connection, Database, patient
from activities.transcripts.ports import Heard, KeptAnswer, ReadBy, Standing
from schemas.base import RowId
from schemas.transcripts import (
    CallDone,
    CallEnding,
    CallFailed,
    CallFailure,
    CallOrder,
    CallStart,
    CallStatus,
    Reading,
    Source,
)

# What a listener is told of how far it is.
PROGRESS = {
    CallStatus.WAITING: {"step": "fetch", "percent": 10},
    CallStatus.PARSING: {"step": "read", "percent": 30},
}


class ReadingStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def begin(self, start: CallStart) -> Standing:
        """Take the call for this run: a new version, once for each run; an older run that comes late is refused.

        What was read is left as it is. Run again when the transcript has come, it says so.
        """
        async with self._database.tenant(start.tenant_id) as connection:
            row = await _locked(connection, start.call_id)
            if row["failed_step"] == unsaid.ERASED:
                raise errors.superseded()
            if row["run_id"] != start.run_id and row["begun_at"] is not None and row["begun_at"] > start.now:
                raise errors.superseded()
            if row["status"] == CallStatus.PARSED:
                return Standing(version=row["version"], done=_done(start.call_id, row))
            version = row["version"] + (row["run_id"] != start.run_id)
            spoken = await calls.spoken(connection, start.call_id)
            status = CallStatus.PARSING if spoken else CallStatus.WAITING
            await connection.execute(
                """
                UPDATE calls SET status = $2, version = $3, run_id = $4, begun_at = CASE WHEN run_id = $4 THEN begun_at ELSE $5 END,
                  ended_at = NULL, failed_step = NULL, failure_reason = NULL
                WHERE id = $1
                """,
                start.call_id,
                status.value,
                version,
                start.run_id,
                start.now,
            )
            payload = {"callId": start.call_id, **PROGRESS[status]}
            key = f"transcript/{start.run_id}/{status.value}"
            await events.record(connection, "transcript/parse.progress", key, payload, start.now)
            return Standing(version=version, spoken=spoken, recorded=_recorded(row))

    @patient
    async def heard(self, order: CallOrder, version: int, *, sandbox: bool) -> Heard:
        """What was said, and what models made of it so far. Pretended answers serve no real run."""
        async with self._database.tenant(order.tenant_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT c.version, c.run_id, (c.started_at AT TIME ZONE coalesce(u.time_zone, 'UTC'))::date AS held_on
                FROM calls c LEFT JOIN users u ON u.id = c.user_id WHERE c.id = $1
                """,
                order.call_id,
            )
            spoken = await calls.spoken(connection, order.call_id)
            if row is None or row["version"] != version or spoken is None:
                raise errors.superseded()
            rows = await connection.fetch(
                "SELECT asked, answer, stopped, model, run_id FROM readings WHERE call_id = $1 AND sandbox = $2",
                order.call_id,
                sandbox,
            )
            kept = {one["asked"]: _kept(one, row["run_id"]) for one in rows}
            return Heard(spoken=spoken, held_on=row["held_on"], kept=kept)

    @patient
    async def keep_answer(self, purchase: Purchase, prompt: Prompt, answer: ModelAnswer, by: ReadBy) -> None:
        """Store a paid answer, good or bad, before anything is made of it, and settle what it cost.

        Safe to run twice: an ask of a run has one answer. Of a call that is gone meanwhile it is paid, and not kept.
        """
        async with self._database.tenant(purchase.tenant_id) as connection:
            there = await connection.fetchval(
                "SELECT failed_step IS DISTINCT FROM $2 FROM calls WHERE id = $1 FOR UPDATE",
                purchase.work_id,
                unsaid.ERASED,
            )
            bill = await spending.bill(connection, purchase, by.provider, answer)
            new = await connection.fetchval(
                """
                INSERT INTO readings AS old (tenant_id, call_id, asked, answer, stopped, provider, model, prompt,
                  input_tokens, output_tokens, cost_micro_usd, workflow_id, run_id, sandbox, created_at)
                SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 WHERE $15
                ON CONFLICT (tenant_id, call_id, asked) DO UPDATE SET answer = excluded.answer, stopped = excluded.stopped,
                  provider = excluded.provider, model = excluded.model, input_tokens = excluded.input_tokens,
                  output_tokens = excluded.output_tokens, cost_micro_usd = excluded.cost_micro_usd,
                  workflow_id = excluded.workflow_id, run_id = excluded.run_id, sandbox = excluded.sandbox,
                  created_at = excluded.created_at
                WHERE old.sandbox <> excluded.sandbox OR old.run_id <> excluded.run_id
                RETURNING true
                """,
                purchase.work_id,
                prompt.asked,
                answer.text.replace("\x00", ""),
                answer.stopped,
                by.provider,
                answer.model,
                by.prompt,
                bill.input_tokens,
                bill.output_tokens,
                bill.micro_usd,
                by.workflow_id,
                by.run_id,
                by.sandbox,
                by.now,
                bool(there),
            )
            await spending.settle(connection, bill, by.now, new=bool(new))

    @patient
    async def finish(self, ending: CallEnding, reading: Reading, model: str, *, sandbox: bool) -> CallDone:
        """Findings, roles, status, history and the event, in one transaction.

        Safe to run twice: a version that is read stays as it is, one that was given up is not brought back.
        """
        async with self._database.tenant(ending.tenant_id) as connection:
            row = await _locked(connection, ending.call_id)
            if row["version"] != ending.version or row["status"] not in (CallStatus.PARSED, CallStatus.PARSING):
                raise errors.superseded()
            if row["status"] == CallStatus.PARSED:
                return _done(ending.call_id, row)
            await _save_findings(connection, ending.call_id, reading)
            await connection.execute(
                """
                UPDATE calls SET status = 'parsed', ended_at = $2, claimed = $3, kept = $4, model = $5,
                  sandbox = sandbox OR $6, history_status = CASE WHEN opportunity_id IS NULL THEN 'none' ELSE 'updated' END,
                  cost_micro_usd = (
                    SELECT coalesce(sum(micro_usd), 0) FROM spending WHERE work_id = $1 AND state = 'settled'
                  )
                WHERE id = $1
                """,
                ending.call_id,
                ending.now,
                reading.claimed,
                len(reading.findings),
                model,
                sandbox,
            )
            await _remember(connection, ending)
            payload = {"callId": ending.call_id, "findings": len(reading.findings)}
            key = terminal_key(row["run_id"])
            await events.record(connection, "transcript/parse.completed", key, payload, ending.now)
            return CallDone(
                call_id=ending.call_id, status=CallStatus.PARSED, findings=len(reading.findings), at=ending.now
            )

    @patient
    async def fail(self, failure: CallFailure) -> CallFailed:
        """Say why it was not read. If this very version was read after all, that comes back instead.

        A run that never took the call speaks for it all the same, unless a later one has. Safe to run twice: the row is
        the same, and the event's key is the run's.
        """
        async with self._database.tenant(failure.tenant_id) as connection:
            return await fail(connection, failure)


async def fail(connection: Connection, failure: CallFailure) -> CallFailed:
    """As above, in a transaction of somebody's."""
    row = await connection.fetchrow(
        """
        UPDATE calls SET status = 'failed', failed_step = $3, failure_reason = $4, ended_at = $5
        WHERE id = $1 AND status <> 'parsed' AND failed_step IS DISTINCT FROM $7
          AND (version = $2 OR ($2::int IS NULL AND (run_id = $8 OR coalesce(begun_at <= $6, true))))
        RETURNING version, user_id IS NOT NULL AS owned
        """,
        failure.call_id,
        failure.version,
        failure.step,
        failure.reason,
        failure.now,
        failure.started_at,
        unsaid.ERASED,
        failure.run_id,
    )
    if row is None:
        return CallFailed(done=await _read_after_all(connection, failure))
    payload = {"callId": failure.call_id, "step": failure.step, "failureReason": failure.reason}
    key = terminal_key(failure.run_id)
    await events.record(connection, "transcript/parse.failed", key, payload, failure.now)
    return CallFailed(**row)


def terminal_key(run_id: str) -> str:
    """One terminal event for each run, whichever way it ends."""
    return f"transcript/{run_id}/ended"


async def _locked(connection: Connection, call_id: RowId) -> asyncpg.Record:
    row = await connection.fetchrow("SELECT * FROM calls WHERE id = $1 FOR UPDATE", call_id)
    if row is None:
        raise errors.not_found("call")
    return row


def _recorded(row: asyncpg.Record) -> bool:
    """Somebody may yet have its transcript."""
    return Source(row["source"]) is Source.RECORDER


def _done(call_id: RowId, row: asyncpg.Record) -> CallDone:
    return CallDone(call_id=call_id, status=CallStatus.PARSED, findings=row["kept"], at=row["ended_at"])


async def _read_after_all(connection: Connection, failure: CallFailure) -> CallDone | None:
    row = await connection.fetchrow(
        "SELECT kept, ended_at FROM calls WHERE id = $1 AND version = $2 AND status = 'parsed'",
        failure.call_id,
        failure.version,
    )
    return None if row is None else _done(failure.call_id, row)


def _kept(row: asyncpg.Record, run_id: str) -> KeptAnswer:
    answer = ModelAnswer(text=row["answer"], stopped=row["stopped"], model=row["model"], usage=None)
    return KeptAnswer(answer=answer, ours=row["run_id"] == run_id)


async def _save_findings(connection: Connection, call_id: RowId, reading: Reading) -> None:
    """In place of what an earlier version may have left."""
    await connection.execute("DELETE FROM findings WHERE call_id = $1", call_id)
    await connection.executemany(
        """
        INSERT INTO findings (tenant_id, call_id, position, kind, text, owner, due, speaker, quote, at_ms)
        VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        [_columns(call_id, position, one) for position, one in enumerate(reading.findings)],
    )
    await connection.execute(
        """
        UPDATE speakers s SET role = r.role FROM unnest($2::text[], $3::text[]) AS r(key, role)
        WHERE s.call_id = $1 AND s.key = r.key AND s.role = ''
        """,
        call_id,
        list(reading.roles),
        list(reading.roles.values()),
    )


def _columns(call_id: RowId, position: int, one: Any) -> tuple[Any, ...]:
    return (
        call_id,
        position,
        one.kind.value,
        one.text,
        one.owner,
        one.due,
        one.speaker,
        one.quote,
        one.at_ms,
    )


async def _remember(connection: Connection, ending: CallEnding) -> None:
    """The opportunity's history has one entry for a call's transcript."""
    await connection.execute(
        """
        INSERT INTO opportunity_history (tenant_id, opportunity_id, call_id, transcript_hash, happened_at, created_at)
        SELECT current_tenant(), c.opportunity_id, c.id, t.hash, coalesce(c.started_at, c.created_at), $2
        FROM calls c JOIN transcripts t ON t.call_id = c.id WHERE c.id = $1 AND c.opportunity_id IS NOT NULL
        ON CONFLICT (tenant_id, call_id, transcript_hash) DO NOTHING
        """,
        ending.call_id,
        ending.now,
    )
