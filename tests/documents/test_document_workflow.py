"""Work on a document from its beginning to its end, with twins for all that it does."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities import errors
from schemas.documents import Progress, RunStatus, Work
from tests.documents.document_life import (
    DOCUMENT,
    OTHER,
    TENANT,
    World,
    begun,
    comes_back,
    failure,
    steps,
    waited_for,
    working,
)
from tests.waiting import until
from workflows import policies, story

STEPS = ("begin", "parse", "embed", "analyse", "compare", "propose", "draw", "finish", "fail")
REFUSED = errors.impossible("provider", "no such key")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tries are those of the policy, the pauses between them are not."""
    for step in (policies.READ_FILE, policies.EMBED, policies.REVIEW_PART, policies.DRAW, policies.TELLING):
        monkeypatch.setattr(step["retry_policy"], "initial_interval", timedelta(milliseconds=10))
        monkeypatch.setattr(step["retry_policy"], "backoff_coefficient", 1.0)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.shut.clear()


async def test_a_review_reads_embeds_goes_through_all_parts_and_ends_once(temporal: Client, world: World) -> None:
    async with working(temporal, world):
        handle = await begun(temporal, urgent=True)
        done = await handle.result()
        told = await handle.query("progress", result_type=Progress)
        described = await handle.describe()

    assert (done.status, done.count, world.events) == (RunStatus.COMPLETED, 2, ["completed"])
    assert steps(world, STEPS) == [1, 1, 1, 2, 0, 0, 0, 1, 0]
    assert (told.step, told.percent) == ("done", 100)
    found = described.typed_search_attributes
    assert found[story.PHASE] == "completed"
    assert found[story.URGENT] is True
    assert (found[story.NOUN], found[story.TENANT_ID]) == ("documents", TENANT)


@pytest.mark.parametrize(
    ("order", "key"), [({"urgent": True, "premium": True}, 1), ({"premium": True}, 2), ({}, 3)], ids=str
)
async def test_every_step_has_its_rank_and_its_tenant(
    temporal: Client, world: World, order: dict[str, bool], key: int
) -> None:
    async with working(temporal, world):
        await (await begun(temporal, **order)).result()

    assert len(world.priorities) == 4
    assert {(one.priority_key, one.fairness_key) for one in world.priorities if one} == {(key, TENANT)}


async def test_a_comparison_reads_and_embeds_both(temporal: Client, world: World) -> None:
    world.other_id = OTHER
    async with working(temporal, world):
        done = await (await begun(temporal, Work.COMPARISON)).result()

    assert done.status is RunStatus.COMPLETED
    assert {one for one in world.about if one[0] in ("parse", "embed")} == {
        (step, document) for step in ("parse", "embed") for document in (DOCUMENT, OTHER)
    }
    assert {document for step, document in world.about if step == "compare"} == {DOCUMENT}
    assert steps(world, STEPS) == [1, 2, 2, 0, 2, 0, 0, 1, 0]


async def test_a_redline_is_proposed_and_drawn(temporal: Client, world: World) -> None:
    async with working(temporal, world):
        done = await (await begun(temporal, Work.REDLINE)).result()

    assert done.status is RunStatus.COMPLETED
    assert steps(world, STEPS) == [1, 1, 0, 0, 0, 2, 1, 1, 0]


async def test_without_vectors_a_review_goes_on_and_says_so(temporal: Client, world: World) -> None:
    world.faults["embed"] = [REFUSED]
    async with working(temporal, world):
        assert (await (await begun(temporal)).result()).status is RunStatus.COMPLETED

    assert world.notes == ("Similar clauses cannot be searched for: provider: no such key",)


async def test_without_vectors_nothing_is_compared(temporal: Client, world: World) -> None:
    world.faults["embed"] = [REFUSED]
    async with working(temporal, world):
        error = await failure((await begun(temporal, Work.COMPARISON)).result())

    assert error.message == "embed: provider: no such key"
    assert (world.steps["compare"], world.events) == (0, ["failed"])


