"""Record runs of skills for later code to replay: `python -m tests.replay.runs FOLDER`. Only ever add."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError

from activities import errors
from schemas.skills import SkillOrder
from starter.dev.postgres import Urls
from tests.replay.ground import keep, lasting, recorded, skipping
from tests.skills.life import TENANT, World, comes_back, row_id, working
from workflows import ids, policies, queues
from workflows.skills import SkillRunWorkflow

RUN = row_id("run")


def completed(world: World) -> None:
    """Overloaded at first."""
    world.faults["execute"] = [comes_back(0.1)]


def slow(world: World) -> None:
    """Told once, and stored at the second try."""
    world.faults["execute"], world.faults["store"] = [comes_back(9)], [comes_back(0.1)]


def endless(world: World) -> None:
    world.faults["execute"] = [comes_back(11)]


def refused(world: World) -> None:
    world.faults["execute"] = [errors.impossible("provider", "no such key")]


def quiet(world: World) -> None:
    """Nobody is told."""
    world.by_mail, world.channels = False, ()


SCENARIOS: dict[str, Callable[[World], None]] = {
    one.__name__: one for one in (completed, slow, endless, refused, quiet)
}
# In real time: who has no seat, who is stopped while it waits, and who is stopped while it writes.
LASTING = ("unbegun", "stopped-waiting", "stopped-writing")
NAMES = tuple(f"skill-{name}" for name in (*SCENARIOS, *LASTING))


async def _begun(client: Client, turn_at: datetime) -> Any:
    """Time is skipped for whoever began it, and waits."""
    order = SkillOrder(tenant_id=TENANT, run_id=RUN, turn_at=turn_at, position=2)
    return await client.start_workflow(
        SkillRunWorkflow.run, order, id=ids.skill(TENANT, RUN), task_queue=queues.WORKFLOWS
    )


async def _record_skipping(folder: Path) -> None:
    for name, tell in SCENARIOS.items():
        async with skipping() as environment:
            world = World()
            tell(world)
            async with working(environment.client, world):
                turn_at = await environment.get_current_time() + timedelta(minutes=2)
                with suppress(WorkflowFailureError):
                    await (await _begun(environment.client, turn_at)).result()
            await keep(environment.client, ids.skill(TENANT, RUN), f"skill-{name}", folder)


async def _record_lasting(folder: Path) -> None:
    vars(policies)["SKILL_STARTS_WITHIN"] = timedelta(seconds=2)
    for name in LASTING:
        async with lasting() as environment:
            world, now = World(), datetime.now(UTC)
            waits = name == "stopped-waiting"
            async with working(environment.client, world, without=[queues.SKILLS] if name == "unbegun" else []):
                world.pen.clear()
                handle = await _begun(environment.client, now + timedelta(hours=1) if waits else now)
                if name != "unbegun":
                    await asyncio.sleep(1)
                    await handle.cancel()
                with suppress(WorkflowFailureError):
                    await handle.result()
                world.let_go()
            await keep(environment.client, ids.skill(TENANT, RUN), f"skill-{name}", folder)


async def record(_urls: Urls, folder: Path) -> None:
    await _record_skipping(folder)
    await _record_lasting(folder)


if __name__ == "__main__":
    recorded(record)
