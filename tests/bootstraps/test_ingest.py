"""A source is taken in: fetched, read, split, made vectors of. With twins for rows, library, reader and vectors."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.bootstraps import BootstrapActivities
from activities.bootstraps.ports import Bootstraps, Known, Staged, Task
from activities.documents.ports import BoughtBy, Parsed, Source, UnreadableFileError, Vectors
from activities.pacing import Pacing
from activities.ports import Size, Usage
from activities.seats import Seats
from activities.spending import Purchase, Treasurer
from schemas.bootstraps import BootstrapStep, SourceDone, SourceStatus, SourceStep
from schemas.budgets import Price
from schemas.documents import FileKind
from tests.digests.voices import Chairs
from tests.fakes import CAPS, FakeLedger, FakePaces
from tests.waiting import until

TENANT, BOOTSTRAP, SOURCE, DOCUMENT = (f"7c0b6a1e-0000-4000-8000-00000000000{n}" for n in range(4))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
STEP = SourceStep(tenant_id=TENANT, bootstrap_id=BOOTSTRAP, source_id=SOURCE, now=NOW)
WHOLE = BootstrapStep(tenant_id=TENANT, bootstrap_id=BOOTSTRAP, version=1, now=NOW)
TEXT = b"1. Term\nTwo years.\n\n2. Law\nThat of Atlantis.\n"
KEY = f"{TENANT}/documents/{DOCUMENT}/original"
BY = "vectors/m/sandbox"


@dataclass
class RowsTwin:
    """One source's row."""

    task: Task = field(default_factory=lambda: Task("a.txt"))
    names: tuple[str, ...] | None = ()
    staged: Staged | None = None
    vectors: dict[int, Sequence[float]] = field(default_factory=dict)
    bought: list[tuple[Purchase, Vectors, BoughtBy]] = field(default_factory=list)
    ended: tuple[str | None, str] | None = None
    written: tuple[str, ...] | None = None
    gone: bool = False
    read: bool = False

    async def named(self, step: BootstrapStep) -> tuple[str, ...] | None:
        return self.names

    async def write_down(self, step: BootstrapStep, names: Sequence[str]) -> int:
        self.written = tuple(names)
        return len(names)

    async def begin(self, step: SourceStep) -> Task:
        return self.task

    async def stage(self, step: SourceStep, staged: Staged) -> str:
        self.staged = staged
        return DOCUMENT

    async def unembedded(self, step: SourceStep, document_id: str, by: str) -> Sequence[tuple[int, str]]:
        assert (document_id, by, self.staged is not None) == (DOCUMENT, BY, True)
        assert self.staged is not None
        if self.gone and self.read:
            raise errors.not_found("document")
        self.read = True
        text, clauses = self.staged.parsed.text, self.staged.clauses
        return [(one.ordinal, text[one.start : one.end]) for one in clauses if one.ordinal not in self.vectors]

    async def embed(
        self,
        step: SourceStep,
        document_id: str,
        vectors: Mapping[int, Sequence[float]],
        bought: Vectors,
        purchase: Purchase,
        by: BoughtBy,
    ) -> None:
        self.bought.append((purchase, bought, by))
        if self.gone:
            raise errors.not_found("document")
        self.vectors |= vectors

    async def end(self, step: SourceStep, document_id: str | None, by: str = "") -> SourceDone:
        self.ended = (document_id, by)
        return SourceDone(source_id=SOURCE, status=SourceStatus.COMPLETED if document_id else SourceStatus.UNCHANGED)