async def test_parts_wait_in_the_workflow_and_not_in_a_worker_s_slots(temporal: Client, world: World) -> None:
    world.parts = 12
    world.shut.add("analyse")
    async with working(temporal, world):
        handle = await begun(temporal)

        async def full() -> bool:
            return world.at_once == policies.PARTS_AT_ONCE

        await until(full)
        world.shut.clear()
        await handle.result()

    assert sorted(world.done_parts) == list(range(1, 13))
    assert world.most_at_once == policies.PARTS_AT_ONCE


async def test_an_answer_that_cannot_be_used_is_asked_for_again(temporal: Client, world: World) -> None:
    world.problems[2] = ["it was cut short", "its quotes were not found"]
    async with working(temporal, world):
        await (await begun(temporal)).result()

    assert (world.steps["analyse"], sorted(world.done_parts)) == (4, [1, 2])


async def test_answers_that_can_never_be_used_end_it(temporal: Client, world: World) -> None:
    world.problems[2] = ["it was cut short"] * policies.ASKS
    async with working(temporal, world):
        error = await failure((await begun(temporal)).result())

    assert error.type == "NoValidAnswer"
    assert world.failure is not None
    assert (world.failure.step, world.failure.retryable) == ("analyse", True)
    assert world.failure.reason == "the model's answers could not be used (it was cut short)"


@pytest.mark.parametrize("step", ["parse", "analyse", "propose", "draw"])
async def test_what_passes_is_tried_again_and_ends_well(temporal: Client, world: World, step: str) -> None:
    tries = 2 if step == "parse" else 3
    world.faults[step] = [errors.answered("provider", 529, "overloaded_error", {}, timedelta())] * tries
    work = Work.ANALYSIS if step in ("parse", "analyse") else Work.REDLINE
    async with working(temporal, world):
        assert (await (await begun(temporal, work)).result()).status is RunStatus.COMPLETED

    assert world.events == ["completed"]


@pytest.mark.parametrize(("step", "tries"), [("parse", 3), ("analyse", 4)])
async def test_what_does_not_pass_fails_and_may_be_asked_for_again(
    temporal: Client, world: World, step: str, tries: int
) -> None:
    world.parts = 1
    world.faults[step] = [errors.answered("provider", 529, "overloaded_error", {}, timedelta())] * 9
    async with working(temporal, world):
        error = await failure((await begun(temporal)).result())

    assert world.failure is not None
    assert (world.failure.step, world.failure.retryable, world.steps[step]) == (step, True, tries)
    assert error.message == f"{step}: provider said 529 (overloaded_error)"
    assert world.events == ["failed"]


async def test_a_file_that_cannot_be_read_is_tried_once_and_says_why(temporal: Client, world: World) -> None:
    world.faults["parse"] = [errors.impossible("the file", "it is encrypted")]
    async with working(temporal, world):
        handle = await begun(temporal)
        error = await failure(handle.result())
        described = await handle.describe()

    assert world.failure is not None
    assert (world.failure.reason, world.failure.retryable) == ("the file: it is encrypted", False)
    assert (world.steps["parse"], world.events) == (1, ["failed"])
    assert described.typed_search_attributes[story.FAILED_STEP] == "parse"
    assert error.type == "ProviderRefused"


async def test_with_a_part_that_fails_for_good_no_other_is_begun(temporal: Client, world: World) -> None:
    """Nor is one gone through that had no money."""
    world.parts = 12
    world.faults["analyse"] = [errors.over_budget("month", 1, held=True), REFUSED]
    async with working(temporal, world):
        error = await failure((await begun(temporal)).result())

    assert error.message == "analyse: provider: no such key"
    assert world.steps["analyse"] <= 2 * policies.PARTS_AT_ONCE


