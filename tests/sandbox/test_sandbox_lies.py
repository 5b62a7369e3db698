"""Faults in what the providers say: the wire is fine, the answer is not."""

import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from anthropic import AsyncAnthropic
from perplexity import AsyncPerplexity

from sandbox import Sandbox

Body = dict[str, Any]
Make = Callable[..., Body]


@pytest.fixture
def ada(question: Make) -> Body:
    return question("ada@lovelace.example", name="Ada Lovelace")


async def test_perplexity_no_results(sandbox: Sandbox, perplexity: AsyncPerplexity, ada: Body) -> None:
    sandbox.faults.put("perplexity", "no_results")

    response: Any = await perplexity.responses.create(**ada)
    assert [item.type for item in response.output] == ["message"]
    assert json.loads(response.output_text)["found"] is True


async def test_perplexity_failed(sandbox: Sandbox, perplexity: AsyncPerplexity, ada: Body) -> None:
    sandbox.faults.put("perplexity", "failed")

    response: Any = await perplexity.responses.create(**ada)
    assert (response.status, response.error.type) == ("failed", "upstream_error")


async def test_perplexity_incomplete(sandbox: Sandbox, perplexity: AsyncPerplexity, ada: Body) -> None:
    sandbox.faults.put("perplexity", "incomplete")

    response: Any = await perplexity.responses.create(**ada)
    assert response.status == "incomplete"
    assert response.model_extra["incomplete_details"] == {"reason": "max_output_tokens"}


async def test_perplexity_lies_about_somebody_else(sandbox: Sandbox, perplexity: AsyncPerplexity, ada: Body) -> None:
    sandbox.faults.put("perplexity", "lies")

    response: Any = await perplexity.responses.create(**ada)
    assert json.loads(response.output_text)["found"] is True
    assert "Lovelace" not in response.model_dump_json()


async def test_anthropic_lies_fit_the_schema_and_nothing_else(
    sandbox: Sandbox, anthropic: AsyncAnthropic, order: Make
) -> None:
    sandbox.faults.put("anthropic", "lies")
    material_text = order()["messages"][0]["content"]

    message: Any = await anthropic.messages.create(**order())
    brief = json.loads(message.content[0].text)

    honest = [fact for fact in brief["facts"] if fact["quote"] in material_text]
    lies = [fact for fact in brief["facts"] if fact not in honest]
    assert len(honest) == 3
    assert {fact["evidence"] for fact in lies} >= {"e1", "e-invented", "another-tenant/e1"}
    assert any("javascript:" in fact["text"] for fact in lies)
    assert "f-unknown" in brief["headline"]["rests_on"]


@pytest.mark.parametrize("provider", ["perplexity", "anthropic"])
async def test_invalid_json_is_in_the_models_text_only(
    sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body, order: Make, provider: str
) -> None:
    sandbox.faults.put(provider, "invalid_json")
    body, path = (ada, "/perplexity/v1/responses") if provider == "perplexity" else (order(), "/anthropic/v1/messages")

    async with http.post(path, json=body) as response:
        envelope = await response.json()
    content = envelope["output"][-1]["content"] if provider == "perplexity" else envelope["content"]
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(content[0]["text"])


async def test_anthropic_refusal(sandbox: Sandbox, anthropic: AsyncAnthropic, order: Make) -> None:
    sandbox.faults.put("anthropic", "refusal")

    message: Any = await anthropic.messages.create(**order())
    assert (message.stop_reason, message.content) == ("refusal", [])
    assert message.stop_details.category == "general_harms"


async def test_anthropic_max_tokens(sandbox: Sandbox, anthropic: AsyncAnthropic, order: Make) -> None:
    sandbox.faults.put("anthropic", "max_tokens")

    message: Any = await anthropic.messages.create(**order())
    assert message.stop_reason == "max_tokens"
    assert message.content[0].text.startswith("{")


async def test_an_answer_without_usage(
    sandbox: Sandbox, perplexity: AsyncPerplexity, anthropic: AsyncAnthropic, ada: Body
) -> None:
    sandbox.faults.put("perplexity", "no_usage")
    sandbox.faults.put("anthropic", "no_usage")

    assert (await perplexity.responses.create(**ada)).usage is None
    message = await anthropic.messages.create(
        model="claude-sonnet-5-5", max_tokens=100, messages=[{"role": "user", "content": "Hello"}]
    )
    assert message.content
    assert message.usage is None
