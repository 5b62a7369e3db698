"""A call from its transcript to what came of it, on real workflows and a real database."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from activities import errors
from activities.store.readings import ReadingStore
from activities.transcripts.parts import split
from schemas.budgets import Bound
from schemas.transcripts import CallStart, CallStatus, Source
from starter import start
from tests.fakes import CAPS
from tests.transcripts.twins import HELD, PROMISE, Calls, TwinRecorder, failure, long, spoken
from workflows import ids, policies


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tries are those of the policy, the pauses between them are not."""
    for step in (policies.READ_PART, policies.FETCH_CALL, policies.DATABASE):
        monkeypatch.setattr(step["retry_policy"], "initial_interval", timedelta(milliseconds=100))


async def begin(calls: Calls, call_id: str, **how: Any) -> Any:
    return await start.transcript(calls.stage.temporal, calls.stage.tenant.id, call_id, **how)


async def mails(calls: Calls) -> list[str]:
    """The subjects of what was sent; a notice outlives whoever ordered it."""
    for _ in range(100):
        if sent := calls.stage.sandbox.mailbox.all():
            return [one["subject"] for one in sent]
        await asyncio.sleep(0.1)
    return []


async def test_what_was_said_becomes_what_came_of_it(calls: Calls) -> None:
    taken = await calls.take(spoken())
    async with calls.working():
        done = await (await begin(calls, taken.call_id)).result()

    row = await calls.row(taken.call_id)
    assert (done.status, done.findings) == (CallStatus.PARSED, 2)
    assert (row["status"], row["history_status"], row["version"], row["kept"], row["claimed"]) == (
        *("parsed", "updated", 1),
        *(2, 2),
    )
    assert (row["cost_micro_usd"], row["model"], row["sandbox"]) == (11, "m", True)
    findings = await calls.rows("SELECT kind, quote, at_ms, speaker FROM findings ORDER BY position")
    assert [one["kind"] for one in findings] == ["summary", "next_step"]
    assert findings[1] == {"kind": "next_step", "quote": PROMISE, "at_ms": 60_000, "speaker": "Ada Lovelace"}
    history = await calls.rows("SELECT * FROM opportunity_history")
    assert [(one["transcript_hash"], one["happened_at"]) for one in history] == [(spoken().digest(), HELD)]
    assert await calls.told() == ["transcript/parse.progress", "transcript/parse.completed"]
    assert len(calls.model.prompts) == 1


async def test_the_worker_s_own_reader_reads_it(calls: Calls) -> None:
    """As worker.py puts it together, with the sandbox's model."""
    taken = await calls.take(spoken(promise="I will send you the figures for the northern depots by Friday."))
    async with calls.stage.working():
        done = await (await begin(calls, taken.call_id)).result()

    assert (done.status, len(calls.stage.calls("gemini"))) == (CallStatus.PARSED, 1)
    steps = await calls.rows("SELECT quote, due FROM findings WHERE kind = 'next_step'")
    assert [(one["quote"], one["due"]) for one in steps] == [
        ("I will send you the figures for the northern depots by Friday.", date(2026, 11, 20))
    ]
    row = await calls.row(taken.call_id)
    spent = await calls.rows("SELECT sum(micro_usd)::bigint AS paid FROM spending WHERE state = 'settled'")
    assert (row["sandbox"], row["model"].startswith("gemini"), row["cost_micro_usd"]) == (True, True, spent[0]["paid"])
    assert row["cost_micro_usd"] > 0


async def test_one_that_was_read_is_not_read_again(calls: Calls) -> None:
    taken = await calls.take(spoken())
    async with calls.working():
        await (await begin(calls, taken.call_id)).result()
        again = [await (await begin(calls, taken.call_id, again=one)).result() for one in (False, True)]

    assert [one.findings for one in again] == [2, 2]
    assert len(calls.model.prompts) == 1
    assert await calls.stage.count("findings") == 2


