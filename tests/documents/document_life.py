"""The life of work on a document with twins for all that it does: rows in memory, and steps that go as they are told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import Priority
from temporalio.exceptions import ApplicationError

from activities import errors
from schemas.documents import (
    ENDED,
    DocumentOrder,
    DocumentStep,
    Embedded,
    PartDone,
    PartStep,
    Read,
    RunBegun,
    RunDone,
    RunEnding,
    RunFailure,
    RunStart,
    RunStatus,
    Work,
)
from starter import documents
from worker import build_worker
from workflows import ids, queues

TENANT = "7a6d1c1e-0000-4000-8000-000000000008"

# What is raised by a step, in its order; None is a try that goes well.
Fault = Exception | None


def row_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


DOCUMENT, OTHER, RUN = row_id("document"), row_id("other document"), row_id("document run")


def comes_back(minutes: float) -> ApplicationError:
    """A provider that asks for a wait, in which nothing else is waited for."""
    return ApplicationError("provider said 529", type="ProviderDown", next_retry_delay=timedelta(minutes=minutes))


@dataclass
class World:
    """One run, and how each step of it goes. `faults` are raised in their order, by the name of a step."""

    parts: int = 2
    other_id: str | None = None
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    # What is wrong with answers about a part, in the order of the asks.
    problems: dict[int, list[str]] = field(default_factory=dict)
    # Steps that nobody lets end.
    shut: set[str] = field(default_factory=set)
    status: RunStatus = RunStatus.QUEUED
    version: int = 1
    notes: tuple[str, ...] = ()
    # What was told of its end, once.
    events: list[str] = field(default_factory=list)
    failure: RunFailure | None = None
    steps: Counter[str] = field(default_factory=Counter)
    # Which document each step was about, and which parts were done.
    about: list[tuple[str, str]] = field(default_factory=list)
    done_parts: list[int] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    priorities: list[Priority | None] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)

    async def goes(self, step: str) -> None:
        """A step, as it is told to go. Whoever is stopped in it says so."""
        self.steps[step] += 1
        self.begun.add(step)
        fault = self.faults[step].pop(0) if self.faults.get(step) else None
        if fault is not None:
            raise fault
        try:
            while step in self.shut:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            self.stopped.add(step)
            raise

    def end(self, status: RunStatus) -> None:
        if self.status not in ENDED:
            self.status = status
            self.events.append(status.value)

    def done(self) -> RunDone:
        return RunDone(run_id=RUN, status=self.status, count=len(self.done_parts))


def _ours(step: DocumentStep | RunStart | RunFailure) -> None:
    """Runs that other tests left on the same server are nobody's here."""
    if step.tenant_id != TENANT:
        raise errors.superseded()


class TwinDocuments:
    """The activities of documents, over a row in memory. Their names are those of the real ones."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn(name="documents.begin")
    async def begin(self, start: RunStart) -> RunBegun:
        _ours(start)
        world = self._world
        await world.goes("begin")
        if world.status in ENDED:
            return RunBegun(version=world.version, done=world.done())
        world.status = RunStatus.RUNNING
        return RunBegun(version=world.version, other_id=world.other_id)

    @activity.defn(name="documents.parse")
    async def parse(self, step: DocumentStep) -> Read:
        await self._goes("parse", step)
        return Read(clauses=10, parts=self._world.parts)

    @activity.defn(name="documents.embed")
    async def embed(self, step: DocumentStep) -> Embedded:
        await self._goes("embed", step)
        return Embedded(clauses=10)

    @activity.defn(name="documents.analyse")
    async def analyse(self, step: PartStep) -> PartDone:
        return await self._part("analyse", step)

    @activity.defn(name="documents.compare")
    async def compare(self, step: PartStep) -> PartDone:
        return await self._part("compare", step)

    @activity.defn(name="documents.propose")
    async def propose(self, step: PartStep) -> PartDone:
        return await self._part("propose", step)

    @activity.defn(name="documents.draw")
    async def draw(self, step: DocumentStep) -> None:
        await self._goes("draw", step)

    @activity.defn(name="documents.finish")
    async def finish(self, ending: RunEnding) -> RunDone:
        _ours(ending)
        await self._world.goes("finish")
        self._world.notes = ending.notes
        self._world.end(RunStatus.COMPLETED)
        return self._world.done()

    @activity.defn(name="documents.fail")
    async def fail(self, failure: RunFailure) -> RunDone:
        _ours(failure)
        world = self._world
        await world.goes("fail")
        if world.status not in ENDED:
            world.failure = failure
        world.end(RunStatus.CANCELLED if failure.cancelled else RunStatus.FAILED)
        return world.done()

    async def _goes(self, name: str, step: DocumentStep) -> None:
        _ours(step)
        world = self._world
        world.about.append((name, step.document_id))
        world.priorities.append(activity.info().priority)
        if world.status is not RunStatus.RUNNING or step.version != world.version:
            raise errors.superseded()
        await world.goes(name)

    async def _part(self, name: str, step: PartStep) -> PartDone:
        world = self._world
        world.at_once += 1
        world.most_at_once = max(world.at_once, world.most_at_once)
        try:
            await self._goes(name, step)
        finally:
            world.at_once -= 1
        wrong = world.problems.get(step.part, [])
        if step.ask <= len(wrong):
            return PartDone(problem=wrong[step.ask - 1])
        world.done_parts.append(step.part)
        return PartDone()


@asynccontextmanager
async def working(client: Client, world: World) -> AsyncIterator[None]:
    """Workers for all queues; whatever is still shut in the end is let go."""
    async with AsyncExitStack() as workers:
        for queue in (queues.WORKFLOWS, queues.DOCUMENTS, queues.VECTORS):
            await workers.enter_async_context(build_worker(client, [TwinDocuments(world)], task_queue=queue))
        try:
            yield
        finally:
            world.shut.clear()


async def begun(client: Client, work: Work = Work.ANALYSIS, **order: Any) -> WorkflowHandle[Any, RunDone]:
    """As the starter begins it."""
    told = DocumentOrder(tenant_id=TENANT, document_id=DOCUMENT, run_id=RUN, work=work, **order)
    workflow_id = await documents.begin(client, told, anew=True)
    run, _ = documents.WORKFLOWS[work]
    return client.get_workflow_handle_for(run, workflow_id)


async def waited_for(client: Client, work: Work = Work.ANALYSIS) -> WorkflowHandle[Any, RunDone]:
    """By a server that skips time: it does so for whoever began it, and waits."""
    order = DocumentOrder(tenant_id=TENANT, document_id=DOCUMENT, run_id=RUN, work=work)
    run, _ = documents.WORKFLOWS[work]
    return await client.start_workflow(run, order, id=workflow_id(work), task_queue=queues.WORKFLOWS)


def workflow_id(work: Work) -> str:
    return ids.document(TENANT, DOCUMENT, work, RUN)


async def failure(result: Any) -> ApplicationError:
    try:
        await result
    except WorkflowFailureError as error:
        assert isinstance(error.cause, ApplicationError)
        return error.cause
    raise AssertionError("the run did not fail")


def steps(world: World, names: Sequence[str]) -> list[int]:
    return [world.steps[name] for name in names]
