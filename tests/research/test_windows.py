"""Deadlines: whatever is late is left, the brief is written with what is there, and a status is told in the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.pacing import Pacing
from activities.research import ResearchActivities
from activities.research.deadline import remaining
from activities.research.ports import Tried
from schemas.research import Overdue, ResearchOutcome, ResearchRequest, State
from tests.fakes import COMPANY, PERSON, FakeModel, FakePaces, FakeSearch, FakeStore, down, limited, treasurer
from tests.research.material import BRIEF_ID, COMPANY_ID, NOW, PERSON_ID, draft, fact
from worker import build_worker
from workflows import policies, queues
from workflows.research import ResearchWorkflow

GOOD = json.dumps(draft(fact()))
WINDOW, WRITING = policies.RESEARCH_WINDOW.total_seconds(), policies.WRITING_WINDOW.total_seconds()


@asynccontextmanager
async def running(
    environment: WorkflowEnvironment,
    store: FakeStore,
    search: FakeSearch,
    model: FakeModel,
    served: tuple[str, ...] = queues.ALL,
) -> AsyncIterator[WorkflowHandle[ResearchWorkflow, ResearchOutcome]]:
    """A research with twins for the world, on a server that skips time."""
    owner = ResearchActivities(store, store, store, search, [model], Pacing(FakePaces(), {}), treasurer())
    async with AsyncExitStack() as workers:
        for queue in served:
            worker = build_worker(
                environment.client, [owner], task_queue=queue, workflow_failure_exception_types=[Exception]
            )
            await workers.enter_async_context(worker)
        yield await environment.client.start_workflow(
            ResearchWorkflow.run,
            ResearchRequest(tenant_id=BRIEF_ID, research_id=BRIEF_ID),
            id="research/test",
            task_queue=queues.WORKFLOWS,
        )


async def seconds(handle: WorkflowHandle[ResearchWorkflow, ResearchOutcome]) -> float:
    """How long the run took, by the server's clock."""
    description = await handle.describe()
    assert description.close_time is not None
    return (description.close_time - description.start_time).total_seconds()


async def failed(handle: WorkflowHandle[ResearchWorkflow, ResearchOutcome]) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause


async def test_three_polite_waits_of_a_minute_end_in_a_brief(skipping: WorkflowEnvironment) -> None:
    store, search = FakeStore(), FakeSearch({"person": [limited(60), limited(60), limited(60)]})
    async with running(skipping, store, search, FakeModel([GOOD])) as handle:
        await handle.result()

    assert search.asked.count("person") == 4
    assert 180 <= await seconds(handle) < WINDOW
    assert store.briefs


async def test_a_straggler_is_left_when_the_window_closes_and_the_brief_owns_up(skipping: WorkflowEnvironment) -> None:
    store, search = FakeStore(), FakeSearch({"person": [limited(800)]})
    async with running(skipping, store, search, FakeModel([GOOD])) as handle:
        outcome = await handle.result()

    assert [(gap.subject_id, gap.state) for gap in outcome.gaps] == [(PERSON_ID, State.TIMED_OUT)]
    # No upper bound, of time or of tries: the server may skip on while a workflow task is under way.
    assert await seconds(handle) >= WINDOW
    assert [gap.reason for gap in store.briefs[0].gaps if gap.subject_id == PERSON_ID] == [
        "the look-up took too long and was left"
    ]


async def test_writing_has_a_window_of_its_own(skipping: WorkflowEnvironment) -> None:
    store = FakeStore()
    async with running(skipping, store, FakeSearch(), FakeModel([limited(800)])) as handle:
        error = await failed(handle)

    assert (error.type, error.message) == ("TooSlow", "write: not done within 75 s")
    assert await seconds(handle) >= WRITING
    assert [(failure.step, failure.reason) for failure in store.failures] == [("write", error.message)]


@pytest.fixture
def short_window(monkeypatch: pytest.MonkeyPatch) -> float:
    """A second: no server skips time while an activity waits for a worker."""
    monkeypatch.setattr(policies, "RESEARCH_WINDOW", timedelta(seconds=1))
    return 1.0


async def test_a_window_with_nothing_tried_is_opened_once_more(
    skipping: WorkflowEnvironment, short_window: float
) -> None:
    """No worker serves the searches, and no queue moves."""
    store = FakeStore()
    served = (queues.WORKFLOWS, queues.MODEL)
    async with running(skipping, store, FakeSearch(), FakeModel([GOOD]), served) as handle:
        error = await failed(handle)

    assert error.type == "NothingFound"
    assert 2 * short_window <= await seconds(handle) < 2 * short_window + 3
    assert store.failures[0].reason.startswith("look-up: ")


