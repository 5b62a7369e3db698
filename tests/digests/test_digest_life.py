"""A digest from its morning to its end, with twins for all that it does."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities import errors
from schemas.digests import AudioStatus, DigestStatus
from schemas.notices import NoticeKind
from starter import start
from tests.digests.life import DAY, TENANT, USER, World, failure, order, row_id, working
from workflows import ids, policies, queues
from workflows.digests import DigestWorkflow

DIGEST = row_id(f"{USER}/{DAY}")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tries are those of the policy, the pauses between them are not."""
    for step in (
        policies.ASK_NEWS,
        policies.WRITE_SCRIPT,
        policies.SPEAK,
        policies.PUBLISH,
        policies.SAVE_DIGEST,
        policies.TELLING,
    ):
        monkeypatch.setattr(step["retry_policy"], "initial_interval", timedelta(milliseconds=10))
        monkeypatch.setattr(step["retry_policy"], "backoff_coefficient", 1.0)


@pytest.fixture
def world() -> Iterator[World]:
    """Whatever its worker waits for in the end is let go."""
    made = World()
    yield made
    for one in made.slow.values():
        one.set()


@pytest.fixture
async def client(skipping: WorkflowEnvironment) -> Client:
    return skipping.client


async def make(client: Client, **how: Any) -> WorkflowHandle[Any, Any]:
    """As the clock begins it."""
    wanted = order(**how)
    return await client.start_workflow(
        DigestWorkflow.run,
        wanted,
        id=ids.digest(wanted.tenant_id, wanted.user_id, wanted.day),
        task_queue=queues.WORKFLOWS,
    )


async def until(what: Any) -> None:
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.02)


async def test_it_is_asked_about_written_spoken_joined_and_told(client: Client, world: World) -> None:
    world.unasked = 2
    async with working(client, world):
        done = await (await make(client)).result()
        await until(lambda: world.told)

    assert (done.digest_id, done.status, done.audio) == (DIGEST, DigestStatus.READY, AudioStatus.READY)
    assert {step: world.done[step] for step in ("begin", "news", "script", "speak", "publish", "finish", "fail")} == {
        "begin": 1,
        "news": 1,
        "script": 1,
        "speak": 3,
        "publish": 1,
        "finish": 0,
        "fail": 0,
    }
    assert [(one.kind, one.digest_id, one.key) for one in world.told] == [
        (NoticeKind.DIGEST, DIGEST, f"digest/{DIGEST}/1")
    ]


async def test_what_is_not_wanted_is_not_done(client: Client, world: World) -> None:
    world.spoken = world.by_mail = False
    async with working(client, world):
        done = await (await make(client)).result()

    assert (done.status, done.audio) == (DigestStatus.READY, AudioStatus.NONE)
    assert (world.done["news"], world.done["speak"], world.done["publish"], world.done["finish"]) == (0, 0, 0, 1)
    assert world.told == []


async def test_a_quiet_day_that_nobody_wants_to_hear_of_is_not_told(client: Client, world: World) -> None:
    world.pieces, world.quiet_is_told = 0, False
    async with working(client, world):
        done = await (await make(client)).result()

    assert (done.status, world.done["speak"], world.told) == (DigestStatus.SKIPPED, 0, [])


async def test_no_more_than_a_few_pieces_are_spoken_at_once(client: Client, world: World) -> None:
    world.pieces = 9
    world.slow["speak"] = asyncio.Event()
    async with working(client, world):
        handle = await make(client)
        await until(lambda: world.at_work["speak"] == policies.PIECES_AT_ONCE)
        world.slow["speak"].set()
        await handle.result()

    assert world.most_at_work["speak"] == policies.PIECES_AT_ONCE
    assert set(world.bought.values()) == {1}


async def test_a_piece_that_failed_is_made_again_alone(client: Client, world: World) -> None:
    world.faults["speak 2"] = [errors.nonsense("voice", "too little audio")] * 2
    async with working(client, world):
        done = await (await make(client)).result()

    assert done.audio is AudioStatus.READY
    assert [world.done[f"speak {one}"] for one in (1, 2, 3)] == [1, 3, 1]


