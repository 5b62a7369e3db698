"""Sources of a bootstrap: each is taken in once, as a reference that cannot be searched until all of them have ended.

write_down ─▶ queued ─▶ begin: running ─▶ stage ─▶ embed* ─▶ end: completed │ unchanged
                                            └──────────┴─▶ fail: failed, and nothing of it stays

Within one transaction. A row is locked after its bootstrap's, and before its document's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from uuid import uuid4

import asyncpg

from activities import errors
from activities.bootstraps.ports import Known, Staged, Task
from activities.documents import keys
from activities.documents.ports import BoughtBy, Vectors
from activities.ports import ModelAnswer
from activities.spending import Purchase
from activities.store import document_endings, document_texts, events, spending
from activities.store.database import Connection, storable
from schemas.base import RowId
from schemas.bootstraps import (
    BootstrapStep,
    SourceDone,
    SourceFailure,
    SourcesListing,
    SourcesPage,
    SourceStatus,
    SourceStep,
)
from schemas.documents import LONGEST_NAME

OPEN = frozenset({SourceStatus.QUEUED, SourceStatus.RUNNING})


async def write_down(connection: Connection, step: BootstrapStep, names: Sequence[str]) -> int:
    """How many there are, with those that were written down before."""
    await connection.execute(
        """
        INSERT INTO bootstrap_sources (tenant_id, bootstrap_id, source)
        SELECT current_tenant(), $1, name FROM unnest($2::text[]) AS name ON CONFLICT DO NOTHING
        """,
        step.bootstrap_id,
        [storable(one) for one in names],
    )
    await connection.execute("UPDATE bootstraps SET listed = true WHERE id = $1 AND NOT listed", step.bootstrap_id)
    sources: int = await connection.fetchval(
        "SELECT count(*) FROM bootstrap_sources WHERE bootstrap_id = $1", step.bootstrap_id
    )
    return sources


async def page(connection: Connection, listing: SourcesListing) -> SourcesPage:
    """By their names: those that were begun first come first."""
    rows = await connection.fetch(
        """
        SELECT id, count(*) OVER () AS number FROM bootstrap_sources
        WHERE bootstrap_id = $1 AND status IN ('queued', 'running') ORDER BY source, id LIMIT $2
        """,
        listing.bootstrap_id,
        listing.most,
    )
    ids = tuple(row["id"] for row in rows)
    return SourcesPage(source_ids=ids, left=rows[0]["number"] - len(ids) if rows else 0)


async def begin(connection: Connection, step: SourceStep) -> Task:
    row = await _source(connection, step)
    if row is not None and row["status"] not in OPEN:
        return Task(row["source"], done=_done(row))
    bootstrap = await _live(connection, step)
    row = await connection.fetchrow(
        """
        UPDATE bootstrap_sources SET status = 'running' WHERE id = $1 AND status IN ('queued', 'running') RETURNING *
        """,
        step.source_id,
    )
    if row is None:
        raise errors.superseded()
    known = await connection.fetchrow(
        "SELECT sha256, embedded_by FROM documents WHERE source = $1 AND searchable", row["source"]
    )
    read = await connection.fetchrow(
        "SELECT id, sha256 FROM documents WHERE id = $1 AND NOT searchable", row["document_id"]
    )
    return Task(
        name=row["source"],
        force=bootstrap["force"],
        known=None if known is None else Known(**known),
        document_id=None if read is None else read["id"],
        sha256="" if read is None else read["sha256"],
    )


async def stage(connection: Connection, step: SourceStep, staged: Staged) -> RowId:
    row = await _own(connection, step)
    there = await connection.fetchrow("SELECT id, sha256 FROM documents WHERE id = $1", row["document_id"])
    if there is not None and there["sha256"] == staged.sha256:
        document_id: RowId = there["id"]
        return document_id
    document_id = str(uuid4())
    await _insert(connection, document_id, row["source"], step, staged)
    await document_texts.store(connection, document_id, staged.parsed, staged.clauses)
    await connection.execute("UPDATE bootstrap_sources SET document_id = $2 WHERE id = $1", step.source_id, document_id)
    if there is not None:
        await document_endings.delete(connection, there["id"], step.now)
    return document_id


async def _insert(connection: Connection, document_id: RowId, source: str, step: SourceStep, staged: Staged) -> None:
    await connection.execute(
        """
        INSERT INTO documents (tenant_id, id, role, name, kind, size_bytes, sha256, object_key, source, sandbox, created_at)
        VALUES (current_tenant(), $1, 'reference', $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        document_id,
        PurePosixPath(source).name[:LONGEST_NAME],
        staged.kind.value,
        staged.size_bytes,
        staged.sha256,
        keys.original(step.tenant_id, document_id),
        source,
        staged.sandbox,
        step.now,
    )


async def unembedded(connection: Connection, document_id: RowId, by: str) -> Sequence[tuple[int, str]]:
    read = await document_texts.text(connection, document_id)
    if read is None:
        raise errors.not_found("document")
    there = await document_texts.embedded(connection, document_id, by)
    return [(clause.ordinal, read.of(clause)) for clause in read.clauses if clause.ordinal not in there]