async def test_a_queue_that_moves_is_waited_for(skipping: WorkflowEnvironment, short_window: float) -> None:
    """Behind a long queue nothing of ours is tried for many windows: that is no failure."""
    store = FakeStore(queue_moves=True)
    served = (queues.WORKFLOWS, queues.MODEL)
    async with running(skipping, store, FakeSearch(), FakeModel([GOOD]), served) as handle:
        await asyncio.sleep(4 * short_window)
        assert store.failures == []
        pacing = Pacing(FakePaces(), {})
        owner = ResearchActivities(store, store, store, FakeSearch(), [FakeModel([GOOD])], pacing, treasurer())
        async with build_worker(skipping.client, [owner], task_queue=queues.SEARCH):
            await handle.result()
    assert store.briefs


async def test_an_answer_that_cannot_be_used_is_asked_for_twice_more_and_told_why(
    skipping: WorkflowEnvironment,
) -> None:
    store, model = FakeStore(), FakeModel(["{", json.dumps(draft(fact(quote="nowhere to be found"))), GOOD])
    async with running(skipping, store, FakeSearch(), model) as handle:
        await handle.result()

    problems = [
        json.loads(prompt.material.removeprefix("<material>").removesuffix("</material>"))["problem"]
        for prompt in model.prompts
    ]
    assert problems == [
        None,
        "not valid: the whole: json_invalid",
        "not one fact has its quote in its evidence; copy quotes word for word",
    ]


async def test_after_three_answers_that_cannot_be_used_the_run_fails(skipping: WorkflowEnvironment) -> None:
    store, model = FakeStore(), FakeModel(["{"])
    async with running(skipping, store, FakeSearch(), model) as handle:
        error = await failed(handle)

    assert error.type == "NoValidAnswer"
    assert len(model.prompts) == policies.ASKS


async def test_transport_and_repair_are_counted_apart(skipping: WorkflowEnvironment) -> None:
    """Two broken connections before each of three asks: nine calls, the most there can be."""
    model = FakeModel([down(), down(), "{", down(), down(), "{", down(), down(), GOOD])
    store = FakeStore()
    async with running(skipping, store, FakeSearch(), model) as handle:
        await handle.result()
    assert len(model.prompts) == 9


async def test_a_cancelled_run_says_so_and_ends_cancelled(skipping: WorkflowEnvironment) -> None:
    store, search = FakeStore(), FakeSearch({"person": [limited(800)], "company": [limited(800)]})
    async with running(skipping, store, search, FakeModel([GOOD])) as handle:
        while len(search.asked) < 2:
            await asyncio.sleep(0.05)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    assert "Cancelled" in type(raised.value.cause).__name__
    assert [failure.reason for failure in store.failures] == ["look-up: the run was cancelled"]


async def test_what_is_fresh_is_not_asked_again(skipping: WorkflowEnvironment) -> None:
    fresh = {"fresh": True}
    store = FakeStore((PERSON.model_copy(update=fresh),), (COMPANY.model_copy(update=fresh),))
    search = FakeSearch()
    async with running(skipping, store, search, FakeModel([GOOD])) as handle:
        await handle.result()
        history = await handle.fetch_history()

    assert search.asked == []
    assert not any(
        event.HasField("start_child_workflow_execution_initiated_event_attributes") for event in history.events
    )


@pytest.mark.parametrize(
    ("first_start_s", "waited_s", "moves", "expected"),
    [
        # (how long ago it was first tried, how long of that it waited, others move) -> (over, seconds left, moving)
        (None, 0.0, False, ((), 225.0, False)),
        (None, 0.0, True, ((), 225.0, True)),
        (100, 0.0, False, ((), 125.0, True)),
        (225, 0.0, False, ((PERSON_ID,), 0.0, False)),
        (300, 100.0, False, ((), 25.0, True)),
        # Its turn is still to come: waiting has been booked that has not passed yet.
        (10, 500.0, False, ((), 225.0, True)),
    ],
)
def test_time_is_counted_from_the_first_try_and_without_waiting(
    first_start_s: int | None, waited_s: float, moves: bool, expected: tuple[tuple[str, ...], float, bool]
) -> None:
    overdue = Overdue(
        tenant_id=BRIEF_ID, research_id=BRIEF_ID, version=1, subject_ids=(PERSON_ID,), limit_s=225, now=NOW
    )
    start = None if first_start_s is None else NOW - timedelta(seconds=first_start_s)
    said = remaining(overdue, [Tried(PERSON_ID, start, waited_s, moves)])
    assert (said.over, said.seconds, said.moving) == expected


def test_one_that_has_had_its_time_does_not_wait_for_the_others() -> None:
    overdue = Overdue(tenant_id=BRIEF_ID, research_id=BRIEF_ID, version=1, subject_ids=(), limit_s=225, now=NOW)
    said = remaining(
        overdue,
        [
            Tried(PERSON_ID, NOW - timedelta(seconds=300), 0.0, False),
            Tried(COMPANY_ID, NOW - timedelta(seconds=100), 0.0, False),
        ],
    )
    assert (said.over, said.seconds) == ((PERSON_ID,), 125.0)
