"""Come here for the pages and webhooks: one aiohttp app."""

import asyncio
import signal

from aiohttp import web

from schemas.settings import Settings


def build_app(settings: Settings) -> web.Application:
    app = web.Application()
    app.router.add_get("/healthz", _alive)
    return app


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def serve(settings: Settings, port: int) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(build_app(settings))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()
