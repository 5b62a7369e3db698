"""Documents as their users read them, with what was made of them. Within one transaction."""

from pathlib import PurePath
from typing import Any

import asyncpg

from activities.store import document_texts
from activities.store.database import Connection
from activities.store.document_made import passage
from schemas.base import RowId
from schemas.documentbook import ComparisonView, DocumentLine, DocumentView, RedlineView, RunView
from schemas.documents import Against, Difference, Finding, NewRun, Passage, Proposal, Role, RunStatus, Work

# A reference that is being taken in is not there yet. Without a user it is all of a tenant's.
_SEEN = """
(d.role <> 'reference' OR d.searchable)
AND ($1::uuid IS NULL OR d.user_id = $1 OR (d.user_id IS NULL AND d.role <> 'review'))
"""

_DOCUMENTS = f"SELECT d.* FROM documents d WHERE {_SEEN}"  # noqa: S608 - put together from constants

# How a document stands is how its review stands, of which there is at most one.
_LINES = f"""
SELECT d.id, d.name, d.role, d.kind, d.size_bytes, d.pages, d.created_at,
  d.sandbox OR EXISTS (SELECT FROM document_runs o WHERE o.document_id = d.id AND o.sandbox) AS sandbox,
  (SELECT count(*) FROM clauses c WHERE c.document_id = d.id) AS clauses, r.status, coalesce(r.step, '') AS step,
  coalesce(r.percent, 0) AS percent, CASE WHEN r.status = 'completed' THEN r.risk END AS risk, (
    SELECT o.work FROM document_runs o WHERE o.document_id = d.id AND o.work <> 'analysis'
      AND o.status IN ('queued', 'running') ORDER BY o.asked_at DESC, o.id LIMIT 1
  ) AS doing
FROM documents d LEFT JOIN document_runs r ON r.document_id = d.id AND r.work = 'analysis'
WHERE {_SEEN} AND ($2::text IS NULL OR d.role = $2) ORDER BY d.role = 'reference', d.created_at DESC, d.id LIMIT $3
"""  # noqa: S608 - put together from constants

_RUNS = """
SELECT r.*, coalesce(o.name, '') AS other_name, d.name AS document_name
FROM document_runs r JOIN documents d ON d.id = r.document_id LEFT JOIN documents o ON o.id = r.other_id
"""

# What matters most first, then as it stands in the document.
_DIFFERENCES = """
SELECT * FROM document_differences WHERE document_run_id = $1
ORDER BY array_position(ARRAY['high', 'medium', 'low', 'none'], matters), part, position
"""


async def lines(
    connection: Connection, user_id: RowId | None, role: Role | None, most: int
) -> tuple[DocumentLine, ...]:
    rows = await connection.fetch(_LINES, user_id, role.value if role else None, most)
    return tuple(DocumentLine(**row) for row in rows)


async def view(connection: Connection, user_id: RowId | None, document_id: RowId) -> DocumentView | None:
    row = await connection.fetchrow(f"{_DOCUMENTS} AND d.id = $2", user_id, document_id)
    if row is None:
        return None
    runs = await connection.fetch(f"{_RUNS} WHERE r.document_id = $1 ORDER BY r.asked_at DESC, r.id", document_id)
    return DocumentView(
        **{name: row[name] for name in ("id", "user_id", "name", "role", "kind", "size_bytes", "pages", "tracked")},
        created_at=row["created_at"],
        text=row["text"] or "",
        clauses=await document_texts.clauses(connection, document_id),
        runs=tuple(map(_run, runs)),
        findings=await findings(connection, document_id),
        sandbox=row["sandbox"] or any(run["sandbox"] for run in runs),
    )


async def comparison(connection: Connection, user_id: RowId | None, run_id: RowId) -> ComparisonView | None:
    run = await _one(connection, Work.COMPARISON, run_id)
    document = None if run is None else await view(connection, user_id, run.document_id)
    if run is None or document is None:
        return None
    other = None if run.other_id is None else await view(connection, user_id, run.other_id)
    rows = await connection.fetch(_DIFFERENCES, run_id)
    return ComparisonView(run=run, document=document, other=other, differences=tuple(map(_difference, rows)))


