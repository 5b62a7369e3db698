"""The pretended Calendar lists, pages and tells what changed, as the official client expects and the schema says."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from googleapiclient.errors import HttpError

from sandbox import Sandbox
from sandbox.google.diary import Calendar
from tests.sandbox.official import ROBIN, Official, problems, reason

ADA, BOB = "ada@lovelace.example", "bob@brightwater.example"
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"


@pytest.fixture
def robin(sandbox: Sandbox) -> Calendar:
    sandbox.world.clock.set(datetime(2026, 10, 12, 9, tzinfo=ZoneInfo("Europe/Berlin")))
    return sandbox.calendar(ROBIN)


@pytest.fixture
def google(sandbox: Sandbox, robin: Calendar) -> Official:
    return Official(sandbox)


def ids(items: list[dict[str, Any]]) -> set[str]:
    return {item["id"] for item in items}


def by_start(items: list[dict[str, Any]]) -> list[str]:
    return sorted(item["start"]["dateTime"] for item in items)


def test_the_validator_knows_what_google_would_not_say() -> None:
    wrong = {"id": 5, "colour": "red", "attendees": [{"self": "yes"}], "start": {"date": "2026-01-01"}}

    assert list(problems(wrong, {"$ref": "Event"})) == [
        ".id: int is no string",
        ".colour: unknown",
        ".attendees[0].self: str is no boolean",
    ]


async def test_an_event_says_what_is_known_of_it(robin: Calendar, google: Official) -> None:
    event = robin.add(
        "First call",
        "2026-10-14T10:00",
        45,
        [{"email": ADA, "name": "Ada Lovelace"}, {"email": BOB, "optional": True, "status": "declined"}],
        room="Harbour 2",
        meet=True,
        private=True,
        free=True,
        description="Agenda: <b>loads</b>",
        location="Pier 4",
    )

    (item,) = (await google.listed())["items"]

    assert item == await google.one(event)
    assert item["start"] == {"dateTime": "2026-10-14T10:00:00+02:00", "timeZone": "Europe/Berlin"}
    assert item["end"]["dateTime"] == "2026-10-14T10:45:00+02:00"
    assert item["organizer"] == {"email": ROBIN, "displayName": "Robin Marsh", "self": True}
    assert item["attendees"] == [
        {"email": ROBIN, "displayName": "Robin Marsh", "organizer": True, "self": True, "responseStatus": "accepted"},
        {"email": ADA, "displayName": "Ada Lovelace", "responseStatus": "needsAction"},
        {"email": BOB, "optional": True, "responseStatus": "declined"},
        {
            "email": "room-harbour-2@resource.calendar.google.com",
            "displayName": "Harbour 2",
            "resource": True,
            "responseStatus": "accepted",
        },
    ]
    assert (item["visibility"], item["transparency"], item["eventType"]) == ("private", "transparent", "default")
    assert (item["summary"], item["location"], item["sequence"]) == ("First call", "Pier 4", 0)
    assert item["hangoutLink"] == item["conferenceData"]["entryPoints"][0]["uri"]
    assert item["iCalUID"] == f"{event}@google.com"


async def test_an_invitation_from_elsewhere_and_a_whole_day(robin: Calendar, google: Official) -> None:
    call = robin.add("Their call", "2026-10-14T10:00", organizer={"email": ADA, "name": "Ada Lovelace"})
    day = robin.add("Fair", "2026-10-15", all_day=True, days=2, event_type="outOfOffice")

    theirs, fair = await google.one(call), await google.one(day)

    assert theirs["organizer"] == {"email": ADA, "displayName": "Ada Lovelace"}
    owner, host = theirs["attendees"]
    assert (owner["self"], owner["responseStatus"], host["organizer"]) == (True, "needsAction", True)
    assert (fair["start"], fair["end"]) == ({"date": "2026-10-15"}, {"date": "2026-10-17"})
    assert (fair["eventType"], "attendees" in fair) == ("outOfOffice", False)


async def test_guests_can_be_too_many_to_show(robin: Calendar, google: Official) -> None:
    crowd = robin.add("Crowd", "tomorrow", attendees=[f"guest{n}@fair.example" for n in range(5)])
    secret = robin.add("Secret", "tomorrow", attendees=[ADA], guests_hidden=True)

    short = await google.one(crowd, maxAttendees=3)
    hidden = await google.one(secret)

    for event in (short, hidden):
        assert event["attendeesOmitted"] is True
        assert [guest["email"] for guest in event["attendees"]] == [ROBIN]
    assert "attendeesOmitted" not in await google.one(crowd, maxAttendees=6)


async def test_pages_end_with_a_sync_token_and_hold_everything_once(
    sandbox: Sandbox, robin: Calendar, google: Official
) -> None:
    made = set(robin.flood(changes=23))

    found, token = await google.everything(maxResults=5)

    assert (len(found), ids(found)) == (23, made)
    assert (await google.listed(syncToken=token))["items"] == []
    sandbox.google.largest_page = 4
    first = await google.listed(maxResults=2500)
    assert (len(first["items"]), "nextSyncToken" in first) == (4, False)
    assert len((await google.listed(maxResults=2500, pageToken=first["nextPageToken"]))["items"]) == 4


async def test_250_events_are_a_page_unless_more_is_asked_for(robin: Calendar, google: Official) -> None:
    robin.flood(changes=260)

    assert len((await google.listed())["items"]) == 250
    assert len((await google.listed(maxResults=9999))["items"]) == 260


async def test_what_changes_between_two_pages_is_news_to_the_next_listing(robin: Calendar, google: Official) -> None:
    made = sorted(robin.flood(changes=6))
    first = await google.listed(maxResults=3)
    robin.cancel(made[0])
    late = robin.add("Late", "tomorrow")

    second = await google.listed(maxResults=100, pageToken=first["nextPageToken"])
    news = await google.listed(syncToken=second["nextSyncToken"])

    assert ids(first["items"]) == set(made[:3])
    assert {made[0], late} == ids(news["items"])
    assert {item["id"]: item["status"] for item in news["items"]} == {made[0]: "cancelled", late: "confirmed"}


async def test_news_come_in_pages_and_say_little_of_what_is_gone(robin: Calendar, google: Official) -> None:
    made = robin.flood(changes=7)
    _, token = await google.everything(singleEvents=True)
    for event in made[:5]:
        robin.cancel(event)
    robin.move(made[5], "2026-12-01T10:00")
    robin.edit(made[6], title="Other words")

    news, after = await google.everything(singleEvents=True, syncToken=token, maxResults=2)

    gone = [item for item in news if item["status"] == "cancelled"]
    assert sorted(gone, key=lambda item: item["id"]) == [
        {"id": event, "status": "cancelled"} for event in sorted(made[:5])
    ]
    there = {item["id"]: item for item in news if item["status"] != "cancelled"}
    assert there[made[5]]["start"]["dateTime"] == "2026-12-01T10:00:00+01:00"
    assert there[made[6]]["summary"] == "Other words"
    assert (await google.everything(singleEvents=True, syncToken=after))[0] == []


async def test_a_cancelled_event_comes_back_when_it_is_restored(robin: Calendar, google: Official) -> None:
    event = robin.add("Call", "tomorrow", attendees=[ADA])
    _, token = await google.everything()
    robin.cancel(event)

    assert (await google.listed())["items"] == []
    assert (await google.one(event))["status"] == "cancelled"
    (deleted,) = (await google.listed(showDeleted=True))["items"]
    assert (deleted["status"], deleted["summary"]) == ("cancelled", "Call")

    robin.restore(event)
    (item,) = (await google.listed(syncToken=token))["items"]
    assert (item["status"], item["sequence"]) == ("confirmed", 2)


async def test_guests_come_go_and_answer(robin: Calendar, google: Official) -> None:
    event = robin.add("Call", "tomorrow")
    robin.invite(event, ADA, "Ada Lovelace")
    robin.invite(event, BOB)
    robin.uninvite(event, BOB)
    robin.answer(event, ADA, "tentative")
    robin.answer(event, None, "declined")

    guests = {guest["email"]: guest["responseStatus"] for guest in (await google.one(event))["attendees"]}
    assert guests == {ROBIN: "declined", ADA: "tentative"}


async def test_an_event_is_on_the_calendars_of_all_its_people(
    sandbox: Sandbox, robin: Calendar, google: Official
) -> None:
    kim = "kim.hale@harbour.example"
    sandbox.google.account(kim, "Kim Hale", "America/New_York")
    hers = Official(sandbox, kim)
    _, token = await hers.everything()
    event = robin.add("Together", "2026-10-14T16:00", attendees=[kim, ADA])

    (item,), after = await hers.everything(syncToken=token)

    assert item["id"] == event
    assert item["start"] == {"dateTime": "2026-10-14T10:00:00-04:00", "timeZone": "Europe/Berlin"}
    assert [guest["email"] for guest in item["attendees"] if guest.get("self")] == [kim]
    assert "self" not in item["organizer"]

    robin.uninvite(event, kim)
    assert (await hers.listed(syncToken=after))["items"] == [{"id": event, "status": "cancelled"}]
    assert (await google.one(event))["status"] == "confirmed"


async def test_a_series_keeps_its_time_on_the_wall_when_the_clocks_change(robin: Calendar, google: Official) -> None:
    series = robin.add("Weekly", "2026-10-14T10:00", recurrence=WEEKLY)

    instances = (await google.listed(singleEvents=True, orderBy="startTime"))["items"]

    assert [item["start"]["dateTime"] for item in instances] == [
        "2026-10-14T10:00:00+02:00",
        "2026-10-21T10:00:00+02:00",
        "2026-10-28T10:00:00+01:00",
        "2026-11-04T10:00:00+01:00",
    ]
    assert [item["id"] for item in instances] == [
        f"{series}_20261014T080000Z",
        f"{series}_20261021T080000Z",
        f"{series}_20261028T090000Z",
        f"{series}_20261104T090000Z",
    ]
    assert {item["recurringEventId"] for item in instances} == {series}
    assert instances[2]["originalStartTime"] == instances[2]["start"]
    assert "recurrence" not in instances[0]
    (whole,) = (await google.listed())["items"]
    assert (whole["recurrence"], whole["id"]) == ([WEEKLY], series)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY;COUNT=3", ["14", "15", "16"]),
        ("FREQ=DAILY;INTERVAL=2;UNTIL=20261018T080000Z", ["14", "16", "18"]),
        ("FREQ=DAILY;INTERVAL=2;UNTIL=20261018", ["14", "16", "18"]),
        ("FREQ=WEEKLY;BYDAY=WE,FR;COUNT=4", ["14", "16", "21", "23"]),
    ],
)
async def test_rules_of_series(robin: Calendar, google: Official, rule: str, days: list[str]) -> None:
    robin.add("Series", "2026-10-14T10:00", recurrence=rule)
    whole = robin.add("Days", "2026-10-14", recurrence=rule, all_day=True)

    items = (await google.listed(singleEvents=True))["items"]

    assert [start[8:10] for start in by_start([item for item in items if "dateTime" in item["start"]])] == days
    all_day = sorted(item["id"] for item in items if "date" in item["start"])
    assert all_day == [f"{whole}_202610{day}" for day in days]


async def test_a_time_that_the_clocks_skip_is_an_hour_later(robin: Calendar, google: Official) -> None:
    series = robin.add("Night", "2027-03-27T02:30", recurrence="FREQ=DAILY;COUNT=3")

    instances = (await google.listed(singleEvents=True, orderBy="startTime"))["items"]

    assert [item["start"]["dateTime"] for item in instances] == [
        "2027-03-27T02:30:00+01:00",
        "2027-03-28T03:30:00+02:00",
        "2027-03-29T02:30:00+02:00",
    ]
    assert instances[1]["id"] == f"{series}_20270328T013000Z"


async def test_an_endless_series_ends_two_years_ahead(robin: Calendar, google: Official) -> None:
    robin.add("Daily", "2026-10-14T10:00", recurrence="FREQ=DAILY")

    found, _ = await google.everything(singleEvents=True)

    assert len(found) == 729
    assert by_start(found)[-1].startswith("2028-10-11")


async def test_instances_can_be_moved_edited_and_deleted_alone(robin: Calendar, google: Official) -> None:
    series = robin.add("Weekly", "2026-10-14T10:00", attendees=[ADA], recurrence=WEEKLY)
    first, second, third, fourth = (item.id for item in robin.instances(series))
    _, single = await google.everything(singleEvents=True)
    _, whole = await google.everything()

    robin.move(first, "2026-10-15T16:00", 60)
    robin.edit(second, title="With a guest")
    robin.invite(second, BOB)
    robin.cancel(third)

    news = {item["id"]: item for item in (await google.listed(singleEvents=True, syncToken=single))["items"]}
    assert set(news) == {first, second, third}
    assert news[first]["start"]["dateTime"] == "2026-10-15T16:00:00+02:00"
    assert news[first]["end"]["dateTime"] == "2026-10-15T17:00:00+02:00"
    assert news[first]["originalStartTime"]["dateTime"] == "2026-10-14T10:00:00+02:00"
    assert (news[second]["summary"], len(news[second]["attendees"])) == ("With a guest", 3)
    assert news[third] == {
        "id": third,
        "status": "cancelled",
        "recurringEventId": series,
        "originalStartTime": {"dateTime": "2026-10-28T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    }
    assert news == {item["id"]: item for item in (await google.listed(syncToken=whole))["items"]}
    assert ids((await google.listed())["items"]) == {series, first, second, third}
    assert ids((await google.listed(singleEvents=True))["items"]) == {first, second, fourth}

    robin.restore(third)
    assert (await google.one(third))["status"] == "confirmed"


async def test_what_an_instance_has_of_its_own_survives_a_change_of_the_series(
    robin: Calendar, google: Official
) -> None:
    series = robin.add("Weekly", "2026-10-14T10:00", attendees=[ADA], recurrence=WEEKLY)
    first, second, *_ = (item.id for item in robin.instances(series))
    robin.move(first, "2026-10-15T16:00")
    robin.invite(second, BOB)
    _, token = await google.everything(singleEvents=True)

    robin.edit(series, title="Renamed")
    robin.invite(series, "carol@northwind.example")

    news = {item["id"]: item for item in (await google.listed(singleEvents=True, syncToken=token))["items"]}
    assert {item["summary"] for item in news.values()} == {"Renamed"}
    assert len(news) == 4
    assert news[first]["start"]["dateTime"] == "2026-10-15T16:00:00+02:00"
    assert len(news[second]["attendees"]) == 4


async def test_a_series_that_moves_gets_new_instances_and_loses_the_old_ones(robin: Calendar, google: Official) -> None:
    series = robin.add("Weekly", "2026-10-14T10:00", recurrence=WEEKLY)
    _, fresh = await google.everything(singleEvents=True)
    old = [item.id for item in robin.instances(series)]
    robin.cancel(old[1])
    _, single = await google.everything(singleEvents=True)
    _, whole = await google.everything()

    robin.move(series, "2026-10-14T11:00")
    assert set(old) <= ids((await google.listed(singleEvents=True, syncToken=fresh))["items"])

    news = {item["id"]: item for item in (await google.listed(singleEvents=True, syncToken=single))["items"]}
    new = {item.id for item in robin.instances(series)}
    assert set(news) == {*old, *new}
    assert {news[each]["status"] for each in old} == {"cancelled"}
    assert {news[each]["start"]["dateTime"][11:16] for each in new} == {"11:00"}
    of_series = {item["id"]: item["status"] for item in (await google.listed(syncToken=whole))["items"]}
    assert of_series == {series: "confirmed", old[1]: "cancelled"}

    robin.cancel(robin.instances(series)[1].id)
    robin.move(series, "2026-10-21T11:00")
    assert {item.details.status for item in robin.instances(series)} == {"confirmed"}


async def test_a_cancelled_series_takes_its_instances_along(robin: Calendar, google: Official) -> None:
    series = robin.add("Weekly", "2026-10-14T10:00", recurrence=WEEKLY)
    _, single = await google.everything(singleEvents=True)
    _, whole = await google.everything()
    robin.cancel(series)

    gone = (await google.listed(singleEvents=True, syncToken=single))["items"]
    assert [(item["status"], item["recurringEventId"]) for item in gone] == [("cancelled", series)] * 4
    assert (await google.listed(syncToken=whole))["items"] == [{"id": series, "status": "cancelled"}]
    assert (await google.listed(singleEvents=True))["items"] == []
    assert len((await google.listed(singleEvents=True, showDeleted=True))["items"]) == 4


async def test_news_of_a_series_stay_in_the_window_and_news_of_an_event_do_not(
    robin: Calendar, google: Official
) -> None:
    window = {"timeMin": "2026-10-20T00:00:00Z", "timeMax": "2026-11-01T00:00:00+01:00"}
    series = robin.add("Weekly", "2026-10-14T10:00", recurrence=WEEKLY)
    event = robin.add("Call", "2026-10-22T10:00")
    found, token = await google.everything(singleEvents=True, **window)
    assert [start[:10] for start in by_start(found)] == ["2026-10-21", "2026-10-22", "2026-10-28"]
    assert ids((await google.listed(**window))["items"]) == {series, event}

    robin.move(event, "2027-05-05T10:00")
    robin.move(robin.instances(series)[1].id, "2027-06-06T10:00")
    robin.edit(series, title="Renamed")

    news = (await google.listed(singleEvents=True, syncToken=token))["items"]
    assert [start[:10] for start in by_start(news)] == ["2026-10-28", "2027-05-05", "2027-06-06"]


async def test_the_window_holds_what_ends_after_its_beginning_and_starts_before_its_end(
    robin: Calendar, google: Official
) -> None:
    robin.add("Touches", "2026-10-14T09:30Z")
    inside = robin.add("Inside", "2026-10-14T09:31Z")
    last = robin.add("Last", "2026-10-14T11:59Z")
    robin.add("Next", "2026-10-14T12:00Z")

    found = await google.listed(timeMin="2026-10-14T10:00:00Z", timeMax="2026-10-14T12:00:00Z")

    assert ids(found["items"]) == {inside, last}


async def test_a_page_belongs_to_its_own_listing(robin: Calendar, google: Official) -> None:
    robin.flood(changes=5)
    token = (await google.listed(maxResults=2))["nextPageToken"]

    assert len((await google.listed(maxResults=100, pageToken=token))["items"]) == 3
    with pytest.raises(HttpError) as refused:
        await google.listed(maxResults=2, pageToken=token, singleEvents=True)
    assert reason(refused.value) == (400, "invalid")


async def test_instances_of_one_series(robin: Calendar, google: Official) -> None:
    series = robin.add("Weekly", "2026-10-14T10:00", recurrence="FREQ=WEEKLY;COUNT=6")
    first, second, *_ = (item.id for item in robin.instances(series))
    robin.cancel(second)

    page = await google.instances(series, maxResults=3)
    rest = await google.instances(series, maxResults=3, pageToken=page["nextPageToken"])
    assert (len(page["items"]), len(rest["items"])) == (3, 2)
    assert second not in ids([*page["items"], *rest["items"]])
    assert len((await google.instances(series, showDeleted=True))["items"]) == 6
    (only,) = (await google.instances(series, originalStart="2026-10-14T10:00:00+02:00"))["items"]
    assert only["id"] == first
    with pytest.raises(HttpError) as other_listing:
        await google.listed(pageToken=page["nextPageToken"], maxResults=3)
    assert reason(other_listing.value) == (400, "invalid")


async def test_a_sync_token_can_be_worth_nothing(sandbox: Sandbox, robin: Calendar, google: Official) -> None:
    _, token = await google.everything()
    robin.expire_sync_tokens()

    with pytest.raises(HttpError) as gone:
        await google.listed(syncToken=token)
    assert reason(gone.value) == (410, "fullSyncRequired")

    _, fresh = await google.everything()
    sandbox.google.sync_token_days = 7
    assert (await google.listed(syncToken=fresh))["items"] == []
    sandbox.world.clock.set(datetime(2026, 10, 20, 9, tzinfo=ZoneInfo("Europe/Berlin")))
    with pytest.raises(HttpError) as old:
        await google.listed(syncToken=fresh)
    assert reason(old.value) == (410, "fullSyncRequired")


async def test_a_listing_can_break_off_in_the_middle(sandbox: Sandbox, robin: Calendar, google: Official) -> None:
    _, token = await google.everything()
    robin.flood(changes=6)
    sandbox.google.gone_on_page = 3
    first = await google.listed(syncToken=token, maxResults=2)
    second = await google.listed(syncToken=token, maxResults=2, pageToken=first["nextPageToken"])

    with pytest.raises(HttpError) as gone:
        await google.listed(syncToken=token, maxResults=2, pageToken=second["nextPageToken"])
    assert reason(gone.value) == (410, "fullSyncRequired")
    with pytest.raises(HttpError):
        await google.listed(syncToken=token)
    assert len((await google.everything(maxResults=2))[0]) == 6


@pytest.mark.parametrize(
    "query",
    [
        {"timeMin": "2026-10-20T00:00:00Z"},
        {"timeMax": "2026-10-20T00:00:00Z"},
        {"updatedMin": "2026-10-10T00:00:00Z"},
        {"orderBy": "updated"},
        {"q": "call"},
        {"iCalUID": "x"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": False},
        {"singleEvents": True},
        {"eventTypes": "focusTime"},
    ],
)
async def test_a_sync_token_goes_with_nothing_else(google: Official, query: dict[str, Any]) -> None:
    _, token = await google.everything()

    with pytest.raises(HttpError) as refused:
        await google.listed(syncToken=token, **query)
    assert refused.value.status_code == 400


async def test_a_sync_token_belongs_to_one_calendar(sandbox: Sandbox, google: Official) -> None:
    sandbox.google.account("kim.hale@harbour.example")
    _, token = await google.everything()

    for wrong in (token[:-4] + "AAAA", "nonsense", "", "\u00e4"):
        with pytest.raises(HttpError) as refused:
            await google.listed(syncToken=wrong)
        assert reason(refused.value) == (400, "invalid")
    with pytest.raises(HttpError) as other:
        await Official(sandbox, "kim.hale@harbour.example").listed(syncToken=token)
    assert reason(other.value) == (400, "invalid")
    assert (await google.listed(syncToken=token, maxResults=7, showDeleted=True, fields="items"))["items"] == []


async def test_a_listing_with_an_order_or_a_search_gives_no_sync_token(robin: Calendar, google: Official) -> None:
    call = robin.add("First call", "2026-10-15T10:00", attendees=[ADA])
    fair = robin.add("Fair", "2026-10-14T10:00", event_type="focusTime")

    for query, found in (
        ({"orderBy": "startTime", "singleEvents": True}, [fair, call]),
        ({"orderBy": "updated"}, [call, fair]),
        ({"q": "LOVELACE call"}, [call]),
        ({"iCalUID": f"{fair}@google.com"}, [fair]),
        ({"updatedMin": "2026-10-10T00:00:00Z", "eventTypes": "focusTime"}, [fair]),
    ):
        answer = await google.listed(**query)
        assert ([item["id"] for item in answer["items"]], "nextSyncToken" in answer) == (found, False)


async def test_partial_answers(robin: Calendar, google: Official) -> None:
    robin.add("Call", "2026-10-14T10:00", attendees=[ADA])

    answer = await google.listed(fields="items(id,start/dateTime,attendees(email)),nextSyncToken")

    assert set(answer) == {"items", "nextSyncToken"}
    assert set(answer["items"][0]) == {"id", "start", "attendees"}
    assert answer["items"][0]["start"] == {"dateTime": "2026-10-14T10:00:00+02:00"}
    assert answer["items"][0]["attendees"] == [{"email": ROBIN}, {"email": ADA}]
    assert set((await google.listed(fields="items/*/email,kind"))["items"][0]) >= {"organizer", "creator"}
    with pytest.raises(HttpError) as refused:
        await google.listed(fields="items(id")
    assert reason(refused.value) == (400, "invalidParameter")


async def test_times_are_told_in_the_zone_that_was_asked_for(robin: Calendar, google: Official) -> None:
    event = robin.add("Call", "2026-10-14T10:00")

    assert (await google.one(event, timeZone="UTC"))["start"]["dateTime"] == "2026-10-14T08:00:00Z"
    tokyo = (await google.listed(timeZone="Asia/Tokyo"))["items"][0]["start"]
    assert tokyo == {"dateTime": "2026-10-14T17:00:00+09:00", "timeZone": "Europe/Berlin"}


async def test_nobody_sees_another_calendar_or_what_is_not_there(robin: Calendar, google: Official) -> None:
    event = robin.add("Call", "tomorrow")

    assert len((await google.listed(calendarId=ROBIN))["items"]) == 1
    for query in ({"calendarId": "kim.hale@harbour.example"}, {"calendarId": "nobody"}):
        with pytest.raises(HttpError) as refused:
            await google.listed(**query)
        assert reason(refused.value) == (404, "notFound")
    for wrong in ("nothing", f"{event}_20261014T080000Z", "_"):
        with pytest.raises(HttpError) as missing:
            await google.one(wrong)
        assert reason(missing.value) == (404, "notFound")
