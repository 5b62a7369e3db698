"""Where what a skill wrote is kept. The same run has the same key, however often it is put away."""

from schemas.base import RowId, TenantId


def output(tenant_id: TenantId, run_id: RowId) -> str:
    return f"{tenant_id}/skills/{run_id}/output.md"
