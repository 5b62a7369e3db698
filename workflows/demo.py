"""A run that shows how work goes here: step after step, with a wait for an event that is over in time.

step ─▶ step ─▶ ... ─▶ (carry_on, or so long) ─▶ the last step ─▶ told
"""

import asyncio
import contextlib

from temporalio import workflow

from activities.demo import DemoActivities
from schemas.demo import DemoDone, DemoEnding, DemoOrder, DemoStep
from schemas.documents import Progress
from workflows import policies, story
from workflows.priorities import priority
from workflows.steps import outliving


@workflow.defn(name="Demo")
class DemoWorkflow:
    """What it waits for may never come: then it goes on without, and says so."""

    @workflow.init
    def __init__(self, order: DemoOrder) -> None:
        self._order = order
        self._continued = False
        self._progress = Progress(step="begin", percent=0)

    @workflow.run
    async def run(self, order: DemoOrder) -> DemoDone:
        for number in range(1, order.steps):
            await self._step(number)
        await self._wait()
        await self._step(order.steps)
        return await self._finish()

    @workflow.signal
    def carry_on(self) -> None:
        """What it waits for; before it waits, too."""
        self._continued = True

    @workflow.query
    def progress(self) -> Progress:
        return self._progress

    async def _step(self, number: int) -> None:
        order = self._order
        step = DemoStep(tenant_id=order.tenant_id, demo_id=order.demo_id, step=number)
        await outliving(
            lambda: workflow.execute_activity_method(
                DemoActivities.step,
                step,
                summary=f"step {number} of {order.steps}",
                priority=priority(order.tenant_id, urgent=False, premium=False),
                **policies.DEMO_STEP,
            )
        )
        self._tell(f"step {number}", 100 * number // order.steps)

    async def _wait(self) -> None:
        """For the event, or until that has taken too long."""
        if not self._order.wait_s:
            return
        self._tell("wait", self._progress.percent)
        with contextlib.suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._continued, timeout=self._order.wait_s, timeout_summary="until it goes on without"
            )

    async def _finish(self) -> DemoDone:
        order = self._order
        ending = DemoEnding(
            tenant_id=order.tenant_id,
            demo_id=order.demo_id,
            steps=order.steps,
            continued=self._continued,
            now=workflow.now(),
        )
        await workflow.execute_local_activity_method(
            DemoActivities.finish, ending, summary="tell that it is over", **policies.TELLING
        )
        return DemoDone(steps=order.steps, continued=self._continued)

    def _tell(self, step: str, percent: int) -> None:
        self._progress = Progress(step=step, percent=percent)
        story.tell_further(self._progress)
