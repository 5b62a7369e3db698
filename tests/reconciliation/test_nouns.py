"""Every noun that is worked on by a workflow of its own: what is begun again, what has failed, what is left alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.people import PersonKeys
from activities.reconciliation import Noun, ReconciliationActivities, Row, Run
from activities.store import reconciliation
from activities.store.calls import CallStore
from activities.store.erasures import ErasureStore
from activities.transcripts.ports import NewCall
from schemas.notices import dark_key, letter_key, lost_key
from schemas.reconciliation import Comparing, Done, Life, Place
from schemas.transcripts import Source
from tests.diary import ADA, Diary, soon
from tests.reconciliation.ground import Ground, Said, at_once
from tests.stage import KEY
from workflows import ids
from workflows.reconciliation import comparing

LIVES = WorkflowExecutionStatus.RUNNING
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def a_call(ground: Ground, **fields: Any) -> str:
    """A call of the stage's user, as if it had come in long ago."""
    new = NewCall(source=Source.UPLOAD, source_key=str(uuid4()), owner_email=ground.stage.user.email)
    taken = await CallStore(ground.stage.database, PersonKeys(KEY)).take(ground.stage.tenant.id, new, None, LONG_AGO)
    for name, value in fields.items():
        await ground.sql(f"UPDATE calls SET {name} = $2 WHERE id = $1", taken.call_id, value)
    return taken.call_id


def transcript(ground: Ground, call_id: str) -> str:
    return ids.transcript(ground.stage.tenant.id, call_id)


async def test_a_call_set_to_parsing_by_hand_with_no_workflow(ground: Ground) -> None:
    call_id = await a_call(ground, status="parsing")

    one = await ground.only(order=comparing(datetime.now(UTC)))

    assert (one.noun, one.row_id, one.done, one.why) == ("calls", call_id, Done.FAILED, "its workflow is gone")
    row = await ground.row("calls", call_id)
    assert (row["status"], row["failed_step"]) == ("failed", "begin")
    assert row["failure_reason"] == "begin: its workflow is gone"
    assert await ground.ends(call_id) == ["transcript/parse.failed"]
    assert await ground.status(ids.notice(ground.stage.tenant.id, f"unread/{call_id}/0")) == LIVES
    assert await ground.stuck(table=only(ground, "calls")) == []


async def test_a_reading_that_was_terminated_by_hand(ground: Ground) -> None:
    call_id = await a_call(ground, status="parsing", version=2, begun_at=LONG_AGO)
    handle = await ground.stand_in(transcript(ground, call_id))
    await ground.sql("UPDATE calls SET run_id = $2 WHERE id = $1", call_id, handle.first_execution_run_id)
    assert await ground.stuck() == [], "a reading that is merely slow"

    await handle.terminate("by hand")
    assert await ground.stuck() == [("calls", call_id, Done.FAILED)]

    row = await ground.row("calls", call_id)
    assert row["failure_reason"] == "read: its workflow was terminated"
    assert await ground.ends(call_id) == ["transcript/parse.failed"]


async def test_a_call_that_waits_a_day_for_its_transcript_is_left_alone(ground: Ground) -> None:
    call_id = await a_call(ground, status="waiting", begun_at=datetime.now(UTC) - timedelta(hours=23))
    await ground.stand_in(transcript(ground, call_id))
    report = await ground.sweep(comparing(datetime.now(UTC)))
    assert (report.looked_at, report.stuck) == ({"calls": 1}, {})


async def test_a_call_that_waits_with_no_workflow_is_begun(ground: Ground) -> None:
    call_id = await a_call(ground)
    assert await ground.stuck() == [("calls", call_id, Done.BEGUN)]
    assert await ground.status(transcript(ground, call_id)) == LIVES
    assert await ground.stuck() == []


async def test_a_wait_that_was_terminated_by_hand_has_failed(ground: Ground) -> None:
    """Whoever ended it meant that."""
    call_id = await a_call(ground, run_id="run", version=1, begun_at=LONG_AGO)
    await (await ground.stand_in(transcript(ground, call_id))).terminate("by hand")
    assert await ground.stuck() == [("calls", call_id, Done.FAILED)]
    assert (await ground.row("calls", call_id))["failure_reason"] == "fetch: its workflow was terminated"


