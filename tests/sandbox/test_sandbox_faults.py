"""Each fault is seen on the wire as what it claims to be, as often as it was ordered, and no more."""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

import aiohttp
import anthropic as anthropic_sdk
import perplexity as perplexity_sdk
import pytest
from anthropic import AsyncAnthropic
from perplexity import AsyncPerplexity

from sandbox import Sandbox

Body = dict[str, Any]
Make = Callable[..., Body]
SEARCH = "/perplexity/v1/responses"


@pytest.fixture
def ada(question: Make) -> Body:
    return question("ada@lovelace.example", name="Ada Lovelace")


async def sent(http: aiohttp.ClientSession, body: Body) -> bytes:
    async with http.post(SEARCH, json=body) as response:
        assert response.status == 200
        return await response.read()


async def last_record(sandbox: Sandbox) -> Body:
    """The journal is written when the server notices, which may be a moment after the client did."""
    async with asyncio.timeout(5):
        while sandbox.journal.running():
            await asyncio.sleep(0.01)
    return sandbox.journal.records()[-1]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, perplexity_sdk.BadRequestError),
        (401, perplexity_sdk.AuthenticationError),
        (403, perplexity_sdk.PermissionDeniedError),
        (422, perplexity_sdk.UnprocessableEntityError),
        (429, perplexity_sdk.RateLimitError),
        (500, perplexity_sdk.InternalServerError),
        (503, perplexity_sdk.InternalServerError),
    ],
)
async def test_perplexity_status(
    sandbox: Sandbox, perplexity: AsyncPerplexity, ada: Body, status: int, error: type[Exception]
) -> None:
    sandbox.faults.put("perplexity", "status", status=status)

    with pytest.raises(error):
        await perplexity.responses.create(**ada)
    assert (await perplexity.responses.create(**ada)).status == "completed"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, anthropic_sdk.BadRequestError, "invalid_request_error"),
        (402, anthropic_sdk.APIStatusError, "billing_error"),
        (429, anthropic_sdk.RateLimitError, "rate_limit_error"),
        (500, anthropic_sdk.InternalServerError, "api_error"),
        (504, anthropic_sdk.APIStatusError, "timeout_error"),
        (529, anthropic_sdk.APIStatusError, "overloaded_error"),
    ],
)
async def test_anthropic_status(
    sandbox: Sandbox, anthropic: AsyncAnthropic, order: Make, status: int, error: type[Exception], kind: str
) -> None:
    sandbox.faults.put("anthropic", "status", status=status)

    with pytest.raises(error) as caught:
        await anthropic.messages.create(**order())
    assert isinstance(caught.value, anthropic_sdk.APIStatusError)
    assert (caught.value.status_code, caught.value.type) == (status, kind)
    assert (caught.value.request_id or "").startswith("req_")


@pytest.mark.parametrize("retry_after", ["3", "Sun, 22 Nov 2026 12:00:00 GMT", "-1", "1000000000", ""])
async def test_retry_after_is_sent_verbatim(
    sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body, retry_after: str
) -> None:
    sandbox.faults.put("perplexity", "status", status=429, retry_after=retry_after)

    async with http.post(SEARCH, json=ada) as response:
        assert response.headers["retry-after"] == retry_after


async def test_faults_are_taken_in_order_counted_and_matched(
    sandbox: Sandbox, http: aiohttp.ClientSession, question: Make
) -> None:
    sandbox.faults.put("perplexity", "status", status=500, times=2, match="tomas.okafor")
    sandbox.faults.put("perplexity", "status", status=429, times=1)
    sandbox.faults.put("anthropic", "status", status=529, times=None)
    asked = ["tomas.okafor@brightwater.example", "ada@lovelace.example", "ada@lovelace.example"]

    statuses = []
    for address in [*asked, asked[0], asked[0]]:
        async with http.post(SEARCH, json=question(address)) as response:
            statuses.append(response.status)

    assert statuses == [500, 429, 200, 500, 200]
    assert [fault.times for fault in sandbox.faults.waiting()] == [None]


async def test_slow(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "slow", seconds=0.3)

    assert json.loads(await sent(http, ada))["status"] == "completed"
    record = await last_record(sandbox)
    assert record["ended"] - record["started"] >= 0.3


async def test_dribble(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "dribble")

    async with http.post(SEARCH, json=ada) as response:
        assert int(response.headers["content-length"]) > 1000
        assert await response.content.readexactly(4) == b'{"id'
    record = await last_record(sandbox)
    assert (record["status"], record["fault"]) == (200, "dribble")
    assert 4 <= record["answer_bytes"] < 20


async def test_hang_lasts_until_the_client_leaves(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "hang")

    with pytest.raises(TimeoutError):
        await http.post(SEARCH, json=ada, timeout=aiohttp.ClientTimeout(total=0.2))
    record = await last_record(sandbox)
    assert (record["status"], record["fault"]) == (None, "hang")


async def test_drop(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "drop", times=2)  # aiohttp asks again once by itself only for idempotent methods

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post(SEARCH, json=ada)
    record = await last_record(sandbox)
    assert (record["status"], record["fault"], record["answer_bytes"]) == (None, "drop", 0)


async def test_truncated(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "truncated")

    async with http.post(SEARCH, json=ada) as response:
        promised = int(response.headers["content-length"])
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert (await last_record(sandbox))["answer_bytes"] == promised // 2


async def test_garbage(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "garbage")

    with pytest.raises(ValueError, match=r"Expecting|Extra data"):
        json.loads(await sent(http, ada))


async def test_wrong_type(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "wrong_type")

    async with http.post(SEARCH, json=ada) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert (await response.text()).startswith("<!doctype html>")


async def test_empty(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "empty")

    assert await sent(http, ada) == b""


async def test_huge_is_json_of_the_ordered_length(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "huge", bytes=3_000_001)

    body = await sent(http, ada)
    assert len(body) == 3_000_001
    assert set(json.loads(body)) == {"text"}
    assert (await last_record(sandbox))["answer_bytes"] == 3_000_001


async def test_a_client_may_leave_in_the_middle_without_an_uproar(
    sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.put("perplexity", "huge", bytes=1_000_000_000)

    async with http.post(SEARCH, json=ada) as response:
        assert len(await response.content.readexactly(1000)) == 1000
    record = await last_record(sandbox)
    assert (record["status"], record["fault"]) == (200, "huge")
    assert record["answer_bytes"] < 1_000_000_000
    assert caplog.records == []


async def test_nan(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "nan")

    answer = json.loads(await sent(http, ada))
    assert math.isnan(answer["usage"]["cost"]["total_cost"])
    assert answer["status"] == "completed"


async def test_deep(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.faults.put("perplexity", "deep")

    body = await sent(http, ada)
    assert body.count(b"[") == body.count(b"]") == 100_000


async def test_a_client_that_leaves_is_written_down(sandbox: Sandbox, http: aiohttp.ClientSession, ada: Body) -> None:
    sandbox.delays["perplexity"] = 30

    call = asyncio.create_task(http.post(SEARCH, json=ada))
    async with asyncio.timeout(5):
        while not sandbox.journal.running():
            await asyncio.sleep(0.01)
    assert sandbox.journal.running()[0]["about"] == "person:ada@lovelace.example"
    assert sandbox.journal.records() == []
    call.cancel()

    record = await last_record(sandbox)
    assert (record["status"], record["fault"]) == (None, "client left")
