"""Vectors by the provider's embeddings: each text's own, whole, in order, or an error of ours; and its stand-in is as strict.

The official SDK is 240 MB with what it drags in, so it is no dependency: its requests are sent here as it sends them.
"""

import base64
import json
import struct
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.ports import Size, Usage
from activities.providers import voyage
from activities.providers.made import embedder
from activities.providers.voyage import Voyage
from sandbox import Sandbox
from sandbox.voyage import UNPAID, vector
from schemas.budgets import Price
from schemas.documents import DIMENSIONS
from schemas.settings import Settings

FOUR = Price(input_usd=0.06, output_usd=0)
TEXTS = ["The term ends after two years.", "The term ends after three years.", "Bread is baked at night."]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=5) | st.dictionaries(st.text(), one, max_size=5),
    max_leaves=20,
)
# As voyageai 0.5.0 sends it.
SDK = {
    "input": TEXTS,
    "model": "voyage-4",
    "input_type": "document",
    "truncation": True,
    "output_dtype": None,
    "output_dimension": None,
    "encoding_format": "base64",
}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def client(session: aiohttp.ClientSession, sandbox: Sandbox) -> Voyage:
    return made(session, sandbox)


def made(session: aiohttp.ClientSession, sandbox: Sandbox, **changes: Any) -> Voyage:
    known: dict[str, Any] = {
        "base_url": sandbox.voyage_url,
        "key": "sandbox",
        "model": "voyage-4",
        "price": FOUR,
        "timeout_s": 5,
    }
    return Voyage(session, **(known | changes))


def near(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def refused(client: Voyage) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await client.embed(TEXTS)
    return raised.value


# --- the client ---


async def test_similar_texts_are_near_and_each_has_its_own_vector(client: Voyage, sandbox: Sandbox) -> None:
    made = await client.embed(TEXTS)
    one, like, other = made.vectors
    assert near(one, like) > 0.5
    assert near(one, other) < 0.1
    assert [len(vector) for vector in made.vectors] == [DIMENSIONS] * 3
    assert (made.model, made.usage) == ("voyage-4", Usage(21, 0, 2))
    assert (await client.embed([TEXTS[0]], query=True)).vectors == (one,)
    sent = [record["request"] for record in sandbox.journal.records()]
    assert [one["input_type"] for one in sent] == ["document", "query"]
    assert {(one["encoding_format"], one["output_dimension"]) for one in sent} == {("base64", 1024)}


async def test_vectors_stand_in_the_order_of_their_texts(client: Voyage, sandbox: Sandbox) -> None:
    straight = await client.embed(TEXTS)
    sandbox.faults.put("voyage", "backwards")
    assert (await client.embed(TEXTS)).vectors == straight.vectors


@pytest.mark.parametrize(
    "trick", ["one_less", "same_index", "short_vector", "not_finite", "all_zero", "bad_base64", "empty", "deep"]
)
async def test_an_answer_that_is_none_is_nonsense_and_was_paid(client: Voyage, sandbox: Sandbox, trick: str) -> None:
    sandbox.faults.put("voyage", trick)
    assert (await refused(client)).type == "ProviderNonsense"


async def test_without_usage_none_is_told(client: Voyage, sandbox: Sandbox) -> None:
    sandbox.faults.put("voyage", "no_usage")
    assert (await client.embed(TEXTS)).usage is None


@pytest.mark.parametrize(
    ("status", "type_", "final"),
    [
        (400, "ProviderRefused", True),
        (401, "ProviderRefused", True),
        (403, "ProviderRefused", True),
        (422, "ProviderRefused", True),
        (429, "ProviderLimited", False),
        (500, "ProviderDown", False),
        (503, "ProviderDown", False),
    ],
)
async def test_a_refusal_is_a_decision(client: Voyage, sandbox: Sandbox, status: int, type_: str, final: bool) -> None:
    sandbox.faults.put("voyage", "status", status=status)
    error = await refused(client)
    assert (error.type, error.non_retryable) == (type_, final)


async def test_whoever_has_not_paid_waits_and_is_not_quoted(client: Voyage, sandbox: Sandbox) -> None:
    sandbox.faults.put("voyage", "no_payment")
    error = await refused(client)
    assert (error.type, error.next_retry_delay) == ("ProviderLimited", voyage.LEAST_WAIT)
    assert UNPAID not in error.message
    sandbox.faults.put("voyage", "status", status=429, retry_after="77")
    assert (await refused(client)).next_retry_delay == timedelta(seconds=77)


async def test_who_does_not_answer_is_down(session: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    sandbox.faults.put("voyage", "drop")
    assert (await refused(made(session, sandbox))).type == "ProviderDown"
    sandbox.faults.put("voyage", "slow", seconds=3)
    assert (await refused(made(session, sandbox, timeout_s=0.2))).type == "ProviderDown"


async def test_half_a_letter_is_sent_as_a_mark(client: Voyage) -> None:
    assert len((await client.embed(["half \ud800 a letter"])).vectors) == 1


@given(st.fixed_dictionaries({}, optional={"data": JSON, "usage": JSON, "model": JSON}), st.integers(0, 3))
def test_any_answer_is_read_or_nonsense(answer: dict[str, Any], count: int) -> None:
    try:
        read = voyage.read(answer, count, FOUR)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
        return
    assert len(read.vectors) == count


@pytest.mark.parametrize(
    "embedding",
    [
        [0.0] * DIMENSIONS,
        [1.0] * (DIMENSIONS + 1),
        [1e9, *[0.0] * (DIMENSIONS - 1)],
        ["x"] * DIMENSIONS,
        base64.b64encode(b"\0" * 4 * DIMENSIONS).decode(),
        base64.b64encode(b"\1" * 10).decode(),
        "x" * 5461,
        "",
        None,
        {},
    ],
    ids=["zero", "longer", "huge", "words", "zero-bytes", "short-bytes", "odd", "empty", "none", "object"],
)
def test_a_vector_is_whole_or_nonsense(embedding: Any) -> None:
    with pytest.raises(ApplicationError) as raised:
        voyage.read({"data": [{"index": 0, "embedding": embedding}]}, 1)
    assert raised.value.type == "ProviderNonsense"


def test_numbers_and_bytes_are_the_same_vector() -> None:
    numbers = [1.0, -0.5, *[0.0] * (DIMENSIONS - 2)]
    data = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *numbers)).decode()
    read = [voyage.read({"data": [{"index": 0, "embedding": one}]}, 1).vectors for one in (numbers, data)]
    assert read[0] == read[1] == (tuple(numbers),)


