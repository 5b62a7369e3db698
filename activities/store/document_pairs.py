"""Which clauses answer which, found by how near their vectors are: once for all parts of a comparison.

found: a few clauses in each transaction, no row locked ─▶ keep: within the run's, the first that come ─▶ of: as kept
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import asyncpg

from activities.documents import pairing
from activities.documents.pairing import Near
from activities.documents.ports import Pair, Text
from activities.store import document_texts, nearest
from activities.store.database import Connection, Database, patient
from schemas.base import RowId, TenantId
from schemas.documents import Clause

# A clause of theirs, its document, and what it says.
Theirs: TypeAlias = tuple[Clause | None, RowId | None, str]
Kept: TypeAlias = tuple[int | None, int | None, RowId | None, float]

# Of each clause of ours so many of theirs can come into question.
FEW = 5
# ... and of references so many: the nearest may be about something else.
MANY = 20
# Clauses of ours that one transaction looks for: among many thousands of theirs each takes a while.
BATCH = 10


async def found(database: Database, run: asyncpg.Record, ours: Text) -> tuple[Pair, ...]:
    """It may take a while, in which nobody who wants the run or its documents waits."""
    tenant_id, document_id, other_id = (run[name] for name in ("tenant_id", "document_id", "other_id"))
    firsts = range(0, len(ours.clauses), BATCH)
    if other_id is None:
        near = [one for first in firsts for one in await _references(database, tenant_id, document_id, first)]
        return await asyncio.to_thread(pairing.nearest, ours, near)
    theirs = await _text(database, tenant_id, other_id)
    scores: dict[tuple[int, int], float] = {}
    for first in firsts:
        scores |= await _near(database, tenant_id, document_id, other_id, first)
    return await asyncio.to_thread(pairing.pair, ours, theirs, other_id, scores)


async def keep(connection: Connection, run_id: RowId, pairs: Sequence[Pair]) -> asyncpg.Record:
    """The run, with the pairs that were found first: those that come later are not wanted."""
    await connection.execute(
        "UPDATE document_runs SET pairs = $2 WHERE id = $1 AND pairs IS NULL", run_id, list(map(_said, pairs))
    )
    row: asyncpg.Record = await connection.fetchrow("SELECT * FROM document_runs WHERE id = $1", run_id)
    return row


async def of(connection: Connection, run: asyncpg.Record, ours: Text) -> tuple[Pair, ...]:
    """As they were found for the first part: vectors that come later, and references, change them no more. Of one that is
    gone meanwhile nothing is told."""
    theirs = await _theirs(connection, run["pairs"])
    by_ordinal = {clause.ordinal: clause for clause in ours.clauses}
    return tuple(
        Pair(by_ordinal.get(ordinal), *theirs.get((document_id, other), _nothing(document_id)), nearness)
        for ordinal, other, document_id, nearness in run["pairs"]
        if other is None or (document_id, other) in theirs
    )


@patient
async def _text(database: Database, tenant_id: TenantId, document_id: RowId) -> Text:
    async with database.tenant(tenant_id) as connection:
        return await document_texts.needed(connection, document_id)


@patient
async def _near(
    database: Database, tenant_id: TenantId, document_id: RowId, other_id: RowId, first: int
) -> dict[tuple[int, int], float]:
    """Vectors of different models are not near to each other, whatever they say."""
    async with database.tenant(tenant_id) as connection:
        rows = await connection.fetch(_NEAR, document_id, other_id, first, first + BATCH, FEW)
        return {(row["ours"], row["theirs"]): row["nearness"] for row in rows}


@patient
async def _references(database: Database, tenant_id: TenantId, document_id: RowId, first: int) -> tuple[Near, ...]:
    async with database.tenant(tenant_id) as connection:
        return await nearest.references(connection, document_id, first, first + BATCH, MANY)


async def _theirs(connection: Connection, pairs: Iterable[Kept]) -> dict[tuple[RowId | None, int | None], Theirs]:
    """Clauses of theirs, with what they say, by their documents and ordinals."""
    named = [(document_id, ordinal) for _, ordinal, document_id, _ in pairs if ordinal is not None]
    rows = await connection.fetch(
        """
        SELECT c.*, substring(d.text FROM c.start_at + 1 FOR c.end_at - c.start_at) AS said
        FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::int[]) AS n(document_id, ordinal)) n
        JOIN clauses c ON c.document_id = n.document_id AND c.ordinal = n.ordinal JOIN documents d ON d.id = c.document_id
        """,
        [document_id for document_id, _ in named],
        [ordinal for _, ordinal in named],
    )
    return {
        (row["document_id"], row["ordinal"]): (nearest.clause(row), row["document_id"], row["said"]) for row in rows
    }


def _nothing(document_id: RowId | None) -> Theirs:
    return None, document_id, ""


def _said(pair: Pair) -> Kept:
    ours, theirs = (None if one is None else one.ordinal for one in (pair.ours, pair.theirs))
    return ours, theirs, pair.theirs_document_id, pair.nearness


_NEAR = """
SELECT o.ordinal AS ours, t.ordinal AS theirs, t.nearness
FROM documents d JOIN documents e ON e.id = $2 AND e.embedded_by = d.embedded_by
JOIN clauses o ON o.document_id = d.id AND o.ordinal >= $3 AND o.ordinal < $4 AND o.embedding IS NOT NULL
CROSS JOIN LATERAL (
  SELECT c.ordinal, 1 - (c.embedding <=> o.embedding) AS nearness FROM clauses c
  WHERE c.document_id = $2 AND c.embedding IS NOT NULL ORDER BY c.embedding <=> o.embedding LIMIT $5
) t
WHERE d.id = $1 AND d.embedded_by <> ''
"""
