"""A run's row: how it is asked for, whose it is, how it goes on and ends; each of these twice, late, and of others."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.skills.ports import ToolCall
from activities.store.database import Database
from activities.store.skill_asking import TooManyRunsError
from schemas.skills import CANCELLED, Opinion, RunStatus
from tests.skills.run_rows import NOW, Workshop, reply, tool_call, written

SECOND = timedelta(seconds=1)


@pytest.fixture
async def shop(database: Database) -> Workshop:
    shop = Workshop(database)
    await shop.set_up()
    return shop


async def test_the_first_of_a_minute_begin_at_once_and_the_others_wait_for_their_turn(shop: Workshop) -> None:
    asked = [await shop.ask() for _ in range(30)]
    waits = [(one.turn_at - NOW).total_seconds() for one in asked]
    assert waits == [0.0] * 10 + [60.0] * 10 + [120.0] * 10
    assert [one.position for one in asked] == [None] * 10 + list(range(1, 21))
    assert (await shop.ask(await shop.add("ana"))).turn_at == NOW, "others wait for nobody"


async def test_no_minute_has_more_turns_than_it_may(shop: Workshop) -> None:
    """However the starts are spread, and whoever's clock is behind."""
    for n in range(60):
        await shop.ask(now=NOW + SECOND * (n * 2 - (7 if n % 5 == 0 else 0)))
    turns = sorted(row["turn_at"] for row in await shop.rows("SELECT turn_at FROM skill_runs"))
    assert all(later - first >= timedelta(minutes=1) for first, later in zip(turns, turns[10:], strict=False))


async def test_whoever_waits_moves_up(shop: Workshop) -> None:
    asked = [await shop.ask(now=NOW + SECOND * n) for n in range(13)]
    shop.now = NOW + SECOND * 13
    assert [(await shop.view(one.run_id)).position for one in asked[9:]] == [None, 1, 2, 3]
    shop.now = asked[11].turn_at
    assert [(await shop.view(one.run_id)).position for one in asked[9:]] == [None, None, None, 1]
    lines = await shop.runs.list(shop.tenant.id, shop.user.id)
    assert [line.position for line in lines[:2]] == [1, None], "the newest first"


async def test_what_ended_before_it_began_holds_up_nobody(shop: Workshop) -> None:
    asked = [await shop.ask() for _ in range(30)]
    ends = [shop.failure(shop.step(one.run_id), step="start", reason="cancelled") for one in asked[10:]]
    for failure in ends:
        await shop.runs.fail(failure)
    assert (await shop.ask()).turn_at == NOW + timedelta(minutes=1), "after the ten that are to begin"
    begun = await shop.begun(now=NOW + timedelta(minutes=2))
    await shop.runs.fail(shop.failure(begun))
    more = [await shop.ask(now=NOW + timedelta(minutes=2)) for _ in range(10)]
    assert [one.turn_at - NOW for one in more] == [timedelta(minutes=2)] * 9 + [timedelta(minutes=3)]


async def test_one_too_many_in_an_hour_is_refused_and_has_no_row(shop: Workshop) -> None:
    await asyncio.gather(*(shop.ask(now=NOW + SECOND * n) for n in range(100)))
    with pytest.raises(TooManyRunsError) as refused:
        await shop.ask(now=NOW + timedelta(minutes=30))
    assert refused.value.after_s == 1800
    assert "100 skills" in str(refused.value) and "30 minutes" in str(refused.value)
    assert len(await shop.rows("SELECT FROM skill_runs")) == 100
    await shop.ask(await shop.add("ana"))
    await shop.ask(now=NOW + timedelta(hours=1))
    with pytest.raises(TooManyRunsError):
        await shop.ask(now=NOW + timedelta(hours=1))


async def test_many_ask_at_once_and_none_jumps_the_queue(shop: Workshop) -> None:
    asked = await asyncio.gather(*(shop.ask() for _ in range(25)))
    assert sorted((one.turn_at - NOW).total_seconds() for one in asked) == [0.0] * 10 + [60.0] * 10 + [120.0] * 5
    assert sorted(one.position for one in asked if one.position) == list(range(1, 16))


