"""What Temporal knows of a running activity: that it is alive, and what time it is there."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from temporalio import activity

T = TypeVar("T")


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Heartbeat in the background until the block ends, so that a dead worker is noticed and a cancellation arrives."""
    timeout = activity.info().heartbeat_timeout
    if not timeout:
        yield
        return
    beats = asyncio.create_task(_beat(timeout / 4))
    try:
        yield
    finally:
        beats.cancel()


async def _beat(every: timedelta) -> None:
    """The first beat is a while away: most calls are over by then, and need none.

    Each says what the last try has said: a beat without that would have the next try know nothing of it.
    """
    while True:
        await asyncio.sleep(every.total_seconds())
        activity.heartbeat(*activity.info().heartbeat_details)


async def surely(work: Coroutine[Any, Any, T]) -> T:
    """Finish what has been begun, and only then be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


class Clock:
    """Temporal's time in this attempt: when the server says it started, plus what has passed here since."""

    def __init__(self) -> None:
        self._info = activity.info()
        self._here = time.monotonic()

    def now(self) -> datetime:
        return self._info.started_time + timedelta(seconds=time.monotonic() - self._here)

    def queued_s(self) -> float:
        """Seconds this attempt waited for a worker."""
        return max((self._info.started_time - self._info.current_attempt_scheduled_time).total_seconds(), 0.0)


_clock: ContextVar[Clock] = ContextVar("clock")


def begin() -> None:
    """An activity begins: its time is told from here."""
    _clock.set(Clock())


def now() -> datetime:
    """Temporal's time inside an activity, and the machine's elsewhere."""
    if not activity.in_activity():
        return datetime.now(UTC)
    return (_clock.get(None) or Clock()).now()
