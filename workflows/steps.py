"""A step whose worker fell silent was not refused by anybody: it is begun again, beyond its policy's count of tries."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import policies

R = TypeVar("R")


async def outliving(step: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Do the step, again when its last try was lost with its worker, up to policies.SILENCES times.

    A frozen worker is still handed what it had asked for, and a stopping one gives back what outlasts its grace; each
    such task would cost a try.
    """
    for _ in range(policies.SILENCES):
        try:
            return await step()
        except ActivityError as error:
            if not _silent(error):
                raise
    return await step()


async def unbroken(work: Coroutine[Any, Any, R]) -> R:
    """Do this to its end, though the run is cancelled meanwhile: what a cancellation would leave out nobody makes up for."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task


def _silent(error: ActivityError) -> bool:
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return cause.type == "WorkerShutdown"
    return isinstance(cause, exceptions.TimeoutError) and cause.type is exceptions.TimeoutType.HEARTBEAT
