"""Record the collecting of events for later code to replay: `python -m tests.replay.batches FOLDER`. Only ever add."""

from pathlib import Path

from activities.records import RecordActivities
from starter.dev.postgres import Urls
from tests.batches.scene import POISON, Collection
from tests.replay.ground import keep, recorded, skipping, staged
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


async def record(urls: Urls, folder: Path) -> None:
    for name, tell in zip(NAMES, (_whole, _continued), strict=True):
        async with skipping() as environment, staged(urls, environment) as stage:
            collection = Collection(stage)
            owners = [RecordActivities(collection.store)]
            async with build_worker(environment.client, owners, task_queue=queues.WORKFLOWS):
                await tell(collection)
                await keep(environment.client, collection.handle().id, name, folder)


if __name__ == "__main__":
    recorded(record)
