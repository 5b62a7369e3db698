"""Gemini's answers are answers with bounds, and its refusals decisions of ours: never another exception, never its words."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.ports import Prompt, Usage
from activities.providers import gemini
from activities.providers.gemini import Gemini
from sandbox import Sandbox, running
from schemas.budgets import Price

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=5) | st.dictionaries(st.text(), one, max_size=5),
    max_leaves=20,
)
FLASH = Price(input_usd=1, output_usd=10)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
PROMPT = Prompt(system="Read this.", material="Good morning. \ud800", schema=SCHEMA)


def candidate(text: str = "{}", reason: object = "STOP", **beside: Any) -> dict[str, Any]:
    parts = [{"text": "I am thinking.", "thought": True}, {"text": text[:1]}, {"text": text[1:]}]
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}],
        **beside,
    }


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "candidates": JSON | st.lists(st.fixed_dictionaries({}, optional={"content": JSON, "finishReason": JSON})),
            "promptFeedback": JSON,
            "usageMetadata": JSON,
            "modelVersion": JSON,
        },
    )
)
def test_any_answer_is_read_or_nonsense(answer: dict[str, Any]) -> None:
    try:
        read = gemini.read(answer, FLASH)
    except ApplicationError as error:
        assert error.type == "ProviderNonsense"
        return
    assert b"\0" not in read.text.encode()
    assert read.stopped
    assert len(read.stopped) < 60
    assert len(read.model) <= 100
    assert read.usage is None or read.usage.cost_micro_usd >= 0


def test_what_the_model_thought_is_no_part_of_what_it_wrote() -> None:
    read = gemini.read(candidate('{"a": "b"}', modelVersion="gemini-3.5-flash"))
    assert (read.text, read.stopped, read.model) == ('{"a": "b"}', "end_turn", "gemini-3.5-flash")


def test_what_a_database_cannot_store_is_marked() -> None:
    assert gemini.read(candidate("a\0b\ud800")).text == "a\ufffdb?"


@pytest.mark.parametrize(
    ("reason", "stopped"),
    [
        ("STOP", "end_turn"),
        ("MAX_TOKENS", "max_tokens"),
        ("SAFETY", "safety"),
        ("RECITATION", "recitation"),
        ("stop", "stop"),
        (None, "nothing"),
        (7, "nothing"),
        ("Because Ada Lovelace said so", "nothing"),
        ("X" * 100, "nothing"),
    ],
)
def test_why_it_stopped_is_a_word_of_theirs_and_never_a_sentence(reason: object, stopped: str) -> None:
    assert gemini.read(candidate(reason=reason)).stopped == stopped


@pytest.mark.parametrize("candidates", [{}, {"candidates": []}, {"candidates": None}])
def test_a_blocked_prompt_is_an_answer_by_nobody(candidates: dict[str, Any]) -> None:
    said = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}
    read = gemini.read(candidates | said, FLASH)
    assert (read.text, read.stopped, read.usage) == ("", "blocked", Usage(9, 0, 9))


@pytest.mark.parametrize("answer", [{}, {"candidates": []}, {"candidates": ["x"]}, {"candidates": {"content": 1}}])
def test_an_answer_without_a_candidate_or_a_reason_is_nonsense(answer: dict[str, Any]) -> None:
    with pytest.raises(ApplicationError) as raised:
        gemini.read(answer)
    assert raised.value.type == "ProviderNonsense"


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        # 100 x 1 + (20 + 3) x 10: thoughts are paid for as if they had been written.
        ({"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 3}, Usage(100, 23, 330)),
        ({"promptTokenCount": 100, "candidatesTokenCount": 20}, Usage(100, 20, 300)),
        ({"promptTokenCount": 100, "thoughtsTokenCount": None}, Usage(100, 0, 100)),
        ({"candidatesTokenCount": 20}, None),
        ({"promptTokenCount": -1}, None),
        ({"promptTokenCount": 10**10}, None),
        ({"promptTokenCount": 1, "thoughtsTokenCount": "many"}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_it_tells_of_its_cost(said: object, usage: Usage | None) -> None:
    assert gemini.read(candidate(usageMetadata=said), FLASH).usage == usage
    assert gemini.read(candidate(usageMetadata=said)).usage is None


def refusal(code: int, **error: Any) -> ApplicationError:
    decision = gemini.refused(code, json.dumps({"error": {"message": "of Ada", **error}}).encode(), {})
    assert isinstance(decision, ApplicationError)
    assert "Ada" not in str(decision)
    return decision


def limited(delay: object, quota: str = "RequestsPerMinute") -> timedelta | None:
    details = [{"violations": [{"quotaId": quota}]}, {"@type": "google.rpc.RetryInfo", "retryDelay": delay}]
    decision = refusal(429, status="RESOURCE_EXHAUSTED", details=details)
    assert (decision.type, decision.non_retryable) == ("ProviderLimited", False)
    assert "RESOURCE_EXHAUSTED" in str(decision)
    return decision.next_retry_delay


@pytest.mark.parametrize(
    ("delay", "wait"),
    [
        ("17s", timedelta(seconds=17)),
        ("17.5s", timedelta(seconds=17.5)),
        ("0.2s", timedelta(seconds=0.2)),
        ("86400s", errors.LONGEST_WAIT),
        ("9" * 400 + "s", errors.LONGEST_WAIT),
        ("-5s", gemini.USUAL_WAIT),
        ("0s", gemini.USUAL_WAIT),
        ("soon", gemini.USUAL_WAIT),
        ("", gemini.USUAL_WAIT),
        (17, gemini.USUAL_WAIT),
        (None, gemini.USUAL_WAIT),
        ([], gemini.USUAL_WAIT),
    ],
)
def test_how_long_to_wait_is_what_they_ask_for_within_bounds(delay: object, wait: timedelta) -> None:
    assert limited(delay) == wait


def test_a_quota_of_a_day_waits_longer_than_they_say() -> None:
    assert limited("17s", "GenerateRequestsPerDayPerProjectPerModel-FreeTier") == errors.LONGEST_WAIT
    assert refusal(429, details=[{"reason": "quotaExceeded"}]).next_retry_delay == errors.LONGEST_WAIT


@pytest.mark.parametrize(
    ("status", "kind", "final"),
    [
        (400, "INVALID_ARGUMENT", True),
        (400, "FAILED_PRECONDITION", True),
        (403, "PERMISSION_DENIED", True),
        (404, "NOT_FOUND", True),
        (302, "MOVED", True),
        (500, "INTERNAL", False),
        (503, "UNAVAILABLE", False),
        (504, "DEADLINE_EXCEEDED", False),
    ],
)
def test_what_is_asked_again_and_what_is_not(status: int, kind: str, *, final: bool) -> None:
    decision = refusal(status, status=kind)
    assert (decision.non_retryable, decision.type) == (final, "ProviderRefused" if final else "ProviderDown")
    assert str(status) in str(decision) and kind in str(decision)


def test_a_reason_says_more_than_its_status() -> None:
    details = [{"@type": "google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}, {"reason": "a sentence about Ada"}]
    assert "(API_KEY_INVALID)" in str(refusal(400, status="INVALID_ARGUMENT", details=details))


@given(st.integers(300, 599), st.binary() | JSON.map(lambda one: json.dumps({"error": one}).encode()))
def test_any_refusal_is_a_decision(status: int, body: bytes) -> None:
    decision = gemini.refused(status, body, {})
    assert isinstance(decision, ApplicationError)
    assert decision.type in {"ProviderRefused", "ProviderLimited", "ProviderDown"}
    assert decision.next_retry_delay is None or decision.next_retry_delay <= errors.LONGEST_WAIT


@given(JSON)
def test_any_details_are_a_decision(details: Any) -> None:
    body = json.dumps({"error": {"status": details, "details": [details, {"violations": details, "reason": details}]}})
    assert isinstance(gemini.refused(429, body.encode(), {"retry-after": "x"}), ApplicationError)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with running(journal_path=tmp_path / "journal.jsonl") as sandbox:
        yield sandbox


@pytest.fixture
async def model(world: Sandbox) -> AsyncIterator[Callable[..., Gemini]]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        def made(**settings: Any) -> Gemini:
            given = {"base_url": f"{world.gemini_url}/", "key": "sandbox", "model": "gemini-3.5-flash", "timeout_s": 5}
            return Gemini(session, **(given | {"price": FLASH} | settings))

        yield made


async def test_it_is_asked_as_it_wants_to_be(model: Callable[..., Gemini]) -> None:
    answer = await model().write(PROMPT)
    assert (json.loads(answer.text), answer.stopped) == ({"a": "Sandbox text."}, "end_turn")
    assert answer.usage is not None
    assert answer.usage.output_tokens > 0


async def test_a_call_is_never_larger_than_its_size(model: Callable[..., Gemini]) -> None:
    answer = await model(most_tokens=1000).write(PROMPT)
    size = model(most_tokens=1000).size(PROMPT)
    assert answer.usage is not None
    assert size.output_tokens == 1000
    assert size.input_tokens > answer.usage.input_tokens
    assert size.input_tokens > len(PROMPT.system + PROMPT.material)


async def test_an_answer_is_cut_where_it_was_to_end(model: Callable[..., Gemini]) -> None:
    assert (await model(most_tokens=2).write(PROMPT)).stopped == "max_tokens"


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"key": "wrong"}, "403 (PERMISSION_DENIED)"), ({"model": "owl-1"}, "404 (NOT_FOUND)")],
)
async def test_a_wrong_key_or_model_is_final(model: Callable[..., Gemini], settings: Any, said: str) -> None:
    with pytest.raises(ApplicationError) as raised:
        await model(**settings).write(PROMPT)
    assert raised.value.non_retryable and said in str(raised.value)
    assert "wrong" not in str(raised.value)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503}, "ProviderDown"),
        ({"kind": "drop"}, "ProviderDown"),
        ({"kind": "truncated"}, "ProviderDown"),
        ({"kind": "hang"}, "ProviderDown"),
        ({"kind": "garbage"}, "ProviderNonsense"),
        ({"kind": "wrong_type"}, "ProviderNonsense"),
        ({"kind": "empty"}, "ProviderNonsense"),
        ({"kind": "nan"}, "ProviderNonsense"),
        ({"kind": "deep"}, "ProviderNonsense"),
        ({"kind": "huge"}, "ProviderNonsense"),
        ({"kind": "rate_limited"}, "ProviderLimited"),
        ({"kind": "daily_quota"}, "ProviderLimited"),
        ({"kind": "status", "status": 400}, "ProviderRefused"),
    ],
)
async def test_whatever_happens_on_the_way_is_a_decision(
    world: Sandbox, model: Callable[..., Gemini], fault: dict[str, Any], kind: str
) -> None:
    world.faults.put("gemini", **fault)
    with pytest.raises(ApplicationError) as raised:
        await model(timeout_s=1).write(PROMPT)
    assert raised.value.type == kind
    assert raised.value.non_retryable == (kind == "ProviderRefused")


async def test_nobody_there_is_down(model: Callable[..., Gemini]) -> None:
    with pytest.raises(ApplicationError) as raised:
        await model(base_url="http://127.0.0.1:9").write(PROMPT)
    assert raised.value.type == "ProviderDown"


@pytest.mark.parametrize(
    ("trick", "stopped"), [("blocked", "blocked"), ("safety", "safety"), ("max_tokens", "max_tokens")]
)
async def test_an_answer_that_ended_badly_is_an_answer(
    world: Sandbox, model: Callable[..., Gemini], trick: str, stopped: str
) -> None:
    world.faults.put("gemini", trick)
    assert (await model().write(PROMPT)).stopped == stopped


async def test_without_usage_nobody_knows_the_cost(world: Sandbox, model: Callable[..., Gemini]) -> None:
    world.faults.put("gemini", "no_usage")
    assert (await model().write(PROMPT)).usage is None
