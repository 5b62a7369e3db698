"""When a run's turn comes: a user begins so many in any minute, and so many in any hour. Within one transaction."""

import math
from datetime import datetime, timedelta

import asyncpg

from activities import errors
from activities.store.database import Connection, storable, storable_all
from schemas.base import RowId
from schemas.skills import MOST_STARTS, MOST_WITHIN_S, STARTS, STARTS_WITHIN_S, Asked, NewRun, RunStatus


class TooManyRunsError(Exception):
    """So many skills were run in the last hour that this one has to be asked for again later."""

    def __init__(self, after_s: int) -> None:
        super().__init__(f"{MOST_STARTS} skills were run in the last hour; ask again in {_minutes(after_s)}")
        self.after_s = after_s


def _minutes(after_s: int) -> str:
    minutes = math.ceil(after_s / 60)
    return f"{minutes} minutes" if minutes > 1 else "a minute"


async def ask(connection: Connection, new: NewRun, client: str, now: datetime) -> Asked:
    """One at a time for a user: the others of theirs are counted."""
    if not await connection.fetchval("SELECT true FROM users WHERE id = $1 FOR NO KEY UPDATE", new.user_id):
        raise errors.not_found("user")
    if new.id is not None and (there := await _there(connection, new.id, new.user_id, now)):
        return there
    await _refuse_too_many(connection, new.user_id, now)
    turn_at = await _turn(connection, new.user_id, now)
    before = await _before(connection, new.user_id, now)
    run_id = await _write(connection, new, client, turn_at, now)
    if run_id is None:
        raise errors.not_found("run")
    position = before + 1 if turn_at > now else None
    return Asked(run_id=run_id, turn_at=turn_at, position=position, status=RunStatus.QUEUED, fresh=True)


async def _there(connection: Connection, run_id: RowId, user_id: RowId, now: datetime) -> Asked | None:
    """What was asked for under that id before. Somebody else's is none of theirs."""
    row = await connection.fetchrow(
        f"SELECT r.id, r.user_id, r.turn_at, r.status, {POSITION.format(now='$2')} AS position FROM skill_runs r"  # noqa: S608
        " WHERE r.id = $1",
        run_id,
        now,
    )
    if row is None:
        return None
    if row["user_id"] != user_id:
        raise errors.not_found("run")
    return Asked(
        run_id=row["id"],
        turn_at=row["turn_at"],
        position=row["position"],
        status=RunStatus(row["status"]),
        fresh=False,
    )


# How many of its user's wait before a run `r`, and itself; null when it waits no more.
POSITION = """
CASE WHEN r.status = 'queued' AND r.turn_at > {now} THEN (
  SELECT count(*) FROM skill_runs o WHERE o.user_id = r.user_id AND o.status = 'queued' AND o.turn_at > {now}
    AND (o.turn_at, o.created_at, o.id) <= (r.turn_at, r.created_at, r.id)
) END
"""


async def _refuse_too_many(connection: Connection, user_id: RowId, now: datetime) -> None:
    within = timedelta(seconds=MOST_WITHIN_S)
    asked_at: datetime | None = await connection.fetchval(
        """
        SELECT created_at FROM skill_runs WHERE user_id = $1 AND created_at > $2
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
        """,
        user_id,
        now - within,
        MOST_STARTS - 1,
    )
    if asked_at is not None:
        raise TooManyRunsError(max(1, math.ceil((asked_at + within - now).total_seconds())))


async def _turn(connection: Connection, user_id: RowId, now: datetime) -> datetime:
    """After all others of theirs, and a minute after the one that is so many before it.

    What ended before it began took no turn.
    """
    turn_at: datetime = await connection.fetchval(
        """
        WITH turns AS (
          SELECT turn_at FROM skill_runs WHERE user_id = $1 AND (status <> 'failed' OR started_at IS NOT NULL)
        )
        SELECT greatest($2, max(turn_at), (SELECT turn_at + $3 FROM turns ORDER BY turn_at DESC OFFSET $4 LIMIT 1))
        FROM turns
        """,
        user_id,
        now,
        timedelta(seconds=STARTS_WITHIN_S),
        STARTS - 1,
    )
    return turn_at


async def _before(connection: Connection, user_id: RowId, now: datetime) -> int:
    waiting: int = await connection.fetchval(
        "SELECT count(*) FROM skill_runs WHERE user_id = $1 AND status = 'queued' AND turn_at > $2", user_id, now
    )
    return waiting


async def _write(connection: Connection, new: NewRun, client: str, turn_at: datetime, now: datetime) -> RowId | None:
    """None when the id is somebody else's. A company or a meeting that is gone meanwhile is none."""
    row: asyncpg.Record | None = await connection.fetchrow(
        """
        INSERT INTO skill_runs (tenant_id, id, user_id, skill, message, inputs, client_id, client, meeting_id, turn_at,
          created_at)
        SELECT current_tenant(), coalesce($1, gen_random_uuid()), $2, $3, $4, $5,
          (SELECT id FROM subjects WHERE id = $6), $7, (SELECT id FROM meetings WHERE id = $8), $9, $10
        ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id
        """,
        new.id,
        new.user_id,
        new.skill,
        storable(new.message),
        storable_all(new.inputs),
        new.client_id,
        storable(client),
        new.meeting_id,
        turn_at,
        now,
    )
    return None if row is None else row["id"]
