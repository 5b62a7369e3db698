"""The stand-in for Gemini refuses what the real one refuses, and tells of a call what was said in it."""

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from anthropic import AsyncAnthropic

from sandbox import Sandbox
from sandbox.calls import CALLS

Body = dict[str, Any]
PATH = "/gemini/v1/models/gemini-3.5-flash:generateContent"
SAID = "I will send you the papers by Friday. It costs us 900 euros a day."
TRANSCRIPT = {
    "part": 2,
    "held_on": "2026-11-19",
    "speakers": [{"name": "Robin Marsh", "ours": True}],
    "turns": [{"turn": 7, "by": "Robin Marsh", "at": "0:01:00", "text": SAID}],
}
STEP = {"type": "object", "properties": {"owner": {"type": "string"}, "due": {"type": "string"}}}
SCHEMA = {"type": "object", "properties": {"next_steps": {"type": "array", "items": STEP}}, "required": ["next_steps"]}


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url, headers={"x-goog-api-key": "sandbox"}) as session:
        yield session


def order(transcript: object = TRANSCRIPT, **config: Any) -> Body:
    text = f"<transcript>{json.dumps(transcript)}</transcript>"
    wanted = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA, "maxOutputTokens": 5000}
    return {
        "systemInstruction": {"role": "user", "parts": [{"text": "Read."}]},
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": {name: value for name, value in (wanted | config).items() if value is not None},
    }


async def asked(http: aiohttp.ClientSession, body: Body, path: str = PATH, **headers: str) -> tuple[int, Body]:
    async with http.post(path, json=body, headers=headers) as response:
        return response.status, await response.json()


def text(answer: Body) -> Any:
    return json.loads(answer["candidates"][0]["content"]["parts"][0]["text"])


async def test_a_promise_is_found_with_owner_and_day_and_the_usage_adds_up(http: aiohttp.ClientSession) -> None:
    status, answer = await asked(http, order())
    assert status == 200
    assert text(answer) == {"next_steps": [{"owner": "Robin Marsh", "due": "2026-11-20"}]}
    usage = answer["usageMetadata"]
    parts = usage["promptTokenCount"], usage["candidatesTokenCount"], usage["thoughtsTokenCount"]
    assert (sum(parts), answer["candidates"][0]["finishReason"]) == (usage["totalTokenCount"], "STOP")
    assert (await asked(http, order()))[1] == answer


async def test_their_own_dialect_of_schemas_is_understood(http: aiohttp.ClientSession) -> None:
    dialect = json.loads(json.dumps(SCHEMA).replace('"object"', '"OBJECT"').replace('"string"', '"STRING"'))
    _, answer = await asked(http, order(responseSchema=dialect, responseJsonSchema=None))
    assert text(answer)["next_steps"][0]["owner"] == "Robin Marsh"


async def test_without_a_schema_everything_that_was_heard_is_told(http: aiohttp.ClientSession) -> None:
    _, answer = await asked(http, order(responseJsonSchema=None))
    told = text(answer)
    assert told["budget"] == [
        {"text": "Robin Marsh: It costs us 900 euros a day.", "turn": 7, "quote": "It costs us 900 euros a day."}
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"temperature_": 1}, "temperature_"),
        ({"contents": []}, "contents"),
        ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "contents.0.role"),
        ({"contents": [{"parts": [{"inlineData": {}}]}]}, "contents.0.parts.0"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"responseJsonSchema": SCHEMA}}, "generationConfig.responseMimeType"),
        ({"generationConfig": {"response_mime_type": "x"}}, "generationConfig.response_mime_type"),
        (order({"turns": "none"}), "contents"),
        (order(responseSchema=SCHEMA), "generationConfig.responseSchema"),
    ],
)
async def test_a_bad_request_is_refused_by_the_name_of_its_field(
    http: aiohttp.ClientSession, change: Body, field: str
) -> None:
    status, answer = await asked(http, order() | change)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert answer["error"]["details"][0]["fieldViolations"][0]["field"].startswith(field)


