"""Transcripts: what was said in a call, and what came of it.

call ─▶ take it ─▶ (no transcript yet: ask its recorder, and wait) ─▶ its parts, side by side ─▶ findings and history
                                └──────────────┴──────── failed: say so, and tell whose call it is
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from activities import errors
from activities.recorders import RecorderActivities
from activities.transcripts import TranscriptActivities
from schemas.notices import NoticeKind, NoticeOrder, unread_key
from schemas.recorders import Fetching
from schemas.transcripts import (
    CallBegun,
    CallDone,
    CallEnding,
    CallFailed,
    CallFailure,
    CallOrder,
    CallStart,
    CallStatus,
    PartOrder,
    PartRead,
)
from workflows import policies, story
from workflows.steps import outliving
from workflows.telling import notify


@workflow.defn(name="Transcript")
class TranscriptWorkflow:
    """A call is read once. A run that cannot do that fails, and says why: it stands at `parsing` for no longer."""

    @workflow.init
    def __init__(self, order: CallOrder) -> None:
        self._order = order
        self._step = "begin"
        self._version: int | None = None

    @workflow.run
    async def run(self, _order: CallOrder) -> CallDone:
        try:
            async with asyncio.timeout(policies.LONGEST_CALL.total_seconds()) as window:
                begun = await self._begin()
                done = begun.done or await self._read(begun if begun.heard else await self._wait(begun))
        except (FailureError, asyncio.CancelledError, TimeoutError) as error:
            done = await self._give_up(errors.too_slow(policies.LONGEST_CALL) if window.expired() else error)
        story.tell_call(done.status, f"{done.findings} findings")
        return done

    async def _begin(self) -> CallBegun:
        start = CallStart(**self._row(), run_id=workflow.info().run_id, now=workflow.now())
        begun = await workflow.execute_local_activity_method(
            TranscriptActivities.begin, start, summary="take the call for this run", **policies.DATABASE
        )
        self._version = begun.version
        return begun

    async def _wait(self, begun: CallBegun) -> CallBegun:
        """Until its recorder has the transcript, or that has taken too long."""
        self._enter("fetch", CallStatus.WAITING, "for its transcript")
        for pause in policies.NOT_READY if begun.recorded else ():
            if await self._fetch():
                return await self._begin()
            await workflow.sleep(pause, summary="until the transcript is ready")
        if begun.recorded and await self._fetch():
            return await self._begin()
        raise errors.never_ready(policies.READY_WITHIN)

    async def _fetch(self) -> bool:
        """Whether it is there. A recorder that is away is asked again like one that is not ready."""
        fetching = Fetching(**self._row(), now=workflow.now())
        try:
            fetched = await outliving(
                lambda: workflow.execute_activity_method(
                    RecorderActivities.fetch, fetching, summary="ask for the transcript", **policies.FETCH_CALL
                )
            )
        except ActivityError as error:
            if story.why(error)[0] in errors.PASSING:
                return False
            raise
        return fetched.ready

    async def _read(self, begun: CallBegun) -> CallDone:
        """All parts at once. One for which the others have set too much money aside is read after them."""
        self._enter("read", CallStatus.PARSING, f"{begun.parts} parts")
        numbers = range(1, begun.parts + 1)
        ends = await asyncio.gather(*(self._read_part(begun, one) for one in numbers), return_exceptions=True)
        for number, end in zip(numbers, ends, strict=True):
            if isinstance(end, ActivityError) and story.why(end)[0] == errors.OVER_BUDGET:
                await self._read_part(begun, number)
            elif end is not None:
                raise end
        return await self._finish(begun)

    async def _read_part(self, begun: CallBegun, number: int) -> None:
        problem: str | None = None
        for ask in range(1, policies.ASKS + 1):
            order = PartOrder(**self._row(), version=begun.version, part=number, ask=ask, now=workflow.now())
            problem = (await _read_once(order, f"part {number} of {begun.parts}", problem)).problem
            if problem is None:
                return
        raise errors.no_valid_answer(problem)

    async def _finish(self, begun: CallBegun) -> CallDone:
        self._step = "save"
        ending = CallEnding(**self._row(), version=begun.version, now=workflow.now())
        return await workflow.execute_local_activity_method(
            TranscriptActivities.finish, ending, summary="write what came of it", **policies.DATABASE
        )

    async def _give_up(self, error: BaseException) -> CallDone:
        """Say why, wherever it is looked for. A call that was read all the same is a good end."""
        kind, reason = story.why(error)
        failure = CallFailure(
            **self._row(),
            version=self._version,
            step=self._step,
            reason=f"{self._step}: {reason}",
            run_id=workflow.info().run_id,
            started_at=workflow.info().start_time,
            now=workflow.now(),
        )
        failed = await workflow.execute_local_activity_method(
            TranscriptActivities.fail, failure, summary="say why it was not read", **policies.TELLING
        )
        if failed.done is not None:
            return failed.done
        story.tell_call(CallStatus.FAILED, failure.reason, story.FAILED_STEP.value_set(self._step))
        if is_cancelled_exception(error):
            raise error
        await self._tell_whose_it_is(failed)
        raise errors.run_failed(kind, failure.reason) from error

    async def _tell_whose_it_is(self, failed: CallFailed) -> None:
        if failed.version is None or not failed.owned:
            return
        key = unread_key(self._order.call_id, failed.version)
        await notify(NoticeOrder(**self._row(), key=key, kind=NoticeKind.CALL_FAILED))

    def _enter(self, step: str, status: CallStatus, said: str) -> None:
        self._step = step
        story.tell_call(status, said)

    def _row(self) -> dict[str, str]:
        return {"tenant_id": self._order.tenant_id, "call_id": self._order.call_id}


async def _read_once(order: PartOrder, which: str, problem: str | None) -> PartRead:
    summary = f"read {which}" if problem is None else f"read {which} again: {problem}"
    return await outliving(
        lambda: workflow.execute_activity_method(
            TranscriptActivities.read_part, order, summary=summary, **policies.READ_PART
        )
    )
