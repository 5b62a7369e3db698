"""The knobs turn, the journal tells, and wrong input gets one sentence."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox import Sandbox, running

Make = Callable[..., dict[str, Any]]
SEARCH = "/perplexity/v1/responses"


async def get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as response:
        assert response.status == 200
        return await response.json()


async def test_the_journal_has_one_record_for_each_call(
    http: aiohttp.ClientSession, question: Make, order: Make, tmp_path: Path
) -> None:
    body = json.dumps(question(company="lovelace.example")).encode()
    async with http.post(SEARCH, data=body) as response:
        answered = len(await response.read())
    await http.post("/anthropic/v1/messages", json=order())
    await http.post("/anthropic/v1/messages", data=b"\xff\xfe")

    first, second, third = (await get(http, "/sandbox/journal"))["records"]

    assert [first["n"], second["n"], third["n"]] == [1, 2, 3]
    assert first["about"] == "company:lovelace.example"
    assert (first["provider"], first["path"], first["status"], first["fault"]) == (
        "perplexity",
        "/v1/responses",
        200,
        None,
    )
    assert first["asked"] == hashlib.sha256(body).hexdigest()
    assert first["request"] == json.loads(body)
    assert first["answer_bytes"] == answered
    assert first["started"] <= first["ended"] <= second["ended"]
    assert second["about"] == "brief:lovelace.example"
    assert third["status"] == 400
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [first, second, third]


async def test_the_journal_can_be_read_from_a_point_and_for_one_provider(
    http: aiohttp.ClientSession, question: Make, order: Make
) -> None:
    for _ in range(3):
        await http.post(SEARCH, json=question("ada@lovelace.example"))
    await http.post("/anthropic/v1/messages", json=order())

    since = await get(http, "/sandbox/journal?since=2")
    assert [record["n"] for record in since["records"]] == [3, 4]
    assert [r["n"] for r in (await get(http, "/sandbox/journal?provider=anthropic"))["records"]] == [4]
    assert since["running"] == []


async def test_the_journal_keeps_only_the_beginning_of_a_long_request(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    await http.post(SEARCH, data=b"x" * 50_000)

    assert sandbox.journal.records()[0]["request"] == "x" * 20_000


async def test_a_second_run_goes_on_numbering_in_the_same_file(tmp_path: Path, question: Make) -> None:
    path = tmp_path / "journal.jsonl"
    for _ in range(2):
        async with running(journal_path=path) as sandbox, aiohttp.ClientSession() as client:
            await client.post(f"{sandbox.perplexity_url}/v1/responses", json=question("ada@lovelace.example"))

    assert [json.loads(line)["n"] for line in path.read_text().splitlines()] == [1, 2]


async def test_faults_are_added_shown_played_and_cleared(http: aiohttp.ClientSession, question: Make) -> None:
    fault = {"provider": "perplexity", "kind": "status", "status": 429, "retry_after": "3", "times": 2}
    async with http.post("/sandbox/faults", json=fault) as response:
        assert response.status == 201
    async with http.post(SEARCH, json=question("ada@lovelace.example")) as response:
        assert (response.status, response.headers["retry-after"]) == (429, "3")

    (waiting,) = (await get(http, "/sandbox/faults"))["faults"]
    assert waiting["times"] == 1
    async with http.delete("/sandbox/faults") as response:
        assert await response.json() == {"removed": 1}
    assert (await get(http, "/sandbox/faults"))["faults"] == []


async def test_delays_are_kept(sandbox: Sandbox, http: aiohttp.ClientSession, question: Make) -> None:
    async with http.put("/sandbox/delays", json={"perplexity": 0.2}) as response:
        assert await response.json() == {"perplexity": 0.2} | dict.fromkeys(sandbox.providers[1:], 0.0)
    await http.post(SEARCH, json=question("ada@lovelace.example"))

    record = sandbox.journal.records()[0]
    assert record["ended"] - record["started"] >= 0.2


async def test_news_follow_the_clock(http: aiohttp.ClientSession, question: Make) -> None:
    for now, newest in (("2030-03-10T08:00:00Z", "2030-03-01"), ("2031-05-20", "2031-05-11")):
        async with http.put("/sandbox/clock", json={"now": now}) as response:
            assert (await response.json())["now"].startswith(now[:10])
        async with http.post(SEARCH, json=question("ada@lovelace.example")) as response:
            pages = (await response.json())["output"][0]["results"]
        assert max(page["date"] for page in pages) == newest
    async with http.put("/sandbox/clock", json={"now": None}) as response:
        assert not (await response.json())["now"].startswith("2031")


async def test_health_names_everybody(http: aiohttp.ClientSession) -> None:
    assert await get(http, "/healthz") == {
        "status": "ok",
        "providers": [
            "perplexity",
            "anthropic",
            "gemini",
            "google",
            "gong",
            "brave",
            "congress",
            "voyage",
            "elevenlabs",
            "telegram",
            "slack",
            "mail",
        ],
    }


STATUS = {"provider": "perplexity", "kind": "status", "status": 500}


@pytest.mark.parametrize(
    ("method", "path", "body", "word"),
    [
        ("POST", "faults", "", "JSON object"),
        ("POST", "faults", "[" * 100_000, "JSON object"),
        ("POST", "faults", "[]", "JSON object"),
        ("POST", "faults", b"\xff", "JSON object"),
        ("POST", "faults", {}, "provider"),
        (
            "POST",
            "faults",
            STATUS | {"provider": "owl"},
            "anthropic, brave, congress, elevenlabs, gemini, gong, google, mail, perplexity",
        ),
        ("POST", "faults", STATUS | {"kind": "refusal"}, "deep, dribble, drop, empty, failed"),
        ("POST", "faults", {"provider": "mail", "kind": "nan"}, "drop, lost_reply, slow, status"),
        ("POST", "faults", {"provider": "perplexity", "kind": "status"}, "`status`"),
        ("POST", "faults", STATUS | {"status": 99}, "status"),
        ("POST", "faults", STATUS | {"status": "500"}, "status"),
        ("POST", "faults", STATUS | {"times": 0}, "times"),
        ("POST", "faults", STATUS | {"retry_after": "3\r\nx: y"}, "retry_after"),
        ("POST", "faults", STATUS | {"seconds": 3}, "takes no `seconds`"),
        ("POST", "faults", STATUS | {"colour": "red"}, "colour"),
        ("POST", "faults", '{"provider": "perplexity", "kind": "slow", "seconds": NaN}', "seconds"),
        ("POST", "faults", {"provider": "perplexity", "kind": "huge", "bytes": -1}, "bytes"),
        (
            "PUT",
            "delays",
            {"owl": 1},
            "perplexity, anthropic, gemini, google, gong, brave, congress, voyage, elevenlabs, telegram, slack, mail",
        ),
        ("PUT", "delays", {"perplexity": -1}, "seconds"),
        ("PUT", "delays", {"perplexity": "3"}, "seconds"),
        ("PUT", "delays", {"perplexity": True}, "seconds"),
        ("PUT", "delays", '{"perplexity": NaN}', "seconds"),
        ("PUT", "delays", '{"perplexity": 1e999}', "seconds"),
        ("PUT", "delays", '{"anthropic": 3, "perplexity": null}', "seconds"),
        ("PUT", "clock", {}, "now"),
        ("PUT", "clock", {"now": "tomorrow"}, "2026-11-22T09:00:00Z"),
        ("PUT", "clock", {"now": 5}, "2026-11-22T09:00:00Z"),
        ("PUT", "clock", {"now": "0001-01-01"}, "2026-11-22T09:00:00Z"),
        ("GET", "journal?since=-1", "", "since"),
        ("GET", "journal?since=x", "", "since"),
        ("GET", "journal?since=%C2%B2", "", "since"),
        (
            "GET",
            "journal?provider=owl",
            "",
            "perplexity, anthropic, gemini, google, gong, brave, congress, voyage, elevenlabs, telegram, slack, mail",
        ),
        ("GET", "mail/first", "", "whole number"),
    ],
)
async def test_wrong_input_is_a_400_with_one_sentence_and_changes_nothing(
    sandbox: Sandbox, http: aiohttp.ClientSession, method: str, path: str, body: Any, word: str
) -> None:
    data = json.dumps(body) if isinstance(body, dict) else body
    async with http.request(method, f"/sandbox/{path}", data=data) as response:
        assert response.status == 400
        document = await response.json()

    assert set(document) == {"error"}
    assert word in document["error"]
    assert document["error"].endswith(".")
    assert "\n" not in document["error"]
    assert sandbox.faults.waiting() == []
    assert set(sandbox.delays.values()) == {0.0}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/sandbox/journal", 405),
        ("GET", "/sandbox/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/sandbox/mail/1", 404),
    ],
)
async def test_what_is_not_offered_is_said_in_json(
    http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, path) as response:
        assert response.status == status
        assert (await response.json())["error"].endswith(".")
