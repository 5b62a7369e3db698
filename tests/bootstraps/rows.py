"""Bootstraps in Postgres: a tenant, what it asks for, and steps as a workflow would take them."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from activities.bootstraps.ports import Staged
from activities.documents.ports import BoughtBy, Parsed, Vectors
from activities.ports import Usage
from activities.spending import Offer, Purchase
from activities.store.bootstraps import BootstrapStore
from activities.store.database import Database
from activities.store.events import EventStore
from activities.store.spending import SpendingStore
from activities.store.tenants import TenantStore
from schemas.bootstraps import (
    BootstrapFailure,
    BootstrapStep,
    BootstrapTaking,
    BootstrapTurn,
    BootstrapView,
    NewBootstrap,
    SourcesListing,
    SourceStep,
)
from schemas.documents import DIMENSIONS, Clause, FileKind
from schemas.events import Event
from schemas.tenants import Tenant, User
from tests.fakes import CAPS
from tests.stage import CAMPAIGN

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
BY = "vectors/m/sandbox"


class Shelf:
    """A tenant that has references taken in."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tenant_id = str(uuid4())
        self.store = BootstrapStore(database)

    async def set_up(self) -> None:
        tenant = Tenant(id=self.tenant_id, slug=f"t-{self.tenant_id[:8]}", name="Tenant", domains=("harbour.example",))
        user = User(id=self.tenant_id, email="robin@harbour.example", name="Robin")
        await TenantStore(self.database).create(tenant, user, CAMPAIGN, NOW)

    async def ask(self, *sources: str, at: datetime = NOW, force: bool = False) -> str:
        asked = await self.store.ask(self.tenant_id, NewBootstrap(sources=sources, force=force), at)
        return asked.bootstrap_id

    async def running(self, *sources: str, **asked: Any) -> BootstrapStep:
        """One that has been asked for, taken, and written down."""
        bootstrap_id = await self.ask(*sources, **asked)
        step = now(await self.take(bootstrap_id))
        await self.store.write_down(step, sources)
        return step

    async def take(self, bootstrap_id: str, run_id: str = "r1") -> BootstrapTurn:
        """Those that other tests left are ended."""
        while True:
            turn = (await self.store.take(BootstrapTaking(temporal_run_id=run_id, now=NOW))).turn
            assert turn is not None, "nothing waits"
            if turn.bootstrap_id == bootstrap_id:
                return turn
            await self.store.fail(BootstrapFailure(**now(turn).model_dump(), reason="of another test", cancelled=True))

    async def sources(self, step: BootstrapStep) -> dict[str, SourceStep]:
        """Those that are left, by their names."""
        page = await self.store.page(SourcesListing(**step.model_dump(), most=100))
        named = await self.sql("SELECT id, source FROM bootstrap_sources WHERE id = ANY($1::uuid[])", page.source_ids)
        return {
            row["source"]: SourceStep(
                tenant_id=self.tenant_id, bootstrap_id=step.bootstrap_id, source_id=row["id"], now=NOW
            )
            for row in named
        }

    async def taken_in(self, step: SourceStep, text: str = "One. Two.") -> str:
        """Read, embedded and ended well; its document."""
        document_id = await self.store.stage(step, staged(text))
        await self.embed(step, document_id)
        await self.store.end(step, document_id, BY)
        return document_id

    async def embed(self, step: SourceStep, document_id: str, purpose: str = "vectors/1") -> None:
        purchase = Purchase(self.tenant_id, step.source_id, 1, purpose)
        await SpendingStore(self.database).reserve(purchase, [Offer("vectors", "m", 100)], CAPS, NOW)
        bought = Vectors((unit(0), unit(1)), BY, Usage(10, 0, 7))
        by = BoughtBy(provider="vectors", workflow_id="w", run_id="r", sandbox=True)
        await self.store.embed(step, document_id, dict(enumerate(bought.vectors)), bought, purchase, by)

    async def publish(self, step: BootstrapStep) -> int:
        for document_id in await self.store.taken_in(step):
            while await self.store.index(step, document_id, 1):
                continue
        published = await self.store.publish(step)
        while await self.store.clear(step, 1):
            continue
        return published

    async def view(self, bootstrap_id: str) -> BootstrapView:
        view = await self.store.view(self.tenant_id, bootstrap_id)
        assert view is not None
        return view

    async def events(self) -> list[Event]:
        return await EventStore(self.database).after(self.tenant_id, 0)

    async def sql(self, statement: str, *values: object) -> Sequence[Any]:
        async with self.database.tenant(self.tenant_id) as connection:
            return await connection.fetch(statement, *values)  # type: ignore[no-any-return]

    async def count(self, table: str) -> int:
        return int((await self.sql(f"SELECT count(*) FROM {table}"))[0][0])

    async def searched(self) -> dict[str, str]:
        """What can be searched, by its source."""
        rows = await self.sql("SELECT source, id FROM documents WHERE searchable")
        return {row["source"]: row["id"] for row in rows}


@asynccontextmanager
async def shelved(database: Database) -> AsyncIterator[Shelf]:
    shelf = Shelf(database)
    await shelf.set_up()
    yield shelf
    for one in await shelf.store.list(shelf.tenant_id):
        await shelf.store.cancel(shelf.tenant_id, one.id, NOW)


def staged(text: str = "One. Two.") -> Staged:
    clauses = (Clause(ordinal=0, start=0, end=5), Clause(ordinal=1, start=5, end=len(text)))
    data = text.encode()
    return Staged(FileKind.TEXT, len(data), hashlib.sha256(data).hexdigest(), Parsed(text), clauses, sandbox=True)


def unit(dimension: int) -> tuple[float, ...]:
    return tuple(float(one == dimension) for one in range(DIMENSIONS))


def now(turn: BootstrapTurn) -> BootstrapStep:
    return BootstrapStep(**turn.model_dump(include={"tenant_id", "bootstrap_id", "version"}), now=NOW)
