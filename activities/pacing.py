"""Temporal decides who is next, Postgres decides when: how often a provider is called, over all workers."""

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol

from schemas.providers import Pace

# The longest log of starts that is kept: of a pace with more of them in a window, several are reserved as one...
LONGEST_LOG = 1000
# ... and are worth something for this long. The window is so much longer, so that what the provider sees holds.
LOT_LIVES_S = 60.0


class PaceStore(Protocol):
    """Reserves starts in one log for each provider."""

    async def reserve(self, provider: str, pace: Pace) -> float: ...
    async def away(self, provider: str, pace: Pace) -> float: ...


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
        self._lots: dict[str, Lot] = {}

    async def turn(self, provider: str, of: str = "") -> Turn:
        """Reserve the next start, of one of those whom the provider counts apart if one is named.

        A provider without a pace starts at once.
        """
        pace = self._paces.get(provider)
        if pace is None or pace.unlimited:
            return Turn(0.0)
        name = f"{provider}/{of}" if of else provider
        if not (size := _lot(pace)):
            return Turn(await self._store.reserve(name, pace))
        lot = self._lots.get(name)
        if lot is None or not lot.left():
            lot = self._lots[name] = Lot(await self._store.reserve(name, _coarse(pace, size)), size)
        return lot.turn()

    async def away(self, provider: str, of: str = "") -> float:
        """Seconds until the next start that would be ours. Only looks: somebody else may reserve it meanwhile."""
        pace = self._paces.get(provider)
        if pace is None or pace.unlimited:
            return 0.0
        name = f"{provider}/{of}" if of else provider
        size, lot = _lot(pace), self._lots.get(name)
        if lot is not None and lot.left():
            return lot.away_s()
        return await self._store.away(name, _coarse(pace, size) if size else pace)


class Lot:
    """So many starts that are ours, from `wait_s` seconds from now on. Those that are not used in time are lost."""

    def __init__(self, wait_s: float, size: int) -> None:
        self._due = time.monotonic() + wait_s
        self._left = size

    def left(self) -> bool:
        return self._left > 0 and time.monotonic() < self._due + LOT_LIVES_S

    def away_s(self) -> float:
        return max(self._due - time.monotonic(), 0.0)

    def turn(self) -> Turn:
        self._left -= 1
        return Turn(self.away_s())


def _lot(pace: Pace) -> int:
    """How many starts are reserved as one; 0 for each by itself."""
    return 0 if pace.gap_s or pace.per_window < 2 * LONGEST_LOG else pace.per_window // LONGEST_LOG


def _coarse(pace: Pace, size: int) -> Pace:
    return Pace(per_window=pace.per_window // size, window_s=pace.window_s + LOT_LIVES_S)
