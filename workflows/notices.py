"""Tell a user something, once for each key.

order ─▶ send, in time ─▶ sent, or skipped
                     ├──▶ its channel was switched off: told on the others, and by mail
                     └──▶ given up: logged, and nobody's failure but its own
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.workflow import ChildWorkflowHandle

from activities import errors
from activities.notices import NoticeActivities
from schemas.base import RowId
from schemas.notices import FirstTry, NoticeKind, NoticeOrder, NotSent, Sending, Sent, channel_key
from schemas.research import Remaining
from workflows import ids, policies, story
from workflows.steps import outliving
from workflows.windows import within


@workflow.defn(name="Notice")
class NoticeWorkflow:
    """One message for each key, and never a failure of whoever ordered it: what could not be sent is told as such.

    Its time is counted from the first try. While no worker has come to it, it waits; a worker that is lost in mid-send
    costs its time, and the next one goes on.
    """

    @workflow.run
    async def run(self, order: NoticeOrder) -> Sent:
        try:
            return await _told_elsewhere(order, await _in_time(order))
        except (FailureError, asyncio.CancelledError) as error:
            sent = await _give_up(order, story.why(error)[1])
            if is_cancelled_exception(error):
                raise
            return sent


async def notify(order: NoticeOrder) -> None:
    """See that it is on its way."""
    try:
        await _begin(order)
    except WorkflowAlreadyStartedError:
        return


async def _begin(order: NoticeOrder) -> ChildWorkflowHandle[NoticeWorkflow, Sent]:
    return await workflow.start_child_workflow(
        NoticeWorkflow.run,
        order,
        id=ids.notice(order.tenant_id, order.key),
        static_summary=f"Tell a user: {order.kind.value.replace('_', ' ')}",
        search_attributes=story.found_by(order.tenant_id, "notices"),
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        task_timeout=policies.WORKFLOW_TASK,
    )


async def _told_elsewhere(order: NoticeOrder, sent: Sent) -> Sent:
    """That its channel was switched off is told by mail and on each other, once for each time that it was."""
    if (off := sent.channel_off) is None:
        return sent
    for other in (None, *off.others):
        await notify(
            NoticeOrder(
                tenant_id=order.tenant_id,
                key=channel_key(off.channel_id, off.since, other),
                kind=NoticeKind.CHANNEL_OFF,
                channel_id=off.channel_id,
                by_channel_id=other,
            )
        )
    return sent


async def _in_time(order: NoticeOrder) -> Sent:
    sending = asyncio.create_task(_send(order))

    async def overdue(keys: tuple[RowId, ...]) -> Remaining:
        tried = await workflow.execute_local_activity_method(
            NoticeActivities.first_try, _now(order), summary="since when it is tried", **policies.TELLING
        )
        return remaining(keys, patience(order.kind), tried, workflow.info().start_time, workflow.now())

    window = patience(order.kind)
    await within(window, {order.tenant_id: sending}, overdue, summary="notice window")
    if sending.cancelled() or is_cancelled_exception(sending.exception() or Exception()):
        raise errors.too_slow(window)
    return sending.result()


async def _send(order: NoticeOrder) -> Sent:
    summary = f"{'message' if order.way else 'mail'}: {order.kind.value.replace('_', ' ')}"
    step = policies.SEND if order.kind is NoticeKind.RESEARCH_FAILED else policies.SEND_PATIENTLY
    return await outliving(
        lambda: workflow.execute_activity_method(NoticeActivities.send, _now(order), summary=summary, **step)
    )


def patience(kind: NoticeKind) -> timedelta:
    """S0-4.4 bounds the news that a research failed. A brief, or an account that is lost until somebody mends it, is worth
    waiting for a mail server that puts us off."""
    return policies.NOTICE if kind is NoticeKind.RESEARCH_FAILED else policies.PATIENT_NOTICE


async def _give_up(order: NoticeOrder, reason: str) -> Sent:
    not_sent = NotSent(order=order, reason=reason, now=workflow.now())
    try:
        return await workflow.execute_local_activity_method(
            NoticeActivities.give_up, not_sent, summary="say that it was not sent", **policies.TELLING
        )
    except ActivityError:
        workflow.logger.warning("a notice could not be sent, and not be written down either: %s", reason)
        return Sent(status="failed", reason=reason)


def _now(order: NoticeOrder) -> Sending:
    put_off = 0.0 if order.kind is NoticeKind.RESEARCH_FAILED else policies.PUT_OFF.total_seconds()
    return Sending(order=order, now=workflow.now(), put_off_s=put_off)


def remaining(
    keys: tuple[RowId, ...], patience: timedelta, tried: FirstTry, asked_at: datetime, now: datetime
) -> Remaining:
    """How much is left of a notice's time. Before its first try all of it; then it is looked for ever less often."""
    window = patience.total_seconds()
    if tried.at is None:
        return Remaining(seconds=max(window, (now - asked_at).total_seconds()), moving=True)
    left = window - (now - tried.at).total_seconds()
    over = left < policies.SHORTEST_WINDOW.total_seconds()
    return Remaining(over=keys if over else (), seconds=max(left, 0.0), moving=True)
