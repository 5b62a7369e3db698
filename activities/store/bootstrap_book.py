"""Bootstraps as their tenants see them. Within one transaction."""

from collections.abc import Sequence

import asyncpg

from activities.store.database import Connection
from schemas.base import RowId
from schemas.bootstraps import MOST_TOLD, BootstrapStatus, BootstrapView, SourceLine, SourceStatus

_VIEW = """
SELECT b.*, (
  SELECT coalesce(jsonb_object_agg(c.status, c.number), '{}'::jsonb) FROM (
    SELECT s.status, count(*) AS number FROM bootstrap_sources s WHERE s.bootstrap_id = b.id GROUP BY s.status
  ) c
) AS counts
FROM bootstraps b
"""


async def view(connection: Connection, bootstrap_id: RowId, waiting: Sequence[RowId]) -> BootstrapView | None:
    """`waiting` are those of all tenants, in their order."""
    row = await connection.fetchrow(f"{_VIEW} WHERE b.id = $1", bootstrap_id)
    return None if row is None else _view(row, waiting, await _failed(connection, bootstrap_id))


async def views(connection: Connection, most: int, waiting: Sequence[RowId]) -> tuple[BootstrapView, ...]:
    rows = await connection.fetch(f"{_VIEW} ORDER BY b.created_at DESC, b.id LIMIT $1", most)
    return tuple(_view(row, waiting) for row in rows)


async def _failed(connection: Connection, bootstrap_id: RowId) -> tuple[SourceLine, ...]:
    rows = await connection.fetch(
        """
        SELECT id, source, status, document_id, failure_reason FROM bootstrap_sources
        WHERE bootstrap_id = $1 AND status = 'failed' ORDER BY source LIMIT $2
        """,
        bootstrap_id,
        MOST_TOLD,
    )
    return tuple(SourceLine(**row) for row in rows)


def _view(row: asyncpg.Record, waiting: Sequence[RowId], failed: tuple[SourceLine, ...] = ()) -> BootstrapView:
    counts = {SourceStatus(status): number for status, number in row["counts"].items()}
    return BootstrapView(
        id=row["id"],
        status=BootstrapStatus(row["status"]),
        force=row["force"],
        position=waiting.index(row["id"]) + 1 if row["id"] in waiting else None,
        sources=sum(counts.values()) or len(row["named"]),
        counts=counts,
        failed=failed,
        indexed_at=row["indexed_at"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        failure_reason=row["failure_reason"],
        sandbox=row["sandbox"],
    )
