"""Skills from the asking to the mail: as people and events ask for them, overloaded, refused, stopped, and not ours."""

import asyncio
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer

from activities.store.received import ReceivedStore
from schemas.events import REGISTRY
from schemas.skills import LONGEST_PREVIEW, MOST_STARTS, NewRun, Opinion, RunStatus, Skill
from schemas.tenants import User
from starter import skills
from starter.dispatch import Dispatcher
from starter.inbox import Inbox, RefusedError, read
from starter.office import Office
from starter.skill_meetings import with_meeting
from starter.ways import channels
from starter.words import NotFoundError, NotReadyError, UsageError
from tests.skills.whole import Running
from tests.stage import Stage
from tests.waiting import until
from workflows import ids

FOREIGN = Path(typer.__file__).parent / ".agents" / "skills" / "typer"
PROGRESS, COMPLETED, FAILED = (f"skill.execute.{one}" for one in ("progress", "completed", "failed"))


@pytest.fixture
def running(stage: Stage, tmp_path: Path) -> Running:
    return Running(stage, tmp_path)


async def writing(running: Running, run_id: str) -> None:
    """Some of it is written, and not all."""

    async def drafted() -> bool:
        return bool((await running.view(run_id)).draft)

    await until(drafted)


async def names(running: Running) -> list[str]:
    return [one.name for one in await running.told()]


async def test_from_the_asking_to_the_mail(running: Running) -> None:
    async with running.working():
        view = await running.run("follow-up", message="Thank them for their time")
        text = await running.text(view)
        (mail,) = await running.mails(view.id)

    assert (view.status, view.sandbox, view.draft) == (RunStatus.COMPLETED, True, "")
    assert view.output is not None
    assert view.output.preview == text[:LONGEST_PREVIEW]
    assert view.output.size_bytes == len(text.encode())
    assert (view.output.title, view.output.format) == ("follow-up output", "markdown")
    assert view.output.object_key == f"{running.tenant_id}/skills/{view.id}/output.md"
    assert "Thank them for their time" in text
    assert (view.tokens_in > 0, view.tokens_out > 0, view.cost_micro_usd > 0) == (True, True, True)
    assert view.skill_version
    assert "sandbox data" in mail["subject"]
    events = await running.told()
    assert [one.name for one in events] == [PROGRESS, COMPLETED]
    assert events[1].payload == {
        "runId": view.id,
        "outputId": view.output.id,
        "s3Key": view.output.object_key,
        "tokensUsed": view.tokens_in + view.tokens_out,
    }
    for one in events:
        REGISTRY[one.name].payload.model_validate(one.payload)


async def test_its_user_is_told_by_mail_and_on_their_channels(running: Running) -> None:
    """One that is blocked is switched off, and stops no other."""
    told = channels(running.office.settings, running.stage.database)
    for chat in ("4711", "4712"):
        await told.add(running.tenant_id, running.user_id, "telegram", chat, chat, datetime.now(UTC))
    running.stage.sandbox.faults.put("telegram", "blocked", match="4711")
    async with running.working():
        view = await running.run("follow-up", message="Thank them")

        async def arrived() -> bool:
            messages = running.stage.sandbox.messages.all("4712")
            return any(view.id in one["text"] for one in messages)

        await until(arrived)
        assert await running.mails(view.id)

        async def off() -> bool:
            listed = await told.list(running.tenant_id, running.user_id)
            return [one.status for one in listed] == ["off", "on"]

        await until(off)


async def test_nothing_that_is_asked_for_or_written_is_in_its_history(running: Running) -> None:
    async with running.working():
        view = await running.run("follow-up", message="Thank them for their zeal", inputs={"tone": "warm"})
        text, history = await running.text(view), await running.history(view.id)

    for word in ("zeal", "warm", "Robin", running.stage.user.email, "follow-up output", text[:40]):
        assert word not in history


