"""The way in to a user's account: whoever calls its provider comes through here.

tokens ─▶ (nearly over: lease ─▶ refresh ─▶ store | somebody else refreshes: wait) ─▶ turn ─▶ ask ─▶ 401: once more
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from temporalio.exceptions import ApplicationError

from activities import errors, liveness
from activities.liveness import surely
from activities.pacing import Pacing
from activities.ports import Accounts, Grant, InvalidGrantError, UnauthorizedError
from schemas.base import RowId, TenantId

T = TypeVar("T")

# A token with less than this left is not used: the longest call and some more.
LEAST_LEFT = timedelta(seconds=225)

# How long a refresh is left to whoever began it: its time-out and some more.
LEASE = timedelta(seconds=30)

# How often we look whether somebody else's refresh is done.
GLANCE_S = 0.2


class Keys(Protocol):
    """An account's tokens, as their row has them."""

    @property
    def status(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def access_token(self) -> str: ...
    @property
    def refresh_token(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


class Connections(Protocol):
    """Keeps tokens, and says who may refresh them. `version` tells one set from the next."""

    async def tokens(self, tenant_id: TenantId, connection_id: RowId) -> Keys: ...
    async def lease(
        self, tenant_id: TenantId, connection_id: RowId, version: int, *, until: datetime, now: datetime
    ) -> bool: ...
    async def release(self, tenant_id: TenantId, connection_id: RowId, until: datetime) -> None: ...
    async def refreshed(
        self, tenant_id: TenantId, connection_id: RowId, version: int, grant: Grant, now: datetime
    ) -> None: ...
    async def lost(self, tenant_id: TenantId, connection_id: RowId, version: int) -> bool: ...


class Access:
    """Calls made as a user: paced for them and for all, with a token that is good."""

    def __init__(self, store: Connections, accounts: Accounts, pacing: Pacing) -> None:
        self._store = store
        self._accounts = accounts
        self._pacing = pacing
        self._provider = accounts.name

    async def call(self, tenant_id: TenantId, connection_id: RowId, ask: Callable[[str], Awaitable[T]]) -> T:
        """What `ask` returns, given a token. It may be asked a second time, when the first token was not taken.

        Raises what `errors` makes: ReauthRequired once the account lets us in no more, without any call from then on.
        """
        refused = 0
        for _ in range(2):
            keys = await self._good(tenant_id, connection_id, refused)
            await self._turn(connection_id)
            try:
                return await ask(keys.access_token)
            except UnauthorizedError:
                # Over before its time, as it is told here: by a clock that goes wrong, or by its provider.
                refused = keys.version
        await self._store.lost(tenant_id, connection_id, refused)
        raise errors.reauth_required()

    async def _turn(self, connection_id: RowId) -> None:
        """The user's first: who waits for their own takes nobody else's."""
        await (await self._pacing.turn(f"{self._provider}/user", connection_id)).come()
        await (await self._pacing.turn(self._provider)).come()

    async def _good(self, tenant_id: TenantId, connection_id: RowId, refused: int) -> Keys:
        """Tokens that have a while to go, and are newer than the version that was refused."""
        while True:
            keys = await self._store.tokens(tenant_id, connection_id)
            if keys.status == "disconnected":
                raise errors.disconnected()
            if keys.status != "active":
                raise errors.reauth_required()
            now = liveness.now()
            if keys.version > refused and keys.expires_at - now >= LEAST_LEFT:
                return keys
            if await self._refresh(tenant_id, connection_id, keys, now):
                # A token that is short-lived by nature is used all the same.
                refused = keys.version
                keys = await self._store.tokens(tenant_id, connection_id)
                if keys.status == "active" and keys.version > refused:
                    return keys
            else:
                await asyncio.sleep(GLANCE_S)

    async def _refresh(self, tenant_id: TenantId, connection_id: RowId, keys: Keys, now: datetime) -> bool:
        """Get new tokens, unless somebody else does: False. A holder that dies is succeeded when its lease is over."""
        # No two leases end at the same microsecond, so that each is told from the others.
        until = now + LEASE + timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311 - no secret
        if not await self._store.lease(tenant_id, connection_id, keys.version, until=until, now=now):
            return False
        try:
            # Whoever is cancelled here would lose the refresh token that comes back, perhaps the only one that is good.
            await surely(self._renew(tenant_id, connection_id, keys))
        except InvalidGrantError:
            if await self._store.lost(tenant_id, connection_id, keys.version):
                raise errors.reauth_required() from None
        except BaseException:
            with suppress(ApplicationError):
                await self._store.release(tenant_id, connection_id, until)
            raise
        return True

    async def _renew(self, tenant_id: TenantId, connection_id: RowId, keys: Keys) -> None:
        if not keys.refresh_token:
            raise InvalidGrantError
        grant = await self._accounts.refresh(keys.refresh_token)
        await self._store.refreshed(tenant_id, connection_id, keys.version, grant, liveness.now())
