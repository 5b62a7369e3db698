"""Record the collecting of events for later code to replay: `python -m tests.replay.batches FOLDER`. Only ever add."""

import asyncio
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.records import RecordActivities
from activities.store.database import Database
from sandbox import running
from starter.dev.postgres import Cluster
from starter.migrate import migrate
from tests.batches.scene import POISON, Collection
from tests.conftest import know_attributes, program
from tests.replay.record import keep
from tests.stage import Stage
from worker import build_worker
from workflows import policies, queues

NAMES = ("batch-whole", "batch-continued")


async def _whole(collection: Collection) -> None:
    """An urgent one, a full batch with a poison in it, and the rest when its time has come."""
    rows = [*await collection.many(60), await collection.received(60, data=POISON), *await collection.many(60)]
    urgent = await collection.received(1000)
    await collection.collect(rows[:10])
    await collection.collect([*rows[10:], urgent.model_copy(update={"urgent": True})])
    await collection.handle().result()


async def _continued(collection: Collection) -> None:
    """It hears of so many that another history goes on; what is kept is the last."""
    before, policies.BATCH_HEARD = policies.BATCH_HEARD, 100
    try:
        await collection.collect(await collection.many(230))
        await collection.handle().result()
    finally:
        policies.BATCH_HEARD = before


async def record(cluster: Cluster, folder: Path) -> None:
    urls = await cluster.create("greenroom_record")
    await asyncio.to_thread(migrate, urls.owner)
    for name, tell in zip(NAMES, (_whole, _continued), strict=True):
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
            collection = Collection(stage)
            owners = [RecordActivities(collection.store)]
            async with build_worker(environment.client, owners, task_queue=queues.WORKFLOWS):
                await tell(collection)
                await keep(environment.client, collection.handle().id, name, folder)


def main() -> None:
    home, folder = Path(tempfile.mkdtemp(prefix="greenroom-record-")), Path(sys.argv[1])
    cluster = Cluster(home / "postgres")
    try:
        asyncio.run(record(cluster, folder))
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