async def test_the_same_id_is_the_same_run(shop: Workshop) -> None:
    run_id = str(uuid4())
    first, again = await shop.ask(id=run_id, message="Hello"), await shop.ask(id=run_id, message="Another")
    assert (first.run_id, first.fresh, again.run_id, again.fresh) == (run_id, True, run_id, False)
    assert (again.turn_at, again.status) == (first.turn_at, RunStatus.QUEUED)
    assert (await shop.view(run_id)).message == "Hello"
    twice = await asyncio.gather(*(shop.ask(id=str(run_id)) for _ in range(5)))
    assert {one.fresh for one in twice} == {False}
    with pytest.raises(ApplicationError, match="no such run"):
        await shop.ask(await shop.add("ana"), id=run_id)


async def test_the_id_of_another_tenants_run_tells_nothing_of_it(shop: Workshop, database: Database) -> None:
    theirs = Workshop(database)
    await theirs.set_up()
    run_id = (await theirs.ask(message="Secret")).run_id
    ours = await shop.ask(id=run_id, message="Ours")
    assert (ours.fresh, (await shop.view(run_id)).message) == (True, "Ours")
    assert (await theirs.view(run_id)).message == "Secret"
    assert await shop.runs.view(theirs.tenant.id, shop.user.id, run_id) is None


async def test_of_somebody_who_is_gone_nothing_is_asked(shop: Workshop) -> None:
    with pytest.raises(ApplicationError, match="no such user"):
        await shop.ask(user_id=str(uuid4()))
    asked = await shop.ask(client_id=str(uuid4()), meeting_id=str(uuid4()), client="Gone Ltd")
    view = await shop.view(asked.run_id)
    assert (view.meeting_id, view.client) == (None, "Gone Ltd")


async def test_what_cannot_be_kept_is_left_out_of_what_is_asked(shop: Workshop) -> None:
    run = await shop.ask(message="a\x00b \ud800", inputs={"k\x00": ["\x00", {"x": "\udfff"}], "n": 1})
    view = await shop.view(run.run_id)
    assert (view.message, view.inputs) == ("ab ?", {"k": ["", {"x": "?"}], "n": 1})


async def test_it_begins_once_and_says_so(shop: Workshop) -> None:
    asked = await shop.ask(message="For Monday", inputs={"tone": "warm"})
    shop.now = NOW + SECOND
    first = await shop.runs.begin(shop.step(asked.run_id), sandbox=True)
    shop.now = NOW + SECOND * 9
    again = await shop.runs.begin(shop.step(asked.run_id), sandbox=True)
    assert first == again
    assert (first.skill, first.message, first.inputs, first.version) == ("follow-up", "For Monday", {"tone": "warm"}, 1)
    view = await shop.view(asked.run_id)
    assert (view.status, view.started_at, view.position, view.sandbox) == (RunStatus.RUNNING, NOW + SECOND, None, True)
    about = {"runId": asked.run_id, "step": "execute", "percent": 10}
    assert await shop.events() == [("skill.execute.progress", about)]
    standing = await shop.runs.standing(shop.step(asked.run_id))
    assert (standing.status, standing.started_at) == (RunStatus.RUNNING, NOW + SECOND)


async def test_a_later_run_of_ours_takes_it_and_the_older_is_refused(shop: Workshop) -> None:
    old = await shop.begun()
    await shop.bought(old)
    with pytest.raises(ApplicationError, match="newer run"):
        await shop.runs.begin(shop.step(old.run_id, "late", NOW - SECOND), sandbox=True)
    shop.now = NOW + SECOND
    new = shop.step(old.run_id, "temporal-2")
    task = await shop.runs.begin(new, sandbox=True)
    assert (task.version, list(task.kept)) == (2, ["a1"])
    for late in (
        shop.runs.draft(old, "late"),
        shop.runs.write(old, written()),
        shop.runs.written(old),
        shop.runs.finish(old, written(), "k"),
    ):
        with pytest.raises(ApplicationError, match="newer run"):
            await late
    assert await shop.rows("SELECT key FROM unneeded_objects") == [], "the object is the other run's as well"
    await shop.runs.fail(shop.failure(old))
    assert (await shop.view(old.run_id)).status is RunStatus.RUNNING