@pytest.mark.parametrize(
    ("path", "key", "status", "kind"),
    [
        (PATH, "wrong", 403, "PERMISSION_DENIED"),
        (PATH, "", 403, "PERMISSION_DENIED"),
        ("/gemini/v1/models/owl-1:generateContent", "sandbox", 404, "NOT_FOUND"),
        ("/gemini/v1/models", "sandbox", 404, "NOT_FOUND"),
    ],
)
async def test_the_door_is_guarded(http: aiohttp.ClientSession, path: str, key: str, status: int, kind: str) -> None:
    found, answer = await asked(http, order(), path, **{"x-goog-api-key": key})
    assert (found, answer["error"]["code"], answer["error"]["status"]) == (status, status, kind)


async def test_a_body_that_is_no_json_is_an_invalid_argument(http: aiohttp.ClientSession) -> None:
    async with http.post(PATH, data=b"{") as response:
        assert (response.status, (await response.json())["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("trick", "delay", "quota"), [("rate_limited", "1s", "PerMinute"), ("daily_quota", "17s", "PerDay")]
)
async def test_too_many_calls_are_told_when_to_come_back(
    sandbox: Sandbox, http: aiohttp.ClientSession, trick: str, delay: str, quota: str
) -> None:
    sandbox.faults.put("gemini", trick)
    status, answer = await asked(http, order())
    details = answer["error"]["details"]
    assert (status, answer["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert quota in details[0]["violations"][0]["quotaId"]
    assert details[1] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    assert (await asked(http, order()))[0] == 200


async def test_a_blocked_prompt_has_no_candidates(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.faults.put("gemini", "blocked")
    status, answer = await asked(http, order())
    assert (status, answer["candidates"]) == (200, [])
    assert answer["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}


@pytest.mark.parametrize(
    ("trick", "reason"), [("truncated_json", "STOP"), ("max_tokens", "MAX_TOKENS"), ("invalid_json", "STOP")]
)
async def test_what_is_cut_is_no_json(sandbox: Sandbox, http: aiohttp.ClientSession, trick: str, reason: str) -> None:
    sandbox.faults.put("gemini", trick)
    _, answer = await asked(http, order())
    assert answer["candidates"][0]["finishReason"] == reason
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        text(answer)


async def test_lies_fit_the_schema_and_quote_what_nobody_said(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.faults.put("gemini", "lies")
    _, answer = await asked(http, order(responseJsonSchema=None))
    told = text(answer)
    quotes = [one["quote"] for items in told.values() for one in items]
    assert [quote for quote in quotes if quote not in SAID]
    assert any("javascript:" in one["text"] for one in told["pains"])


async def test_nobody_tells_of_the_usage(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    sandbox.faults.put("gemini", "no_usage")
    assert "usageMetadata" not in (await asked(http, order()))[1]


async def test_a_prompt_of_another_kind_gets_what_its_schema_allows(http: aiohttp.ClientSession) -> None:
    body = order() | {"contents": [{"parts": [{"text": "Who are you?"}]}]}
    assert text((await asked(http, body))[1]) == {"next_steps": []}


async def test_the_journal_knows_which_part_was_read(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    await asked(http, order())
    assert sandbox.journal.records(0, "gemini")[-1]["about"] == "transcript:2"


async def test_the_stand_in_for_claude_reads_a_call_too(anthropic: AsyncAnthropic) -> None:
    block = order()["contents"][0]["parts"][0]["text"]
    message: Any = await anthropic.messages.create(
        model="claude-sonnet-5-5", max_tokens=5000, messages=[{"role": "user", "content": block}]
    )
    assert json.loads(message.content[0].text)["next_steps"][0]["due"] == "2026-11-20"


# --- the invented calls ---


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title.split()[0])
def test_everybody_on_an_invented_call_is_fictional_and_speaks_in_turn(call: Any) -> None:
    assert all(voice.email is None or voice.email.endswith(".example") for voice in call.speakers)
    assert any(voice.ours for voice in call.speakers)
    assert any(not voice.ours for voice in call.speakers)
    assert {sentence.speaker for sentence in call.sentences} == {voice.name for voice in call.speakers}
    assert all(one.start_ms < one.end_ms for one in call.sentences)
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(call.sentences))


def test_the_calls_have_ids_of_their_own_and_one_is_long() -> None:
    assert len({call.id for call in CALLS}) == len(CALLS) >= 4
    assert max(call.duration_ms for call in CALLS) == pytest.approx(2 * 3_600_000, rel=0.05)
    assert max(len(call.speakers) for call in CALLS) == 8
