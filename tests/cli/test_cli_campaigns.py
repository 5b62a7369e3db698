"""greenroom campaign: what is saved reaches the meetings that it is about."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import Beside
from tests.diary import ADA, Diary
from tests.stage import CAMPAIGN, Stage
from tests.waiting import until
from workflows import ids


async def test_a_campaign_that_is_switched_off_reaches_its_meetings(wired: Stage, beside: Beside) -> None:
    diary = await Diary.connected(wired)
    async with wired.working():
        event = diary.calendar.add("Introduction", datetime.now(UTC) + timedelta(days=2), attendees=[ADA])
        await diary.read()
        meeting_id = (await diary.rows())[event]["id"]
        # While it is researched its end could be the first to wake the workflow, which then ends before it is told.
        await until(lambda: _researched(wired, meeting_id))
        before, told = (await diary.rows())[event]["revision"], await _signals(wired, meeting_id)

        ended = await beside("campaign", "edit", CAMPAIGN.name, "--inactive", "--json")

        assert (ended.code, ended.err, ended.document["active"]) == (0, "", False)
        assert (await diary.rows())[event]["revision"] > before
        assert await _signals(wired, meeting_id) == told + 1


async def _researched(stage: Stage, meeting_id: str) -> bool:
    run = await stage.library.run(stage.tenant.id, meeting_id)
    return run is not None and run.status == "ready"


async def _signals(stage: Stage, meeting_id: str) -> int:
    """How often the meeting's workflow was told of a change."""
    history = await stage.temporal.get_workflow_handle(ids.meeting(stage.tenant.id, meeting_id)).fetch_history()
    return sum(event.HasField("workflow_execution_signaled_event_attributes") for event in history.events)


async def test_while_temporal_is_away_it_is_saved_and_says_when_it_is_told(
    wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary = await Diary.connected(wired)
    async with wired.database.tenant(wired.tenant.id) as connection:
        await connection.execute(
            """
            INSERT INTO meetings (tenant_id, user_id, campaign_id, source, source_key, title, starts_at, ends_at,
              created_at, calendar_id)
            VALUES (current_tenant(), $1, $2, 'test', '1', 't', $3, $4, $3, $5)
            """,
            wired.user.id,
            wired.campaign.id,
            datetime.now(UTC) + timedelta(days=1),
            datetime.now(UTC) + timedelta(days=2),
            diary.calendar_id,
        )
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    ended = await beside("campaign", "edit", CAMPAIGN.name, "--inactive")

    assert ended.code == 0
    assert "reaches all meetings when their calendars are read next" in ended.err
    assert not (await wired.tenants.campaigns(wired.tenant.id))[0].active
