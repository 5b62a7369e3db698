"""What Temporal keeps tells nothing; a missing key costs a run time, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, Worker

from activities import coding
from activities.sealing import SealError
from starter import codec, schedules
from tests.codec.keys import NEW, OLD, client, settings
from tests.codec.planted import LABEL, SECRET, Order, Telling, look
from tests.replay.test_replay import RECORDED, history
from tests.stage import Stage
from worker import SANDBOX, WORKFLOWS
from workflows import ids, policies

TENANT = "11111111-1111-4111-8111-111111111111"
PATIENCE_S = 30


@asynccontextmanager
async def working(there: Client, queue: str, keys: str, *, alone: bool = False) -> AsyncIterator[None]:
    """A worker with these keys; `alone` for one that has activities and no workflows."""
    worker = Worker(
        await client(there, keys),
        task_queue=queue,
        workflows=[] if alone else [Telling],
        activities=[look],
        workflow_runner=SANDBOX,
    )
    async with worker:
        yield


async def begin(there: Client, queue: str, keys: str, order: Order) -> WorkflowHandle[Any, str]:
    return await (await client(there, keys)).start_workflow(
        Telling.run,
        order,
        id=ids.research(TENANT, str(uuid4())),
        task_queue=queue,
        static_summary=LABEL,
        static_details=SECRET,
        memo={"first": SECRET},
        task_timeout=timedelta(seconds=5),
        execution_timeout=timedelta(seconds=60),
    )


async def kept(handle: WorkflowHandle[Any, Any]) -> bytes:
    """Every byte that the server has of a run and its children."""
    described, events = await handle.describe(), (await handle.fetch_history()).events
    return described.raw_description.SerializeToString() + b"".join(event.SerializeToString() for event in events)


async def events(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType) -> list[Any]:
    return [event for event in (await handle.fetch_history()).events if event.event_type == kind]


async def until_seen(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await events(handle, kind):
            await asyncio.sleep(0.1)


async def test_nothing_that_is_said_is_kept_in_clear(temporal: Client) -> None:
    queue = str(uuid4())
    handle = await begin(temporal, queue, OLD, Order())
    async with working(temporal, queue, OLD):
        assert await handle.result() == f"seen: {SECRET}"
    there = await kept(handle)

    assert SECRET.encode() not in there
    assert LABEL.encode() not in there
    assert there.count(b"binary/encrypted") >= 6
    described = await handle.describe()
    assert (await described.memo())["memo"] == SECRET
    assert (await described.static_summary(), await described.static_details()) == (LABEL, SECRET)


async def test_the_reason_of_a_failure_is_not_kept_in_clear_and_can_be_read(temporal: Client) -> None:
    queue = str(uuid4())
    handle = await begin(temporal, queue, OLD, Order(fails=True))
    async with working(temporal, queue, OLD):
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    there = await kept(handle)

    assert SECRET.encode() not in there
    assert b"because of" not in there
    assert b"Encoded failure" in there
    cause = failed.value.cause.__cause__
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message, cause.details[0]) == ("Planted", f"because of {SECRET}", {"said": SECRET})


async def test_without_the_codec_these_tests_would_see_it(temporal: Client) -> None:
    queue = str(uuid4())
    handle = await temporal.start_workflow(
        Telling.run, Order(), id=ids.research(TENANT, str(uuid4())), task_queue=queue, static_summary=LABEL
    )
    there = await kept(handle)
    await handle.terminate()

    assert SECRET.encode() in there
    assert LABEL.encode() in there


async def test_what_was_begun_without_the_codec_goes_on_with_it(temporal: Client) -> None:
    queue = str(uuid4())
    handle = await temporal.start_workflow(
        Telling.run, Order(), id=ids.research(TENANT, str(uuid4())), task_queue=queue
    )
    async with working(temporal, queue, OLD):
        coded = (await client(temporal, OLD)).get_workflow_handle(handle.id, result_type=str)
        assert await coded.result() == f"seen: {SECRET}"


async def test_a_worker_without_the_key_fails_no_workflow_and_one_that_has_it_goes_on(temporal: Client) -> None:
    """The story of a rotation that went wrong, and was mended."""
    queue = str(uuid4())
    handle = await begin(temporal, queue, OLD, Order())
    async with working(temporal, queue, NEW):
        await until_seen(handle, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    (failed, *_) = await events(handle, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    async with working(temporal, queue, f"{NEW},{OLD}"):
        assert await (await client(temporal, f"{OLD},{NEW}")).get_workflow_handle(
            handle.id, result_type=str
        ).result() == (f"seen: {SECRET}")

    reason = failed.workflow_task_failed_event_attributes.failure
    why = await coding.data_converter(settings(NEW)).decode_failure(reason)
    assert str(why) == "SealError: there is no key 'old' in GREENROOM_PAYLOAD_KEYS"
    with pytest.raises(SealError, match="there is no key 'new'"):
        await handle.result()
    (done,) = await events(handle, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
    (result,) = done.workflow_execution_completed_event_attributes.result.payloads
    assert (result.metadata["key-id"], result.metadata["tenant"]) == (b"new", TENANT.encode())


async def test_an_activity_that_a_worker_cannot_read_is_tried_again_by_one_that_can(temporal: Client) -> None:
    queue, other = str(uuid4()), str(uuid4())
    handle = await begin(temporal, queue, OLD, Order(queue=other))
    async with working(temporal, queue, OLD):
        async with working(temporal, other, NEW, alone=True):
            async with asyncio.timeout(PATIENCE_S):
                while not (pending := (await handle.describe()).raw_description.pending_activities) or (
                    not pending[0].HasField("last_failure")
                ):
                    await asyncio.sleep(0.1)
            failure = pending[0].last_failure
            assert not failure.application_failure_info.non_retryable
            assert SECRET.encode() not in failure.SerializeToString()
        async with working(temporal, other, f"{NEW},{OLD}", alone=True), working(temporal, queue, f"{OLD},{NEW}"):
            both = await client(temporal, f"{OLD},{NEW}")
            assert await both.get_workflow_handle(handle.id, result_type=str).result() == f"seen: {SECRET}"


def test_no_policy_gives_up_at_once_for_a_missing_key() -> None:
    steps: list[Any] = [
        value for value in vars(policies).values() if isinstance(value, dict) and "retry_policy" in value
    ]
    assert len(steps) > 5
    for step in steps:
        assert not step["retry_policy"].non_retryable_error_types
        assert step["retry_policy"].maximum_attempts != 1


async def test_a_real_research_leaves_nothing_in_clear(stage: Stage) -> None:
    stage.temporal = await client(stage.temporal, OLD)
    async with stage.working():
        handle = await stage.start(await stage.request("ada@lovelace.example"))
        outcome = await handle.result()
    there = await kept(handle)
    for event in await events(handle, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED):
        child = event.child_workflow_execution_started_event_attributes.workflow_execution
        there += await kept(stage.temporal.get_workflow_handle(child.workflow_id))

    assert there.count(b"binary/encrypted") > 10
    assert outcome.brief_id.encode() not in there
    for said in (b"lovelace.example", b"Prospect 1", b"research_id", b"tenant_id"):
        assert said not in there, said


@pytest.mark.parametrize("path", RECORDED[:6], ids=lambda path: path.stem)
async def test_recorded_runs_are_replayed_by_a_worker_with_a_key(path: Any) -> None:
    replayer = Replayer(
        workflows=WORKFLOWS, workflow_runner=SANDBOX, data_converter=coding.data_converter(settings(OLD))
    )
    result = await replayer.replay_workflow(history(path), raise_on_replay_failure=False)
    assert result.replay_failure is None


@pytest.mark.parametrize(
    ("keys", "mode", "said"),
    [
        (OLD, "on", ""),
        (f"{NEW},{OLD}", "on", ""),
        (OLD, "off", ""),
        (NEW, "on", "there is no key 'old' in GREENROOM_PAYLOAD_KEYS"),
        (NEW, "off", "there is no key 'old' in GREENROOM_PAYLOAD_KEYS"),
        ("", "off", "there is no key 'old' in GREENROOM_PAYLOAD_KEYS"),
    ],
)
async def test_a_worker_looks_whether_it_can_read_what_is_there(
    planned: Client, keys: str, mode: str, said: str
) -> None:
    found = await codec.fit(planned, settings(keys, mode))

    assert (found.ok, said in found.said) == (not said, True), found


async def test_the_next_worker_s_key_is_the_one_that_is_looked_for(planned: Client) -> None:
    """A schedule is written anew by each, whether or not they can read what stood there."""
    await schedules.ensure(await client(planned, NEW), settings())

    assert (await codec.fit(planned, settings(NEW))).ok
    assert not (await codec.fit(planned, settings(OLD))).ok
