"""Begin a workflow: the one place where options of a start are decided. Starting what runs joins it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.store.meetings import Occasion
from schemas.base import RowId, TenantId
from schemas.batches import Batched, BatchOrder, Collected, Waiting
from schemas.calendars import CalendarOrder, Ring
from schemas.deliveries import DeliveryOrder
from schemas.erasures import Erased, Erasure
from schemas.meetings import Asked, MeetingOrder
from schemas.notices import NoticeOrder
from schemas.reconciliation import Reconcile, Reconciled
from schemas.recorders import CallsSwept, CallSweep
from schemas.research import ResearchOutcome, ResearchRequest
from schemas.subscriptions import Renewal, RenewalOutcome, Renewed, Sweep
from schemas.tenants import Tenant
from schemas.transcripts import CallDone, CallOrder
from starter.mornings import digest as digest  # noqa: PLC0414 - begun there, found here
from starter.words import UsageError
from workflows import ids, policies, queues, story
from workflows.batches import BatchWorkflow
from workflows.calendars import CalendarSyncWorkflow
from workflows.deliveries import DeliveryWorkflow
from workflows.erasures import ErasureWorkflow
from workflows.meetings import MeetingWorkflow
from workflows.notices import NoticeWorkflow
from workflows.priorities import priority, urgent
from workflows.reconciliation import ReconciliationWorkflow
from workflows.recorders import CallSweepsWorkflow
from workflows.research import ResearchWorkflow
from workflows.subscriptions import SubscriptionRenewalsWorkflow, SubscriptionRenewalWorkflow
from workflows.transcripts import TranscriptWorkflow


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

    async def call(self, tenant_id: TenantId, call_id: RowId) -> None:
        await transcript(self._client, tenant_id, call_id, again=True)

    @property
    def client(self) -> Client:
        """For those who ask who is alive, and begin others."""
        return self._client

    async def delivery(self, tenant_id: TenantId, *, anew: bool = False) -> None:
        """There is something to tell to a tenant's endpoint; `anew` says that a person wants it tried now."""
        await self._client.start_workflow(
            DeliveryWorkflow.run,
            DeliveryOrder(tenant_id=tenant_id),
            id=ids.delivery(tenant_id),
            task_queue=queues.WORKFLOWS,
            start_signal="anew" if anew else "ring",
            task_timeout=policies.WORKFLOW_TASK,
            search_attributes=story.found_by(tenant_id, "deliveries"),
            static_summary="Tell a tenant's endpoint what happened",
            priority=Priority(fairness_key=tenant_id),
        )


async def transcript(
    client: Client, tenant_id: TenantId, call_id: RowId, *, again: bool = False
) -> WorkflowHandle[TranscriptWorkflow, CallDone]:
    """Have a call read, or join whoever reads it. One that was read stays so; one that failed is read `again` alone."""
    reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY if again else WorkflowIDReusePolicy.REJECT_DUPLICATE
    workflow_id = ids.transcript(tenant_id, call_id)
    try:
        return await client.start_workflow(
            TranscriptWorkflow.run,
            CallOrder(tenant_id=tenant_id, call_id=call_id),
            id=workflow_id,
            task_queue=queues.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=reuse,
            task_timeout=policies.WORKFLOW_TASK,
            search_attributes=story.found_by(tenant_id, "transcripts"),
            static_summary="Read a call",
            priority=Priority(fairness_key=tenant_id),
        )
    except WorkflowAlreadyStartedError as error:
        return client.get_workflow_handle_for(TranscriptWorkflow.run, workflow_id, run_id=error.run_id)


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
    """A sweep beside those of the clock, waited for."""
    return await (await sweep(client)).result()


async def sweep(client: Client) -> WorkflowHandle[SubscriptionRenewalsWorkflow, Renewed]:
    """A sweep beside those of the clock: what one of them is at, the other leaves alone."""
    return await client.start_workflow(
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


async def collect(
    client: Client, tenant_id: TenantId, name: str, rows: Sequence[Waiting]
) -> WorkflowHandle[BatchWorkflow, Batched]:
    """Have events of a name done together: by whoever collects them, who is begun if need be.

    The rows are written before this is called. Telling of them twice is once.
    """
    try:
        return await _collect(client, tenant_id, name, rows)
    except WorkflowAlreadyStartedError:
        # It ended in this very moment.
        return await _collect(client, tenant_id, name, rows)


async def _collect(
    client: Client, tenant_id: TenantId, name: str, rows: Sequence[Waiting]
) -> WorkflowHandle[BatchWorkflow, Batched]:
    return await client.start_workflow(
        BatchWorkflow.run,
        BatchOrder(tenant_id=tenant_id, name=name),
        id=ids.batch(tenant_id, name),
        task_queue=queues.WORKFLOWS,
        start_signal="collect",
        start_signal_args=[Collected(rows=tuple(rows))],
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.found_by(tenant_id, "batches"),
        static_summary="Insert events together",
        priority=Priority(fairness_key=tenant_id),
    )


async def notice(client: Client, order: NoticeOrder, after: timedelta | None = None) -> str:
    """Tell a user something, or join whoever does: what was sent is not sent again. Its workflow id."""
    begun = await client.start_workflow(
        NoticeWorkflow.run,
        order,
        id=ids.notice(order.tenant_id, order.key),
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.found_by(order.tenant_id, "notices"),
        static_summary=f"Tell a user: {order.kind.value.replace('_', ' ')}",
        start_delay=after,
        priority=Priority(fairness_key=order.tenant_id),
    )
    return begun.id


async def call_sweeps(client: Client) -> CallsSwept:
    """A sweep beside those of the clock: what both find is taken once."""
    return await client.execute_workflow(
        CallSweepsWorkflow.run,
        CallSweep(),
        id=ids.CALL_SWEEP,
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=policies.WORKFLOW_TASK,
        static_summary="Look for calls that nobody told of",
    )


async def reconciliation(client: Client) -> Reconciled:
    """A sweep beside those of the clock: a row that both find is mended once."""
    return await client.execute_workflow(
        ReconciliationWorkflow.run,
        Reconcile(),
        id=ids.RECONCILIATION,
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_timeout=policies.WORKFLOW_TASK,
        static_summary="Compare rows with their workflows",
    )
