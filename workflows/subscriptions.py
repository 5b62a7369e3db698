"""Subscriptions: a channel is renewed before it ends, and there is never a moment without one.

due ─▶ a renewal each: open the new ─▶ retire the old ─▶ have the calendar read once
                        └─ failed: say so, and tell the user when it is for them to mend, or late
"""

import asyncio
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)
from temporalio.workflow import ParentClosePolicy

from activities import errors
from activities.subscriptions import SubscriptionActivities
from schemas.notices import NoticeKind, NoticeOrder, lost_key, unwatched_key
from schemas.subscriptions import (
    Errand,
    Expiring,
    NotRenewed,
    Opened,
    Opening,
    Renewal,
    RenewalOutcome,
    Renewed,
    Retired,
    Retiring,
    Ringing,
    Sweep,
    Warned,
)
from workflows import ids, policies, story
from workflows.steps import outliving
from workflows.telling import notify


@workflow.defn(name="SubscriptionRenewal")
class SubscriptionRenewalWorkflow:
    """In the end one channel notifies and the others are stopped. A renewal that fails leaves the old one as it was."""

    @workflow.run
    async def run(self, renewal: Renewal) -> RenewalOutcome:
        if renewal.errand is not Errand.RENEW:
            return await self._clear(renewal)
        opened: Opened | None = None
        retired = Retired()
        try:
            async with asyncio.timeout(policies.RENEWAL.total_seconds()) as window:
                opened = await self._open(renewal)
                retired = await self._retire(renewal, opened)
        except (FailureError, asyncio.CancelledError, TimeoutError) as error:
            if opened is None:
                await self._give_up(renewal, errors.too_slow(policies.RENEWAL) if window.expired() else error)
            elif not window.expired() and is_cancelled_exception(error):
                raise
        assert opened is not None, "whoever gives up raises"
        await self._ring(renewal)
        return RenewalOutcome(expires_at=opened.expires_at, stopped=retired.stopped, left=retired.left)

    async def _clear(self, renewal: Renewal) -> RenewalOutcome:
        """Stop channels, and open none."""
        try:
            retired = await self._retire(renewal, None)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            raise errors.run_failed(*story.why(error)) from error
        return RenewalOutcome(stopped=retired.stopped, left=retired.left)

    async def _open(self, renewal: Renewal) -> Opened:
        opening = Opening(tenant_id=renewal.tenant_id, calendar_id=renewal.calendar_id, now=workflow.now())
        return await outliving(
            lambda: workflow.execute_activity_method(
                SubscriptionActivities.open, opening, summary="open a channel", **policies.RENEW
            )
        )

    async def _retire(self, renewal: Renewal, opened: Opened | None) -> Retired:
        """What cannot be stopped now is stopped by a later sweep, or ends by itself."""
        retiring = Retiring(
            tenant_id=renewal.tenant_id,
            calendar_id=renewal.calendar_id,
            keep=opened.subscription_id if opened else None,
            all=renewal.errand is Errand.STOP,
            now=workflow.now(),
        )
        try:
            return await outliving(
                lambda: workflow.execute_activity_method(
                    SubscriptionActivities.retire, retiring, summary="stop the other channels", **policies.RENEW
                )
            )
        except ActivityError as error:
            if is_cancelled_exception(error) or opened is None:
                raise
            return Retired(left=1)

    async def _ring(self, renewal: Renewal) -> None:
        ringing = Ringing(tenant_id=renewal.tenant_id, calendar_id=renewal.calendar_id, now=workflow.now())
        await workflow.execute_local_activity_method(
            SubscriptionActivities.ring, ringing, summary="have the calendar read", **policies.TELLING
        )

    async def _give_up(self, renewal: Renewal, error: BaseException) -> None:
        kind, reason = story.why(error)
        failure = NotRenewed(
            tenant_id=renewal.tenant_id,
            calendar_id=renewal.calendar_id,
            lost=kind == "ReauthRequired",
            reason=reason,
            tell_before=workflow.now() + policies.LAST_HOURS,
            now=workflow.now(),
        )
        warned = await workflow.execute_local_activity_method(
            SubscriptionActivities.fail, failure, summary="say that it was not renewed", **policies.TELLING
        )
        order = notice(renewal, warned)
        if order is not None:
            await notify(order)
        if is_cancelled_exception(error):
            raise error
        raise errors.run_failed(kind, reason) from error


def notice(renewal: Renewal, warned: Warned) -> NoticeOrder | None:
    """What the user is to be told, if anything: once for each loss, and once for each channel that ends."""
    if not warned.tell or warned.user_id is None or warned.connection_id is None:
        return None
    ends = warned.expires_at
    return NoticeOrder(
        tenant_id=renewal.tenant_id,
        key=lost_key(warned.connection_id, warned.version)
        if warned.lost or ends is None
        else unwatched_key(renewal.calendar_id, ends),
        kind=NoticeKind.RECONNECT,
        user_id=warned.user_id,
        connection_id=warned.connection_id,
    )


@workflow.defn(name="SubscriptionRenewals")
class SubscriptionRenewalsWorkflow:
    """Renews whatever ends before long, a bounded number at once. One that fails is the next sweep's again."""

    @workflow.init
    def __init__(self, _sweep: Sweep) -> None:
        self._free = asyncio.Semaphore(policies.RENEWALS_AT_ONCE)

    @workflow.run
    async def run(self, sweep: Sweep) -> Renewed:
        due = await workflow.execute_local_activity_method(
            SubscriptionActivities.due,
            expiring(workflow.now(), sweep),
            summary="which channels end",
            **policies.DATABASE,
        )
        ends = await asyncio.gather(*map(self._renew, due.calendars))
        renewed, failed = sweep.renewed + ends.count(True), sweep.failed + ends.count(False)
        if due.after is not None:
            workflow.continue_as_new(Sweep(after=due.after, renewed=renewed, failed=failed))
        return Renewed(renewed=renewed, failed=failed)

    async def _renew(self, renewal: Renewal) -> bool | None:
        """Whether that went well. None: somebody else is at it."""
        async with self._free:
            try:
                await workflow.execute_child_workflow(
                    SubscriptionRenewalWorkflow.run,
                    renewal,
                    id=ids.subscription(renewal.tenant_id, renewal.calendar_id),
                    static_summary=f"Channels: {renewal.errand.value}",
                    search_attributes=story.found_by(renewal.tenant_id, "subscriptions"),
                    parent_close_policy=ParentClosePolicy.ABANDON,
                    task_timeout=policies.WORKFLOW_TASK,
                )
            except WorkflowAlreadyStartedError:
                return None
            except ChildWorkflowError as error:
                if is_cancelled_exception(error):
                    raise
                return False
        return True


def expiring(now: datetime, sweep: Sweep) -> Expiring:
    """What must be renewed in this sweep, so that it lives beyond the next but one."""
    return Expiring(until=now + policies.RENEWAL_AHEAD, after=sweep.after, now=now)
