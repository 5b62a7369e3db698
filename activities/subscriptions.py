"""The effects of push channels: open one, stop the others, say that it could not be done.

open:   row ─▶ watch ─▶ active, the old one replaced      retire: row ─▶ stop ─▶ stopped, for each that is left
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.liveness import heartbeating
from activities.ports import Bell, CalendarService, Channel, UnauthorizedError
from schemas.base import RowId, TenantId
from schemas.calendars import Reason, Ring
from schemas.subscriptions import (
    Due,
    Expiring,
    NotRenewed,
    Opened,
    Opening,
    Retired,
    Retiring,
    Ringing,
    Warned,
)

# How many calendars of a sweep are told of at once.
AT_ONCE = 500

T = TypeVar("T")


class Calendar(Protocol):
    """A calendar as its provider knows it, and whose account it is in."""

    @property
    def connection_id(self) -> RowId: ...
    @property
    def calendar(self) -> str: ...


class Leftover(Protocol):
    @property
    def id(self) -> RowId: ...
    @property
    def resource_id(self) -> str | None: ...
    @property
    def expires_at(self) -> datetime: ...


class Standing(Protocol):
    @property
    def user_id(self) -> RowId: ...
    @property
    def connection_id(self) -> RowId: ...
    @property
    def version(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...


class Store(Protocol):
    async def calendar(self, tenant_id: TenantId, calendar_id: RowId) -> Calendar: ...
    async def begin(self, opening: Opening, channel_id: RowId, token_hash: bytes, expires_at: datetime) -> None: ...
    async def opened(self, opening: Opening) -> Opened | None: ...
    async def activate(self, opening: Opening, channel: Channel) -> Opened: ...
    async def leftovers(self, retiring: Retiring) -> Sequence[Leftover]: ...
    async def retire(self, tenant_id: TenantId, channel_id: RowId, *, expired: bool) -> None: ...
    async def fail(self, failure: NotRenewed) -> Standing: ...
    async def due(self, expiring: Expiring, limit: int) -> Due: ...


class Access(Protocol):
    """Calls the provider as the user of a connection, in their turn."""

    async def call(self, tenant_id: TenantId, connection_id: RowId, ask: Callable[[str], Awaitable[T]]) -> T: ...


class SubscriptionActivities:
    """`channel` is how long a channel is asked to live."""

    def __init__(self, store: Store, access: Access, service: CalendarService, bell: Bell, channel: timedelta) -> None:
        self._store = store
        self._access = access
        self._service = service
        self._bell = bell
        self._channel = channel

    @activity.defn(name="subscriptions.open")
    async def open(self, opening: Opening) -> Opened:
        """Safe to run twice: what this order has opened is not opened again.

        Each try makes a channel of its own, with a new id and a new token. One that a try leaves behind has a row, by
        which it is retired.
        """
        async with heartbeating():
            there = await self._store.opened(opening)
            if there is not None:
                return there
            calendar = await self._store.calendar(opening.tenant_id, opening.calendar_id)

            async def watch(token: str) -> Channel:
                channel_id, secret = str(uuid4()), secrets.token_urlsafe(32)
                expires_at = opening.now + self._channel
                await self._store.begin(opening, channel_id, token_hash(secret), expires_at)
                try:
                    return await self._service.watch(token, calendar.calendar, channel_id, secret, opening.now)
                except (UnauthorizedError, ApplicationError) as refused:
                    if _surely_refused(refused):
                        await self._store.retire(opening.tenant_id, channel_id, expired=True)
                    raise

            channel = await self._access.call(opening.tenant_id, calendar.connection_id, watch)
            return await self._store.activate(opening, channel)

    @activity.defn(name="subscriptions.retire")
    async def retire(self, retiring: Retiring) -> Retired:
        """Safe to run twice: a channel that is stopped is not known any more, which is as well."""
        async with heartbeating():
            calendar = await self._store.calendar(retiring.tenant_id, retiring.calendar_id)
            retired, refused = Retired(), None
            for leftover in await self._store.leftovers(retiring):
                try:
                    stopped = await self._stop(retiring, calendar, leftover)
                except ApplicationError as error:
                    stopped, refused = False, error
                retired = Retired(stopped=retired.stopped + stopped, left=retired.left + (not stopped))
            if refused is not None and not refused.non_retryable:
                raise refused
            return retired

    @activity.defn(name="subscriptions.ring")
    async def ring(self, ringing: Ringing) -> None:
        """Safe to run twice: one who is rung while it reads joins."""
        ring = Ring(reason=Reason.RENEWED, at=ringing.now)
        await self._bell.calendar(ringing.tenant_id, ringing.calendar_id, ring)

    @activity.defn(name="subscriptions.due")
    async def due(self, expiring: Expiring) -> Due:
        """Only reads."""
        return await self._store.due(expiring, AT_ONCE)

    @activity.defn(name="subscriptions.fail")
    async def fail(self, failure: NotRenewed) -> Warned:
        """Run twice it counts one failure more, which changes nothing but the count."""
        return warned(failure, await self._store.fail(failure))

    async def _stop(self, retiring: Retiring, calendar: Calendar, leftover: Leftover) -> bool:
        """False while nobody knows the resource by which it could be stopped: then its own end is waited for."""
        expired = leftover.expires_at <= retiring.now
        if not expired:
            if leftover.resource_id is None:
                return False
            channel = Channel(leftover.id, leftover.resource_id, leftover.expires_at)
            await self._access.call(
                retiring.tenant_id, calendar.connection_id, lambda token: self._service.stop(token, channel)
            )
        await self._store.retire(retiring.tenant_id, leftover.id, expired=expired)
        return True


def _surely_refused(error: Exception) -> bool:
    """The provider said no: there is no channel of which we have not heard."""
    return isinstance(error, UnauthorizedError) or (isinstance(error, ApplicationError) and error.non_retryable)


def token_hash(secret: str) -> bytes:
    """What is kept of a channel's token."""
    return hashlib.sha256(secret.encode()).digest()


def warned(failure: NotRenewed, standing: Standing) -> Warned:
    """The user hears of an account that is lost, and of a channel that is about to end; not of one they gave up.

    A calendar that never had a channel is read by the clock: that none can be had is for whoever runs this to mend.
    """
    lost = failure.lost and standing.status == "reauth_required"
    late = (
        standing.status == "active"
        and standing.expires_at is not None
        and failure.tell_before is not None
        and standing.expires_at < failure.tell_before
    )
    return Warned(
        user_id=standing.user_id,
        connection_id=standing.connection_id,
        version=standing.version,
        tell=lost or late,
        lost=lost,
        expires_at=standing.expires_at,
    )
