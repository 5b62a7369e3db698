"""Waiting for what comes to be true before long, in real time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

# Longer than anything takes on a busy machine: who runs into it has found a fault.
PATIENCE_S = 30.0

T = TypeVar("T")


async def until(ready: Callable[[], Awaitable[T]]) -> T:
    """What it says once that is something; a TimeoutError after PATIENCE_S."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await ready()):
            await asyncio.sleep(0.05)
        return found
