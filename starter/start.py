"""Begin a workflow: the one place where options of a start are decided. Starting what runs joins it."""

from datetime import UTC, datetime

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import Priority, WorkflowIDConflictPolicy

from activities.store.meetings import Occasion
from schemas.base import RowId, TenantId
from schemas.calendars import CalendarOrder, Ring
from schemas.erasures import Erased, Erasure
from schemas.meetings import Asked, MeetingOrder
from schemas.research import ResearchOutcome, ResearchRequest
from schemas.subscriptions import Renewal, RenewalOutcome, Renewed, Sweep
from schemas.tenants import Tenant
from starter.words import UsageError
from workflows import ids, policies, queues, story
from workflows.calendars import CalendarSyncWorkflow
from workflows.erasures import ErasureWorkflow
from workflows.meetings import MeetingWorkflow
from workflows.priorities import priority, urgent
from workflows.research import ResearchWorkflow
from workflows.subscriptions import SubscriptionRenewalsWorkflow, SubscriptionRenewalWorkflow


async def research(
    client: Client, tenant: Tenant, occasion: Occasion
) -> WorkflowHandle[ResearchWorkflow, ResearchOutcome]:
    """Research a meeting or ad hoc request, or join the run that does.

    A meeting that is looked after is asked to: nobody else begins its research. UsageError when it has none to do.
    """
    research_id = occasion.research_id
    if occasion.looked_after:
        asked = await research_now(client, tenant.id, research_id)
        if not asked.begun:
            raise UsageError(f"Nothing is researched for this meeting: {asked.reason}")
        return await newest(client, ids.research(tenant.id, research_id))
    close = urgent(occasion.starts_at, datetime.now(UTC))
    return await client.start_workflow(
        ResearchWorkflow.run,
        ResearchRequest(tenant_id=tenant.id, research_id=research_id),
        id=ids.research(tenant.id, research_id),
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=policies.BACKSTOP,
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.research(tenant.id, occasion.starts_at, urgent=close),
        static_summary="Research for a meeting" if occasion.starts_at else "Ad hoc research",
        priority=priority(tenant.id, urgent=close, premium=tenant.premium),
    )


async def research_now(client: Client, tenant_id: TenantId, meeting_id: RowId) -> Asked:
    """Ask whoever looks after a meeting to research it; answers once that runs, or says why there is nothing to do."""
    whoever = WithStartWorkflowOperation(
        MeetingWorkflow.run,
        MeetingOrder(tenant_id=tenant_id, meeting_id=meeting_id),
        id=ids.meeting(tenant_id, meeting_id),
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.found_by(tenant_id, "meetings"),
        static_summary="Look after a meeting",
        priority=Priority(fairness_key=tenant_id),
    )
    return await client.execute_update_with_start_workflow(
        MeetingWorkflow.research_now, start_workflow_operation=whoever
    )


async def newest(client: Client, workflow_id: str) -> WorkflowHandle[ResearchWorkflow, ResearchOutcome]:
    """The run that is under way under this id, or was the last."""
    there = await client.get_workflow_handle(workflow_id).describe()
    return client.get_workflow_handle_for(
        ResearchWorkflow.run, workflow_id, run_id=there.run_id, first_execution_run_id=there.run_id
    )


class Doorbell:
    """A Bell. Who sleeps is begun by the ring itself, so that none is lost."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def calendar(self, tenant_id: TenantId, calendar_id: RowId, ring: Ring) -> None:
        await self._client.start_workflow(
            CalendarSyncWorkflow.run,
            CalendarOrder(tenant_id=tenant_id, calendar_id=calendar_id),
            id=ids.calendar(tenant_id, calendar_id),
            task_queue=queues.WORKFLOWS,
            start_signal="ring",
            start_signal_args=[ring],
            task_timeout=policies.WORKFLOW_TASK,
            search_attributes=story.found_by(tenant_id, "calendars"),
            static_summary="Read a calendar",
            priority=Priority(fairness_key=tenant_id),
        )

    async def meeting(self, tenant_id: TenantId, meeting_id: RowId) -> None:
        await self._client.start_workflow(
            MeetingWorkflow.run,
            MeetingOrder(tenant_id=tenant_id, meeting_id=meeting_id),
            id=ids.meeting(tenant_id, meeting_id),
            task_queue=queues.WORKFLOWS,
            start_signal="changed",
            task_timeout=policies.WORKFLOW_TASK,
            search_attributes=story.found_by(tenant_id, "meetings"),
            static_summary="Look after a meeting",
            priority=Priority(fairness_key=tenant_id),
        )


async def renewal(
    client: Client, order: Renewal, *, join: bool = True
) -> WorkflowHandle[SubscriptionRenewalWorkflow, RenewalOutcome]:
    """See to a calendar's channels, or join whoever does. Without `join` WorkflowAlreadyStartedError says so."""
    return await client.start_workflow(
        SubscriptionRenewalWorkflow.run,
        order,
        id=ids.subscription(order.tenant_id, order.calendar_id),
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING if join else WorkflowIDConflictPolicy.FAIL,
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.found_by(order.tenant_id, "subscriptions"),
        static_summary=f"Channels: {order.errand.value}",
        priority=Priority(fairness_key=order.tenant_id),
    )


async def renewals(client: Client) -> Renewed:
    """A sweep beside those of the clock: what one of them is at, the other leaves alone."""
    return await client.execute_workflow(
        SubscriptionRenewalsWorkflow.run,
        Sweep(),
        id=ids.SWEEP,
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=policies.WORKFLOW_TASK,
        static_summary="Renew the channels that end",
    )


async def erasure(client: Client, order: Erasure) -> WorkflowHandle[ErasureWorkflow, Erased]:
    """Forget somebody, or join whoever does."""
    return await client.start_workflow(
        ErasureWorkflow.run,
        order,
        id=ids.erasure(order.tenant_id, order.erasure_id),
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.found_by(order.tenant_id, "erasures"),
        static_summary="Forget somebody",
        priority=Priority(fairness_key=order.tenant_id),
    )
