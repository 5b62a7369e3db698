"""The effect deliveries need: post what is pending, oldest first, and say what became of it.

due ─▶ post ─▶ taken: delivered │ no: tried again, then parked │ gone: no more is sent │ nobody there: all wait
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.liveness import Clock, heartbeating, surely
from schemas.base import RowId, TenantId
from schemas.deliveries import Dispatch, Dispatched

# Answers that say "not now", whatever was sent.
NOT_NOW = {408, 429}
GONE = 410


@dataclass(frozen=True)
class Due:
    """The oldest event that an endpoint has not heard of. `set_at` tells this endpoint from one that is set later."""

    tenant_id: TenantId
    event_id: RowId
    sequence: int
    name: str
    payload: dict[str, Any]
    created_at: datetime
    url: str = field(repr=False)
    secret: str = field(repr=False)
    set_at: datetime


@dataclass(frozen=True)
class Answered:
    """What an endpoint said, as far as it counts."""

    status: int
    retry_after: str = ""


class Store(Protocol):
    """Rows of events and of the endpoint that hears of them."""

    async def due(self, tenant_id: TenantId) -> Due | None: ...
    async def delivered(self, due: Due, now: datetime) -> None: ...
    async def refused(self, due: Due, reason: str, tries: int) -> bool:
        """Whether that was once too often."""
        ...

    async def gone(self, due: Due, reason: str) -> None: ...
    async def down(self, due: Due, reason: str, patience: timedelta, now: datetime) -> int:
        """How many have waited for too long."""
        ...


class Webhooks(Protocol):
    """Posts an event, signed. Raises what `errors` makes when no answer comes."""

    async def post(self, due: Due) -> Answered: ...


class Verdict(Enum):
    """What an answer means for the event, and for those behind it."""

    TAKEN = "taken"
    REFUSED = "refused"
    GONE = "gone"
    DOWN = "down"


class DeliveryActivities:
    def __init__(self, store: Store, webhooks: Webhooks) -> None:
        self._store = store
        self._webhooks = webhooks

    @activity.defn(name="deliveries.send")
    async def send(self, dispatch: Dispatch) -> Dispatched:
        """Safe to run twice: what was delivered is not due. An event whose answer was lost goes out again, with its id."""
        ends, done, clock = time.monotonic() + dispatch.budget_s, Dispatched(), Clock()
        async with heartbeating():
            while due := await self._store.due(dispatch.tenant_id):
                done = _added(done, await self._one(due, dispatch, clock))
                if done.put_off:
                    return done
                if time.monotonic() >= ends:
                    return done.model_copy(update={"more": True})
        return done

    async def _one(self, due: Due, dispatch: Dispatch, clock: Clock) -> Dispatched:
        try:
            answered = await self._webhooks.post(due)
        except ApplicationError as error:
            return await surely(self._settle(due, dispatch, Verdict.DOWN, error.message, timedelta(), clock.now()))
        wait = errors.asked_to_wait(answered.retry_after)
        reason = f"the endpoint said {answered.status}"
        return await surely(self._settle(due, dispatch, verdict(answered.status), reason, wait, clock.now()))

    async def _settle(
        self, due: Due, dispatch: Dispatch, verdict: Verdict, reason: str, wait: timedelta, now: datetime
    ) -> Dispatched:
        match verdict:
            case Verdict.TAKEN:
                await self._store.delivered(due, now)
                return Dispatched(delivered=1)
            case Verdict.GONE:
                await self._store.gone(due, reason)
                return Dispatched()
            case Verdict.REFUSED:
                if await self._store.refused(due, reason, dispatch.tries):
                    return Dispatched(parked=1)
                return Dispatched(put_off=reason, wait=wait)
            case Verdict.DOWN:
                parked = await self._store.down(due, reason, timedelta(seconds=dispatch.patience_s), now)
                return Dispatched(parked=parked, put_off=reason, wait=wait)


def verdict(status: int) -> Verdict:
    """2xx is taken. A redirection is not followed: it is a no, as 4xx is."""
    if 200 <= status < 300:
        return Verdict.TAKEN
    if status == GONE:
        return Verdict.GONE
    return Verdict.DOWN if status >= 500 or status in NOT_NOW else Verdict.REFUSED


def _added(done: Dispatched, one: Dispatched) -> Dispatched:
    counts = {"delivered": done.delivered + one.delivered, "parked": done.parked + one.parked}
    return one.model_copy(update=counts)
