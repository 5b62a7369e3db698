"""The pretended Gong: as strict as the real one, forgetful, and heard by its webhook alone."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from sandbox import Sandbox
from sandbox.calls import CALLS
from sandbox.gong import ACCESS_KEY, ACCESS_SECRET
from starter.web.gong import public_key

BASIC = "Basic " + base64.b64encode(f"{ACCESS_KEY}:{ACCESS_SECRET}".encode()).decode()


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url, headers={"authorization": BASIC}) as session:
        yield session


async def ask(http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
    async with http.request(method, f"/gong{path}", json=body, params=query) as response:
        return response.status, await response.json()


async def test_nothing_is_there_until_a_call_happens(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    for method, path, body in (
        ("GET", "/v2/calls", None),
        ("POST", "/v2/calls/extensive", {"filter": {}}),
        ("POST", "/v2/calls/transcript", {"filter": {}}),
    ):
        status, said = await ask(http, method, path, body)
        assert (status, said["errors"]) == (404, ["No calls found corresponding to the provided filters"])
    sandbox.gong.record()
    assert (await ask(http, "GET", "/v2/calls"))[0] == 200


async def test_every_invented_call_can_be_read_whole(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    for call in CALLS:
        recording = sandbox.gong.record(call.id)
        wanted = {"filter": {"callIds": [recording.id]}}
        shown = {**wanted, "contentSelector": {"exposedFields": {"parties": True}}}
        _, extensive = await ask(http, "POST", "/v2/calls/extensive", shown)
        _, said = await ask(http, "POST", "/v2/calls/transcript", wanted)
        speakers = {one["speakerId"] for one in extensive["calls"][0]["parties"]}
        stretches = said["callTranscripts"][0]["transcript"]
        assert {one["speakerId"] for one in stretches} <= speakers
        sentences = [one for stretch in stretches for one in stretch["sentences"]]
        assert [one["text"] for one in sentences] == [one.text for one in call.sentences]
        assert sentences[-1]["end"] <= extensive["calls"][0]["metaData"]["duration"] * 1000 + 1000, "seconds"
        assert recording.id.isdecimal()


async def test_parties_are_told_to_who_asks_for_them(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.gong.record()
    _, said = await ask(http, "POST", "/v2/calls/extensive", {"filter": {}})
    assert "parties" not in said["calls"][0]


async def test_pages_follow_each_other(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.gong.flood(250)
    ids, query = [], dict[str, str]()
    for size in (100, 100, 50):
        _, said = await ask(http, "GET", "/v2/calls", **query)
        ids += [one["id"] for one in said["calls"]]
        assert (said["records"]["totalRecords"], said["records"]["currentPageSize"]) == (250, size)
        query = {"cursor": said["records"].get("cursor", "")}
    assert query == {"cursor": ""}
    assert len(set(ids)) == 250


async def test_a_cursor_goes_with_its_request(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.gong.flood(101)
    _, said = await ask(http, "GET", "/v2/calls")
    cursor = said["records"]["cursor"]
    since = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    assert (await ask(http, "GET", "/v2/calls", cursor=cursor, fromDateTime=since))[0] == 400
    assert (await ask(http, "GET", "/v2/calls", cursor="made-up"))[0] == 400
    assert (await ask(http, "GET", "/v2/calls", cursor=cursor))[0] == 200


async def test_calls_are_found_by_when_they_began(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.gong.flood(4)
    began = [one.started for one in sandbox.gong.recordings.values()]
    _, said = await ask(http, "GET", "/v2/calls", fromDateTime=began[1].isoformat(), toDateTime=began[3].isoformat())
    assert len(said["calls"]) == 2


async def test_a_transcript_takes_its_time(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    recording = sandbox.gong.record(not_ready_for=60)
    wanted = {"filter": {"callIds": [recording.id]}}
    assert (await ask(http, "POST", "/v2/calls/transcript", wanted))[0] == 404
    assert (await ask(http, "POST", "/v2/calls/extensive", wanted))[0] == 200
    sandbox.world.clock.set(datetime.now(UTC) + timedelta(seconds=61))
    assert (await ask(http, "POST", "/v2/calls/transcript", wanted))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "status"),
    [
        ("GET", "/v2/calls", None, {"colour": "red"}, 400),
        ("GET", "/v2/calls", None, {"fromDateTime": "yesterday"}, 400),
        ("GET", "/v2/calls", None, {"fromDateTime": "2026-11-23T09:00:00"}, 400),
        ("GET", "/v2/calls", None, {"callIds": "1"}, 400),
        ("POST", "/v2/calls", {}, {}, 405),
        ("GET", "/v2/calls/extensive", None, {}, 405),
        ("GET", "/v3/calls", None, {}, 404),
        ("POST", "/v2/calls/transcript", {}, {}, 400),
        ("POST", "/v2/calls/transcript", [], {}, 400),
        ("POST", "/v2/calls/transcript", {"filter": {"callIds": ["x"]}}, {}, 400),
        ("POST", "/v2/calls/transcript", {"filter": {"callIds": [7]}}, {}, 400),
        ("POST", "/v2/calls/transcript", {"filter": {}, "contentSelector": {}}, {}, 400),
        ("POST", "/v2/calls/extensive", {"filter": {}, "contentSelector": {"exposedFields": {"faces": True}}}, {}, 400),
    ],
)
async def test_whatever_is_not_known_is_refused(
    sandbox: Sandbox,
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    body: Any,
    query: dict[str, str],
    status: int,
) -> None:
    sandbox.gong.record()
    answered, said = await ask(http, method, path, body, **query)
    assert answered == status
    assert len(said["errors"]) == 1


@pytest.mark.parametrize("said", ["", "Basic", "Basic !", "Bearer x", "Basic " + base64.b64encode(b"a:b").decode()])
async def test_nobody_is_let_in_without_the_key(sandbox: Sandbox, said: str) -> None:
    sandbox.gong.record()
    async with (
        aiohttp.ClientSession(sandbox.url) as session,
        session.get("/gong/v2/calls", headers={"authorization": said}) as response,
    ):
        assert response.status == 401
    assert sandbox.journal.records(provider="gong")[0]["about"] == "list"


async def test_the_rule_signs_what_it_sends(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    heard: list[tuple[str, bytes]] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append((request.headers["Authorization"], await request.read()))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        async with http.put("/sandbox/gong/webhook", json={"url": url}) as response:
            assert response.status == 200
        async with http.post("/sandbox/gong/calls", json={"name": "halden"}) as response:
            happened = await response.json()
    finally:
        await runner.cleanup()

    async with http.get("/sandbox/gong") as response:
        key = public_key((await response.json())["public_key"])
    ((token, body),) = heard
    claims = jwt.decode(token, key, algorithms=["RS256"])
    assert (claims["webhook_url"], claims["body_sha256"]) == (url, hashlib.sha256(body).hexdigest())
    assert (happened["answered"], happened["title"].split(":")[0]) == (202, "Halden Foods")
    said = json.loads(body)
    assert said["isTest"] is False
    assert said["callData"]["metaData"]["id"] == happened["id"]


async def test_a_call_that_happens_again_is_another_one(sandbox: Sandbox) -> None:
    ids = [sandbox.gong.record("halden").id for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(one.isdecimal() and len(one) <= 20 for one in ids)


async def test_calls_happen_in_turn(sandbox: Sandbox) -> None:
    assert [sandbox.gong.record().call.id for _ in CALLS] == [call.id for call in CALLS]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("POST", "calls", {"name": "nobody"}, 404, "Halden"),
        ("POST", "calls", {"colour": "red"}, 400, "colour"),
        ("POST", "calls", {"not_ready_for": -1}, 400, "not_ready_for"),
        ("POST", "calls", [], 400, "JSON object"),
        ("POST", "flood", {"calls": 0}, 400, "calls"),
        ("POST", "flood", {"calls": 10**9}, 400, "calls"),
        ("PUT", "webhook", {"url": "ftp://a.example"}, 400, "webhooks/gong"),
        ("PUT", "webhook", {"url": "http://["}, 400, "url"),
        ("PUT", "webhook", {}, 400, "url"),
    ],
)
async def test_wrong_orders_are_explained_and_change_nothing(
    sandbox: Sandbox, http: aiohttp.ClientSession, method: str, path: str, body: Any, status: int, word: str
) -> None:
    async with http.request(method, f"/sandbox/gong/{path}", json=body) as response:
        assert response.status == status
        assert word in (await response.json())["error"]
    assert (sandbox.gong.recordings, sandbox.gong.rule.url) == ({}, None)


async def test_a_flood_is_listed_and_told_to_nobody(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    async with http.post("/sandbox/gong/flood", json={"calls": 1000}) as response:
        assert (response.status, await response.json()) == (201, {"calls": 1000})
    _, said = await ask(http, "GET", "/v2/calls")
    assert said["records"]["totalRecords"] == 1000
