"""Record work on documents, and a run that shows how work goes, for later code to replay: `python -m tests.replay.reviews
FOLDER`. Only ever add."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from temporalio.client import Client, WorkflowFailureError

from activities import errors
from activities.demo import DemoActivities
from schemas.demo import DemoEnding, DemoOrder
from schemas.documents import Work
from starter.dev.postgres import Urls
from tests.documents.document_life import (
    OTHER,
    TENANT,
    World,
    begun,
    comes_back,
    row_id,
    waited_for,
    workflow_id,
    working,
)
from tests.replay.ground import keep, lasting, recorded, skipping
from worker import build_worker
from workflows import ids, queues
from workflows.demo import DemoWorkflow

DEMO = row_id("demo")


def whole(world: World) -> None:
    """A part is asked twice, and vectors come late."""
    world.problems[2], world.faults["embed"] = ["it was cut short"], [comes_back(1)]


def many(world: World) -> None:
    """More parts than are gone through at once."""
    world.parts = 8


def blind(world: World) -> None:
    """Without vectors."""
    world.faults["embed"] = [errors.impossible("provider", "no such key")]


def strapped(world: World) -> None:
    """A part is gone through after the others."""
    world.faults["analyse"] = [errors.over_budget("month", 1, held=True)]


def hopeless(world: World) -> None:
    """With a part that fails for good, those that have not begun are not begun, nor the one that had no money."""
    world.parts = 12
    world.faults["analyse"] = [errors.over_budget("month", 1, held=True), errors.impossible("provider", "no such key")]


def unreadable(world: World) -> None:
    world.faults["parse"] = [errors.impossible("the file", "it is encrypted")]


def invalid(world: World) -> None:
    world.problems[1] = ["it was cut short"] * 3


def endless(world: World) -> None:
    world.faults["analyse"] = [comes_back(60 * 7)] * 2


def compared(world: World) -> None:
    world.other_id = OTHER


def nearest(world: World) -> None:
    """With references: there is no other document."""


def drawn(world: World) -> None:
    """Proposed, and drawn at the second try."""
    world.faults["draw"] = [comes_back(1)]


SCENARIOS: dict[str, tuple[Work, Callable[[World], None]]] = {
    **{
        f"analysis-{tell.__name__}": (Work.ANALYSIS, tell)
        for tell in (whole, many, blind, strapped, hopeless, unreadable, invalid, endless)
    },
    **{f"comparison-{tell.__name__}": (Work.COMPARISON, tell) for tell in (compared, nearest)},
    "redline-drawn": (Work.REDLINE, drawn),
}
# In real time: who is stopped while parts and vectors are under way.
STOPPED = {"analysis-stopped": (Work.ANALYSIS, "analyse"), "redline-stopped": (Work.REDLINE, "draw")}
DEMOS = {"demo-told": (0.0, False), "demo-waited": (60.0, False), "demo-continued": (60.0, True)}
NAMES = (*SCENARIOS, *STOPPED, *DEMOS)


async def _record_skipping(folder: Path) -> None:
    for name, (work, tell) in SCENARIOS.items():
        async with skipping() as environment:
            world = World()
            tell(world)
            async with working(environment.client, world):
                with suppress(WorkflowFailureError):
                    await (await waited_for(environment.client, work)).result()
            await keep(environment.client, workflow_id(work), name, folder)


async def _record_stopped(folder: Path) -> None:
    async with lasting() as environment:
        for name, (work, step) in STOPPED.items():
            world = World()
            world.shut.add(step)
            async with working(environment.client, world):
                handle = await begun(environment.client, work)
                while step not in world.begun:
                    await asyncio.sleep(0.05)
                await handle.cancel()
                with suppress(WorkflowFailureError):
                    await handle.result()
            await keep(environment.client, workflow_id(work), name, folder)


class _Told:
    async def completed(self, ending: DemoEnding) -> None:
        """Nobody is told."""


async def _demo(client: Client, wait_s: float, *, goes_on: bool) -> None:
    async with build_worker(client, [DemoActivities(_Told())], task_queue=queues.WORKFLOWS):
        order = DemoOrder(tenant_id=TENANT, demo_id=DEMO, steps=3, wait_s=wait_s)
        handle = await client.start_workflow(
            DemoWorkflow.run, order, id=ids.demo(TENANT, DEMO), task_queue=queues.WORKFLOWS
        )
        if goes_on:
            await handle.signal(DemoWorkflow.carry_on)
        await handle.result()


async def record(_urls: Urls, folder: Path) -> None:
    await _record_skipping(folder)
    await _record_stopped(folder)
    for name, (wait_s, goes_on) in DEMOS.items():
        async with skipping() as environment:
            await _demo(environment.client, wait_s, goes_on=goes_on)
            await keep(environment.client, ids.demo(TENANT, DEMO), name, folder)


if __name__ == "__main__":
    recorded(record)