@dataclass
class World:
    """A library of files, a place for them, a reader, and somebody who makes vectors."""

    files: dict[str, bytes] = field(default_factory=lambda: {"a.txt": TEXT})
    kept: dict[str, bytes] = field(default_factory=dict)
    read: list[FileKind] = field(default_factory=list)
    embedded: list[Sequence[str]] = field(default_factory=list)
    fault: Exception | None = None
    hang: bool = False
    name: str = "vectors"
    model: str = "m"
    sandbox: bool = True

    async def names(self) -> tuple[str, ...]:
        return tuple(self.files)

    async def source(self, name: str) -> Source | None:
        return Source(name, self.files[name]) if name in self.files else None

    async def put(self, key: str, data: bytes, kind: str) -> None:
        self.kept[key] = data

    async def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.kept.pop(key, None)

    async def parse(self, data: bytes, kind: FileKind) -> Parsed:
        self.read.append(kind)
        if self.fault is not None:
            raise self.fault
        return Parsed("1. Term\nTwo years.")

    async def redline(self, *args: object) -> bytes:
        raise AssertionError("nobody asks for that")

    def size(self, texts: Sequence[str]) -> Size:
        return Size(sum(map(len, texts)), 0)

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        if self.hang:
            await asyncio.Event().wait()
        self.embedded.append(texts)
        return Vectors(tuple((1.0,) for _ in texts), self.model, Usage(1, 0, 1))


def acts(rows: RowsTwin, world: World, **missing: None) -> BootstrapActivities:
    clients = {"references": world, "objects": world, "embedder": world, **missing}
    seats = Seats(Chairs(), {"parsing": 1, "embeddings": 1})
    treasurer = Treasurer(FakeLedger(), {"vectors/m": Price(input_usd=1, output_usd=0)}, CAPS)
    store: Bootstraps = rows  # type: ignore[assignment]
    return BootstrapActivities(
        store,
        parser=world,
        seats=seats,
        pacing=Pacing(FakePaces(), {}),
        treasurer=treasurer,
        **clients,  # type: ignore[arg-type]
    )


async def ingest(rows: RowsTwin, world: World, **missing: None) -> SourceDone:
    return await ActivityEnvironment().run(acts(rows, world, **missing).ingest, STEP)  # type: ignore[no-any-return]


async def test_a_source_is_read_kept_and_embedded() -> None:
    rows, world = RowsTwin(), World()
    assert (await ingest(rows, world)).status is SourceStatus.COMPLETED
    assert rows.staged is not None
    staged = rows.staged
    assert (staged.kind, staged.size_bytes, staged.sandbox) == (FileKind.TEXT, len(TEXT), True)
    assert staged.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert "".join(staged.parsed.text[one.start : one.end] for one in staged.clauses) == TEXT.decode()
    assert world.kept == {KEY: TEXT}
    assert set(rows.vectors) == {one.ordinal for one in staged.clauses}
    assert rows.ended == (DOCUMENT, BY)
    ((purchase, bought, by),) = rows.bought
    assert (purchase.work_id, purchase.version, bought.model, by.sandbox) == (SOURCE, 1, BY, True)
    assert purchase.purpose.startswith(f"vectors/{DOCUMENT}/")
    assert world.read == [], "a text needs no process of its own"


async def test_what_has_not_changed_is_left_as_it_is_unless_it_is_forced() -> None:
    known = Known(hashlib.sha256(TEXT).hexdigest(), BY)
    rows, world = RowsTwin(Task("a.txt", known=known)), World()
    assert (await ingest(rows, world)).status is SourceStatus.UNCHANGED
    assert (rows.staged, rows.ended, world.embedded) == (None, (None, ""), [])
    for changed in (
        Task("a.txt", known=known, force=True),
        Task("a.txt", known=replace(known, sha256="other")),
        Task("a.txt", known=replace(known, embedded_by="another/model")),
    ):
        rows, world = RowsTwin(changed), World()
        assert (await ingest(rows, world)).status is SourceStatus.COMPLETED
        assert rows.staged is not None


async def test_an_earlier_try_is_gone_on_with_unless_the_file_has_changed() -> None:
    rows, world = RowsTwin(), World()
    await ingest(rows, world)
    assert rows.staged is not None
    staged, rows.staged = rows.staged, None
    rows.task = Task("a.txt", document_id=DOCUMENT, sha256="of other bytes")
    await ingest(rows, world)
    assert rows.staged is not None
    rows.task = Task("a.txt", document_id=DOCUMENT, sha256=staged.sha256)
    rows.staged = marked = replace(staged, sandbox=False)
    del rows.vectors[0]
    await ingest(rows, world)
    assert rows.staged is marked, "it is not read again"
    assert [len(texts) for texts in world.embedded] == [2, 1]