async def test_what_an_event_asks_for_is_run_once(running: Running) -> None:
    inbox = Inbox(
        ReceivedStore(running.stage.database),
        Dispatcher(running.office.settings, running.stage.database, running.stage.temporal),
    )
    data = {
        "runId": "run_7f3a",
        "skillName": "objection-drill",
        "userMessage": "What will they ask?",
        "userId": running.stage.user.email,
        "options": {"how_many": 3},
    }
    event = {"name": "skill.execute", "data": data, "id": "theirs-1"}
    again = {**event, "id": "theirs-2"}
    run_id = skills.run_id(running.tenant_id, "run_7f3a")
    async with running.working():
        for sent in (event, event, again):
            await inbox.take(running.tenant_id, None, read(sent, running.tenant_id, str))
        view = await running.ended(run_id)
        await running.settled(run_id)

    assert (view.status, view.inputs["how_many"], view.message) == (
        RunStatus.COMPLETED,
        3,
        "What will they ask?",
    )
    assert await running.stage.count("skill_runs") == 1
    assert (await names(running)).count(COMPLETED) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"userId": "nobody@harbour.example"}, "userId: there is no such user"),
        ({"skillName": "no-such"}, 'skillName: there is no skill "no-such"'),
        ({"skillName": "../../etc"}, "skillName: there is no skill"),
        ({"clientId": "nowhere.example"}, "clientId: there is no such company"),
        ({"options": {"how_many": "many"}}, "options: "),
        ({"options": {"meeting": "6a3d1c1e-0000-4000-8000-000000000009"}}, "options: there is no such meeting"),
        ({"userMessage": "x" * 20_001}, "userMessage"),
    ],
    ids=["user", "skill", "path", "client", "inputs", "meeting", "length"],
)
async def test_an_event_that_cannot_be_meant_is_refused_and_leaves_no_row(
    running: Running, change: dict[str, Any], said: str
) -> None:
    inbox = Inbox(
        ReceivedStore(running.stage.database),
        Dispatcher(running.office.settings, running.stage.database, running.stage.temporal),
    )
    data = {"runId": "r", "skillName": "objection-drill", "userMessage": "", "userId": running.stage.user.email}
    event = {"name": "skill.execute", "data": {**data, **change}, "id": "one"}
    with pytest.raises(RefusedError) as refused:
        await inbox.take(running.tenant_id, None, read(event, running.tenant_id, str))

    assert refused.value.status == 400
    assert said in refused.value.sentence
    assert (await running.stage.count("skill_runs"), await running.stage.count("received")) == (0, 0)


async def test_an_event_beyond_the_hundred_of_an_hour_is_put_off_and_leaves_no_row(running: Running) -> None:
    running.shelve("small")
    inbox = Inbox(
        ReceivedStore(running.stage.database),
        Dispatcher(running.office.settings, running.stage.database, running.stage.temporal),
    )
    for _ in range(MOST_STARTS):
        await running.ask("small")
    data = {"runId": "r", "skillName": "small", "userMessage": "", "userId": running.user_id}
    with pytest.raises(RefusedError) as refused:
        await inbox.take(running.tenant_id, None, read({"name": "skill.execute", "data": data}, running.tenant_id, str))

    assert refused.value.status == 429
    assert refused.value.after_s is not None
    assert 3000 < refused.value.after_s <= 3600
    assert await running.stage.count("skill_runs") == MOST_STARTS
    assert await running.stage.count("received") == 0, "it is taken when it is sent again"


async def test_overload_three_times_is_waited_for(running: Running) -> None:
    running.shelve("small")
    running.stage.sandbox.faults.put("anthropic", "status", status=529, times=3)
    async with running.working():
        asked = await running.ask("small", message="hello")

        async def ended() -> bool:
            return (await running.view(asked.run_id)).status is RunStatus.COMPLETED

        async with asyncio.timeout(90):
            while not await ended():
                await asyncio.sleep(0.2)

    assert len(running.stage.calls("anthropic")) == 4
    assert await names(running) == [PROGRESS, COMPLETED]


async def test_what_is_refused_for_good_fails_with_what_it_has_used(running: Running) -> None:
    running.stage.sandbox.faults.put("anthropic", "status", status=400, match="tool_result")
    async with running.working():
        view = await running.run("follow-up", message="hello")
        assert await running.settled(view.id) == "FAILED"
        (mail,) = await running.mails(view.id)

    assert (view.status, view.failed_step, view.retryable) == (RunStatus.FAILED, "execute", False)
    assert "said 400" in view.failure_reason
    assert view.tokens_in > 0, "the answer before it is paid for"
    assert "sandbox data" in mail["subject"]
    (_, failed) = await running.told()
    assert failed.name == FAILED
    assert failed.payload == {
        "runId": view.id,
        "error": view.failure_reason,
        "retryable": False,
        "step": "execute",
    }


