"""The pretended Telegram and Slack refuse what the real ones do, and keep what they take."""

import json
from typing import Any

import aiohttp
import pytest

from sandbox import Sandbox

SEND = "/telegram/botsandbox/sendMessage"
HOOK = "/slack/services/T0/B0/abc"


async def ask(http: aiohttp.ClientSession, path: str, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, str) else json.dumps(body)
    async with http.post(path, data=data) as response:
        text = await response.text()
    return response.status, json.loads(text) if path.startswith("/telegram") else text


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        (SEND, {"chat_id": 1, "text": "Hi"}, 200, "message_id"),
        (SEND, {"chat_id": 1, "text": "<b>Hi</b> &amp;", "parse_mode": "HTML"}, 200, "Hi &"),
        (SEND, {"chat_id": 1, "text": "a <c> b", "parse_mode": "HTML"}, 400, "can't parse entities"),
        (SEND, {"chat_id": 1, "text": "a & b", "parse_mode": "HTML"}, 400, "can't parse entities"),
        (SEND, {"chat_id": 1, "text": "<b></b> ", "parse_mode": "HTML"}, 400, "message text is empty"),
        (SEND, {"chat_id": 1, "text": "x" * 4096}, 200, "message_id"),
        (SEND, {"chat_id": 1, "text": "x" * 4097}, 400, "message is too long"),
        (SEND, {"chat_id": 1, "text": "\U0001f600" * 2049}, 400, "message is too long"),
        (SEND, {"chat_id": 1, "text": "x", "colour": "red"}, 400, "colour"),
        (SEND, {"text": "x"}, 400, "chat_id"),
        (SEND, "no json", 400, "JSON"),
        ("/telegram/botother/sendMessage", {"chat_id": 1, "text": "x"}, 401, "Unauthorized"),
        ("/telegram/botsandbox/deleteAll", {}, 404, "Not Found"),
        ("/telegram/sendMessage", {}, 404, "Not Found"),
        ("/telegram/botsandbox/getMe", {}, 200, "greenroom_sandbox_bot"),
        (HOOK, {"text": "Hi"}, 200, "ok"),
        (HOOK, {"text": " "}, 400, "no_text"),
        (HOOK, {"words": "Hi"}, 400, "invalid_payload"),
        (HOOK, "no json", 400, "invalid_payload"),
        ("/slack/services/nowhere", {"text": "Hi"}, 404, "no_service"),
    ],
)
async def test_each_answer_is_the_real_ones(
    http: aiohttp.ClientSession, path: str, body: Any, status: int, word: str
) -> None:
    got, said = await ask(http, path, body)
    assert (got, word in (said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))) == (status, True)


async def test_what_arrived_is_read_and_what_was_refused_did_not(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    await ask(http, SEND, {"chat_id": -7, "text": "<i>one</i>", "parse_mode": "HTML"})
    sandbox.faults.put("telegram", "blocked")
    assert (await ask(http, SEND, {"chat_id": -7, "text": "two"}))[0] == 403
    await ask(http, HOOK, {"text": "three &lt;b&gt;"})
    async with http.get("/sandbox/messages") as response:
        told = (await response.json())["messages"]
    assert [(one["n"], one["to"], one["text"]) for one in told] == [
        (1, "-7", "one"),
        (2, "/services/T0/B0/abc", "three <b>"),
    ]
    async with http.get("/sandbox/messages", params={"to": "-7"}) as response:
        assert [one["text"] for one in (await response.json())["messages"]] == ["one"]
    async with http.get("/sandbox/messages", params={"from": "x"}) as response:
        assert response.status == 400


async def test_how_long_to_wait_stands_in_the_body(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.faults.put("telegram", "status", status=429, retry_after="5")
    status, said = await ask(http, SEND, {"chat_id": 1, "text": "x"})
    assert (status, said["parameters"], said["error_code"]) == (429, {"retry_after": 5}, 429)
    assert said["description"] == "Too Many Requests: retry after 5"
