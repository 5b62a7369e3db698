"""Subscriptions: the push channels of calendars, renewed before they end."""

from datetime import datetime

from schemas.base import Message, RowId, TenantId


class Renewal(Message):
    """Give this calendar a fresh channel."""

    tenant_id: TenantId
    calendar_id: RowId


class Opening(Message):
    """Open a channel for the calendar, and store it."""

    tenant_id: TenantId
    calendar_id: RowId
    now: datetime


class Opened(Message):
    """The channel that notifies from now on."""

    subscription_id: RowId
    expires_at: datetime


class Retiring(Message):
    """Stop every channel of the calendar but `keep`; with none, all of them."""

    tenant_id: TenantId
    calendar_id: RowId
    keep: RowId | None = None
    now: datetime


class Retired(Message):
    """How many were stopped, and how many could not be: they are stopped the next time."""

    stopped: int = 0
    left: int = 0


class NotRenewed(Message):
    """A renewal that failed. `lost` says that the account let us in no more."""

    tenant_id: TenantId
    calendar_id: RowId
    lost: bool
    reason: str
    now: datetime


class Warned(Message):
    """What becomes of a calendar whose channel was not renewed, and whether its user must hear of it now."""

    user_id: RowId | None = None
    connection_id: RowId | None = None
    # The connection's version, which tells one loss from the next.
    version: int = 0
    tell: bool = False


class Expiring(Message):
    """Which calendars need a channel before `until`: those whose channel ends, has ended, or was never there."""

    until: datetime
    now: datetime


class Due(Message):
    calendars: tuple[Renewal, ...] = ()


class Renewed(Message):
    """How a sweep went."""

    renewed: int = 0
    failed: int = 0
