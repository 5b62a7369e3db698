"""Meetings: one workflow for each, from thirty days before until it is over.

changed │ timer │ somebody asks ─▶ look ─▶ next_step ─▶ research │ tell │ deliver │ wait ─▶ look ...
"""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError, WorkflowAlreadyStartedError

from activities.meetings import MeetingActivities
from schemas.meetings import Asked, Look, MeetingOrder, MeetingOutcome, Situation
from schemas.notices import NoticeKind, NoticeOrder, brief_key, failed_key
from schemas.research import ResearchOutcome, ResearchRequest
from workflows import ids, policies, story
from workflows.plans import Do, Step, next_step
from workflows.priorities import priority, urgent
from workflows.research import ResearchWorkflow
from workflows.telling import send


@workflow.defn(name="Meeting")
class MeetingWorkflow:
    """Whatever happens to a meeting, its brief follows; what was withdrawn costs nothing from that moment on."""

    @workflow.init
    def __init__(self, order: MeetingOrder) -> None:
        self._order = order
        self._changed = False
        self._asked = order.asked
        self._answer = Asked(begun=False)
        self._running = False
        self._starts_at: datetime | None = None
        self._researched = 0
        self._delivered = 0

    @workflow.run
    async def run(self, order: MeetingOrder) -> MeetingOutcome:
        while True:
            situation = await self._look()
            step = next_step(workflow.now(), situation, asked=self._asked)
            story.tell_step(step.do.value, step.why, step.at)
            if step.at > workflow.now():
                await self._wait(step)
            elif step.do is Do.RESEARCH:
                await self._research(situation, step)
            elif step.do is Do.TELL:
                await self._tell(situation)
            elif step.do is Do.DELIVER:
                await self._deliver(situation)
            elif await self._may_end(step):
                return MeetingOutcome(ended=step.why, researched=self._researched, delivered=self._delivered)
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(order.model_copy(update={"asked": self._asked}))

    @workflow.signal(description="The meeting is not what it was")
    def changed(self) -> None:
        self._changed = True

    @workflow.update
    async def research_now(self) -> Asked:
        """Answers once a research runs, or says why there is none to run. One that is under way is the answer."""
        if self._running:
            return Asked(begun=True, reason="it is being researched")
        self._asked = self._changed = True
        await workflow.wait_condition(lambda: not self._asked)
        return self._answer

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
                lambda: self._changed, timeout=step.at - workflow.now(), timeout_summary=step.do.value
            )
        except TimeoutError:
            return

    async def _research(self, situation: Situation, step: Step) -> None:
        """A run as our child, cancelled as soon as the meeting is none any more. How it went is looked up after it."""
        try:
            run = await self._begin(situation, step)
        except WorkflowAlreadyStartedError:
            self._asked, self._answer = False, Asked(begun=True, reason="it is being researched")
            return
        self._researched += 1
        self._asked, self._answer, self._running = False, Asked(begun=True), True
        while not run.done():
            await workflow.wait_condition(lambda: self._changed or run.done())
            if self._changed and (await self._look()).idle:
                run.cancel()
        self._running = False
        try:
            await run
        except ChildWorkflowError as error:
            workflow.logger.info("no brief", extra={"kind": story.why(error)[0]})

    async def _begin(
        self, situation: Situation, step: Step
    ) -> workflow.ChildWorkflowHandle[ResearchWorkflow, ResearchOutcome]:
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

    async def _tell(self, situation: Situation) -> None:
        await send(
            self._notice(situation, NoticeKind.RESEARCH_FAILED, failed_key(self._order.meeting_id, situation.starts_at))
        )

    async def _deliver(self, situation: Situation) -> None:
        assert situation.brief is not None, "next_step delivers briefs that are there"
        key = brief_key(self._order.meeting_id, situation.brief.digest)
        sent = await send(self._notice(situation, NoticeKind.BRIEF, key))
        self._delivered += sent == "sent"

    def _notice(self, situation: Situation, kind: NoticeKind, key: str) -> NoticeOrder:
        return NoticeOrder(
            tenant_id=self._order.tenant_id,
            key=key,
            kind=kind,
            user_id=situation.user_id,
            meeting_id=self._order.meeting_id,
            research_id=self._order.meeting_id,
        )

    async def _may_end(self, step: Step) -> bool:
        """Whoever asks for research is told that there is none, and heard out, before the end. A change that came
        meanwhile is looked at first."""
        if self._asked:
            self._asked, self._answer = False, Asked(begun=False, reason=step.why)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return not self._changed and not self._asked and step.do is Do.END
