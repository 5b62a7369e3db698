"""What goes of documents with a person whom they name, and with time. Within one transaction."""

from datetime import datetime

from activities.store import document_endings
from activities.store.database import Connection
from activities.store.mentions import Mentions
from schemas.base import RowId


async def documents(connection: Connection, named: Mentions) -> list[RowId]:
    """Those that name them, locked."""
    rows = await connection.fetch(
        "SELECT id FROM documents WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE", named.rows["documents"]
    )
    return [row["id"] for row in rows]


async def forget(connection: Connection, documents: list[RowId], named: Mentions, now: datetime) -> dict[str, int]:
    """How much that was, by kind. A document that names them goes whole, with its files: a text with a gap is another
    text. Of one that does not, runs go that name them all the same: they quote what it was compared with. Whoever works
    on one finds that it is gone."""
    gone = [one for one in documents if await document_endings.delete(connection, one, now) is not None]
    runs = [one for one in named.rows["document_runs"] if await document_endings.delete_run(connection, one, now)]
    return {"documents": len(gone), "runs of documents": len(runs)}


# What a model answered: the findings that came of it stay with their document. A run under way may be made of it.
REPLIES = """
DELETE FROM document_replies WHERE (document_run_id, asked) IN (
  SELECT a.document_run_id, a.asked FROM document_replies a JOIN document_runs r ON r.id = a.document_run_id
  WHERE a.created_at < $1 AND r.status NOT IN ('queued', 'running') ORDER BY a.created_at, a.asked LIMIT $2
)
"""
