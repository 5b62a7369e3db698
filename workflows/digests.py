"""Digests: every morning, what is new for each user who wants to hear of it.

clock ─▶ who has wishes, a page at a time ─▶ a digest each, some at once, others when it is morning where they are
digest ─▶ (its morning) ─▶ take it ─▶ (news) ─▶ script ─▶ (pieces, a few at once ─▶ joined and stored) ─▶ told
                              └──────────┴─────────┴── failed: say so          └─ refused: in writing, and it says why
"""

import asyncio
from datetime import datetime

from temporalio import workflow
from temporalio.common import Priority, SearchAttributeKey
from temporalio.exceptions import ActivityError, FailureError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from activities import errors
from activities.digests import DigestActivities
from activities.digests.speaking import SpeakingActivities
from schemas.digests import (
    DigestBegun,
    DigestDone,
    DigestEnding,
    DigestFailure,
    DigestOrder,
    DigestPaging,
    DigestStart,
    DigestStatus,
    DigestStep,
    DigestSweep,
    PieceOrder,
    ScriptOrder,
    ScriptWritten,
)
from schemas.notices import NoticeKind, NoticeOrder, digest_key
from workflows import ids, policies, story
from workflows.priorities import PREMIUM, URGENT, USUAL
from workflows.steps import outliving
from workflows.telling import notify

# The clock tells its workflows when it struck, however late they begin.
STRUCK_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")

# Errors of the digest itself: it is not its voice that is refused.
NOT_OURS = frozenset({"Superseded", "NotFound"})


@workflow.defn(name="Digests")
class DigestsWorkflow:
    """Begins the digest of everybody who is to have one: a page in each history, and of that a bounded number at once.

    A digest outlives whoever began it. One that is there already is joined: somebody asked for it.
    """

    @workflow.init
    def __init__(self, _sweep: DigestSweep) -> None:
        self._free = asyncio.Semaphore(policies.DIGESTS_AT_ONCE)

    @workflow.run
    async def run(self, sweep: DigestSweep) -> DigestSweep:
        at = sweep.at or struck_at()
        page = await workflow.execute_local_activity_method(
            DigestActivities.due,
            DigestPaging(at=at, after=sweep.after, most=policies.DIGESTS_A_PAGE),
            summary="who is to have a digest",
            **policies.TELLING,
        )
        await asyncio.gather(*map(self._begin, page.orders))
        done = DigestSweep(at=at, after=page.after, begun=sweep.begun + len(page.orders))
        if page.after is not None:
            workflow.continue_as_new(done)
        return done

    async def _begin(self, order: DigestOrder) -> None:
        """Whose morning is still to come is not waited for; nor is who takes too long."""
        async with self._free:
            try:
                digest = await _start(order)
            except WorkflowAlreadyStartedError:
                return
            if order.not_before is None:
                await workflow.wait([digest], timeout=policies.DIGEST_WAITED_FOR.total_seconds())


async def _start(order: DigestOrder) -> ChildWorkflowHandle["DigestWorkflow", DigestDone]:
    digest = await workflow.start_child_workflow(
        DigestWorkflow.run,
        order,
        id=ids.digest(order.tenant_id, order.user_id, order.day),
        static_summary="A digest",
        search_attributes=story.found_by(order.tenant_id, "digests"),
        parent_close_policy=ParentClosePolicy.ABANDON,
        task_timeout=policies.WORKFLOW_TASK,
        priority=Priority(fairness_key=order.tenant_id),
    )
    # How it ends is its own news.
    digest.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return digest


def struck_at() -> datetime:
    """When the clock struck; without one, now."""
    return workflow.info().typed_search_attributes.get(STRUCK_AT) or workflow.now()


