"""The signed-in pages: what they show, what they save, and what they keep to themselves."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from schemas.agenda import MeetingLine
from schemas.meetings import Asked
from schemas.research import Phase, Progress, State
from starter.links import Links
from starter.web import openapi, screens
from starter.web.answers import POLICY
from starter.web.standing import FAILED, OFF, READY, WAITING, WORKING, standing
from starter.web.visits import FOREIGN, OVER, STALE
from tests.web import rows
from tests.web.house import NOW, House, Visitor
from tests.web.samples import row

PAGES = ("/", "/calendars", "/campaigns", "/campaigns/new", "/preferences")
TEXTS = {"offering": "Better", "target_customer": "Hauliers", "pain_points": "Empty miles"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def every_post(house: House) -> list[str]:
    """Each address that takes a form, with ids that exist nowhere."""
    paths = [path for path, item in openapi.DESCRIPTION["paths"].items() if "post" in item]
    programs = ("/webhooks/", "/codec", "/events", "/e/", "/runs", "/api/")
    return [re.sub(r"\{\w+\}", row("nowhere"), path) for path in paths if not path.startswith(programs)]


# What the pages show.


async def test_today_shows_each_meeting_with_the_state_of_its_brief(house: House) -> None:
    made = await rows.a_week(house)
    got = await (await house.sign_in()).get("/")

    assert got.status == 200
    said = (
        "Today, Monday 23 November",
        "Forecasting pilot: where we start",
        "Ada Lovelace",
        "Ready, high confidence",
        "Being researched",
        "Research failed",
        "no source came back",
        "Cancelled",
        "Waiting for its turn",
        "The campaign Last year's is switched off.",
        "and 1 more",
    )
    assert [sentence for sentence in said if not got.says(sentence)] == []
    assert "12:00" in got.text, "in the zone of the user, an hour ahead"
    assert all(f'href="/meetings/{meeting_id}"' in got.text for meeting_id in made.values())


async def test_the_day_is_the_user_s_own(house: House) -> None:
    """At nine in Berlin it is midnight in Los Angeles, and the day before in Honolulu."""
    await rows.meeting(house, "Late call", NOW + 14 * HOUR, ("Ada", "ada@lovelace.example"))
    visitor = await house.sign_in()
    berlin = await visitor.get("/")
    await visitor.send("/preferences", "/preferences", time_zone="pacific/honolulu", deliver_before_min="60")
    honolulu = await visitor.get("/")

    assert berlin.says("Tomorrow, Tuesday 24 November")
    assert honolulu.says("Tomorrow, Monday 23 November")
    assert "13:05" in honolulu.text


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({}, WAITING, "Waiting for its turn"),
        ({"starts_at": NOW + 40 * DAY}, WAITING, "Later"),
        ({"status": "generating"}, WORKING, "Being researched"),
        ({"status": "ready", "brief_id": row("b"), "confidence": "HIGH"}, READY, "Ready, high confidence"),
        ({"status": "failed", "brief_id": row("b"), "confidence": "LOW"}, READY, "Ready, low confidence"),
        ({"status": "failed", "failure_reason": "why"}, FAILED, "Research failed"),
        ({"withdrawn": "cancelled", "brief_id": row("b")}, OFF, "Cancelled"),
        ({"guests": ()}, OFF, "Not researched"),
        ({"campaign_active": False}, OFF, "Not researched"),
        ({"starts_at": NOW - 2 * HOUR}, OFF, "Not researched"),
    ],
)
def test_how_a_brief_stands_is_said_by_rule(changes: dict[str, object], kind: str, said: str) -> None:
    whole = {
        "id": row("m"),
        "title": "t",
        "starts_at": NOW + HOUR,
        "ends_at": None,
        "withdrawn": None,
        "guests": ({"name": "", "email": "ada@lovelace.example"},),
        "campaign": "Planning",
        "campaign_active": True,
        "status": "requested",
        "version": 0,
        "failure_reason": None,
        "begun_at": None,
        "brief_id": None,
        "confidence": None,
        "written_at": None,
        "sandbox": False,
    }
    stands = standing(MeetingLine.model_validate({**whole, **changes}), NOW, 30 * DAY)
    assert (stands.kind, stands.said) == (kind, said)


async def test_empty_pages_say_what_to_do_next(house: House) -> None:
    visitor = await house.sign_in()
    await house.run("UPDATE campaigns SET active = false")
    first = await visitor.get("/")
    assert first.says("Connect your calendar")
    assert first.says("Say what you sell")
    assert (await visitor.get("/calendars")).says("No account is connected")
    await rows.calendar(house, read_at=None)
    assert (await visitor.get("/")).says("Your calendar is being read")
    await house.run("UPDATE calendars SET read_at = $1", NOW)
    assert (await visitor.get("/")).says("Nobody from outside")
    await house.run("DELETE FROM campaigns")
    assert (await visitor.get("/campaigns")).says("There is no campaign yet")


async def test_a_meeting_shows_its_guests_versions_and_mails(house: House) -> None:
    made = await rows.a_week(house)
    visitor = await house.sign_in()
    page = await visitor.get(f"/meetings/{made['ready']}")
    said = ("Ada Lovelace", "From outside", "Kim Ito", "Colleague", "Declined", "Room 4", "Version 2", "Version 1")
    assert [one for one in (*said, "The brief", "Sent", "Research again", "Open the brief") if not page.says(one)] == []
    page = await visitor.get(f"/meetings/{made['failed']}")
    assert page.says("Research failed")
    assert page.says("Could not be sent")
    assert page.says("the mail server refused it")
    assert page.says("Research now")


async def test_the_health_of_a_calendar_is_told(house: House) -> None:
    await rows.calendar(house)
    await rows.calendar(house, "second@x.example", failing_since=NOW - 3 * HOUR, failure="google said 503")
    await rows.calendar(house, "third@x.example", status="reauth_required")
    await rows.calendar(house, "fourth@x.example", read_at=NOW - 5 * HOUR)
    await rows.calendar(house, "gone@x.example", status="disconnected")
    got = await (await house.sign_in()).get("/calendars")

    said = ("Up to date", "4 minutes ago", "11 minutes ago", "Not read since 3 hours ago: google said 503")
    more = ("Needs reconnecting", "Last read 5 hours ago, which is longer ago than it should be", "Sunday 29 November")
    assert [one for one in (*said, *more) if not got.says(one)] == []
    assert not got.says("gone@x.example")
    first = await (await house.sign_in()).get("/")
    assert first.says("An account lets us in no more")


async def test_what_is_pretended_says_so_wherever_it_is_shown(house: House) -> None:
    meeting_id = await rows.ready(house, "Pretended", NOW + HOUR, ("Ada", "ada@lovelace.example"), sandbox=True)
    visitor = await house.sign_in()
    brief_id = (await house.run("SELECT id FROM briefs"))[0]["id"]
    for path in ("/", f"/meetings/{meeting_id}", f"/briefs/{brief_id}"):
        assert (await visitor.get(path)).says("sandbox data"), path
    await house.run("UPDATE briefs SET sandbox = false")
    assert not (await visitor.get("/")).says("sandbox data")
    await rows.calendar(house, sandbox=True)
    for path in ("/", "/calendars"):
        assert (await visitor.get(path)).says("sandbox data"), path


# What is done by hand.


async def test_research_now_is_asked_of_the_meeting_and_its_progress_told(house: House) -> None:
    made = await rows.a_week(house)
    visitor = await house.sign_in()
    path = f"/meetings/{made['waiting']}"
    got = await visitor.send(f"{path}/research", path)

    assert (got.status, got.to) == (303, f"{path}?after=0&note=asked")
    assert house.running.done == [("research", made["waiting"])]
    page = await visitor.get(got.to)
    assert page.says("Asked for")
    assert 'href="/meetings/' in page.text.partition("Refresh")[0]
    told = json.loads((await visitor.get(f"{path}/progress?after=0")).text)
    assert told["status"] == "asked"
    assert told["busy"] is True


async def test_progress_is_that_of_the_run_and_of_the_row_when_it_is_silent(house: House) -> None:
    made = await rows.a_week(house)
    visitor = await house.sign_in()
    path = f"/meetings/{made['working']}/progress"
    silent = json.loads((await visitor.get(path)).text)
    label = "Prospect 1 at lovelace.example"
    house.running.tells = Progress(phase=Phase.RESEARCHING, prospects=((label, State.NOT_FOUND),))
    told = json.loads((await visitor.get(path)).text)
    done = json.loads((await visitor.get(f"/meetings/{made['failed']}/progress")).text)

    assert silent == {"status": "generating", "phase": "Under way", "busy": True, "version": 1, "reason": ""} | {
        "subjects": []
    }
    assert told["subjects"] == [{"label": label, "state": "not found"}]
    assert (done["status"], done["busy"]) == ("failed", False)
    assert done["reason"].startswith("look-up: ")


async def test_what_the_meeting_says_no_to_is_said(house: House) -> None:
    made = await rows.a_week(house)
    house.running.asked = Asked(begun=False, reason="nobody to research")
    visitor = await house.sign_in()
    path = f"/meetings/{made['waiting']}"
    got = await visitor.send(f"{path}/research", path)

    assert got.status == 409
    assert got.says("Nothing was begun: nobody to research.")


async def test_while_temporal_is_away_pages_read_and_save_and_say_what_waits(house: House) -> None:
    made = await rows.a_week(house)
    calendar_id = (await house.run("SELECT id FROM calendars"))[0]["id"]
    house.running.away = True
    visitor = await house.sign_in()
    meeting = f"/meetings/{made['waiting']}"
    for path, page in ((f"{meeting}/research", meeting), (f"/calendars/{calendar_id}/read", "/calendars")):
        got = await visitor.send(path, page)
        assert got.status == 503
        assert got.says("does not answer. Try again in a minute")
    path = f"/campaigns/{house.campaign.id}"
    got = await visitor.send(path, path, name="Planning", **TEXTS, active="on")
    assert got.to == "/campaigns?note=saved-later"
    assert (await visitor.get(got.to)).says("within a quarter of an hour")
    assert (await house.tenants.campaigns(house.tenant.id))[0].offering == "Better"


async def test_a_calendar_is_read_assigned_and_disconnected_by_hand(house: House) -> None:
    visitor = await house.sign_in()
    await house.connect(visitor)
    house.running.done.clear()
    calendar_id = (await house.run("SELECT id FROM calendars"))[0]["id"]
    connection_id = (await house.run("SELECT id FROM connections"))[0]["id"]

    assert (await visitor.send(f"/calendars/{calendar_id}/read", "/calendars")).to == "/calendars?note=reading"
    path = f"/calendars/{calendar_id}/campaign"
    assert (await visitor.send(path, "/calendars", campaign=house.campaign.id)).to == "/calendars?note=saved"
    assert (await house.run("SELECT campaign_id FROM calendars"))[0]["campaign_id"] == house.campaign.id
    got = await visitor.send(f"/connections/{connection_id}/disconnect", "/calendars")
    assert got.to == "/calendars?note=disconnected"
    assert house.running.done == [("read: asked", calendar_id), ("unwatch", calendar_id)]
    assert house.consent.revoked == [f"refresh {house.user.email}"]
    assert (await house.run("SELECT status FROM connections"))[0]["status"] == "disconnected"
    assert (await visitor.send(f"/calendars/{calendar_id}/read", "/calendars")).status == 404


async def test_a_calendar_that_is_not_watched_is_not_said_to_be_read(house: House) -> None:
    _, calendar_id = await rows.calendar(house)
    await house.run("UPDATE calendars SET watched = false")
    visitor = await house.sign_in()
    page = await visitor.get("/calendars")
    got = await visitor.send(f"/calendars/{calendar_id}/read", "/calendars")

    assert page.says("Not watched, so it is not read")
    assert "Read now" not in page.text
    assert got.status == 400
    assert got.says("This calendar is not watched, so it is not read")
    assert house.running.done == []


@pytest.mark.parametrize("away", [True, False])
async def test_what_could_not_be_stopped_is_said_to_end_by_itself(house: House, away: bool) -> None:
    connection_id, _ = await rows.calendar(house)
    visitor = await house.sign_in()
    house.running.away, house.running.stops = away, False
    await house.run("UPDATE connections SET key_id = ''")
    got = await visitor.send(f"/connections/{connection_id}/disconnect", "/calendars")

    assert got.to == "/calendars?note=disconnected-later"
    assert (await visitor.get(got.to)).says("they are ignored, and end by themselves within days")
    assert (await house.run("SELECT DISTINCT status FROM subscriptions"))[0]["status"] == "expired"


async def test_a_disconnection_wakes_the_meetings_that_are_worked_on(house: House) -> None:
    made = await rows.a_week(house)
    await house.run("UPDATE meetings SET told = 1 WHERE id = ANY($1)", [made["working"], made["over"]])
    connection_id = (await house.run("SELECT id FROM connections"))[0]["id"]
    await (await house.sign_in()).send(f"/connections/{connection_id}/disconnect", "/calendars")

    assert [row_id for what, row_id in house.running.done if what == "changed"] == [made["working"]]


@pytest.mark.parametrize("campaign", ["", "another tenant's", row("nowhere"), "rubbish"])
async def test_a_calendar_takes_no_campaign_that_is_not_there(house: House, campaign: str) -> None:
    _, calendar_id = await rows.calendar(house)
    wanted = house.other_campaign.id if campaign == "another tenant's" else campaign
    got = await (await house.sign_in()).send(f"/calendars/{calendar_id}/campaign", "/calendars", campaign=wanted)

    assert got.status == 400
    assert (await house.run("SELECT campaign_id FROM calendars"))[0]["campaign_id"] is None


async def test_a_change_of_a_campaign_wakes_its_meetings(house: House) -> None:
    made = await rows.a_week(house)
    visitor = await house.sign_in()
    path = f"/campaigns/{house.campaign.id}"
    got = await visitor.send(path, path, name="Planning 2", **TEXTS)

    assert got.to == "/campaigns?note=saved"
    woken = {meeting_id for what, meeting_id in house.running.done if what == "changed"}
    assert made["waiting"] in woken
    assert made["cancelled"] not in woken
    assert made["over"] not in woken
    campaign = next(one for one in await house.tenants.campaigns(house.tenant.id) if one.id == house.campaign.id)
    assert (campaign.name, campaign.offering, campaign.active) == ("Planning 2", "Better", False)


async def test_preferences_are_saved_and_wake_the_meetings(house: House) -> None:
    made = await rows.a_week(house)
    visitor = await house.sign_in()
    got = await visitor.send("/preferences", "/preferences", time_zone="asia/tokyo", deliver_before_min="15")

    assert got.to == "/preferences?note=saved"
    member = await house.tenants.member(house.tenant.id, house.user.id)
    assert member is not None
    assert (member.time_zone, member.deliver_before_min, member.briefs_by_mail) == ("Asia/Tokyo", 15, False)
    assert ("changed", made["waiting"]) in house.running.done


# Bad input.


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "Name: "),
        ({"name": "n" * 101}, "at most 100 characters"),
        ({"offering": ""}, "What you sell: "),
        ({"pain_points": "p" * 2001}, "at most 2000 characters"),
        ({"name": "planning"}, "There is a campaign planning already"),
        ({"offering": "\u202e\u200b\x00"}, "What you sell: "),
    ],
)
async def test_a_campaign_that_cannot_be_comes_back_as_it_was_written(
    house: House, changes: dict[str, str], sentence: str
) -> None:
    visitor = await house.sign_in()
    fields = {
        "name": "Second",
        "offering": "  Two\n  lines <b>",
        **{k: TEXTS[k] for k in ("target_customer", "pain_points")},
    }
    got = await visitor.send("/campaigns/new", "/campaigns/new", **{**fields, **changes})

    assert got.status == 400
    assert got.says(sentence)
    for value in {**fields, **changes}.values():
        assert got.says(value.replace("\x00", "")), "nothing that was written is lost"
    assert len(await house.tenants.campaigns(house.tenant.id)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "Middle/Earth"},
        {"time_zone": ""},
        {"time_zone": "../../etc/passwd"},
        {"deliver_before_min": "-5"},
        {"deliver_before_min": "١٥"},
        {"deliver_before_min": "99999999999999"},
        {"deliver_before_min": "an hour"},
    ],
)
async def test_preferences_that_cannot_be_come_back(house: House, changes: dict[str, str]) -> None:
    visitor = await house.sign_in()
    fields = {"time_zone": "Europe/Rome", "deliver_before_min": "30", **changes}
    got = await visitor.send("/preferences", "/preferences", **fields)

    assert got.status == 400
    assert 'role="alert"' in got.text
    assert f'value="{fields["time_zone"]}"' in got.text
    member = await house.tenants.member(house.tenant.id, house.user.id)
    assert member is not None
    assert member.time_zone == "Europe/Berlin"


async def test_what_is_no_form_is_refused(house: House) -> None:
    visitor = await house.sign_in()
    same = {"Origin": house.base, "Sec-Fetch-Site": "same-origin"}
    many = "&".join(f"f{n}=1" for n in range(100))
    for body, kind, status in (
        ("{}", "application/json", 415),
        ("x", "multipart/form-data; boundary=x", 400),
        ("x", "text/plain", 415),
        (many, "application/x-www-form-urlencoded", 400),
        ("%FF%FE=%00&csrf", "application/x-www-form-urlencoded", 403),
        ("a" * (64 * 1024 + 1), "application/x-www-form-urlencoded", 413),
    ):
        async with visitor.session.post("/preferences", data=body, headers={**same, "Content-Type": kind}) as response:
            assert response.status == status, kind


# Who may.


async def test_a_form_without_the_session_s_token_does_nothing(house: House) -> None:
    mine, other = await house.sign_in(), await house.sign_in()
    wrong = ("", "x", (await other.get("/")).token, "é" * 30)
    for path in every_post(house):
        for token in wrong:
            got = await mine.post(path, {"csrf": token, "name": "x"})
            assert got.status in (403, 404), path
    for token in wrong:
        fields = {"csrf": token, "name": "Kept", **TEXTS}
        got = await mine.post("/campaigns/new", fields)
        assert got.status == 403
        assert got.says(STALE)
        assert 'value="Kept"' in got.text
        assert got.token == (await mine.get("/")).token, "sent once more, it is taken"
    assert house.running.done == []
    assert len(await house.tenants.campaigns(house.tenant.id)) == 1
    assert (await mine.get("/")).status == 200, "nobody was signed out"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.greenroom.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://[::"},
        {"X": "nothing at all"},
    ],
)
async def test_a_form_on_another_site_does_nothing_even_with_the_token(house: House, headers: dict[str, str]) -> None:
    visitor = await house.sign_in()
    token = (await visitor.get("/")).token
    for path in every_post(house):
        got = await visitor.post(path, {"csrf": token}, **headers)
        assert got.status == 403, path
        assert got.says(FOREIGN)
    assert (await visitor.get("/")).status == 200


async def test_our_own_pages_are_known_by_either_header(house: House) -> None:
    visitor = await house.sign_in()
    fields = {"csrf": (await visitor.get("/")).token, "time_zone": "UTC", "deliver_before_min": "30"}
    for headers in (
        {"Origin": house.base},
        {"Origin": "http://127.0.0.1:8080"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    ):
        assert (await visitor.post("/preferences", fields, **headers)).status == 303, headers


async def test_without_a_session_pages_lead_to_the_sign_in_and_forms_say_so(house: House) -> None:
    made = await rows.a_week(house)
    nobody = await house.visitor()
    for path in (*PAGES, f"/meetings/{made['ready']}", f"/campaigns/{house.campaign.id}"):
        got = await nobody.get(path)
        assert (got.status, got.to) == (303, f"/sign-in?to={quote(path, safe='')}")
    for path in every_post(house):
        got = await nobody.post(path, {"csrf": "x"})
        assert got.status == 401, path
        assert got.says(OVER)
    got = await nobody.get(f"/meetings/{made['ready']}/progress", Accept="application/json")
    assert got.status == 401
    assert set(json.loads(got.text)) == {"error"}


async def test_a_form_that_outlived_its_session_comes_back_after_the_next_sign_in(house: House) -> None:
    """The browser sends it once more on reload: what was written is there again."""
    visitor = await house.sign_in()
    token = (await visitor.get("/campaigns/new")).token
    house.now += timedelta(days=15)
    fields = {"csrf": token, "name": "A long evening", **TEXTS}
    over = await visitor.post("/campaigns/new", fields)
    await house.come_back(visitor, await house.leave(visitor), house.user.email)
    again = await visitor.post("/campaigns/new", fields)

    assert over.status == 401
    assert again.status == 403
    assert 'value="A long evening"' in again.text
    assert (await visitor.post("/campaigns/new", {**fields, "csrf": again.token})).status == 303


async def test_ids_of_another_tenant_or_user_are_not_there(house: House) -> None:
    made = await rows.a_week(house)
    _, calendar_id = await rows.calendar(house, "more@x.example")
    connection_id = (await house.run("SELECT id FROM connections"))[0]["id"]
    brief_id = (await house.run("SELECT id FROM briefs"))[0]["id"]
    spy = await house.sign_in(house.stranger.email)
    colleague = await a_colleague(house)
    reads = [f"/meetings/{made['ready']}", f"/meetings/{made['ready']}/progress"]
    posts = [
        f"/meetings/{made['ready']}/research",
        f"/calendars/{calendar_id}/read",
        f"/calendars/{calendar_id}/campaign",
        f"/connections/{connection_id}/disconnect",
    ]
    for visitor in (spy, colleague):
        token = (await visitor.get("/")).token
        for path in reads:
            assert (await visitor.get(path)).status == 404, path
        for path in posts:
            assert (await visitor.post(path, {"csrf": token, "campaign": house.campaign.id})).status == 404, path
    tenants = (f"/briefs/{brief_id}", f"/campaigns/{house.campaign.id}")
    assert [(await spy.get(path)).status for path in tenants] == [404, 404]
    assert [(await colleague.get(path)).status for path in tenants] == [200, 200], "these are for the whole tenant"
    got = await spy.post(tenants[1], {"csrf": (await spy.get("/")).token, "name": "Taken", **TEXTS})
    assert got.status == 404
    assert house.running.done == []


async def a_colleague(house: House) -> Visitor:
    address = f"kim@{house.tenant.id[:8]}.example"
    await house.tenants.add_user(
        house.tenant.id, house.user.model_copy(update={"id": row(address), "email": address, "name": "Kim"}), NOW
    )
    return await house.sign_in(address)


@pytest.mark.parametrize("wrong", ["x", "'%20or%201=1", "..%2f..%2fetc", "%00", "0" * 36, row("nowhere").upper()])
async def test_rubbish_for_an_id_is_not_there(house: House, wrong: str) -> None:
    visitor = await house.sign_in()
    for path in ("/meetings/{}", "/meetings/{}/progress", "/briefs/{}", "/campaigns/{}"):
        assert (await visitor.get(path.format(wrong))).status == 404, path


async def test_the_same_answer_for_what_is_not_there_and_what_is_not_yours(house: House) -> None:
    made = await rows.a_week(house)
    spy = await house.sign_in(house.stranger.email)
    theirs, nowhere = await spy.get(f"/meetings/{made['ready']}"), await spy.get(f"/meetings/{row('nowhere')}")

    assert (theirs.status, theirs.text) == (nowhere.status, nowhere.text)


async def test_a_link_that_has_expired_opens_for_who_is_signed_in_to_its_tenant_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rows.ready(house, "Talk", NOW + HOUR, ("Ada", "ada@lovelace.example"))
    brief_id = (await house.run("SELECT id FROM briefs"))[0]["id"]
    links = Links(house.settings())
    monkeypatch.setattr("itsdangerous.timed.time.time", (datetime.now(UTC) - 15 * DAY).timestamp)
    link = "/" + links.brief(house.tenant.id, brief_id).split("/", 3)[3]
    monkeypatch.undo()
    mine, spy, nobody = await house.sign_in(), await house.sign_in(house.stranger.email), await house.visitor()

    assert [(await one.get(link)).status for one in (mine, spy, nobody)] == [200, 410, 410]
    assert [(await one.get(link.partition("?")[0])).status for one in (mine, spy, nobody)] == [200, 404, 404]


# What the answers carry.


async def test_policies_are_as_narrow_as_each_page_needs(house: House) -> None:
    made = await rows.a_week(house)
    visitor = await house.sign_in()
    for path in PAGES:
        got = await visitor.get(path)
        assert got.headers["content-security-policy"] == screens.FORMS
        assert "<script" not in got.text
    got = await visitor.get(f"/meetings/{made['working']}")
    assert got.headers["content-security-policy"] == screens.SCRIPTED
    assert got.text.count("<script") == 1
    assert f'<script src="{screens.SCRIPT.path}" defer></script>' in got.text
    brief_id = (await house.run("SELECT id FROM briefs"))[0]["id"]
    assert (await visitor.get(f"/briefs/{brief_id}")).headers["content-security-policy"] == screens.FORMS
    assert (await visitor.get("/openapi.json")).headers["content-security-policy"] == POLICY
    for policy in (screens.FORMS, screens.SCRIPTED):
        assert "unsafe" not in policy
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy


async def test_files_of_the_pages_are_kept_for_long(house: House) -> None:
    visitor = await house.visitor()
    for file in (screens.STYLE, screens.SCRIPT):
        got = await visitor.get(file.path)
        assert (got.status, got.text) == (200, file.text)
        assert got.headers["content-type"].startswith(file.kind)
        assert got.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_logs_name_no_one_and_hold_no_secret(house: House) -> None:
    made = await rows.a_week(house)
    with capture_logs() as logs:
        visitor = await house.sign_in()
        await house.connect(visitor)
        for path in (*PAGES, f"/meetings/{made['ready']}"):
            await visitor.get(path)
        nobody = await house.visitor()
        await house.come_back(nobody, await house.leave(nobody), "nobody@nowhere.example")
        await visitor.send("/sign-out", "/")

    said = str(logs)
    secrets = (house.user.email, "nobody@nowhere", made["ready"], house.user.id, "code-", "refresh ", "access ")
    assert [secret for secret in (*secrets, *visitor.cookies.values()) if secret and secret in said] == []


async def test_a_user_who_is_gone_is_signed_in_no_more(house: House) -> None:
    visitor = await house.sign_in()
    await house.run("DELETE FROM users WHERE id = $1", house.user.id)

    assert (await visitor.get("/")).status == 303
