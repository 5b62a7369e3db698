"""A worker process that dies where it is told to: worker.py's own composition, with counting parts around all that it does.

Nothing here is known to production code. The process is a real one, and its end a real SIGKILL.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import worker
from activities.digests.ports import News, NewsSearch, Speaker, Studio, Utterance
from activities.documents.ports import Embedder, Vectors
from activities.ports import (
    Accounts,
    CalendarService,
    Channel,
    Grant,
    LanguageModel,
    ModelAnswer,
    Objects,
    Page,
    Place,
    Prompt,
    Question,
    SearchAnswer,
    WebSearch,
)
from activities.providers import made, models
from activities.skills.ports import Conversation, Reply, Talker
from activities.store.database import Connection, Database
from activities.ways import Mail, Mailer
from schemas.base import RowId, TenantId
from schemas.calendars import Ring
from schemas.settings import Settings
from starter.start import Doorbell
from tests.crash import flaws
from workflows import queues

_PR_SET_PDEATHSIG = 1
STORES = "activities.store."
DOORWAY = "activities.store.database"


@dataclass(frozen=True)
class Point:
    """Where a process is: just before or just after the nth transaction or call of that name."""

    kind: str
    name: str
    nth: int
    side: str

    @classmethod
    def parse(cls, line: str) -> "Point":
        kind, name, nth, side = line.split()
        return cls(kind, name, int(nth), side)

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.nth} {self.side}"


def deaths(points: Sequence[Point]) -> list[Point]:
    """Those that differ: before the first, and after each. From the end of one to the begin of the next nothing is done
    that lasts."""
    return [points[0], *(point for point in points if point.side == "after")]


@dataclass(frozen=True)
class Order:
    """What a worker process needs to know. Without a point it lives; `flaw` plants a bug (tests.crash.flaws).

    Without a clock nothing is begun by a schedule: all that happens is what a test begins. `most_letters` cuts what is
    spoken into more pieces than usual.
    """

    settings: Settings
    temporal: str
    namespace: str
    trail: Path
    point: Point | None = None
    flaw: str | None = None
    clock: bool = True
    most_letters: int | None = None


class Doom:
    """Counts what is done, leaves a trail of it, and at its point ends the process as the kernel would."""

    def __init__(self, trail: Path, point: Point | None) -> None:
        self._trail = os.open(trail, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._point = point
        self._seen: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def around(self, kind: str, name: str) -> Iterator[None]:
        """What fails inside was not done, and has no `after`."""
        self._seen[kind, name] += 1
        nth = self._seen[kind, name]
        self._reach(Point(kind, name, nth, "before"))
        yield
        self._reach(Point(kind, name, nth, "after"))

    def _reach(self, point: Point) -> None:
        os.write(self._trail, f"{point}\n".encode())
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


class DoomedDatabase(Database):
    """`before` is before BEGIN, `after` is after COMMIT and before its store hears of it."""

    doom: Doom

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Connection]:
        with self.doom.around("transaction", _store_method()):
            async with super().tenant(tenant_id) as connection:
                yield connection

    @asynccontextmanager
    async def untenanted(self) -> AsyncIterator[Connection]:
        with self.doom.around("transaction", _store_method()):
            async with super().untenanted() as connection:
                yield connection


def _store_method() -> str:
    """Whose transaction it is: the method of a store that opens it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.startswith(STORES) and module != DOORWAY:
            return frame.f_code.co_name
        frame = frame.f_back
    return "unknown"


class DoomedSearch:
    """`after` is when the answer is here and nothing of it is stored."""

    def __init__(self, search: WebSearch, doom: Doom) -> None:
        self.name, self.model, self.sandbox = search.name, search.model, search.sandbox
        self.size = search.size
        self._search = search
        self._doom = doom

    async def ask(self, question: Question) -> SearchAnswer:
        with self._doom.around("call", self.name):
            return await self._search.ask(question)


