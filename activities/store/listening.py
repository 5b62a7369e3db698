"""Hears of new events as they are committed, and wakes whoever delivers them.

commit ─▶ notification ─▶ a burst's end ─▶ the tenant's bell; after every connect: all who wait
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from activities.ports import DeliveryBell
from activities.store.database import Database, hearing
from activities.store.deliveries import DeliveryStore
from activities.store.events import CHANNEL
from schemas.base import TenantId

log = structlog.get_logger("listener")

# What is told within this rings once.
BURST_S = 0.1

# A connection that says nothing for so long is asked whether it is there.
SILENCE_S = 30.0

# Between two tries to hear anything.
AGAIN_S = 1.0

ID = re.compile(r"[0-9a-f-]{36}")


class Listener:
    """Rings for each tenant that is told of. What was told while nobody listened is looked for at every new start."""

    def __init__(self, database: Database, url: str, bell: DeliveryBell) -> None:
        self._store = DeliveryStore(database)
        self._url = url
        self._bell = bell
        self._told: set[TenantId] = set()
        self._heard = asyncio.Event()

    async def listen(self) -> None:
        """Until it is cancelled. Whoever is away, Postgres or Temporal, is waited for."""
        while True:
            try:
                await self._hear()
            except Exception as error:  # noqa: BLE001 - nobody looks after this task: it goes on, whatever it was
                log.warning("not listening for events", why=type(error).__name__)
            await asyncio.sleep(AGAIN_S)

    async def _hear(self) -> None:
        async with hearing(self._url, CHANNEL, self._note) as connection:
            self._told.update(await self._store.waiting())
            while not connection.is_closed():
                await self._ring()
                try:
                    await asyncio.wait_for(self._heard.wait(), SILENCE_S)
                except TimeoutError:
                    await connection.execute("SELECT 1")
                await asyncio.sleep(BURST_S)

    def _note(self, said: str) -> None:
        """Anybody may notify, so only what looks like an id is taken for one; an end of the connection says nothing."""
        if ID.fullmatch(said):
            self._told.add(said)
        self._heard.set()

    async def _ring(self) -> None:
        self._heard.clear()
        while self._told:
            await self._bell.delivery(self._told.pop())


@asynccontextmanager
async def listening(database_url: str, crossing_url: str, bell: DeliveryBell) -> AsyncIterator[None]:
    """It listens until the block ends."""
    async with Database.opened(database_url, crossing_url) as database:
        task = asyncio.create_task(Listener(database, crossing_url, bell).listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
