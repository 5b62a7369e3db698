"""Subscriptions: the push channels of calendars, renewed before they end."""

from datetime import datetime
from enum import StrEnum

from schemas.base import Message, RowId, TenantId


class Errand(StrEnum):
    """What is to be done for a calendar's channels."""

    RENEW = "renew"
    # Stop what is left of others; the one that notifies stays.
    TIDY = "tidy"
    # Stop all of them.
    STOP = "stop"


class Renewal(Message):
    """Give this calendar a fresh channel, or see to those that it has."""

    tenant_id: TenantId
    calendar_id: RowId
    errand: Errand = Errand.RENEW


class RenewalOutcome(Message):
    """How it ended: until when the new channel lives, if there is one, and what became of the others."""

    expires_at: datetime | None = None
    stopped: int = 0
    left: int = 0


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
    """Stop every channel of the calendar but `keep`; with none, every one but the one that notifies.

    `all` stops that too, and no new one is opened by itself.
    """

    tenant_id: TenantId
    calendar_id: RowId
    keep: RowId | None = None
    all: bool = False
    now: datetime


class Ringing(Message):
    """Have the calendar read once more, for what fell between two channels."""

    tenant_id: TenantId
    calendar_id: RowId
    now: datetime


class Retired(Message):
    """How many were stopped, and how many could not be: they are stopped the next time."""

    stopped: int = 0
    left: int = 0


class NotRenewed(Message):
    """A renewal that failed. `lost` says that the account let us in no more.

    The user is told of a channel that ends before `tell_before`.
    """

    tenant_id: TenantId
    calendar_id: RowId
    lost: bool
    reason: str
    tell_before: datetime | None = None
    now: datetime


class Warned(Message):
    """What becomes of a calendar whose channel was not renewed, and whether its user must hear of it now."""

    user_id: RowId | None = None
    connection_id: RowId | None = None
    # The connection's version, which tells one loss from the next.
    version: int = 0
    tell: bool = False
    # The account lets us in no more.
    lost: bool = False
    # When the channel that still notifies ends.
    expires_at: datetime | None = None


class Expiring(Message):
    """Which calendars need a channel before `until`: those whose channel ends, has ended, or was never there.

    Also those of which a channel is left that should be stopped. The first so many, by id, that follow `after`.
    """

    until: datetime
    after: RowId | None = None
    now: datetime


class Due(Message):
    """`after` is where to go on; None at the end."""

    calendars: tuple[Renewal, ...] = ()
    after: RowId | None = None


class Sweep(Message):
    """Renew what is due. What an earlier run of the same sweep has done is counted on."""

    after: RowId | None = None
    renewed: int = 0
    failed: int = 0


class Renewed(Message):
    """How a sweep went."""

    renewed: int = 0
    failed: int = 0
