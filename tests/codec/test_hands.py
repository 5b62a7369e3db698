"""A worker of activities that lacks a key does nothing and refuses nothing: it ends, and others do the work."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import Worker

from activities import coding
from activities.sealing import SealError
from starter.dev.stack import script
from tests.codec.keys import NEW, OLD, client
from tests.codec.planted import SECRET, Order, Writing, look
from tests.codec.test_runs import PATIENCE_S, TENANT, begin, events, working
from tests.stage import Stage
from worker import SANDBOX
from workflows import ids, queues


@asynccontextmanager
async def hands(there: Client, queue: str, keys: str, mode: str = "on") -> AsyncIterator["asyncio.Future[SealError]"]:
    """A worker that has activities alone; what it ends with."""
    unfit: asyncio.Future[SealError] = asyncio.get_running_loop().create_future()
    one = coding.for_hands(await client(there, keys, mode), lambda why: unfit.done() or unfit.set_result(why))
    async with Worker(one, task_queue=queue, activities=[look]):
        yield unfit


@pytest.mark.parametrize(
    ("keys", "mode"), [(NEW, "on"), (NEW, "off"), ("", "off")], ids=["another", "another, off", "none"]
)
async def test_more_unfit_workers_than_tries_fail_nothing(temporal: Client, keys: str, mode: str) -> None:
    queue, other = str(uuid4()), str(uuid4())
    handle = await begin(temporal, queue, OLD, Order(queue=other, tries=2))
    async with working(temporal, queue, f"{OLD},{NEW}"):
        for _ in range(3):
            async with hands(temporal, other, keys, mode) as unfit, asyncio.timeout(PATIENCE_S):
                assert str(await unfit) == "there is no key 'old' in GREENROOM_PAYLOAD_KEYS"
        async with hands(temporal, other, f"{NEW},{OLD}") as unfit:
            both = await client(temporal, f"{NEW},{OLD}")
            assert await both.get_workflow_handle(handle.id, result_type=str).result() == f"seen: {SECRET}"
    assert not unfit.done()
    assert len(await events(handle, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)) == 2


async def test_one_that_lacks_the_key_leaves_it_to_its_neighbour(temporal: Client) -> None:
    """Two of them at one queue, and the server chooses."""
    queue, other = str(uuid4()), str(uuid4())
    async with (
        working(temporal, queue, OLD),
        hands(temporal, other, OLD) as fit,
        hands(temporal, other, NEW) as unfit,
    ):
        for _ in range(20):
            handle = await begin(temporal, queue, OLD, Order(queue=other, tries=2))
            assert await handle.result() == f"seen: {SECRET}"
            if unfit.done():
                break
    assert unfit.done(), "it was never chosen: this has shown nothing"
    assert not fit.done()


async def test_what_the_last_try_said_under_another_key_fails_nothing_either(temporal: Client) -> None:
    queue, other = str(uuid4()), str(uuid4())
    handle = await begin(temporal, queue, OLD, Order(queue=other, tries=2, stumbles=True))
    async with working(temporal, queue, f"{OLD},{NEW}"):
        async with hands(temporal, other, f"{NEW},{OLD}"):
            async with asyncio.timeout(PATIENCE_S):
                while not (pending := (await handle.describe()).raw_description.pending_activities) or (
                    not pending[0].heartbeat_details.payloads
                ):
                    await asyncio.sleep(0.05)
        async with hands(temporal, other, OLD) as unfit, asyncio.timeout(PATIENCE_S):
            assert "no key 'new'" in str(await unfit)
        async with hands(temporal, other, f"{NEW},{OLD}"):
            both = await client(temporal, f"{OLD},{NEW}")
            assert await both.get_workflow_handle(handle.id, result_type=str).result() == f"seen: {SECRET}"


async def test_the_worker_that_runs_ends_with_a_sentence(wired: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PAYLOAD_CODEC", "on")
    monkeypatch.setenv("GREENROOM_PAYLOAD_KEYS", NEW)
    there, queue = await client(wired.temporal, OLD), str(uuid4())
    handle = await there.start_workflow(Writing.run, id=ids.research(TENANT, str(uuid4())), task_queue=queue)
    async with Worker(there, task_queue=queue, workflows=[Writing], workflow_runner=SANDBOX):
        worker = await asyncio.create_subprocess_exec(
            script("greenroom"), "worker", "--queue", queues.MODEL, stderr=PIPE
        )
        try:
            _, said = await asyncio.wait_for(worker.communicate(), 60)
        finally:
            if worker.returncode is None:
                worker.kill()
        assert (await handle.describe()).status is not None
        await handle.terminate()

    assert worker.returncode == 4, said
    assert said.decode().splitlines()[-1] == (
        "greenroom: A task came that cannot be read here: there is no key 'old' in GREENROOM_PAYLOAD_KEYS; "
        "put that key into GREENROOM_PAYLOAD_KEYS, last is enough"
    )
