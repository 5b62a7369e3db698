"""The life of a skill's run with twins for all that it does: rows in memory, and a skill that takes as long as it is told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities import errors
from schemas.notices import FirstTry, NoticeOrder, NotSent, Sending, Sent
from schemas.skills import RunStatus, SkillDone, SkillExecuted, SkillFailure, SkillStanding, SkillStep, SkillTold
from worker import build_worker
from workflows import queues

TENANT = "7a6d1c1e-0000-4000-8000-000000000001"

# What is raised by a step, in its order; None is a try that goes well.
Fault = Exception | None


def row_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


OUTPUT = row_id("output")
CHATS = (row_id("first chat"), row_id("second chat"))


def comes_back(minutes: float) -> ApplicationError:
    """A provider that asks for a wait: the time of a long run, in which nothing else is waited for."""
    return ApplicationError("provider said 529", type="ProviderDown", next_retry_delay=timedelta(minutes=minutes))


@dataclass
class World:
    """One run, and how each step of it goes. `faults` are raised in their order, by the name of a step."""

    by_mail: bool = True
    channels: tuple[str, ...] = CHATS
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    # Seated, and nobody lets it begin; running, and nobody lets it end.
    seat: asyncio.Event = field(default_factory=asyncio.Event)
    pen: asyncio.Event = field(default_factory=asyncio.Event)
    # Failed, and nobody lets that be written down.
    book: asyncio.Event = field(default_factory=asyncio.Event)
    status: RunStatus = RunStatus.QUEUED
    started_at: datetime | None = None
    written: bool = False
    slow_at: datetime | None = None
    # What was told of its end, once.
    events: list[str] = field(default_factory=list)
    failure: SkillFailure | None = None
    steps: Counter[str] = field(default_factory=Counter)
    executed_at: list[datetime] = field(default_factory=list)
    told: list[NoticeOrder] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.let_go()

    def let_go(self) -> None:
        for one in (self.seat, self.pen, self.book):
            one.set()

    def raise_next(self, step: str) -> None:
        self.steps[step] += 1
        fault = self.faults[step].pop(0) if self.faults.get(step) else None
        if fault is not None:
            raise fault

    def done(self, run_id: str) -> SkillDone:
        output = OUTPUT if self.status is RunStatus.COMPLETED else None
        return SkillDone(
            run_id=run_id, status=self.status, output_id=output, by_mail=self.by_mail, channels=self.channels
        )

    def end(self, status: RunStatus) -> None:
        if self.status in (RunStatus.QUEUED, RunStatus.RUNNING):
            self.status = status
            self.events.append(f"skill.execute.{status.value}")


def _ours(order: SkillStep | SkillFailure) -> None:
    """Runs that other tests left on the same server are nobody's here."""
    if order.tenant_id != TENANT:
        raise errors.superseded()


class TwinSkills:
    """The activities of skills, over a row in memory. Their names are those of the real ones."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="skills.execute")
    async def execute(self, step: SkillStep) -> SkillExecuted:
        _ours(step)
        world = self._world
        world.executed_at.append(step.now)
        try:
            await _while_shut(world.seat)
            if world.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
                raise errors.superseded()
            world.status, world.started_at = RunStatus.RUNNING, world.started_at or step.now
            world.raise_next("execute")
            await _while_shut(world.pen)
        except asyncio.CancelledError:
            world.stopped.set()
            raise
        world.written = True
        return SkillExecuted(tokens_in=3, tokens_out=4)

    @activity.defn(name="skills.store")
    async def store(self, step: SkillStep) -> SkillDone:
        _ours(step)
        assert self._world.written
        self._world.raise_next("store")
        self._world.end(RunStatus.COMPLETED)
        return self._world.done(step.run_id)

    @activity.defn(name="skills.fail")
    async def fail(self, failure: SkillFailure) -> SkillDone:
        _ours(failure)
        self._world.raise_next("fail")
        while not self._world.book.is_set():
            await asyncio.sleep(0.02)
        if self._world.status in (RunStatus.QUEUED, RunStatus.RUNNING):
            self._world.failure = failure
        self._world.end(RunStatus.FAILED)
        return self._world.done(failure.run_id)

    @activity.defn(name="skills.standing")
    async def standing(self, step: SkillStep) -> SkillStanding:
        _ours(step)
        self._world.raise_next("standing")
        return SkillStanding(status=self._world.status, started_at=self._world.started_at)

    @activity.defn(name="skills.slow")
    async def slow(self, step: SkillStep) -> SkillTold | None:
        _ours(step)
        self._world.raise_next("slow")
        if self._world.slow_at is not None or self._world.status is not RunStatus.RUNNING:
            return None
        self._world.slow_at = step.now
        return SkillTold(by_mail=self._world.by_mail, channels=self._world.channels)


class TwinNotices:
    """Sends whatever it is told to."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="notices.send")
    async def send(self, sending: Sending) -> Sent:
        if sending.order.tenant_id == TENANT:
            self._world.told.append(sending.order)
        return Sent(status="sent")

    @activity.defn(name="notices.first_try")
    async def first_try(self, _sending: Sending) -> FirstTry:
        return FirstTry()

    @activity.defn(name="notices.give_up")
    async def give_up(self, not_sent: NotSent) -> Sent:
        return Sent(status="failed", reason=not_sent.reason)


async def _while_shut(gate: asyncio.Event) -> None:
    while not gate.is_set():
        activity.heartbeat()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def working(client: Client, world: World, without: Sequence[str] = ()) -> AsyncIterator[None]:
    owners: list[Any] = [TwinSkills(world), TwinNotices(world)]
    async with AsyncExitStack() as workers:
        for queue in queues.ALL:
            if queue not in without:
                await workers.enter_async_context(build_worker(client, owners, task_queue=queue))
        yield


async def failure(result: Any) -> ApplicationError:
    try:
        await result
    except WorkflowFailureError as error:
        assert isinstance(error.cause, ApplicationError)
        return error.cause
    raise AssertionError("the run did not fail")
