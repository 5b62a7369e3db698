"""A workflow that says something secret in every place where something can be said."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from schemas.base import Message

SECRET = "the-owl-flies-at-nine"
LABEL = "Prospect 2 at nightjar.example"
PATIENT = RetryPolicy(initial_interval=timedelta(milliseconds=100), backoff_coefficient=1, maximum_attempts=1000)


class Order(Message):
    secret: str = SECRET
    queue: str = ""
    fails: bool = False


@activity.defn(name="codec.look")
async def look(order: Order) -> str:
    activity.heartbeat(order.secret)
    if order.fails:
        raise ApplicationError(f"because of {order.secret}", {"said": order.secret}, type="Planted", non_retryable=True)
    return f"seen: {order.secret}"


@workflow.defn
class Telling:
    @workflow.run
    async def run(self, order: Order) -> str:
        workflow.set_current_details(f"## {order.secret}")
        workflow.upsert_memo({"memo": order.secret})
        return await workflow.execute_activity(
            look,
            order,
            task_queue=order.queue or None,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=PATIENT,
            summary=LABEL,
        )
