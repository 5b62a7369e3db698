"""Digests, as people and other applications ask for them: there is one for a user and a day, whoever begins it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority

from activities.store.received import Begun
from schemas.base import RowId, TenantId
from schemas.digests import DigestDone, DigestOrder
from schemas.payloads import DigestRequested
from schemas.tenants import User
from starter.inbox import Problem
from starter.office import Office
from workflows import ids, policies, queues, story
from workflows.digests import DigestWorkflow


async def digest(
    client: Client, tenant_id: TenantId, user_id: RowId, day: date
) -> WorkflowHandle[DigestWorkflow, DigestDone]:
    """Have a user's digest of a day made now, or join whoever makes it; one that waits for the morning waits no longer.

    One that is ready stays as it is; one that failed is made again.
    """
    return await client.start_workflow(
        DigestWorkflow.run,
        DigestOrder(tenant_id=tenant_id, user_id=user_id, day=day),
        id=ids.digest(tenant_id, user_id, day),
        task_queue=queues.WORKFLOWS,
        start_signal="hurry",
        task_timeout=policies.WORKFLOW_TASK,
        search_attributes=story.found_by(tenant_id, "digests"),
        static_summary="A digest",
        priority=Priority(fairness_key=tenant_id),
    )


def today(user: User, now: datetime) -> date:
    """The day that it is where a user is."""
    return now.astimezone(ZoneInfo(user.time_zone)).date()


async def requested(at: Office, tenant_id: TenantId, asked: DigestRequested, _row: RowId) -> Begun:
    """An event asks for a digest: it is written down, and begun."""
    user, now = await at.user(tenant_id, asked.user_id), datetime.now(UTC)
    if user is None:
        return Begun(reason="There is no such user", parked=True)
    day = asked.date or today(user, now)
    await at.digests.ask(tenant_id, user.id, day, asked.policy_interests, now)
    return Begun((await digest(at.client, tenant_id, user.id, day)).id)


async def may(at: Office, tenant_id: TenantId, asked: DigestRequested) -> Problem | None:
    """Why an event is refused that asks for one."""
    user = await at.user(tenant_id, asked.user_id)
    if user is None:
        return Problem("userId", "there is no such user")
    if asked.date not in (None, today(user, datetime.now(UTC))):
        return Problem("date", "must be today's, where the user is")
    if not asked.policy_interests and not (await at.wishes.wishes(tenant_id, user.id)).any:
        return Problem("policyInterests", "are needed: the user has no wishes of their own")
    return None
