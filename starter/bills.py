"""Begin a load of bills beside those of the clock."""

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from schemas.bills import BillsLoaded, BillSweep
from workflows import ids, policies, queues
from workflows.bills import BillsWorkflow


async def load(client: Client) -> BillsLoaded:
    """What both load is kept once."""
    return await client.execute_workflow(
        BillsWorkflow.run,
        BillSweep(),
        id=ids.BILL_LOAD,
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=policies.WORKFLOW_TASK,
        static_summary="Load bills that have changed",
    )
