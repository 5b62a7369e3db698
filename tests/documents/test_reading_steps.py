"""Reading and drawing as steps: each once, each told apart from what nobody wants any more."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.documents import DocumentActivities, keys
from activities.documents.formats import docx, plain
from activities.documents.ports import Extract, Parsed, Proposed, Stored, Text
from activities.documents.tracked import redline
from activities.seats import Seats
from schemas.documents import Clause, DocumentStep, FileKind, Passage
from tests.documents import files
from tests.documents.files import p, r

TENANT, DOCUMENT, RUN = (f"{number:08}-0000-4000-8000-000000000000" for number in (1, 2, 3))
STEP = DocumentStep(
    tenant_id=TENANT, document_id=DOCUMENT, run_id=RUN, version=2, now=datetime(2026, 11, 23, 10, tzinfo=UTC)
)
ORIGINAL, REDLINE = keys.original(TENANT, DOCUMENT), keys.redline(TENANT, DOCUMENT, RUN, 2)
FILE = files.docx(p(r("1. Term. Two years.")) + p(r("2. Law. Narnia.")))
CHANGE = Proposed(Passage(clause=0, start=9, end=12, quote="Two"), "Three", "Two are too few.", None)


@dataclass
class FakeRuns:
    """A run of one document. `over`: somebody else works on its row, from so many questions on."""

    kept: Text | None = None
    proposals: tuple[Proposed, ...] = (CHANGE,)
    over: int = 99
    stores: int = 0

    async def text(self, step: DocumentStep) -> Text | None:
        return self.kept

    async def stored(self, step: DocumentStep) -> Stored:
        self.over -= 1
        if self.over < 0:
            raise errors.superseded()
        return Stored(FileKind.DOCX, ORIGINAL, "nda.docx")

    async def store_text(self, step: DocumentStep, parsed: Parsed, clauses: tuple) -> None:
        self.stores += 1
        self.kept = Text(parsed.text, tuple(clauses))

    async def result(self, step: DocumentStep) -> Extract:
        return Extract(proposals=self.proposals)


@dataclass
class FakeObjects:
    held: dict[str, bytes] = field(default_factory=lambda: {ORIGINAL: FILE})
    # A put that does not end.
    slow: bool = False
    putting: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, key: str, data: bytes, kind: str) -> None:
        self.held[key] = data
        self.putting.set()
        if self.slow:
            await asyncio.Event().wait()

    async def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    async def delete(self, keys: list[str]) -> None:
        for key in keys:
            self.held.pop(key, None)


class FakeParser:
    """Reads in this process."""

    def __init__(self) -> None:
        self.read = 0

    async def parse(self, data: bytes, kind: FileKind) -> Parsed:
        self.read += 1
        return docx.read(data) if kind is FileKind.DOCX else plain.read(data)

    async def redline(self, *asked: object) -> bytes:
        return redline(*asked)


class Room:
    """Of Postgres's seats: who sits on which."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def take(self, provider: str, holder: str, *_: object) -> bool:
        self.taken.append(provider)
        return True

    async def keep(self, *_: object) -> None: ...
    async def leave(self, *_: object) -> None: ...


@dataclass
class World:
    runs: FakeRuns = field(default_factory=FakeRuns)
    objects: FakeObjects = field(default_factory=FakeObjects)
    parser: FakeParser = field(default_factory=FakeParser)
    room: Room = field(default_factory=Room)

    @property
    def steps(self) -> DocumentActivities:
        seats = Seats(self.room, {"parsing": 10, "generation": 5})
        return DocumentActivities(self.runs, self.objects, self.parser, seats)

    async def parse(self) -> object:
        return await ActivityEnvironment().run(self.steps.parse, STEP)

    async def draw(self) -> object:
        return await ActivityEnvironment().run(self.steps.draw, STEP)


TEXT = Text(docx.read(FILE).text, ())


async def test_a_document_is_read_once_on_a_seat_of_its_tenant() -> None:
    world = World()

    first, again = await world.parse(), await world.parse()

    assert first == again and (first.clauses, first.parts) == (2, 1)
    assert (world.parser.read, world.runs.stores) == (1, 1)
    assert world.room.taken == [f"parsing/{TENANT}"]


async def test_a_long_text_is_split_beside_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = list[int]()

    def split(text: str) -> tuple[Clause, ...]:
        threads.append(threading.get_ident())
        return (Clause(ordinal=0, start=0, end=len(text)),)

    monkeypatch.setattr("activities.documents.clauses.split", split)

    await World().parse()

    assert len(threads) == 1 and threads != [threading.get_ident()]


@pytest.mark.parametrize(
    ("held", "said"),
    [({ORIGINAL: b"PK\x03\x04"}, "The DOCX is damaged;"), ({}, "The file is not there any more;")],
    ids=["damaged", "gone"],
)
async def test_a_file_that_cannot_be_read_is_not_tried_again(held: dict[str, bytes], said: str) -> None:
    world = World(objects=FakeObjects(held))

    with pytest.raises(ApplicationError) as failed:
        await world.parse()

    assert failed.value.message.startswith(said)
    assert (failed.value.type, failed.value.non_retryable) == ("Unreadable", True)
    assert world.runs.kept is None


async def test_what_is_proposed_is_drawn_and_put_away() -> None:
    world = World(FakeRuns(kept=TEXT))

    await world.draw()
    drawn = world.objects.held[REDLINE]
    await world.draw()

    assert docx.read(drawn).text == "1. Term. Three years.\n2. Law. Narnia."
    assert world.objects.held[REDLINE] == drawn
    assert world.room.taken[0] == f"generation/{TENANT}"


async def test_without_a_proposal_nothing_is_drawn() -> None:
    world = World(FakeRuns(kept=TEXT, proposals=()))

    await world.draw()

    assert list(world.objects.held) == [ORIGINAL]


async def test_a_run_that_came_to_nothing_meanwhile_takes_its_file_back() -> None:
    world = World(FakeRuns(kept=TEXT, over=1))

    with pytest.raises(ApplicationError, match="newer run"):
        await world.draw()

    assert list(world.objects.held) == [ORIGINAL]


async def test_who_is_cancelled_while_a_file_is_put_away_takes_it_back() -> None:
    world = World(FakeRuns(kept=TEXT), FakeObjects(slow=True))
    drawing = asyncio.create_task(world.draw())
    await world.objects.putting.wait()
    assert REDLINE in world.objects.held

    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing

    assert list(world.objects.held) == [ORIGINAL]


async def test_without_a_place_for_files_nothing_is_read() -> None:
    with pytest.raises(ApplicationError, match="set GREENROOM_OBJECTS_URL"):
        await ActivityEnvironment().run(
            DocumentActivities(FakeRuns(), None, FakeParser(), Seats(Room(), {})).parse, STEP
        )
