"""What is turned from outside: faults, the journal, the control API, and a memory that outlives the server."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from googleapiclient.errors import HttpError

from sandbox import Sandbox, running
from sandbox.google.diary import Calendar, UnknownError
from tests.sandbox.official import ROBIN, Official, fits, reason

EVENTS = "/google/calendar/v3/calendars/primary/events"
OF = f"/sandbox/calendar/{ROBIN}"
ADA = "ada@lovelace.example"


@pytest.fixture
def robin(sandbox: Sandbox) -> Calendar:
    return sandbox.calendar(ROBIN)


@pytest.fixture
def google(sandbox: Sandbox) -> Official:
    return Official(sandbox)


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"authorization": f"Bearer {sandbox.google.access(ROBIN)}"}
    async with aiohttp.ClientSession(sandbox.url, headers=headers) as session:
        yield session


async def said(http: aiohttp.ClientSession, method: str, path: str, document: object = None) -> tuple[int, Any]:
    async with http.request(method, path, json=document) as response:
        return response.status, await response.json()


# Faults and the journal.


@pytest.mark.parametrize(
    ("fault", "expected", "retry_after"),
    [
        ({"status": 403, "reason": "rateLimitExceeded"}, (403, "rateLimitExceeded"), None),
        ({"status": 403, "reason": "userRateLimitExceeded"}, (403, "userRateLimitExceeded"), None),
        ({"status": 403, "reason": "quotaExceeded"}, (403, "quotaExceeded"), None),
        ({"status": 429}, (429, "rateLimitExceeded"), None),
        ({"status": 429, "retry_after": "7"}, (429, "rateLimitExceeded"), "7"),
        ({"status": 410}, (410, "fullSyncRequired"), None),
        ({"status": 410, "reason": "deleted"}, (410, "deleted"), None),
        ({"status": 500}, (500, "backendError"), None),
        ({"status": 503}, (503, "backendError"), None),
        ({"status": 404}, (404, "notFound"), None),
    ],
)
async def test_errors_of_the_api(
    sandbox: Sandbox, google: Official, fault: dict[str, Any], expected: tuple[int, str], retry_after: str | None
) -> None:
    sandbox.faults.put("google", "status", match="/events", **fault)

    with pytest.raises(HttpError) as refused:
        await google.listed()

    assert reason(refused.value) == expected
    assert refused.value.resp.get("retry-after") == retry_after
    error = json.loads(refused.value.content)["error"]
    assert set(error) == {"code", "message", "errors"}
    assert error["errors"][0]["message"] == error["message"]
    usage = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}
    assert (error["errors"][0]["domain"] == "usageLimits") == (expected[1] in usage)
    assert (await google.listed())["items"] == []


async def test_errors_of_the_token_endpoint_are_oauths(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    for fault, error in (
        ({"status": 400, "reason": "invalid_grant"}, "invalid_grant"),
        ({"status": 503}, "internal_failure"),
        ({"status": 429}, "rate_limit_exceeded"),
    ):
        sandbox.faults.put("google", "status", match="POST /token", **fault)
        async with http.post("/google/token", data={"grant_type": "refresh_token"}) as response:
            assert (response.status, (await response.json())["error"]) == (fault["status"], error)
    sandbox.faults.put("google", "status", status=503)
    async with http.get("/google/o/oauth2/v2/auth") as response:
        assert (response.status, response.content_type) == (503, "text/html")


async def test_a_fault_can_be_meant_for_one_kind_of_call(sandbox: Sandbox, robin: Calendar, google: Official) -> None:
    _, token = await google.everything()
    sandbox.faults.put("google", "status", status=503, match="syncToken=")
    sandbox.faults.put("google", "status", status=500, match="/events/watch")
    sandbox.faults.put("google", "status", status=429, match="/channels/stop")

    assert (await google.listed())["items"] == []
    for call, expected in (
        (google.listed(syncToken=token), (503, "backendError")),
        (google.watch(id="x", type="web_hook", address="http://127.0.0.1:9/"), (500, "backendError")),
        (google.stop({"id": "x", "resourceId": "y"}), (429, "rateLimitExceeded")),
    ):
        with pytest.raises(HttpError) as refused:
            await call
        assert reason(refused.value) == expected
    assert (sandbox.faults.waiting(), robin.channels) == ([], [])


async def test_a_lost_answer_to_watch_leaves_a_channel(
    sandbox: Sandbox, robin: Calendar, api: aiohttp.ClientSession
) -> None:
    body = {"id": "orphan", "type": "web_hook", "address": f"{sandbox.url}/hook"}
    sandbox.faults.put("google", "drop", match="/watch")

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await api.post(f"{EVENTS}/watch", json=body)

    assert [channel.id for channel in robin.channels] == ["orphan"]


@pytest.mark.parametrize("kind", ["drop", "truncated"])
async def test_answers_break_off(sandbox: Sandbox, api: aiohttp.ClientSession, kind: str) -> None:
    sandbox.faults.put("google", kind, times=3)

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)):
        async with api.get(EVENTS) as response:
            await response.read()


@pytest.mark.parametrize("kind", ["garbage", "wrong_type", "empty", "deep", "huge", "nan", "slow"])
@pytest.mark.parametrize("call", [("GET", EVENTS), ("POST", "/google/calendar/v3/channels/stop")])
async def test_answers_are_spoilt(
    sandbox: Sandbox, api: aiohttp.ClientSession, kind: str, call: tuple[str, str]
) -> None:
    size = {"bytes": 5000} if kind == "huge" else {"seconds": 0.05} if kind == "slow" else {}
    sandbox.faults.put("google", kind, **size)

    async with api.request(*call) as response:
        body = await response.read()

    assert sandbox.journal.records()[-1]["fault"] == kind
    if kind == "nan":
        assert body.count(b"NaN") == 1
    elif kind == "slow":
        assert json.loads(body)
    else:
        assert response.status == 200
        assert not body.startswith(b'{"kind": "calendar#events"')


async def test_a_204_can_be_spoilt_too(sandbox: Sandbox, google: Official) -> None:
    channel = await google.watch(id="x", type="web_hook", address="http://127.0.0.1:9/")
    sandbox.faults.put("google", "nan", match="/stop")

    assert await google.stop(channel) == ""


async def test_slow_calls_of_google(sandbox: Sandbox, api: aiohttp.ClientSession) -> None:
    sandbox.delays["google"] = 0.2
    async with api.get(EVENTS) as response:
        assert response.status == 200

    record = sandbox.journal.records()[-1]
    assert record["ended"] - record["started"] >= 0.2


async def test_the_journal_says_what_was_called(
    sandbox: Sandbox, robin: Calendar, google: Official, http: aiohttp.ClientSession
) -> None:
    event = robin.add("Call", "tomorrow", recurrence="FREQ=DAILY;COUNT=2")
    _, token = await google.everything()
    await google.listed(syncToken=token)
    await google.one(event)
    await google.instances(event)
    await google.stop(await google.watch(id="x", type="web_hook", address="http://127.0.0.1:9/"))
    for method, path, data in (
        ("GET", "o/oauth2/v2/auth", None),
        ("POST", "o/oauth2/v2/auth", {}),
        ("POST", "token", {"grant_type": "authorization_code"}),
        ("POST", "token", {"grant_type": "password"}),
        ("POST", "revoke", {}),
        ("GET", "v1/userinfo", None),
        ("GET", "calendar/v3/colors", None),
        ("DELETE", "token", None),
    ):
        await http.request(method, f"/google/{path}", data=data)

    records = sandbox.journal.records(provider="google")
    assert [record["about"] for record in records] == [
        *("token:refresh", "events.list:full", "events.list:incremental", "events.get", "events.instances"),
        *("events.watch", "channels.stop", "auth:page", "auth:decision", "token:authorization", "token:other"),
        *("revoke", "userinfo", None, None),
    ]
    assert records[2]["request"].startswith("syncToken=")
    assert records[2]["asked"] != records[1]["asked"]
    assert [record["status"] for record in records[-2:]] == [404, 405]


# The control API.


async def test_a_calendar_can_be_played_with_over_http(
    sandbox: Sandbox, http: aiohttp.ClientSession, robin: Calendar
) -> None:
    new = {"title": "Call", "start": "2026-12-01T10:00", "attendees": [ADA], "recurrence": "FREQ=WEEKLY;COUNT=3"}
    status, made = await said(http, "POST", f"{OF}/events", new)
    assert (status, fits(made, "Event")["recurrence"]) == (201, ["RRULE:FREQ=WEEKLY;COUNT=3"])
    one = f"{OF}/events/{made['id']}"

    for verb, order in (
        ("move", {"start": "2026-12-02T11:00", "minutes": 60}),
        ("edit", {"title": "Second call", "private": True}),
        ("invite", {"attendees": [{"email": "bob@brightwater.example", "name": "Bob"}]}),
        ("uninvite", {"email": "bob@brightwater.example"}),
        ("answer", {"email": ADA, "status": "declined"}),
    ):
        status, event = await said(http, "POST", f"{one}/{verb}", order)
        assert status == 200
    assert event["start"]["dateTime"] == "2026-12-02T11:00:00+01:00"
    assert (event["summary"], event["visibility"]) == ("Second call", "private")
    assert {g["email"]: g["responseStatus"] for g in event["attendees"]} == {ROBIN: "accepted", ADA: "declined"}

    instances = (await said(http, "GET", f"{one}/instances"))[1]["events"]
    assert (await said(http, "POST", f"{OF}/events/{instances[1]['id']}/cancel"))[1]["status"] == "cancelled"
    assert (await said(http, "POST", f"{one}/cancel"))[1]["status"] == "cancelled"
    assert (await said(http, "POST", f"{one}/restore"))[1]["status"] == "confirmed"
    statuses = [each["status"] for each in (await said(http, "GET", f"{one}/instances"))[1]["events"]]
    assert statuses == ["confirmed", "cancelled", "confirmed"]
    assert [each["id"] for each in (await said(http, "GET", f"{OF}/events"))[1]["events"]] == [made["id"]]


async def test_accounts_grants_and_tokens_over_http(
    sandbox: Sandbox, http: aiohttp.ClientSession, google: Official
) -> None:
    new = {"email": "Kim.Hale@harbour.example", "name": "Kim Hale", "time_zone": "America/New_York"}
    assert await said(http, "POST", "/sandbox/calendar", new) == (
        201,
        {**new, "email": "kim.hale@harbour.example", "events": 0, "channels": 0, "grants": 0},
    )
    _, token = await google.everything()
    await google.watch(id="x", type="web_hook", address="http://127.0.0.1:9/")

    granted = (await said(http, "POST", f"{OF}/grant", {"scopes": ["openid", "email"]}))[1]["refresh_token"]
    assert sandbox.google.refresh_tokens(ROBIN)[-1] == granted
    flooded = (await said(http, "POST", f"{OF}/flood", {"changes": 2, "notifications": 3}))[1]
    assert (len(flooded["events"]), flooded["notifications"]) == (2, 3)
    assert len((await said(http, "GET", "/sandbox/calendar/notifications"))[1]["notifications"]) == 6
    assert (await said(http, "GET", f"{OF}/channels"))[1]["channels"][0]["id"] == "x"
    assert (await said(http, "POST", f"{OF}/expire-sync-tokens"))[1]["grants"] == 2
    with pytest.raises(HttpError) as gone:
        await google.listed(syncToken=token)
    assert reason(gone.value) == (410, "fullSyncRequired")
    assert (await said(http, "POST", f"{OF}/expire-access-tokens"))[0] == 200
    assert len((await google.listed())["items"]) == 2
    accounts = (await said(http, "POST", f"{OF}/revoke"))[1], (await said(http, "GET", "/sandbox/calendar"))[1]
    assert (accounts[0]["grants"], accounts[1]["accounts"][0]["channels"]) == (0, 1)


async def test_knobs_are_shown_and_turned_together_or_not_at_all(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    status, knobs = await said(http, "PUT", "/sandbox/calendar/knobs", {"lose_next": 3, "delay_notifications": 2})
    assert (status, knobs["lose_next"], sandbox.google.delay_notifications) == (200, 3, 2.0)

    status, error = await said(http, "PUT", "/sandbox/calendar/knobs", {"lose_next": 5, "lose_share": 2})
    assert (status, error["error"]) == (400, "lose_share: Input should be less than or equal to 1.")
    assert (await said(http, "GET", "/sandbox/calendar/knobs"))[1] == knobs
    with pytest.raises(ValueError, match="lose_share"):
        sandbox.google.lose_share = -1


@pytest.mark.parametrize(
    ("path", "order", "word"),
    [
        ("", [], "JSON object"),
        ("", {}, "email"),
        ("", {"email": "nobody"}, "is no address"),
        ("", {"email": ROBIN}, "already"),
        ("", {"email": "kim@harbour.example", "time_zone": "Mars/Base"}, "Europe/Berlin"),
        ("/events", {"start": "yesteryear"}, "tomorrow 14:00"),
        ("/events", {"start": "tomorrow 25:00"}, "tomorrow 14:00"),
        ("/events", {"start": "in 999999 days"}, "tomorrow 14:00"),
        ("/events", {"start": 5}, "start"),
        ("/events", {"start": "9999-12-31"}, "tomorrow 14:00"),
        ("/events", {"minutes": 0}, "minutes"),
        ("/events", {"minutes": "30"}, "minutes"),
        ("/events", {"attendees": "ada@lovelace.example"}, "attendees"),
        ("/events", {"attendees": ["ada"]}, "is no address"),
        ("/events", {"attendees": [{"email": ADA, "status": "maybe"}]}, "status"),
        ("/events", {"attendees": [ADA] * 501}, "attendees"),
        ("/events", {"recurrence": "FREQ=SECONDLY"}, "FREQ=WEEKLY;COUNT=10"),
        ("/events", {"recurrence": "FREQ=DAILY;INTERVAL=0"}, "FREQ=WEEKLY;COUNT=10"),
        ("/events", {"recurrence": "FREQ=DAILY;COUNT=2;COUNT=3"}, "FREQ=WEEKLY;COUNT=10"),
        ("/events", {"recurrence": "FREQ=DAILY;COUNT=2;UNTIL=20270101"}, "FREQ=WEEKLY;COUNT=10"),
        ("/events", {"recurrence": "FREQ=DAILY;UNTIL=20271399"}, "FREQ=WEEKLY;COUNT=10"),
        ("/events", {"recurrence": "FREQ=DAILY;INTERVAL=7;BYDAY=MO"}, "FREQ=WEEKLY;COUNT=10"),
        ("/events", {"time_zone": "../etc/passwd"}, "Europe/Berlin"),
        ("/events", {"title": "x" * 2000}, "title"),
        ("/events", {"title": "\ud800"}, "title"),
        ("/events", {"colour": "red"}, "colour"),
        ("/events/{event}/move", {}, "start"),
        ("/events/{event}/move", {"start": "later"}, "tomorrow 14:00"),
        ("/events/{event}/edit", {"title": 5}, "title"),
        ("/events/{event}/invite", {"attendees": []}, "attendees"),
        ("/events/{event}/answer", {"status": "perhaps"}, "status"),
        ("/flood", {"changes": 10**6}, "changes"),
        ("/flood", {"notifications": -1}, "notifications"),
        ("/grant", {"scopes": ["everything"]}, "no scope"),
    ],
)
async def test_wrong_orders_are_a_400_with_one_sentence_and_change_nothing(
    sandbox: Sandbox, http: aiohttp.ClientSession, robin: Calendar, path: str, order: object, word: str
) -> None:
    event = robin.add("Call", "tomorrow")
    before = sandbox.google.state.model_dump_json()
    where = f"{OF}{path.format(event=event)}" if path else "/sandbox/calendar"

    status, error = await said(http, "POST", where, order)

    assert (status, set(error)) == (400, {"error"})
    assert word in error["error"]
    assert error["error"].endswith(".") and "\n" not in error["error"]
    assert sandbox.google.state.model_dump_json() == before


@pytest.mark.parametrize(
    ("method", "path", "order"),
    [
        ("GET", "/sandbox/calendar/nobody@x.example/events", None),
        ("POST", "/sandbox/calendar/nobody@x.example/events", {}),
        ("POST", f"{OF}/events/nothing/cancel", None),
        ("POST", f"{OF}/events/%2e%2e%2f/move", {"start": "tomorrow"}),
        ("POST", f"{OF}/events/{{event}}_20300101T000000Z/cancel", None),
        ("POST", f"{OF}/events/{{event}}/uninvite", {"email": ADA}),
        ("POST", f"{OF}/events/{{event}}/answer", {"email": ADA, "status": "accepted"}),
        ("POST", "/sandbox/calendar/nobody@x.example/revoke", None),
    ],
)
async def test_what_is_not_there_is_a_404(
    sandbox: Sandbox, http: aiohttp.ClientSession, robin: Calendar, method: str, path: str, order: object
) -> None:
    event = robin.add("Call", "tomorrow")

    status, error = await said(http, method, path.format(event=event), order)

    assert status == 404
    assert error["error"].endswith(".")


def test_python_hears_of_mistakes_too(sandbox: Sandbox, robin: Calendar) -> None:
    for mistake in (
        lambda: robin.cancel("nothing"),
        lambda: robin.uninvite(robin.add("Call", "tomorrow"), ADA),
        lambda: sandbox.calendar("nobody@x.example"),
        lambda: sandbox.google.grant("nobody@x.example"),
    ):
        with pytest.raises(UnknownError):
            mistake()
    with pytest.raises(ValueError, match="recurrence"):
        robin.add("Call", "tomorrow", recurrence="now and then")
    with pytest.raises(ValueError, match="colour"):
        robin.add("Call", "tomorrow", colour="red")


# Memory.


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    async with running(state_path=path) as first:
        google = Official(first)
        series = first.calendar(ROBIN).add("Weekly", "tomorrow", recurrence="FREQ=WEEKLY;COUNT=3", attendees=[ADA])
        moved, gone, _ = (item.id for item in first.calendar(ROBIN).instances(series))
        first.calendar(ROBIN).move(moved, "in 3 days")
        first.calendar(ROBIN).cancel(gone)
        before, token = await google.everything(singleEvents=True)
        await google.watch(id="x", type="web_hook", address=f"{first.url}/hook", token="secret")
        kept = google.credentials
        port = int(first.url.rpartition(":")[2])

    async with running(port, state_path=path) as second:
        google = Official(second)
        google.credentials = kept
        assert (await google.everything(singleEvents=True))[0] == before
        second.calendar(ROBIN).restore(gone)
        (news,) = (await google.listed(singleEvents=True, syncToken=token))["items"]
        assert (news["id"], news["status"]) == (gone, "confirmed")
        (message,) = second.google.notifications
        assert (message.channel.token, message.state, message.number > 1) == ("secret", "exists", True)
        assert "token:refresh" not in {record["about"] for record in second.journal.records(provider="google")}
    assert [each.name for each in tmp_path.glob("*")] == ["state.json"]  # noqa: ASYNC240  nothing else runs


async def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with running() as sandbox:
        sandbox.calendar(ROBIN).add("Call", "tomorrow")

    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  nothing else runs


async def test_a_file_that_is_no_state_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{}}")

    with pytest.raises(OSError, match="is no state of a sandbox"):
        async with running(state_path=path):
            pass
    assert path.read_text() == "{}}"
