"""The effects of erasures: what was stored of a person goes, and so do the runs whose ids and histories hold their key.

suppress ─▶ (stop what runs about them ─▶ delete rows ─▶ tell the meetings)* ─▶ delete their runs ─▶ look once more
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from temporalio import activity

from activities import errors, liveness
from activities.attendance import unplussed
from activities.liveness import heartbeating
from activities.people import PersonKeys
from activities.ports import Bell
from schemas.base import PersonKey, RowId, TenantId
from schemas.erasures import Erased, Erasure, Forgetting

# What is found again while it is deleted, by runs that were under way, is gone after a round or two.
ROUNDS = 10

# Researches whose runs are deleted at once.
AT_ONCE = 10


@dataclass(frozen=True)
class Run:
    """A research that is under way, and the run that works on it."""

    research_id: RowId
    run_id: str


@dataclass(frozen=True)
class Swept:
    """What a round did: nothing, while researches that may write of the person are under way."""

    busy: tuple[Run, ...] = ()
    changed: bool = False
    # Meetings whose workflows must hear that they are not what they were.
    meetings: tuple[RowId, ...] = ()


class Store(Protocol):
    async def email(self, erasure: Erasure) -> str | None: ...
    async def begin(self, erasure: Erasure, key: PersonKey, now: datetime) -> None: ...
    async def sweep(self, erasure: Erasure, now: datetime) -> Swept: ...
    async def stopped(self, tenant_id: TenantId, runs: Sequence[Run], now: datetime) -> None: ...
    async def researches(self, erasure: Erasure) -> list[RowId]: ...
    async def deleted(self, erasure: Erasure, research_id: RowId, runs: int) -> None: ...
    async def finish(self, erasure: Erasure, now: datetime) -> dict[str, int]: ...


class Runs(Protocol):
    """The workflow runs of researches, and those below them."""

    async def stop(self, tenant_id: TenantId, research_id: RowId) -> None:
        """Returns once none is under way."""
        ...

    async def delete(self, tenant_id: TenantId, research_id: RowId, before: datetime) -> int:
        """How many that began before then and have ended are gone now; returns once no such run is left."""
        ...


class ErasureActivities:
    def __init__(self, store: Store, runs: Runs, bell: Bell, people: PersonKeys) -> None:
        self._store = store
        self._runs = runs
        self._bell = bell
        self._people = people

    @activity.defn(name="erasures.forget")
    async def forget(self, step: Forgetting) -> None:
        """Safe to run twice: what is gone stays gone, and is counted with the transaction in which it went."""
        async with heartbeating():
            erasure = _erasure(step)
            email = await self._store.email(erasure)
            if email is not None:
                await self._store.begin(erasure, self._people.of(step.tenant_id, unplussed(email)), step.now)
                await self._sweep(erasure)

    @activity.defn(name="erasures.delete_runs")
    async def delete_runs(self, step: Forgetting) -> None:
        """Safe to run twice: a research whose runs are gone is not looked at again.

        A run that holds the person's key had ended when their rows were deleted, and so began before this step.
        """
        async with heartbeating():
            await self._delete_runs(_erasure(step), step.now)

    @activity.defn(name="erasures.finish")
    async def finish(self, step: Forgetting) -> Erased:
        """Safe to run twice: the address is forgotten once, and the report stays.

        What a step that was under way has written after all is deleted first.
        """
        async with heartbeating():
            erasure = _erasure(step)
            if await self._store.email(erasure) is not None:
                await self._sweep(erasure)
                await self._delete_runs(erasure, liveness.now())
            return Erased(counts=await self._store.finish(erasure, liveness.now()))

    async def _delete_runs(self, erasure: Erasure, before: datetime) -> None:
        async def delete(research_id: RowId) -> None:
            gone = await self._runs.delete(erasure.tenant_id, research_id, before)
            await self._store.deleted(erasure, research_id, gone)

        researches = await self._store.researches(erasure)
        for start in range(0, len(researches), AT_ONCE):
            await asyncio.gather(*map(delete, researches[start : start + AT_ONCE]))

    async def _sweep(self, erasure: Erasure) -> None:
        """Until nothing is found any more."""
        for _ in range(ROUNDS):
            swept = await self._store.sweep(erasure, liveness.now())
            for run in swept.busy:
                await self._runs.stop(erasure.tenant_id, run.research_id)
            await self._store.stopped(erasure.tenant_id, swept.busy, liveness.now())
            for meeting_id in swept.meetings:
                await self._bell.meeting(erasure.tenant_id, meeting_id)
            if not swept.busy and not swept.changed:
                return
        raise errors.unfinished("what names them is written again and again")


def _erasure(step: Forgetting) -> Erasure:
    return Erasure(tenant_id=step.tenant_id, erasure_id=step.erasure_id)
