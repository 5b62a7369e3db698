"""Record the readings of calls for later code to replay: `python -m tests.replay.calls FOLDER`. Only ever add."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from temporalio.client import WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.store.database import Database
from sandbox import running
from starter import start
from starter.dev.postgres import Cluster
from starter.migrate import migrate
from tests.conftest import know_attributes, program
from tests.replay.record import HISTORIES, keep
from tests.stage import Stage
from tests.transcripts.twins import Calls, TwinRecorder, long, spoken
from workflows import ids


async def read(calls: Calls) -> str:
    """In parts, one of which is asked for twice."""
    calls.model.says = ["no JSON"]
    return (await calls.take(long(2))).call_id


async def waited(calls: Calls) -> str:
    """Its recorder has it at the third time of asking."""
    calls.recorder = TwinRecorder(calls.store, ready_at=3)
    return (await calls.take(None)).call_id


async def failed(calls: Calls) -> str:
    """No answer can be used; its user is told."""
    calls.model.says = ["no JSON"] * 3
    return (await calls.take(spoken())).call_id


SCENARIOS: dict[str, Callable[[Calls], Awaitable[str]]] = {"read": read, "waited": waited, "failed": failed}


async def record(cluster: Cluster, folder: Path) -> None:
    urls = await cluster.create("greenroom_record")
    await asyncio.to_thread(migrate, urls.owner)
    for name, tell in SCENARIOS.items():
        async with (
            Database.opened(urls.application, urls.crossing) as database,
            running() as sandbox,
            await WorkflowEnvironment.start_time_skipping(
                test_server_existing_path=program("temporal-test-server"), data_converter=pydantic_data_converter
            ) as environment,
        ):
            await know_attributes(environment.client)
            stage = Stage(database, environment.client, sandbox, urls, tenant_id=str(uuid4()))
            await stage.set_up(datetime.now(UTC))
            calls = Calls(stage)
            call_id = await tell(calls)
            async with calls.working(environment.client):
                with suppress(WorkflowFailureError):
                    await (await start.transcript(environment.client, stage.tenant.id, call_id)).result()
            await keep(environment.client, ids.transcript(stage.tenant.id, call_id), f"transcript-{name}", folder)


def main() -> None:
    home, folder = Path(tempfile.mkdtemp(prefix="greenroom-record-")), Path((*sys.argv[1:], HISTORIES)[0])
    cluster = Cluster(home / "postgres")
    try:
        asyncio.run(record(cluster, folder))
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
