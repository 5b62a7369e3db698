"""Runs of skills as their users read them. Within one transaction."""

from datetime import datetime
from typing import Any

import asyncpg

from activities.store.database import Connection
from activities.store.skill_asking import POSITION
from schemas.base import RowId
from schemas.skills import Opinion, Output, RunLine, RunView

_RUNS = f"""
SELECT r.*, {POSITION.format(now="$2")} AS position,
  coalesce((SELECT s.domain FROM subjects s WHERE s.id = r.client_id), '') AS client_domain
FROM skill_runs r WHERE ($1::uuid IS NULL OR r.user_id = $1)
"""  # noqa: S608 - put together from constants


async def lines(connection: Connection, user_id: RowId | None, most: int, now: datetime) -> tuple[RunLine, ...]:
    rows = await connection.fetch(f"{_RUNS} ORDER BY r.created_at DESC, r.id LIMIT $3", user_id, now, most)
    return tuple(RunLine(**_fields(row, RunLine)) for row in rows)


async def view(connection: Connection, user_id: RowId | None, run_id: RowId, now: datetime) -> RunView | None:
    row = await connection.fetchrow(f"{_RUNS} AND r.id = $3", user_id, now, run_id)
    if row is None:
        return None
    output = await connection.fetchrow("SELECT * FROM outputs WHERE skill_run_id = $1", run_id)
    opinions = await connection.fetch("SELECT * FROM feedback WHERE skill_run_id = $1 ORDER BY created_at, id", run_id)
    return RunView(
        **_fields(row, RunView),
        output=None if output is None else Output(**_fields(output, Output)),
        opinions=tuple(Opinion(**_fields(one, Opinion)) for one in opinions),
    )


def _fields(row: asyncpg.Record, shape: type[RunLine | RunView | Output | Opinion]) -> dict[str, Any]:
    """What of the shape stands in the row. What did not fail has no words for it."""
    said = {field: row[field] for field in shape.model_fields if field in row.keys()}  # noqa: SIM118 - not a mapping
    words = {"failed_step", "failure_reason"} & said.keys()
    return said | {field: said[field] or "" for field in words}
