"""Twins for reading calls: what was said in invented calls, a model that says what it is told to, a recorder."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.notices import NoticeActivities
from activities.pacing import Pacing
from activities.people import PersonKeys
from activities.ports import ModelAnswer, Prompt, Size, Usage
from activities.providers.made import mail_server
from activities.spending import Treasurer
from activities.store.calls import CallStore
from activities.store.notices import NoticeStore
from activities.store.readings import ReadingStore
from activities.store.spending import SpendingStore
from activities.transcripts import TranscriptActivities
from activities.transcripts.ports import NewCall, Taken
from schemas.budgets import Price
from schemas.recorders import Fetched, Fetching
from schemas.transcripts import Source, Speaker, Spoken, Turn
from starter.show.letters import Letters
from tests.fakes import CAPS, FakePaces
from tests.stage import KEY, Stage
from worker import build_worker
from workflows import queues

ADA = Speaker(key="Ada Lovelace", name="Ada Lovelace", email="ada@lovelace.example")
ROBIN = Speaker(key="Robin Marsh", name="Robin Marsh", email="robin@harbour.example")

PROMISE = "I will send you the figures for the northern depots by Friday"
HELD = datetime(2026, 11, 16, 10, tzinfo=UTC)

PRICES = {"gemini/m": Price(input_usd=0.1, output_usd=1)}


def spoken(turns: int = 4, *, promise: str = PROMISE) -> Spoken:
    """A call of so many turns, of about a minute each; the second turn promises something."""
    lines = [f"Turn number {one} is about the planning of routes in the north" for one in range(turns)]
    lines[1] = promise
    return Spoken(
        format="vtt",
        speakers=(ROBIN, ADA),
        turns=tuple(
            Turn(speaker=(ROBIN, ADA)[n % 2].key, start_ms=n * 60_000, end_ms=n * 60_000 + 50_000, text=text)
            for n, text in enumerate(lines)
        ),
    )


def long(parts: int) -> Spoken:
    """A call that is read in so many parts."""
    turns = tuple(
        Turn(
            speaker=(ROBIN, ADA)[n % 2].key,
            start_ms=n * 60_000,
            end_ms=n * 60_000 + 1,
            text=f"In chapter {n} of this call " + "we talk at length about one thing. " * 660,
        )
        for n in range(parts)
    )
    return Spoken(format="vtt", speakers=(ROBIN, ADA), turns=turns)


NOTHING: dict[str, list[Any]] = {
    kind: []
    for kind in (
        *("roles", "summary", "next_steps", "pains", "objections", "competitors", "budget"),
        *("decision_process", "deal_stage", "risks", "quotes"),
    )
}


def answer(prompt: Prompt) -> str:
    """Every turn that promises something is a next step, and the first turn is what it was about."""
    shown = json.loads(re.sub(r"</?transcript>", "", prompt.material))
    first = shown["turns"][0]
    return json.dumps(
        NOTHING
        | {
            "summary": [
                {"text": "It was about planning.", "turn": first["turn"], "quote": first["text"].split(". ")[0]}
            ],
            "next_steps": [
                {"text": "Send the figures", "turn": one["turn"], "quote": one["text"], "owner": one["by"], "due": None}
                for one in shown["turns"]
                if one["text"].startswith("I will")
            ],
        }
    )


@dataclass
class TwinModel:
    """Reads well, once it has done what it was told to: an exception is raised, a text is its answer."""

    says: list[str | Exception] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    stopped: str = "end_turn"
    name: str = "gemini"
    model: str = "m"
    most_tokens: int = 100
    sandbox: bool = True

    def size(self, prompt: Prompt) -> Size:
        return Size(len(prompt.material), self.most_tokens)

    async def write(self, prompt: Prompt) -> ModelAnswer:
        self.prompts.append(prompt)
        said = self.says.pop(0) if self.says else answer(prompt)
        if isinstance(said, Exception):
            raise said
        return ModelAnswer(text=said, stopped=self.stopped, model="m", usage=Usage(10, 10, 11))


class TwinRecorder:
    """Has a transcript ready when it has been asked so often; keeps it as the real one does."""

    def __init__(self, calls: CallStore, ready_at: int = 1, faults: Sequence[Exception] = ()) -> None:
        self._calls = calls
        self._ready_at = ready_at
        self._faults = list(faults)
        self.asked: list[datetime] = []

    @activity.defn(name="calls.fetch")
    async def fetch(self, order: Fetching) -> Fetched:
        self.asked.append(order.now)
        if self._faults:
            raise self._faults.pop(0)
        if len(self.asked) < self._ready_at:
            return Fetched(ready=False)
        await self._calls.keep(order.tenant_id, order.call_id, None, spoken(), order.now)
        return Fetched(ready=True)


class Calls:
    """The calls of one stage, and workers that read them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.store = CallStore(stage.database, PersonKeys(KEY))
        self.model = TwinModel()
        self.recorder = TwinRecorder(self.store)

    async def take(self, said: Spoken | None, **changes: Any) -> Taken:
        values: dict[str, Any] = {
            "source": Source.UPLOAD if said else Source.RECORDER,
            "source_key": str(uuid4()),
            "title": "First call",
            "started_at": HELD,
            "owner_email": self.stage.user.email,
            "sandbox": True,
        }
        return await self.store.take(self.stage.tenant.id, NewCall(**{**values, **changes}), said, datetime.now(UTC))

    @asynccontextmanager
    async def working(self, client: Client | None = None) -> AsyncIterator[None]:
        settings = self.stage.settings()
        owners = [
            TranscriptActivities(
                ReadingStore(self.stage.database),
                self.model,
                Pacing(FakePaces(), {}),
                Treasurer(SpendingStore(self.stage.database), PRICES, CAPS),
            ),
            self.recorder,
            NoticeActivities(NoticeStore(self.stage.database), Letters(settings), mail_server(settings)),
        ]
        async with AsyncExitStack() as workers:
            for queue in queues.ALL:
                worker = build_worker(client or self.stage.temporal, owners, task_queue=queue)
                await workers.enter_async_context(worker)
            yield

    async def row(self, call_id: str) -> dict[str, Any]:
        rows = await self.rows("SELECT * FROM calls WHERE id = $1", call_id)
        return rows[0]

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def told(self) -> list[str]:
        """What happened to calls, as whoever listens is told."""
        return [
            event.name
            for event in await self.stage.events.after(self.stage.tenant.id, 0)
            if event.name.startswith("transcript/")
        ]


async def failure(result: Any) -> ApplicationError:
    try:
        await result
    except WorkflowFailureError as error:
        assert isinstance(error.cause, ApplicationError)
        return error.cause
    raise AssertionError("the run did not fail")
