"""Recorders: every so often each is looked through for calls of which no notification told.

recorders of all tenants ─▶ a sweep each, a few at once ─▶ calls that are new ─▶ a reading each
"""

import asyncio

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.recorders import RecorderActivities
from schemas.base import RowId, TenantId
from schemas.recorders import CallsSwept, CallSweep, Listing, Sweeping, Swept
from workflows import policies
from workflows.steps import outliving


@workflow.defn(name="CallSweeps")
class CallSweepsWorkflow:
    """Looks through whatever lets us in, a bounded number at once. One that fails is the next sweep's again."""

    @workflow.init
    def __init__(self, _sweep: CallSweep) -> None:
        self._free = asyncio.Semaphore(policies.RECORDERS_AT_ONCE)

    @workflow.run
    async def run(self, sweep: CallSweep) -> CallsSwept:
        listed = await workflow.execute_local_activity_method(
            RecorderActivities.recorders, Listing(after=sweep.after), summary="which recorders", **policies.DATABASE
        )
        ends = await asyncio.gather(*(self._sweep(*one) for one in listed.recorders))
        done = added(sweep, ends)
        if listed.after is not None:
            workflow.continue_as_new(done.model_copy(update={"after": listed.after}))
        return CallsSwept(swept=done.swept, failed=done.failed, taken=done.taken)

    async def _sweep(self, tenant_id: TenantId, recorder_id: RowId) -> Swept | None:
        """None when it could not be looked through."""
        sweeping = Sweeping(tenant_id=tenant_id, recorder_id=recorder_id, now=workflow.now())
        async with self._free:
            try:
                return await outliving(
                    lambda: workflow.execute_activity_method(
                        RecorderActivities.sweep,
                        sweeping,
                        summary="look for calls",
                        priority=Priority(fairness_key=tenant_id),
                        **policies.SWEEP_CALLS,
                    )
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                return None


def added(before: CallSweep, ends: list[Swept | None]) -> CallSweep:
    """The sweep so far."""
    well = [end for end in ends if end is not None]
    return CallSweep(
        swept=before.swept + len(well),
        failed=before.failed + len(ends) - len(well),
        taken=before.taken + sum(end.taken for end in well),
    )
