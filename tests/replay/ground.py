"""What a recording stands on: Postgres and Temporal of its own, a tenant in a pretended world, and a folder for histories.

Only ever add: a history is deleted when no run of its age can still be open.
"""

import asyncio
import json
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.store.database import Database
from sandbox import running
from starter.dev.postgres import Cluster, Urls
from starter.migrate import migrate
from tests.conftest import know_attributes, program
from tests.stage import Stage
from workflows import story

HISTORIES = Path(__file__).with_name("histories")


def recorded(record: Callable[[Urls, Path], Awaitable[None]]) -> None:
    """Record over a new database, into the folder that the command line names."""
    home, folder = Path(tempfile.mkdtemp(prefix="greenroom-record-")), Path((*sys.argv[1:], HISTORIES)[0])
    cluster = Cluster(home / "postgres")
    try:
        asyncio.run(_over(cluster, record, folder))
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


async def _over(cluster: Cluster, record: Callable[[Urls, Path], Awaitable[None]], folder: Path) -> None:
    urls = await cluster.create("greenroom_record")
    await asyncio.to_thread(migrate, urls.owner)
    await record(urls, folder)


@asynccontextmanager
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server that skips time."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server"), data_converter=pydantic_data_converter
    ) as environment:
        await know_attributes(environment.client)
        yield environment


@asynccontextmanager
async def lasting(*settings: str) -> AsyncIterator[WorkflowEnvironment]:
    """Temporal itself, in real time: it deletes, and it lists. `settings` are of its own dynamic configuration."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=program("temporal"),
        dev_server_log_level="error",
        dev_server_extra_args=[f"--dynamic-config-value={setting}" for setting in settings],
        data_converter=pydantic_data_converter,
        search_attributes=story.SEARCH_ATTRIBUTES,
    ) as environment:
        yield environment


@asynccontextmanager
async def staged(urls: Urls, environment: WorkflowEnvironment) -> AsyncIterator[Stage]:
    """A tenant of its own."""
    async with Database.opened(urls.application, urls.crossing) as database, running() as sandbox:
        stage = Stage(database, environment.client, sandbox, urls, tenant_id=str(uuid4()))
        await stage.set_up(datetime.now(UTC))
        yield stage


async def keep(
    client: Client, workflow_id: str, name: str, folder: Path = HISTORIES, *, run_id: str | None = None
) -> None:
    """The history of a run, by default of the last, with nothing of the machine that made it."""
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    text = re.sub(r'"identity": "[^"]*"', '"identity": "recorder"', history.to_json())
    # Where a machine keeps its files is no part of a history.
    text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', text)
    (folder / f"{name}.json").write_text(json.dumps(json.loads(text), indent=1) + "\n")