async def test_what_is_written_is_seen_while_it_is_written(shop: Workshop) -> None:
    step = await shop.begun()
    await shop.runs.draft(step, "Call\x00")
    assert (await shop.view(step.run_id)).draft == "Call"
    await shop.runs.write(step, written("Call them."))
    await shop.runs.write(step, written("Something else."))
    assert await shop.runs.written(step) == written("Call them.")
    assert (await shop.runs.begin(step, sandbox=True)).written
    assert (await shop.view(step.run_id)).draft == "Call them."


async def test_an_answer_is_kept_and_paid_for_once(shop: Workshop) -> None:
    step = await shop.begun()
    said = reply(calls=(ToolCall("c", "read_call", {"id": "x", "deep": [{"y": None}]}),), stopped="tool_use")
    await shop.bought(step, said)
    await shop.bought(step, reply("Another"))
    await shop.bought(step, reply("", usage=None), "a2")
    task = await shop.runs.begin(step, sandbox=True)
    assert dict(task.kept) == {"a1": said, "a2": reply("", usage=None)}
    assert (await shop.runs.begin(step, sandbox=False)).kept == {}, "what is pretended does not serve a real run"
    # The second try set aside anew, and its answer is paid as well, though it is not kept.
    assert await shop.spending() == [
        ("reply/a1", "settled", 30),
        ("reply/a1", "settled", 30),
        ("reply/a2", "settled", 100),
    ]
    view = await shop.view(step.run_id)
    assert (view.tokens_in, view.tokens_out, view.cost_micro_usd) == (100, 20, 160)


async def test_it_ends_once_with_its_output_and_its_event(shop: Workshop) -> None:
    text = "# Plän\n\n" + "ü" * 600
    step = await shop.begun()
    await shop.bought(step, reply(text))
    await shop.runs.write(step, written(text))
    done = await shop.runs.finish(step, written(text), "key.md")
    again = await shop.runs.finish(step, written("Another"), "other.md")
    late = await shop.runs.fail(shop.failure(step))
    assert done == again == late == await shop.runs.done(step)
    assert (done.status, done.s3_key, done.tokens_used, done.by_mail) == (RunStatus.COMPLETED, "key.md", 120, True)

    view = await shop.view(step.run_id)
    assert view.output is not None
    assert (view.output.id, view.output.title, view.output.object_key) == (done.output_id, "Plan", "key.md")
    assert (view.output.preview, view.output.size_bytes) == (text[:500], len(text.encode()))
    assert (view.draft, view.skill_version, view.ended_at, view.failure_reason) == ("", "v1", NOW, "")
    payload = {"runId": step.run_id, "outputId": done.output_id, "s3Key": "key.md", "tokensUsed": 120}
    assert await shop.ends() == [("skill.execute.completed", payload)]
    for late_step in (shop.runs.begin(step, sandbox=True), shop.runs.draft(step, "x"), shop.runs.written(step)):
        with pytest.raises(ApplicationError, match="newer run"):
            await late_step


async def test_it_fails_once_with_what_it_has_used(shop: Workshop) -> None:
    step = await shop.begun()
    await shop.bought(step, tool_call(id="x"))
    await shop.runs.draft(step, "Half a sen")
    done = await shop.runs.fail(shop.failure(step, retryable=True))
    again = await shop.runs.fail(shop.failure(step, reason="another"))
    assert done == again == await shop.runs.done(step)
    assert (done.status, done.output_id, done.tokens_used) == (RunStatus.FAILED, None, 120)
    view = await shop.view(step.run_id)
    assert (view.failed_step, view.failure_reason, view.retryable) == ("execute", "execute: no", True)
    assert (view.draft, view.tokens_in, view.cost_micro_usd) == ("Half a sen", 100, 30)
    payload = {"runId": step.run_id, "error": "execute: no", "retryable": True, "step": "execute"}
    assert await shop.ends() == [("skill.execute.failed", payload)]


async def test_whoever_stopped_it_is_not_told(shop: Workshop) -> None:
    await shop.channels.add(shop.tenant.id, shop.user.id, "telegram", "1", "mine", NOW)
    stopped = await shop.runs.fail(shop.failure(await shop.begun(), reason=CANCELLED))
    failed = await shop.runs.fail(shop.failure(await shop.begun()))
    assert [(one.by_mail, len(one.channels)) for one in (stopped, failed)] == [(False, 0), (True, 1)]


