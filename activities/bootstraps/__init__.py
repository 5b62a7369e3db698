"""The effects that the taking in of references needs: whose turn it is, what there is, a source, and the end of all.

list:   names of the library ─▶ rows
ingest: fetch ─▶ unchanged | read ─▶ clauses ─▶ vectors ─▶ a reference that cannot be searched yet
index:  clauses, some at a time ─▶ all references of it at once ─▶ what they replace is deleted
"""

import asyncio
import hashlib
from dataclasses import replace

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.bootstraps.ports import Bootstraps, Staged, Task
from activities.documents import keys
from activities.documents.embedding import batches, mark
from activities.documents.ports import (
    EMBEDDINGS,
    PARSING,
    BoughtBy,
    Embedder,
    Parsed,
    Parser,
    References,
    UnreadableFileError,
)
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from activities.ports import Objects
from activities.seats import Seats
from activities.spending import Purchase, Treasurer
from schemas.base import RowId
from schemas.bootstraps import (
    LONGEST_SOURCE,
    MOST_SOURCES,
    BootstrapDone,
    BootstrapFailure,
    BootstrapStep,
    BootstrapTaking,
    Indexed,
    NextBootstrap,
    SourceDone,
    SourceFailure,
    Sources,
    SourcesListing,
    SourcesPage,
    SourceStep,
)
from schemas.documents import FileKind

KIND = "application/octet-stream"
LIBRARY = "the library of references"
# Clauses that are entered into the index in one transaction; and references that are deleted in one.
INDEXED_AT_ONCE, DELETED_AT_ONCE = 200, 50
# Of a source there is one row, however often a bootstrap that was left is gone on with: it is bought once.
VERSION = 1


