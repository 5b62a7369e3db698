"""Temporal decides who is next, Postgres decides when: how often a provider is called, over all workers."""

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol

from schemas.settings import Pace


class PaceStore(Protocol):
    """Reserves starts in one log for each provider."""

    async def reserve(self, provider: str, pace: Pace) -> float: ...


class Turn:
    """A start that is ours, `wait_s` seconds from when it was reserved: what is done meanwhile does not delay it."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self._due = time.monotonic() + wait_s

    async def come(self) -> None:
        await asyncio.sleep(max(self._due - time.monotonic(), 0.0))


class Pacing:
    """At most N starts in any window and a least gap between two, for each provider that has a pace."""

    def __init__(self, store: PaceStore, paces: Mapping[str, Pace]) -> None:
        self._store = store
        self._paces = paces

    async def turn(self, provider: str, of: str = "") -> Turn:
        """Reserve the next start, of one of those whom the provider counts apart if one is named.

        A provider without a pace starts at once.
        """
        pace = self._paces.get(provider)
        if pace is None or pace.unlimited:
            return Turn(0.0)
        return Turn(await self._store.reserve(f"{provider}/{of}" if of else provider, pace))
