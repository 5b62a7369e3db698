"""How a step is tried: beside its workflow, or on a queue, heartbeating. What each is tried with is in `policies`."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType


class ShortStep(TypedDict):
    """How a local activity is tried: beside the workflow, in its own task."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class Step(TypedDict):
    """How an activity is tried: on its provider's queue, heartbeating."""

    task_queue: str
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


# A killed worker is noticed after this, and a cancellation arrives within a quarter of it. Its successor is at work
# within 10 s of the kill: 6 s, the first pause of a retry (1 s or 2 s), and STICKY for a child and for its parent.
HEARTBEAT = timedelta(seconds=6)


def step(
    queue: str,
    one_try: timedelta,
    *,
    first_s: float,
    coefficient: float = 2,
    tries: int = 0,
    longest: timedelta | None = None,
    heartbeat: timedelta = HEARTBEAT,
) -> Step:
    """An activity on a queue: tried again after `first_s` seconds, then ever later, `longest` at the most, and so often;
    0 is for ever."""
    retries = RetryPolicy(timedelta(seconds=first_s), coefficient, longest, tries)
    return Step(
        task_queue=queue,
        start_to_close_timeout=one_try,
        heartbeat_timeout=heartbeat,
        retry_policy=retries,
        cancellation_type=ActivityCancellationType.TRY_CANCEL,
    )