async def test_one_that_never_began_fails_too(shop: Workshop) -> None:
    step = shop.step((await shop.ask()).run_id)
    assert (await shop.runs.fail(shop.failure(step, step="start"))).status is RunStatus.FAILED
    with pytest.raises(ApplicationError, match="newer run"):
        await shop.runs.begin(step, sandbox=True)
    assert [name for name, _ in await shop.events()] == ["skill.execute.failed"]


async def test_what_was_put_away_for_a_run_that_came_to_nothing_is_to_be_deleted(shop: Workshop) -> None:
    """Before the end, by a try that died; or after it, by one that came late."""
    before, after = await shop.begun(), await shop.begun()
    await shop.runs.write(before, written())
    for step in (before, after):
        await shop.runs.fail(shop.failure(step))
    with pytest.raises(ApplicationError, match="newer run"):
        await shop.runs.finish(after, written(), "after.md")
    keys = {row["key"] for row in await shop.rows("SELECT key FROM unneeded_objects")}
    assert keys == {f"{shop.tenant.id}/skills/{before.run_id}/output.md", "after.md"}
    assert len(await shop.ends()) == 2


async def test_a_late_answer_of_a_run_that_has_ended_is_paid(shop: Workshop) -> None:
    step = await shop.begun()
    await shop.runs.fail(shop.failure(step))
    await shop.bought(step)
    assert await shop.spending() == [("reply/a1", "settled", 30)]
    assert (await shop.view(step.run_id)).tokens_in == 100


async def test_that_it_is_slow_is_noted_once(shop: Workshop) -> None:
    mail = await shop.channels.add(shop.tenant.id, shop.user.id, "telegram", "1", "mine", NOW)
    waiting = shop.step((await shop.ask()).run_id)
    assert await shop.runs.slow(waiting) is None, "it has not begun"
    step = await shop.begun()
    told = await shop.runs.slow(step)
    assert told is not None and (told.by_mail, told.channels) == (True, (mail,))
    assert await shop.runs.slow(shop.step(step.run_id, now=NOW + SECOND)) == told, "tried again: its answer was lost"
    assert await shop.rows("SELECT slow_at FROM skill_runs WHERE slow_at IS NOT NULL") == [{"slow_at": NOW}]
    ended = await shop.begun()
    await shop.runs.fail(shop.failure(ended))
    assert await shop.runs.slow(ended) is None


async def test_who_is_told_is_as_they_want_it(shop: Workshop) -> None:
    on = await shop.channels.add(shop.tenant.id, shop.user.id, "telegram", "1", "mine", NOW)
    off = await shop.channels.add(shop.tenant.id, shop.user.id, "slack", "2", "work", NOW)
    await shop.channels.add(shop.tenant.id, (await shop.add("ana")).id, "telegram", "3", "hers", NOW)
    await shop.channels.off(shop.tenant.id, off, "blocked", NOW)
    await shop.rows("UPDATE users SET skills_by_mail = false")
    done = await shop.made()
    assert (done.by_mail, done.channels) == (False, (on,))


async def test_nobody_reads_somebody_elses(shop: Workshop, database: Database) -> None:
    done, ana = await shop.made(), await shop.add("ana")
    assert await shop.runs.view(shop.tenant.id, ana.id, done.run_id) is None
    assert await shop.runs.list(shop.tenant.id, ana.id) == ()
    assert [line.id for line in await shop.runs.list(shop.tenant.id, None)] == [done.run_id]
    theirs = Workshop(database)
    await theirs.set_up()
    assert await shop.runs.view(theirs.tenant.id, None, done.run_id) is None
    elsewhere = shop.step(done.run_id).model_copy(update={"tenant_id": theirs.tenant.id})
    assert await theirs.runs.done(elsewhere) is None
    with pytest.raises(ApplicationError, match="no such run"):
        await theirs.runs.standing(elsewhere)
    assert await theirs.feedback.say(theirs.tenant.id, theirs.user.id, done.run_id, Opinion(overall=1), NOW) is None
    failed = await theirs.runs.fail(shop.failure(elsewhere))
    assert (failed.status, failed.by_mail) == (RunStatus.FAILED, False)
    assert await theirs.events() == []
    assert (await shop.view(done.run_id)).status is RunStatus.COMPLETED
