"""Record bootstraps and their sources for later code to replay: `python -m tests.replay.shelves FOLDER`. Only ever add."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from temporalio.client import Client, WorkflowFailureError

from activities import errors
from schemas.bootstraps import BootstrapStatus
from starter.bootstraps import ring
from starter.dev.postgres import Urls
from tests.bootstraps.bootstrap_life import TENANT, World, row_id, working
from tests.replay.ground import keep, lasting, recorded
from tests.waiting import until
from workflows import ids, policies
from workflows.bootstraps import BootstrapWorkflow

NAMES = (
    *("bootstrap-continued", "bootstrap-last", "bootstrap-stopped", "bootstrap-cancelled", "bootstrap-looked-for"),
    *("source-taken-in", "source-failed", "source-cancelled"),
)


@asynccontextmanager
async def told(world: World) -> AsyncIterator[Client]:
    """A server on which these bootstraps are all there is."""
    async with lasting() as environment, working(environment.client, world):
        yield environment.client


async def _held(world: World, number: int) -> None:
    async def there() -> bool:
        return world.at_once == number

    await until(there)


async def _source(client: Client, name: str, kept: str, folder: Path) -> None:
    await keep(client, ids.source(TENANT, row_id(name)), kept, folder)


async def _record_continued(folder: Path) -> None:
    """Several pages, a straggler that outlives its history, one that fails; and another bootstrap that cannot be listed."""
    world = World()
    names = [f"source {n}" for n in range(19)]
    world.ask("first", *names)
    world.shut(names[0])
    world.faults[row_id(names[5])] = [errors.impossible("the file", "It is a picture.")]
    async with told(world) as client:
        handle = await ring(client)

        async def others() -> bool:
            return len(world.log) == len(names) - 1

        await until(others)
        world.ask("second", "source 20")
        world.faults["list"] = [errors.impossible("the library of references", "it is empty")]
        await ring(client)
        world.let_go()
        await handle.result()
        await keep(client, ids.BOOTSTRAPS, "bootstrap-continued", folder, run_id=handle.first_execution_run_id)
        await keep(client, ids.BOOTSTRAPS, "bootstrap-last", folder)
        await _source(client, names[1], "source-taken-in", folder)
        await _source(client, names[5], "source-failed", folder)


async def _record_stopped(folder: Path) -> None:
    """One is not wanted any more, and the next one is done; then somebody ends all of it."""
    world = World()
    first = world.ask("first", "source 0", "source 1")
    world.ask("second", "source 2")
    world.shut("source 0", "source 1")
    async with told(world) as client:
        handle = await ring(client)
        await _held(world, 2)
        world.rows[first].status = BootstrapStatus.CANCELLED
        await handle.signal(BootstrapWorkflow.stop, first)
        await handle.result()
        await keep(client, ids.BOOTSTRAPS, "bootstrap-stopped", folder)
        await asyncio.sleep(2)
        await _source(client, "source 0", "source-cancelled", folder)
        world.ask("third", "source 3")
        world.shut("source 3")
        handle = await ring(client)
        await _held(world, 1)
        await handle.cancel()
        with suppress(WorkflowFailureError):
            await handle.result()
        await keep(client, ids.BOOTSTRAPS, "bootstrap-cancelled", folder)


async def _record_looked_for(folder: Path) -> None:
    """A source of an earlier history was ended by hand."""
    vars(policies)["SOURCES_LOOK"] = policies.SOURCES_LOOK / 100
    world = World()
    world.ask("first", *(f"source {n}" for n in range(12)))
    world.shut("source 0")
    async with told(world) as client:
        handle = await ring(client)

        async def others() -> bool:
            return len(world.ingested) == 11

        await until(others)
        await client.get_workflow_handle(ids.source(TENANT, row_id("source 0"))).terminate("by hand")

        async def stopped() -> bool:
            return bool(world.stopped)

        await until(stopped)
        world.let_go()
        await handle.result()
        await keep(client, ids.BOOTSTRAPS, "bootstrap-looked-for", folder)


async def record(_urls: Urls, folder: Path) -> None:
    # As wide as a page is, a history is long, and says no more. How many there are at once is another matter.
    vars(policies)["SOURCES_A_PAGE"] = 8
    await _record_continued(folder)
    await _record_stopped(folder)
    await _record_looked_for(folder)


if __name__ == "__main__":
    recorded(record)
