"""The life of a digest with twins for all that it does: rows in memory, and a world that does what it is told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities import errors
from schemas.digests import (
    AudioStatus,
    DigestBegun,
    DigestDone,
    DigestEnding,
    DigestFailed,
    DigestFailure,
    DigestOrder,
    DigestPage,
    DigestPaging,
    DigestStart,
    DigestStatus,
    DigestStep,
    PieceOrder,
    ScriptOrder,
    ScriptWritten,
)
from schemas.notices import FirstTry, NoticeOrder, NotSent, Sending, Sent
from worker import build_worker
from workflows import queues

TENANT = "7a6d1c1e-0000-4000-8000-000000000001"
DAY = date(2026, 11, 23)

# What is tried once before it goes well, or raised every time.
Fault = Exception | None


def row_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


USER = row_id("user")


def order(user: str = USER, day: date = DAY, not_before: datetime | None = None) -> DigestOrder:
    return DigestOrder(tenant_id=TENANT, user_id=user, day=day, not_before=not_before)


@dataclass
class Row:
    """One digest."""

    user_id: str
    day: date
    status: DigestStatus = DigestStatus.REQUESTED
    version: int = 0
    run_id: str = ""
    audio: AudioStatus = AudioStatus.NONE
    reason: str = ""
    begun_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class World:
    """Everybody's digests, and how each step goes. `faults` are raised in their order, by the name of a step."""

    orders: Sequence[DigestOrder] = ()
    unasked: int = 0
    pieces: int = 3
    spoken: bool = True
    by_mail: bool = True
    quiet_is_told: bool = True
    # What those who write scripts were told of the news.
    newsless: list[bool] = field(default_factory=list)
    # Raised when it is published and written down.
    unheard: Exception | None = None
    problems: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    slow: dict[str, asyncio.Event] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    # How often each step was done, and what has been bought.
    done: Counter[str] = field(default_factory=Counter)
    bought: Counter[str] = field(default_factory=Counter)
    kept: set[str] = field(default_factory=set)
    told: list[NoticeOrder] = field(default_factory=list)
    pagings: list[DigestPaging] = field(default_factory=list)
    at_work: Counter[str] = field(default_factory=Counter)
    most_at_work: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def doing(self, step: str) -> AsyncIterator[None]:
        """Counted, waited for, and broken, as it was told to be."""
        self.done[step] += 1
        self.at_work[step] += 1
        self.most_at_work[step] = max(self.most_at_work[step], self.at_work[step])
        try:
            while step in self.slow and not self.slow[step].is_set():
                activity.heartbeat()
                await asyncio.sleep(0.05)
            faults = self.faults.get(step) or [None]
            fault = faults.pop(0)
            if fault is not None:
                raise fault
            yield
        finally:
            self.at_work[step] -= 1

    def buy(self, what: str) -> None:
        """Once, and kept: whoever asks again gets what is kept."""
        if what not in self.kept:
            self.bought[what] += 1
            self.kept.add(what)

    def row(self, user: str = USER, day: date = DAY) -> Row:
        return self.rows[row_id(f"{user}/{day}")]

    def began(self, user: str, day: date = DAY) -> datetime:
        """When a run took their digest."""
        begun_at = self.row(user, day).begun_at
        assert begun_at is not None
        return begun_at


def _ours(order: DigestStart | DigestFailure) -> None:
    """Digests that other tests left on the same server are nobody's here."""
    if order.tenant_id != TENANT:
        raise errors.superseded()


