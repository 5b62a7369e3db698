"""The door through which other applications have skills run: keys, refusals, what is told, and what is heard."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from activities import errors
from activities.store.database import Database
from activities.store.skill_asking import TooManyRunsError
from schemas.skills import RunStatus
from starter.errands import AwayError
from starter.skills import run_id
from starter.web import watching
from starter.words import NotReadyError
from tests.waiting import until
from tests.web.house import House
from tests.web.runs import CLIENT, KEY, TEXT, Skills, skill

ASK = {"skillName": "follow-up", "userMessage": "Write to Ada."}
Heard = tuple[str, dict[str, Any], str]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.skills = Skills(house.tenant.id, house.user.id, {"follow-up": skill()})
        await exits.enter_async_context(house.open())
        yield house


@pytest.fixture
def kept(house: House) -> Skills:
    assert isinstance(house.skills, Skills)
    return house.skills


@pytest.fixture
async def door(house: House) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(house.base, headers=headers) as session:
        yield session


async def said(answer: Any) -> tuple[int, Any]:
    async with answer as got:
        assert got.content_type == "application/json"
        return got.status, await got.json()


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[Heard]:
    """What is heard, without what only says that somebody is there."""
    told: dict[str, str] = {}
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            told[name] = value
        elif "event" in told:
            yield told["event"], json.loads(told["data"]), told["id"]
            told = {}


def text_of(heard: list[Heard]) -> str:
    text = ""
    for name, told, _ in heard:
        if name == "text":
            text = told["text"] if told.get("again") else text + told["text"]
    return text


async def test_a_run_is_asked_for_and_named_runs_are_the_same(
    house: House, kept: Skills, door: aiohttp.ClientSession
) -> None:
    wanted = {**ASK, "userId": house.user.email.upper(), "clientId": "Lovelace.example", "options": {"tone": "short"}}
    status, first = await said(door.post("/runs", json=wanted | {"runId": "theirs-1"}))
    again, second = await said(door.post("/runs", json=wanted | {"runId": "theirs-1"}))

    assert (status, again) == (201, 200)
    assert first == second == {"runId": run_id(house.tenant.id, "theirs-1"), "status": "queued", "position": None}
    new = kept.wanted[0]
    assert (new.user_id, new.client_id, new.inputs) == (house.user.id, CLIENT[0], {"tone": "short"})
    assert (new.skill, new.message, new.meeting_id) == ("follow-up", "Write to Ada.", None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer " + "x" * 5000},
    ],
    ids=["none", "empty", "wrong", "basic", "long"],
)
async def test_without_a_key_nothing_is_told(
    kept: Skills, door: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    run = kept.put()
    for method, path in (("POST", "/runs"), ("GET", f"/runs/{run.id}"), ("DELETE", f"/runs/{run.id}"),
                         ("GET", f"/runs/{run.id}/events"), ("POST", f"/runs/{run.id}/feedback")):  # fmt: skip
        status, told = await said(door.request(method, path, headers=headers, data=b"{"))
        assert (status, told) == (401, {"error": "there is no such event key, or it was revoked"})
    assert kept.views == 0


async def test_a_key_that_was_revoked_just_now_opens_nothing(kept: Skills, door: aiohttp.ClientSession) -> None:
    run = kept.put()
    assert (await said(door.get(f"/runs/{run.id}")))[0] == 200
    kept.revoked.add("key")

    assert (await said(door.get(f"/runs/{run.id}")))[0] == 401
    assert (await said(door.delete(f"/runs/{run.id}")))[0] == 401
    assert kept.stopped == []


@pytest.mark.parametrize(
    ("more", "status", "sentence"),
    [
        ({"skillName": ""}, 400, "body.skillName"),
        ({"skillName": "nothing"}, 404, "There is no skill"),
        ({"userMessage": "x" * 20_001}, 400, "body.userMessage"),
        ({"userMessage": "a\0b"}, 400, "body.userMessage"),
        ({"userId": None}, 400, "body.userId"),
        ({"userId": str(uuid4())}, 404, "userId: there is no such user"),
        ({"userId": "nobody@elsewhere.example"}, 404, "userId: there is no such user"),
        ({"clientId": "unknown.example"}, 400, "clientId"),
        ({"meetingId": "next"}, 400, "meetingId"),
        ({"options": []}, 400, "body.options"),
        ({"options": {"tone": "loud"}}, 400, "must be one of"),
        ({"tenantId": str(uuid4())}, 403, "another tenant"),
    ],
)
async def test_what_cannot_be_meant_is_one_sentence(
    house: House, kept: Skills, door: aiohttp.ClientSession, more: dict[str, Any], status: int, sentence: str
) -> None:
    got, told = await said(door.post("/runs", json={**ASK, "userId": house.user.id, **more}))

    assert got == status, told
    assert sentence in told["error"]
    assert set(told) == {"error"}
    assert kept.wanted == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"a":' * 9000, b"\xff", b'{"skillName": NaN}'])
async def test_garbage_is_refused(door: aiohttp.ClientSession, body: bytes) -> None:
    status, told = await said(door.post("/runs", data=body))

    assert (status, set(told)) == (400, {"error"})


async def test_more_than_is_taken_is_refused_and_a_long_message_is_not(
    house: House, door: aiohttp.ClientSession
) -> None:
    status, told = await said(door.post("/runs", data=b" " * (600 * 1024)))
    assert (status, told) == (413, {"error": "more than 512 KiB were sent"})

    long = json.dumps({**ASK, "userId": house.user.id, "userMessage": "\u00e9" * 20_000})
    assert (await said(door.post("/runs", data=long.encode())))[0] == 201


@pytest.mark.parametrize(
    ("fails", "status", "retry"),
    [
        (TooManyRunsError(754), 429, "754"),
        (AwayError(), 503, "5"),
        (NotReadyError("There is nowhere to put it", "greenroom setup"), 503, "5"),
        (errors.not_found("run"), 503, "5"),
    ],
    ids=["too many", "away", "not ready", "store"],
)
async def test_later_says_when(
    house: House, kept: Skills, door: aiohttp.ClientSession, fails: Exception, status: int, retry: str
) -> None:
    kept.fails = fails
    async with door.post("/runs", json={**ASK, "userId": house.user.id}) as got:
        assert (got.status, got.headers["Retry-After"]) == (status, retry)
        assert "greenroom" not in (await got.json())["error"]


async def test_a_run_is_looked_at(house: House, kept: Skills, door: aiohttp.ClientSession) -> None:
    running = kept.put(draft="Dear Ada")
    _, told = await said(door.get(f"/runs/{running.id}"))
    assert (told["status"], told["text"], told["output"], told["error"]) == ("running", "Dear Ada", None, None)

    kept.written(running)
    _, told = await said(door.get(f"/runs/{running.id}"))
    assert (told["status"], told["text"]) == ("completed", TEXT)
    assert told["output"]["sizeBytes"] == len(TEXT.encode())
    assert told["output"]["s3Key"].startswith(f"{house.tenant.id}/skills/")

    failed = kept.put(status=RunStatus.FAILED, failed_step="execute", failure_reason="it was refused", retryable=True)
    _, told = await said(door.get(f"/runs/{failed.id}"))
    assert told["error"] == {"error": "it was refused", "step": "execute", "retryable": True}


@pytest.mark.parametrize("run", ["nothing", "00000000-0000-4000-8000-00000000dead", "%00"])
async def test_what_is_not_there_is_not_there(kept: Skills, door: aiohttp.ClientSession, run: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/feedback")):
        assert (await said(door.request(method, f"/runs/{run}{path}", json={})))[0] in (400, 404)


async def test_a_run_is_stopped_and_one_that_ended_is_not(kept: Skills, door: aiohttp.ClientSession) -> None:
    running, ended = kept.put(), kept.written()

    assert await said(door.delete(f"/runs/{running.id}")) == (
        202,
        {"runId": running.id, "status": "running", "stopped": True},
    )
    assert (await said(door.delete(f"/runs/{ended.id}")))[0] == 200
    assert kept.stopped == [running.id]


async def test_it_is_judged(kept: Skills, door: aiohttp.ClientSession) -> None:
    written, running = kept.written(), kept.put()
    opinion = {"overall": 2, "accuracy": 4, "issues": "too long"}
    status, told = await said(door.post(f"/runs/{written.id}/feedback", json=opinion))

    assert (status, told["runId"]) == (200, written.id)
    assert kept.said[written.id].model_dump(exclude_none=True) == opinion
    for wrong in ({"overall": 6}, {"overall": 0}, {"overall": "x"}, {}, {"overall": 3, "issues": "x" * 2001}):
        assert (await said(door.post(f"/runs/{written.id}/feedback", json=wrong)))[0] == 400
    assert (await said(door.post(f"/runs/{running.id}/feedback", json=opinion)))[0] == 400


async def test_it_is_heard_as_it_is_written_and_what_was_heard_is_the_output(
    kept: Skills, door: aiohttp.ClientSession
) -> None:
    run, heard = kept.put(status=RunStatus.QUEUED, position=2), list[Heard]()
    async with door.get(f"/runs/{run.id}", headers={"Accept": "text/event-stream"}) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        listening = events(response)
        heard.append(await anext(listening))
        assert (heard[0][0], heard[0][1]["position"]) == ("progress", 2)
        kept.change(run, status=RunStatus.RUNNING, position=None, draft="# Your")
        heard += [await anext(listening), await anext(listening)]
        assert [name for name, _, _ in heard[1:]] == ["progress", "text"]
        kept.change(run, draft="# Your follow-up\n\nDear")
        heard.append(await anext(listening))
        assert heard[-1][1] == {"text": " follow-up\n\nDear"}
        # Another worker begins anew.
        kept.change(run, draft="# Yours")
        heard.append(await anext(listening))
        assert heard[-1][1] == {"text": "# Yours", "again": True}
        kept.written(run)
        heard += [one async for one in listening]

    assert heard[-1][0] == "done"
    assert heard[-1][1]["status"] == "completed"
    assert text_of(heard) == TEXT


async def test_one_that_failed_says_why_once(kept: Skills, door: aiohttp.ClientSession) -> None:
    run = kept.put(status=RunStatus.FAILED, failure_reason="it was refused", failed_step="execute")
    async with door.get(f"/runs/{run.id}/events") as response:
        heard = [one async for one in events(response)]

    assert [(name, told) for name, told, _ in heard] == [
        (
            "done",
            {"runId": run.id, "status": "failed", "error": "it was refused", "step": "execute", "retryable": False},
        )
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("Dear Ada, thank you", {"text": ", thank you"}),
        ("Dearest", {"text": "Dearest", "again": True}),
        ("Dear", {"text": "Dear", "again": True}),
    ],
    ids=["goes on", "another", "shorter"],
)
async def test_whoever_comes_again_goes_on_where_they_were(
    kept: Skills, door: aiohttp.ClientSession, more: str, expected: dict[str, Any]
) -> None:
    run = kept.put(draft="Dear Ada")
    async with door.get(f"/runs/{run.id}/events") as response:
        name, told, last = [await anext(listening) for listening in [events(response)] for _ in range(2)][1]
        assert (name, told) == ("text", {"text": "Dear Ada"})
    kept.change(run, draft=more)
    async with door.get(f"/runs/{run.id}/events", headers={"Last-Event-ID": last}) as response:
        listening = events(response)
        assert (await anext(listening))[0] == "progress"
        assert (await anext(listening))[1] == expected


@pytest.mark.parametrize("last", ["x", "8-zz", "99999999-0123456789abcdef", "9" * 5000, "8-" + "0" * 16])
async def test_who_says_nonsense_of_what_they_heard_hears_all(
    kept: Skills, door: aiohttp.ClientSession, last: str
) -> None:
    run = kept.put(draft="Dear Ada")
    async with door.get(f"/runs/{run.id}/events", headers={"Last-Event-ID": last}) as response:
        listening = events(response)
        await anext(listening)
        assert (await anext(listening))[1]["text"] == "Dear Ada"


async def test_one_reads_however_many_listen_and_nobody_does_when_they_are_gone(
    kept: Skills, door: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "QUIET_S", 0.2)
    run = kept.put(draft="Dear Ada")
    async with AsyncExitStack() as exits:
        for _ in range(10):
            response = await exits.enter_async_context(door.get(f"/runs/{run.id}/events"))
            await anext(events(response))
        before, began = kept.views, asyncio.get_running_loop().time()
        await until(lambda: read(kept, before + 5))
        assert asyncio.get_running_loop().time() - began > 4 * watching.BETWEEN_S * 0.8
    await until(lambda: unread(kept))


async def read(kept: Skills, times: int) -> bool:
    return kept.views >= times


async def unread(kept: Skills) -> bool:
    """Nobody has read it for longer than whoever reads it waits."""
    was = kept.views
    await asyncio.sleep(3 * watching.BETWEEN_S)
    return kept.views == was


async def test_no_more_may_listen_than_can_be_told(
    kept: Skills, door: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_OF_ONE", 2)
    run, other = kept.put(draft="a"), kept.put(draft="b")
    async with AsyncExitStack() as exits:
        for _number in range(2):
            response = await exits.enter_async_context(door.get(f"/runs/{run.id}/events"))
            await anext(events(response))
        assert (await said(door.get(f"/runs/{run.id}/events")))[0] == 503
        response = await exits.enter_async_context(door.get(f"/runs/{other.id}/events"))
        assert (await anext(events(response)))[0] == "progress"


async def test_one_tenant_keeps_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_OF_TENANT", 2)
    kept = Skills("mine", str(uuid4()))
    runs = [kept.put(draft="a") for _ in range(3)]
    theirs = watching.Watching(kept, kept)
    listening = [theirs._events("mine", run.id, "") for run in runs[:2]]
    for one in listening:
        assert [await anext(one) for _ in range(2)]
    assert theirs.full("mine", runs[2].id)
    assert not theirs.full("another", runs[2].id)
    for one in listening:
        await one.aclose()  # type: ignore[attr-defined]  # a generator
    assert not theirs.full("mine", runs[2].id)


@pytest.mark.parametrize("gone", [True, False], ids=["its file is missing", "its store is away"])
async def test_an_output_that_cannot_be_had_is_told_as_such(
    kept: Skills, door: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    monkeypatch.setattr(watching, "AWAY_S", 0.05)
    run = kept.written()
    kept.away = None if gone else errors.not_found("object")
    if gone:
        kept.texts.clear()

    status, told = await said(door.get(f"/runs/{run.id}"))
    assert (status, told["text"], told["output"]["sizeBytes"]) == (200, None, len(TEXT.encode()))
    async with door.get(f"/runs/{run.id}/events") as response:
        heard = [one async for one in events(response)]
    assert [(name, told.get("text", "")) for name, told, _ in heard] == [("done", None)]


async def test_a_store_that_is_back_soon_is_waited_for(
    kept: Skills, door: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "AWAY_S", 0.2)
    run = kept.written()
    kept.away = errors.not_found("object")
    async with door.get(f"/runs/{run.id}/events") as response:
        await until(lambda: read(kept, 2))
        kept.away = None
        heard = [one async for one in events(response)]
    assert text_of(heard) == TEXT
    assert "text" not in heard[-1][1]


async def test_it_lasts_longer_than_a_page_and_rows_that_are_away_are_no_end(
    kept: Skills, door: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.web.guard.LONGEST_S", 1.0)
    monkeypatch.setattr("starter.web.runs.PATIENCE_S", 0.9)
    monkeypatch.setattr(watching, "QUIET_S", 0.3)
    monkeypatch.setattr(watching, "AWAY_S", 0.3)
    run = kept.put(draft="Dear")
    async with door.get(f"/runs/{run.id}/events") as response:
        listening = events(response)
        assert [(await anext(listening))[0] for _number in range(2)] == ["progress", "text"]
        kept.blind = errors.not_found("x")
        before = kept.views
        await until(lambda: read(kept, before + 6))
        kept.blind = None
        kept.written(run)
        assert [name async for name, _told, _id in listening] == ["text", "done"]


async def test_nobody_is_kept_listening_when_we_stop(database: Database) -> None:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        kept = house.skills = Skills(house.tenant.id, house.user.id, {"follow-up": skill()})
        run = kept.put(draft="Dear")
        session = await exits.enter_async_context(aiohttp.ClientSession())
        async with house.open():
            headers = {"Authorization": f"Bearer {KEY}"}
            response = await exits.enter_async_context(
                session.get(f"{house.base}/runs/{run.id}/events", headers=headers)
            )
            await anext(events(response))
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 3
