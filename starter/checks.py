"""Is everything there, and if not, what mends it: the checks behind `doctor` and the stack's readiness."""

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from workflows import queues


async def polled(client: Client, queue: str) -> bool:
    """A worker asks for the work of this queue: workflows on the main one, activities on the others."""
    kind = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if queue == queues.WORKFLOWS else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    )
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
    )
    return len(answer.pollers) > 0