async def embed(
    connection: Connection,
    step: SourceStep,
    document_id: RowId,
    vectors: Mapping[int, Sequence[float]],
    bought: Vectors,
    purchase: Purchase,
    by: BoughtBy,
) -> bool:
    """Whether the document is there still. They are paid either way."""
    there = await connection.fetchval("SELECT true FROM documents WHERE id = $1 FOR NO KEY UPDATE", document_id)
    new = await document_texts.embed(connection, document_id, vectors, bought.model) if there else len(vectors)
    answer = ModelAnswer(text="", stopped="", model=bought.model, usage=bought.usage)
    bill = await spending.bill(connection, purchase, by.provider, answer)
    await spending.settle(connection, bill, step.now, new=new > 0)
    return bool(there)


async def end(connection: Connection, step: SourceStep, document_id: RowId | None, by: str) -> SourceDone:
    row = await _source(connection, step)
    if row is not None and row["status"] not in OPEN:
        return _done(row)
    if document_id is not None and not await connection.fetchval(
        "SELECT true FROM documents WHERE id = $1", document_id
    ):
        raise errors.not_found("document")
    await _own(connection, step)
    await connection.execute("UPDATE documents SET embedded_by = $2 WHERE id = $1", document_id, by)
    status = SourceStatus.UNCHANGED if document_id is None else SourceStatus.COMPLETED
    return await _end(connection, step.source_id, status, "", step.now)


async def fail(connection: Connection, failure: SourceFailure) -> SourceDone:
    """What there is of it is no reference: it goes, and what was searched before stays."""
    row = await _source(connection, failure)
    if row is None:
        return SourceDone(source_id=failure.source_id, status=SourceStatus.FAILED)
    live = await connection.fetchval(
        "SELECT true FROM bootstraps WHERE id = $1 AND status = 'running' FOR SHARE", failure.bootstrap_id
    )
    row = await _source(connection, failure, lock=True)
    assert row is not None, "it goes with its bootstrap"
    if not live or row["status"] not in OPEN:
        return _done(row)
    staged = await connection.fetchval("SELECT id FROM documents WHERE id = $1 AND NOT searchable", row["document_id"])
    if staged is not None:
        await document_endings.delete(connection, staged, failure.now)
    return await _end(connection, failure.source_id, SourceStatus.FAILED, failure.reason, failure.now)


async def taken_in(connection: Connection, bootstrap_id: RowId) -> Sequence[RowId]:
    rows = await connection.fetch(
        """
        SELECT document_id FROM bootstrap_sources WHERE bootstrap_id = $1 AND status = 'completed'
          AND document_id IS NOT NULL ORDER BY source
        """,
        bootstrap_id,
    )
    return [row["document_id"] for row in rows]


async def index(connection: Connection, document_id: RowId, most: int) -> int:
    rows = await connection.fetch(
        """
        UPDATE clauses SET indexed = true WHERE document_id = $1 AND ordinal IN (
          SELECT ordinal FROM clauses WHERE document_id = $1 AND embedding IS NOT NULL AND NOT indexed
          ORDER BY ordinal LIMIT $2
        ) RETURNING ordinal
        """,
        document_id,
        most,
    )
    return len(rows)


async def _source(
    connection: Connection, step: SourceStep | SourceFailure, *, lock: bool = False
) -> asyncpg.Record | None:
    how = "FOR UPDATE" if lock else ""
    return await connection.fetchrow(
        f"SELECT * FROM bootstrap_sources WHERE id = $1 AND bootstrap_id = $2 {how}",  # noqa: S608
        step.source_id,
        step.bootstrap_id,
    )


async def _live(connection: Connection, step: SourceStep) -> asyncpg.Record:
    """Its bootstrap, which nobody ends meanwhile. Who begins it anew as another version is in nobody's way."""
    row = await connection.fetchrow(
        "SELECT * FROM bootstraps WHERE id = $1 AND status = 'running' FOR SHARE", step.bootstrap_id
    )
    if row is None:
        raise errors.superseded()
    return row


async def _own(connection: Connection, step: SourceStep) -> asyncpg.Record:
    """Its row, locked, if it has not ended."""
    await _live(connection, step)
    row = await _source(connection, step, lock=True)
    if row is None or row["status"] not in OPEN:
        raise errors.superseded()
    return row


async def _end(
    connection: Connection, source_id: RowId, status: SourceStatus, reason: str, now: datetime
) -> SourceDone:
    row = await connection.fetchrow(
        "UPDATE bootstrap_sources SET status = $2, failure_reason = $3, ended_at = $4 WHERE id = $1 RETURNING *",
        source_id,
        status.value,
        storable(reason),
        now,
    )
    assert row is not None, "it is locked"
    payload = {
        "source": row["source"],
        "progressId": source_id,
        "bootstrapId": row["bootstrap_id"],
        "status": status.value,
        "failureReason": row["failure_reason"],
    }
    await events.record(connection, "bootstrap/source.completed", f"bootstrap/source/{source_id}/ended", payload, now)
    return _done(row)


def _done(row: asyncpg.Record) -> SourceDone:
    return SourceDone(source_id=row["id"], status=SourceStatus(row["status"]))
