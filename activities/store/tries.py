"""Since when the subjects of a run are being tried, for its deadline: waiting for a turn is taken off."""

from datetime import datetime

from activities.store.database import Connection
from schemas.base import RowId


async def begin(
    connection: Connection, research_id: RowId, version: int, subject_id: RowId, now: datetime, queued_s: float
) -> None:
    """The clock runs from the first try; what a later try waited for a worker is taken off."""
    await connection.execute(
        """
        INSERT INTO tries AS t (tenant_id, research_id, version, subject_id, first_start)
        VALUES (current_tenant(), $1, $2, $3, $4)
        ON CONFLICT (tenant_id, research_id, version, subject_id) DO UPDATE SET waited_s = t.waited_s + $5
        """,
        research_id,
        version,
        subject_id,
        now,
        queued_s,
    )


async def wait(connection: Connection, research_id: RowId, version: int, subject_id: RowId, wait_s: float) -> None:
    """The turn comes in `wait_s` seconds: until then the clock stands still."""
    await connection.execute(
        """
        UPDATE tries SET waited_s = waited_s + $4 WHERE research_id = $1 AND version = $2 AND subject_id = $3
        """,
        research_id,
        version,
        subject_id,
        wait_s,
    )