async def test_a_call_that_was_read_says_so_again(ground: Ground) -> None:
    call_id = await a_call(ground, status="parsing", version=1, ended_at=LONG_AGO)
    assert await ground.stuck(lives=Said(Life.COMPLETED)) == [("calls", call_id, Done.RIGHTED)]
    assert (await ground.row("calls", call_id))["status"] == "parsed"
    assert await ground.ends(call_id) == []


@pytest.mark.parametrize("life", [Life.GONE, Life.TERMINATED])
@pytest.mark.parametrize("status", ["parsing", "waiting"])
@pytest.mark.parametrize(
    "change", ["status = 'parsed'", "status = 'failed'", "version = version + 1", "run_id = 'another'"]
)
async def test_a_call_that_changed_while_its_workflow_was_asked_about_stays(
    ground: Ground, status: str, change: str, life: Life
) -> None:
    call_id = await a_call(ground, status=status, version=1, run_id="run", begun_at=LONG_AGO)

    async def meanwhile() -> None:
        await ground.sql(f"UPDATE calls SET {change} WHERE id = $1", call_id)

    assert (await ground.sweep(lives=Said(life, meanwhile))).stuck == {}
    assert await ground.ends(call_id) == []


async def test_a_call_that_came_in_just_now_is_not_judged(ground: Ground) -> None:
    await a_call(ground, created_at=datetime.now(UTC))
    assert (await ground.sweep(comparing(datetime.now(UTC)))).looked_at == {}


async def test_an_erasure_is_begun_again(ground: Ground) -> None:
    erasure_id = await ErasureStore(ground.stage.database).request(ground.stage.tenant.id, ADA, datetime.now(UTC))
    workflow_id = ids.erasure(ground.stage.tenant.id, erasure_id)
    handle = await ground.stand_in(workflow_id)
    assert await ground.stuck() == []
    await handle.terminate("by hand")

    assert await ground.stuck() == [("erasures", erasure_id, Done.BEGUN)]

    assert await ground.status(workflow_id) == LIVES
    assert await ground.stuck() == []


async def test_an_erasure_that_was_finished_meanwhile_is_not_begun(ground: Ground) -> None:
    erasure_id = await ErasureStore(ground.stage.database).request(ground.stage.tenant.id, ADA, datetime.now(UTC))

    async def meanwhile() -> None:
        await ground.sql("UPDATE erasures SET email = NULL, finished_at = $2 WHERE id = $1", erasure_id, LONG_AGO)

    assert await ground.stuck(lives=Said(Life.COMPLETED, meanwhile)) == []


async def a_notice(ground: Ground, key: str, kind: str, **about: str) -> str:
    columns, values = ", ".join(about), ", ".join(f"${number}" for number in range(5, 5 + len(about)))
    notice_id: str = await ground.sql(
        f"""
        INSERT INTO notices (tenant_id, key, kind, user_id, message_id, created_at {"," if about else ""} {columns})
        VALUES (current_tenant(), $1, $2, $3, 'message', $4 {"," if about else ""} {values}) RETURNING id
        """,
        key,
        kind,
        ground.stage.user.id,
        LONG_AGO,
        *about.values(),
    )
    return notice_id


async def test_a_notice_is_ordered_again_with_all_that_it_was_about(ground: Ground) -> None:
    diary = await Diary.connected(ground.stage)
    letter_id = await ground.sql(
        """
        INSERT INTO letters (tenant_id, user_id, subject, body, created_at)
        SELECT current_tenant(), id, 'subject', 'body', $1 FROM users RETURNING id
        """,
        LONG_AGO,
    )
    keys = {
        lost_key(diary.connection_id, 3): ("reconnect", {}),
        dark_key(diary.calendar_id, LONG_AGO): ("calendar_dark", {}),
        letter_key(letter_id): ("letter", {"letter_id": letter_id}),
    }
    rows = {await a_notice(ground, key, kind, **about): key for key, (kind, about) in keys.items()}

    assert sorted(await ground.stuck(table=only(ground, "notices"))) == sorted(
        ("notices", one, Done.BEGUN) for one in rows
    )

    orders = {key: await _order(ground, key) for key in keys}
    assert [order["connection_id"] for order in orders.values()] == [diary.connection_id, diary.connection_id, None]
    assert orders[letter_key(letter_id)]["letter_id"] == letter_id
    assert {order["user_id"] for order in orders.values()} == {ground.stage.user.id}
    assert await ground.stuck(table=only(ground, "notices")) == []


