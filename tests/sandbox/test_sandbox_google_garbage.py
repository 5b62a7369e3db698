"""Whatever is sent to the pretended Google, it answers as Google would: a 4xx in its own envelope, never a 500."""

import io
import json
import random
import string
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from sandbox import Sandbox
from tests.sandbox.official import ROBIN

CALENDAR = "/google/calendar/v3/calendars/primary/events"


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    sandbox.calendar(ROBIN).add("Weekly", "tomorrow", recurrence="FREQ=WEEKLY;COUNT=3")
    headers = {"authorization": f"Bearer {sandbox.google.access(ROBIN)}"}
    async with aiohttp.ClientSession(sandbox.url, headers=headers) as session:
        yield session


async def answered(api: aiohttp.ClientSession, method: str, path: str, **more: Any) -> tuple[int, Any]:
    async with api.request(method, URL(path, encoded=True), **more) as response:
        body = await response.read()
        return response.status, json.loads(body) if response.content_type == "application/json" else body.decode()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("maxResults=0", "invalid"),
        ("maxResults=-1", "invalid"),
        ("maxResults=many", "invalid"),
        ("maxResults=", "invalid"),
        ("maxResults=%C2%B2", "invalid"),
        ("maxResults=99999999999999999999", "invalid"),
        ("maxAttendees=none", "invalid"),
        ("singleEvents=yes", "invalid"),
        ("singleEvents=True", "invalid"),
        ("showDeleted=", "invalid"),
        ("showHiddenInvitations=1", "invalid"),
        ("timeMin=today", "invalid"),
        ("timeMin=2026-11-22", "invalid"),
        ("timeMin=2026-11-22T10:00:00", "invalid"),
        ("timeMin=2026-11-22T10:00:00+01:00", "invalid"),
        ("timeMin=0001-01-01T00:00:00Z", "invalid"),
        ("timeMax=2026-13-01T00:00:00Z", "invalid"),
        ("timeMin=2026-11-22T10:00:00Z&timeMax=2026-11-22T10:00:00Z", "timeRangeEmpty"),
        ("updatedMin=2020-01-01T00:00:00Z", "updatedMinTooLongAgo"),
        ("orderBy=startTime", "badRequest"),
        ("orderBy=colour", "invalid"),
        ("pageToken=garbage", "invalid"),
        ("pageToken=", "invalid"),
        ("syncToken=%00", "invalid"),
        ("syncToken=%ff%fe", "invalid"),
        ("eventTypes=party", "invalid"),
        ("timeZone=Mars%2FBase", "invalid"),
        ("timeZone=..%2F..%2Fetc%2Fpasswd", "invalid"),
        ("timeZone=", "invalid"),
        ("timeZone=%00", "invalid"),
        ("fields=items(", "invalidParameter"),
        ("fields=", "invalidParameter"),
        ("fields=items(id))", "invalidParameter"),
        ("fields=" + "a(" * 2000, "invalidParameter"),
        ("fields=" + "a/" * 2000 + "a", "invalidParameter"),
        ("singleevents=true", "badRequest"),
        ("colour=%ff", "badRequest"),
        ("=", "badRequest"),
    ],
)
async def test_broken_queries_of_a_listing(api: aiohttp.ClientSession, query: str, why: str) -> None:
    status, document = await answered(api, "GET", f"{CALENDAR}?{query}")

    assert status == (410 if why == "updatedMinTooLongAgo" else 400)
    assert document["error"]["errors"][0]["reason"] == why
    assert document["error"]["code"] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/google/", 404),
        ("GET", "/google/calendar/v3/calendars/primary", 404),
        ("GET", f"{CALENDAR}/", 404),
        ("GET", f"{CALENDAR}/%2e%2e/x/instances", 404),
        ("GET", f"{CALENDAR}/%00", 404),
        ("GET", f"{CALENDAR}/%ff%fe", 404),
        ("GET", f"{CALENDAR}/{'a' * 5000}", 404),
        ("GET", f"{CALENDAR}/nothing/instances", 404),
        ("GET", f"{CALENDAR}/nothing/instances?maxResults=x", 404),
        ("GET", "/google/calendar/v3/calendars/%F0%9F%92%A9/events", 404),
        ("POST", CALENDAR, 405),
        ("DELETE", f"{CALENDAR}/nothing", 405),
        ("PATCH", "/google/token", 405),
        ("GET", "/google/token", 405),
    ],
)
async def test_what_is_not_served(api: aiohttp.ClientSession, method: str, path: str, status: int) -> None:
    code, document = await answered(api, method, path)

    assert (code, document["error"]["code"]) == (status, status)


@pytest.mark.parametrize("path", [f"{CALENDAR}/watch", "/google/calendar/v3/channels/stop"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"id": {}}', b"{}" * 10_000]
)
async def test_bodies_that_are_no_channel(sandbox: Sandbox, api: aiohttp.ClientSession, path: str, body: bytes) -> None:
    status, document = await answered(api, "POST", path, data=body)

    assert (status, document["error"]["errors"][0]["reason"] in {"parseError", "required"}) == (400, True)
    assert sandbox.calendar(ROBIN).channels == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe%zz&&==;", "application/x-www-form-urlencoded"),
        (b"grant_type=refresh_token&client_id=sandbox-client&client_secret=%ff", "application/x-www-form-urlencoded"),
        (b'{"grant_type": "refresh_token"}', "application/json"),
        (b"grant_type=refresh_token", "text/plain"),
        (b"a=1&" * 50_000, "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("path", ["/google/token", "/google/revoke"])
async def test_forms_that_are_none(api: aiohttp.ClientSession, path: str, body: bytes, kind: str) -> None:
    status, document = await answered(api, "POST", path, data=body, headers={"content-type": kind})

    assert status in {400, 401}
    assert set(document) == {"error", "error_description"}


async def test_a_body_that_is_too_long(sandbox: Sandbox, api: aiohttp.ClientSession) -> None:
    body = io.BytesIO(b"x" * (32 * 1024 * 1024 + 1))
    status, document = await answered(api, "POST", f"{CALENDAR}/watch", data=body)

    assert (status, document["error"]["errors"][0]["reason"]) == (413, "uploadTooLarge")


async def test_anything_at_all(sandbox: Sandbox, api: aiohttp.ClientSession) -> None:
    dice = random.Random(20261122)
    names = ("maxResults", "pageToken", "syncToken", "timeMin", "timeMax", "orderBy", "fields", "q", "timeZone", "x")
    paths = (CALENDAR, f"{CALENDAR}/watch", f"{CALENDAR}/a_b/instances", "/google/token", "/google/o/oauth2/v2/auth")
    letters = string.ascii_letters + string.digits + "%+&=;_-./:\\,()*\"'{}[]"
    seen = set()

    for _ in range(300):
        values = ("".join(dice.choices(letters, k=dice.randint(0, 12))) for _ in range(3))
        query = "&".join(f"{dice.choice(names)}={value}" for value in values).replace("%", "%25" * dice.randint(0, 1))
        body = "".join(dice.choices(letters, k=20)).encode()
        status, _ = await answered(api, dice.choice(("GET", "POST")), f"{dice.choice(paths)}?{query}", data=body)
        seen.add(status)

    assert seen <= {200, 400, 401, 404, 405, 410}
    assert 400 in seen
    assert (await answered(api, "GET", CALENDAR))[0] == 200
