"""The stand-in for Perplexity is read by its own SDK, and refuses what the real one refuses."""

import io
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import perplexity as sdk
import pytest
from perplexity import AsyncPerplexity

from sandbox import Sandbox

Body = dict[str, Any]
Question = Callable[..., Body]


def results(response: Any) -> list[Any]:
    return [result for item in response.output if item.type == "search_results" for result in item.results]


async def test_the_sdk_reads_a_person(perplexity: AsyncPerplexity, question: Question) -> None:
    response: Any = await perplexity.responses.create(**question("ada@lovelace.example", name="Ada Lovelace"))

    answer = json.loads(response.output_text)
    assert response.status == "completed"
    assert answer["found"] is True
    assert answer["people"][0]["employer"] == "Lovelace Analytics"
    assert [result.id for result in results(response)] == [1, 2, 3, 4, 5]
    assert all(".example/" in result.url for result in results(response))


async def test_the_sdk_reads_what_it_cost(perplexity: AsyncPerplexity, question: Question) -> None:
    response: Any = await perplexity.responses.create(**question("ada@lovelace.example"))

    usage = response.usage
    cost = usage.cost
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert cost.total_cost == pytest.approx(cost.input_cost + cost.output_cost + cost.tool_calls_cost)
    assert usage.tool_calls_details["search_web"].invocation == 2


async def test_the_sdk_reads_a_company(perplexity: AsyncPerplexity, question: Question) -> None:
    response: Any = await perplexity.responses.create(**question(company="brightwater.example"))

    answer = json.loads(response.output_text)
    assert set(answer) == {"found", "name", "industry", "size", "funding", "summary"}
    assert answer["name"] == "Brightwater Logistics"
    assert len(results(response)) == 5


async def test_a_bare_model_does_not_search(perplexity: AsyncPerplexity, question: Question) -> None:
    body = question("ada@lovelace.example")
    response: Any = await perplexity.responses.create(**{key: body[key] for key in body if not key.startswith("tool")})

    assert [item.type for item in response.output] == ["message"]


async def test_an_answer_longer_than_its_budget_is_cut(perplexity: AsyncPerplexity, question: Question) -> None:
    response: Any = await perplexity.responses.create(**question("ada@lovelace.example") | {"max_output_tokens": 16})

    assert response.status == "incomplete"
    assert response.model_extra["incomplete_details"] == {"reason": "max_output_tokens"}
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(response.output_text)


async def test_the_alias_answers_and_the_list_of_models_needs_no_key(
    sandbox: Sandbox, http: aiohttp.ClientSession, question: Question
) -> None:
    async with http.post("/perplexity/v1/agent", json=question("ada@lovelace.example")) as response:
        assert response.status == 200
    async with aiohttp.ClientSession() as stranger, stranger.get(f"{sandbox.perplexity_url}/v1/models") as response:
        assert "perplexity/sonar" in [model["id"] for model in (await response.json())["data"]]


async def test_a_missing_key_is_401(sandbox: Sandbox, question: Question) -> None:
    async with AsyncPerplexity(api_key="key", base_url=sandbox.perplexity_url, max_retries=0) as client:
        with pytest.raises(sdk.AuthenticationError):
            await client.responses.create(
                **question("ada@lovelace.example"), extra_headers={"Authorization": "Basic x"}
            )


def with_tool(body: Body, **fields: Any) -> Body:
    return body | {"tools": [body["tools"][0] | fields]}


@pytest.mark.parametrize(
    ("spoil", "param"),
    [
        (lambda body: body | {"messages": []}, "messages"),
        (lambda body: body | {"max_tokens": 100}, "max_tokens"),
        (lambda body: body | {"max_output_tokens": 15}, "max_output_tokens"),
        (lambda body: body | {"stream": True}, "stream"),
        (lambda body: body | {"model": "sonar"}, "model"),
        (lambda body: body | {"model": "sonar-pro"}, "model"),
        (lambda body: body | {"model": "perplexity/sonar-pro"}, "model"),
        (lambda body: body | {"input": [{"role": "user", "content": "x", "name": "y"}]}, "input.0.name"),
        (lambda body: body | {"input": "nobody in particular"}, "input"),
        (lambda body: body | {"input": "<subject>{}</subject>"}, "input"),
        (lambda body: body | {"input": "<subject>x</subject> <subject>y</subject>"}, "input"),
        (lambda body: with_tool(body, freshness="new"), "tools.0.freshness"),
        (lambda body: with_tool(body, filters={"search_domain": []}), "tools.0.filters.search_domain"),
        (lambda body: body | {"response_format": {"type": "json_object"}}, "response_format.type"),
        (lambda body: body | {"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (lambda body: body | {"input": 5}, "input"),
    ],
)
async def test_a_request_it_does_not_know_is_a_400_that_names_the_field(
    perplexity: AsyncPerplexity, question: Question, spoil: Callable[[Body], Body], param: str
) -> None:
    with pytest.raises(sdk.BadRequestError) as caught:
        await perplexity.post("/v1/responses", body=spoil(question("ada@lovelace.example")), cast_to=object)

    said = caught.value.response.json()["error"]
    assert (said["code"], said["type"]) == (400, "invalid_request")
    assert said["param"] == param


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/sonar"])
async def test_the_retired_endpoint_says_where_to_go(http: aiohttp.ClientSession, path: str) -> None:
    async with http.post(f"/perplexity{path}", json={"model": "sonar", "messages": []}) as response:
        assert response.status == 403
        assert (await response.json())["error"]["type"] == "chat_completions_not_available"


async def test_unknown_paths_methods_and_bodies_get_the_same_envelope(http: aiohttp.ClientSession) -> None:
    for method, path, body, status in (
        ("POST", "/perplexity/v2/responses", b"{}", 404),
        ("GET", "/perplexity/v1/responses", b"", 405),
        ("POST", "/perplexity/v1/responses", b"{", 400),
        ("POST", "/perplexity/v1/responses", b"[" * 100_000, 400),
        ("POST", "/perplexity/v1/responses", b"[1]", 400),
        ("POST", "/perplexity/v1/responses", io.BytesIO(b" " * (33 * 1024 * 1024)), 413),
    ):
        async with http.request(method, path, data=body) as response:
            assert response.status == status
            assert (await response.json())["error"]["code"] == status


async def test_the_same_question_gets_the_same_bytes(http: aiohttp.ClientSession, question: Question) -> None:
    answers = set()
    for _ in range(2):
        async with http.post("/perplexity/v1/responses", json=question("whoever@anything.test")) as response:
            answers.add(await response.read())
    assert len(answers) == 1
