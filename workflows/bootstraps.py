"""Bootstraps: references are taken in, one bootstrap at a time of all tenants, and its sources some at a time.

ring ─▶ whose turn is it ─▶ list ─▶ (a page of sources ─▶ one by one, so many at once)* ─▶ all ended ─▶ index ─▶ finish
source ─▶ ingest, or why not ─▶ its bootstrap hears of it
"""

import asyncio
import contextlib
from collections.abc import Callable

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import (
    ApplicationError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.workflow import ParentClosePolicy

from activities import errors
from activities.bootstraps import BootstrapActivities
from schemas.base import RowId
from schemas.bootstraps import (
    BootstrapFailure,
    BootstrapOrder,
    BootstrapStatus,
    BootstrapStep,
    BootstrapTaking,
    BootstrapTurn,
    SourceDone,
    SourceFailure,
    SourceOrder,
    SourcesListing,
    SourcesPage,
    SourceStep,
)
from schemas.documents import CANCELLED
from workflows import ids, policies, story
from workflows.priorities import LATER
from workflows.steps import outliving, unbroken


@workflow.defn(name="Bootstrap")
class BootstrapWorkflow:
    """Takes one bootstrap after the other, the oldest first, until none waits and nobody rang.

    What it takes in can be searched once every source of it has ended, and not before. A source outlives the history
    that began it, and tells whichever is next.
    """

    @workflow.init
    def __init__(self, order: BootstrapOrder) -> None:
        self._rung = True
        self._turn = order.bootstrap
        self._begun = set(order.begun)
        self._working: asyncio.Task[bool] | None = None
        self._stopped = False

    @workflow.run
    async def run(self, _order: BootstrapOrder) -> None:
        while self._rung:
            self._rung = False
            self._turn = self._turn or await self._next()
            if self._turn is None:
                continue
            self._rung = True
            if not await self._one(self._turn) or workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(BootstrapOrder(bootstrap=self._turn, begun=tuple(sorted(self._begun))))

    @workflow.signal(description="Somebody wants references taken in")
    def ring(self) -> None:
        self._rung = True

    @workflow.signal(description="A bootstrap is not wanted any more")
    def stop(self, bootstrap_id: RowId) -> None:
        """Its row says so already; what is under way is stopped."""
        if self._turn is not None and self._turn.bootstrap_id == bootstrap_id and self._working is not None:
            self._stopped = True
            self._working.cancel()

    @workflow.signal(description="A source has ended")
    def ended(self, source_id: RowId) -> None:
        self._begun.discard(source_id)

    async def _next(self) -> BootstrapTurn | None:
        taking = BootstrapTaking(temporal_run_id=workflow.info().first_execution_run_id, now=workflow.now())
        return (
            await workflow.execute_local_activity_method(
                BootstrapActivities.take, taking, summary="whose turn it is", **policies.TELLING
            )
        ).turn

    async def _one(self, turn: BootstrapTurn) -> bool:
        """Whether it is over, however it ended; if not, another history goes on with it."""
        self._stopped = False
        self._working = asyncio.create_task(self._work(turn))
        try:
            if not await self._working:
                return False
        except (FailureError, asyncio.CancelledError) as error:
            await unbroken(self._give_up(turn, error))
            if is_cancelled_exception(error) and not self._stopped:
                raise
        finally:
            self._working = None
        self._turn = None
        self._begun.clear()
        return True

    async def _work(self, turn: BootstrapTurn) -> bool:
        sources = await outliving(
            lambda: workflow.execute_activity_method(
                BootstrapActivities.list,
                _now(turn),
                summary="what there is to take in",
                priority=_priority(turn),
                **policies.LIST_SOURCES,
            )
        )
        while (page := await self._page(turn)).source_ids:
            story.tell_bootstrap(
                BootstrapStatus.RUNNING, f"{len(page.source_ids) + page.left} of {sources.sources} left"
            )
            await self._take_in(turn, page)
            if page.left or workflow.info().is_continue_as_new_suggested():
                return False
            await self._quiet(turn, lambda: not self._begun)
        await self._finish(turn)
        return True

    async def _page(self, turn: BootstrapTurn) -> SourcesPage:
        listing = SourcesListing(**_now(turn).model_dump(), most=policies.SOURCES_A_PAGE)
        return await workflow.execute_local_activity_method(
            BootstrapActivities.page, listing, summary="which sources are left", **policies.TELLING
        )

    async def _take_in(self, turn: BootstrapTurn, page: SourcesPage) -> None:
        """Begin all of them, each when there is room."""
        self._begun &= set(page.source_ids)
        for source_id in page.source_ids:
            if source_id not in self._begun:
                while len(self._begun) >= policies.SOURCES_AT_ONCE:
                    await self._quiet(turn, lambda: len(self._begun) < policies.SOURCES_AT_ONCE)
                await self._begin(turn, source_id)

    async def _quiet(self, turn: BootstrapTurn, enough: Callable[[], bool]) -> None:
        """Until enough sources have ended. What nobody has heard of for long is begun again, if it is not alive."""
        try:
            await workflow.wait_condition(
                enough, timeout=policies.SOURCES_LOOK, timeout_summary="until sources are looked for"
            )
        except TimeoutError:
            for source_id in sorted(self._begun):
                await self._begin(turn, source_id)

    async def _begin(self, turn: BootstrapTurn, source_id: RowId) -> None:
        self._begun.add(source_id)
        order = SourceOrder(tenant_id=turn.tenant_id, bootstrap_id=turn.bootstrap_id, source_id=source_id)
        # An earlier history may have begun it.
        with contextlib.suppress(WorkflowAlreadyStartedError):
            source = await workflow.start_child_workflow(
                BootstrapSourceWorkflow.run,
                order,
                id=ids.source(turn.tenant_id, source_id),
                static_summary="Take in a reference",
                search_attributes=story.found_by(turn.tenant_id, "bootstraps"),
                parent_close_policy=ParentClosePolicy.ABANDON,
                task_timeout=policies.WORKFLOW_TASK,
                priority=_priority(turn),
            )
            source.add_done_callback(lambda ended: self._over(source_id, ended))
        if self._stopped:
            # Whoever begins a child is not stopped by being cancelled, and would go on.
            raise asyncio.CancelledError

    def _over(self, source_id: RowId, ended: "asyncio.Future[SourceDone]") -> None:
        """How it ended is in its row."""
        if not ended.cancelled():
            ended.exception()
        self._begun.discard(source_id)

    async def _finish(self, turn: BootstrapTurn) -> None:
        """Every source has ended."""
        story.tell_bootstrap(BootstrapStatus.RUNNING, "every source has ended: what was taken in is indexed")
        await outliving(
            lambda: workflow.execute_activity_method(
                BootstrapActivities.index,
                _now(turn),
                summary="have them found by searches",
                priority=_priority(turn),
                **policies.INDEX,
            )
        )
        done = await workflow.execute_local_activity_method(
            BootstrapActivities.finish, _now(turn), summary="say that it is done", **policies.TELLING
        )
        story.tell_bootstrap(done.status, f"{done.completed} taken in, {done.failed} failed")

    async def _give_up(self, turn: BootstrapTurn, error: BaseException) -> None:
        """Say why, unless it has ended already, and stop what is under way."""
        cancelled = is_cancelled_exception(error)
        reason = CANCELLED if cancelled else story.why(error)[1]
        failure = BootstrapFailure(**_now(turn).model_dump(), reason=reason, cancelled=cancelled)
        done = await workflow.execute_local_activity_method(
            BootstrapActivities.fail, failure, summary="say why it came to nothing", **policies.TELLING
        )
        story.tell_bootstrap(done.status, reason)
        for source_id in sorted(self._begun):
            # One that has ended in this moment is not there to be stopped.
            with contextlib.suppress(ApplicationError):
                await workflow.get_external_workflow_handle(ids.source(turn.tenant_id, source_id)).cancel()


@workflow.defn(name="BootstrapSource")
class BootstrapSourceWorkflow:
    """A source, once. However it ends its row says so, and its bootstrap is told; that it failed stops no other."""

    @workflow.init
    def __init__(self, order: SourceOrder) -> None:
        self._order = order

    @workflow.run
    async def run(self, _order: SourceOrder) -> SourceDone:
        try:
            async with asyncio.timeout(policies.SOURCE_WITHIN.total_seconds()) as window:
                done = await self._ingest()
        except (FailureError, asyncio.CancelledError, TimeoutError) as error:
            last = errors.too_slow(policies.SOURCE_WITHIN) if window.expired() else error
            done = await unbroken(self._give_up(last))
        await self._tell()
        return done

    async def _ingest(self) -> SourceDone:
        return await outliving(
            lambda: workflow.execute_activity_method(
                BootstrapActivities.ingest,
                SourceStep(**self._order.model_dump(), now=workflow.now()),
                summary="take it in",
                priority=Priority(priority_key=LATER, fairness_key=self._order.tenant_id),
                **policies.INGEST,
            )
        )

    async def _give_up(self, error: BaseException) -> SourceDone:
        cancelled = is_cancelled_exception(error)
        reason = CANCELLED if cancelled else story.why(error)[1]
        failure = SourceFailure(**self._order.model_dump(), reason=reason, now=workflow.now())
        done = await workflow.execute_local_activity_method(
            BootstrapActivities.source_failed, failure, summary="say why it failed", **policies.TELLING
        )
        if cancelled:
            await self._tell()
            raise error
        return done

    async def _tell(self) -> None:
        """Nobody may be there to hear it: rows say it too."""
        with contextlib.suppress(ApplicationError):
            handle = workflow.get_external_workflow_handle_for(BootstrapWorkflow.run, ids.BOOTSTRAPS)
            await handle.signal(BootstrapWorkflow.ended, self._order.source_id)


def _now(turn: BootstrapTurn) -> BootstrapStep:
    return BootstrapStep(**turn.model_dump(), now=workflow.now())


def _priority(turn: BootstrapTurn) -> Priority:
    return Priority(priority_key=LATER, fairness_key=turn.tenant_id)
