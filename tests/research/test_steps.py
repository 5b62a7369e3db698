"""A step is begun again when its worker fell silent, and only then."""

import pytest
from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType

from workflows import policies
from workflows.steps import outliving


def lost(cause: Exception) -> ActivityError:
    error = ActivityError(
        "lost",
        scheduled_event_id=1,
        started_event_id=2,
        identity="w",
        activity_type="research.write",
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


def timed_out(kind: TimeoutType) -> ActivityError:
    return lost(exceptions.TimeoutError("t", type=kind, last_heartbeat_details=()))


async def tries(errors: list[ActivityError]) -> int:
    """How often a step is begun that fails with these, one after the other, and then works."""
    begun = 0

    async def step() -> int:
        nonlocal begun
        begun += 1
        if errors:
            raise errors.pop(0)
        return begun

    return await outliving(step)


@pytest.mark.parametrize("silences", range(policies.SILENCES + 1))
async def test_a_silent_worker_is_outlived(silences: int) -> None:
    assert await tries([timed_out(TimeoutType.HEARTBEAT)] * silences) == silences + 1


async def test_what_a_stopping_worker_gives_back_is_begun_again() -> None:
    assert await tries([lost(ApplicationError("shut down", type="WorkerShutdown"))]) == 2


async def test_not_for_ever() -> None:
    with pytest.raises(ActivityError):
        await tries([timed_out(TimeoutType.HEARTBEAT)] * (policies.SILENCES + 1))


@pytest.mark.parametrize(
    "error", [lost(ApplicationError("search said 500", type="ProviderDown")), timed_out(TimeoutType.START_TO_CLOSE)]
)
async def test_whatever_else_ends_a_step_ends_it(error: ActivityError) -> None:
    with pytest.raises(ActivityError):
        await tries([error])
