"""What counts as the same work: `noun/tenant/key`, from row ids and keyed hashes, never from what a person typed."""

from schemas.base import PersonKey, RowId, TenantId


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


# A sweep that somebody asked for: it is of no tenant, and one at a time.
SWEEP = "subscription-renewals-asked"
