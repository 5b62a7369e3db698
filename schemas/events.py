"""Events: what happened, as whoever listens is told. Payloads name rows by id, people not at all."""

from datetime import datetime
from typing import Any

from schemas.base import Message, RowId, TenantId


class Event(Message):
    """One event. `sequence` orders the events of all time; a reader remembers the last it saw."""

    tenant_id: TenantId
    id: RowId
    sequence: int
    name: str
    payload: dict[str, Any]
    created_at: datetime
