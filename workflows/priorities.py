"""Who is served first, when providers are not quick enough for all."""

from datetime import datetime

from temporalio.common import Priority

from schemas.base import TenantId
from workflows import policies

# 1 is served first. A meeting within a day goes before a premium tenant's, that before the others'.
URGENT, PREMIUM, USUAL = 1, 2, 3
# Nobody waits for it.
LATER = 4


def urgent(starts_at: datetime | None, now: datetime) -> bool:
    """The meeting is within a day."""
    return starts_at is not None and now <= starts_at <= now + policies.URGENT_WITHIN


def priority(tenant_id: TenantId, *, urgent: bool, premium: bool) -> Priority:
    """Tenants of the same rank take turns."""
    return Priority(priority_key=URGENT if urgent else PREMIUM if premium else USUAL, fairness_key=tenant_id)
