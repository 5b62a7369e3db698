"""Whether a workflow is alive: the server's own word for it, by its id. A server that cannot be asked has not said no."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities import errors
from activities.reconciliation import Run
from schemas.reconciliation import Life

# How long one answer is waited for.
PATIENCE = timedelta(seconds=5)

# Every other status is that of somebody who is alive, or whose next run is.
ENDS: Mapping[WorkflowExecutionStatus | None, Life] = {
    WorkflowExecutionStatus.COMPLETED: Life.COMPLETED,
    WorkflowExecutionStatus.FAILED: Life.FAILED,
    WorkflowExecutionStatus.CANCELED: Life.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: Life.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT: Life.TIMED_OUT,
}


class Lives:
    """The port, made real."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def of(self, workflow_id: str) -> Life:
        """The newest run under this id counts: one that was begun anew is alive."""
        try:
            found = await self._client.get_workflow_handle(workflow_id).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            if _is_gone(error):
                return Life.GONE
            raise errors.unreachable("Temporal", error) from None
        except (RuntimeError, OSError) as error:
            raise errors.unreachable("Temporal", error) from None
        return ENDS.get(found.status, Life.LIVE)

    async def running(self, workflow: str) -> AsyncIterator[Run]:
        """As the server lists them, a moment late."""
        query = f"WorkflowType = '{workflow}' AND ExecutionStatus = 'Running'"
        try:
            async for run in self._client.list_workflows(query):
                yield Run(run.id, run.run_id)
        except (RPCError, RuntimeError, OSError) as error:
            raise errors.unreachable("Temporal", error) from None


def _is_gone(error: RPCError) -> bool:
    """There is no such workflow. That there is no such namespace has the same code, and says nothing of workflows."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        return False
    return not any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)
