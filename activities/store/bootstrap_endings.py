"""How a bootstrap ends: its references can be searched, all at once, or nothing of it stays. One terminal event for each.
Within one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from activities import errors
from activities.store import events
from activities.store.database import Connection, storable
from schemas.base import RowId
from schemas.bootstraps import BootstrapDone, BootstrapFailure, BootstrapStatus, BootstrapStep


async def own(connection: Connection, step: BootstrapStep) -> asyncpg.Record:
    """Its row, locked, if it is this run's still, and has not ended."""
    row = await connection.fetchrow(
        "SELECT * FROM bootstraps WHERE id = $1 AND status = 'running' AND version = $2 FOR NO KEY UPDATE",
        step.bootstrap_id,
        step.version,
    )
    if row is None:
        raise errors.superseded()
    return row


async def publish(connection: Connection, step: BootstrapStep) -> int:
    """Of one name one is searched: whatever was, is not any more."""
    await connection.execute(
        """
        UPDATE documents d SET searchable = false FROM bootstrap_sources s
        WHERE s.bootstrap_id = $1 AND s.status = 'completed' AND s.document_id <> d.id
          AND d.source = s.source AND d.searchable
        """,
        step.bootstrap_id,
    )
    await connection.execute(
        """
        UPDATE documents d SET searchable = true FROM bootstrap_sources s
        WHERE s.bootstrap_id = $1 AND s.status = 'completed' AND s.document_id = d.id AND NOT d.searchable
        """,
        step.bootstrap_id,
    )
    published: int = await connection.fetchval(
        """
        UPDATE bootstraps SET indexed_at = coalesce(indexed_at, $2) WHERE id = $1
        RETURNING (SELECT count(*) FROM bootstrap_sources WHERE bootstrap_id = $1 AND status = 'completed')
        """,
        step.bootstrap_id,
        step.now,
    )
    return published


async def replaced(connection: Connection, most: int) -> Sequence[RowId]:
    """References that came of a library and are not searched in: one bootstrap at a time is under way, and its own are.
    What something was compared with stays as long as that comparison does."""
    rows = await connection.fetch(
        """
        SELECT d.id FROM documents d WHERE d.role = 'reference' AND d.source IS NOT NULL AND NOT d.searchable
          AND NOT EXISTS (SELECT FROM document_runs r WHERE r.other_id = d.id) ORDER BY d.id LIMIT $1
        """,
        most,
    )
    return [row["id"] for row in rows]


async def staged(connection: Connection, bootstrap_id: RowId, most: int) -> Sequence[RowId]:
    """What a bootstrap took in that cannot be searched, and that nothing was compared with."""
    rows = await connection.fetch(
        """
        SELECT d.id FROM documents d JOIN bootstrap_sources s ON s.document_id = d.id
        WHERE s.bootstrap_id = $1 AND NOT d.searchable
          AND NOT EXISTS (SELECT FROM document_runs r WHERE r.other_id = d.id) ORDER BY d.id LIMIT $2
        """,
        bootstrap_id,
        most,
    )
    return [row["id"] for row in rows]


async def finish(connection: Connection, step: BootstrapStep) -> BootstrapDone:
    """One of which nothing could be taken in has failed."""
    row = await connection.fetchrow("SELECT * FROM bootstraps WHERE id = $1 FOR NO KEY UPDATE", step.bootstrap_id)
    if row is None or row["version"] != step.version:
        raise errors.superseded()
    if row["status"] == "running":
        there, failed = await _counts(connection, step.bootstrap_id)
        if not there:
            reason = f"none of its {failed} sources could be taken in"
            await _end(connection, step.bootstrap_id, BootstrapStatus.FAILED, reason, step.now)
        else:
            await _end(connection, step.bootstrap_id, BootstrapStatus.COMPLETED, "", step.now)
    return await done(connection, step.bootstrap_id)


async def fail(connection: Connection, failure: BootstrapFailure) -> BootstrapDone:
    """What has ended stays so; so does what another run goes on with."""
    row = await connection.fetchrow("SELECT * FROM bootstraps WHERE id = $1 FOR NO KEY UPDATE", failure.bootstrap_id)
    if row is not None and row["status"] == "running" and row["version"] == failure.version:
        status = BootstrapStatus.CANCELLED if failure.cancelled else BootstrapStatus.FAILED
        await _end(connection, failure.bootstrap_id, status, failure.reason, failure.now)
    return await done(connection, failure.bootstrap_id)


async def cancel(connection: Connection, bootstrap_id: RowId, reason: str, now: datetime) -> bool | None:
    """Whether it had not ended; None when it is not there. What can be searched in already is as good as done."""
    row = await connection.fetchrow("SELECT * FROM bootstraps WHERE id = $1 FOR NO KEY UPDATE", bootstrap_id)
    if row is None:
        return None
    if row["status"] not in ("queued", "running") or row["indexed_at"] is not None:
        return False
    await _end(connection, bootstrap_id, BootstrapStatus.CANCELLED, reason, now)
    return True


async def done(connection: Connection, bootstrap_id: RowId) -> BootstrapDone:
    """How it stands. One that is gone came to nothing."""
    status = await connection.fetchval("SELECT status FROM bootstraps WHERE id = $1", bootstrap_id)
    there, failed = await _counts(connection, bootstrap_id)
    return BootstrapDone(
        bootstrap_id=bootstrap_id,
        status=BootstrapStatus(status or BootstrapStatus.FAILED),
        completed=there,
        failed=failed,
    )


async def _counts(connection: Connection, bootstrap_id: RowId) -> tuple[int, int]:
    row = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE status IN ('completed', 'unchanged')) AS there,
          count(*) FILTER (WHERE status = 'failed') AS failed
        FROM bootstrap_sources WHERE bootstrap_id = $1
        """,
        bootstrap_id,
    )
    assert row is not None, "counts have a row"
    return row["there"], row["failed"]


async def _end(
    connection: Connection, bootstrap_id: RowId, status: BootstrapStatus, reason: str, now: datetime
) -> None:
    """Sources that had not ended have failed with it, which its own event tells for them."""
    await connection.execute(
        """
        UPDATE bootstraps SET status = $2, failure_reason = $3, ended_at = $4, sandbox = EXISTS (
          SELECT FROM bootstrap_sources s JOIN documents d ON d.id = s.document_id WHERE s.bootstrap_id = $1 AND d.sandbox
        )
        WHERE id = $1
        """,
        bootstrap_id,
        status.value,
        storable(reason),
        now,
    )
    await connection.execute(
        """
        UPDATE bootstrap_sources SET status = 'failed', failure_reason = $2, ended_at = $3
        WHERE bootstrap_id = $1 AND status IN ('queued', 'running')
        """,
        bootstrap_id,
        storable(reason),
        now,
    )
    payload: dict[str, Any] = {"bootstrapId": bootstrap_id, "failureReason": reason}
    if status is BootstrapStatus.COMPLETED:
        there, failed = await _counts(connection, bootstrap_id)
        payload = {"bootstrapId": bootstrap_id, "completed": there, "failed": failed}
    name = "completed" if status is BootstrapStatus.COMPLETED else "failed"
    await events.record(connection, f"bootstrap/ingest.{name}", f"bootstrap/{bootstrap_id}/ended", payload, now)
