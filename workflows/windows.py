"""Deadlines inside a workflow: work has a window of its own time, and waiting for a turn is not its time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from temporalio import workflow

from schemas.base import RowId
from schemas.research import Remaining
from workflows import policies

Overdue = Callable[[tuple[RowId, ...]], Awaitable[Remaining]]


async def within(window: timedelta, work: Mapping[RowId, asyncio.Task[Any]], overdue: Overdue, summary: str) -> None:
    """Wait until everything is done or has had its window; what is late is cancelled.

    `overdue` tells how much of the window each has used. A window that closes while nothing moves is opened again, as
    often as policies.REOPENINGS says: no worker was there.
    """
    left, idle = window.total_seconds(), 0
    try:
        while pending := _pending(work):
            await _wait([work[key] for key in pending], left, summary)
            if not (pending := _pending(work)):
                return
            remaining = await overdue(pending)
            idle += not remaining.moving
            late = pending if idle > policies.REOPENINGS or _for_too_long() else remaining.over
            await _cancel([work[key] for key in late])
            left = max(remaining.seconds, policies.SHORTEST_WINDOW.total_seconds())
    except (Exception, asyncio.CancelledError):
        # Nothing else: a run that leaves a worker's memory is closed here, and must not wait for anything.
        await _cancel(list(work.values()))
        raise


def _for_too_long() -> bool:
    """Behind a queue that never ends, a run ends by itself, and says so, before the server would end it silently."""
    return workflow.now() - workflow.info().start_time > policies.LONGEST_RUN


def _pending(work: Mapping[RowId, asyncio.Task[Any]]) -> tuple[RowId, ...]:
    return tuple(key for key, task in work.items() if not task.done())


async def _wait(tasks: list[asyncio.Task[Any]], seconds: float, summary: str) -> None:
    try:
        await workflow.wait_condition(
            lambda: all(task.done() for task in tasks), timeout=seconds, timeout_summary=summary
        )
    except TimeoutError:
        return


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