async def test_one_that_was_read_and_whose_run_is_forgotten_is_not_read_again(calls: Calls) -> None:
    taken = await calls.take(spoken())
    async with calls.working():
        handle = await begin(calls, taken.call_id)
        await handle.result()
        await calls.stage.temporal.workflow_service.delete_workflow_execution(_deletion(calls, handle))
        for _ in range(100):
            try:
                await handle.describe()
            except Exception:  # noqa: BLE001 - whatever says that it is gone
                break
            await asyncio.sleep(0.1)
        done = await (await begin(calls, taken.call_id, again=True)).result()

    assert (done.status, done.findings) == (CallStatus.PARSED, 2)
    assert len(calls.model.prompts) == 1
    assert (await calls.row(taken.call_id))["version"] == 1


def _deletion(calls: Calls, handle: Any) -> Any:
    return DeleteWorkflowExecutionRequest(
        namespace=calls.stage.temporal.namespace, workflow_execution=WorkflowExecution(workflow_id=handle.id)
    )


async def test_many_who_begin_it_at_once_are_one_run(calls: Calls) -> None:
    taken = await calls.take(spoken())
    async with calls.working():
        handles = await asyncio.gather(*(begin(calls, taken.call_id, again=n % 2 == 0) for n in range(10)))
        ends = await asyncio.gather(*(one.result() for one in handles))

    assert {one.findings for one in ends} == {2}
    assert len(calls.model.prompts) == 1


async def test_a_long_call_is_read_in_parts_each_once(calls: Calls) -> None:
    taken, parts = await calls.take(long(4)), len(split(long(4)))
    async with calls.working():
        await (await begin(calls, taken.call_id)).result()

    assert parts > 3
    assert len(calls.model.prompts) == len({one.asked for one in calls.model.prompts}) == parts
    assert await calls.stage.count("readings") == parts
    assert (await calls.row(taken.call_id))["cost_micro_usd"] == 11 * parts


async def test_an_answer_that_cannot_be_used_is_asked_again_with_what_was_wrong(calls: Calls) -> None:
    calls.model.says = ["no JSON", "no JSON"]
    taken = await calls.take(spoken())
    async with calls.working():
        await (await begin(calls, taken.call_id)).result()

    assert len(calls.model.prompts) == 3
    assert len({one.asked for one in calls.model.prompts}) == 3
    assert "not valid" not in calls.model.prompts[0].material
    assert all("not valid" in one.material for one in calls.model.prompts[1:])
    spent = await calls.rows("SELECT purpose, state FROM spending ORDER BY purpose")
    assert [(one["purpose"], one["state"]) for one in spent] == [(f"part/1/{n}", "settled") for n in (1, 2, 3)]


async def test_a_failure_is_told_and_mailed_and_only_then_it_can_be_tried_again(calls: Calls) -> None:
    calls.model.says = ["no JSON"] * 3
    taken = await calls.take(spoken())
    async with calls.working():
        error = await failure((await begin(calls, taken.call_id)).result())
        row = await calls.row(taken.call_id)
        assert (row["status"], row["failed_step"], row["failure_reason"]) == ("failed", "read", error.message)
        assert error.type == "NoValidAnswer"
        assert error.message.startswith("read: the model's answers could not be used (not valid: ")
        assert await mails(calls) == ["[sandbox data] The call could not be read: First call"]
        assert await calls.told() == ["transcript/parse.progress", "transcript/parse.failed"]

        same = await begin(calls, taken.call_id)
        assert (await failure(same.result())).message == error.message
        done = await (await begin(calls, taken.call_id, again=True)).result()

    assert done.status is CallStatus.PARSED
    row = await calls.row(taken.call_id)
    assert (row["version"], row["status"], row["failed_step"], row["failure_reason"]) == (2, "parsed", None, None)
    assert len(calls.model.prompts) == 4
    assert row["cost_micro_usd"] == 44


