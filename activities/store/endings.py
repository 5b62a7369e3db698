"""How a digest ends: ready or skipped, with the audio that it has or the reason why it has none; or failed, and why."""

import asyncpg

from activities import errors
from activities.store import events, news, scripts
from activities.store.database import Connection
from schemas.base import RowId
from schemas.digests import (
    AudioStatus,
    DigestDone,
    DigestEnding,
    DigestFailed,
    DigestFailure,
    DigestStatus,
    Script,
    Sound,
)

DONE = (DigestStatus.READY, DigestStatus.SKIPPED)


async def finish(connection: Connection, ending: DigestEnding, script: Script, sound: Sound | None) -> DigestDone:
    """The event is the last thing that is told."""
    row = await connection.fetchrow("SELECT * FROM digests WHERE id = $1 FOR UPDATE", ending.digest_id)
    if row is None:
        raise errors.not_found("digest")
    if row["version"] != ending.version or row["status"] not in (*DONE, DigestStatus.GENERATING):
        raise errors.superseded()
    if row["status"] in DONE:
        return done(row)
    await news.let_go(connection, ending.digest_id)
    await scripts.save(connection, ending.digest_id, script)
    ended = done(await _end(connection, ending, script, sound))
    payload = {
        "digestId": ended.digest_id,
        "date": row["day"],
        "audio": ended.audio.value,
        "quiet": script.quiet,
    }
    key = terminal_key(row["run_id"])
    await events.record(connection, "digest/generate.completed", key, payload, ending.now)
    return ended


async def _end(connection: Connection, ending: DigestEnding, script: Script, sound: Sound | None) -> asyncpg.Record:
    row = await connection.fetchrow(
        """
        UPDATE digests SET status = $2, audio = $3, audio_reason = $4, audio_key = $5, duration_ms = $6, size = $7,
          chapters = $8, ended_at = $9, cost_micro_usd = (
            SELECT coalesce(sum(micro_usd), 0) FROM spending WHERE work_id = $1 AND state = 'settled'
          )
        WHERE id = $1 RETURNING *
        """,
        ending.digest_id,
        (DigestStatus.SKIPPED if script.quiet and not script.lines else DigestStatus.READY).value,
        _audio(ending, sound).value,
        "" if sound else ending.refused,
        sound and sound.key,
        sound and sound.duration_ms,
        sound and sound.size,
        [chapter.model_dump() for chapter in sound.chapters] if sound else [],
        ending.now,
    )
    assert row is not None, "it is locked"
    return row


def _audio(ending: DigestEnding, sound: Sound | None) -> AudioStatus:
    if sound is not None:
        return AudioStatus.READY
    return AudioStatus.REFUSED if ending.refused else AudioStatus.NONE


async def fail(connection: Connection, failure: DigestFailure) -> DigestFailed:
    """A digest of which no run ever had a row has one now, so that its user sees why there is none."""
    digest_id = failure.digest_id or await _entered(connection, failure)
    row = await connection.fetchrow(
        """
        UPDATE digests SET status = 'failed', failed_step = $3, failure_reason = $4, ended_at = $5, audio = 'none',
          audio_reason = '', cost_micro_usd = (
            SELECT coalesce(sum(micro_usd), 0) FROM spending WHERE work_id = $1 AND state = 'settled'
          )
        WHERE id = $1 AND status NOT IN ('ready', 'skipped') AND failed_step IS DISTINCT FROM $7
          AND (version = $2 OR ($2::int IS NULL AND (run_id = $8 OR coalesce(begun_at <= $6, true))))
        RETURNING id, day
        """,
        digest_id,
        failure.version,
        failure.step,
        failure.reason,
        failure.now,
        failure.started_at,
        scripts.ERASED,
        failure.run_id,
    )
    if row is None:
        return DigestFailed(done=await _done_after_all(connection, digest_id, failure))
    await news.let_go(connection, row["id"])
    payload = {"digestId": row["id"], "date": row["day"], "step": failure.step, "failureReason": failure.reason}
    await events.record(connection, "digest/generate.failed", terminal_key(failure.run_id), payload, failure.now)
    return DigestFailed()


async def _entered(connection: Connection, failure: DigestFailure) -> RowId | None:
    """None when its user is gone."""
    await connection.execute(
        """
        INSERT INTO digests (tenant_id, user_id, day, created_at)
        SELECT current_tenant(), id, $2, $3 FROM users WHERE id = $1
        ON CONFLICT (tenant_id, user_id, day) DO NOTHING
        """,
        failure.user_id,
        failure.day,
        failure.now,
    )
    digest_id: RowId | None = await connection.fetchval(
        "SELECT id FROM digests WHERE user_id = $1 AND day = $2", failure.user_id, failure.day
    )
    return digest_id


async def _done_after_all(connection: Connection, digest_id: RowId | None, failure: DigestFailure) -> DigestDone | None:
    row = await connection.fetchrow(
        "SELECT * FROM digests WHERE id = $1 AND version = $2 AND status IN ('ready', 'skipped')",
        digest_id,
        failure.version,
    )
    return None if row is None else done(row)


def terminal_key(run_id: str) -> str:
    """One terminal event for each run, whichever way it ends."""
    return f"digest/{run_id}/ended"


def done(row: asyncpg.Record) -> DigestDone:
    return DigestDone(
        digest_id=row["id"], status=DigestStatus(row["status"]), audio=AudioStatus(row["audio"]), at=row["ended_at"]
    )
