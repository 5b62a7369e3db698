"""Is the app alive, and can it do its work: what a supervisor and a load balancer ask."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeAlias

from aiohttp import web
from temporalio.client import Client
from temporalio.service import RPCError

Check: TypeAlias = Callable[[], Awaitable[bool]]

PATIENCE_S = 5.0


class Health:
    """`checks` names what the app cannot do without, and how to ask whether it is there."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    async def alive(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """200 when everything answers, else 503; each is named."""
        answers = await asyncio.gather(*map(_ask, self._checks.values()))
        told = {name: "ok" if there else "away" for name, there in zip(self._checks, answers, strict=True)}
        status = "ready" if all(answers) else "not ready"
        return web.json_response({"status": status, "checks": told}, status=200 if all(answers) else 503)


async def _ask(check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await check()
    except (OSError, TimeoutError):
        return False


def temporal(client: Client) -> Check:
    """Temporal serves. A lazy client makes its first connection here."""

    async def serves() -> bool:
        try:
            return await client.service_client.check_health(timeout=timedelta(seconds=PATIENCE_S))
        except (RPCError, RuntimeError):
            return False

    return serves
