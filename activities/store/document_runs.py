"""Runs of documents: how each goes on, and what came of it.

ask ─▶ queued ─▶ begin: running ─▶ (store_text | embed | keep | write)* ─▶ finish: completed
          └──────────────────────────────┴─▶ fail: failed | cancelled ─▶ ask: queued, another version
"""

import asyncio
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

import asyncpg

from activities import errors
from activities.documents.ports import (
    BoughtBy,
    Conclusion,
    Extract,
    Material,
    Pair,
    Parsed,
    Stored,
    Text,
    Vectors,
)
from activities.ports import ModelAnswer
from activities.spending import Purchase
from activities.store import (
    document_asking,
    document_book,
    document_endings,
    document_made,
    document_pairs,
    document_texts,
)
from activities.store.database import Connection, Database, patient
from activities.store.document_progress import come_to, is_own, locked, own
from schemas.documents import (
    ENDED,
    Against,
    Clause,
    DocumentStep,
    PartStep,
    RunBegun,
    RunDone,
    RunEnding,
    RunFailure,
    RunStart,
    Work,
)

# What going through the parts of a document is called.
THINKING = {Work.ANALYSIS: "analysing", Work.COMPARISON: "comparing", Work.REDLINE: "proposing"}


class DocumentRunStore:
    """A Runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Who finds the pairs of a run; gone with the last who waits for them.
        self._finding = WeakValueDictionary[str, asyncio.Lock]()

    @patient
    async def begin(self, start: RunStart) -> RunBegun:
        """Safe to run twice: it goes on where it was. A run of ours that comes later takes it, as another version, and the
        one before has failed; one that comes late is refused."""
        async with self._database.tenant(start.tenant_id) as connection:
            row = await locked(connection, start.run_id)
            if row is None:
                raise errors.superseded()
            if row["status"] in ENDED:
                return RunBegun(version=row["version"], done=await document_endings.done(connection, row))
            ours = row["run_id"] == start.temporal_run_id
            if not ours and row["started_at"] is not None and row["started_at"] > start.now:
                raise errors.superseded()
            if not ours and row["run_id"] is not None:
                await document_endings.take_over(connection, row, start.now)
            taken = await connection.fetchrow(
                """
                UPDATE document_runs SET status = 'running', run_id = $2,
                  version = version + ($3 AND run_id IS NOT NULL)::int,
                  started_at = CASE WHEN $3 THEN $4 ELSE started_at END
                WHERE id = $1 RETURNING *
                """,
                start.run_id,
                start.temporal_run_id,
                not ours,
                start.now,
            )
            assert taken is not None, "it is locked"
            unread = await document_texts.unread(connection, taken)
            await come_to(connection, start.run_id, "parsing" if unread else "parsed", start.now)
            against = Against(taken["against"]) if taken["against"] else None
            return RunBegun(version=taken["version"], unread=unread, against=against, other_id=taken["other_id"])

    @patient
    async def stored(self, step: DocumentStep) -> Stored:
        async with self._database.tenant(step.tenant_id) as connection:
            await own(connection, step, over=True)
            return await document_texts.stored(connection, step.document_id)

    @patient
    async def store_text(self, step: DocumentStep, parsed: Parsed, clauses: Sequence[Clause]) -> None:
        """Safe to run twice: what is read stays as it is."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await own(connection, step)
            await document_texts.store(connection, step.document_id, parsed, clauses)
            if not await document_texts.unread(connection, row):
                await come_to(connection, step.run_id, "parsed", step.now)

    @patient
    async def text(self, step: DocumentStep) -> Text | None:
        async with self._database.tenant(step.tenant_id) as connection:
            await own(connection, step, over=True)
            return await document_texts.text(connection, step.document_id)

    async def embed(
        self,
        step: DocumentStep,
        vectors: Mapping[int, Sequence[float]],
        bought: Vectors,
        purchase: Purchase,
        by: BoughtBy,
        *,
        last: bool,
    ) -> None:
        """Safe to run twice: what has a vector keeps it. For a run that has ended meanwhile it is paid, and not kept."""
        if not await self._embed(step, vectors, bought, purchase, by, last=last):
            raise errors.superseded()

    @patient
    async def _embed(
        self,
        step: DocumentStep,
        vectors: Mapping[int, Sequence[float]],
        bought: Vectors,
        purchase: Purchase,
        by: BoughtBy,
        *,
        last: bool,
    ) -> bool:
        async with self._database.tenant(step.tenant_id) as connection:
            there = await _is_own(connection, step)
            new = there and await document_texts.embed(connection, step.document_id, vectors, bought.model)
            await document_texts.settle(connection, step, bought, purchase, by, new=bool(new))
            if there and last:
                await come_to(connection, step.run_id, "embedded", step.now)
            return there

    @patient
    async def embedded(self, step: DocumentStep, by: str) -> frozenset[int]:
        async with self._database.tenant(step.tenant_id) as connection:
            await own(connection, step)
            return await document_texts.embedded(connection, step.document_id, by)

    async def material(self, step: DocumentStep) -> Material:
        """Of one that has ended well too: who ends it twice makes the same of it. While pairs are found no row is locked,
        and others of this process wait for them."""
        material, run = await self._material(step)
        if run["work"] != Work.COMPARISON or run["pairs"] is not None:
            return material
        async with self._finding.setdefault(step.run_id, asyncio.Lock()):
            material, run = await self._material(step)
            if run["pairs"] is None:
                found = await document_pairs.found(self._database, run, material.text)
                material, _ = await self._material(step, found)
        return material

    @patient
    async def _material(
        self, step: DocumentStep, found: Sequence[Pair] | None = None
    ) -> tuple[Material, asyncpg.Record]:
        """Without its pairs as long as they are not found."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await own(connection, step, over=True)
            if found is not None:
                row = await document_pairs.keep(connection, step.run_id, found)
            await document_asking.refuse_unfounded(connection, row)
            text = await document_texts.needed(connection, row["document_id"])
            paired, proposes = row["pairs"] is not None, row["work"] == Work.REDLINE
            material = Material(
                text=text,
                name=(await document_texts.stored(connection, row["document_id"])).name,
                done=frozenset(map(int, row["dropped"])),
                against=Against(row["against"]) if row["against"] else None,
                kept=await document_made.kept(connection, row["id"]),
                pairs=await document_pairs.of(connection, row, text) if paired else (),
                findings=await document_book.findings(connection, row["document_id"]) if proposes else (),
                differences=await document_book.against_playbook(connection, row["document_id"]) if proposes else (),
            )
            return material, row

    @patient
    async def keep(self, step: PartStep, asked: str, answer: ModelAnswer, purchase: Purchase, by: BoughtBy) -> None:
        """Safe to run twice: it is bought once. Of a run that failed meanwhile it is kept for the next version."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await locked(connection, step.run_id)
            await document_made.keep(connection, row, step, asked, answer, purchase, by)

    @patient
    async def write(self, step: PartStep, extract: Extract, percent: int) -> None:
        """Safe to run twice: it stands in place of what there was of this part."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await own(connection, step)
            await document_made.write(connection, step, extract)
            await come_to(connection, step.run_id, THINKING[Work(row["work"])], step.now, percent=percent)

    @patient
    async def result(self, step: DocumentStep) -> Extract:
        """Whoever asks is about to save it. Safe to run twice."""
        async with self._database.tenant(step.tenant_id) as connection:
            row = await own(connection, step, over=True)
            made = await document_made.result(connection, row)
            await come_to(connection, step.run_id, "saving", step.now)
            return made

    async def finish(self, ending: RunEnding, conclusion: Conclusion) -> RunDone:
        """What it comes to, status and event in one transaction. Safe to run twice: how it ended is told again.

        What was put away for a run that came to nothing meanwhile is to be deleted.
        """
        done = await self._finish(ending, conclusion)
        if done is None:
            raise errors.superseded()
        return done

    @patient
    async def _finish(self, ending: RunEnding, conclusion: Conclusion) -> RunDone | None:
        async with self._database.tenant(ending.tenant_id) as connection:
            return await document_endings.finish(connection, ending, conclusion)

    @patient
    async def fail(self, failure: RunFailure) -> RunDone:
        """Say why it came to nothing, or that it was stopped. One that ended stays as it is, and that comes back.

        Safe to run twice: the row is the same, and the event's key is the version's.
        """
        async with self._database.tenant(failure.tenant_id) as connection:
            return await document_endings.fail(connection, failure)


async def _is_own(connection: Connection, step: DocumentStep) -> bool:
    row = await locked(connection, step.run_id)
    return row is not None and is_own(row, step)
