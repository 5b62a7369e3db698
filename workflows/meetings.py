"""Meetings: one workflow for each, from thirty days before until it is over.

changed │ timer │ somebody asks │ a research ends ─▶ look ─▶ next_step ─▶ begin it, or wait ─▶ look ...

Nothing is waited for but the next of these: while a research runs or a mail is sent, the meeting goes on.
"""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError, TerminatedError, WorkflowAlreadyStartedError
from temporalio.exceptions import TimeoutError as TimedOut

from activities.meetings import MeetingActivities
from activities.research import ResearchActivities
from schemas.meetings import Asked, Look, MeetingOrder, MeetingOutcome, Situation
from schemas.notices import NoticeKind, NoticeOrder, brief_key, failed_key
from schemas.research import Failure, ResearchOutcome, ResearchRequest
from workflows import ids, policies, story
from workflows.plans import Do, Doings, Step, next_step
from workflows.priorities import priority, urgent
from workflows.research import ResearchWorkflow
from workflows.telling import notify

BEING_RESEARCHED = Asked(begun=True, reason="it is being researched")

Run = workflow.ChildWorkflowHandle[ResearchWorkflow, ResearchOutcome]


@workflow.defn(name="Meeting")
class MeetingWorkflow:
    """Whatever happens to a meeting, its brief follows; what was withdrawn costs nothing from that moment on."""

    @workflow.init
    def __init__(self, order: MeetingOrder) -> None:
        self._order = order
        self._changed = False
        self._asked = order.asked
        self._answer = Asked(begun=False)
        self._starts_at: datetime | None = None
        self._run: Run | None = None
        self._run_since: datetime | None = None
        self._stopping = False
        # Of which revision the last research was begun, and when.
        self._tried: tuple[int, datetime] | None = None
        self._wait_until: datetime | None = None
        self._sending: set[str] = set()
        self._outcome = MeetingOutcome(ended="")

    @workflow.run
    async def run(self, order: MeetingOrder) -> MeetingOutcome:
        while True:
            await self._settle()
            situation = await self._look()
            step = next_step(workflow.now(), situation, self._doings(situation))
            story.tell_step(step.do.value, step.why, step.at)
            if step.at > workflow.now():
                await self._wait(step)
            elif step.do is not Do.END:
                await self._begin(step, situation)
            elif await self._may_end(step):
                return self._outcome.model_copy(update={"ended": step.why})
            if self._may_continue():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(order.model_copy(update={"asked": self._asked}))

    @workflow.signal(description="The meeting is not what it was")
    def changed(self) -> None:
        self._changed = True

    @workflow.update
    async def research_now(self) -> Asked:
        """Answers once a research runs, or says why there is none to run. One that is under way is the answer."""
        if self._run is not None:
            return BEING_RESEARCHED
        self._asked = self._changed = True
        await workflow.wait_condition(lambda: not self._asked)
        return self._answer

    def _doings(self, situation: Situation) -> Doings:
        tried = self._tried is not None and self._tried[0] == situation.revision
        return Doings(
            asked=self._asked,
            running_since=self._run_since,
            stopping=self._stopping,
            tried_at=self._tried[1] if self._tried and tried else None,
            wait_until=self._wait_until,
            sending=frozenset(self._sending),
        )

    async def _look(self) -> Situation:
        self._changed = False
        look = Look(tenant_id=self._order.tenant_id, meeting_id=self._order.meeting_id, now=workflow.now())
        situation = await workflow.execute_local_activity_method(
            MeetingActivities.look, look, summary="how it stands", **policies.TELLING
        )
        if situation.starts_at != self._starts_at:
            self._starts_at = situation.starts_at
            workflow.upsert_search_attributes([story.MEETING_START.value_set(situation.starts_at)])
        return situation

    async def _wait(self, step: Step) -> None:
        """Until the step is due, unless something happens first."""
        try:
            await workflow.wait_condition(
                lambda: self._changed or self._run_is_over(),
                timeout=step.at - workflow.now(),
                timeout_summary=step.do.value,
            )
        except TimeoutError:
            return

    def _run_is_over(self) -> bool:
        return self._run is not None and self._run.done()

    async def _begin(self, step: Step, situation: Situation) -> None:
        if step.do is Do.RESEARCH:
            await self._research(situation, step)
        elif step.do is Do.STOP and self._run is not None:
            self._stopping = self._run.cancel()
        elif step.do is Do.TELL:
            key = failed_key(situation.meeting_id, situation.starts_at)
            await self._send(situation, NoticeKind.RESEARCH_FAILED, key)
        elif step.do is Do.DELIVER and situation.brief is not None:
            key = brief_key(situation.meeting_id, situation.brief.digest, situation.starts_at)
            await self._send(situation, NoticeKind.BRIEF, key)
            self._outcome = self._outcome.model_copy(update={"delivered": self._outcome.delivered + 1})

    async def _research(self, situation: Situation, step: Step) -> None:
        """A run as our child. Somebody else's that is in the way is looked for again a little later."""
        try:
            self._run = await self._start(situation, step)
        except WorkflowAlreadyStartedError:
            self._wait_until = workflow.now() + policies.LOOK_AGAIN
            self._asked, self._answer = False, BEING_RESEARCHED
            return
        self._run_since = workflow.now()
        self._tried = situation.revision, workflow.now()
        self._asked, self._answer = False, Asked(begun=True)
        self._outcome = self._outcome.model_copy(update={"researched": self._outcome.researched + 1})

    async def _start(self, situation: Situation, step: Step) -> Run:
        order = self._order
        close = urgent(situation.starts_at, workflow.now())
        return await workflow.start_child_workflow(
            ResearchWorkflow.run,
            ResearchRequest(tenant_id=order.tenant_id, research_id=order.meeting_id, latest=step.latest),
            id=ids.research(order.tenant_id, order.meeting_id),
            static_summary=f"Research for a meeting: {step.why}",
            search_attributes=story.research(order.tenant_id, situation.starts_at, urgent=close),
            priority=priority(order.tenant_id, urgent=close, premium=situation.premium),
            execution_timeout=policies.BACKSTOP,
            task_timeout=policies.WORKFLOW_TASK,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
        )

    async def _settle(self) -> None:
        """A research that is over has told its row how it went, unless it was ended from outside."""
        if self._run is None or not self._run.done():
            return
        run, self._run, self._run_since, self._stopping = self._run, None, None, False
        try:
            await run
        except ChildWorkflowError as error:
            kind = story.why(error)[0]
            workflow.logger.info("no brief", extra={"kind": kind})
            if isinstance(error.cause, (TerminatedError, TimedOut)):
                await self._speak_for(run.first_execution_run_id or "")

    async def _speak_for(self, run_id: str) -> None:
        """Whoever was terminated, or timed out, could not say so."""
        failure = Failure(
            tenant_id=self._order.tenant_id,
            research_id=self._order.meeting_id,
            version=None,
            step="research",
            reason="research: the run was ended from outside",
            run_id=run_id,
            started_at=workflow.now(),
            now=workflow.now(),
            cancelled=True,
        )
        await workflow.execute_local_activity_method(
            ResearchActivities.fail, failure, summary="say that it was ended", **policies.TELLING
        )

    async def _send(self, situation: Situation, kind: NoticeKind, key: str) -> None:
        """On its way; how that went, its row will say."""
        self._sending.add(key)
        await notify(
            NoticeOrder(
                tenant_id=self._order.tenant_id,
                key=key,
                kind=kind,
                user_id=situation.user_id,
                meeting_id=self._order.meeting_id,
                research_id=self._order.meeting_id,
            )
        )

    async def _may_end(self, step: Step) -> bool:
        """Whoever asks for research is told that there is none, and heard out, before the end. A change that came
        meanwhile is looked at first."""
        if self._asked:
            self._asked, self._answer = False, Asked(begun=False, reason=step.why)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return not self._changed and not self._asked

    def _may_continue(self) -> bool:
        """Between two steps, with nobody waiting for an answer and no child that would be left behind."""
        return workflow.info().is_continue_as_new_suggested() and self._run is None and not self._asked
