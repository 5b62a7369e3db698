"""Deliveries: a tenant's endpoint is told what happened, in order, by one workflow at a time.

event │ sweep │ person ─▶ ring ─▶ send ─▶ all told: over │ time was up: send │ put off: wait, ever longer, and send
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities import errors
from activities.deliveries import DeliveryActivities
from schemas.deliveries import DeliveryOrder, Dispatch, Dispatched
from workflows import policies, story
from workflows.steps import outliving


@workflow.defn(name="Delivery")
class DeliveryWorkflow:
    """Sends until nothing is pending and nobody rang. While the endpoint is away everything waits for it."""

    @workflow.init
    def __init__(self, order: DeliveryOrder) -> None:
        self._order = order
        self._rung = order.rung
        self._anew = False
        self._put_off = order.put_off

    @workflow.run
    async def run(self, order: DeliveryOrder) -> Dispatched:
        done = Dispatched()
        while self._rung:
            self._rung = self._anew = False
            done = await self._send()
            await self._wait(done)
            self._rung = self._rung or done.more or bool(done.put_off)
            if self._rung and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(order.model_copy(update={"rung": True, "put_off": self._put_off}))
        return done

    @workflow.signal(description="Something happened that the endpoint is to hear of")
    def ring(self) -> None:
        self._rung = True

    @workflow.signal(description="Somebody has set the endpoint, or wants it told again: it is tried now")
    def anew(self) -> None:
        self._rung = self._anew = True

    async def _send(self) -> Dispatched:
        dispatch = Dispatch(
            tenant_id=self._order.tenant_id,
            budget_s=policies.DELIVERING.total_seconds(),
            tries=policies.DELIVERY_TRIES,
            patience_s=policies.DELIVERY_PATIENCE.total_seconds(),
        )
        try:
            return await outliving(
                lambda: workflow.execute_activity_method(
                    DeliveryActivities.send, dispatch, summary="tell the endpoint", **policies.DELIVER
                )
            )
        except ActivityError as error:
            raise errors.run_failed(*story.why(error)) from error

    async def _wait(self, done: Dispatched) -> None:
        """When it was put off. Pauses grow while nothing gets through; only what a person has changed is tried at once."""
        if not done.put_off:
            self._put_off = 0
            return
        self._put_off = 1 if done.delivered or done.parked else self._put_off + 1
        wait = pause(self._put_off, done.wait)
        story.tell_step("tell the endpoint", done.put_off, workflow.now() + wait)
        try:
            await workflow.wait_condition(
                lambda: self._anew, timeout=wait, timeout_summary=f"until it is tried again: {done.put_off}"
            )
        except TimeoutError:
            return
        self._put_off = 0


def pause(put_off: int, asked: timedelta) -> timedelta:
    """Until the next try, after so many without success; longer when the endpoint asks for that."""
    pauses = policies.DELIVERY_PAUSES
    return max(pauses[min(put_off, len(pauses)) - 1], asked)
