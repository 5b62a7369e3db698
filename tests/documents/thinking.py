"""Twins for going through documents: an agreement in memory, a model that answers as the sandbox's, or as it is told to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.documents.embedding import EmbeddingActivities
from activities.documents.ports import (
    BoughtBy,
    Conclusion,
    Extract,
    KeptAnswer,
    Material,
    Parsed,
    Stored,
    Text,
    Vectors,
)
from activities.documents.reviewing import ReviewActivities
from activities.pacing import Pacing
from activities.ports import ModelAnswer, Prompt, Size, Usage
from activities.seats import Seats
from activities.spending import Purchase, Treasurer
from sandbox import reviewer, voyage
from schemas.budgets import Price
from schemas.documents import (
    Clause,
    DocumentStep,
    Finding,
    PartDone,
    PartStep,
    Passage,
    RunBegun,
    RunDone,
    RunEnding,
    RunFailure,
    RunStart,
)
from tests.digests.voices import Chairs
from tests.fakes import CAPS, FakeLedger
from tests.skills.carried import NoPaces

TENANT, DOCUMENT, RUN, OTHER = (f"9d0c6a1e-0000-4000-8000-00000000000{n}" for n in (1, 2, 3, 4))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
STEP = DocumentStep(tenant_id=TENANT, document_id=DOCUMENT, run_id=RUN, version=1, now=NOW)
PRICES = {
    "model/m": Price(input_usd=3, output_usd=15),
    "vectors/m": Price(input_usd=0.06, output_usd=0),
    "anthropic/claude-sonnet-5-5": Price(input_usd=3, output_usd=15),
}
BONTERMS = Path(__file__).parents[2] / "tests/documents/nda/bonterms-mutual-nda.md"

TERM = "6. Term. This Agreement ends two years after the Effective Date."
SECRET = "2. Secrecy. The Recipient shall not disclose the Confidential Information to anybody, in perpetuity."
RETURN = "7. Return. The Recipient shall return all Confidential Information within 30 days of a request."
LAW = "9. Law. This Agreement is governed by the laws of England and Wales."


def part_step(part: int = 1, ask: int = 1, **changes: Any) -> PartStep:
    return PartStep(**{**STEP.model_dump(), "part": part, "ask": ask, **changes})


def agreement(*paragraphs: str) -> Text:
    """Each paragraph is a clause; its number is what it begins with, its heading what stands before the next dot."""
    text, clauses = "", list[Clause]()
    for paragraph in paragraphs:
        start = len(text)
        text += f"{paragraph}\n"
        number, _, rest = paragraph.partition(". ")
        headed = number.isdigit()
        clauses.append(
            Clause(
                ordinal=len(clauses),
                start=start,
                end=len(text),
                number=f"{number}." if headed else "",
                heading=rest.partition(".")[0] if headed else "",
            )
        )
    return Text(text, tuple(clauses))


def finding(text: Text, clause: int, quote: str, **changes: Any) -> Finding:
    """A risky one, standing in the text."""
    start = text.text.index(quote, text.clauses[clause].start)
    passage = Passage(clause=clause, start=start, end=start + len(quote), quote=quote)
    known = {"id": RUN, "topic": "survival", "rule": "Secrecy has no end, for all of it.", "risk": "high"}
    return Finding.model_validate({**known, "said": "It has no end.", "passage": passage, **changes})


@dataclass
class Rows:
    """One run's rows."""

    material_: Material
    kept: dict[str, KeptAnswer] = field(default_factory=dict)
    written: dict[int, Extract] = field(default_factory=dict)
    percents: list[int] = field(default_factory=list)
    vectors: dict[int, Sequence[float]] = field(default_factory=dict)
    batches: list[tuple[str, Purchase, bool]] = field(default_factory=list)
    gone: bool = False

    async def begin(self, start: RunStart) -> RunBegun:
        raise NotImplementedError

    async def stored(self, step: DocumentStep) -> Stored:
        raise NotImplementedError

    async def store_text(self, step: DocumentStep, parsed: Parsed, clauses: Sequence[Clause]) -> None:
        raise NotImplementedError

    async def text(self, step: DocumentStep) -> Text | None:
        return self.material_.text if self.material_.text.clauses else None

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
        self.vectors |= vectors
        self.batches.append((bought.model, purchase, last))

    async def embedded(self, step: DocumentStep, by: str) -> frozenset[int]:
        return frozenset(self.vectors) if self.batches and self.batches[-1][0] == by else frozenset()

    async def material(self, step: DocumentStep) -> Material:
        if self.gone:
            raise errors.superseded()
        return replace(self.material_, kept=dict(self.kept), done=frozenset(self.written))

    async def keep(self, step: PartStep, asked: str, answer: ModelAnswer, purchase: Purchase, by: BoughtBy) -> None:
        known = self.kept.get(asked)
        assert known is None or (known.version, known.sandbox) != (step.version, by.sandbox), "bought twice"
        self.kept[asked] = KeptAnswer(answer, step.version, step.part, sandbox=by.sandbox)

    async def write(self, step: PartStep, extract: Extract, percent: int) -> None:
        self.written[step.part] = extract
        self.percents.append(percent)

    async def result(self, step: DocumentStep) -> Extract:
        raise NotImplementedError

    async def finish(self, ending: RunEnding, conclusion: Conclusion) -> RunDone:
        raise NotImplementedError

    async def fail(self, failure: RunFailure) -> RunDone:
        raise NotImplementedError