async def _order(ground: Ground, key: str) -> dict[str, Any]:
    handle = ground.stage.temporal.get_workflow_handle(ids.notice(ground.stage.tenant.id, key))
    async for event in handle.fetch_history_events():
        said = event.workflow_execution_started_event_attributes.input.payloads
        (order,) = await ground.stage.temporal.data_converter.decode(list(said))
        return dict(order)
    raise AssertionError("it has no history")


async def test_a_notice_that_was_sent_meanwhile_is_not_ordered(ground: Ground) -> None:
    notice_id = await a_notice(ground, "key", "reconnect")

    async def meanwhile() -> None:
        await ground.sql("UPDATE notices SET status = 'sent' WHERE id = $1", notice_id)

    assert await ground.stuck(lives=Said(Life.GONE, meanwhile)) == []


@pytest.fixture
async def meeting_id(ground: Ground) -> str:
    """A meeting of a connected calendar in some hours, which nobody looks after."""
    diary = await Diary.connected(ground.stage)
    diary.calendar.add("Forecasts", soon(hours=5), attendees=[ADA])
    async with ground.stage.working():
        await diary.read()
    await ground.end_all()
    (row,) = (await diary.rows()).values()
    await ground.sql("UPDATE research SET status = 'ready'")
    return str(row["id"])


async def test_a_meeting_that_starts_soon_is_looked_after_again(ground: Ground, meeting_id: str) -> None:
    table = only(ground, "meetings")
    workflow_id = ids.meeting(ground.stage.tenant.id, meeting_id)
    assert await ground.status(workflow_id) is WorkflowExecutionStatus.TERMINATED

    assert await ground.stuck(table=table) == [("meetings", meeting_id, Done.BEGUN)]

    assert await ground.status(workflow_id) == LIVES
    assert await ground.stuck(table=table) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE meetings SET starts_at = starts_at + interval '2 days'",
        "UPDATE meetings SET starts_at = starts_at - interval '1 day'",
        "UPDATE meetings SET withdrawn = 'cancelled'",
        "UPDATE meetings SET calendar_id = NULL",
        "UPDATE campaigns SET active = false",
        "DELETE FROM research_prospects",
    ],
)
async def test_a_meeting_for_which_nothing_is_to_be_done_needs_nobody(
    ground: Ground, meeting_id: str, change: str
) -> None:
    await ground.sql(change)
    assert await ground.stuck(table=only(ground, "meetings")) == []


async def test_a_life_that_ended_by_itself_was_long_enough(ground: Ground, meeting_id: str) -> None:
    assert await ground.stuck(lives=Said(Life.COMPLETED), table=only(ground, "meetings")) == []


async def received(ground: Ground, age: timedelta) -> None:
    await ground.sql(
        """
        INSERT INTO received (tenant_id, key, name, state, payload, received_at)
        SELECT current_tenant(), gen_random_uuid()::text, 'record/entity.created', 'collected', '{"data": {"a": 1}}', $1
        """,
        datetime.now(UTC) - age,
    )


async def test_events_without_a_batch_are_collected_again(ground: Ground) -> None:
    await received(ground, timedelta(minutes=2))
    name, order = "record/entity.created", comparing(datetime.now(UTC))

    assert await ground.stuck(order=order) == [("received events", name, Done.BEGUN)]

    assert await ground.status(ids.batch(ground.stage.tenant.id, name)) == LIVES
    assert await ground.stuck(order=order) == [], "a batch that lives has time"
    assert await ground.stuck(order=comparing(datetime.now(UTC) + timedelta(minutes=9))) == [
        ("received events", name, Done.BEGUN)
    ], "... and not for ever: perhaps it has not heard of it"


async def test_events_that_came_just_now_are_not_judged(ground: Ground) -> None:
    await received(ground, timedelta(seconds=10))
    assert (await ground.sweep(comparing(datetime.now(UTC)))).looked_at == {}


