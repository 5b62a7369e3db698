"""Whatever happens to a meeting, its brief follows: deliveries and calls exactly as they must be."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from activities.store.database import Database
from sandbox import Sandbox
from starter.dev.postgres import Urls
from tests.diary import ADA, MEI, TOMAS, Diary
from tests.meetings.life import Life
from tests.stage import Stage

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DONE, RUNNING = WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.RUNNING


@pytest.fixture
async def life(skipping: WorkflowEnvironment, database: Database, sandbox: Sandbox, urls: Urls) -> AsyncIterator[Life]:
    stage = Stage(database, skipping.client, sandbox, urls, tenant_id=str(uuid4()))
    await stage.set_up(datetime.now(UTC))
    async with stage.working():
        yield Life(skipping, stage, await Diary.connected(stage))


async def test_a_meeting_is_researched_when_it_appears_and_renewed_and_delivered_before_it_starts(life: Life) -> None:
    starts = await life.in_(days=5)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    assert life.calls() == (2, 1)
    assert life.mails() == []
    await life.until(starts - HOUR - timedelta(minutes=16))
    assert life.calls() == (2, 1)
    await life.until(starts - HOUR - timedelta(minutes=5))
    assert life.calls() == (3, 2), "the company's news is asked again, the person is fresh"
    assert life.mails() == []
    await life.until(starts - timedelta(minutes=59))
    assert len(life.mails()) == 1
    await life.until(starts + HOUR)
    assert len(life.mails()) == 1
    assert life.calls() == (3, 2)
    assert await life.status(event) is DONE


async def test_a_moved_meeting_takes_its_times_with_it(life: Life) -> None:
    starts = await life.in_(days=2)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    life.diary.calendar.move(event, starts + 3 * DAY)
    await life.read()
    await life.until(starts + HOUR)
    assert life.calls() == (2, 1)
    assert life.mails() == []
    assert await life.status(event) is RUNNING
    await life.until(starts + 3 * DAY - timedelta(minutes=55))
    assert life.calls() == (3, 2)
    assert len(life.mails()) == 1


async def test_a_new_guest_is_researched_alone_and_a_brief_that_was_out_goes_out_again(life: Life) -> None:
    starts = await life.in_(hours=10)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    await life.until(starts - timedelta(minutes=55))
    assert (life.calls(), len(life.mails())) == ((3, 2), 1)
    life.diary.calendar.invite(event, TOMAS)
    await life.read()
    assert life.calls() == (5, 3), "the newcomer and their company"
    assert len(life.mails()) == 2


async def test_a_guest_who_leaves_costs_nothing(life: Life) -> None:
    starts = await life.in_(hours=10)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA, MEI])
    await life.read()
    before = life.calls()
    life.diary.calendar.uninvite(event, MEI)
    await life.read()
    assert life.calls() == before


@pytest.mark.parametrize("how", ["cancelled", "declined"])
async def test_nothing_is_spent_or_sent_after_a_cancellation_until_it_is_taken_back(life: Life, how: str) -> None:
    starts = await life.in_(days=2)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    before = life.calls()
    calendar = life.diary.calendar
    if how == "cancelled":
        calendar.cancel(event)
    else:
        calendar.answer(event, None, "declined")
    await life.read()
    assert await life.status(event) is DONE
    await life.until(starts - 20 * HOUR)
    assert not await life.research_now(event)
    assert (life.calls(), life.mails()) == (before, [])
    if how == "cancelled":
        calendar.restore(event)
    else:
        calendar.answer(event, None, "accepted")
    await life.read()
    assert await life.status(event) is RUNNING
    assert life.calls() == before, "its brief is still good"
    await life.until(starts - timedelta(minutes=55))
    assert (life.calls(), len(life.mails())) == ((before[0] + 1, before[1] + 1), 1)


async def test_a_cancellation_stops_a_research_that_is_under_way(life: Life) -> None:
    life.stage.sandbox.delays["perplexity"] = 2.0
    event = life.diary.calendar.add("Introduction", await life.in_(days=2), attendees=[ADA])
    with life.environment.auto_time_skipping_disabled():
        await life.diary.read()
        life.diary.calendar.cancel(event)
        await life.diary.read()
    await life.rest()
    assert await life.status(event) is DONE
    assert len(life.stage.calls("anthropic")) == 0
    assert (await life.stage.run(await life.meeting_id(event))).status == "failed"
    assert life.mails() == []


async def test_an_inactive_campaign_costs_nothing_and_an_active_one_is_made_up_for(life: Life) -> None:
    stage = life.stage
    idle = stage.campaign.model_copy(update={"active": False})
    now = await life.now()
    await stage.tenants.edit_campaign(stage.tenant.id, idle, now, now + 30 * DAY)
    starts = await life.in_(days=2)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    await life.until(starts - DAY)
    assert (life.calls(), life.mails()) == ((0, 0), [])
    assert not await life.research_now(event)
    now = await life.now()
    assert await stage.tenants.edit_campaign(stage.tenant.id, stage.campaign, now, now + 30 * DAY) == [
        await life.meeting_id(event)
    ]
    await life.read()
    assert life.calls() == (2, 1)


async def test_a_calendar_that_is_disconnected_costs_nothing_more_and_may_come_back(life: Life) -> None:
    stage, diary = life.stage, life.diary
    starts = await life.in_(days=2)
    event = diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    before = life.calls()
    store = stage.connections()
    assert await store.disconnect(stage.tenant.id, diary.connection_id, await life.now())
    await life.until(starts - DAY)
    await life.until(starts - timedelta(minutes=50))
    assert (life.calls(), life.mails()) == (before, [])
    assert (await diary.rows())[event]["withdrawn"] == "calendar disconnected"
    again = await diary.grant()
    assert again.calendar_id == diary.calendar_id
    await life.read()
    assert (await diary.rows())[event]["withdrawn"] is None
    assert len(life.mails()) == 1


async def test_a_meeting_that_is_called_off_in_mid_research_and_on_again_has_lost_no_try(life: Life) -> None:
    life.stage.sandbox.delays["perplexity"] = 2.0
    event = life.diary.calendar.add("Introduction", await life.in_(minutes=50), attendees=[ADA])
    with life.environment.auto_time_skipping_disabled():
        await life.diary.read()
        life.diary.calendar.cancel(event)
        await life.diary.read()
    await life.rest()
    life.stage.sandbox.delays["perplexity"] = 0.0
    life.diary.calendar.restore(event)
    await life.read()
    assert (await life.stage.run(await life.meeting_id(event))).status == "ready"
    assert len(life.mails()) == 1
    assert "No brief" not in life.mails()[0]["subject"]


async def test_a_meeting_moved_to_another_day_after_its_brief_went_out_is_mailed_for_that_day_too(life: Life) -> None:
    starts = await life.in_(hours=5)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    await life.until(starts - timedelta(minutes=50))
    assert len(life.mails()) == 1
    life.diary.calendar.move(event, starts + timedelta(minutes=15))
    await life.read()
    assert len(life.mails()) == 1, "a quarter of an hour later is no news"
    life.diary.calendar.move(event, starts + 3 * DAY)
    await life.read()
    await life.until(starts + 3 * DAY - timedelta(minutes=61))
    assert len(life.mails()) == 1
    await life.until(starts + 3 * DAY - timedelta(minutes=50))
    assert len(life.mails()) == 2


async def test_a_mail_that_cannot_go_out_holds_nothing_else_up(life: Life) -> None:
    """The server puts us off for minutes; meanwhile somebody is invited, and somebody asks."""
    starts = await life.in_(minutes=50)
    life.stage.sandbox.faults.put("mail", "status", status=451, times=None)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    with life.environment.auto_time_skipping_disabled():
        await life.diary.read()
        await life.until_version(event, 1)
        life.diary.calendar.invite(event, TOMAS)
        await life.diary.read()
        await life.until_version(event, 2)
        assert (await life.ask(event)).begun
        await life.until_version(event, 3)
    life.stage.sandbox.faults.clear()
    assert await life.status(event) is RUNNING


async def test_each_instance_of_a_series_has_its_own_life(life: Life) -> None:
    first = await life.in_(days=2)
    life.diary.calendar.add(
        "Weekly", first, attendees=[ADA], recurrence="RRULE:FREQ=WEEKLY;COUNT=4", time_zone="Europe/Berlin"
    )
    await life.read()
    instances = sorted(await life.diary.rows())
    assert life.calls() == (2, 4), "one look-up for each subject, a brief for each meeting"
    life.diary.calendar.move(instances[1], first + 8 * DAY)
    life.diary.calendar.cancel(instances[2])
    await life.read()
    assert [await life.status(one) for one in instances] == [RUNNING, RUNNING, DONE, RUNNING]
    await life.until(first + HOUR)
    assert len(life.mails()) == 1
    await life.until(first + 7 * DAY + HOUR)
    assert len(life.mails()) == 1, "nothing goes out at the old time"
    await life.until(first + 8 * DAY + HOUR)
    await life.until(first + 22 * DAY)
    assert [await life.status(one) for one in instances] == [DONE] * 4
    assert len(life.mails()) == 3


async def test_a_meeting_beyond_thirty_days_is_looked_after_once_it_comes_nearer(life: Life) -> None:
    starts = await life.in_(days=40)
    life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    assert life.calls() == (0, 0)
    await life.until(starts - 29 * DAY)
    assert life.calls() == (0, 0)
    await life.read()
    assert life.calls() == (2, 1)


async def test_two_meetings_with_one_company_make_one_look_up_of_it(life: Life) -> None:
    starts = await life.in_(days=2)
    life.diary.calendar.add("One", starts, attendees=[ADA])
    life.diary.calendar.add("Two", starts + 2 * HOUR, attendees=["charles.babbage@lovelace.example"])
    await life.read()
    companies = [call for call in life.stage.calls("perplexity") if str(call["about"]).startswith("company:")]
    assert len(companies) == 1
    assert life.calls() == (3, 2)


async def test_a_provider_that_is_away_for_a_day_is_told_once_and_the_brief_is_there_in_time(life: Life) -> None:
    faults = life.stage.sandbox.faults
    starts = await life.in_(hours=25)
    for provider in ("perplexity", "anthropic"):
        faults.put(provider, "status", status=503, times=None)
    event = life.diary.calendar.add("Introduction", starts, attendees=[ADA])
    await life.read()
    assert life.mails() == [], "more than a day is left"
    await life.until(starts - 5 * HOUR)
    assert len(life.mails()) == 1
    faults.clear()
    await life.until(starts - 3 * HOUR)
    assert (await life.stage.run(await life.meeting_id(event))).status == "ready"
    assert len(life.mails()) == 1
    await life.until(starts - timedelta(minutes=55))
    assert len(life.mails()) == 2, "the failure, and the brief"


async def test_whoever_asks_gets_a_brief_at_once(life: Life) -> None:
    event = life.diary.calendar.add("Introduction", await life.in_(days=2), attendees=[ADA])
    await life.read()
    assert await life.research_now(event)
    assert life.calls() == (2, 2)
    assert (await life.stage.run(await life.meeting_id(event))).version == 2


async def test_a_series_over_a_change_of_the_clocks_is_delivered_an_hour_before_each_all_the_same(life: Life) -> None:
    """At ten in Berlin, on the day before the clocks change, that day, and the day after."""
    berlin = ZoneInfo("Europe/Berlin")
    change = _clocks_change(await life.now(), berlin)
    await life.until(change - 2 * DAY)
    first = (change - DAY).astimezone(berlin).replace(hour=10, minute=0)
    life.diary.calendar.add(
        "Daily",
        f"{first:%Y-%m-%dT%H:%M}",
        attendees=[ADA],
        recurrence="RRULE:FREQ=DAILY;COUNT=3",
        time_zone="Europe/Berlin",
    )
    await life.read()
    rows = sorted((await life.diary.rows()).values(), key=lambda row: row["starts_at"])
    assert [row["starts_at"].astimezone(berlin).hour for row in rows] == [10, 10, 10]
    assert len({row["starts_at"].hour for row in rows}) == 2, "in UTC they are not"
    for sent, row in enumerate(rows):
        await life.until(row["starts_at"] - timedelta(minutes=61))
        assert len(life.mails()) == sent
        await life.until(row["starts_at"] - timedelta(minutes=58))
        assert len(life.mails()) == sent + 1


def _clocks_change(after: datetime, zone: ZoneInfo) -> datetime:
    """The next day, at midnight UTC, whose end is at another offset than its beginning."""
    day = after.replace(hour=0, minute=0, second=0, microsecond=0) + 3 * DAY
    while day.astimezone(zone).utcoffset() == (day + DAY).astimezone(zone).utcoffset():
        day += DAY
    return day
