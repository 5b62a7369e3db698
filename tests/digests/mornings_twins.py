"""Twins for writing a digest: its rows in memory, and a search that finds what it is told to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from activities import errors
from activities.digests.ports import BoughtBy, KeptAnswer, Morning, News, Spoken, Topic
from activities.ports import ModelAnswer, Prompt
from activities.spending import Purchase
from schemas.digests import (
    DigestBegun,
    DigestDone,
    DigestEnding,
    DigestFailed,
    DigestFailure,
    DigestPage,
    DigestPaging,
    DigestStart,
    DigestStatus,
    DigestStep,
    Item,
    ItemKind,
    Quiet,
    Script,
    Sound,
)

TENANT, DIGEST, USER = (f"5b0b6a1e-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY = date(2026, 11, 23)
STEP = DigestStep(tenant_id=TENANT, digest_id=DIGEST, version=1, now=NOW)

CANTEENS = Item(
    kind=ItemKind.NEWS,
    key="news/canteens",
    topic="school meals",
    title="Halden Foods wins the city canteens",
    text="Halden Foods won a contract on 13 November 2026 to supply the canteens of two cities for four years. Deliveries"
    " begin in March and will need a cold chain of their own. The company does not plan a third kitchen.",
    url="https://www.grocerwire.example/canteens",
    source="Grocer Wire",
    published=date(2026, 11, 22),
)
FERRIES = CANTEENS.model_copy(
    update={
        "key": "news/ferries",
        "topic": "public transport",
        "title": "Ferries of Halvik run until midnight",
        "text": "The ferries of Halvik will run until midnight from the first of May. A ticket stays at 4 crowns.",
        "source": "Harbour Gazette",
        "published": None,
    }
)


def morning(*items: Item, **fields: object) -> Morning:
    plain = Morning(
        user_id=USER,
        name="Robin Marsh",
        day=DAY,
        time_zone="UTC",
        quiet=Quiet.SHORT,
        items=items or (CANTEENS, FERRIES),
        kept={},
        script=None,
        spoken={},
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


@dataclass
class TwinRows:
    """One digest of version 1."""

    is_made_of: Morning = field(default_factory=morning)
    topics: list[Topic] = field(default_factory=list)
    news: dict[str, tuple[Sequence[News], Purchase]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    done: DigestDone | None = None
    refused: str = ""

    async def due(self, paging: DigestPaging) -> DigestPage:
        return DigestPage()

    async def begin(self, start: DigestStart, *, speaks: bool, sandbox: bool) -> DigestBegun:
        return DigestBegun(digest_id=DIGEST, version=1, unasked=len(self.topics), spoken=speaks)

    async def unasked(self, step: DigestStep) -> list[Topic]:
        return [topic for topic in self.topics if topic.key not in self.news]

    async def keep_news(
        self, step: DigestStep, topic: Topic, found: Sequence[News], bought: Purchase, by: BoughtBy
    ) -> None:
        assert by.provider == "papers"
        self.news[topic.key] = found, bought

    async def morning(self, step: DigestStep, *, sandbox: bool) -> Morning:
        if self.done is not None:
            raise errors.superseded()
        return self.is_made_of

    async def keep_answer(
        self, step: DigestStep, bought: Purchase, prompt: Prompt, answer: ModelAnswer, by: BoughtBy
    ) -> None:
        self.answers.append(bought.purpose)
        kept = {**self.is_made_of.kept, prompt.asked: KeptAnswer(answer, ours=True)}
        self.is_made_of = replace(self.is_made_of, kept=kept)

    async def keep_script(self, step: DigestStep, script: Script) -> None:
        if self.is_made_of.script is None:
            self.is_made_of = replace(self.is_made_of, script=script)

    async def keep_piece(
        self,
        step: DigestStep,
        hash: str,  # noqa: A002 - the port's name
        spoken: Spoken,
        bought: Purchase | None,
        by: BoughtBy,
    ) -> None:
        raise AssertionError("nothing is spoken here")

    async def finish(self, ending: DigestEnding, script: Script, sound: Sound | None) -> DigestDone:
        if self.done is None:
            assert script.lines
            self.refused = ending.refused
            self.done = DigestDone(digest_id=DIGEST, status=DigestStatus.READY, at=ending.now)
        return self.done

    async def fail(self, failure: DigestFailure) -> DigestFailed:
        return DigestFailed(done=self.done)


@dataclass
class Papers:
    """A NewsSearch. `faults` are raised first, by what is asked about."""

    faults: dict[str, list[Exception]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    name: str = "papers"
    model: str = "news"
    sandbox: bool = True

    async def news(self, topic: str) -> tuple[News, ...]:
        self.asked.append(topic)
        if self.faults.get(topic):
            raise self.faults[topic].pop(0)
        return (News("https://papers.example/1", f"Of {topic}", "Words.", "Papers"),)