def test_size_is_never_less_than_what_is_sent() -> None:
    client = Voyage(None, base_url="http://x", key="", model="m")  # type: ignore[arg-type]
    assert client.size(["abc", "é"]) == Size(5, 0)


async def test_without_a_key_there_is_nobody_and_in_the_sandbox_a_pretended_one(
    session: aiohttp.ClientSession,
) -> None:
    settings = {"database_url": "postgresql://x", "_env_file": None}
    assert embedder(Settings(**settings, sandbox=False), session) is None  # type: ignore[arg-type]
    pretended = embedder(Settings(**settings, sandbox=True), session)  # type: ignore[arg-type]
    assert pretended is not None
    assert pretended.sandbox


# --- the stand-in ---


async def asked(session: aiohttp.ClientSession, sandbox: Sandbox, key: str = "k", **changes: Any) -> tuple[int, Any]:
    body = {name: value for name, value in (SDK | changes).items() if value != "left out"}
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with session.post(f"{sandbox.voyage_url}/v1/embeddings", json=body, headers=headers) as response:
        return response.status, await response.json()


async def test_the_sdk_s_request_is_served(session: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    status, answer = await asked(session, sandbox)
    assert (status, answer["object"], answer["model"]) == (200, "list", "voyage-4")
    assert [one["index"] for one in answer["data"]] == [0, 1, 2]
    first = struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(answer["data"][0]["embedding"]))
    assert near(first, tuple(vector(TEXTS[0]))) == pytest.approx(1)
    _, plain = await asked(session, sandbox, encoding_format=None, output_dimension=256)
    assert len(plain["data"][0]["embedding"]) == 256


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"model": "gpt"}, 400),
        ({"input": []}, 400),
        ({"input": [""]}, 400),
        ({"input": ["x"] * 1001}, 400),
        ({"input": ["a b c d " * 20_000] * 5, "model": "voyage-4-large"}, 400),
        ({"owl": 1}, 400),
        ({"input": "left out"}, 400),
        ({"output_dimension": 7}, 400),
        ({"key": ""}, 401),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else str(one),
)
async def test_what_the_real_one_refuses_is_refused(
    session: aiohttp.ClientSession, sandbox: Sandbox, changes: Any, status: int
) -> None:
    said, answer = await asked(session, sandbox, **changes)
    assert said == status
    assert list(answer) == ["detail"]


def test_a_vector_has_the_length_of_one_whatever_the_text() -> None:
    for text in (*TEXTS, "the", "。", "\ud800", " "):
        assert near(tuple(vector(text)), tuple(vector(text))) == pytest.approx(1)
    assert json.dumps(vector("a b c")) == json.dumps(vector("A, b C!"))