async def test_a_step_that_was_not_done_yet_may_be_asked_for_again(temporal: Client, world: World) -> None:
    world.faults["parse"] = [errors.unfinished("the process that read the file was ended")] * 3
    async with working(temporal, world):
        await failure((await begun(temporal)).result())

    assert world.failure is not None
    assert (world.failure.step, world.failure.retryable) == ("parse", True)


@pytest.mark.parametrize("held", [True, False], ids=["held", "spent"])
async def test_a_part_without_money_is_gone_through_after_the_others(
    temporal: Client, world: World, *, held: bool
) -> None:
    world.faults["analyse"] = [errors.over_budget("month", 1, held=held)]
    async with working(temporal, world):
        assert (await (await begun(temporal)).result()).status is RunStatus.COMPLETED

    assert sorted(world.done_parts) == [1, 2]


async def test_one_whose_document_is_gone_ends_at_its_next_step(temporal: Client, world: World) -> None:
    """Vectors are done without, but not without a document."""
    world.faults["embed"] = [errors.superseded()]
    world.shut.add("analyse")
    async with working(temporal, world):
        error = await asyncio.wait_for(failure((await begun(temporal)).result()), 20)

    assert (error.type, world.steps["finish"]) == ("Superseded", 0)


@pytest.mark.parametrize(
    ("work", "step"),
    [
        *((Work.ANALYSIS, step) for step in ("parse", "embed", "analyse")),
        *((Work.COMPARISON, step) for step in ("parse", "embed", "compare")),
        *((Work.REDLINE, step) for step in ("propose", "draw")),
    ],
)
async def test_a_cancellation_stops_a_running_step_within_five_seconds(
    temporal: Client, world: World, work: Work, step: str
) -> None:
    world.shut.add(step)
    async with working(temporal, world):
        handle = await begun(temporal, work)

        async def runs() -> bool:
            return step in world.begun

        await until(runs)
        began = time.monotonic()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

        async def stopped() -> bool:
            return step in world.stopped

        await until(stopped)
        took = time.monotonic() - began
        described = await handle.describe()

    assert took < 5, f"it took {took:.1f} s"
    assert described.status is WorkflowExecutionStatus.CANCELED
    assert (world.status, world.events) == (RunStatus.CANCELLED, ["cancelled"])
    assert world.failure is not None
    assert (world.failure.reason, world.failure.retryable, world.failure.cancelled) == ("cancelled", True, True)


async def test_one_that_has_ended_is_not_done_again(temporal: Client, world: World) -> None:
    world.status = RunStatus.COMPLETED
    async with working(temporal, world):
        assert (await (await begun(temporal)).result()).status is RunStatus.COMPLETED

    assert steps(world, STEPS) == [1, 0, 0, 0, 0, 0, 0, 0, 0]


async def test_one_that_is_asked_for_anew_takes_the_place_of_one_that_only_ends(temporal: Client, world: World) -> None:
    """Its row has ended and is asked for again, before its workflow has: nobody would work on it."""
    world.shut.add("analyse")
    async with working(temporal, world):
        first = await (await begun(temporal)).describe()

        async def runs() -> bool:
            return "analyse" in world.begun

        await until(runs)
        world.status, world.version = RunStatus.QUEUED, 2
        world.shut.clear()
        done = await (await begun(temporal)).result()
        before = await temporal.get_workflow_handle(first.id, run_id=first.run_id).describe()

    assert done.status is RunStatus.COMPLETED
    assert before.status is WorkflowExecutionStatus.TERMINATED
    assert world.events == ["completed"]


async def test_after_six_hours_it_is_given_up(skipping: WorkflowEnvironment, world: World) -> None:
    world.faults["analyse"] = [comes_back(60 * 7)] * 2
    async with working(skipping.client, world):
        error = await failure((await waited_for(skipping.client)).result())

    assert error.type == "TooSlow"
    assert world.failure is not None
    assert (world.failure.reason, world.failure.retryable) == ("not done within 21600 s", True)
