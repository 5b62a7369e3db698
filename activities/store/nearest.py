"""What is near: clauses of references that mean nearly the same, found by their vectors. Within one transaction."""

import asyncpg

from activities.documents.pairing import Near
from activities.store.database import Connection
from schemas.base import RowId
from schemas.documents import Clause

# How many candidates the index looks at before it answers: more of them find more of the nearest, and take longer.
CANDIDATES = 100
# It goes on until so many were looked at, or so many times the memory of a sort is full: those of other tenants count,
# so whoever has one clause in so many still gets their own.
SCANNED, MEMORY = 100_000, 16


async def references(
    connection: Connection, document_id: RowId, first: int, before: int, most: int = 1
) -> tuple[Near, ...]:
    """Of these clauses of a document each with the nearest of its tenant's references that can be searched. An index
    finds nearly all of them. Vectors of different models are not near to each other, whatever they say."""
    await tune(connection)
    rows = await connection.fetch(REFERENCES, document_id, first, before, most)
    return tuple(Near(row["ours"], clause(row), row["document_id"], row["said"], row["nearness"]) for row in rows)


async def tune(connection: Connection) -> None:
    """Until the end of the transaction the index goes on until it has enough that are of this tenant: it holds those of
    all tenants, and finds them in their order."""
    await connection.execute(
        """
        SELECT set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'strict_order', true),
          set_config('hnsw.max_scan_tuples', $2, true), set_config('hnsw.scan_mem_multiplier', $3, true)
        """,
        str(CANDIDATES),
        str(SCANNED),
        str(MEMORY),
    )


def clause(row: asyncpg.Record) -> Clause:
    return Clause(
        ordinal=row["ordinal"], start=row["start_at"], end=row["end_at"], number=row["number"], heading=row["heading"]
    )


REFERENCES = """
SELECT o.ordinal AS ours, t.*, coalesce(substring(r.text FROM t.start_at + 1 FOR t.end_at - t.start_at), '') AS said
FROM documents d
JOIN clauses o ON o.document_id = d.id AND o.ordinal >= $2 AND o.ordinal < $3 AND o.embedding IS NOT NULL
CROSS JOIN LATERAL (
  SELECT c.document_id, c.ordinal, c.start_at, c.end_at, c.number, c.heading, 1 - (c.embedding <=> o.embedding) AS nearness
  FROM clauses c JOIN documents e ON e.tenant_id = c.tenant_id AND e.id = c.document_id
  WHERE c.indexed AND e.searchable AND e.embedded_by = d.embedded_by ORDER BY c.embedding <=> o.embedding LIMIT $4
) t
JOIN documents r ON r.id = t.document_id
WHERE d.id = $1 ORDER BY o.ordinal, t.nearness DESC
"""
