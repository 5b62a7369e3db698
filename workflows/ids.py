"""What counts as the same work: `noun/tenant/key`, from row ids and keyed hashes, never from what a person typed."""

from datetime import date

from schemas.base import PersonKey, RowId, TenantId
from schemas.documents import Work


def research(tenant_id: TenantId, research_id: RowId) -> str:
    """One run at a time for a meeting or ad hoc request: starting it again joins."""
    return f"research/{tenant_id}/{research_id}"


def prospect_research(parent: str, key: PersonKey) -> str:
    """Below its research: another meeting's look-up of the same person is another workflow, with one shared call."""
    return f"{parent}/prospect/{key}"


def parse_research(workflow_id: str) -> tuple[TenantId, RowId]:
    """The inverse of `research`; ValueError for anything else."""
    noun, tenant_id, research_id = workflow_id.split("/")
    if noun != "research":
        raise ValueError(f"{workflow_id} is not a research")
    return tenant_id, research_id


def calendar(tenant_id: TenantId, calendar_id: RowId) -> str:
    """One reading at a time for a calendar; whoever rings joins."""
    return f"calendar/{tenant_id}/{calendar_id}"


def meeting(tenant_id: TenantId, meeting_id: RowId) -> str:
    """One life for each meeting: whoever tells of a change wakes it."""
    return f"meeting/{tenant_id}/{meeting_id}"


def subscription(tenant_id: TenantId, calendar_id: RowId) -> str:
    """One renewal at a time for a calendar."""
    return f"subscription/{tenant_id}/{calendar_id}"


def notice(tenant_id: TenantId, key: str) -> str:
    """One message for each key: asking for it again joins the sending."""
    return f"notice/{tenant_id}/{key}"


def erasure(tenant_id: TenantId, erasure_id: RowId) -> str:
    """One for each request: asking again for somebody who is being forgotten joins."""
    return f"erasure/{tenant_id}/{erasure_id}"


def transcript(tenant_id: TenantId, call_id: RowId) -> str:
    """A call is read once; after a failure, again."""
    return f"transcript/{tenant_id}/{call_id}"


def delivery(tenant_id: TenantId) -> str:
    """One at a time tells a tenant's endpoint what happened, so that it hears it in order."""
    return f"delivery/{tenant_id}/endpoint"


def batch(tenant_id: TenantId, event: str) -> str:
    """One collects a tenant's events of a kind; `event` is its name in the registry, without its stroke."""
    return f"batch/{tenant_id}/{event.replace('/', '.')}"


def digest(tenant_id: TenantId, user_id: RowId, day: date) -> str:
    """One for each user and day, whatever begins it."""
    return f"digest/{tenant_id}/{user_id}/{day.isoformat()}"


def skill(tenant_id: TenantId, run_id: RowId) -> str:
    """One for each run: what is asked for twice under one id is run once."""
    return f"skill/{tenant_id}/{run_id}"


def document(tenant_id: TenantId, document_id: RowId, work: Work, run_id: RowId) -> str:
    """One for each thing that is done with a document: asked for twice, it is joined."""
    return f"document/{tenant_id}/{document_id}/{work.value}/{run_id}"


# One at a time of all tenants: whoever asks for one wakes it.
BOOTSTRAPS = "bootstraps"


def source(tenant_id: TenantId, source_id: RowId) -> str:
    """One for each source of a bootstrap."""
    return f"bootstrap/{tenant_id}/{source_id}"


def demo(tenant_id: TenantId, received_id: RowId) -> str:
    """One for each event that asks for one."""
    return f"demo/{tenant_id}/{received_id}"


# Sweeps that somebody asked for: they are of no tenant, and one at a time.
SWEEP = "subscription-renewals-asked"
CALL_SWEEP = "call-sweeps-asked"
BILL_LOAD = "bill-loads-asked"
RECONCILIATION = "reconciliation-asked"