async def test_an_answer_that_cannot_be_used_is_asked_for_again(client: Client, world: World) -> None:
    world.problems = ["not valid", "not valid"]
    async with working(client, world):
        assert (await (await make(client)).result()).status is DigestStatus.READY

    assert world.done["script"] == policies.ASKS
    assert len([one for one in world.bought if one.startswith("script")]) == policies.ASKS


async def test_without_a_usable_script_it_fails_and_says_so_and_can_be_made_again(client: Client, world: World) -> None:
    world.problems = ["not valid"] * policies.ASKS
    async with working(client, world):
        error = await failure((await make(client)).result())
        row = world.row()
        assert (row.status, row.reason) == (DigestStatus.FAILED, error.message)
        assert error.message == "script: the model's answers could not be used (not valid)"
        await until(lambda: world.told)
        done = await (await start.digest(client, TENANT, USER, DAY)).result()

    assert (done.status, row.version) == (DigestStatus.READY, 2)
    assert world.done["begin"] == 2


async def test_what_is_refused_for_good_is_not_tried_again(client: Client, world: World) -> None:
    world.faults["script"] = [errors.impossible("provider", "no such key")]
    async with working(client, world):
        error = await failure((await make(client)).result())

    assert (error.type, error.message) == ("ProviderRefused", "script: provider: no such key")
    assert world.done["script"] == 1
    assert world.row().status is DigestStatus.FAILED


async def test_without_anybody_to_ask_for_news_the_rest_is_told(client: Client, world: World) -> None:
    world.unasked = 1
    world.faults["news"] = [errors.impossible("provider", "no such key")]
    async with working(client, world):
        done = await (await make(client)).result()

    assert (done.status, world.done["news"], world.newsless) == (DigestStatus.READY, 1, [True])


@pytest.mark.parametrize("step", ["news", "script", "speak 1", "publish"])
async def test_what_is_away_for_a_while_is_tried_again(client: Client, world: World, step: str) -> None:
    world.unasked = 1
    world.faults[step] = [errors.unreachable("provider", OSError()) for _ in range(4)]
    async with working(client, world):
        done = await (await make(client)).result()

    assert (done.status, done.audio, world.done[step]) == (DigestStatus.READY, AudioStatus.READY, 5)


@pytest.mark.parametrize("step", ["speak 1", "publish"])
async def test_a_voice_that_is_refused_for_good_leaves_the_written_digest_with_the_reason(
    client: Client, world: World, step: str
) -> None:
    world.faults[step] = [errors.impossible("voice", "the quota is used up")]
    async with working(client, world):
        done = await (await make(client)).result()
        await until(lambda: world.told)

    assert (done.status, done.audio) == (DigestStatus.READY, AudioStatus.REFUSED)
    assert world.row().reason == "voice: the quota is used up"
    assert world.done[step] == 1
    assert len(world.told) == 1, "the written digest is told"


async def test_after_a_refusal_no_other_piece_is_begun(client: Client, world: World) -> None:
    world.pieces = 20
    world.faults["speak 1"] = [errors.impossible("voice", "no such voice")]
    async with working(client, world):
        await (await make(client)).result()

    assert world.done["speak"] <= 2 * policies.PIECES_AT_ONCE
    assert world.done["publish"] == 0


async def test_a_voice_that_takes_too_long_leaves_the_written_digest(
    temporal: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "SPEAKING", timedelta(seconds=1))
    user = str(uuid4())
    world.slow["speak"] = asyncio.Event()
    async with working(temporal, world):
        done = await (await make(temporal, user=user)).result()
        world.slow["speak"].set()

    assert (done.status, done.audio) == (DigestStatus.READY, AudioStatus.REFUSED)
    assert world.row(user).reason == "not done within 1 s"


