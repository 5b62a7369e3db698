"""A worker process that inserts batches, and ends as the kernel would end it, before or after the nth of them is in."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.records import RecordActivities, SpoiltError
from activities.store.database import Database
from activities.store.records import RecordStore
from worker import build_worker
from workflows import queues


@dataclass(frozen=True)
class Doom:
    """Where a process works, and where it ends: `after` is after COMMIT, when nobody has heard of it."""

    database_url: str
    crossing_url: str
    temporal: str
    namespace: str
    nth: int
    side: str


class DoomedStore(RecordStore):
    def __init__(self, database: Database, doom: Doom) -> None:
        super().__init__(database)
        self._doom = doom
        self._number = 0

    async def insert(self, tenant_id: str, ids: tuple[str, ...], now: datetime) -> int:
        self._number += 1
        self._reach("before")
        try:
            count = await super().insert(tenant_id, ids, now)
        except SpoiltError:
            self._reach("after")
            raise
        self._reach("after")
        return count

    def _reach(self, side: str) -> None:
        if (self._number, side) == (self._doom.nth, self._doom.side):
            os.kill(os.getpid(), signal.SIGKILL)


def work(doom: Doom) -> None:
    asyncio.run(_work(doom))


async def _work(doom: Doom) -> None:
    client = await Client.connect(doom.temporal, namespace=doom.namespace, data_converter=pydantic_data_converter)
    async with Database.opened(doom.database_url, doom.crossing_url) as database:
        owners = [RecordActivities(DoomedStore(database, doom))]
        async with build_worker(client, owners, task_queue=queues.WORKFLOWS):
            await asyncio.Event().wait()


@asynccontextmanager
async def working(doom: Doom) -> AsyncIterator[multiprocessing.process.BaseProcess]:
    """The process, which does not outlive the block."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=(doom,), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.join, 10)
