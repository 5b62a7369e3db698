"""What a person on a page has Temporal do, while they wait for the page: so each is bounded by seconds.

page ─▶ errand ─▶ workflow: begun when it sleeps ─▶ its answer, or AwayError
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta

from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.ports import Bell
from activities.sealing import SealError
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
# How often it is looked whether an errand that is under way has ended.
BETWEEN_S = 0.3
# Meetings that are told of a change at once, while somebody waits; the poll tells the others.
MOST_TOLD = 200


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

    async def call(self, tenant_id: TenantId, call_id: RowId) -> None:
        async with answered():
            await self._bell.call(tenant_id, call_id)

    async def digest(self, tenant_id: TenantId, user_id: RowId, day: date) -> None:
        async with answered():
            await start.digest(self._client, tenant_id, user_id, day)

    async def watch(self, tenant_id: TenantId, calendar_id: RowId) -> None:
        """Begins to open a channel, and does not wait for it."""
        async with answered():
            await start.renewal(self._client, Renewal(tenant_id=tenant_id, calendar_id=calendar_id))

    async def unwatch(self, tenant_id: TenantId, calendar_id: RowId) -> bool:
        """Whether its channels are stopped: afterwards nobody is let in to stop them, and what is left ends by itself."""
        order = Renewal(tenant_id=tenant_id, calendar_id=calendar_id, errand=Errand.STOP)
        async with answered():
            while True:
                try:
                    # Whoever joined another errand would take its end for that of their own: it ends first.
                    handle = await start.renewal(self._client, order, join=False)
                    return (await handle.result()).left == 0
                except WorkflowAlreadyStartedError:
                    await asyncio.sleep(BETWEEN_S)
                except WorkflowFailureError:
                    return False

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
        except (AwayError, FailedError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
            return None


async def wake(bell: Bell, tenant_id: TenantId, meetings: Sequence[RowId]) -> bool:
    """Their workflows are told of a change, a bounded number at once; whether all of them have been."""
    try:
        await asyncio.gather(*(bell.meeting(tenant_id, one) for one in meetings[:MOST_TOLD]))
    except AwayError:
        return False
    return len(meetings) <= MOST_TOLD


@asynccontextmanager
async def answered() -> AsyncIterator[None]:
    """Inside the block Temporal answers in time, or it is away. An answer that no key of ours opens is a failure."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            yield
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError, RuntimeError, OSError):
        raise AwayError from None
    except SealError as error:
        raise FailedError(f"The answer cannot be opened: {error}", "tell whoever runs this") from None