class DoomedModel:
    """Likewise for writing."""

    def __init__(self, model: LanguageModel, doom: Doom) -> None:
        self.name, self.model, self.sandbox = model.name, model.model, model.sandbox
        self.size, self.most_tokens = model.size, model.most_tokens
        self._model = model
        self._doom = doom

    async def write(self, prompt: Prompt) -> ModelAnswer:
        with self._doom.around("call", self.name):
            return await self._model.write(prompt)


class DoomedCalendar:
    """A calendar's provider: `after` is when it has answered, and its answer is known to nobody else."""

    def __init__(self, service: CalendarService, doom: Doom) -> None:
        self.name, self.sandbox = service.name, service.sandbox
        self._service = service
        self._doom = doom

    async def events(self, token: str, calendar: str, place: Place) -> Page:
        with self._doom.around("call", f"{self.name}.events"):
            return await self._service.events(token, calendar, place)

    async def watch(self, token: str, calendar: str, channel_id: RowId, secret: str, now: datetime) -> Channel:
        with self._doom.around("call", f"{self.name}.watch"):
            return await self._service.watch(token, calendar, channel_id, secret, now)

    async def stop(self, token: str, channel: Channel) -> None:
        with self._doom.around("call", f"{self.name}.stop"):
            await self._service.stop(token, channel)


class DoomedAccounts:
    """`after` is when the new tokens are here, and stored nowhere."""

    def __init__(self, accounts: Accounts, doom: Doom) -> None:
        self.name = accounts.name
        self._accounts = accounts
        self._doom = doom

    async def refresh(self, refresh_token: str) -> Grant:
        with self._doom.around("call", f"{self.name}.refresh"):
            return await self._accounts.refresh(refresh_token)


class DoomedNews:
    """`after` is when the reports are here and nothing of them is stored."""

    def __init__(self, search: NewsSearch, doom: Doom) -> None:
        self.name, self.model, self.sandbox = search.name, search.model, search.sandbox
        self._search = search
        self._doom = doom

    async def news(self, topic: str) -> tuple[News, ...]:
        with self._doom.around("call", self.name):
            return await self._search.news(topic)


class DoomedSpeaker:
    """`after` is when a piece is spoken and paid for, and in nobody's hands but ours."""

    def __init__(self, speaker: Speaker, doom: Doom) -> None:
        self.name, self.model, self.sandbox = speaker.name, speaker.model, speaker.sandbox
        self.manner = speaker.manner
        self._speaker = speaker
        self._doom = doom

    async def speak(self, piece: Sequence[Utterance]) -> bytes:
        with self._doom.around("call", self.name):
            return await self._speaker.speak(piece)


class DoomedObjects:
    """`after` is when it is kept, and no row says so."""

    def __init__(self, objects: Objects, doom: Doom) -> None:
        self.get, self.delete = objects.get, objects.delete
        self._objects = objects
        self._doom = doom

    async def put(self, key: str, data: bytes, kind: str) -> None:
        with self._doom.around("call", "put"):
            await self._objects.put(key, data, kind)


class DoomedTalker:
    """`after` is when an answer is here whole, and nothing of it is stored; `heard` is a piece of it, in its midst."""

    def __init__(self, talker: Talker, doom: Doom) -> None:
        self.name, self.model, self.sandbox = talker.name, talker.model, talker.sandbox
        self.size = talker.size
        self._talker = talker
        self._doom = doom

    def named(self, model: str) -> Talker:
        return DoomedTalker(self._talker.named(model), self._doom)

    async def say(self, conversation: Conversation, hear: Callable[[str], None]) -> Reply:
        def heard(text: str) -> None:
            with self._doom.around("call", "heard"):
                hear(text)

        with self._doom.around("call", self.name):
            return await self._talker.say(conversation, heard)


class DoomedEmbedder:
    """`after` is when vectors are here and paid for, and nothing of them is stored."""

    def __init__(self, embedder: Embedder, doom: Doom) -> None:
        self.name, self.model, self.sandbox = embedder.name, embedder.model, embedder.sandbox
        self.size = embedder.size
        self._embedder = embedder
        self._doom = doom

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        with self._doom.around("call", self.name):
            return await self._embedder.embed(texts, query=query)