@dataclass
class TwinReviewer:
    """Says what it is told to, and then what the sandbox's says: with a trick of its, if there is one."""

    says: list[str | Exception] = field(default_factory=list)
    trick: str | None = None
    stopped: str = "end_turn"
    prompts: list[Prompt] = field(default_factory=list)
    name: str = "model"
    model: str = "m"
    most_tokens: int = 100
    sandbox: bool = True

    def size(self, prompt: Prompt) -> Size:
        return Size(len(prompt.material), self.most_tokens)

    async def write(self, prompt: Prompt) -> ModelAnswer:
        self.prompts.append(prompt)
        said = self.says.pop(0) if self.says else answered(prompt, self.trick)
        if isinstance(said, Exception):
            raise said
        return ModelAnswer(text=said, stopped=self.stopped, model="m", usage=Usage(10, 10, 11))


def answered(prompt: Prompt, trick: str | None = None) -> str:
    task = reviewer.task(prompt.material)
    assert task is not None, "the sandbox does not know the block"
    return reviewer.written(task, prompt.schema, trick)


@dataclass
class TwinEmbedder:
    """Vectors as the sandbox makes them."""

    says: list[Exception | None] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    name: str = "vectors"
    model: str = "m"
    sandbox: bool = True

    def size(self, texts: Sequence[str]) -> Size:
        return Size(sum(map(len, texts)), 0)

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        self.batches.append(list(texts))
        if self.says and (error := self.says.pop(0)) is not None:
            raise error
        return Vectors(tuple(tuple(voyage.vector(text)) for text in texts), "m", Usage(10, 0, 1))


@dataclass
class Desk:
    """Everything that it takes to think about one document."""

    rows: Rows
    model: TwinReviewer = field(default_factory=TwinReviewer)
    embedder: TwinEmbedder = field(default_factory=TwinEmbedder)
    chairs: Chairs = field(default_factory=Chairs)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    seats: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, *paragraphs: str, **changes: Any) -> "Desk":
        return cls(Rows(Material(agreement(*paragraphs), **changes)))

    def reviewing(self) -> ReviewActivities:
        return ReviewActivities(self.rows, self.model, *self._others())

    def embedding(self) -> EmbeddingActivities:
        return EmbeddingActivities(self.rows, self.embedder, *self._others())

    async def analyse(self, part: int = 1, ask: int = 1, **changes: Any) -> PartDone:
        return await ActivityEnvironment().run(self.reviewing().analyse, part_step(part, ask, **changes))

    async def compare(self, part: int = 1, ask: int = 1) -> PartDone:
        return await ActivityEnvironment().run(self.reviewing().compare, part_step(part, ask))

    async def propose(self, part: int = 1, ask: int = 1) -> PartDone:
        return await ActivityEnvironment().run(self.reviewing().propose, part_step(part, ask))

    def _others(self) -> tuple[Pacing, Treasurer, Seats]:
        at_once = {"analysis": 2, "comparison": 2, "generation": 2, "embeddings": 2}
        return Pacing(NoPaces(), {}), Treasurer(self.ledger, PRICES, CAPS), Seats(self.chairs, at_once)
