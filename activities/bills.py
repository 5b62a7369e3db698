"""The effect of loading bills: what has changed since the newest that is here.

newest ─▶ page ─▶ page ─▶ … ─▶ kept, the oldest first, so that what is kept never hides what is not
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from temporalio import activity

from activities.digests.ports import Bill, Congress
from activities.liveness import Clock, heartbeating, surely
from activities.pacing import Pacing
from schemas.bills import BillsLoaded, BillSweep

# So much of the past is looked through each time: digests tell of bills that moved within a week, and a file may have
# brought newer ones than the last load.
FIRST = timedelta(days=14)
# A load has no more pages than this; of more, the newest are loaded.
MOST_PAGES = 100
# Rows of one statement.
AT_ONCE = 500


class Store(Protocol):
    async def newest(self, *, sandbox: bool) -> date | None: ...
    async def load(self, bills: Sequence[Bill], now: datetime, *, sandbox: bool) -> int: ...


class BillActivities:
    """Without a congress there are no bills but those of files."""

    def __init__(self, store: Store, congress: Congress | None, pacing: Pacing) -> None:
        self._store = store
        self._congress = congress
        self._pacing = pacing

    @activity.defn(name="bills.load")
    async def load(self, _sweep: BillSweep) -> BillsLoaded:
        """Safe to run twice: a bill that has not changed stays as it is."""
        if self._congress is None:
            return BillsLoaded()
        async with heartbeating():
            clock = Clock()
            newest, some_days_ago = (
                await self._store.newest(sandbox=self._congress.sandbox),
                (clock.now() - FIRST).date(),
            )
            bills = await self._since(self._congress, min(newest or some_days_ago, some_days_ago))
            bills.sort(key=lambda bill: bill.updated_on)
            changed = 0
            for start in range(0, len(bills), AT_ONCE):
                some = bills[start : start + AT_ONCE]
                changed += await surely(self._store.load(some, clock.now(), sandbox=self._congress.sandbox))
            return BillsLoaded(seen=len(bills), changed=changed)

    async def _since(self, congress: Congress, day: date) -> list[Bill]:
        """All pages first: kept one by one, a load that ends early would leave a gap that nobody looks for."""
        bills: list[Bill] = []
        offset = 0
        for _ in range(MOST_PAGES):
            await (await self._pacing.turn(congress.name)).come()
            page = await congress.bills(day, offset)
            bills += page.bills
            if page.offset is None:
                break
            offset = page.offset
        return bills
