"""The stand-in for Anthropic is read by its own SDK, and refuses what the real one refuses."""

import json
from collections.abc import Callable
from typing import Any, Literal

import aiohttp
import anthropic as sdk
import pytest
from anthropic import AsyncAnthropic
from pydantic import BaseModel

Body = dict[str, Any]
Order = Callable[..., Body]


class Piece(BaseModel):
    text: str
    rests_on: list[str]


class Fact(BaseModel):
    id: str
    section: Literal["people", "company"]
    about: str
    kind: Literal["role", "background", "activity", "industry", "size", "funding", "news"]
    text: str
    evidence: str
    quote: str
    as_of: str | None


class Brief(BaseModel, extra="forbid"):
    headline: Piece
    facts: list[Fact]
    fit: list[Piece]
    talking_points: list[Piece]
    questions: list[Piece]
    risks: list[Piece]


async def test_parse_reads_a_brief(anthropic: AsyncAnthropic, order: Order) -> None:
    message: Any = await anthropic.messages.parse(**order(), output_format=Brief)

    brief = message.parsed_output
    assert brief is not None
    assert [fact.about for fact in brief.facts] == ["p1", "p1", "p1"]
    assert 3 <= len(brief.talking_points) <= 5
    assert message.stop_reason == "end_turn"
    assert message._request_id is not None
    assert message.usage.output_tokens > 100


class Shorter(BaseModel, extra="forbid"):
    """Another schema than the brief's: less of it, and something more."""

    headline: Piece
    urgent: bool
    mood: Literal["calm", "tense"]


async def test_the_answer_fits_whatever_schema_was_asked_for(anthropic: AsyncAnthropic, order: Order) -> None:
    brief = (await anthropic.messages.parse(**order(), output_format=Shorter)).parsed_output
    sample: Any = await anthropic.messages.parse(
        model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": "Hi"}], output_format=Shorter
    )

    assert brief is not None
    assert "Ada Lovelace" in brief.headline.text
    assert sample.parsed_output is not None


async def test_create_answers_in_plain_text_without_material(anthropic: AsyncAnthropic) -> None:
    message: Any = await anthropic.messages.create(
        model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": "Are you there?"}]
    )

    assert "sandbox" in message.content[0].text


async def test_the_api_key_header_is_accepted_too(http: aiohttp.ClientSession, order: Order) -> None:
    headers = {"authorization": "", "x-api-key": "key"}
    async with http.post("/anthropic/v1/messages", json=order(), headers=headers) as response:
        assert response.status == 200
        assert response.headers["anthropic-ratelimit-input-tokens-remaining"] == "2000000"
        assert response.headers["anthropic-ratelimit-requests-reset"].endswith("Z")


async def test_a_brief_longer_than_max_tokens_is_cut(anthropic: AsyncAnthropic, order: Order) -> None:
    message: Any = await anthropic.messages.create(**order() | {"max_tokens": 60})

    assert message.stop_reason == "max_tokens"
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(message.content[0].text)


def formatted(schema: Body) -> Body:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


@pytest.mark.parametrize(
    ("extra", "status", "word"),
    [
        ({"temperature": 1.0}, 400, "temperature"),
        ({"top_p": 0.5}, 400, "top_p"),
        ({"top_k": 5}, 400, "top_k"),
        ({"prompt": "x"}, 400, "prompt"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "assistant", "content": "{"}]}, 400, "prefilling"),
        ({"messages": [{"role": "user", "content": "<material>{</material>"}]}, 400, "material"),
        ({"model": "gpt-5"}, 404, "gpt-5"),
        (formatted({"type": "object", "properties": {}}), 400, "additionalProperties"),
        (formatted({"type": "array", "items": {"type": "integer", "minimum": 1}}), 400, "minimum"),
    ],
)
async def test_bad_requests_are_refused_in_the_envelope(
    http: aiohttp.ClientSession, order: Order, extra: Body, status: int, word: str
) -> None:
    async with http.post("/anthropic/v1/messages", json=order() | extra) as response:
        envelope = await response.json()
        assert response.status == status
        assert envelope["type"] == "error"
        assert word in envelope["error"]["message"]
        assert envelope["request_id"] == response.headers["request-id"]


@pytest.mark.parametrize(
    ("path", "headers", "status", "kind"),
    [
        ("/v1/messages", {"authorization": ""}, 401, "authentication_error"),
        ("/v1/messages", {"anthropic-version": ""}, 400, "invalid_request_error"),
        ("/v1/complete", {}, 404, "not_found_error"),
        ("/", {}, 404, "not_found_error"),
    ],
)
async def test_the_door_is_guarded(
    http: aiohttp.ClientSession, order: Order, path: str, headers: dict[str, str], status: int, kind: str
) -> None:
    async with http.post(f"/anthropic{path}", json=order(), headers=headers) as response:
        assert response.status == status
        assert (await response.json())["error"]["type"] == kind


async def test_a_wrong_key_is_an_authentication_error_to_the_sdk(anthropic: AsyncAnthropic, order: Order) -> None:
    with pytest.raises(sdk.AuthenticationError):
        await anthropic.messages.create(**order(), extra_headers={"authorization": "Token x"})


async def test_the_same_order_gets_the_same_bytes(http: aiohttp.ClientSession, order: Order) -> None:
    answers = set()
    for _ in range(2):
        async with http.post("/anthropic/v1/messages", json=order()) as response:
            answers.add(await response.read())
    assert len(answers) == 1
