"""Reading a calendar: every page, each change once, nothing lost and nothing that is gone kept."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowFailureError

from activities.calendars.ports import Found
from activities.ports import Page
from activities.providers import google_events
from activities.store.calendars import CalendarStore
from schemas.calendars import Reading, Reason, Ring
from schemas.meetings import MeetingFacts
from tests.diary import ADA, MEI, TOMAS, Diary, soon
from tests.stage import CAMPAIGN, Stage


@pytest.fixture
async def diary(stage: Stage) -> Diary:
    return await Diary.connected(stage)


async def test_a_first_reading_takes_what_is_a_meeting(stage: Stage, diary: Diary) -> None:
    meeting = diary.calendar.add("Introduction", soon(days=2), attendees=[ADA, "kim@harbour.example"])
    diary.calendar.add("Among ourselves", soon(days=2), attendees=["kim@harbour.example"])
    diary.calendar.add("Over", soon(hours=-3), attendees=[ADA])
    async with stage.working():
        read = await diary.read()
    rows = await diary.rows()
    assert set(rows) == {meeting}
    assert rows[meeting]["title"] == "Introduction"
    assert rows[meeting]["prospects"] == [ADA]
    assert (read.changed, read.full, read.told) == (1, True, 1)


async def test_later_readings_take_changes_alone(stage: Stage, diary: Diary) -> None:
    first = diary.calendar.add("First", soon(days=60), attendees=[ADA])
    gone = diary.calendar.add("Gone", soon(days=60), attendees=[MEI])
    async with stage.working():
        await diary.read()
        diary.calendar.move(first, soon(days=61))
        diary.calendar.invite(first, TOMAS)
        diary.calendar.cancel(gone)
        new = diary.calendar.add("New", soon(days=62), attendees=[MEI])
        read = await diary.read()
        again = await diary.read()
    rows = await diary.rows()
    assert (read.full, read.events, read.changed) == (False, 3, 3)
    assert (again.events, again.changed) == (0, 0)
    assert rows[first]["starts_at"] == soon(days=61)
    assert rows[first]["prospects"] == [ADA, TOMAS]
    assert rows[gone]["withdrawn"] == "cancelled"
    assert rows[new]["withdrawn"] is None


async def test_all_pages_are_read_and_the_place_is_behind_the_last(stage: Stage, diary: Diary) -> None:
    stage.sandbox.google.largest_page = 2
    events = {diary.calendar.add(f"Meeting {n}", soon(days=40 + n), attendees=[ADA]) for n in range(5)}
    async with stage.working():
        read = await diary.read()
        diary.calendar.move(min(events), soon(days=80))
        incremental = await diary.read()
    place = await diary.place()
    assert set(await diary.rows()) == events
    assert (read.events, incremental.events) == (5, 1)
    assert place["page_token"] is None
    assert place["sync_token"] is not None


@pytest.mark.parametrize("moment", ["between readings", "on the second page"])
async def test_a_place_that_is_gone_costs_a_full_reading_and_nothing_is_left_over(
    stage: Stage, diary: Diary, moment: str
) -> None:
    kept = [diary.calendar.add(f"Kept {n}", soon(days=40 + n), attendees=[ADA]) for n in range(3)]
    gone = diary.calendar.add("Gone", soon(days=45), attendees=[ADA])
    async with stage.working():
        await diary.read()
        stage.sandbox.google.largest_page = 2
        diary.calendar.cancel(gone)
        for event in kept:
            diary.calendar.edit(event, title="Renamed")
        if moment == "between readings":
            diary.calendar.expire_sync_tokens()
        else:
            stage.sandbox.google.gone_on_page = 2
        read = await diary.read()
    rows = await diary.rows()
    assert read.full
    assert {rows[event]["title"] for event in kept} == {"Renamed"}
    assert rows[gone]["withdrawn"] == "cancelled"
    assert sum(row["withdrawn"] is None for row in rows.values()) == 3


async def test_what_a_full_reading_does_not_see_is_gone(stage: Stage, diary: Diary) -> None:
    """The provider may forget what was deleted; our row must not outlive it."""
    kept = diary.calendar.add("Kept", soon(days=40), attendees=[ADA])
    gone = diary.calendar.add("Gone", soon(days=41), attendees=[ADA])
    async with stage.working():
        await diary.read()
        del diary.calendar._store.state.events[gone]
        diary.calendar.expire_sync_tokens()
        await diary.read()
    rows = await diary.rows()
    assert rows[kept]["withdrawn"] is None
    assert rows[gone]["withdrawn"] == "cancelled"


async def test_what_cannot_be_read_is_still_there(stage: Stage, diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = diary.calendar.add("Strange", soon(days=41), attendees=[ADA])
    read_well = google_events.read
    async with stage.working():
        await diary.read()
        monkeypatch.setattr(
            google_events, "read", lambda item, zone: None if item["id"] == strange else read_well(item, zone)
        )
        diary.calendar.expire_sync_tokens()
        read = await diary.read()
    assert (read.full, read.unreadable, read.changed) == (True, 1, 0)
    assert (await diary.rows())[strange]["withdrawn"] is None


async def test_a_campaign_that_is_switched_while_a_page_is_read_is_the_new_meetings(stage: Stage, diary: Diary) -> None:
    store = CalendarStore(stage.database)
    now = datetime.now(UTC)
    reading = Reading(
        tenant_id=stage.tenant.id,
        calendar_id=diary.calendar_id,
        ring=Ring(reason=Reason.ASKED, at=now),
        now=now,
        ahead=now + timedelta(days=30),
        budget_s=60,
    )
    placed = await store.place(reading)
    wanted = CAMPAIGN.model_copy(update={"name": "The other"})
    other, _ = await stage.tenants.add_campaign(stage.tenant.id, stage.user.id, wanted, now, reading.ahead)
    await stage.meetings.assign(stage.tenant.id, diary.calendar_id, other.id, now, reading.ahead)
    facts = MeetingFacts(
        source=placed.whose.source,
        source_key=placed.whose.key("e1"),
        title="Introduction",
        starts_at=soon(days=2),
        ends_at=soon(days=2, hours=1),
        attendees=(),
    )
    page = Page(events=(), page_token=None, sync_token="s1")
    await store.take(reading, placed, page, [Found(facts.source_key, facts)], {})
    assert (await diary.rows())["e1"]["campaign_id"] == other.id


async def test_a_meeting_far_ahead_that_somebody_had_researched_hears_that_it_is_off(
    stage: Stage, diary: Diary
) -> None:
    asked, left = (diary.calendar.add(title, soon(days=60), attendees=[ADA]) for title in ("Asked for", "Left"))
    async with stage.working():
        await diary.read()
        await (await stage.start((await diary.rows())[asked]["id"])).result()
        for event in (asked, left):
            diary.calendar.cancel(event)
        read = await diary.read()
    assert (read.changed, read.told) == (2, 1)


async def test_an_unchanged_calendar_read_again_in_full_changes_nothing(stage: Stage, diary: Diary) -> None:
    event = diary.calendar.add("Meeting", soon(days=40), attendees=[ADA, TOMAS])
    async with stage.working():
        await diary.read()
        before = (await diary.rows())[event]["revision"]
        diary.calendar.expire_sync_tokens()
        read = await diary.read()
    assert (read.full, read.changed) == (True, 0)
    assert (await diary.rows())[event]["revision"] == before


async def test_each_instance_of_a_series_is_a_meeting_of_its_own(stage: Stage, diary: Diary) -> None:
    start = soon(days=40)
    series = diary.calendar.add("Weekly", start, attendees=[ADA], recurrence="RRULE:FREQ=WEEKLY;COUNT=4")
    async with stage.working():
        await diary.read()
        instances = sorted(await diary.rows())
        diary.calendar.move(instances[1], start + timedelta(days=8))
        diary.calendar.cancel(instances[2])
        await diary.read()
    rows = await diary.rows()
    assert sorted(rows) == instances
    assert all(one.startswith(f"{series}_") for one in instances)
    assert rows[instances[1]]["starts_at"] == start + timedelta(days=8)
    assert [rows[one]["withdrawn"] for one in instances] == [None, None, "cancelled", None]


async def test_a_series_keeps_its_hour_when_the_clocks_change(stage: Stage, diary: Diary) -> None:
    """Ten in Berlin is eight in UTC while summer lasts, and nine after it."""
    year = datetime.now(UTC).year + 1
    weekly = "RRULE:FREQ=WEEKLY;COUNT=3"
    diary.calendar.add("Weekly", f"{year}-10-17T10:00", attendees=[ADA], recurrence=weekly, time_zone="Europe/Berlin")
    async with stage.working():
        await diary.read()
    hours = [row["starts_at"].astimezone(UTC).hour for _, row in sorted((await diary.rows()).items())]
    # The last Sunday of October is the 25th at the earliest and the 31st at the latest.
    assert hours == [8, 8, 9]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c, e: c.answer(e, None, "declined"), "you declined"),
        (lambda c, e: c.answer(e, ADA, "declined"), "nobody from outside"),
        (lambda c, e: c.edit(e, private=True), "private"),
        (lambda c, e: c.cancel(e), "cancelled"),
        (lambda c, e: c.uninvite(e, ADA), "nobody from outside"),
    ],
    ids=["declined", "the guest declined", "made private", "cancelled", "the guest left"],
)
async def test_what_is_no_meeting_any_more_says_why_and_may_come_back(
    stage: Stage, diary: Diary, change: object, reason: str
) -> None:
    event = diary.calendar.add("Meeting", soon(days=40), attendees=[ADA])
    async with stage.working():
        await diary.read()
        change(diary.calendar, event)  # type: ignore[operator]
        await diary.read()
        assert (await diary.rows())[event]["withdrawn"] == reason
        if reason == "cancelled":
            diary.calendar.restore(event)
            await diary.read()
            assert (await diary.rows())[event]["withdrawn"] is None


async def test_a_reading_that_fails_says_since_when_and_a_good_one_ends_it(stage: Stage, diary: Diary) -> None:
    stage.sandbox.faults.put("google", "status", status=403, reason="insufficientPermissions", match="/events")
    async with stage.working():
        with pytest.raises(WorkflowFailureError):
            await diary.read()
        failed = await diary.place()
        await diary.read(Reason.POLL)
    well = await diary.place()
    assert failed["failing_since"] is not None
    assert failed["failure"]
    assert (well["failing_since"], well["failure"]) == (None, None)
