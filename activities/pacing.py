"""Temporal decides who is next, Postgres decides when: how often a provider is called, over all workers."""

from collections.abc import Mapping
from typing import Protocol

from schemas.settings import Pace


class PaceStore(Protocol):
    """Reserves starts in one log for each provider."""

    async def reserve(self, provider: str, pace: Pace) -> float: ...


class Pacing:
    """At most N starts in any window and a least gap between two, for each provider that has a pace."""

    def __init__(self, store: PaceStore, paces: Mapping[str, Pace]) -> None:
        self._store = store
        self._paces = paces

    async def wait_s(self, provider: str) -> float:
        """Reserve the next start; seconds until it. A provider without a pace starts at once."""
        pace = self._paces.get(provider)
        if pace is None or pace.unlimited:
            return 0.0
        return await self._store.reserve(provider, pace)