class TwinDigests:
    """The activities of digests, over rows in memory. Their names are those of the real ones."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="digests.due")
    async def due(self, paging: DigestPaging) -> DigestPage:
        async with self._world.doing("due"):
            self._world.pagings.append(paging)
            ordered = sorted(self._world.orders, key=lambda one: one.user_id)
            left = [one for one in ordered if paging.after is None or one.user_id > paging.after]
            page = left[: paging.most]
            return DigestPage(orders=tuple(page), after=page[-1].user_id if len(left) > len(page) else None)

    @activity.defn(name="digests.begin")
    async def begin(self, start: DigestStart) -> DigestBegun:
        _ours(start)
        async with self._world.doing("begin"):
            digest_id = row_id(f"{start.user_id}/{start.day}")
            row = self._world.rows.setdefault(digest_id, Row(start.user_id, start.day))
            if row.status in (DigestStatus.READY, DigestStatus.SKIPPED):
                return DigestBegun(digest_id=digest_id, version=row.version, done=_done(digest_id, row))
            if row.run_id != start.run_id:
                row.version, row.run_id = row.version + 1, start.run_id
            row.status, row.begun_at = DigestStatus.GENERATING, start.now
            return DigestBegun(
                digest_id=digest_id,
                version=row.version,
                unasked=self._world.unasked,
                spoken=self._world.spoken,
                by_mail=self._world.by_mail,
            )

    @activity.defn(name="digests.news")
    async def news(self, step: DigestStep) -> None:
        async with self._world.doing("news"):
            self._world.buy(f"news {step.digest_id}")

    @activity.defn(name="digests.script")
    async def script(self, order: ScriptOrder) -> ScriptWritten:
        async with self._world.doing("script"):
            self._world.buy(f"script {order.digest_id} {order.ask}")
            self._world.newsless.append(order.newsless)
            if self._world.problems:
                return ScriptWritten(problem=self._world.problems.pop(0))
            return ScriptWritten(pieces=self._world.pieces)

    @activity.defn(name="digests.speak")
    async def speak(self, order: PieceOrder) -> None:
        async with self._world.doing("speak"), self._world.doing(f"speak {order.piece}"):
            self._world.buy(f"piece {order.digest_id} {order.piece}")

    @activity.defn(name="digests.publish")
    async def publish(self, step: DigestStep) -> DigestDone:
        async with self._world.doing("publish"):
            done = self._end(step, AudioStatus.READY, "")
            if self._world.unheard is not None:
                raise self._world.unheard
            return done

    @activity.defn(name="digests.finish")
    async def finish(self, ending: DigestEnding) -> DigestDone:
        async with self._world.doing("finish"):
            audio = AudioStatus.REFUSED if ending.refused else AudioStatus.NONE
            return self._end(ending, audio, ending.refused)

    @activity.defn(name="digests.fail")
    async def fail(self, failure: DigestFailure) -> DigestFailed:
        _ours(failure)
        async with self._world.doing("fail"):
            digest_id = row_id(f"{failure.user_id}/{failure.day}")
            row = self._world.rows.setdefault(digest_id, Row(failure.user_id, failure.day))
            if row.status is DigestStatus.READY:
                return DigestFailed(done=_done(digest_id, row))
            row.status, row.reason, row.ended_at = DigestStatus.FAILED, failure.reason, failure.now
            return DigestFailed()

    def _end(self, step: DigestStep, audio: AudioStatus, reason: str) -> DigestDone:
        row = self._world.rows[step.digest_id]
        if row.version != step.version:
            raise errors.superseded()
        if row.status is DigestStatus.GENERATING:
            row.status = DigestStatus.READY if self._world.quiet_is_told else DigestStatus.SKIPPED
            row.audio, row.reason, row.ended_at = audio, reason, step.now
        return _done(step.digest_id, row)


class TwinNotices:
    """Sends whatever it is told to."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="notices.send")
    async def send(self, sending: Sending) -> Sent:
        self._world.told.append(sending.order)
        return Sent(status="sent")

    @activity.defn(name="notices.first_try")
    async def first_try(self, _sending: Sending) -> FirstTry:
        return FirstTry()

    @activity.defn(name="notices.give_up")
    async def give_up(self, not_sent: NotSent) -> Sent:
        return Sent(status="failed", reason=not_sent.reason)


def _done(digest_id: str, row: Row) -> DigestDone:
    at = row.ended_at or datetime.now(UTC)
    return DigestDone(digest_id=digest_id, status=row.status, audio=row.audio, at=at)


@asynccontextmanager
async def working(client: Client, world: World) -> AsyncIterator[None]:
    owners: list[Any] = [TwinDigests(world), TwinNotices(world)]
    async with AsyncExitStack() as workers:
        for queue in queues.ALL:
            await workers.enter_async_context(build_worker(client, owners, task_queue=queue))
        yield


async def failure(result: Any) -> ApplicationError:
    try:
        await result
    except WorkflowFailureError as error:
        assert isinstance(error.cause, ApplicationError)
        return error.cause
    raise AssertionError("the run did not fail")