async def test_one_that_has_ended_is_left() -> None:
    done = SourceDone(source_id=SOURCE, status=SourceStatus.FAILED)
    world = World(files={})
    assert await ingest(RowsTwin(Task("a.txt", done=done)), world) == done


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "the library of references: it holds no such file"),
        (b"", "the file: The file is empty."),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 9, "the file: This is a picture"),
        (b"%PDF-1.7", "the file: It has a password."),
        (b"   \n", "the file: The file holds no text"),
    ],
    ids=["none", "empty", "picture", "encrypted", "blank"],
)
async def test_what_cannot_be_read_is_told_for_good(data: bytes | None, said: str) -> None:
    world = World({} if data is None else {"a.txt": data}, fault=UnreadableFileError("It has a password."))
    rows = RowsTwin()
    with pytest.raises(ApplicationError) as raised:
        await ingest(rows, world)
    assert raised.value.message.startswith(said)
    assert raised.value.non_retryable
    assert (rows.staged, world.kept) == (None, {})


async def test_whatever_is_no_text_is_read_elsewhere() -> None:
    rows, world = RowsTwin(), World({"a.txt": b"%PDF-1.7 and more"})
    await ingest(rows, world)
    assert world.read == [FileKind.PDF]
    assert rows.staged is not None and rows.staged.kind is FileKind.PDF


async def test_of_a_document_that_is_gone_meanwhile_nothing_stays() -> None:
    rows, world = RowsTwin(gone=True), World()
    with pytest.raises(ApplicationError, match="no such document"):
        await ingest(rows, world)
    assert world.kept == {}
    assert len(rows.bought) == 1, "it is paid all the same"


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "there"])
async def test_one_that_is_stopped_leaves_the_file_of_a_document_alone(*, gone: bool) -> None:
    rows, world = RowsTwin(), World(hang=True)
    environment = ActivityEnvironment()
    running = asyncio.ensure_future(environment.run(acts(rows, world).ingest, STEP))

    async def read() -> bool:
        return rows.read

    await until(read)
    rows.gone = gone
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    assert bool(world.kept) is not gone


async def test_it_is_stopped_at_once() -> None:
    rows, world = RowsTwin(), World(hang=True)
    environment = ActivityEnvironment()
    running = asyncio.ensure_future(environment.run(acts(rows, world).ingest, STEP))
    while not world.kept:
        await asyncio.sleep(0.01)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 2)
    assert rows.ended is None


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("references", "GREENROOM_REFERENCES_URL"),
        ("objects", "GREENROOM_OBJECTS_URL"),
        ("embedder", "a key is missing"),
    ],
)
async def test_what_is_missing_is_said(missing: str, said: str) -> None:
    with pytest.raises(ApplicationError, match=said) as raised:
        await ingest(RowsTwin(), World(), **{missing: None})
    assert raised.value.non_retryable


@pytest.mark.parametrize(
    ("named", "written"),
    [((), ("a.txt",)), (("b.txt", "c.txt"), ("b.txt", "c.txt")), (None, ())],
    ids=["all", "named", "before"],
)
async def test_what_there_is_is_written_down(named: tuple[str, ...] | None, written: tuple[str, ...]) -> None:
    rows = RowsTwin(names=named)
    await ActivityEnvironment().run(acts(rows, World()).list, WHOLE)
    assert rows.written == written


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "it is empty"),
        ({str(n): b"" for n in range(10_001)}, "more than 10,000"),
        ({"a" * 301: b""}, "300 letters"),
    ],
    ids=["empty", "many", "long"],
)
async def test_a_library_that_is_none_is_told_as_such(files: dict[str, bytes], said: str) -> None:
    rows = RowsTwin()
    with pytest.raises(ApplicationError, match=said):
        await ActivityEnvironment().run(acts(rows, World(files)).list, WHOLE)
    assert rows.written is None
