"""What work on documents needs of the world. Each port has one real thing, and a twin in tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from activities.ports import ModelAnswer, Seller, Size, Usage
from activities.spending import Purchase
from schemas.base import RowId
from schemas.documents import (
    Against,
    Clause,
    Difference,
    DocumentStep,
    FileKind,
    Finding,
    PartStep,
    Passage,
    Risk,
    RunBegun,
    RunDone,
    RunEnding,
    RunFailure,
    RunStart,
)

# Steps of a tenant that are under way at once, over all workers, have seats of these names (S4-16).
PARSING, EMBEDDINGS, ANALYSIS = "parsing", "embeddings", "analysis"
COMPARISON, GENERATION = "comparison", "generation"


class UnreadableFileError(Exception):
    """A file that cannot be read as a document. `sentence` says why, to the person whose file it is."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Parsed:
    """The text of a file, its lines ended by newlines. `tracked`: it has changes that are not accepted yet; its text is
    as if they were."""

    text: str = field(repr=False)
    pages: int | None = None
    tracked: bool = False


@dataclass(frozen=True)
class Edit:
    """The text from `start` to before `end` is to be `replacement`, and why."""

    start: int
    end: int
    replacement: str
    reason: str


class Parser(Protocol):
    """Reads and writes files in a process of its own, within bounds of memory and time. Raises UnreadableFileError, or
    what `errors` makes when there is no room or no time. A cancellation ends the process at once."""

    async def parse(self, data: bytes, kind: FileKind) -> Parsed: ...
    async def redline(self, data: bytes, kind: FileKind, text: str, edits: Sequence[Edit], at: str) -> bytes:
        """The document as DOCX, with these changes tracked and their reasons as comments, dated `at` (ISO 8601)."""
        ...


@dataclass(frozen=True)
class Vectors:
    """One vector for each text, in their order. Without `usage` its provider told none."""

    vectors: tuple[tuple[float, ...], ...] = field(repr=False)
    model: str
    usage: Usage | None


class Embedder(Seller, Protocol):
    """Makes vectors that are near to each other where texts mean the same. Raises only what `errors` makes."""

    def size(self, texts: Sequence[str]) -> Size: ...
    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors: ...


@dataclass(frozen=True)
class Stored:
    """Where a document's file is, and what it is."""

    kind: FileKind
    object_key: str
    name: str = field(repr=False)


@dataclass(frozen=True)
class Text:
    """A document's text with its clauses, and what its vectors were made by: empty where there are none."""

    text: str = field(repr=False)
    clauses: tuple[Clause, ...]
    embedded_by: str = ""

    def of(self, clause: Clause) -> str:
        return self.text[clause.start : clause.end]


@dataclass(frozen=True)
class Pair:
    """A clause and what it is compared with. One of them is None where the other side has nothing of it."""

    ours: Clause | None
    theirs: Clause | None
    theirs_document_id: RowId | None
    # What the clause of theirs says, and how near they are, from 0 to 1.
    theirs_text: str = field(default="", repr=False)
    nearness: float = 0


@dataclass(frozen=True)
class KeptAnswer:
    """What a model answered about a part. `version` is of the run that asked."""

    answer: ModelAnswer
    version: int
    part: int
    # Pretended: it serves no real run.
    sandbox: bool = False


@dataclass(frozen=True)
class BoughtBy:
    """Who answered, and in which run it was bought."""

    provider: str
    workflow_id: str
    run_id: str
    sandbox: bool


@dataclass(frozen=True)
class Material:
    """What a run's part is made of: the document's text, and whatever is known beside it."""

    text: Text
    # What the document is called.
    name: str = field(default="", repr=False)
    against: Against | None = None
    # Parts of this version that are gone through.
    done: frozenset[int] = frozenset()
    # Answers of this run that are paid for, by what was asked.
    kept: Mapping[str, KeptAnswer] = field(default_factory=dict, hash=False)
    # For a comparison: what is compared with what.
    pairs: tuple[Pair, ...] = ()
    # For a redline: what was found, and what differs from the playbook.
    findings: tuple[Finding, ...] = ()
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Extract:
    """What survived of an answer about a part, and how much did not."""

    findings: tuple["Found", ...] = ()
    differences: tuple["Differs", ...] = ()
    proposals: tuple["Proposed", ...] = ()
    dropped: int = 0


@dataclass(frozen=True)
class Found:
    """A finding that is to be kept."""

    topic: str
    rule: str
    risk: Risk
    said: str
    passage: Passage | None


@dataclass(frozen=True)
class Differs:
    topic: str
    change: str
    matters: Risk
    said: str
    ours: Passage | None
    theirs: Passage | None
    theirs_document_id: RowId | None


@dataclass(frozen=True)
class Proposed:
    passage: Passage
    replacement: str
    reason: str
    finding_id: RowId | None


@dataclass(frozen=True)
class Conclusion:
    """What a run comes to: written with its end."""

    risk: Risk | None = None
    summary: tuple[str, ...] = ()
    # What code adds of its own, such as clauses that are missing.
    findings: tuple[Found, ...] = ()
    letter: str = ""
    object_key: str | None = None


class Runs(Protocol):
    """The rows of runs and of what they make. Who is not the run that works on a row, or whose document is gone, raises
    errors.superseded, but for what says otherwise. Whatever changes how far a run is tells it by an event, in the same
    transaction."""

    async def begin(self, start: RunStart) -> RunBegun:
        """Take the row. Safe to run twice."""
        ...

    async def stored(self, step: DocumentStep) -> Stored: ...
    async def store_text(self, step: DocumentStep, parsed: Parsed, clauses: Sequence[Clause]) -> None:
        """What was read of a document. Safe to run twice; one that was read meanwhile stays as it is."""
        ...

    async def text(self, step: DocumentStep) -> Text | None:
        """What was read of the step's document."""
        ...

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
        """Vectors of clauses by their ordinals, settled. Safe to run twice."""
        ...

    async def embedded(self, step: DocumentStep, by: str) -> frozenset[int]:
        """Which clauses have vectors that this model made."""
        ...

    async def material(self, step: DocumentStep) -> Material:
        """All that a part of the run is made of. Pairs are those that `pair` wrote, or are found by their vectors."""
        ...

    async def keep(self, step: PartStep, asked: str, answer: ModelAnswer, purchase: Purchase, by: BoughtBy) -> None:
        """Keeps an answer and settles it. Safe to run twice."""
        ...

    async def write(self, step: PartStep, extract: Extract, percent: int) -> None:
        """What came of a part, instead of what there was of it. Safe to run twice."""
        ...

    async def result(self, step: DocumentStep) -> Extract:
        """All that the parts of the run came to, in order."""
        ...

    async def finish(self, ending: RunEnding, conclusion: Conclusion) -> RunDone:
        """The end of the run, and the event that says so. Safe to run twice: how it ended is told again."""
        ...

    async def fail(self, failure: RunFailure) -> RunDone:
        """Safe to run twice; a run that has ended stays as it is. One that was cancelled leaves nothing that it made: of
        the document, its text and vectors go too when no other run needs them."""
        ...


@dataclass(frozen=True)
class Source:
    """A reference as the library holds it; `mark` is another one when its bytes are."""

    name: str
    data: bytes = field(repr=False)


class References(Protocol):
    """Where references lie. Raises only what `errors` makes."""

    sandbox: bool

    async def names(self) -> tuple[str, ...]: ...
    async def source(self, name: str) -> Source | None:
        """Nothing when there is none of that name."""
        ...
