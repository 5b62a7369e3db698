"""What all work on a document has in common: its row is taken, files are read, parts gone through, and its end is told.

begin ─▶ (what the work is) ─▶ finish
  └──────────┴──── failed, too long or cancelled: says so, and a cancelled run leaves nothing that it made
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from activities import errors
from activities.documents import DocumentActivities
from activities.documents.embedding import EmbeddingActivities
from schemas.base import RowId
from schemas.documents import (
    CANCELLED,
    DocumentOrder,
    DocumentStep,
    PartDone,
    PartStep,
    Progress,
    Read,
    RunBegun,
    RunDone,
    RunEnding,
    RunFailure,
    RunStart,
    RunStatus,
)
from workflows import policies, story
from workflows.priorities import priority
from workflows.steps import outliving, unbroken

# What may go better another time; a file that cannot be read cannot be read then either.
RETRYABLE = errors.PASSING | {
    *("ProviderNonsense", "Unkept", "TimedOut", "TooSlow", "WorkerShutdown", "NoValidAnswer", "Unfinished"),
    errors.BUDGET_HELD,
}
MONEY = {errors.OVER_BUDGET, errors.BUDGET_HELD}

# How far a run is when its file is read, and what its parts add to that.
TO_READ, READ, THROUGH, SAVING = 5, 25, 90, 95

# One part, asked once: an activity of those who go through documents.
Review = Callable[..., Awaitable[PartDone]]


class DocumentLife:
    """A run, once. However it ends, its row says so, with one event; what came to nothing says why."""

    def __init__(self, order: DocumentOrder) -> None:
        self._order = order
        self._version: int | None = None
        self._through = 0
        # A part failed for good: the run comes to nothing.
        self._lost = False
        self.progress = Progress(step="begin", percent=0)
        self._usual: dict[str, Any] = {
            "priority": priority(order.tenant_id, urgent=order.urgent, premium=order.premium)
        }

    async def lived(self, work: Callable[[RunBegun], Awaitable[tuple[str, ...]]]) -> RunDone:
        """From its beginning to its end; `work` tells what was left out."""
        try:
            async with asyncio.timeout(policies.LONGEST_DOCUMENT.total_seconds()) as window:
                begun = await self._begin()
                done = begun.done or await self._finish(await work(begun))
        except (FailureError, asyncio.CancelledError, TimeoutError) as error:
            last = errors.too_slow(policies.LONGEST_DOCUMENT) if window.expired() else error
            done = await unbroken(self._give_up(last))
        self.progress = Progress(step="done", percent=100)
        story.tell_document(done.status, self.progress)
        return done

    async def read(self, document_id: RowId | None = None) -> Read:
        """The text of the run's document, or of the one that it is compared with. What has been read stays as it is."""
        self.enter("parse", TO_READ, "its file is read")
        read: Read = await outliving(
            lambda: workflow.execute_activity_method(
                DocumentActivities.parse,
                self._now(document_id),
                summary="read a file",
                **self._usual,
                **policies.READ_FILE,
            )
        )
        self.enter("parse", READ, f"{read.clauses} clauses")
        return read

    async def embed(self, document_id: RowId | None = None) -> None:
        await outliving(
            lambda: workflow.execute_activity_method(
                EmbeddingActivities.embed,
                self._now(document_id),
                summary="make vectors of its clauses",
                **self._usual,
                **policies.EMBED,
            )
        )

    async def go_through(self, step: str, review: Review, parts: int) -> None:
        """All parts, some at a time. One for which others have set too much money aside is gone through after them; with
        one that fails for good no other is begun any more."""
        self.enter(step, READ, f"{parts} parts")
        turns = asyncio.Semaphore(policies.PARTS_AT_ONCE)
        numbers = range(1, parts + 1)
        ends = await asyncio.gather(
            *(self._in_turn(turns, review, one, parts) for one in numbers), return_exceptions=True
        )
        for end in ends:
            if end is not None and not _is_short(end):
                raise end
        for number, end in zip(numbers, ends, strict=True):
            if end is not None:
                await self._part(review, number, parts)

    async def draw(self) -> None:
        self.enter("draw", THROUGH, "the redline is drawn")
        await outliving(
            lambda: workflow.execute_activity_method(
                DocumentActivities.draw, self._now(), summary="draw the redline", **self._usual, **policies.DRAW
            )
        )

    def enter(self, step: str, percent: int, message: str) -> None:
        """It has come further; whoever asks is told, and no row."""
        self.progress = Progress(step=step, percent=percent, message=message)
        story.tell_further(self.progress)

    async def _begin(self) -> RunBegun:
        start = RunStart(**self._row(), temporal_run_id=workflow.info().run_id, now=workflow.now())
        begun = await workflow.execute_local_activity_method(
            DocumentActivities.begin, start, summary="take the run", **policies.DATABASE
        )
        self._version = begun.version
        story.tell_document(RunStatus.RUNNING, self.progress)
        return begun

    async def _in_turn(self, turns: asyncio.Semaphore, review: Review, number: int, parts: int) -> None:
        async with turns:
            if self._lost:
                return
            try:
                await self._part(review, number, parts)
            except FailureError as error:
                self._lost = self._lost or not _is_short(error)
                raise

    async def _part(self, review: Review, number: int, parts: int) -> None:
        """One part, asked until its answer can be used; each time it is told what was wrong with the last one."""
        problem: str | None = None
        for ask in range(1, policies.ASKS + 1):
            part = PartStep(**self._now().model_dump(), part=number, ask=ask)
            problem = (await self._ask(review, part, f"part {number} of {parts}", problem)).problem
            if problem is None:
                self._through += 1
                percent = READ + (THROUGH - READ) * self._through // parts
                self.enter(self.progress.step, percent, f"{self._through} of {parts} parts")
                return
        raise errors.no_valid_answer(problem)

    async def _ask(self, review: Review, part: PartStep, which: str, problem: str | None) -> PartDone:
        summary = f"go through {which}" if problem is None else f"go through {which} again: {problem}"
        return await outliving(
            lambda: workflow.execute_activity_method(
                review, part, summary=summary, **self._usual, **policies.REVIEW_PART
            )
        )

    async def _finish(self, notes: tuple[str, ...]) -> RunDone:
        self.enter("save", SAVING, "what came of it is written")
        ending = RunEnding(**self._now().model_dump(), notes=notes, work=self._order.work)
        return await workflow.execute_local_activity_method(
            DocumentActivities.finish, ending, summary="write what came of it", **policies.DATABASE
        )

    async def _give_up(self, error: BaseException) -> RunDone:
        """Say why, wherever it is looked for. A run that has come to its end all the same is a good end."""
        cancelled = is_cancelled_exception(error)
        kind, reason = (CANCELLED, CANCELLED) if cancelled else story.why(error)
        failure = RunFailure(
            **self._row(),
            temporal_run_id=workflow.info().run_id,
            version=self._version,
            step=self.progress.step,
            reason=reason,
            retryable=cancelled or kind in RETRYABLE,
            cancelled=cancelled,
            now=workflow.now(),
        )
        done = await workflow.execute_local_activity_method(
            DocumentActivities.fail, failure, summary="say why it came to nothing", **policies.TELLING
        )
        if done.status is RunStatus.COMPLETED:
            return done
        status = RunStatus.CANCELLED if cancelled else RunStatus.FAILED
        told = Progress(step=failure.step, percent=self.progress.percent, message=reason)
        story.tell_document(status, told, story.FAILED_STEP.value_set(failure.step))
        if cancelled:
            raise error
        raise errors.run_failed(kind, f"{failure.step}: {reason}") from error

    def _now(self, document_id: RowId | None = None) -> DocumentStep:
        assert self._version is not None, "the run is taken"
        row = {**self._row(), **({"document_id": document_id} if document_id else {})}
        return DocumentStep(**row, version=self._version, now=workflow.now())

    def _row(self) -> dict[str, str]:
        order = self._order
        return {"tenant_id": order.tenant_id, "document_id": order.document_id, "run_id": order.run_id}


def _is_short(error: BaseException) -> bool:
    """Of money, that may be there when others are through."""
    return isinstance(error, ActivityError) and story.why(error)[0] in MONEY


async def together(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """All of it at the same time. When one fails the others are stopped, and waited for."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    except (Exception, asyncio.CancelledError):
        # Nothing else: a run that leaves a worker's memory is closed here, and must not wait for anything.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