async def test_what_is_not_done_by_the_next_morning_is_given_up(
    temporal: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "LONGEST_DIGEST", timedelta(seconds=1))
    user = str(uuid4())
    world.slow["script"] = asyncio.Event()
    async with working(temporal, world):
        error = await failure((await make(temporal, user=user)).result())
        world.slow["script"].set()

    assert (error.type, error.message) == ("TooSlow", "script: not done within 1 s")
    assert world.row(user).status is DigestStatus.FAILED


async def test_a_newer_run_is_no_refusal_of_its_voice(client: Client, world: World) -> None:
    world.faults["speak 1"] = [errors.superseded()]
    async with working(client, world):
        error = await failure((await make(client)).result())

    assert (error.type, world.done["finish"]) == ("Superseded", 0)


async def test_the_rows_are_waited_for(client: Client, world: World) -> None:
    """A morning does not fail for a database that is away for a while."""
    world.faults["begin"] = [errors.database_failed("OSError") for _ in range(6)]
    world.spoken = False
    world.faults["finish"] = [errors.database_failed("OSError") for _ in range(6)]
    async with working(client, world):
        done = await (await make(client)).result()

    assert (done.status, world.done["begin"], world.done["finish"]) == (DigestStatus.READY, 7, 7)


async def test_it_waits_for_its_morning(skipping: WorkflowEnvironment, world: World) -> None:
    morning = await skipping.get_current_time() + timedelta(hours=5)
    async with working(skipping.client, world):
        done = await (await make(skipping.client, not_before=morning)).result()

    begun_at = world.row().begun_at
    assert begun_at is not None
    assert done.status is DigestStatus.READY
    assert morning <= begun_at < morning + timedelta(minutes=1)


async def test_one_whose_morning_is_over_is_made_at_once(client: Client, world: World) -> None:
    async with working(client, world):
        handle = await make(client, not_before=datetime(2026, 1, 1, tzinfo=UTC))
        assert (await handle.result()).status is DigestStatus.READY


async def test_whoever_asks_for_one_that_waits_has_it_now_and_there_is_one(temporal: Client, world: World) -> None:
    """The clock's and a person's are the same."""
    user = str(uuid4())
    async with working(temporal, world):
        waits = await make(temporal, user=user, not_before=datetime.now(UTC) + timedelta(hours=5))
        asked = await asyncio.gather(*(start.digest(temporal, TENANT, user, DAY) for _ in range(5)))
        ends = await asyncio.wait_for(asyncio.gather(*(one.result() for one in asked), waits.result()), 20)

    assert {one.digest_id for one in ends} == {row_id(f"{user}/{DAY}")}
    assert {one.first_execution_run_id for one in (*asked, waits)} == {waits.first_execution_run_id}
    assert (world.done["begin"], world.done["publish"]) == (1, 1)


async def test_one_that_is_ready_stays_as_it_is(client: Client, world: World) -> None:
    async with working(client, world):
        first = await (await make(client)).result()
        again = await (await start.digest(client, TENANT, USER, DAY)).result()
        await until(lambda: world.told)

    assert again == first
    assert (world.done["script"], world.done["publish"], len(world.told)) == (1, 1, 1)


async def test_whoever_cancels_it_leaves_a_status_that_says_so(temporal: Client, world: World) -> None:
    user = str(uuid4())
    world.slow["speak"] = asyncio.Event()
    async with working(temporal, world):
        handle = await make(temporal, user=user)
        await until(lambda: world.at_work["speak"])
        await handle.cancel()
        await until(lambda: world.row(user).status is DigestStatus.FAILED)
        async with asyncio.timeout(20):
            while (await handle.describe()).status is not WorkflowExecutionStatus.CANCELED:
                await asyncio.sleep(0.05)

    assert world.row(user).reason == "speak: the run was cancelled"
    assert world.told == []


async def test_an_end_that_was_written_and_not_heard_of_is_a_good_end(client: Client, world: World) -> None:
    """It is ready; only whoever did that cannot say so."""
    world.unheard = errors.superseded()
    async with working(client, world):
        done = await (await make(client)).result()
        await until(lambda: world.told)

    assert (done.status, done.audio, world.done["fail"]) == (DigestStatus.READY, AudioStatus.READY, 1)
