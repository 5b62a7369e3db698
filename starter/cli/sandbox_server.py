"""Asks the sandbox that runs, for the commands that turn its knobs."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from activities.plain import clean
from starter.environment import load_settings
from starter.words import FailedError, NotFoundError, NotReadyError, UsageError

PATIENCE_S = 10


async def call(
    method: str, path: str, document: object = None, query: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What the sandbox answers; what it refuses is said in its own sentence."""
    base = load_settings().sandbox_url
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, f"{base}{path}", json=document, params=query) as response,
        ):
            return _read(response.status, await response.json())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise NotReadyError(f"No sandbox answers at {base}", "start the stack with: make dev") from None


def _read(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    if status < 300:
        return answer
    sentence = clean(str(answer.get("error", status)), 300)
    raise {400: UsageError, 404: NotFoundError}.get(status, FailedError)(sentence)
