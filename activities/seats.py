"""A provider that counts the calls under way at once: each of them has a seat, over all workers.

in line ─▶ wait ─▶ seated, and kept so for as long as the call lasts ─▶ left; whoever dies leaves it when it is kept no more
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol
from uuid import uuid4
from weakref import WeakValueDictionary

from temporalio.exceptions import ApplicationError

from activities.liveness import surely

# A seat that is not kept for so long is free: its worker is gone.
KEPT_FOR = timedelta(seconds=20)
# It is kept several times as often, so that a slow database loses none.
KEEP_EVERY = KEPT_FOR / 4
# Who waits looks again after this: what is left in between is idle for a moment, which calls of half a minute bear.
LOOK_AGAIN = timedelta(seconds=0.25)


class SeatStore(Protocol):
    """Rows of who is seated."""

    async def take(self, provider: str, holder: str, most: int, kept_for: timedelta) -> bool:
        """Whether there was one to be had."""
        ...

    async def keep(self, provider: str, holder: str, kept_for: timedelta) -> None: ...
    async def leave(self, provider: str, holder: str) -> None: ...


class Seats:
    """So many calls of a provider at once as it allows. A provider that is not named has seats enough."""

    def __init__(self, store: SeatStore, at_once: Mapping[str, int]) -> None:
        self._store = store
        self._at_once = at_once
        # Gone with the last who stands in it.
        self._lines = WeakValueDictionary[str, asyncio.Lock]()

    @asynccontextmanager
    async def seat(self, provider: str, of: str = "") -> AsyncIterator[None]:
        """Ours until the block ends: among those of one who is counted apart, if one is named."""
        most, name = self._at_once.get(provider), f"{provider}/{of}" if of else provider
        if most is None:
            yield
            return
        holder = str(uuid4())
        try:
            await self._sit(name, holder, most)
            keeping = asyncio.create_task(self._keep(name, holder))
            try:
                yield
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
        finally:
            # One that cannot be left is free in a while.
            with suppress(ApplicationError):
                await surely(self._store.leave(name, holder))

    async def _sit(self, provider: str, holder: str, most: int) -> None:
        """First come, first served, as far as this process goes; only who is at the head of its line looks for a seat."""
        line = self._lines.setdefault(provider, asyncio.Lock())
        async with line:
            await self._look(provider, holder, most)

    async def _look(self, provider: str, holder: str, most: int) -> None:
        while not await surely(self._store.take(provider, holder, most, KEPT_FOR)):  # noqa: ASYNC110 - it is a row
            await asyncio.sleep(LOOK_AGAIN.total_seconds())

    async def _keep(self, provider: str, holder: str) -> None:
        while True:
            await asyncio.sleep(KEEP_EVERY.total_seconds())
            with suppress(ApplicationError):
                await self._store.keep(provider, holder, KEPT_FOR)