class BootstrapActivities:
    """Without a library, a place to keep files, or somebody who makes vectors, nothing is taken in, and it says so."""

    def __init__(  # noqa: PLR0917 - its clients, each once
        self,
        rows: Bootstraps,
        references: References | None,
        objects: Objects | None,
        parser: Parser,
        embedder: Embedder | None,
        seats: Seats,
        pacing: Pacing,
        treasurer: Treasurer,
    ) -> None:
        self._rows = rows
        self._references = references
        self._objects = objects
        self._parser = parser
        self._embedder = embedder
        self._seats = seats
        self._pacing = pacing
        self._treasurer = treasurer

    @activity.defn(name="bootstraps.next")
    async def take(self, taking: BootstrapTaking) -> NextBootstrap:
        """Safe to run twice: the same run takes the same."""
        return await self._rows.take(taking)

    @activity.defn(name="bootstraps.list")
    async def list(self, step: BootstrapStep) -> Sources:
        """Safe to run twice: what is written down stays so, whatever the library holds by then."""
        async with heartbeating():
            named = await self._rows.named(step)
            names = named or (await self._names() if named is not None else ())
            return Sources(sources=await self._rows.write_down(step, names))

    @activity.defn(name="bootstraps.page")
    async def page(self, listing: SourcesListing) -> SourcesPage:
        """Only reads."""
        return await self._rows.page(listing)

    @activity.defn(name="bootstraps.ingest")
    async def ingest(self, step: SourceStep) -> SourceDone:
        """Safe to run twice: what was read stays, a vector is bought once, and a source ends once."""
        async with heartbeating():
            embedder = self._maker()
            task = await self._rows.begin(step)
            if task.done is not None:
                return task.done
            data = await self._fetched(task.name)
            sha256 = hashlib.sha256(data).hexdigest()
            if _unchanged(task, sha256, mark(embedder)):
                return await self._rows.end(step, None)
            document_id = task.document_id if task.sha256 == sha256 else None
            if document_id is None:
                document_id = await self._read(step, task.name, data, sha256)
            return await self._keep(embedder, step, document_id, data)

    @activity.defn(name="bootstraps.source_failed")
    async def source_failed(self, failure: SourceFailure) -> SourceDone:
        """Safe to run twice: a source ends once, and how it ended is told again."""
        return await self._rows.fail_source(failure)

    @activity.defn(name="bootstraps.index")
    async def index(self, step: BootstrapStep) -> Indexed:
        """Safe to run twice: what is indexed is so, and what is deleted is gone."""
        async with heartbeating():
            for document_id in await self._rows.taken_in(step):
                while await self._rows.index(step, document_id, INDEXED_AT_ONCE):
                    continue
            documents, replaced = await self._rows.publish(step), 0
            while deleted := await self._rows.clear(step, DELETED_AT_ONCE):
                replaced += deleted
            return Indexed(documents=documents, replaced=replaced)

    @activity.defn(name="bootstraps.finish")
    async def finish(self, step: BootstrapStep) -> BootstrapDone:
        """Safe to run twice: a bootstrap ends once, and how it ended is told again."""
        return await self._rows.finish(step)

    @activity.defn(name="bootstraps.fail")
    async def fail(self, failure: BootstrapFailure) -> BootstrapDone:
        """Safe to run twice: a bootstrap ends once, and how it ended is told again."""
        return await self._rows.fail(failure)

    async def _names(self) -> tuple[str, ...]:
        names = await self._library().names()
        if not names:
            raise errors.impossible(LIBRARY, "it is empty")
        if len(names) > MOST_SOURCES:
            raise errors.impossible(LIBRARY, f"it holds more than {MOST_SOURCES:,} files")
        if any(len(name) > LONGEST_SOURCE for name in names):
            raise errors.impossible(LIBRARY, f"a name in it is longer than {LONGEST_SOURCE} letters")
        return names

    async def _fetched(self, name: str) -> bytes:
        try:
            source = await self._library().source(name)
        except UnreadableFileError as unreadable:
            raise errors.impossible("the file", unreadable.sentence) from None
        if source is None:
            raise errors.impossible(LIBRARY, "it holds no such file")
        return source.data

    async def _read(self, step: SourceStep, name: str, data: bytes, sha256: str) -> RowId:
        # What splits and sniffs is not needed by whoever only decides: it is loaded where it is used.
        from activities.documents.clauses import split  # noqa: PLC0415
        from activities.documents.formats.sniff import sniff  # noqa: PLC0415

        try:
            kind = sniff(data, name)
            parsed = await self._parsed(step, data, kind)
        except UnreadableFileError as unreadable:
            raise errors.impossible("the file", unreadable.sentence) from None
        clauses = await asyncio.to_thread(split, parsed.text)
        staged = Staged(kind, len(data), sha256, parsed, clauses, self._library().sandbox or self._maker().sandbox)
        return await surely(self._rows.stage(step, staged))

    async def _parsed(self, step: SourceStep, data: bytes, kind: FileKind) -> Parsed:
        """A text can do nothing to whoever reads it; whatever else it is, is read in a process of its own."""
        from activities.documents.formats import plain  # noqa: PLC0415

        if kind is FileKind.TEXT:
            return await asyncio.to_thread(plain.read, data)
        async with self._seats.seat(PARSING, step.tenant_id):
            return await self._parser.parse(data, kind)

    async def _keep(self, embedder: Embedder, step: SourceStep, document_id: RowId, data: bytes) -> SourceDone:
        """Its file, its vectors, and that it has ended. Of one that is gone meanwhile nothing stays."""
        objects, key = self._kept(), keys.original(step.tenant_id, document_id)
        try:
            await surely(objects.put(key, data, KIND))
            await self._embed(embedder, step, document_id)
            return await surely(self._rows.end(step, document_id, mark(embedder)))
        except (ApplicationError, asyncio.CancelledError):
            if await surely(self._is_gone(step, document_id, mark(embedder))):
                await surely(objects.delete([key]))
            raise

    async def _is_gone(self, step: SourceStep, document_id: RowId, by: str) -> bool:
        """In doubt it is there: who deletes it leaves its file to be deleted too."""
        try:
            await self._rows.unembedded(step, document_id, by)
        except ApplicationError as error:
            return error.type == "NotFound"
        return False

    async def _embed(self, embedder: Embedder, step: SourceStep, document_id: RowId) -> None:
        """Each batch has its own seat, so that nobody of the tenant waits for all of a bootstrap."""
        clock = Clock()
        for batch in batches(await self._rows.unembedded(step, document_id, mark(embedder))):
            ordinals, texts = [ordinal for ordinal, _ in batch], [text for _, text in batch]
            asked = hashlib.sha256("\0".join((mark(embedder), *texts)).encode(errors="replace")).hexdigest()
            purchase = Purchase(step.tenant_id, step.source_id, VERSION, f"vectors/{document_id}/{asked[:32]}")
            async with self._seats.seat(EMBEDDINGS, step.tenant_id):
                await (await self._pacing.turn(embedder.name)).come()
                offer = self._treasurer.offer(embedder, embedder.size(texts))
                async with self._treasurer.paying(purchase, [offer], clock.now):
                    bought = replace(await embedder.embed(texts), model=mark(embedder))
                    vectors = dict(zip(ordinals, bought.vectors, strict=True))
                    await surely(self._rows.embed(step, document_id, vectors, bought, purchase, _by(embedder)))

    def _library(self) -> References:
        if self._references is None:
            raise errors.impossible(LIBRARY, "nobody says where it is: set GREENROOM_REFERENCES_URL")
        return self._references

    def _kept(self) -> Objects:
        if self._objects is None:
            raise errors.impossible("the reference", "there is nowhere to keep it: set GREENROOM_OBJECTS_URL")
        return self._objects

    def _maker(self) -> Embedder:
        if self._embedder is None:
            raise errors.impossible("the reference", "nobody makes vectors of it: a key is missing")
        return self._embedder


def _unchanged(task: Task, sha256: str, by: str) -> bool:
    """It can be searched already, the same bytes by the same model."""
    known = task.known
    return not task.force and known is not None and (known.sha256, known.embedded_by) == (sha256, by)


def _by(embedder: Embedder) -> BoughtBy:
    info = activity.info()
    return BoughtBy(
        provider=embedder.name,
        workflow_id=info.workflow_id or "",
        run_id=info.workflow_run_id or "",
        sandbox=embedder.sandbox,
    )
