"""Tell a user something: a notice of its own, which outlives whoever asked for it."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle

from schemas.notices import NoticeOrder, Sent
from workflows import ids, policies, story
from workflows.notices import NoticeWorkflow


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
