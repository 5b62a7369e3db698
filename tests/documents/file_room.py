"""A tenant whose users bring documents, and what their rows say: real Postgres, nothing else."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from activities.documents import keys
from activities.documents.ports import BoughtBy, Conclusion, Extract, Found, Parsed, Vectors
from activities.ports import ModelAnswer, Usage
from activities.spending import Offer, Purchase
from activities.store.database import Database
from activities.store.document_runs import DocumentRunStore
from activities.store.document_taking import FiledDocument
from activities.store.documents import DocumentStore
from activities.store.spending import SpendingStore
from activities.store.tenants import TenantStore
from schemas.budgets import Caps
from schemas.documentbook import DocumentView, RunView
from schemas.documents import (
    Against,
    AskedRun,
    Clause,
    DocumentStep,
    FileKind,
    NewRun,
    PartStep,
    Passage,
    Risk,
    Role,
    RunEnding,
    RunFailure,
    RunStart,
)
from schemas.tenants import NewCampaign, Tenant, User

NOW = datetime(2026, 11, 23, 9, 0, 30, tzinfo=UTC)
CAPS = Caps(run_micro_usd=2_000_000, meeting_micro_usd=5_000_000, month_micro_usd=500_000_000)
CAMPAIGN = NewCampaign(name="Planning", offering="o", target_customer="t", pain_points="p")
MODEL = "voyage/v"
TEXT = "1. Term\nTwo years.\n2. Law\nThe law of Halden.\n"
CLAUSES = (
    Clause(ordinal=0, start=0, end=19, number="1.", heading="Term"),
    Clause(ordinal=1, start=19, end=len(TEXT), number="2.", heading="Law"),
)
TERM = Passage(clause=0, start=8, end=17, quote=TEXT[8:17])
BY = BoughtBy(provider="p", workflow_id="w", run_id="r", sandbox=True)


def found(said: str = "It lasts two years.", risk: Risk = Risk.LOW, passage: Passage | None = TERM) -> Found:
    return Found("term", "", risk, said, passage)


def vector(*first: float) -> tuple[float, ...]:
    return (*first, *[0.0] * (1024 - len(first)))


class FileRoom:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.documents, self.runs, self.ledger = (
            DocumentStore(database),
            DocumentRunStore(database),
            SpendingStore(database),
        )
        self.tenant = Tenant(id=str(uuid4()), slug=f"f-{uuid4()}", name="File room", premium=True)
        self.user = User(id=str(uuid4()), email="robin@harbour.example", name="Robin Marsh")
        self.now = NOW

    async def set_up(self) -> None:
        await TenantStore(self.database).create(self.tenant, self.user, CAMPAIGN, NOW)

    async def add(self, name: str) -> User:
        user = User(id=str(uuid4()), email=f"{name}@harbour.example", name=name)
        await TenantStore(self.database).add_user(self.tenant.id, user, NOW)
        return user

    def filed(self, text: str = TEXT, user_id: str | None = "", **fields: Any) -> FiledDocument:
        new_id = str(uuid4())
        said = {
            "id": new_id,
            "user_id": self.user.id if user_id == "" else user_id,
            "role": Role.REVIEW,
            "name": "nda.txt",
            "kind": FileKind.TEXT,
            "size_bytes": len(text),
            "sha256": sha256(text.encode()).hexdigest(),
            "object_key": keys.original(self.tenant.id, new_id),
        }
        return FiledDocument(**{**said, **fields})

    async def brought(self, text: str = TEXT, user_id: str | None = "", **fields: Any) -> str:
        """A document as it was uploaded."""
        self.now += timedelta(seconds=1)
        taken = await self.documents.take(self.tenant.id, self.filed(text, user_id, **fields), self.now)
        return taken.id

    async def playbook(self, text: str = "1. Term\nOne year.\n", user_id: str | None = None) -> str:
        return await self.brought(text, user_id, role=Role.PLAYBOOK, name="playbook.txt")

    async def reference(self, text: str = "1. Term\nNo end.\n") -> str:
        """One that was taken in."""
        document_id = await self.brought(text, None, role=Role.REFERENCE, name="r.txt")
        await self.rows("UPDATE documents SET searchable = true WHERE id = $1", document_id)
        return document_id

    async def ask(self, document_id: str, now: datetime | None = None, **fields: Any) -> AskedRun:
        new = NewRun(**{"document_id": document_id, **fields})
        return await self.documents.ask(self.tenant.id, new, now or self.now)

    def start(self, asked: AskedRun, run: str = "temporal-1", now: datetime | None = None) -> RunStart:
        return RunStart(
            tenant_id=self.tenant.id,
            document_id=asked.document_id,
            run_id=asked.run_id,
            temporal_run_id=run,
            now=now or self.now,
        )

    async def begun(self, asked: AskedRun, run: str = "temporal-1") -> DocumentStep:
        begun = await self.runs.begin(self.start(asked, run))
        return self.unbegun(asked).model_copy(update={"version": begun.version})

    def unbegun(self, asked: AskedRun) -> DocumentStep:
        """Of a run that no workflow has taken."""
        said = {name: getattr(asked, name) for name in ("document_id", "run_id")}
        return DocumentStep(tenant_id=self.tenant.id, **said, version=1, now=self.now)

    async def read(self, step: DocumentStep, text: str = TEXT, clauses: tuple[Clause, ...] = CLAUSES) -> None:
        await self.runs.store_text(step, Parsed(text, pages=1), clauses)

    def part(self, step: DocumentStep, part: int = 1) -> PartStep:
        return PartStep(**step.model_dump(), part=part)

    async def bought(self, step: DocumentStep, said: str = "{}", asked: str = "a1", **by: Any) -> None:
        """An answer, with what is set aside for it before."""
        purchase = Purchase(step.tenant_id, step.run_id, step.version, f"part/{asked}")
        await self.ledger.reserve(purchase, [Offer("p", "m", 100)], CAPS, self.now)
        await self.kept(step, said, asked, **by)

    async def kept(self, step: DocumentStep, said: str = "{}", asked: str = "a1", **by: Any) -> None:
        purchase = Purchase(step.tenant_id, step.run_id, step.version, f"part/{asked}")
        answer = ModelAnswer(said, "end_turn", "m", Usage(100, 20, 30))
        await self.runs.keep(self.part(step), asked, answer, purchase, BoughtBy(**{**vars(BY), **by}))

    async def embed(
        self, step: DocumentStep, vectors: dict[int, tuple[float, ...]], model: str = MODEL, *, last: bool = True
    ) -> None:
        purchase = Purchase(step.tenant_id, step.run_id, step.version, f"embed/{min(vectors, default=0)}")
        await self.ledger.reserve(purchase, [Offer("p", "m", 100)], CAPS, self.now)
        bought = Vectors(tuple(vectors.values()), model, Usage(10, 0, 7))
        await self.runs.embed(step, vectors, bought, purchase, BY, last=last)

    async def reviewed(self, document_id: str, *findings: Found, **asked: Any) -> str:
        """A run that ended well."""
        run = await self.ask(document_id, **asked)
        step = await self.begun(run)
        await self.read(step)
        await self.runs.write(self.part(step), Extract(findings=findings or (found(),)), 90)
        await self.runs.finish(self.ending(step), Conclusion(risk=Risk.LOW, summary=("It is short.",)))
        return run.run_id

    async def compared(self, document_id: str, extract: Extract, **asked: Any) -> str:
        run = await self.ask(document_id, work="comparison", **{"against": Against.PLAYBOOK, **asked})
        step = await self.begun(run)
        await self.runs.write(self.part(step), extract, 90)
        await self.runs.finish(self.ending(step), Conclusion())
        return run.run_id

    def ending(self, step: DocumentStep, **fields: Any) -> RunEnding:
        return RunEnding(**step.model_dump(), **fields)

    def failure(self, step: DocumentStep, /, **fields: Any) -> RunFailure:
        said = {"temporal_run_id": "temporal-1", "step": "analyse", "reason": "analyse: no", "retryable": True}
        return RunFailure(**{**step.model_dump(), **said, **fields})

    def cancel(self, step: DocumentStep, /, **fields: Any) -> RunFailure:
        return self.failure(step, reason="cancelled", cancelled=True, **fields)

    async def view(self, document_id: str, user_id: str | None = None) -> DocumentView:
        view = await self.documents.view(self.tenant.id, user_id, document_id)
        assert view is not None
        return view

    async def run(self, run_id: str) -> RunView:
        view = await self.documents.run_view(self.tenant.id, None, run_id)
        assert view is not None
        return view

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.database.tenant(self.tenant.id) as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def count(self, table: str) -> int:
        return len(await self.rows(f"SELECT FROM {table}"))

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        rows = await self.rows("SELECT name, payload FROM events ORDER BY sequence")
        return [(row["name"], row["payload"]) for row in rows]

    async def ends(self) -> list[tuple[str, dict[str, Any]]]:
        return [one for one in await self.events() if not one[0].endswith("progress")]

    async def unneeded(self) -> set[str]:
        return {row["key"] for row in await self.rows("SELECT key FROM unneeded_objects")}
