"""What is read of documents: their texts, the clauses of these, and their vectors. Within one transaction."""

from collections.abc import Mapping, Sequence

import asyncpg

from activities import errors
from activities.documents.ports import BoughtBy, Parsed, Stored, Text, Vectors
from activities.ports import ModelAnswer
from activities.spending import Purchase
from activities.store import document_made, spending
from activities.store.database import Connection
from schemas.base import RowId
from schemas.documents import Clause, DocumentStep, FileKind


async def stored(connection: Connection, document_id: RowId) -> Stored:
    row = await connection.fetchrow("SELECT kind, object_key, name FROM documents WHERE id = $1", document_id)
    assert row is not None, "it is locked"
    return Stored(FileKind(row["kind"]), row["object_key"], row["name"])


async def store(connection: Connection, document_id: RowId, parsed: Parsed, clauses: Sequence[Clause]) -> bool:
    """Whether it is new: what was read meanwhile stays as it is."""
    written = await connection.fetchval(
        """
        UPDATE documents SET text = $2, pages = $3, tracked = $4, embedded_by = '' WHERE id = $1 AND text IS NULL
        RETURNING true
        """,
        document_id,
        _as_long(parsed.text),
        parsed.pages,
        parsed.tracked,
    )
    if not written:
        return False
    await connection.execute(
        """
        INSERT INTO clauses (tenant_id, document_id, ordinal, start_at, end_at, number, heading)
        SELECT current_tenant(), $1, c.* FROM unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::text[]) AS c
        """,
        document_id,
        [one.ordinal for one in clauses],
        [one.start for one in clauses],
        [one.end for one in clauses],
        [_as_long(one.number) for one in clauses],
        [_as_long(one.heading) for one in clauses],
    )
    return True


async def text(connection: Connection, document_id: RowId) -> Text | None:
    row = await connection.fetchrow("SELECT text, embedded_by FROM documents WHERE id = $1", document_id)
    if row is None or row["text"] is None:
        return None
    return Text(row["text"], await clauses(connection, document_id), row["embedded_by"])


async def needed(connection: Connection, document_id: RowId) -> Text:
    """The text of a document that is read already."""
    read = await text(connection, document_id)
    if read is None:
        raise errors.superseded()
    return read


async def clauses(connection: Connection, document_id: RowId) -> tuple[Clause, ...]:
    rows = await connection.fetch(
        'SELECT ordinal, start_at AS start, end_at AS "end", number, heading FROM clauses WHERE document_id = $1'
        " ORDER BY ordinal",
        document_id,
    )
    return tuple(Clause(**row) for row in rows)


async def unread(connection: Connection, run: asyncpg.Record) -> tuple[RowId, ...]:
    """Of the documents that a run is about those without a text, its own first."""
    rows = await connection.fetch(
        "SELECT id FROM documents WHERE id = ANY($1::uuid[]) AND text IS NULL",
        [one for one in (run["document_id"], run["other_id"]) if one],
    )
    ids = {row["id"] for row in rows}
    return tuple(one for one in (run["document_id"], run["other_id"]) if one in ids)


async def embedded(connection: Connection, document_id: RowId, by: str) -> frozenset[int]:
    rows = await connection.fetch(
        """
        SELECT c.ordinal FROM clauses c JOIN documents d ON d.id = c.document_id
        WHERE d.id = $1 AND d.embedded_by = $2 AND c.embedding IS NOT NULL
        """,
        document_id,
        by,
    )
    return frozenset(row["ordinal"] for row in rows)


async def embed(connection: Connection, document_id: RowId, vectors: Mapping[int, Sequence[float]], by: str) -> int:
    """How many are new. Those of another model go: they are not near to each other."""
    await connection.execute(
        """
        WITH other AS (UPDATE documents SET embedded_by = $2 WHERE id = $1 AND embedded_by <> $2 RETURNING id)
        UPDATE clauses SET embedding = NULL FROM other WHERE document_id = other.id
        """,
        document_id,
        by,
    )
    rows = await connection.fetch(
        """
        UPDATE clauses c SET embedding = v.embedding::vector FROM unnest($2::int[], $3::text[]) AS v(ordinal, embedding)
        WHERE c.document_id = $1 AND c.ordinal = v.ordinal AND c.embedding IS NULL RETURNING c.ordinal
        """,
        document_id,
        list(vectors),
        [literal(one) for one in vectors.values()],
    )
    return len(rows)


async def settle(
    connection: Connection, step: DocumentStep, bought: Vectors, purchase: Purchase, by: BoughtBy, *, new: bool
) -> None:
    """Whatever becomes of the vectors, they are paid."""
    answer = ModelAnswer(text="", stopped="", model=bought.model, usage=bought.usage)
    bill = await spending.bill(connection, purchase, by.provider, answer)
    await spending.settle(connection, bill, step.now, new=new)
    await document_made.count(connection, step.run_id, sandbox=by.sandbox)


async def forget(connection: Connection, documents: Sequence[RowId]) -> None:
    """Texts and vectors of those that no run needs: they stand as if they had just come. References have no runs."""
    await connection.execute(
        """
        WITH unneeded AS (
          UPDATE documents d SET text = NULL, pages = NULL, tracked = false, embedded_by = ''
          WHERE id = ANY($1::uuid[]) AND role <> 'reference' AND NOT EXISTS (
            SELECT FROM document_runs r WHERE (r.document_id = d.id OR r.other_id = d.id)
              AND r.status IN ('queued', 'running', 'completed')
          ) RETURNING id
        )
        DELETE FROM clauses c USING unneeded u WHERE c.document_id = u.id
        """,
        list(documents),
    )


def literal(vector: Sequence[float]) -> str:
    """As Postgres reads it: it keeps seven digits of each."""
    return "[" + ",".join(f"{one:.8g}" for one in vector) + "]"


def _as_long(said: str) -> str:
    """Text that a row can hold, in which every letter stays where it is: offsets count them."""
    return said.replace("\x00", "\ufffd").encode(errors="replace").decode()
