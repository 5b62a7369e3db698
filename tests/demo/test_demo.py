"""A run that shows how work goes here: its steps, its wait for an event, and the wait that is over."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.demo import DemoActivities
from activities.store.demos import DemoStore
from activities.store.received import ReceivedStore
from schemas.demo import DemoDone, DemoEnding, DemoOrder
from schemas.documents import Progress
from schemas.events import REGISTRY
from starter.dispatch import Dispatcher
from starter.inbox import Inbox, RefusedError, read
from tests.stage import Stage
from tests.waiting import until
from worker import build_worker
from workflows import ids, queues
from workflows.demo import DemoWorkflow

TENANT, DEMO = "7a6d1c1e-0000-4000-8000-000000000018", "7a6d1c1e-0000-4000-8000-000000000019"


class Told:
    """A Store."""

    def __init__(self) -> None:
        self.endings: list[DemoEnding] = []

    async def completed(self, ending: DemoEnding) -> None:
        self.endings.append(ending)


@asynccontextmanager
async def working(client: Client, told: Told) -> AsyncIterator[None]:
    async with build_worker(client, [DemoActivities(told)], task_queue=queues.WORKFLOWS):
        yield


async def begun(client: Client, steps: int, wait_s: float) -> Any:
    order = DemoOrder(tenant_id=TENANT, demo_id=DEMO, steps=steps, wait_s=wait_s)
    return await client.start_workflow(DemoWorkflow.run, order, id=ids.demo(TENANT, DEMO), task_queue=queues.WORKFLOWS)


async def test_its_steps_are_done_and_told(skipping: WorkflowEnvironment) -> None:
    told = Told()
    async with working(skipping.client, told):
        handle = await begun(skipping.client, 3, 0)
        done: DemoDone = await handle.result()
        progress: Progress = await handle.query("progress", result_type=Progress)

    assert done == DemoDone(steps=3, continued=False)
    assert (progress.step, progress.percent) == ("step 3", 100)
    assert [(one.steps, one.continued) for one in told.endings] == [(3, False)]


async def test_a_wait_that_nobody_ends_is_over_in_time(skipping: WorkflowEnvironment) -> None:
    told = Told()
    async with working(skipping.client, told):
        before = await skipping.get_current_time()
        done: DemoDone = await (await begun(skipping.client, 2, 3600)).result()

    took = told.endings[0].now - before
    assert done == DemoDone(steps=2, continued=False)
    assert 3600 <= took.total_seconds() < 3700


@pytest.mark.parametrize("early", [True, False], ids=["before it waits", "while it waits"])
async def test_what_it_waits_for_ends_the_wait(temporal: Client, *, early: bool) -> None:
    told = Told()
    async with AsyncExitStack() as workers:
        if not early:
            await workers.enter_async_context(working(temporal, told))
        handle = await begun(temporal, 2, 3600)
        if not early:

            async def waits() -> bool:
                progress: Progress = await handle.query("progress", result_type=Progress)
                return progress.step == "wait"

            await until(waits)
        await handle.signal(DemoWorkflow.carry_on)
        if early:
            await workers.enter_async_context(working(temporal, told))
        done: DemoDone = await handle.result()

    assert done == DemoDone(steps=2, continued=True)


async def test_events_begin_one_and_have_it_go_on(stage: Stage) -> None:
    inbox = Inbox(ReceivedStore(stage.database), Dispatcher(stage.settings(), stage.database, stage.temporal))

    async def send(name: str, key: str, **data: Any) -> None:
        event = {"name": name, "id": key, "data": data}
        await inbox.take(stage.tenant.id, None, read(event, stage.tenant.id, str))

    key = f"theirs-{uuid4()}"
    owners = [DemoActivities(DemoStore(stage.database))]
    async with build_worker(stage.temporal, owners, task_queue=queues.WORKFLOWS):
        for _ in range(2):
            await send("demo/multi-step", key, steps=2)
        await send("demo/run.continued", "another", eventId=key)

        async def ended() -> list[Any]:
            return [one for one in await stage.events.after(stage.tenant.id, 0) if one.name == "demo/run.completed"]

        (event,) = await until(ended)

    REGISTRY[event.name].payload.model_validate(event.payload)
    assert (event.payload["steps"], event.payload["continued"]) == (2, True)


@pytest.mark.parametrize("data", [{"steps": 0}, {"steps": 10_000}, {"waitS": -1}, {"waitS": "long"}], ids=str)
async def test_an_event_that_cannot_be_meant_begins_nothing(stage: Stage, data: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="events"):
        read([{"name": "demo/process", "data": data}], stage.tenant.id, str)


async def test_nobody_waits_for_what_is_sent_to_no_run(stage: Stage) -> None:
    inbox = Inbox(ReceivedStore(stage.database), Dispatcher(stage.settings(), stage.database, stage.temporal))
    event = {"name": "demo/run.continued", "id": "k", "data": {"eventId": "nothing"}}
    await inbox.take(stage.tenant.id, None, read(event, stage.tenant.id, str))
    async with stage.database.tenant(stage.tenant.id) as connection:
        row = await connection.fetchrow("SELECT state, reason FROM received")
    assert row is not None
    assert (row["state"], row["reason"]) == ("parked", "There is no such run, or it has ended")
