"""How a file becomes a document. Within one transaction."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from activities import errors
from activities.store.database import Connection, storable
from activities.store.scripts import unneeded
from schemas.base import RowId
from schemas.documents import FileKind, Role, TakenDocument

# By then a file that is put away has its row, or nothing ever needs it.
EXPECTED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class FiledDocument:
    """A file that was put away under `object_key`, and the id that its document is to have."""

    id: RowId
    user_id: RowId | None
    role: Role
    name: str = field(repr=False)
    kind: FileKind
    size_bytes: int
    sha256: str
    object_key: str
    sandbox: bool = False


async def there(connection: Connection, user_id: RowId | None, role: Role, sha256: str) -> TakenDocument | None:
    document_id: RowId | None = await connection.fetchval(
        "SELECT id FROM documents WHERE user_id IS NOT DISTINCT FROM $1 AND role = $2 AND sha256 = $3",
        user_id,
        role.value,
        sha256,
    )
    return None if document_id is None else TakenDocument(id=document_id, fresh=False)


async def expect(connection: Connection, object_key: str, now: datetime) -> None:
    await unneeded(connection, [object_key], now + EXPECTED_WITHIN)


async def take(connection: Connection, new: FiledDocument, now: datetime) -> TakenDocument:
    """References come by bootstraps alone: several of the same bytes may be there for a while."""
    if new.user_id is not None and not await connection.fetchval("SELECT true FROM users WHERE id = $1", new.user_id):
        raise errors.not_found("user")
    while True:
        if await _write(connection, new, now):
            await connection.execute("DELETE FROM unneeded_objects WHERE key = $1", new.object_key)
            return TakenDocument(id=new.id, fresh=True)
        before = await there(connection, new.user_id, new.role, new.sha256)
        # One that is deleted just then is not there any more: it is written anew.
        if before is not None:
            if before.id != new.id:
                await unneeded(connection, [new.object_key], now)
            return before


async def _write(connection: Connection, new: FiledDocument, now: datetime) -> bool:
    written = await connection.fetchval(
        """
        INSERT INTO documents (tenant_id, id, user_id, role, name, kind, size_bytes, sha256, object_key, sandbox, created_at)
        SELECT current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 ON CONFLICT DO NOTHING RETURNING true
        """,
        new.id,
        new.user_id,
        new.role.value,
        storable(new.name),
        new.kind.value,
        new.size_bytes,
        new.sha256,
        new.object_key,
        new.sandbox,
        now,
    )
    return bool(written)
