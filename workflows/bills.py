"""Bills: every so often, what has changed since the last time is loaded."""

from temporalio import workflow

from activities.bills import BillActivities
from schemas.bills import BillsLoaded, BillSweep
from workflows import policies
from workflows.steps import outliving


@workflow.defn(name="Bills")
class BillsWorkflow:
    """One load. What it leaves, the next finds."""

    @workflow.run
    async def run(self, sweep: BillSweep) -> BillsLoaded:
        return await outliving(
            lambda: workflow.execute_activity_method(
                BillActivities.load, sweep, summary="load what has changed", **policies.LOAD_BILLS
            )
        )
