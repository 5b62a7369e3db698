"""Recorders of calls: what is asked of them. Row ids travel; credentials and calls stay in their rows."""

from datetime import datetime

from schemas.base import Content, Message, RowId, TenantId


class Fetching(Message):
    """Get what was said in a call from whoever recorded it."""

    tenant_id: TenantId
    call_id: RowId
    now: datetime


class Fetched(Message):
    """Whether the transcript is kept; it may not be ready yet."""

    ready: bool


class Sweeping(Message):
    """Look for the calls of a recorder of which nothing was heard."""

    tenant_id: TenantId
    recorder_id: RowId
    now: datetime


class Swept(Message):
    """How many calls were looked at, how many of them were new, and how many have been asked to be read."""

    seen: int = 0
    taken: int = 0
    rung: int = 0


class Listing(Message):
    """Which recorders there are, of all tenants: the first so many, by id, that follow `after`."""

    after: RowId | None = None


class Listed(Message):
    """`after` is where to go on; None at the end."""

    recorders: tuple[tuple[TenantId, RowId], ...] = ()
    after: RowId | None = None


class CallSweep(Message):
    """Sweep all recorders. What an earlier run of the same sweep has done is counted on."""

    after: RowId | None = None
    swept: int = 0
    failed: int = 0
    taken: int = 0


class CallsSwept(Message):
    """How many recorders were swept, how many could not be, and how many calls were new."""

    swept: int = 0
    failed: int = 0
    taken: int = 0


class RecorderRow(Content):
    """A tenant's recorder, as its people see it: without what lets us in."""

    id: RowId
    provider: str
    base_url: str
    status: str
    reason: str | None
    # Whether its notifications can be told from others'.
    listens: bool
    swept_until: datetime | None
    sandbox: bool
    created_at: datetime