async def redline(connection: Connection, user_id: RowId | None, run_id: RowId) -> RedlineView | None:
    run = await _one(connection, Work.REDLINE, run_id)
    if run is None or not await connection.fetchrow(f"{_DOCUMENTS} AND d.id = $2", user_id, run.document_id):
        return None
    rows = await connection.fetch(
        "SELECT * FROM document_proposals WHERE document_run_id = $1 ORDER BY (passage->>'start')::int, id", run_id
    )
    return RedlineView(run=run, proposals=tuple(map(_proposal, rows)))


async def redline_key(connection: Connection, run_id: RowId) -> str | None:
    key: str | None = await connection.fetchval(
        "SELECT object_key FROM document_runs WHERE id = $1 AND status = 'completed'", run_id
    )
    return key


async def run(connection: Connection, run_id: RowId) -> tuple[RowId, Work, RunStatus] | None:
    row = await connection.fetchrow("SELECT document_id, work, status FROM document_runs WHERE id = $1", run_id)
    return None if row is None else (row["document_id"], Work(row["work"]), RunStatus(row["status"]))


async def run_view(connection: Connection, user_id: RowId | None, run_id: RowId) -> RunView | None:
    row = await connection.fetchrow(f"{_RUNS} WHERE {_SEEN} AND r.id = $2", user_id, run_id)
    return None if row is None else _run(row)


async def to_retry(connection: Connection, row_id: RowId) -> NewRun | None:
    row = await connection.fetchrow(
        """
        SELECT * FROM document_runs WHERE (document_id = $1 OR id = $1) AND status IN ('failed', 'cancelled')
        ORDER BY ended_at DESC, id LIMIT 1
        """,
        row_id,
    )
    if row is None:
        return None
    return NewRun(**{name: row[name] for name in ("document_id", "work", "against", "other_id", "urgent")})


async def findings(connection: Connection, document_id: RowId) -> tuple[Finding, ...]:
    """What its analysis found if it ended well, as it stands in the text; what is missing comes last."""
    rows = await connection.fetch(
        """
        SELECT f.* FROM document_findings f JOIN document_runs r ON r.id = f.document_run_id
        WHERE r.document_id = $1 AND r.work = 'analysis' AND r.status = 'completed'
        ORDER BY f.start_at NULLS LAST, f.part, f.position
        """,
        document_id,
    )
    return tuple(_finding(row) for row in rows)


async def against_playbook(connection: Connection, document_id: RowId) -> tuple[Difference, ...]:
    """What differs from the playbook, by the newest comparison with one that ended well."""
    run_id = await connection.fetchval(
        """
        SELECT id FROM document_runs WHERE document_id = $1 AND work = 'comparison' AND against = $2
          AND status = 'completed' ORDER BY ended_at DESC LIMIT 1
        """,
        document_id,
        Against.PLAYBOOK.value,
    )
    rows = [] if run_id is None else await connection.fetch(_DIFFERENCES, run_id)
    return tuple(map(_difference, rows))


async def _one(connection: Connection, work: Work, run_id: RowId) -> RunView | None:
    row = await connection.fetchrow(f"{_RUNS} WHERE r.id = $1 AND r.work = $2", run_id, work.value)
    return None if row is None else _run(row)


def _run(row: asyncpg.Record) -> RunView:
    said: dict[str, Any] = {name: row[name] for name in RunView.model_fields if name in row.keys()}  # noqa: SIM118 - not a mapping
    stem = PurePath(row["document_name"]).stem
    return RunView(
        **said | {"dropped": sum(row["dropped"].values())},
        file_name=f"{stem}-redline.docx" if row["object_key"] else "",
    )


def _finding(row: asyncpg.Record) -> Finding:
    said = {name: row[name] for name in ("id", "topic", "rule", "risk", "said")}
    return Finding(**said, passage=passage(row))


def _difference(row: asyncpg.Record) -> Difference:
    said = {name: row[name] for name in ("id", "topic", "change", "matters", "said", "theirs_document_id")}
    ours, theirs = (Passage(**row[side]) if row[side] else None for side in ("ours", "theirs"))
    return Difference(**said, ours=ours, theirs=theirs)


def _proposal(row: asyncpg.Record) -> Proposal:
    said = {name: row[name] for name in ("id", "replacement", "reason", "finding_id")}
    return Proposal(**said, passage=Passage(**row["passage"]))