async def test_a_run_that_is_stopped_in_mid_stream_stops_its_call_within_five_seconds(running: Running) -> None:
    running.shelve("small")
    running.stage.sandbox.delays["anthropic"] = 0.7
    async with running.working():
        asked = await running.ask("small", message="a long text " * 20)
        await writing(running, asked.run_id)
        assert running.stage.sandbox.journal.running()
        began = time.monotonic()
        assert await skills.cancel(running.office, running.tenant_id, asked.run_id)

        async def hung_up() -> bool:
            return not running.stage.sandbox.journal.running()

        await until(hung_up)
        took = time.monotonic() - began
        view = await running.ended(asked.run_id)
        assert await running.settled(asked.run_id) == "CANCELED"
        assert not await skills.cancel(running.office, running.tenant_id, asked.run_id), "it has ended already"

    assert took < 5, f"it took {took:.1f} s"
    assert (view.status, view.failure_reason, view.retryable) == (RunStatus.FAILED, "cancelled", False)
    assert view.output is None
    assert await names(running) == [PROGRESS, FAILED]
    assert running.stage.sandbox.mailbox.all() == [], "whoever stops it knows"
    assert len(running.stage.calls("anthropic")) == 1


@pytest.mark.parametrize("fate", ["its workflow was ended by hand", "it was never begun", "its workflow is forgotten"])
async def test_a_run_that_nobody_works_on_can_be_stopped(running: Running, fate: str) -> None:
    running.shelve("small")
    wanted = NewRun(user_id=running.user_id, skill="small")
    there = await running.office.skill_runs.ask(running.tenant_id, wanted, "", datetime.now(UTC))
    if fate == "its workflow is forgotten":
        await running.sql("UPDATE skill_runs SET status = 'running', run_id = 'long ago', started_at = turn_at")
    if fate == "its workflow was ended by hand":
        await skills.ask(running.office, running.tenant_id, wanted.model_copy(update={"id": there.run_id}))
        await running.stage.temporal.get_workflow_handle(ids.skill(running.tenant_id, there.run_id)).terminate()

    assert await skills.cancel(running.office, running.tenant_id, there.run_id)
    view = await running.view(there.run_id)
    assert (view.status, view.failure_reason) == (RunStatus.FAILED, "cancelled")
    assert await names(running) == [FAILED]
    assert not await skills.cancel(running.office, running.tenant_id, there.run_id), "there is nothing left to stop"


async def test_nobody_stops_a_run_of_somebody_else(running: Running) -> None:
    running.shelve("small")
    there = await running.ask("small")
    with pytest.raises(NotFoundError):
        await skills.cancel(running.office, running.tenant_id, there.run_id, user_id=there.run_id)
    with pytest.raises(NotFoundError):
        await skills.cancel(running.office, "00000000-0000-4000-8000-000000000000", there.run_id)
    assert (await running.view(there.run_id)).status is RunStatus.QUEUED


async def test_a_skill_that_is_not_ours_is_run_unchanged(running: Running) -> None:
    """From a package that ships one."""
    shutil.copytree(FOREIGN, running.shelf / "typer")
    running.put_up()
    async with running.working():
        view = await running.run("typer", message="How are options declared?")
        assert "How are options declared?" in await running.text(view)

    assert view.status is RunStatus.COMPLETED


def test_a_meeting_is_told_once_whichever_way_it_is_named() -> None:
    meeting = "6a3d1c1e-0000-4000-8000-000000000009"
    inputs = {"type": "object", "properties": {"which": {"type": "string", "format": "meeting"}}}
    skill = Skill(name="s", description="d", version="v", inputs=inputs)
    by_flag = with_meeting(skill, NewRun(user_id=meeting, skill="s", meeting_id=meeting))
    by_form = with_meeting(skill, NewRun(user_id=meeting, skill="s", inputs={"which": meeting.upper()}))
    neither = with_meeting(skill, NewRun(user_id=meeting, skill="s", inputs={"which": "next week"}))

    assert by_flag.inputs == {"which": meeting}
    assert by_form.meeting_id == meeting
    assert neither.meeting_id is None
    assert with_meeting(skill.model_copy(update={"inputs": None}), by_flag) == by_flag


async def meeting(running: Running, user_id: str | None = None, **columns: Any) -> str:
    """One of a user's, in an hour."""
    meeting_id, at = str(uuid4()), datetime.now(UTC) + timedelta(hours=1)
    async with running.stage.database.tenant(running.tenant_id) as connection:
        await connection.execute(
            """
            INSERT INTO meetings (tenant_id, id, user_id, campaign_id, source, source_key, title, starts_at, ends_at,
              created_at)
            SELECT current_tenant(), $1, $2, id, 'cli', $1::uuid::text, 'Renewal', $3, $3, now() FROM campaigns LIMIT 1
            """,
            meeting_id,
            user_id or running.user_id,
            columns.get("starts_at", at),
        )
    return meeting_id


