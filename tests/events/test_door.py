"""The doors: who may send, how much, what is answered, and that each event is begun once whatever happens."""

import asyncio
import base64
import json
import time
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from standardwebhooks.webhooks import Webhook

from starter.inbox import Problem
from starter.web.events import LARGEST_EVENTS
from tests.events.conftest import Event, Gate, Twin, adhoc
from tests.stage import Stage

ADA, BOB = "ada@lovelace.example", "bob@lovelace.example"


async def test_events_begin_and_their_ids_come_back_in_order(gate: Gate, twin: Twin) -> None:
    status, told = await gate.post([adhoc(ADA, id="b"), adhoc(BOB), adhoc(ADA, id="a")])

    assert status == 200
    assert (told["status"], told["ids"][0], told["ids"][2]) == (200, "b", "a")
    assert UUID(told["ids"][1])
    assert sorted(one.key for one in twin.begun) == sorted(told["ids"])
    rows = await gate.rows()
    assert {(row["name"], row["state"], row["payload"]) for row in rows} == {
        ("research/generate.requested", "done", None)
    }
    assert all(row["workflow_id"].startswith("twin/") for row in rows)
    assert await gate.counted("taken") == 3


async def test_a_hundred_of_the_same_at_once_are_one(gate: Gate, twin: Twin) -> None:
    twin.takes_s = 0.05
    answers = await asyncio.gather(*(gate.post(adhoc(ADA, id="same")) for _ in range(100)))

    assert {(status, tuple(told["ids"])) for status, told in answers} == {(200, ("same",))}
    assert len(twin.begun) == 1
    assert len(await gate.rows()) == 1
    await gate.post(adhoc(BOB, id="same"))
    assert len(twin.begun) == 1, "for good"


async def test_the_same_twice_in_one_body_is_one(gate: Gate, twin: Twin) -> None:
    _, told = await gate.post([adhoc(ADA, id="same"), adhoc(BOB, id="same")])
    assert told["ids"] == ["same", "same"]
    assert [one.payload.prospects[0].email for one in twin.begun] == [ADA]


async def test_a_few_are_begun_at_once_and_no_more(gate: Gate, twin: Twin) -> None:
    """Each keeps a connection, and the pages want some."""
    twin.takes_s = 0.01
    await asyncio.gather(*(gate.post([adhoc(ADA) for _ in range(10)]) for _ in range(5)))
    assert len(twin.begun) == 50
    assert twin.most <= 3


async def test_the_seed_of_an_sdk_makes_its_repeat_the_same(gate: Gate, twin: Twin) -> None:
    seed = f"{int(time.time() * 1000)},{base64.b64encode(b'ten bytes.').decode()}"
    first = await gate.post([adhoc(ADA), adhoc(BOB)], x_inngest_event_id_seed=seed)
    again = await gate.post([adhoc(ADA), adhoc(BOB)], x_inngest_event_id_seed=seed)
    other = await gate.post([adhoc(ADA), adhoc(BOB)], x_inngest_event_id_seed=seed[:-4] + "AAA=")
    rubbish = [await gate.post([adhoc(ADA)], x_inngest_event_id_seed="no seed") for _ in range(2)]

    assert first == again
    assert len({*first[1]["ids"], *other[1]["ids"], *rubbish[0][1]["ids"], *rubbish[1][1]["ids"]}) == 6
    assert len(twin.begun) == 6


async def test_an_unknown_key_is_a_stranger_s(gate: Gate, twin: Twin) -> None:
    for key in ("guess", "x" * 5000, gate.key.id, quote(gate.key.secret, safe=""), "%00", "a%2Fb"):
        status, told = await gate.post(adhoc(ADA), key=key)
        assert (status, told["status"], told["ids"]) == (401, 401, [])
        assert "event key" in told["error"]
    assert twin.begun == []
    assert await gate.counted("stranger") == 6


async def test_a_revoked_key_is_one_from_that_moment(gate: Gate, twin: Twin) -> None:
    assert (await gate.post(adhoc(ADA)))[0] == 200
    assert await gate.keys.revoke(gate.stage.tenant.id, gate.key.id, datetime.now(UTC))
    assert (await gate.post(adhoc(BOB)))[0] == 401, "though it is remembered"
    assert (await signed(gate, adhoc(BOB)))[0] == 401
    assert len(twin.begun) == 1


