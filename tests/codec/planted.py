"""A workflow that says something secret in every place where something can be said."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from schemas.base import Message
from workflows import queues
from workflows.steps import outliving

SECRET = "the-owl-flies-at-nine"
LABEL = "Prospect 2 at nightjar.example"
SOON = timedelta(milliseconds=100)


class Order(Message):
    secret: str = SECRET
    queue: str = ""
    fails: bool = False
    stumbles: bool = False
    tries: int = 1000


@activity.defn(name="codec.look")
async def look(order: Order) -> str:
    activity.heartbeat(order.secret)
    if order.stumbles and activity.info().attempt == 1:
        raise ApplicationError("not yet", type="Planted", next_retry_delay=SOON * 10)
    if order.fails:
        raise ApplicationError(f"because of {order.secret}", {"said": order.secret}, type="Planted", non_retryable=True)
    return f"seen: {order.secret}"


@workflow.defn
class Telling:
    @workflow.run
    async def run(self, order: Order) -> str:
        workflow.set_current_details(f"## {order.secret}")
        workflow.upsert_memo({"memo": order.secret})
        policy = RetryPolicy(initial_interval=SOON, backoff_coefficient=1, maximum_attempts=order.tries)
        return await outliving(
            lambda: workflow.execute_activity(
                look,
                order,
                task_queue=order.queue or None,
                start_to_close_timeout=timedelta(seconds=10),
                heartbeat_timeout=timedelta(seconds=2),
                retry_policy=policy,
                summary=LABEL,
            )
        )


@workflow.defn
class Writing:
    @workflow.run
    async def run(self) -> None:
        """Somebody writes a brief: what they are to write matters not, for it cannot be read."""
        await workflow.execute_activity(
            "research.write",
            Order(),
            task_queue=queues.MODEL,
            schedule_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=2),
        )
