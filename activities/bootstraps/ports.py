"""What the taking in of references needs of rows. The real thing is in Postgres, its twin in tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from activities.documents.ports import BoughtBy, Parsed, Vectors
from activities.spending import Purchase
from schemas.base import RowId
from schemas.bootstraps import (
    BootstrapDone,
    BootstrapFailure,
    BootstrapStep,
    BootstrapTaking,
    NextBootstrap,
    SourceDone,
    SourceFailure,
    SourcesListing,
    SourcesPage,
    SourceStep,
)
from schemas.documents import Clause, FileKind


@dataclass(frozen=True)
class Known:
    """A reference of that name that can be searched: the hash of its bytes, and what its vectors were made by."""

    sha256: str
    embedded_by: str


@dataclass(frozen=True)
class Task:
    """A source that is to be taken in. `done` when it was before; `document_id` and `sha256` are of what an earlier try
    has read already."""

    name: str = field(repr=False)
    force: bool = False
    known: Known | None = None
    document_id: RowId | None = None
    sha256: str = ""
    done: SourceDone | None = None


@dataclass(frozen=True)
class Staged:
    """What was read of a source: a reference that cannot be searched yet."""

    kind: FileKind
    size_bytes: int
    sha256: str
    parsed: Parsed
    clauses: tuple[Clause, ...]
    sandbox: bool


class Bootstraps(Protocol):
    """The rows of bootstraps and of their sources. Whoever works on one that has ended, or that is another run's by now,
    is told errors.superseded; about a document that is gone, errors.not_found."""

    async def take(self, taking: BootstrapTaking) -> NextBootstrap:
        """The oldest that waits, of all tenants, or the one that is under way. Safe to run twice."""
        ...

    async def named(self, step: BootstrapStep) -> tuple[str, ...] | None:
        """What it was asked for by name, empty for all there is. None when its sources are written down already."""
        ...

    async def write_down(self, step: BootstrapStep, names: Sequence[str]) -> int:
        """Its sources, once; how many there are. Safe to run twice."""
        ...

    async def page(self, listing: SourcesListing) -> SourcesPage: ...
    async def begin(self, step: SourceStep) -> Task:
        """Safe to run twice."""
        ...

    async def stage(self, step: SourceStep, staged: Staged) -> RowId:
        """Its document, in place of what an earlier try has read of other bytes. Safe to run twice."""
        ...

    async def unembedded(self, step: SourceStep, document_id: RowId, by: str) -> Sequence[tuple[int, str]]:
        """Clauses without a vector of this model, by their ordinals, with their texts."""
        ...

    async def embed(
        self,
        step: SourceStep,
        document_id: RowId,
        vectors: Mapping[int, Sequence[float]],
        bought: Vectors,
        purchase: Purchase,
        by: BoughtBy,
    ) -> None:
        """Vectors of clauses by their ordinals, settled; `bought.model` is what they are marked with. Safe to run twice."""
        ...

    async def end(self, step: SourceStep, document_id: RowId | None, by: str = "") -> SourceDone:
        """It is taken in, by vectors that `by` made; without a document it is unchanged. Safe to run twice."""
        ...

    async def fail_source(self, failure: SourceFailure) -> SourceDone:
        """Safe to run twice, and late: what has ended stays so."""
        ...

    async def taken_in(self, step: BootstrapStep) -> Sequence[RowId]:
        """The references that came of it."""
        ...

    async def index(self, step: BootstrapStep, document_id: RowId, most: int) -> int:
        """So many clauses of a reference at most are entered into the index: they are found once it can be searched. How
        many that were; 0 when none is left. Safe to run twice."""
        ...

    async def publish(self, step: BootstrapStep) -> int:
        """From now on its references are searched, all at once, and those that they replace are not. How many there are.
        Safe to run twice."""
        ...

    async def clear(self, step: BootstrapStep, most: int) -> int:
        """So many at most of the references that were replaced are deleted, with all that hangs on them. How many. Safe
        to run twice."""
        ...

    async def finish(self, step: BootstrapStep) -> BootstrapDone:
        """Safe to run twice: how it ended is told again."""
        ...

    async def fail(self, failure: BootstrapFailure) -> BootstrapDone:
        """Nothing stays of what it took in. Safe to run twice, and late: what has ended stays so."""
        ...
