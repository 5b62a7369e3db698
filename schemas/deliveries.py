"""Deliveries: a tenant's endpoint is told what happened. The tenant's id and counts travel; addresses and secrets do not."""

from datetime import datetime, timedelta

from schemas.base import Content, Message, TenantId


class DeliveryOrder(Message):
    """Tell this tenant's endpoint. What is left of the last run: whether anything is, and how often it was put off."""

    tenant_id: TenantId
    rung: bool = False
    put_off: int = 0


class Dispatch(Message):
    """Post what is pending, for at most `budget_s` seconds.

    An event that is refused `tries` times is parked, and so is what an endpoint did not take for `patience_s`.
    """

    tenant_id: TenantId
    budget_s: float
    tries: int
    patience_s: float


class Dispatched(Message):
    """How a dispatch went. `more` says that its time was up before the end.

    `put_off` is why the endpoint is to be asked again later, and not before `wait` has passed.
    """

    delivered: int = 0
    parked: int = 0
    more: bool = False
    put_off: str = ""
    wait: timedelta = timedelta()


class EndpointLine(Content):
    """A tenant's endpoint, as a person sees it."""

    url: str
    status: str
    set_at: datetime
    failing_since: datetime | None
    reason: str | None
    pending: int
    parked: int
    # Why the newest of those that are parked was not taken.
    refusal: str | None = None
