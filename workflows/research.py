"""Research a meeting before it happens.

request ─▶ prospects that are not fresh ─▶ a child each ──┐
       └─▶ companies that are not fresh ─▶ a look-up each ┴─▶ brief, with its gaps declared
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ChildWorkflowError, FailureError, is_cancelled_exception

from activities import errors
from activities.research import LAST_QUESTION, ResearchActivities
from schemas.base import RowId
from schemas.notices import NoticeKind, NoticeOrder
from schemas.research import (
    Begun,
    Failure,
    Found,
    LookUp,
    Overdue,
    Phase,
    Progress,
    Remaining,
    ResearchOutcome,
    ResearchRequest,
    Start,
    State,
    Subject,
    Writing,
    Written,
)
from workflows import ids, policies, story
from workflows.steps import outliving
from workflows.telling import notify
from workflows.windows import within


@workflow.defn(name="Research")
class ResearchWorkflow:
    """One brief for each run. Somebody whom we cannot find is a gap; a run without a brief fails, and says why."""

    @workflow.init
    def __init__(self, request: ResearchRequest) -> None:
        self._row = request.model_dump()
        self._account = story.Account()
        self._begun: Begun | None = None

    @workflow.run
    async def run(self, _request: ResearchRequest) -> ResearchOutcome:
        try:
            begun = self._begun = await self._begin()
            await self._research(begun)
            written = await self._write(begun)
        except (FailureError, asyncio.CancelledError) as error:
            begun, written = await self._give_up(error)
        said = f"confidence {written.confidence}, ${written.cost_micro_usd / 1_000_000:.4f}"
        self._account.enter(Phase.READY, said, story.COST.value_set(written.cost_micro_usd))
        return ResearchOutcome(
            brief_id=begun.brief_id,
            version=begun.version,
            confidence=written.confidence,
            cost_micro_usd=written.cost_micro_usd,
            gaps=self._account.gaps(),
        )

    @workflow.query
    def progress(self) -> Progress:
        """Where the run is: labels and states, no names."""
        return self._account.progress()

    async def _begin(self) -> Begun:
        """Money that others have set aside is waited for: most of it comes back."""
        for pause in policies.MONEY_COMES_BACK:
            try:
                return await self._take()
            except FailureError as error:
                if story.why(error)[0] != errors.BUDGET_HELD:
                    raise
                await workflow.sleep(pause, summary="until there is money")
        return await self._take()

    async def _take(self) -> Begun:
        start = Start(**self._row, run_id=workflow.info().run_id, now=workflow.now())
        begun = await workflow.execute_local_activity_method(
            ResearchActivities.begin, start, summary="take the row for this run", **policies.DATABASE
        )
        self._account.begin(begun)
        return begun

    async def _research(self, begun: Begun) -> None:
        self._account.enter(Phase.RESEARCHING, "look-up")
        work = {
            subject.subject_id: asyncio.create_task(self._settle(begun, subject)) for subject in self._account.waiting()
        }
        await self._within(policies.RESEARCH_WINDOW, begun, work)
        if not self._account.usable():
            raise errors.nothing_found(self._account.reasons())

    async def _settle(self, begun: Begun, subject: Subject) -> None:
        """One subject, to whichever end: a failure is a state of it, and so is being cut off."""
        try:
            found = await self._find(begun, subject)
        except (ActivityError, ChildWorkflowError) as error:
            if is_cancelled_exception(error):
                self._account.note(subject, State.TIMED_OUT)
            else:
                kind, reason = story.why(error)
                state = State.LEFT_OUT if kind == errors.OVER_BUDGET else State.FAILED
                self._account.note(subject, state, reason)
        else:
            self._account.note(subject, State.FOUND if found.evidence else State.NOT_FOUND)

    def _find(self, begun: Begun, subject: Subject) -> Coroutine[Any, Any, Found]:
        """A prospect's look-up has a life of its own, a company's is one question."""
        look_up = LookUp(**self._row, version=begun.version, subject=subject, now=workflow.now())
        if subject.key is None:
            return _ask(look_up)
        return workflow.execute_child_workflow(
            ProspectResearchWorkflow.run,
            look_up,
            id=ids.prospect_research(workflow.info().workflow_id, subject.key),
            static_summary=subject.label,
            search_attributes=story.found_by(look_up.tenant_id),
            task_timeout=policies.WORKFLOW_TASK,
        )

    async def _write(self, begun: Begun) -> Written:
        self._account.enter(Phase.WRITING, "write")
        writing = asyncio.create_task(self._ask_until_valid(begun))
        await self._within(policies.WRITING_WINDOW, begun, {begun.brief_id: writing})
        if writing.cancelled() or is_cancelled_exception(writing.exception() or Exception()):
            raise errors.too_slow(policies.WRITING_WINDOW)
        return writing.result()

    async def _ask_until_valid(self, begun: Begun) -> Written:
        order = Writing(
            **self._row,
            version=begun.version,
            brief_id=begun.brief_id,
            gaps=self._account.gaps(),
            now=workflow.now(),
        )
        problem: str | None = None
        for number in range(1, policies.ASKS + 1):
            summary = "write the brief" if number == 1 else f"repair the brief: {problem}"
            written = await _write_once(order.model_copy(update={"ask": number}), summary)
            if written.problem is None:
                return written
            problem = written.problem
        raise errors.no_valid_answer(problem)

    async def _give_up(self, error: FailureError | asyncio.CancelledError) -> tuple[Begun, Written]:
        """Say why, wherever it is looked for. A brief that was finished all the same is a good end."""
        kind, reason = story.why(error)
        step = self._account.step
        failure = Failure(
            **self._row,
            version=self._begun.version if self._begun else None,
            step=step,
            reason=f"{step}: {reason}",
            run_id=workflow.info().run_id,
            started_at=workflow.info().start_time,
            now=workflow.now(),
            cancelled=is_cancelled_exception(error),
        )
        written = await workflow.execute_local_activity_method(
            ResearchActivities.fail, failure, summary="say why there is no brief", **policies.TELLING
        )
        if self._begun and written.confidence:
            return self._begun, written
        self._account.enter(Phase.FAILED, failure.reason, story.FAILED_STEP.value_set(step))
        if is_cancelled_exception(error):
            raise error
        await self._tell_who_asked()
        raise errors.run_failed(kind, failure.reason) from error

    async def _tell_who_asked(self) -> None:
        """A run that somebody began by hand tells them; one that a meeting began leaves that to the meeting."""
        if workflow.info().parent is not None or not workflow.patched("tell-who-asked"):
            return
        run = self._begun.version if self._begun else workflow.info().run_id
        key = f"failed/{self._row['research_id']}/{run}"
        await notify(NoticeOrder(**self._row, key=key, kind=NoticeKind.RESEARCH_FAILED))

    async def _within(self, window: timedelta, begun: Begun, work: dict[RowId, asyncio.Task[Any]]) -> None:
        async def overdue(subject_ids: tuple[RowId, ...]) -> Remaining:
            question = Overdue(
                **self._row,
                version=begun.version,
                subject_ids=subject_ids,
                limit_s=window.total_seconds(),
                writing=begun.brief_id in work,
                now=workflow.now(),
            )
            return await workflow.execute_local_activity_method(
                ResearchActivities.overdue, question, summary="who has had their time", **policies.TELLING
            )

        await within(window, work, overdue, summary=f"{self._account.step} window")


@workflow.defn(name="ProspectResearch")
class ProspectResearchWorkflow:
    """Look one person up: when the first question finds nobody, the second is asked."""

    @workflow.run
    async def run(self, look_up: LookUp) -> Found:
        found = await _ask(look_up)
        for number in range(2, LAST_QUESTION + 1):
            if found.evidence:
                break
            found = await _ask(look_up.model_copy(update={"question": number}))
        return found


async def _ask(look_up: LookUp) -> Found:
    summary = look_up.subject.label + (", asked another way" if look_up.question > 1 else "")
    return await outliving(
        lambda: workflow.execute_activity_method(
            ResearchActivities.look_up, look_up, summary=summary, **policies.LOOK_UP
        )
    )


async def _write_once(order: Writing, summary: str) -> Written:
    return await outliving(
        lambda: workflow.execute_activity_method(ResearchActivities.write, order, summary=summary, **policies.WRITE)
    )
