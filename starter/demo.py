"""Runs that show how work goes here, as events ask for them: begun, and gone on with."""

from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.store.received import Begun, row_of
from schemas.base import RowId, TenantId
from schemas.demo import DemoOrder
from schemas.payloads import DemoContinued, DemoRequested
from starter.office import Office
from workflows import ids, policies, queues, story
from workflows.demo import DemoWorkflow
from workflows.priorities import priority

# So long a run in several steps waits for its event, when nothing else is said.
USUAL_WAIT_S = 60.0


async def requested(at: Office, tenant_id: TenantId, asked: DemoRequested, row: RowId) -> Begun:
    return await _begin(at, DemoOrder(tenant_id=tenant_id, demo_id=row, steps=asked.steps, wait_s=asked.wait_s))


async def stepped(at: Office, tenant_id: TenantId, asked: DemoRequested, row: RowId) -> Begun:
    """The same, which waits for its event in any case."""
    wait_s = asked.wait_s or USUAL_WAIT_S
    return await _begin(at, DemoOrder(tenant_id=tenant_id, demo_id=row, steps=asked.steps, wait_s=wait_s))


async def continued(at: Office, tenant_id: TenantId, asked: DemoContinued, _row: RowId) -> Begun:
    """Whoever waits for it goes on; one that has ended waits for nothing."""
    workflow_id = ids.demo(tenant_id, row_of(tenant_id, asked.event_id))
    try:
        await at.client.get_workflow_handle_for(DemoWorkflow.run, workflow_id).signal(DemoWorkflow.carry_on)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Begun(reason="There is no such run, or it has ended", parked=True)
    return Begun(workflow_id)


async def _begin(at: Office, order: DemoOrder) -> Begun:
    workflow_id = ids.demo(order.tenant_id, order.demo_id)
    try:
        await at.client.start_workflow(
            DemoWorkflow.run,
            order,
            id=workflow_id,
            task_queue=queues.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            task_timeout=policies.WORKFLOW_TASK,
            search_attributes=story.found_by(order.tenant_id, "demo"),
            static_summary="Show how work goes here",
            priority=priority(order.tenant_id, urgent=False, premium=False),
        )
    except WorkflowAlreadyStartedError:
        return Begun(workflow_id)
    return Begun(workflow_id)
