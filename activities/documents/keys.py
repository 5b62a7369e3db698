"""Where the files of documents are kept. The same file has the same key, however often it is put away."""

from schemas.base import RowId, TenantId


def folder(tenant_id: TenantId, document_id: RowId) -> str:
    """What all keys of a document begin with."""
    return f"{tenant_id}/documents/{document_id}/"


def original(tenant_id: TenantId, document_id: RowId) -> str:
    return f"{folder(tenant_id, document_id)}original"


def redline(tenant_id: TenantId, document_id: RowId, run_id: RowId, version: int) -> str:
    return f"{folder(tenant_id, document_id)}redline-{run_id}-{version}.docx"