async def test_what_one_try_bought_serves_the_next(calls: Calls) -> None:
    """One part failed for good: the others are not bought again."""
    calls.model.says = [errors.impossible("gemini", "no")]
    taken, parts = await calls.take(long(3)), len(split(long(3)))
    async with calls.working():
        await failure((await begin(calls, taken.call_id)).result())
        assert len(calls.model.prompts) == parts
        await (await begin(calls, taken.call_id, again=True)).result()

    assert len(calls.model.prompts) == parts + 1
    assert await calls.stage.count("opportunity_history") == 1


async def test_a_model_that_will_not_read_it_is_not_asked_again(calls: Calls) -> None:
    calls.model.stopped = "safety"
    taken = await calls.take(spoken())
    async with calls.working():
        error = await failure((await begin(calls, taken.call_id)).result())

    assert (error.type, len(calls.model.prompts)) == ("NoValidAnswer", 1)
    assert (await calls.row(taken.call_id))["status"] == "failed"


async def test_a_provider_that_is_down_is_tried_as_often_as_the_policy_says(calls: Calls) -> None:
    calls.model.says = [errors.unreachable("gemini", OSError()) for _ in range(10)]
    taken = await calls.take(spoken())
    async with calls.working():
        error = await failure((await begin(calls, taken.call_id)).result())

    assert (error.type, len(calls.model.prompts)) == ("ProviderDown", 4)
    assert (await calls.row(taken.call_id))["failure_reason"] == "read: gemini did not answer (OSError)"
    assert {one["state"] for one in await calls.rows("SELECT state FROM spending")} == {"released"}


async def test_a_call_that_is_gone_fails_and_is_nobody_s_news(calls: Calls) -> None:
    async with calls.working():
        error = await failure((await begin(calls, "00000000-0000-4000-8000-000000000000")).result())

    assert (error.type, error.message) == ("NotFound", "begin: no such call")
    assert await calls.stage.count("notices") == 0


