"""The effects of a run that shows how work goes here: a step, and the event that tells of its end."""

import asyncio
from typing import Protocol

from temporalio import activity

from activities.liveness import heartbeating
from schemas.demo import DemoEnding, DemoStep

# What a step takes.
MOMENT_S = 0.1


class Store(Protocol):
    """Where what happened is told."""

    async def completed(self, ending: DemoEnding) -> None: ...


class DemoActivities:
    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="demo.step")
    async def step(self, _step: DemoStep) -> None:
        """Safe to run twice: it does nothing but take a moment."""
        async with heartbeating():
            await asyncio.sleep(MOMENT_S)

    @activity.defn(name="demo.finish")
    async def finish(self, ending: DemoEnding) -> None:
        """Safe to run twice: its end is told once."""
        await self._store.completed(ending)
