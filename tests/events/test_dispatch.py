"""From an event to the work that it asks for: real doors, real Temporal, real rows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.store import suppressions
from schemas.meetings import Attendee, MeetingFacts
from schemas.tenants import NewCampaign
from starter.dispatch import Dispatcher
from starter.intake import person_keys
from tests.events.conftest import Gate, adhoc, opened
from tests.stage import Stage
from tests.waiting import until
from workflows import ids

ADA = "ada@lovelace.example"
SAID = "Ada Lovelace: Our drivers still phone in every change of plan.\nRobin: We could send you a pilot by Friday.\n"


async def runs(gate: Gate, prefix: str) -> list[str]:
    """Workflows of the tenant whose ids begin like this, each run of them, without their children."""
    query = f"WorkflowId STARTS_WITH '{prefix}/{gate.stage.tenant.id}'"
    found = [one.id async for one in gate.stage.temporal.list_workflows(query)]
    return [one for one in found if one.count("/") == 2]


async def test_people_are_researched_once_however_often_it_is_asked(real: Gate, stage: Stage) -> None:
    async with stage.working():
        answers = await asyncio.gather(*(real.post(adhoc(ADA, id="same")) for _ in range(100)))
        assert {(status, tuple(told["ids"])) for status, told in answers} == {(200, ("same",))}
        (row,) = await real.rows()
        handle = stage.temporal.get_workflow_handle(row["workflow_id"])
        await handle.result()
        assert (await real.post(adhoc(ADA, id="same")))[0] == 200, "when it is over, too"

    assert [one.version for one in await stage.library.briefs(stage.tenant.id, 10)] == [1]
    assert await runs(real, "research") == [row["workflow_id"]]
    assert (row["state"], row["payload"]) == ("done", None)


async def test_a_meeting_is_researched_by_its_id(real: Gate, stage: Stage) -> None:
    starts = datetime.now(UTC) + timedelta(days=1)
    meeting_id = await stage.meeting(
        MeetingFacts(source="test", source_key="1", title="t", starts_at=starts, attendees=(Attendee(email=ADA),))
    )
    event = {"name": "research/generate.requested", "data": {"type": "calendar", "meetingId": meeting_id}}
    assert (await real.post(event))[0] == 200
    assert (await real.rows())[0]["workflow_id"] == ids.research(stage.tenant.id, meeting_id)


async def test_what_is_missing_here_is_told_in_its_own_words_and_done_later(stage: Stage) -> None:
    event = {"name": "bootstrap/ingest.requested", "data": {}, "id": "references"}
    bare = stage.settings(sandbox=False, references_url="")
    async with opened(stage, Dispatcher(bare, stage.database, stage.temporal)) as gate:
        status, told = await gate.post(event)
        assert (status, told["error"]) == (503, "There is no library of references")
        assert [row["state"] for row in await gate.rows() if row["state"] in ("done", "parked")] == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"type": "calendar", "meetingId": str(uuid4())}, "meetingId: there is no such meeting"),
        ({"type": "adhoc", "adHocRequestId": "theirs"}, "adHocRequestId: there is no such request; name its prospects"),
        (
            {"type": "adhoc", "campaignId": str(uuid4()), "prospects": [{"email": ADA}]},
            "campaignId: there is no such campaign that is active",
        ),
    ],
)
async def test_what_is_not_there_is_refused_by_its_field(
    real: Gate, stage: Stage, data: dict[str, Any], sentence: str
) -> None:
    good = adhoc(ADA)
    status, told = await real.post([good, {"name": "research/generate.requested", "data": data}])
    assert (status, told["error"]) == (400, f"events[1].data.{sentence}")
    assert await real.rows() == []
    assert await stage.count("research") == 0


async def test_the_campaign_that_is_named_is_meant(real: Gate, stage: Stage) -> None:
    now = datetime.now(UTC)
    texts = {"offering": "o", "target_customer": "t", "pain_points": "p"}
    other, _ = await stage.tenants.add_campaign(
        stage.tenant.id, stage.user.id, NewCampaign(name="b", **texts), now, now
    )
    for campaign in (stage.campaign, other):
        event = adhoc(ADA)
        event["data"]["campaignId"] = campaign.id.upper()
        assert (await real.post(event))[0] == 200
    async with stage.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch("SELECT campaign_id FROM research")
    assert {row["campaign_id"] for row in rows} == {stage.campaign.id, other.id}


async def test_whoever_asked_to_be_forgotten_is_not_researched_and_the_event_is_parked(
    real: Gate, stage: Stage
) -> None:
    async with stage.database.tenant(stage.tenant.id) as connection:
        key = person_keys(stage.settings()).of(stage.tenant.id, ADA)
        await suppressions.add(connection, key, datetime.now(UTC))
    assert (await real.post(adhoc(ADA)))[0] == 200
    (row,) = await real.rows()
    assert (row["state"], row["workflow_id"]) == ("parked", None)
    assert ADA not in (row["reason"] or "")
    assert await runs(real, "research") == []


async def test_a_calendar_is_rung_by_its_channel_its_address_or_our_id(real: Gate, stage: Stage) -> None:
    connected = await stage.connect()
    channel = str(uuid4())
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute(
            """
            INSERT INTO subscriptions (tenant_id, id, calendar_id, status, token_hash, created_at, expires_at)
            VALUES (current_tenant(), $1, $2, 'active', 'hash', '2026-01-01', '2099-01-01')
            """,
            channel,
            connected.calendar_id,
        )
    named = [
        {"channelId": channel.upper()},
        {"calendarId": connected.calendar_id},
        {"calendarId": "Robin.Marsh@harbour.example"},
    ]
    for data in named:
        assert (await real.post({"name": "calendar/webhook.received", "data": data}))[0] == 200
    assert {row["workflow_id"] for row in await real.rows()} == {ids.calendar(stage.tenant.id, connected.calendar_id)}

    other = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, tenant_id=str(uuid4()))
    await other.set_up(datetime.now(UTC))
    async with opened(other, Dispatcher(other.settings(), other.database, other.temporal)) as theirs:
        for data in named:
            assert (await theirs.post({"name": "calendar/webhook.received", "data": data}))[0] == 200
        assert {(row["state"], row["workflow_id"]) for row in await theirs.rows()} == {("done", None)}


async def test_channels_are_renewed_when_it_is_asked(real: Gate) -> None:
    event = {"name": "app/scheduled.webhook-renewal", "data": {"scheduledAt": "2026-11-23T06:00:00Z"}}
    assert (await real.post(event))[0] == 200
    (row,) = await real.rows()
    assert (row["name"], row["workflow_id"]) == ("subscription/renewal.requested", ids.SWEEP)


async def test_a_transcript_becomes_a_call_that_is_read(real: Gate, stage: Stage) -> None:
    data = {
        "callId": "their-7",
        "transcript": SAID,
        "title": "First\u202e call",
        "startedAt": "2026-11-20T09:00:00Z",
        "participants": [{"name": "Ada Lovelace", "email": ADA, "role": "Head of fleet"}],
        "ownerEmail": stage.user.email,
    }
    for _ in range(2):
        assert (await real.post({"name": "transcript/parse.requested", "data": data}))[0] == 200
    async with stage.database.tenant(stage.tenant.id) as connection:
        (call,) = await connection.fetch("SELECT * FROM calls")
        turns = await connection.fetchval("SELECT turns FROM transcripts")
    assert (call["source"], call["source_key"], call["title"], call["user_id"]) == (
        *("event", "their-7", "First call"),
        stage.user.id,
    )
    assert "phone in every change" in str(turns)
    assert {row["workflow_id"] for row in await real.rows()} == {ids.transcript(stage.tenant.id, call["id"])}


async def test_a_call_that_our_recorder_has_is_known_by_its_id_alone(real: Gate, stage: Stage) -> None:
    async with stage.database.tenant(stage.tenant.id) as connection:
        recorder_id = await connection.fetchval(
            """
            INSERT INTO recorders (tenant_id, provider, base_url, key_id, sealed, sandbox, created_at)
            VALUES (current_tenant(), 'gong', 'https://nowhere.example', 'key', '', true, '2026-01-01') RETURNING id
            """
        )
    for number in range(2):
        event = {"name": "transcript/parse.requested", "id": f"{number}", "data": {"callId": "their-7"}}
        assert (await real.post(event))[0] == 200
    async with stage.database.tenant(stage.tenant.id) as connection:
        (call,) = await connection.fetch("SELECT id, source, source_key, recorder_id, sandbox FROM calls")
    assert tuple(call)[1:] == ("recorder", "their-7", recorder_id, True)
    assert {row["workflow_id"] for row in await real.rows()} == {ids.transcript(stage.tenant.id, call["id"])}


async def test_a_transcript_that_is_none_is_refused_in_a_sentence(real: Gate, stage: Stage) -> None:
    for data, sentence in (
        ({"transcript": " \n"}, "events[0].data.transcript: "),
        ({}, "events[0].data.transcript: there is no such call, and nothing records calls; send what was said"),
    ):
        event = {"name": "transcript/parse.requested", "data": {"callId": "their-7", **data}}
        status, told = await real.post(event)
        assert (status, told["error"].startswith(sentence)) == (400, True), told
    assert await stage.count("calls") == 0


async def test_a_mail_goes_to_a_user_and_to_nobody_else(real: Gate, stage: Stage) -> None:
    event = {"name": "email/send", "data": {"to": stage.user.email, "subject": "Hello", "body": "There."}}
    assert (await real.post(event))[0] == 200
    (row,) = await real.rows()
    assert row["workflow_id"].startswith(f"notice/{stage.tenant.id}/")
    status, told = await real.post({"name": "email/send", "data": {"to": "eve@elsewhere.example", "subject": "Hello"}})
    assert (status, told["error"].startswith("events[0].data.to: ")) == (400, True)


async def test_rows_are_kept(real: Gate, stage: Stage) -> None:
    rows = [
        {"name": "record/created", "id": "a", "data": {"amount": 3}},
        {
            "name": "record/created",
            "id": "b",
            "data": {"id": 7, "collection": "deals", "priority": "urgent", "data": {"x": 1}},
        },
    ]
    async with stage.working():
        assert (await real.post(rows))[0] == 200
        await until(lambda: _all_kept(stage, 2))
    async with stage.database.tenant(stage.tenant.id) as connection:
        kept = await connection.fetch("SELECT collection, key, data FROM records ORDER BY collection")
    assert [tuple(row) for row in kept] == [("deals", "7", {"x": 1}), ("records", "a", {"amount": 3})]
    assert {(row["state"], row["payload"]) for row in await real.rows()} == {("done", None)}


async def _all_kept(stage: Stage, count: int) -> bool:
    return await stage.count("records") == count


async def test_while_temporal_is_away_nothing_is_lost_and_the_repeat_begins_it(stage: Stage) -> None:
    away = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
    body = [adhoc(ADA, id="a"), {"name": "record/created", "id": "r", "data": {"amount": 3}}]
    async with opened(stage, Dispatcher(stage.settings(), stage.database, away)) as gate:
        status, told = await gate.post(body)
        assert (status, told["ids"]) == (503, [])
    async with opened(stage, Dispatcher(stage.settings(), stage.database, stage.temporal)) as gate:
        assert await runs(gate, "research") == []
        assert (await gate.post(body))[0] == 200
        assert {row["key"] for row in await gate.rows()} == {"a", "r"}
        assert len(await until(lambda: runs(gate, "research"))) == 1