async def test_an_end_that_cannot_be_written_is_a_failure_at_that_step(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise errors.database_failed("40001")

    monkeypatch.setattr(ReadingStore, "finish", broken)
    taken = await calls.take(spoken())
    async with calls.working():
        error = await failure((await begin(calls, taken.call_id)).result())

    assert (error.type, error.message) == ("DatabaseFailed", "save: postgres failed (40001)")
    row = await calls.row(taken.call_id)
    assert (row["status"], row["failed_step"]) == ("failed", "save")
    assert await calls.stage.count("findings") == 0


async def test_whoever_cancels_it_leaves_a_status_that_says_so(calls: Calls) -> None:
    taken = await calls.take(None, source=Source.RECORDER)
    calls.recorder = TwinRecorder(calls.store, ready_at=100)
    async with calls.working():
        handle = await begin(calls, taken.call_id)
        for _ in range(100):
            if calls.recorder.asked:
                break
            await asyncio.sleep(0.1)
        assert (await calls.row(taken.call_id))["status"] == "waiting"
        await handle.cancel()
        for _ in range(100):
            if (await handle.describe()).status is WorkflowExecutionStatus.CANCELED:
                break
            await asyncio.sleep(0.1)

    row = await calls.row(taken.call_id)
    assert (row["status"], row["failure_reason"]) == ("failed", "fetch: the run was cancelled")


async def test_a_run_that_comes_late_takes_nothing(calls: Calls) -> None:
    taken = await calls.take(spoken())
    store = ReadingStore(calls.stage.database)
    now = datetime.now(UTC)

    def run(run_id: str, at: datetime) -> CallStart:
        return CallStart(tenant_id=calls.stage.tenant.id, call_id=taken.call_id, run_id=run_id, now=at)

    assert (await store.begin(run("new", now))).version == 1
    assert (await store.begin(run("new", now))).version == 1
    with pytest.raises(Exception, match="a newer run works on this"):
        await store.begin(run("old", now - timedelta(minutes=1)))
    assert (await calls.row(taken.call_id))["run_id"] == "new"


async def test_parts_for_which_others_hold_the_money_are_read_after_them(calls: Calls) -> None:
    """Each part is allowed to cost more than a third of what a run may; together they cost next to nothing."""
    calls.model.most_tokens = CAPS.of(Bound.RUN) * 4 // 10
    taken = await calls.take(long(4))
    async with calls.working():
        done = await (await begin(calls, taken.call_id)).result()

    assert done.status is CallStatus.PARSED
    assert len(calls.model.prompts) == len(split(long(4)))


async def test_all_versions_of_a_call_are_bounded_like_those_of_a_meeting(calls: Calls) -> None:
    taken, month = await calls.take(spoken()), datetime.now(UTC).date().replace(day=1)
    async with calls.stage.database.tenant(calls.stage.tenant.id) as connection:
        await connection.execute("INSERT INTO months (tenant_id, month) VALUES (current_tenant(), $1)", month)
        await connection.execute(
            """
            INSERT INTO spending (tenant_id, month, work_id, version, purpose, provider, model, state, micro_usd,
              reserved_at, ended_at)
            VALUES (current_tenant(), $2, $1, 99, 'part/1/1', 'gemini', 'm', 'settled', $3, now(), now())
            """,
            taken.call_id,
            month,
            CAPS.of(Bound.MEETING),
        )
    async with calls.working():
        error = await failure((await begin(calls, taken.call_id)).result())

    assert error.message == "read: the budget of this meeting is used up ($5.00)"
    assert calls.model.prompts == []


async def test_a_transcript_that_is_not_ready_is_waited_for(calls: Calls, skipping: WorkflowEnvironment) -> None:
    taken = await calls.take(None, source=Source.RECORDER)
    calls.recorder = TwinRecorder(calls.store, ready_at=4)
    async with calls.working(skipping.client):
        handle = await start.transcript(skipping.client, calls.stage.tenant.id, taken.call_id)
        done = await handle.result()

    asked = calls.recorder.asked
    waits = [round((later - earlier).total_seconds() / 60) for earlier, later in pairwise(asked)]
    assert waits == [15, 30, 60]
    assert (done.status, len(calls.model.prompts)) == (CallStatus.PARSED, 1)
    assert await calls.told() == [
        *("transcript/parse.progress", "transcript/parse.progress", "transcript/parse.completed"),
    ]


async def test_one_that_never_comes_is_given_up_after_a_day(calls: Calls, skipping: WorkflowEnvironment) -> None:
    taken = await calls.take(None, source=Source.RECORDER)
    calls.recorder = TwinRecorder(calls.store, ready_at=1000)
    async with calls.working(skipping.client):
        handle = await start.transcript(skipping.client, calls.stage.tenant.id, taken.call_id)
        error = await failure(handle.result())

    row = await calls.row(taken.call_id)
    waited = calls.recorder.asked[-1] - calls.recorder.asked[0]
    assert timedelta(hours=24) <= waited < timedelta(hours=24, minutes=2)
    assert (error.type, row["status"], row["failed_step"]) == ("NotReady", "failed", "fetch")
    assert row["failure_reason"] == "fetch: no transcript came within 24 h"
    assert calls.model.prompts == []


async def test_a_recorder_that_lets_us_in_no_more_is_a_failure_that_says_so(calls: Calls) -> None:
    taken = await calls.take(None, source=Source.RECORDER)
    calls.recorder = TwinRecorder(calls.store, faults=[errors.reauth_required()])
    async with calls.working():
        error = await failure((await begin(calls, taken.call_id)).result())
        assert await mails(calls) == ["[sandbox data] The call could not be read: First call"]

    assert (error.type, error.message) == ("ReauthRequired", "fetch: the account lets us in no more")


async def test_nothing_personal_is_in_its_history(calls: Calls) -> None:
    taken = await calls.take(spoken(), title="Planning with Ada")
    async with calls.working():
        await (await begin(calls, taken.call_id)).result()
        handle = calls.stage.temporal.get_workflow_handle(ids.transcript(calls.stage.tenant.id, taken.call_id))
        said = (await handle.fetch_history()).to_json()

    for word in ("Ada", "Robin", "lovelace", "figures", "Planning with"):
        assert word not in said
