"""The desk where pages and other applications bring documents and have them worked on, while somebody waits."""

import asyncio
from functools import cached_property

from activities.ports import Objects
from activities.store.documents import DocumentStore
from schemas.base import RowId, TenantId
from schemas.documentbook import ComparisonView, DocumentLine, DocumentView, RedlineView, RunView
from schemas.documents import AskedRun, NewRun, Role, TakenDocument
from starter import documents
from starter.errands import answered
from starter.office import Office
from starter.words import NotFoundError, NotReadyError

# A file goes where files are kept, which may be far away.
KEEPING_S = 20.0
NOT_KEPT = "There is nowhere to keep files"


class Reviewing:
    """A DocumentDesk."""

    def __init__(self, at: Office) -> None:
        self._at = at

    async def upload(
        self, tenant_id: TenantId, user_id: RowId | None, role: Role, name: str, data: bytes
    ) -> TakenDocument:
        try:
            async with asyncio.timeout(KEEPING_S):
                return await documents.upload(self._at, tenant_id, user_id, role, name, data)
        except TimeoutError:
            raise NotReadyError("The place where files are kept does not answer") from None

    async def ask(self, tenant_id: TenantId, wanted: NewRun) -> AskedRun:
        async with answered():
            return await documents.ask(self._at, tenant_id, wanted)

    async def retry(self, tenant_id: TenantId, run_id: RowId, reason: str) -> AskedRun:
        async with answered():
            return await documents.retry(self._at, tenant_id, run_id, reason)

    async def cancel(self, tenant_id: TenantId, run_id: RowId) -> bool:
        async with answered():
            return await documents.cancel(self._at, tenant_id, run_id)

    async def delete(self, tenant_id: TenantId, document_id: RowId) -> bool:
        async with answered():
            return await documents.delete(self._at, tenant_id, document_id)

    async def file(self, tenant_id: TenantId, found: RunView) -> bytes | None:
        if self._objects is None:
            raise NotReadyError(NOT_KEPT)
        key = await self._rows.redline_key(tenant_id, found.id)
        return None if key is None else await self._objects.get(key)

    @cached_property
    def _rows(self) -> DocumentStore:
        return DocumentStore(self._at.database)

    @cached_property
    def _objects(self) -> Objects | None:
        from activities.providers import made  # noqa: PLC0415 - the providers' libraries take a second to load

        return made.objects(self._at.settings)


class NoDocuments:
    """There is no document anywhere, and none can be brought."""

    async def list(
        self, _tenant_id: TenantId, _user_id: RowId | None, _role: Role | None, _most: int
    ) -> tuple[DocumentLine, ...]:
        return ()

    async def view(self, _tenant_id: TenantId, _user_id: RowId | None, _document_id: RowId) -> DocumentView | None:
        return None

    async def run_view(self, _tenant_id: TenantId, _user_id: RowId | None, _run_id: RowId) -> RunView | None:
        return None

    async def comparison(self, _tenant_id: TenantId, _user_id: RowId | None, _run_id: RowId) -> ComparisonView | None:
        return None

    async def redline(self, _tenant_id: TenantId, _user_id: RowId | None, _run_id: RowId) -> RedlineView | None:
        return None

    async def upload(
        self, _tenant_id: TenantId, _user_id: RowId | None, _role: Role, _name: str, _data: bytes
    ) -> TakenDocument:
        raise NotReadyError(NOT_KEPT)

    async def ask(self, _tenant_id: TenantId, _wanted: NewRun) -> AskedRun:
        raise NotFoundError("There is no such document")

    async def retry(self, _tenant_id: TenantId, _run_id: RowId, _reason: str) -> AskedRun:
        raise NotFoundError("There is no such run")

    async def cancel(self, _tenant_id: TenantId, _run_id: RowId) -> bool:
        return False

    async def delete(self, _tenant_id: TenantId, _document_id: RowId) -> bool:
        return False

    async def file(self, _tenant_id: TenantId, _found: RunView) -> bytes | None:
        return None
