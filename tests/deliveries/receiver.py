"""Another application, with a real endpoint: it verifies what comes with the Standard Webhooks library, and notes it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web
from standardwebhooks import Webhook
from temporalio.client import WorkflowHandle

from activities.sealing import Sealer
from activities.store import events
from activities.store.endpoints import EndpointStore
from schemas.deliveries import Dispatched
from starter.start import Doorbell
from tests.stage import TOKEN_KEYS, Stage
from workflows import ids
from workflows.deliveries import DeliveryWorkflow

# Real seconds in which whatever is under way ends.
PATIENCE_S = 30.0

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """`answer` decides what is said; without one, 204. What came is `posts`, verified unless there is no secret."""

    url: str = ""
    secret: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answer: Answer | None = None

    def says(self, *statuses: int, **headers: str) -> None:
        """These statuses, one after another, and the last from then on."""
        left = list(statuses)

        async def answer(_request: web.Request) -> web.Response:
            status = left.pop(0) if len(left) > 1 else left[0]
            return web.Response(status=status, headers={key.replace("_", "-"): to for key, to in headers.items()})

        self.answer = answer

    async def take(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.posts.append(Webhook(self.secret).verify(text, dict(request.headers)))
        self.headers.append({key.lower(): value for key, value in request.headers.items()})
        return await self.answer(request) if self.answer else web.Response(status=204)

    def ids(self) -> list[str]:
        return [one["webhook-id"] for one in self.headers]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that says whatever it likes, once the head of a request has come."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


class Tenant:
    """A stage whose tenant hears of what happens."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.id = stage.tenant.id
        self.endpoints = EndpointStore(stage.database)
        self.told = 0

    async def set(self, url: str, *, rotate: bool = True) -> str:
        secret = await self.endpoints.put(self.id, url, Sealer(TOKEN_KEYS), datetime.now(UTC), rotate=rotate)
        return secret or ""

    async def hears_at(self, receiver: Receiver) -> None:
        receiver.secret = await self.set(receiver.url)

    async def happened(self, count: int = 1) -> list[str]:
        """So many things happen; the ids of their events, in order."""
        numbers = range(self.told, self.told + count)
        self.told += count
        keys = [f"{number}/{uuid4()}" for number in numbers]
        for number, key in zip(numbers, keys, strict=True):
            async with self.stage.database.tenant(self.id) as connection:
                await events.record(connection, "test/thing.happened", key, {"number": number}, datetime.now(UTC))
        async with self.stage.database.tenant(self.id) as connection:
            rows = await connection.fetch("SELECT id FROM events WHERE key = ANY($1) ORDER BY sequence", keys)
            return [row["id"] for row in rows]

    async def rows(self) -> list[dict[str, Any]]:
        async with self.stage.database.tenant(self.id) as connection:
            return [dict(row) for row in await connection.fetch("SELECT * FROM events ORDER BY sequence")]

    async def states(self) -> list[str | None]:
        return [row["delivery"] for row in await self.rows()]

    async def sql(self, statement: str, *values: Any) -> None:
        async with self.stage.database.tenant(self.id) as connection:
            await connection.execute(statement, *values)

    async def ring(self, *, anew: bool = False) -> None:
        await Doorbell(self.stage.temporal).delivery(self.id, anew=anew)

    def handle(self) -> WorkflowHandle[DeliveryWorkflow, Dispatched]:
        return self.stage.temporal.get_workflow_handle_for(DeliveryWorkflow.run, ids.delivery(self.id))

    async def told_all(self) -> Dispatched:
        """Ring, and wait until its workflow has ended."""
        await self.ring()
        return await asyncio.wait_for(self.handle().result(), PATIENCE_S)

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await true():
                await asyncio.sleep(0.05)
