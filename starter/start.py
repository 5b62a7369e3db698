"""Begin a workflow: the one place where options of a start are decided. Starting what runs joins it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy

from activities.store.meetings import Occasion
from schemas.research import Phase, ResearchOutcome, ResearchRequest
from schemas.tenants import Tenant
from workflows import ids, policies, queues, story
from workflows.research import ResearchWorkflow

URGENT_WITHIN = timedelta(hours=24)

# 1 is served first. A meeting within a day goes before a premium tenant's, that before the others'.
URGENT, PREMIUM, USUAL = 1, 2, 3


async def research(
    client: Client, tenant: Tenant, occasion: Occasion
) -> WorkflowHandle[ResearchWorkflow, ResearchOutcome]:
    """Research a meeting or ad hoc request, or join the run that does."""
    now = datetime.now(UTC)
    urgent = occasion.starts_at is not None and now <= occasion.starts_at <= now + URGENT_WITHIN
    attributes: list[SearchAttributePair[Any]] = [
        SearchAttributePair(story.TENANT_ID, tenant.id),
        SearchAttributePair(story.NOUN, "research"),
        SearchAttributePair(story.PHASE, Phase.RESEARCHING.value),
        SearchAttributePair(story.URGENT, urgent),
    ]
    if occasion.starts_at is not None:
        attributes.append(SearchAttributePair(story.MEETING_START, occasion.starts_at))
    return await client.start_workflow(
        ResearchWorkflow.run,
        ResearchRequest(tenant_id=tenant.id, research_id=occasion.research_id),
        id=ids.research(tenant.id, occasion.research_id),
        task_queue=queues.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=policies.BACKSTOP,
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=TypedSearchAttributes(attributes),
        static_summary="Research for a meeting" if occasion.starts_at else "Ad hoc research",
        priority=Priority(
            priority_key=URGENT if urgent else PREMIUM if tenant.premium else USUAL, fairness_key=tenant.id
        ),
    )