@workflow.defn(name="Digest")
class DigestWorkflow:
    """A user's digest of a day, once. What cannot be spoken is delivered in writing; a run that cannot write it fails,
    and says why: it stands at `generating` for no longer."""

    @workflow.init
    def __init__(self, order: DigestOrder) -> None:
        self._order = order
        self._hurried = False
        self._step = "begin"
        self._begun: DigestBegun | None = None
        self._free = asyncio.Semaphore(policies.PIECES_AT_ONCE)
        self._refusal: ActivityError | None = None

    @workflow.run
    async def run(self, _order: DigestOrder) -> DigestDone:
        try:
            await self._wait()
            async with asyncio.timeout(policies.LONGEST_DIGEST.total_seconds()) as window:
                begun = await self._begin()
                done = begun.done or await self._make(begun)
        except (FailureError, asyncio.CancelledError, TimeoutError) as error:
            late = self._begun is not None and window.expired()
            done = await self._give_up(errors.too_slow(policies.LONGEST_DIGEST) if late else error)
        story.tell_digest(done.status, f"audio {done.audio.value}")
        return done

    @workflow.signal(description="Somebody wants it now, whatever hour it is")
    def hurry(self) -> None:
        self._hurried = True

    async def _wait(self) -> None:
        """Until it is morning where its user is, or somebody asks for it."""
        before = self._order.not_before
        if before is None or before <= workflow.now():
            return
        try:
            await workflow.wait_condition(
                lambda: self._hurried, timeout=before - workflow.now(), timeout_summary="until their morning"
            )
        except TimeoutError:
            return

    async def _begin(self) -> DigestBegun:
        start = DigestStart(**self._order.model_dump(), run_id=workflow.info().run_id, now=workflow.now())
        self._begun = await workflow.execute_local_activity_method(
            DigestActivities.begin, start, summary="take the digest for this run", **policies.TELLING
        )
        return self._begun

    async def _make(self, begun: DigestBegun) -> DigestDone:
        newsless = begun.newsless or not (await self._ask(begun) if begun.unasked else True)
        written = await self._write(begun, newsless=newsless)
        spoken = begun.spoken and written.pieces > 0
        done = await (self._speak(begun, written.pieces) if spoken else self._finish(begun))
        return await self._done(done)

    async def _ask(self, begun: DigestBegun) -> bool:
        """Whether that went well. Nobody to be asked is no reason not to tell what else there is, and that."""
        self._enter("news", f"{begun.unasked} interests to ask about")
        try:
            await outliving(
                lambda: workflow.execute_activity_method(
                    DigestActivities.news, self._now(begun), summary="look for news", **policies.ASK_NEWS
                )
            )
        except ActivityError as error:
            if is_cancelled_exception(error) or story.why(error)[0] in NOT_OURS:
                raise
            return False
        return True

    async def _write(self, begun: DigestBegun, *, newsless: bool) -> ScriptWritten:
        self._enter("script", "its script")
        problem: str | None = None
        for ask in range(1, policies.ASKS + 1):
            order = ScriptOrder(**self._now(begun).model_dump(), ask=ask, newsless=newsless)
            written = await _write_once(order, problem)
            problem = written.problem
            if problem is None:
                return written
        raise errors.no_valid_answer(problem)

    async def _speak(self, begun: DigestBegun, pieces: int) -> DigestDone:
        """Aloud. When that is refused for good, or takes too long, it is delivered in writing, and says so."""
        self._enter("speak", f"{pieces} pieces")
        try:
            async with asyncio.timeout(policies.SPEAKING.total_seconds()) as window:
                await asyncio.gather(*(self._piece(begun, number, pieces) for number in range(1, pieces + 1)))
                if self._refusal is not None:
                    raise self._refusal
                return await self._publish(begun)
        except (ActivityError, asyncio.CancelledError, TimeoutError) as error:
            kind, reason = story.why(errors.too_slow(policies.SPEAKING) if window.expired() else error)
            if kind in NOT_OURS or (is_cancelled_exception(error) and not window.expired()):
                raise
        return await self._finish(begun, reason)

    async def _piece(self, begun: DigestBegun, number: int, pieces: int) -> None:
        """Those that are being spoken when one is refused are still kept: they are paid for."""
        async with self._free:
            if self._refusal is not None:
                return
            order = PieceOrder(**self._now(begun).model_dump(), piece=number)
            summary = f"speak piece {number} of {pieces}"
            # What has begun to be spoken is spoken to its end before another digest is begun: nobody hears a half one.
            rank = USUAL if number <= policies.PIECES_AT_ONCE else PREMIUM
            try:
                await outliving(
                    lambda: workflow.execute_activity_method(
                        SpeakingActivities.speak,
                        order,
                        summary=summary,
                        priority=Priority(priority_key=rank, fairness_key=self._order.tenant_id),
                        **policies.SPEAK,
                    )
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                self._refusal = self._refusal or error

    async def _publish(self, begun: DigestBegun) -> DigestDone:
        self._enter("publish", "joined and stored")
        return await outliving(
            lambda: workflow.execute_activity_method(
                SpeakingActivities.publish,
                self._now(begun),
                summary="join and store it",
                priority=Priority(priority_key=URGENT, fairness_key=self._order.tenant_id),
                **policies.PUBLISH,
            )
        )

    async def _finish(self, begun: DigestBegun, refused: str = "") -> DigestDone:
        self._step = "save"
        ending = DigestEnding(**self._now(begun).model_dump(), refused=refused)
        return await workflow.execute_local_activity_method(
            DigestActivities.finish, ending, summary="write what came of it", **policies.SAVE_DIGEST
        )

    async def _done(self, done: DigestDone) -> DigestDone:
        if done.status is DigestStatus.READY and self._begun is not None:
            await self._tell(self._begun)
        return done

    async def _tell(self, begun: DigestBegun) -> None:
        if not begun.by_mail:
            return
        key = digest_key(begun.digest_id, begun.version)
        await notify(
            NoticeOrder(tenant_id=self._order.tenant_id, key=key, kind=NoticeKind.DIGEST, digest_id=begun.digest_id)
        )

    async def _give_up(self, error: BaseException) -> DigestDone:
        """Say why, wherever it is looked for. A digest that is ready all the same is a good end."""
        kind, reason = story.why(error)
        failure = DigestFailure(
            **self._order.model_dump(),
            digest_id=self._begun.digest_id if self._begun else None,
            version=self._begun.version if self._begun else None,
            step=self._step,
            reason=f"{self._step}: {reason}",
            run_id=workflow.info().run_id,
            started_at=workflow.info().start_time,
            now=workflow.now(),
        )
        failed = await workflow.execute_local_activity_method(
            DigestActivities.fail, failure, summary="say why there is none", **policies.TELLING
        )
        if failed.done is not None:
            return await self._done(failed.done)
        story.tell_digest(DigestStatus.FAILED, failure.reason, story.FAILED_STEP.value_set(self._step))
        if is_cancelled_exception(error):
            raise error
        if self._begun is not None:
            await self._tell(self._begun)
        raise errors.run_failed(kind, failure.reason) from error

    def _enter(self, step: str, said: str) -> None:
        self._step = step
        story.tell_digest(DigestStatus.GENERATING, said)

    def _now(self, begun: DigestBegun) -> DigestStep:
        return DigestStep(
            tenant_id=self._order.tenant_id, digest_id=begun.digest_id, version=begun.version, now=workflow.now()
        )


async def _write_once(order: ScriptOrder, problem: str | None) -> ScriptWritten:
    summary = "write the script" if problem is None else f"write the script again: {problem}"
    return await outliving(
        lambda: workflow.execute_activity_method(
            DigestActivities.script, order, summary=summary, **policies.WRITE_SCRIPT
        )
    )
