"""Skills: one is run for a user when its turn comes, watched while it writes, and its user is told how it ended.

asked ─▶ (its turn) ─▶ execute ─▶ put away ─▶ told
                          ├── not begun in time, or too long: stopped, and that is why
                          ├── slow: told once, and it goes on
                          └── failed or cancelled: says so
"""

import asyncio
import contextlib
from datetime import datetime

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities import errors
from activities.skills import SkillActivities
from schemas.base import RowId
from schemas.notices import NoticeKind, NoticeOrder, skill_key, slow_key
from schemas.skills import (
    CANCELLED,
    RunStatus,
    SkillDone,
    SkillFailure,
    SkillOrder,
    SkillStanding,
    SkillStep,
    SkillTold,
)
from workflows import policies, story
from workflows.steps import outliving, unbroken
from workflows.telling import notify

# What may go better another time; whatever is refused, or cannot be used, would be so again.
RETRYABLE = errors.PASSING | {"ProviderNonsense", "Unkept", "TimedOut", "TooSlow", "WorkerShutdown", errors.BUDGET_HELD}


@workflow.defn(name="SkillRun")
class SkillRunWorkflow:
    """A run, once. However it ends, its row says so, with one event; a run that came to nothing says why."""

    @workflow.init
    def __init__(self, order: SkillOrder) -> None:
        self._order = order
        self._step = "start"

    @workflow.run
    async def run(self, _order: SkillOrder) -> SkillDone:
        try:
            await self._wait()
            done = await self._watched()
        except (FailureError, asyncio.CancelledError) as error:
            done = await unbroken(self._give_up(error))
        story.tell_skill(done.status, "its output is stored")
        await unbroken(self._tell(done))
        return done

    async def _wait(self) -> None:
        """Until its turn comes: its user has begun as many as a minute may have."""
        left = self._order.turn_at - workflow.now()
        position = self._order.position or 1
        before = f"{position - 1} before it, " if position > 1 else ""
        story.tell_skill(RunStatus.QUEUED, f"{before}its turn is at {self._order.turn_at:%H:%M:%S} UTC")
        if left.total_seconds() > 0:
            await workflow.sleep(left, summary="until its turn")

    async def _watched(self) -> SkillDone:
        """Whoever is late is stopped, and is waited for no longer."""
        self._step = "execute"
        story.tell_skill(RunStatus.RUNNING, "its turn has come")
        working = asyncio.create_task(self._work())
        try:
            await self._watch(working)
        except (Exception, asyncio.CancelledError):
            # Nothing else: a run that leaves a worker's memory is closed here, and must not wait for anything.
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            raise
        return await working

    async def _work(self) -> SkillDone:
        await self._execute()
        self._step = "store"
        story.tell_skill(RunStatus.RUNNING, "written, and to be put away")
        return await self._store()

    async def _execute(self) -> None:
        await outliving(
            lambda: workflow.execute_activity_method(
                SkillActivities.execute,
                self._now(),
                summary="run the skill",
                priority=Priority(fairness_key=self._order.tenant_id),
                **policies.EXECUTE_SKILL,
            )
        )

    async def _store(self) -> SkillDone:
        return await outliving(
            lambda: workflow.execute_activity_method(
                SkillActivities.store, self._now(), summary="put its output away", **policies.STORE_OUTPUT
            )
        )

    async def _watch(self, working: "asyncio.Task[SkillDone]") -> None:
        """Returns when it is over; raises when it may not go on."""
        if await _ends(working, workflow.now() + policies.SKILL_STARTS_WITHIN, "until it must have begun"):
            return
        begun = (await self._standing()).started_at
        if begun is None:
            self._step = "start"
            raise errors.not_begun(policies.SKILL_STARTS_WITHIN)
        if await _ends(working, begun + policies.SKILL_SLOW_AFTER, "until it is slow"):
            return
        await self._slow()
        if not await _ends(working, begun + policies.SKILL_ENDS_WITHIN, "until it must have ended"):
            raise errors.took_too_long(policies.SKILL_ENDS_WITHIN)

    async def _standing(self) -> SkillStanding:
        return await workflow.execute_local_activity_method(
            SkillActivities.standing, self._now(), summary="whether it has begun", **policies.TELLING
        )

    async def _slow(self) -> None:
        told = await workflow.execute_local_activity_method(
            SkillActivities.slow, self._now(), summary="note that it is slow", **policies.TELLING
        )
        if told is None:
            return
        story.tell_skill(RunStatus.RUNNING, "being written, and slow")
        for channel_id in _ways(told):
            await self._notify(NoticeKind.SKILL_SLOW, slow_key(self._order.run_id, channel_id), channel_id)

    async def _give_up(self, error: BaseException) -> SkillDone:
        """Say why, wherever it is looked for. A run that has come to an output all the same is a good end."""
        cancelled = is_cancelled_exception(error)
        kind, reason = (CANCELLED, CANCELLED) if cancelled else story.why(error)
        failure = SkillFailure(
            **self._now().model_dump(exclude={"now"}),
            step=self._step,
            reason=reason,
            retryable=kind in RETRYABLE,
            now=workflow.now(),
        )
        done = await workflow.execute_local_activity_method(
            SkillActivities.fail, failure, summary="say why there is none", **policies.TELLING
        )
        if done.status is RunStatus.COMPLETED:
            return done
        story.tell_skill(RunStatus.FAILED, f"{failure.step}: {reason}", story.FAILED_STEP.value_set(failure.step))
        if cancelled:
            raise error
        await self._tell(done)
        raise errors.run_failed(kind, f"{failure.step}: {reason}") from error

    async def _tell(self, done: SkillDone) -> None:
        for channel_id in _ways(done):
            await self._notify(NoticeKind.SKILL, skill_key(self._order.run_id, channel_id), channel_id)

    async def _notify(self, kind: NoticeKind, key: str, channel_id: RowId | None) -> None:
        run_id, tenant_id = self._order.run_id, self._order.tenant_id
        await notify(NoticeOrder(tenant_id=tenant_id, key=key, kind=kind, skill_run_id=run_id, channel_id=channel_id))

    def _now(self) -> SkillStep:
        return SkillStep(
            tenant_id=self._order.tenant_id,
            run_id=self._order.run_id,
            temporal_run_id=workflow.info().run_id,
            now=workflow.now(),
        )


async def _ends(working: "asyncio.Task[SkillDone]", at: datetime, summary: str) -> bool:
    """Wait for it until then; whether it is over."""
    left = (at - workflow.now()).total_seconds()
    if left > 0:
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(working.done, timeout=left, timeout_summary=summary)
    return working.done()


def _ways(told: SkillDone | SkillTold) -> tuple[RowId | None, ...]:
    """A user's mail is None."""
    return (*((None,) if told.by_mail else ()), *told.channels)