async def test_what_an_endpoint_has_not_heard_of_is_told(ground: Ground) -> None:
    tenant_id = ground.stage.tenant.id
    await ground.sql(
        """
        INSERT INTO endpoints (tenant_id, url, key_id, sealed, created_at)
        SELECT current_tenant(), 'https://nowhere.example', 'key', '', $1
        """,
        LONG_AGO,
    )
    assert (await ground.sweep()).looked_at == {}
    await ground.sql(
        """
        INSERT INTO events (tenant_id, name, key, payload, created_at, delivery)
        SELECT current_tenant(), 'name', 'key', '{}', $1, 'pending'
        """,
        LONG_AGO,
    )

    assert await ground.stuck() == [("deliveries", tenant_id, Done.BEGUN)]

    assert await ground.status(ids.delivery(tenant_id)) == LIVES
    assert await ground.stuck() == []


async def test_whoever_cannot_be_mended_is_in_nobody_s_way(ground: Ground) -> None:
    """It is told, and found again the next time."""
    refused = await a_call(ground, status="parsing")
    other = await a_call(ground, status="parsing")
    (calls,) = only(ground, "calls")

    async def mend(row: Row, life: Life, order: Comparing) -> Done | None:
        if row.id == refused:
            raise errors.database_failed("23514")
        return await calls.mend(row, life, order)

    report = await ground.sweep(table=[replace(calls, mend=mend)])

    assert {one.row_id: one.done for one in report.rows} == {refused: Done.LEFT, other: Done.FAILED}
    assert (report.left, report.stuck) == (1, {"calls": 2})
    assert "postgres failed (23514)" in next(one.why for one in report.rows if one.row_id == refused)
    assert await ground.stuck() == [("calls", refused, Done.FAILED)]


@pytest.mark.parametrize("page", [1, 2, 500])
async def test_all_pages_are_looked_at_once(ground: Ground, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(reconciliation, "PAGE", page)
    calls = {await a_call(ground, status="parsing") for _ in range(5)}
    report = await ground.sweep()
    assert {one.row_id for one in report.rows} == calls
    assert report.looked_at == {"calls": 5}


async def test_a_try_that_died_is_gone_on_with(ground: Ground) -> None:
    """From the row after the last that was heard of, with what was told until then."""
    rows = [Row(ground.stage.tenant.id, str(number)) for number in range(45)]
    asked: list[str] = []
    beats: list[Place] = []
    first, second = ActivityEnvironment(), ActivityEnvironment()
    first.on_heartbeat = beats.append

    async def open_(_order: Comparing, after: Row | None) -> list[Row]:
        return rows[int(after.id) + 1 :] if after else rows

    async def first_one(_order: Comparing, after: Row | None) -> list[Row]:
        return [] if after else [Row(ground.stage.tenant.id, "of the first")]

    async def mend(row: Row, _life: Life, _order: Comparing) -> Done | None:
        asked.append(row.id)
        if row.id == "30" and asked.count("30") == 1:
            raise RuntimeError
        return Done.FAILED

    table = [Noun("the first", first_one, lambda row: row.id, mend), Noun("numbers", open_, lambda row: row.id, mend)]
    owner = ReconciliationActivities(table, Said(Life.GONE))
    with pytest.raises(RuntimeError):
        await first.run(owner.sweep, at_once())

    second.info = replace(second.info, heartbeat_details=[beats[-1].model_dump(mode="json")])
    report = await second.run(owner.sweep, at_once())

    assert report.looked_at == {"the first": 1, "numbers": 45}
    assert report.stuck == {"the first": 1, "numbers": 45}
    assert set(asked) == {row.id for row in rows} | {"of the first"}
    assert (asked.count("of the first"), asked.count("5")) == (1, 1), "what the first try has done is not done again"


def only(ground: Ground, name: str) -> list[Noun]:
    return [noun for noun in ground.nouns() if noun.name == name]


async def test_a_noun_that_cannot_be_asked_about_stops_the_sweep(ground: Ground) -> None:
    call_id = await a_call(ground, status="parsing")

    class Away:
        async def of(self, _workflow_id: str) -> Life:
            raise errors.unreachable("Temporal", OSError())

        async def running(self, _workflow: str) -> AsyncIterator[Run]:
            raise errors.unreachable("Temporal", OSError())
            yield Run("", "")

    with pytest.raises(ApplicationError):
        await ground.sweep(lives=Away())
    assert (await ground.row("calls", call_id))["status"] == "parsing"
