"""Documents: files that came in, and what is asked to be done with them.

take ─▶ a row without a text ─▶ ask: a run, queued ─▶ (see document_runs) ─▶ delete: all of it
"""

from datetime import datetime

from activities.store import document_asking, document_book, document_endings, document_taking
from activities.store.database import Database, patient
from activities.store.document_taking import FiledDocument
from schemas.base import RowId, TenantId
from schemas.documentbook import ComparisonView, DocumentLine, DocumentView, RedlineView, RunView
from schemas.documents import AskedRun, NewRun, Role, RunStatus, TakenDocument, Work


class DocumentStore:
    """What users see and ask for. They see what is theirs and what is their tenant's; without a user, it is all of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def expect(self, tenant_id: TenantId, object_key: str, now: datetime) -> None:
        """Before a file is put there: when no document takes it in time, it is to be deleted. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            await document_taking.expect(connection, object_key, now)

    @patient
    async def take(self, tenant_id: TenantId, new: FiledDocument, now: datetime) -> TakenDocument:
        """The row of a file that was put away. The same file of the same user in the same role is the same document: its
        first key stays, and another that it was put under is to be deleted. Safe to run twice."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_taking.take(connection, new, now)

    @patient
    async def there(self, tenant_id: TenantId, user_id: RowId | None, role: Role, sha256: str) -> TakenDocument | None:
        """The document that this file is already, so that it need not be put away again."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_taking.there(connection, user_id, role, sha256)

    @patient
    async def list(
        self, tenant_id: TenantId, user_id: RowId | None = None, role: Role | None = None, most: int = 30
    ) -> tuple[DocumentLine, ...]:
        """The newest first."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.lines(connection, user_id, role, most)

    @patient
    async def view(self, tenant_id: TenantId, user_id: RowId | None, document_id: RowId) -> DocumentView | None:
        """None when it is not there, or somebody else's."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.view(connection, user_id, document_id)

    @patient
    async def run_view(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> RunView | None:
        """How one run stands, without what it made."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.run_view(connection, user_id, run_id)

    @patient
    async def comparison(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> ComparisonView | None:
        """Likewise; of what it is compared with only what this user may see."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.comparison(connection, user_id, run_id)

    @patient
    async def redline(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> RedlineView | None:
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.redline(connection, user_id, run_id)

    @patient
    async def redline_key(self, tenant_id: TenantId, run_id: RowId) -> str | None:
        """Where the file of a redline lies, once there is one."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.redline_key(connection, run_id)

    @patient
    async def ask(self, tenant_id: TenantId, new: NewRun, now: datetime) -> AskedRun:
        """Write down what is asked for. What is under way is joined, what ended well is there already unless it is asked
        for `again`; what came to nothing begins anew, as another version.

        UnfitRunError, and no row, for what cannot be done with it. Safe to run twice.
        """
        async with self._database.tenant(tenant_id) as connection:
            return await document_asking.ask(connection, new, now)

    @patient
    async def run(self, tenant_id: TenantId, run_id: RowId) -> tuple[RowId, Work, RunStatus] | None:
        """What a run is about, what it does, and how it stands."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.run(connection, run_id)

    @patient
    async def to_retry(self, tenant_id: TenantId, row_id: RowId) -> NewRun | None:
        """A run that came to nothing, or the last of a document's that did, to be asked for again. None when none did."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_book.to_retry(connection, row_id)

    @patient
    async def playbook(self, tenant_id: TenantId, user_id: RowId | None = None) -> RowId | None:
        """What a document is compared with: the newest playbook of the user's, otherwise the tenant's."""
        async with self._database.tenant(tenant_id) as connection:
            return await document_asking.playbook(connection, user_id)

    @patient
    async def delete(self, tenant_id: TenantId, document_id: RowId, now: datetime) -> tuple[AskedRun, ...] | None:
        """All of it at once: rows, vectors, what was made of it; its files are left to be deleted from where they lie.

        Which of its runs were under way, so that their workflows are stopped; they have ended for whoever listens. None
        when there is no such document. Safe to run twice.
        """
        async with self._database.tenant(tenant_id) as connection:
            return await document_endings.delete(connection, document_id, now)