async def test_another_tenant_s_key_is_theirs_alone(gate: Gate, twin: Twin, stage: Stage) -> None:
    other = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, tenant_id=str(uuid4()))
    await other.set_up(datetime.now(UTC))
    theirs = await gate.keys.create(other.tenant.id, "theirs", datetime.now(UTC))
    data = adhoc(ADA)["data"]

    status, told = await gate.post({**adhoc(ADA), "data": {**data, "tenantId": other.tenant.id}})
    assert (status, told["error"]) == (403, "events[0].data.tenantId: is another tenant than the key's")
    assert (await gate.post({**adhoc(ADA), "data": {**data, "tenantId": stage.tenant.id}}))[0] == 200
    assert not await gate.keys.revoke(stage.tenant.id, theirs.id, datetime.now(UTC)), "not ours to revoke"
    assert (await gate.post(adhoc(ADA, id="same"), key=theirs.key))[0] == 200
    assert (await gate.post(adhoc(ADA, id="same")))[0] == 200
    assert len(twin.begun) == 3, "the same id is another event elsewhere"


async def test_nothing_begins_when_one_is_wrong(gate: Gate, twin: Twin) -> None:
    status, told = await gate.post([adhoc(ADA), adhoc("nonsense")])
    assert (status, told["ids"]) == (400, [])
    assert told["error"] == "events[1].data.prospects[0].email: is not in the form that is expected"
    twin.problems["x"] = Problem("meetingId", "there is no such meeting")
    status, told = await gate.post([adhoc(ADA, id="y"), adhoc(ADA, id="x")])
    assert (status, told["error"]) == (400, "events[1].data.meetingId: there is no such meeting")
    status, told = await gate.post({"name": "nda/forgotten", "data": {}})
    assert (status, told["error"]) == (400, 'events[0].name: there is no event "nda/forgotten"')
    assert (twin.begun, await gate.rows()) == ([], [])
    assert await gate.counted("refused") == 3


async def test_a_body_is_as_large_as_it_may_be_and_no_larger(gate: Gate, twin: Twin) -> None:
    def sized(size: int) -> bytes:
        body = json.dumps(adhoc(ADA, filling="")).encode()
        return body.replace(b'"filling": "', b'"filling": "' + b"x" * (size - len(body)))

    assert (await gate.post(sized(LARGEST_EVENTS)))[0] == 200
    for body in (sized(LARGEST_EVENTS + 1), sized(5 * 1024 * 1024)):
        status, told = await gate.post(body)
        assert (status, told["error"]) == (413, "more than 512 KiB were sent")
    assert await gate.counted("too_large") == 2


async def test_five_megabytes_are_not_kept_and_a_stranger_s_not_read(gate: Gate) -> None:
    async def dripped() -> AsyncIterator[bytes]:
        for _ in range(5 * 16):
            yield b" " * 65536

    tracemalloc.start()
    try:
        for key, expected in ((gate.key.key, 413), ("stranger", 401)):
            async with gate.session.post(f"/e/{key}", data=dripped()) as response:
                assert response.status == expected
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * 1024 * 1024


async def test_what_is_no_json_is_answered_like_anything_else(gate: Gate) -> None:
    for body in (b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"NaN"):
        status, told = await gate.post(body)
        assert (status, told) == (400, {"error": "the body is no JSON", "status": 400, "ids": []})


async def test_too_many_are_refused_and_five_hundred_are_taken(gate: Gate, twin: Twin) -> None:
    rows = [{"name": "record/created", "data": {"number": number}} for number in range(501)]
    assert (await gate.post(rows))[0] == 400
    status, told = await gate.post(rows[:500])
    assert (status, len(set(told["ids"]))) == (200, 500)
    assert [one.key for one, _ in twin.collected] == told["ids"]


async def test_what_is_collected_waits_with_what_it_says(gate: Gate, twin: Twin) -> None:
    urgent = {"name": "record/created", "id": "a", "data": {"priority": "urgent", "text": "no\0text \ud800"}}
    assert (await gate.post([urgent]))[0] == 200
    (row,) = await gate.rows()
    assert (row["state"], row["name"]) == ("collected", "record/entity.created")
    assert json.loads(row["payload"])["data"] == {"text": "no\0text \ud800"}
    (said,) = twin.collected
    assert said[0].payload.priority == "urgent"
    assert said[1].size == len(row["payload"])


async def test_while_temporal_is_away_it_is_to_be_sent_again_and_then_begins(gate: Gate, twin: Twin) -> None:
    body = [adhoc(ADA, id="a"), {"name": "record/created", "id": "r", "data": {"amount": 3}}]
    twin.away = True
    async with gate.session.post(f"/e/{gate.key.key}", json=body) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        assert (await response.json())["status"] == 503
    assert twin.begun == []
    assert await gate.counted("put_off") == 1

    twin.away = False
    assert (await gate.post(body))[0] == 200
    assert (await gate.post(body))[0] == 200
    assert [one.key for one in twin.begun] == ["a"]
    assert {one.key for one, _ in twin.collected} == {"r"}


