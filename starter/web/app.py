"""The app put together, and served.

settings ─▶ links, briefs, checks ─▶ build_app ─▶ listening ─▶ until told to stop
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import structlog
from aiohttp import web

from activities.store.library import Library
from schemas.settings import Settings
from starter.environment import connect, open_database
from starter.links import Links
from starter.web.guard import Connection, Guard
from starter.web.health import Check, Health, temporal
from starter.web.metrics import Metrics
from starter.web.pages import Briefs, Pages
from starter.words import NotReadyError

log = structlog.get_logger("web")

HOST = "127.0.0.1"
# Nothing is sent to a page but its address.
LARGEST_BODY = 16 * 1024
# Also how long somebody may take over the headers of a request.
IDLE_S = 10.0
# How long the rest of a body that nobody asked for is read before the connection is closed.
LINGERING_S = 2.0
GRACE_S = 10.0


def build_app(settings: Settings, briefs: Briefs, checks: Mapping[str, Check]) -> web.Application:
    """The app, with what it reads from and what it cannot do without."""
    metrics = Metrics()
    guard, health = Guard(metrics, settings.web_url), Health(checks)
    pages = Pages(Links(settings), briefs, metrics)
    app = web.Application(middlewares=[guard.around], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(guard.signed_off)
    app.router.add_get("/briefs/{id}", pages.brief)
    app.router.add_get("/static/{name}", pages.file)
    app.router.add_get("/healthz", health.alive)
    app.router.add_get("/readyz", health.ready)
    app.router.add_get("/metrics", metrics.handle)
    return app


async def serve(settings: Settings, port: int, host: str = HOST) -> None:
    """Serve until told to stop. Pages need Postgres alone, so a Temporal that is away only shows at /readyz."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_database(settings) as database:
        checks = {"postgres": database.answers, "temporal": temporal(await connect(lazy=True))}
        async with listening(build_app(settings, Library(database), checks), port, host) as taken:
            log.info("serving", port=taken)
            await stop.wait()
            log.info("stopping")


@asynccontextmanager
async def listening(app: web.Application, port: int, host: str = HOST) -> AsyncIterator[int]:
    """The app on a port, 0 for any that is free; by default for this machine alone. Requests under way may end."""
    runner = web.AppRunner(app, shutdown_timeout=GRACE_S)
    await runner.setup()
    assert runner.server is not None, "set up above"
    loop = asyncio.get_running_loop()
    connection = partial(
        Connection,
        runner.server,
        loop=loop,
        access_log=None,  # type: ignore[arg-type]  # how it is turned off: it would write the token down
        keepalive_timeout=IDLE_S,
        lingering_time=LINGERING_S,
    )
    try:
        server = await loop.create_server(connection, host, port)
    except OSError:
        await runner.cleanup()
        raise NotReadyError(f"Port {port} is taken by another program", "choose another with --port") from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()
