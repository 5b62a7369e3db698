"""Twins of the ports: they keep in memory what Postgres keeps, and answer what the test says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from activities import errors
from activities.ports import ModelAnswer, Prompt, Question, SearchAnswer, Size, Source, Usage
from activities.research import paying
from activities.research.economy import Thrift
from activities.research.ports import Ask, Bought, Claimed, Tried, WrittenBy
from activities.spending import Offer, Purchase, Treasurer
from schemas.briefs import Composed, Evidence, Kept, Material
from schemas.budgets import Caps, Price
from schemas.research import Begun, Failure, LookUp, Overdue, Start, Subject, Writing, Written
from tests.research import material as made

FREE = Usage(1, 1, 10)

PERSON = Subject(subject_id=made.PERSON_ID, label="Prospect 1 at acme-freight.example", key="0123456789abcdef")
COMPANY = Subject(subject_id=made.COMPANY_ID, label="acme-freight.example")


@dataclass
class FakeStore:
    """Runs, look-ups and briefs of one research."""

    prospects: tuple[Subject, ...] = (PERSON,)
    companies: tuple[Subject, ...] = (COMPANY,)
    tries: dict[str, Tried] = field(default_factory=dict)
    kept: dict[str, Bought] = field(default_factory=dict)
    answers: list[Kept] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    briefs: list[Composed] = field(default_factory=list)
    # Seconds that each turn is said to be away.
    waits: list[float] = field(default_factory=list)
    queue_moves: bool = False

    async def begin(self, start: Start, thrift: Thrift, *, sandbox: bool) -> Begun:
        return Begun(version=1, brief_id=made.BRIEF_ID, prospects=self.prospects, companies=self.companies)

    async def tried(self, overdue: Overdue, provider: str) -> list[Tried]:
        nothing = {key: Tried(key, None, 0.0, self.queue_moves) for key in overdue.subject_ids}
        return [self.tries.get(key, nothing[key]) for key in overdue.subject_ids]

    async def fail(self, failure: Failure) -> Written:
        self.failures.append(failure)
        return Written()

    async def claim(
        self, look_up: LookUp, ask: Ask, *, sandbox: bool, holder: str, now: datetime, queued_s: float
    ) -> Claimed:
        subject = made.person() if look_up.subject.key else made.material().companies[0]
        question = ask(subject, look_up.question)
        if question.asked in self.kept:
            return Claimed(question, len(self.kept[question.asked].answer.sources), ours=False)
        self._try(look_up.subject.subject_id, now, queued_s)
        return Claimed(question, None, ours=True)

    async def wait(self, order: LookUp | Writing, *rest: Any) -> None:
        self.waits.append(rest[-1])

    async def release(self, look_up: LookUp, holder: str) -> None:
        return

    async def keep(self, look_up: LookUp, question: Question, bought: Bought, *, holder: str, now: datetime) -> None:
        self.kept[question.asked] = bought

    async def material(self, order: Writing, *, sandbox: bool, now: datetime, queued_s: float) -> Material:
        self._try(order.brief_id, now, queued_s)
        return made.material(evidence=self._evidence(), answers=tuple(self.answers))

    async def keep_answer(
        self, order: Writing, prompt: Prompt, answer: ModelAnswer, by: WrittenBy, *, now: datetime
    ) -> None:
        self.answers.append(Kept(text=answer.text, stopped=answer.stopped, model=answer.model))

    async def finish(self, order: Writing, brief: Composed, model: str, sandbox: bool, now: datetime) -> Written:
        self.briefs.append(brief)
        return Written(confidence=brief.confidence.value, claims=len(brief.claims), cost_micro_usd=10)

    def _try(self, key: str, now: datetime, queued_s: float) -> None:
        last = self.tries.get(key)
        self.tries[key] = Tried(
            key, last.first_start if last else now, (last.waited_s + queued_s) if last else 0.0, False
        )

    def _evidence(self) -> tuple[Evidence, ...]:
        return made.material().evidence


@dataclass
class FakeSearch:
    """Finds the made-up evidence; `faults` are raised first, by the name of the question."""

    faults: dict[str, list[Exception]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    name: str = "search"
    model: str = "m"
    sandbox: bool = True
    finds: bool = True

    def size(self, question: Question) -> Size:
        return Size(1, 1)

    async def ask(self, question: Question) -> SearchAnswer:
        self.asked.append(question.name)
        if self.faults.get(question.name):
            raise self.faults[question.name].pop(0)
        sources = (Source("https://news.example/1", "A page", made.WORK),) if self.finds else ()
        return SearchAnswer(sources=sources, said={"found": self.finds, "people": []}, model="m", usage=FREE)


@dataclass
class FakeModel:
    """Writes what it is told to, one answer after the other, the last for ever; an exception is raised."""

    says: list[str | Exception]
    prompts: list[Prompt] = field(default_factory=list)
    name: str = "model"
    model: str = "m"
    most_tokens: int = 1
    sandbox: bool = True

    def size(self, prompt: Prompt) -> Size:
        return Size(1, 1)

    async def write(self, prompt: Prompt) -> ModelAnswer:
        self.prompts.append(prompt)
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        return ModelAnswer(text=said, stopped="end_turn", model="m", usage=FREE)


@dataclass
class FakeLedger:
    """Has money for everything; what was given up is noted."""

    given_up: list[tuple[str, bool]] = field(default_factory=list)

    async def reserve(self, purchase: Purchase, offers: Sequence[Offer], caps: Caps, now: datetime) -> Offer:
        return offers[0]

    async def give_up(self, purchase: Purchase, now: datetime, *, paid: bool) -> None:
        self.given_up.append((purchase.purpose, paid))


CAPS = Caps(run_micro_usd=2_000_000, meeting_micro_usd=5_000_000, month_micro_usd=200_000_000)
PRICES = {"search/m": Price(input_usd=1, output_usd=1), "model/m": Price(input_usd=1, output_usd=1)}


def treasurer(ledger: FakeLedger | None = None) -> Treasurer:
    return Treasurer(ledger or FakeLedger(), PRICES, CAPS)


def thrift() -> Thrift:
    """What runs of these twins can cost."""
    return paying.thrift(treasurer(), FakeSearch(), [FakeModel([])])


@dataclass
class FakePaces:
    """Reserves a start so many seconds from now."""

    wait_s: float = 0.0

    async def reserve(self, _provider: str, _pace: object) -> float:
        return self.wait_s


def limited(seconds: int) -> Exception:
    """A provider that asks to wait."""
    return errors.answered("search", 429, None, {"retry-after": str(seconds)}, timedelta(seconds=1))


def down() -> Exception:
    return errors.answered("search", 503, None, {}, timedelta())
