"""The runs of researches in Temporal, when somebody is to be forgotten: their ids and histories hold a person's key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities import errors
from schemas.base import RowId, TenantId
from workflows import ids

# How long a run has to end by itself.
STOPPING = timedelta(seconds=30)
# How long what is deleted may still be there: a server deletes later, some half a minute after the run has ended.
DELETING = timedelta(minutes=3)
GLANCE_S = 0.2
# Nothing is left once two looks this far apart have found nothing: what has just ended is not listed at once.
SETTLED_S = 1.0

T = TypeVar("T")


class Histories:
    """Runs, made real."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def stop(self, tenant_id: TenantId, research_id: RowId) -> None:
        """It is asked to end, so that its row says how it ended; who does not hear that is terminated."""
        workflow_id = ids.research(tenant_id, research_id)
        running = await self._running(workflow_id)
        if running is None:
            return
        handle = self._client.get_workflow_handle(workflow_id, run_id=running)
        await _unless_gone(handle.cancel())
        try:
            async with asyncio.timeout(STOPPING.total_seconds()):
                await self._end_of(workflow_id, running)
        except TimeoutError:
            await _unless_gone(handle.terminate("somebody whom it is about is forgotten"))

    async def delete(self, tenant_id: TenantId, research_id: RowId, before: datetime) -> int:
        """They are found by their ids and by what is listed, until neither knows of any."""
        workflow_id = ids.research(tenant_id, research_id)
        deleted: set[tuple[str, str]] = set()
        looks = 0
        try:
            async with asyncio.timeout(DELETING.total_seconds()):
                while looks < 2:
                    found = {run async for run in self._ended(workflow_id, before)}
                    for run in found - deleted:
                        await self._delete(*run)
                    deleted |= found
                    looks = 0 if found else looks + 1
                    await asyncio.sleep(GLANCE_S if found else SETTLED_S)
        except TimeoutError:
            raise errors.unfinished("runs that were deleted are still listed") from None
        return len(deleted)

    async def _ended(self, workflow_id: str, before: datetime) -> AsyncIterator[tuple[str, str]]:
        """What began before then; of a research that runs, what began before that run.

        Whoever runs below one that has ended is about to end, and does when it is deleted.
        """
        newest = await self._described(workflow_id)
        if newest is not None and newest.status is WorkflowExecutionStatus.RUNNING:
            before = min(before, newest.start_time)
        elif newest is not None and newest.start_time < before:
            yield newest.id, newest.run_id
        query = f"WorkflowId STARTS_WITH '{workflow_id}' AND StartTime < '{before.isoformat()}'"
        async for run in self._client.list_workflows(query):
            yield run.id, run.run_id

    async def _delete(self, workflow_id: str, run_id: str) -> None:
        await _unless_gone(
            self._client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=self._client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
                )
            )
        )

    async def _end_of(self, workflow_id: str, run_id: str) -> None:
        while True:
            if await self._running(workflow_id) != run_id:
                return
            await asyncio.sleep(GLANCE_S)

    async def _running(self, workflow_id: str) -> str | None:
        newest = await self._described(workflow_id)
        return newest.run_id if newest is not None and newest.status is WorkflowExecutionStatus.RUNNING else None

    async def _described(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        return await _unless_gone(self._client.get_workflow_handle(workflow_id).describe())


async def _unless_gone(call: Awaitable[T]) -> T | None:
    """What is not there needs nothing done."""
    try:
        return await call
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
