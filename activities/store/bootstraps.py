"""Bootstraps: what is to be taken in, whose turn it is, and how one ends. One at a time of all tenants.

ask ─▶ queued ─▶ take: running ─▶ write_down ─▶ (see bootstrap_sources)* ─▶ index, publish, clear ─▶ finish: completed
          └──────────────┴─▶ fail, cancel: nothing that it took in stays
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from activities import errors
from activities.bootstraps.ports import Staged, Task
from activities.documents.ports import BoughtBy, Vectors
from activities.spending import Purchase
from activities.store import bootstrap_book, bootstrap_endings, bootstrap_sources, document_endings
from activities.store.database import Connection, Database, patient, storable
from schemas.base import RowId, TenantId
from schemas.bootstraps import (
    AskedBootstrap,
    BootstrapDone,
    BootstrapFailure,
    BootstrapStatus,
    BootstrapStep,
    BootstrapTaking,
    BootstrapTurn,
    BootstrapView,
    NewBootstrap,
    NextBootstrap,
    SourceDone,
    SourceFailure,
    SourcesListing,
    SourcesPage,
    SourceStep,
)
from schemas.documents import CANCELLED

# References that are deleted in one transaction.
DROPPED_AT_ONCE = 50


class BootstrapStore:
    """A Bootstraps, and what tenants ask for and see of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @patient
    async def ask(self, tenant_id: TenantId, new: NewBootstrap, now: datetime) -> AskedBootstrap:
        """Write down what is asked for, or join the same that waits already. Safe to run twice, when it has an id."""
        named = sorted({storable(one) for one in new.sources})
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('bootstraps/' || $1, 0))", tenant_id
            )
            there = await connection.fetchval(
                "SELECT id FROM bootstraps WHERE id = $3 OR (status = 'queued' AND named = $1 AND force = $2)",
                named,
                new.force,
                new.id,
            )
            if there is not None:
                return AskedBootstrap(bootstrap_id=there, fresh=False)
            asked: RowId = await connection.fetchval(
                """
                INSERT INTO bootstraps (tenant_id, id, force, named, created_at)
                VALUES (current_tenant(), coalesce($4, gen_random_uuid()), $2, $1, $3) RETURNING id
                """,
                named,
                new.force,
                now,
                new.id,
            )
            return AskedBootstrap(bootstrap_id=asked, fresh=True)

    async def view(self, tenant_id: TenantId, bootstrap_id: RowId) -> BootstrapView | None:
        """None when it is not there, or somebody else's."""
        waiting = await self._waiting()
        return await self._view(tenant_id, bootstrap_id, waiting)

    @patient
    async def _view(self, tenant_id: TenantId, bootstrap_id: RowId, waiting: Sequence[RowId]) -> BootstrapView | None:
        async with self._database.tenant(tenant_id) as connection:
            return await bootstrap_book.view(connection, bootstrap_id, waiting)

    async def list(self, tenant_id: TenantId, most: int = 30) -> tuple[BootstrapView, ...]:
        """The newest first; why sources failed is told of one that is looked at."""
        return await self._list(tenant_id, most, await self._waiting())

    @patient
    async def _list(self, tenant_id: TenantId, most: int, waiting: Sequence[RowId]) -> tuple[BootstrapView, ...]:
        async with self._database.tenant(tenant_id) as connection:
            return await bootstrap_book.views(connection, most, waiting)

    @patient
    async def _waiting(self) -> Sequence[RowId]:
        """Those that wait, of all tenants, in their order."""
        async with self._database.crossing() as connection:
            rows = await connection.fetch("SELECT id FROM bootstraps WHERE status = 'queued' ORDER BY created_at, id")
            return [row["id"] for row in rows]

    async def cancel(self, tenant_id: TenantId, bootstrap_id: RowId, now: datetime) -> bool | None:
        """Whether there was something to stop: what can be searched already is done. None for no such bootstrap.

        Safe to run twice: what an earlier try has left is deleted.
        """
        stopped = await self._cancel(tenant_id, bootstrap_id, now)
        if stopped is not None:
            await self._drop_all(tenant_id, bootstrap_id, now)
        return stopped

    @patient
    async def _cancel(self, tenant_id: TenantId, bootstrap_id: RowId, now: datetime) -> bool | None:
        async with self._database.tenant(tenant_id) as connection:
            return await bootstrap_endings.cancel(connection, bootstrap_id, CANCELLED, now)

    async def take(self, taking: BootstrapTaking) -> NextBootstrap:
        """The one that is under way is gone on with, as another version when it was left by another run."""
        while (first := await self._first()) is not None:
            turn = await self._take(*first, taking)
            if turn is not None:
                return NextBootstrap(turn=turn)
        return NextBootstrap()

    @patient
    async def _first(self) -> tuple[TenantId, RowId] | None:
        async with self._database.crossing() as connection:
            row = await connection.fetchrow(
                """
                SELECT tenant_id, id FROM bootstraps WHERE status IN ('queued', 'running')
                ORDER BY status = 'running' DESC, created_at, id LIMIT 1
                """
            )
            return None if row is None else (row["tenant_id"], row["id"])

    @patient
    async def _take(self, tenant_id: TenantId, bootstrap_id: RowId, taking: BootstrapTaking) -> BootstrapTurn | None:
        """None when it has ended in this moment."""
        async with self._database.tenant(tenant_id) as connection:
            version = await connection.fetchval(
                """
                UPDATE bootstraps SET status = 'running', version = version + (run_id IS DISTINCT FROM $2)::int,
                  run_id = $2, started_at = coalesce(started_at, $3)
                WHERE id = $1 AND status IN ('queued', 'running') RETURNING version
                """,
                bootstrap_id,
                taking.temporal_run_id,
                taking.now,
            )
            if version is None:
                return None
            return BootstrapTurn(tenant_id=tenant_id, bootstrap_id=bootstrap_id, version=version)

    @patient
    async def named(self, step: BootstrapStep) -> tuple[str, ...] | None:
        async with self._database.tenant(step.tenant_id) as connection:
            row = await bootstrap_endings.own(connection, step)
            return None if row["listed"] else tuple(row["named"])

    @patient
    async def write_down(self, step: BootstrapStep, names: Sequence[str]) -> int:
        async with self._database.tenant(step.tenant_id) as connection:
            row = await bootstrap_endings.own(connection, step)
            return await bootstrap_sources.write_down(connection, step, () if row["listed"] else names)

    @patient
    async def page(self, listing: SourcesListing) -> SourcesPage:
        async with self._database.tenant(listing.tenant_id) as connection:
            await bootstrap_endings.own(connection, listing)
            return await bootstrap_sources.page(connection, listing)

    @patient
    async def begin(self, step: SourceStep) -> Task:
        async with self._database.tenant(step.tenant_id) as connection:
            return await bootstrap_sources.begin(connection, step)

    @patient
    async def stage(self, step: SourceStep, staged: Staged) -> RowId:
        async with self._database.tenant(step.tenant_id) as connection:
            return await bootstrap_sources.stage(connection, step, staged)

    @patient
    async def unembedded(self, step: SourceStep, document_id: RowId, by: str) -> Sequence[tuple[int, str]]:
        async with self._database.tenant(step.tenant_id) as connection:
            return await bootstrap_sources.unembedded(connection, document_id, by)

    async def embed(
        self,
        step: SourceStep,
        document_id: RowId,
        vectors: Mapping[int, Sequence[float]],
        bought: Vectors,
        purchase: Purchase,
        by: BoughtBy,
    ) -> None:
        """Of a document that is gone meanwhile they are paid all the same."""
        if not await self._embed(step, document_id, vectors, bought, purchase, by):
            raise errors.not_found("document")

    @patient
    async def _embed(
        self,
        step: SourceStep,
        document_id: RowId,
        vectors: Mapping[int, Sequence[float]],
        bought: Vectors,
        purchase: Purchase,
        by: BoughtBy,
    ) -> bool:
        async with self._database.tenant(step.tenant_id) as connection:
            return await bootstrap_sources.embed(connection, step, document_id, vectors, bought, purchase, by)

    @patient
    async def end(self, step: SourceStep, document_id: RowId | None, by: str = "") -> SourceDone:
        async with self._database.tenant(step.tenant_id) as connection:
            return await bootstrap_sources.end(connection, step, document_id, by)

    @patient
    async def fail_source(self, failure: SourceFailure) -> SourceDone:
        async with self._database.tenant(failure.tenant_id) as connection:
            return await bootstrap_sources.fail(connection, failure)

    @patient
    async def taken_in(self, step: BootstrapStep) -> Sequence[RowId]:
        async with self._database.tenant(step.tenant_id) as connection:
            await bootstrap_endings.own(connection, step)
            return await bootstrap_sources.taken_in(connection, step.bootstrap_id)

    @patient
    async def index(self, step: BootstrapStep, document_id: RowId, most: int) -> int:
        async with self._database.tenant(step.tenant_id) as connection:
            await bootstrap_endings.own(connection, step)
            return await bootstrap_sources.index(connection, document_id, most)

    @patient
    async def publish(self, step: BootstrapStep) -> int:
        async with self._database.tenant(step.tenant_id) as connection:
            await bootstrap_endings.own(connection, step)
            return await bootstrap_endings.publish(connection, step)

    @patient
    async def clear(self, step: BootstrapStep, most: int) -> int:
        async with self._database.tenant(step.tenant_id) as connection:
            await bootstrap_endings.own(connection, step)
            return await _delete(connection, await bootstrap_endings.replaced(connection, most), step.now)

    @patient
    async def finish(self, step: BootstrapStep) -> BootstrapDone:
        async with self._database.tenant(step.tenant_id) as connection:
            return await bootstrap_endings.finish(connection, step)

    async def fail(self, failure: BootstrapFailure) -> BootstrapDone:
        """The end comes first, so that nothing more is taken in; then what was goes, some at a time."""
        done = await self._fail(failure)
        if done.status in (BootstrapStatus.FAILED, BootstrapStatus.CANCELLED):
            await self._drop_all(failure.tenant_id, failure.bootstrap_id, failure.now)
        return done

    @patient
    async def _fail(self, failure: BootstrapFailure) -> BootstrapDone:
        async with self._database.tenant(failure.tenant_id) as connection:
            return await bootstrap_endings.fail(connection, failure)

    async def _drop_all(self, tenant_id: TenantId, bootstrap_id: RowId, now: datetime) -> None:
        while await self._drop(tenant_id, bootstrap_id, now):
            continue

    @patient
    async def _drop(self, tenant_id: TenantId, bootstrap_id: RowId, now: datetime) -> int:
        async with self._database.tenant(tenant_id) as connection:
            staged = await bootstrap_endings.staged(connection, bootstrap_id, DROPPED_AT_ONCE)
            return await _delete(connection, staged, now)


async def _delete(connection: Connection, documents: Sequence[RowId], now: datetime) -> int:
    """As anybody's documents are: whoever works on one hears of it."""
    for document_id in documents:
        await document_endings.delete(connection, document_id, now)
    return len(documents)
