"""What a person on a page has Temporal do, while they wait for the page: so each is bounded by seconds.

page ─▶ errand ─▶ workflow: begun when it sleeps ─▶ its answer, or AwayError
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError

from schemas.base import RowId, TenantId
from schemas.calendars import Ring
from schemas.meetings import Asked
from schemas.research import Progress
from schemas.subscriptions import Errand, Renewal
from starter import start
from starter.words import FailedError
from workflows import ids
from workflows.research import ResearchWorkflow

# As long as a person waits for something to begin, and for a page that says how far it is.
PATIENCE = timedelta(seconds=4)
GLANCE = timedelta(seconds=1.5)


class AwayError(Exception):
    """Temporal does not answer, or nobody works there."""


class Errands:
    """The bell, and what is asked by hand."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._bell = start.Doorbell(client)

    async def calendar(self, tenant_id: TenantId, calendar_id: RowId, ring: Ring) -> None:
        async with answered():
            await self._bell.calendar(tenant_id, calendar_id, ring)

    async def meeting(self, tenant_id: TenantId, meeting_id: RowId) -> None:
        async with answered():
            await self._bell.meeting(tenant_id, meeting_id)

    async def watch(self, tenant_id: TenantId, calendar_id: RowId) -> None:
        """Begins to open a channel, and does not wait for it."""
        async with answered():
            await start.renewal(self._client, Renewal(tenant_id=tenant_id, calendar_id=calendar_id))

    async def unwatch(self, tenant_id: TenantId, calendar_id: RowId) -> None:
        """Waits until the channels are stopped: afterwards nobody is let in to stop them. One that cannot be ends."""
        order = Renewal(tenant_id=tenant_id, calendar_id=calendar_id, errand=Errand.STOP)
        async with answered():
            handle = await start.renewal(self._client, order)
            with suppress(WorkflowFailureError):
                await handle.result()

    async def research_now(self, tenant_id: TenantId, meeting_id: RowId) -> Asked:
        async with answered():
            try:
                return await start.research_now(self._client, tenant_id, meeting_id)
            except WorkflowUpdateFailedError:
                raise FailedError("It could not be begun", "the meeting may be over by now") from None

    async def progress(self, tenant_id: TenantId, research_id: RowId) -> Progress | None:
        """How its newest run stands, or nothing when that cannot be told just now."""
        handle = self._client.get_workflow_handle_for(ResearchWorkflow.run, ids.research(tenant_id, research_id))
        try:
            async with answered():
                return await handle.query(ResearchWorkflow.progress, rpc_timeout=GLANCE)
        except (AwayError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
            return None


@asynccontextmanager
async def answered() -> AsyncIterator[None]:
    """Inside the block Temporal answers in time, or it is away."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            yield
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError, RuntimeError, OSError):
        raise AwayError from None