async def test_what_takes_too_long_is_to_be_sent_again(gate: Gate, twin: Twin) -> None:
    twin.takes_s = 30
    began = time.monotonic()
    status, told = await gate.post(adhoc(ADA, id="a"))
    assert (status, told["ids"]) == (503, [])
    assert time.monotonic() - began < 8
    twin.takes_s = 0
    assert (await gate.post(adhoc(ADA, id="a")))[0] == 200
    assert len(twin.begun) == 1


async def test_what_cannot_be_helped_is_parked_with_its_reason_and_not_tried_again(gate: Gate, twin: Twin) -> None:
    twin.parks = "Nothing is researched for this meeting"
    for _ in range(2):
        assert (await gate.post(adhoc(ADA, id="a")))[0] == 200
    (row,) = await gate.rows()
    assert (row["state"], row["reason"], row["payload"]) == ("parked", twin.parks, None)
    assert len(twin.begun) == 1


async def signed(gate: Gate, body: Any, **changes: Any) -> tuple[int, Any]:
    """Sent as Standard Webhooks are, but for what is changed."""
    said = {"body": json.dumps(body), "id": f"msg_{uuid4().hex}", "at": datetime.now(UTC), "secret": gate.key.secret}
    said |= {"key": gate.key.id, "sent": said["body"]} | changes
    signature = Webhook(said["secret"]).sign(said["id"], said["at"], said["body"])
    headers = {
        "webhook-id": said["id"],
        "webhook-timestamp": str(int(said["at"].timestamp())),
        "webhook-signature": said.get("signature", signature),
        "Greenroom-Key": said["key"],
    }
    async with gate.session.post("/events", data=said["sent"], headers=headers) as response:
        return response.status, await response.json()


async def test_whoever_signs_sends_without_showing_the_key(gate: Gate, twin: Twin) -> None:
    body: list[Event] = [adhoc(ADA), adhoc(BOB, id="mine")]
    first = await signed(gate, body, id="msg_1")
    again = await signed(gate, body, id="msg_1")
    other = await signed(gate, body, id="msg_2")

    assert first[0] == 200
    assert first == again, "a message that is sent again is the same"
    assert (first[1]["ids"][1], other[1]["ids"][0] != first[1]["ids"][0]) == ("mine", True)
    assert len(twin.begun) == 3


async def test_what_is_not_signed_as_it_should_be_is_a_stranger_s(gate: Gate, twin: Twin) -> None:
    wrong: list[dict[str, Any]] = [
        {"secret": "whsec_" + base64.b64encode(b"another").decode()},
        {"sent": json.dumps(adhoc(BOB))},
        {"sent": b"\xff\xfe"},
        {"at": datetime.now(UTC) - timedelta(minutes=6)},
        {"at": datetime.now(UTC) + timedelta(minutes=6)},
        {"signature": "v1"},
        {"signature": "v1,no base64!"},
        {"signature": "v1a,AAAA v1,"},
        {"signature": "v1,\xff"},
        {"key": str(uuid4())},
        {"key": "crm"},
        {"key": gate.key.key},
        {"id": "x" * 301},
    ]
    for change in wrong:
        status, told = await signed(gate, adhoc(ADA), **change)
        assert (status, told["ids"]) == (401, []), change
    async with gate.session.post("/events", json=adhoc(ADA), headers={"Greenroom-Key": gate.key.id}) as response:
        assert response.status == 401
    async with gate.session.post("/events", json=adhoc(ADA)) as response:
        assert (response.status, "Greenroom-Key" in (await response.json())["error"]) == (401, True)
    assert twin.begun == []


@pytest.mark.parametrize("path", ["/events", "/e/guess"])
async def test_whoever_looks_through_a_door_is_told_that_events_are_posted(gate: Gate, path: str) -> None:
    async with gate.session.get(path) as response:
        told = await response.json()
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert (told["status"], told["ids"], "POST" in told["error"]) == (405, [], True)


async def test_no_key_and_nothing_that_is_sent_is_in_the_log(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    await gate.post(adhoc(ADA))
    await gate.post(adhoc("a-secret-word"))
    await gate.post(adhoc(ADA), key="a-guessed-key")
    await signed(gate, adhoc(ADA))
    said = "".join(capsys.readouterr())
    for word in (gate.key.key, gate.key.secret, gate.key.id, "a-secret-word", "a-guessed-key", ADA):
        assert word not in said


async def test_keys_are_kept_as_a_hash_and_a_sealed_secret(gate: Gate, stage: Stage) -> None:
    async with stage.database.tenant(stage.tenant.id) as connection:
        (row,) = await connection.fetch("SELECT * FROM event_keys")
    said = repr(dict(row))
    assert gate.key.key not in said
    assert gate.key.secret not in said
    assert gate.key.key not in repr(gate.key)
    assert await gate.keys.secret(stage.tenant.id, gate.key.id) == gate.key.secret
    assert [one.name for one in await gate.keys.list(stage.tenant.id)] == ["crm"]
