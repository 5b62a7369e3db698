"""Batches: events that wait until they are done together. Only row ids and sizes travel; what they say stays in rows."""

from datetime import datetime

from schemas.base import Message, RowId, TenantId


class Waiting(Message):
    """A row that is to be inserted. `since` is when its batch heard of it: nobody else says that."""

    received_id: RowId
    size: int = 0
    urgent: bool = False
    since: datetime | None = None


class Collected(Message):
    """Rows that came in."""

    rows: tuple[Waiting, ...]


class BatchOrder(Message):
    """Collect a tenant's events of a name. `waiting` is what an earlier run has left."""

    tenant_id: TenantId
    name: str
    waiting: tuple[Waiting, ...] = ()


class Insertion(Message):
    """Insert these rows, in one transaction."""

    tenant_id: TenantId
    ids: tuple[RowId, ...]
    now: datetime


class Inserted(Message):
    """What became of them. `spoilt`: one of them cannot be inserted, and so none was. Alone it is parked."""

    count: int = 0
    parked: int = 0
    spoilt: bool = False


class Batched(Message):
    """What became of all that a run has heard of."""

    inserted: int = 0
    parked: int = 0


class Parked(Message):
    """An event that waits for a person, and why. `key` is what its sender calls it; `kept` says that what it says is
    there, so that it can be tried again."""

    id: RowId
    key: str
    name: str
    reason: str
    kept: bool = True
    received_at: datetime
    ended_at: datetime | None = None
