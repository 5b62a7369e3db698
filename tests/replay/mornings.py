"""Record digests for later code to replay: `python -m tests.replay.mornings FOLDER`. Only ever add."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities import errors
from schemas.digests import DigestSweep
from starter import start
from starter.dev.postgres import Urls
from starter.schedules import DIGESTS
from tests.digests.life import DAY, TENANT, USER, World, order, row_id, working
from tests.replay.ground import keep, lasting, recorded, skipping
from workflows import ids, policies, queues
from workflows.digests import DigestsWorkflow, DigestWorkflow

STRUCK = datetime(2026, 11, 23, 6, tzinfo=UTC)


def spoken(world: World) -> None:
    """Asked about, written at the second ask, and spoken in pieces, one of which is tried twice."""
    world.unasked, world.problems, world.pieces = 2, ["not valid"], 5
    world.faults["speak 2"] = [errors.nonsense("voice", "too little audio")]


def written(world: World) -> None:
    world.spoken = False


def refused(world: World) -> None:
    """Its voice is refused for good; it is delivered all the same."""
    world.faults["speak 1"] = [errors.impossible("voice", "no such voice")]


def unpublished(world: World) -> None:
    world.faults["publish"] = [errors.impossible("audio", "the store refuses us")]


def failed(world: World) -> None:
    """No script can be used; its user is told."""
    world.problems = ["not valid"] * 3


def skipped(world: World) -> None:
    world.pieces, world.quiet_is_told = 0, False


SCENARIOS: dict[str, Callable[[World], None]] = {
    one.__name__: one for one in (spoken, written, refused, unpublished, failed, skipped)
}


async def _record_digests(folder: Path) -> None:
    for name, tell in SCENARIOS.items():
        async with skipping() as environment:
            world = World()
            tell(world)
            async with working(environment.client, world):
                with suppress(WorkflowFailureError):
                    await (await start.digest(environment.client, TENANT, USER, DAY)).result()
            await keep(environment.client, ids.digest(TENANT, USER, DAY), f"digest-{name}", folder)


async def _begun(environment: WorkflowEnvironment, not_before: datetime) -> Any:
    wanted = order(not_before=not_before)
    return await environment.client.start_workflow(
        DigestWorkflow.run, wanted, id=ids.digest(TENANT, USER, DAY), task_queue=queues.WORKFLOWS
    )


async def _record_waiting(folder: Path) -> None:
    """Until its morning; and until somebody asked."""
    async with skipping() as environment:
        world = World(spoken=False)
        async with working(environment.client, world):
            morning = await environment.get_current_time() + timedelta(hours=5)
            await (await _begun(environment, morning)).result()
        await keep(environment.client, ids.digest(TENANT, USER, DAY), "digest-waited", folder)
    async with lasting() as environment:
        world = World(spoken=False)
        async with working(environment.client, world):
            handle = await _begun(environment, datetime.now(UTC) + timedelta(hours=5))
            await start.digest(environment.client, TENANT, USER, DAY)
            await handle.result()
        await keep(environment.client, ids.digest(TENANT, USER, DAY), "digest-hurried", folder)


async def _record_mornings(folder: Path) -> None:
    """Several pages: of the first, one fails, one is there already, one waits for its morning; and the last of them."""
    # As wide as a page is, a history is long, and says no more.
    vars(policies)["DIGESTS_A_PAGE"] = 6
    async with lasting() as environment:
        users = [row_id(f"user {n}") for n in range(policies.DIGESTS_A_PAGE + 3)]
        late = datetime.now(UTC) + timedelta(seconds=20)
        world = World(spoken=False, by_mail=False)
        first, second, *_ = sorted(users)
        world.orders = [order(one, not_before=late if one == first else None) for one in users]
        world.slow["begin"] = asyncio.Event()
        world.faults["script"] = [errors.impossible("provider", "no")]
        async with working(environment.client, world):
            await start.digest(environment.client, TENANT, second, DAY)
            handle = await environment.client.start_workflow(
                DigestsWorkflow.run, DigestSweep(at=STRUCK), id=DIGESTS, task_queue=queues.WORKFLOWS
            )
            await asyncio.sleep(1)
            world.slow["begin"].set()
            await handle.result()
        await keep(environment.client, DIGESTS, "digests-continued", folder, run_id=handle.first_execution_run_id)
        await keep(environment.client, DIGESTS, "digests-last", folder)


NAMES = (
    *(f"digest-{name}" for name in SCENARIOS),
    "digest-waited",
    "digest-hurried",
    "digests-continued",
    "digests-last",
)


async def record(_urls: Urls, folder: Path) -> None:
    await _record_digests(folder)
    await _record_waiting(folder)
    await _record_mornings(folder)


if __name__ == "__main__":
    recorded(record)