WHICH = "inputs: {type: object, properties: {which: {format: meeting}, then: {format: meeting}}}\n"


async def test_a_meeting_that_is_an_input_is_one_of_its_users(running: Running) -> None:
    running.shelve("small", more=WHICH)
    kim = User(id=str(uuid4()), email="kim@harbour.example", name="Kim")
    await running.stage.tenants.add_user(running.tenant_id, kim, datetime.now(UTC))
    mine, theirs, later = await meeting(running), await meeting(running, kim.id), await meeting(running)

    for wrong in (theirs, "soon", "", "' OR true", str(uuid4()), 7, [mine], {"id": mine}):
        for name in ("which", "then"):
            with pytest.raises(NotFoundError, match="no such meeting"):
                await running.ask("small", inputs={name: wrong})
    with pytest.raises(UsageError, match="Two meetings are named"):
        await running.ask("small", inputs={"which": mine}, meeting_id=later)
    assert await running.stage.count("skill_runs") == 0

    both = await running.view((await running.ask("small", inputs={"which": mine.upper(), "then": later})).run_id)
    assert (both.meeting_id, both.inputs) == (mine, {"which": mine, "then": later})
    agreed = await running.view((await running.ask("small", inputs={"which": mine}, meeting_id=mine)).run_id)
    assert (agreed.meeting_id, agreed.inputs) == (mine, {"which": mine})
    none = await running.view((await running.ask("small", inputs={"which": None})).run_id)
    assert (none.meeting_id, none.inputs) == (None, {"which": None})


async def test_the_next_meeting_is_an_input_too(running: Running) -> None:
    running.shelve("small", more=WHICH)
    with pytest.raises(NotFoundError, match="no such meeting"):
        await running.ask("small", inputs={"which": "next"})
    await meeting(running, starts_at=datetime.now(UTC) + timedelta(hours=9))
    soon = await meeting(running)
    view = await running.view((await running.ask("small", inputs={"which": "next"})).run_id)
    assert (view.meeting_id, view.inputs) == (soon, {"which": soon})


async def test_without_a_place_for_outputs_nothing_is_asked_for(running: Running) -> None:
    running.changes["objects_url"] = ""
    running.shelve("small")
    with pytest.raises(NotReadyError, match="nowhere to put"):
        await running.ask("small")
    assert await running.stage.count("skill_runs") == 0


async def test_a_folder_that_is_no_skill_is_told_as_such(running: Running) -> None:
    running.shelve("small", more="limits: {turns: 900}\n")
    with pytest.raises(UsageError, match="skill check"):
        await running.ask("small")


@pytest.mark.parametrize("where", ["ftp://somewhere", "/nowhere/at/all"])
async def test_a_place_that_cannot_be_read_is_told_as_such(running: Running, where: str) -> None:
    running.changes["skills_url"] = where
    office = Office(running.stage.settings(**running.changes), running.stage.database, running.stage.temporal)
    with pytest.raises((NotReadyError, NotFoundError)):
        await skills.ask(office, running.tenant_id, NewRun(user_id=running.user_id, skill="small"))


async def test_low_scores_are_looked_at(running: Running) -> None:
    running.shelve("small")
    dispatcher = Dispatcher(running.office.settings, running.stage.database, running.stage.temporal)
    async with running.working():
        view = await running.run("small", message="hello")
    said = await running.office.opinions.say(
        running.tenant_id, running.user_id, view.id, Opinion(overall=2), view.created_at
    )
    assert said is not None

    async def sent(feedback_id: str, skill: str) -> Any:
        event = {"name": "feedback.process", "data": {"feedbackId": feedback_id, "skillName": skill}}
        (one,) = read(event, running.tenant_id, str)
        return await dispatcher.begin(running.tenant_id, one, feedback_id)

    looked = await sent(said, "small")
    assert (looked.parked, looked.reason) == (False, "small: 2.0 is its last score, which is low")
    for feedback_id, skill in ((view.id, "small"), (said, "other"), ("nonsense", "small")):
        unknown = await sent(feedback_id, skill)
        assert (unknown.parked, unknown.reason) == (True, "There is no such feedback")