class DoomedMailer:
    """`after` is when the mail server has taken the mail, and nobody has written that down."""

    def __init__(self, mailer: Mailer, doom: Doom) -> None:
        self.name, self.sandbox = mailer.name, mailer.sandbox
        self._mailer = mailer
        self._doom = doom

    async def send(self, mail: Mail) -> None:
        with self._doom.around("call", self.name):
            await self._mailer.send(mail)


class DoomedBell:
    """`after` is when Temporal has taken the signal."""

    def __init__(self, bell: Doorbell, doom: Doom) -> None:
        self.client = bell.client
        self._bell = bell
        self._doom = doom

    async def calendar(self, tenant_id: TenantId, calendar_id: RowId, ring: Ring) -> None:
        with self._doom.around("signal", "to-calendar"):
            await self._bell.calendar(tenant_id, calendar_id, ring)

    async def meeting(self, tenant_id: TenantId, meeting_id: RowId) -> None:
        with self._doom.around("signal", "to-meeting"):
            await self._bell.meeting(tenant_id, meeting_id)

    async def call(self, tenant_id: TenantId, call_id: RowId) -> None:
        with self._doom.around("signal", "to-call"):
            await self._bell.call(tenant_id, call_id)

    async def delivery(self, tenant_id: TenantId) -> None:
        with self._doom.around("signal", "to-delivery"):
            await self._bell.delivery(tenant_id)


def serve(order: Order) -> None:
    """The life of a worker process, from which it returns only when told to stop."""
    _end_with_parent()
    _say_into(order.trail.with_suffix(".log"))
    _equip(Doom(order.trail, order.point))
    if not order.clock:
        vars(worker).update(_ensure=_no_clock)
    flaws.plant(order.flaw)
    if order.most_letters is not None:
        # Its package calls a function by the module's name.
        vars(sys.modules["activities.digests.pieces"]).update(MOST_LETTERS=order.most_letters)
    asyncio.run(_work(order))


async def _work(order: Order) -> None:
    client = await Client.connect(order.temporal, namespace=order.namespace, data_converter=pydantic_data_converter)
    await worker.run(order.settings, client, queues.ALL)


def _equip(doom: Doom) -> None:
    """Put the counting parts into the composition root of this process."""
    DoomedDatabase.doom = doom
    counting = {
        "web_search": DoomedSearch,
        "language_models": _doomed_models,
        "transcript_reader": DoomedModel,
        "calendar_service": DoomedCalendar,
        "accounts": DoomedAccounts,
        "mail_server": DoomedMailer,
        "news_search": DoomedNews,
        "objects": DoomedObjects,
        "studio": _doomed_studio,
        "talker": DoomedTalker,
        "reviewer": DoomedModel,
        "embedder": DoomedEmbedder,
        "Doorbell": DoomedBell,
    }
    for name, part in counting.items():
        place = next(one for one in (made, models, worker) if hasattr(one, name))
        vars(place)[name] = _counted(getattr(place, name), part, doom)
    vars(worker).update(Database=DoomedDatabase)


def _counted(make: Callable[..., Any], part: Callable[[Any, Doom], Any], doom: Doom) -> Callable[..., Any]:
    """Whatever is made there counts. A mail server that is not there stays away."""

    def counted(*needs: Any) -> Any:
        thing = make(*needs)
        return None if thing is None else part(thing, doom)

    return counted


def _doomed_models(models: Sequence[LanguageModel], doom: Doom) -> list[DoomedModel]:
    return [DoomedModel(one, doom) for one in models]


def _doomed_studio(studio: Studio, doom: Doom) -> Studio:
    """Its objects count already: whoever makes it makes them in the same place."""
    return Studio(DoomedSpeaker(studio.speaker, doom), studio.objects)


async def _no_clock(client: Client, settings: Settings) -> None:
    """Nothing is ensured."""


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _say_into(log: Path) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
