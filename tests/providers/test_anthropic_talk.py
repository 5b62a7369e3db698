"""What is heard of a conversation is what was said; what broke off, or cannot be read, is an error of ours."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.ports import Usage
from activities.providers import anthropic as claude
from activities.providers.anthropic_talk import AnthropicTalk, _events, _Heard
from activities.providers.models import talker
from activities.skills import prompts
from activities.skills.ports import Conversation, Reply, Task, ToolKind, Turn
from activities.skills.tools import KINDS, READ_FILE
from sandbox import Sandbox, streaming
from schemas.brands import PRICES
from schemas.settings import Settings
from schemas.skills import Tool
from tests.skills.carried import BRIEF, USER, folder, said
from tests.waiting import until

MATERIAL = "Brightwater runs four warehouses in Halden. Their planners count by hand every night."


@asynccontextmanager
async def talking(url: str, timeout_s: float = 20) -> AsyncIterator[AnthropicTalk]:
    client = claude.client(base_url=url, key="sandbox-key", timeout_s=timeout_s)
    try:
        yield AnthropicTalk(client, model="claude-sonnet-5-5", prices=PRICES, timeout_s=timeout_s, sandbox=True)
    finally:
        await client.close()


@pytest.fixture
async def talk(sandbox: Sandbox) -> AsyncIterator[AnthropicTalk]:
    async with talking(sandbox.anthropic_url) as one:
        yield one


def conversation(**changes: Any) -> Conversation:
    task = Task(user_id=USER, version=1, skill="drill", message="Drill me.", inputs={}, client=MATERIAL)
    opening = prompts.opening(folder(), task)
    values = {"system": opening.system, "turns": opening.turns, "tools": (READ_FILE,), **changes}
    return Conversation(**values)


async def say(talk: AnthropicTalk, asked: Conversation | None = None) -> tuple[Reply, list[str]]:
    heard = list[str]()
    return await talk.say(asked or conversation(), heard.append), heard


async def refused(talk: AnthropicTalk, asked: Conversation | None = None) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await say(talk, asked)
    assert "Brightwater" not in str(raised.value) and "sandbox-key" not in str(raised.value)
    return raised.value


async def test_what_is_written_is_heard_as_it_comes(talk: AnthropicTalk) -> None:
    reply, heard = await say(talk)
    assert reply.text == "".join(heard)
    assert len(heard) > 3
    assert "Their planners count by hand every night." in reply.text and "Sandbox text" in reply.text
    assert (reply.stopped, reply.calls, reply.model) == ("end_turn", (), "claude-sonnet-5-5")
    assert reply.usage is not None and reply.usage.output_tokens > 50 and reply.usage.cost_micro_usd > 0


async def test_a_tool_is_asked_for_and_what_it_returned_is_read(talk: AnthropicTalk) -> None:
    asked = conversation(tools=(READ_FILE, *KINDS[Tool.BRIEFS]))
    reply, _ = await say(talk, asked)
    assert reply.stopped == "tool_use"
    (call,) = reply.calls
    assert (call.name, call.input) == ("list_briefs", {})
    after = prompts.answered(asked, reply, [_result(call.id, f"{BRIEF}: about Brightwater")])
    second, _ = await say(talk, after)
    assert [(one.name, one.input) for one in second.calls] == [("read_brief", {"id": BRIEF})]
    last = prompts.answered(after, second, [_result(second.calls[0].id, "Their board decides in the spring of 2027.")])
    third, _ = await say(talk, last)
    assert "Their board decides in the spring of 2027." in third.text


def _result(call_id: str, text: str) -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": text, "is_error": False}


async def test_who_has_to_write_asks_for_nothing(talk: AnthropicTalk) -> None:
    asked = prompts.closed(conversation(tools=(READ_FILE, *KINDS[Tool.BRIEFS])))
    reply, _ = await say(talk, asked)
    assert (reply.stopped, reply.calls) == ("end_turn", ())


async def test_a_refusal_and_a_cut_are_answers(sandbox: Sandbox, talk: AnthropicTalk) -> None:
    sandbox.faults.put("anthropic", "refusal")
    assert (await say(talk))[0].stopped == "refusal"
    sandbox.faults.put("anthropic", "max_tokens")
    reply, _ = await say(talk)
    assert reply.stopped == "max_tokens" and reply.text
    sandbox.faults.put("anthropic", "no_usage")
    assert (await say(talk))[0].usage is None
    sandbox.faults.put("anthropic", "pings")
    assert (await say(talk))[0].stopped == "end_turn"


@pytest.mark.parametrize(
    ("kind", "type_", "final"),
    [
        ("overloaded_midstream", "ProviderDown", False),
        ("early_end", "ProviderNonsense", False),
        ("no_stop_reason", "ProviderNonsense", False),
        ("truncated", "ProviderDown", False),
        ("drop", "ProviderDown", False),
        ("garbage", "ProviderNonsense", False),
        ("wrong_type", "ProviderNonsense", False),
        ("empty", "ProviderNonsense", False),
        ("deep", "ProviderNonsense", False),
        ("huge", "ProviderNonsense", False),
    ],
)
async def test_what_is_no_whole_answer_is_none(
    sandbox: Sandbox, talk: AnthropicTalk, kind: str, type_: str, *, final: bool
) -> None:
    sandbox.faults.put("anthropic", kind)
    error = await refused(talk)
    assert (error.type, error.non_retryable) == (type_, final)
    assert (await say(talk))[0].stopped == "end_turn"


@pytest.mark.parametrize(
    ("status", "type_", "final"),
    [
        (400, "ProviderRefused", True),
        (401, "ProviderRefused", True),
        (413, "ProviderRefused", True),
        (429, "ProviderLimited", False),
        (500, "ProviderDown", False),
        (529, "ProviderDown", False),
    ],
)
async def test_a_status_is_what_it_means(
    sandbox: Sandbox, talk: AnthropicTalk, status: int, type_: str, *, final: bool
) -> None:
    sandbox.faults.put("anthropic", "status", status=status)
    error = await refused(talk)
    assert (error.type, error.non_retryable) == (type_, final)


async def test_a_call_that_cannot_be_read_is_no_call(sandbox: Sandbox, talk: AnthropicTalk) -> None:
    sandbox.faults.put("anthropic", "broken_tool_json", match="list_briefs")
    error = await refused(talk, conversation(tools=KINDS[Tool.BRIEFS]))
    assert error.type == "ProviderNonsense"


async def test_a_byte_now_and_then_is_not_listened_to_for_ever(sandbox: Sandbox) -> None:
    sandbox.faults.put("anthropic", "dribble")
    async with talking(sandbox.anthropic_url, timeout_s=1) as talk:
        began = time.monotonic()
        assert (await refused(talk)).type == "ProviderDown"
        assert time.monotonic() - began < 5


async def test_who_stops_listening_hangs_up(sandbox: Sandbox, talk: AnthropicTalk) -> None:
    """The sandbox sees its client leave in the midst of the text."""
    sandbox.delays["anthropic"] = 0.2
    heard = list[str]()
    listening = asyncio.create_task(talk.say(conversation(), heard.append))

    async def something() -> list[str]:
        return heard

    await until(something)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening

    async def left() -> list[dict[str, Any]]:
        return [one for one in sandbox.journal.records(provider="anthropic") if one["fault"] == "client left"]

    (record,) = await until(left)
    assert record["status"] == 200 and record["answer_bytes"] > 0
    assert sandbox.journal.running("anthropic") == []


async def test_the_one_that_the_settings_make_talks(sandbox: Sandbox) -> None:
    values: dict[str, Any] = {"sandbox": True, "sandbox_url": sandbox.url, "anthropic_api_key": SecretStr("")}
    made = Settings(database_url="postgresql://x", **values, _env_file=None)  # type: ignore[call-arg]
    async with AsyncExitStack() as stack:
        reply, _ = await say(talker(made, stack))
    assert reply.stopped == "end_turn" and reply.usage is not None


async def test_another_model_is_named_in_the_request(sandbox: Sandbox, talk: AnthropicTalk) -> None:
    other = talk.named("claude-haiku-5-5")
    assert (await say(other))[0].model == "claude-haiku-5-5"
    assert talk.named("").model == talk.model == "claude-sonnet-5-5"
    assert other.size(conversation()) == talk.size(conversation())


def test_a_size_is_no_less_than_what_is_sent() -> None:
    talk = AnthropicTalk(claude.client(base_url="http://x", key="k", timeout_s=1), model="m", prices={})
    asked = conversation(system="é" * 1000, tools=(ToolKind("t", "ü" * 500, {"type": "object"}),), most_tokens=77)
    size = talk.size(asked)
    assert size.input_tokens >= 3000
    assert size.output_tokens == 77


# Streams of our own making: whatever comes.


def events(*some: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in some)


START = {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}}
STOP = (
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
)


def text(words: str, index: int = 0) -> tuple[dict[str, Any], ...]:
    return (
        {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": words}},
        {"type": "content_block_stop", "index": index},
    )


def tool(said: str, name: str = "read_file", mark: str = "toolu_1") -> tuple[dict[str, Any], ...]:
    block = {"type": "tool_use", "id": mark, "name": name, "input": {}}
    return (
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": said}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    )


@pytest.fixture
async def serving() -> AsyncIterator[Callable[[bytes], AnthropicTalk]]:
    """A server that answers what it is told to, and a talker that asks it."""
    told = list[bytes]()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=told[-1], headers={"content-type": "text/event-stream; charset=utf-8"})

    app = web.Application()
    app.router.add_post("/v1/messages", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with talking(f"http://127.0.0.1:{runner.addresses[0][1]}") as talk:

        def with_body(body: bytes) -> AnthropicTalk:
            told.append(body)
            return talk

        yield with_body
    await runner.cleanup()


Serving = Callable[[bytes], AnthropicTalk]


async def test_a_stream_is_read_to_its_end(serving: Serving) -> None:
    thinking = {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "hm"}}
    secret = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}
    words = "a\u2028b\u0085c \ud800 \0"
    body = events(START, thinking, secret, {"type": "something_new", "x": [1]}, *text(words, 1), *text(" d", 2), *STOP)
    reply, heard = await say(serving(b": a comment\n\nevent: ping\n\nid: 7\n\n" + body))
    assert reply.text == "".join(heard) == "a\u2028b\u0085c ? \ufffd d"
    assert reply.usage == Usage(5, 7, PRICES["anthropic/claude-sonnet-5-5"].cost(5, 7))


async def test_lines_may_end_in_another_way(serving: Serving) -> None:
    body = events(START, *text("x"), *STOP).replace(b"\n", b"\r\n").replace(b"data: ", b"data:")
    assert (await say(serving(body)))[0].text == "x"


@pytest.mark.parametrize(
    ("kind", "type_", "final"),
    [
        ("overloaded_error", "ProviderDown", False),
        ("api_error", "ProviderDown", False),
        ("rate_limit_error", "ProviderLimited", False),
        ("invalid_request_error", "ProviderRefused", True),
        ("Brightwater said so", "ProviderRefused", True),
    ],
)
async def test_an_error_in_the_midst_is_what_it_would_have_been(
    serving: Serving, kind: str, type_: str, *, final: bool
) -> None:
    error = await refused(serving(events(START, *text("x"), {"type": "error", "error": {"type": kind}}, *STOP)))
    assert (error.type, error.non_retryable) == (type_, final)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"data: {\n\n", id="half"),
        pytest.param(b"data: []\n\n", id="list"),
        pytest.param(b"data: " + b"[" * 100_000 + b"\n\n", id="deep"),
        pytest.param(events({"type": 7}), id="type"),
        pytest.param(events(START, {"type": "content_block_delta", "index": 3, "delta": {"text": "x"}}), id="part"),
        pytest.param(events(START, *text("x"), *text("x"), *STOP), id="twice"),
        pytest.param(events(START, *(one for n in range(60) for one in text("x", n)), *STOP), id="many"),
        pytest.param(events(START, {**text("x")[0], "index": -1}, *STOP), id="index"),
        pytest.param(events(START, *tool("[1]")), id="input-list"),
        pytest.param(events(START, *tool('{"a": NaN}')), id="input-nan"),
        pytest.param(events(START, *tool('{"a": 1e999}')), id="input-infinite"),
        pytest.param(events(START, *tool('{"a": ' * 2000)), id="input-deep"),
        pytest.param(events(START, *tool('{"a": "' + "x" * 30_000 + '"}')), id="input-long"),
        pytest.param(events(START, *tool("{}", name="")), id="no-name"),
        pytest.param(events(START, *tool("{}", mark="a b")), id="no-id"),
        pytest.param(events(START, *text("x"), STOP[1]), id="no-reason"),
        pytest.param(events(START, *text("x"), STOP[0]), id="no-end"),
        pytest.param(b"a\n" * 2_000_000, id="lines"),
        pytest.param(b"data: {" + b"a" * 5_000_000, id="one-line"),
    ],
)
async def test_a_stream_that_cannot_be_read_is_nonsense(serving: Serving, body: bytes) -> None:
    began = time.monotonic()
    assert (await refused(serving(body))).type == "ProviderNonsense"
    assert time.monotonic() - began < 10


async def test_what_a_tool_is_called_with_can_be_stored(serving: Serving) -> None:
    reply, _ = await say(serving(events(START, *tool('{"path": "a\\u0000\\ud800b", "n": [1, {"x": null}]}'))))
    assert json.dumps(reply.calls[0].input) == '{"path": "ab", "n": [1, {"x": null}]}'


async def test_an_answer_that_was_cut_off_calls_nothing(serving: Serving) -> None:
    cut = [
        {**one, "delta": {"stop_reason": "max_tokens"}} if one["type"] == "message_delta" else one for one in tool("{")
    ]
    reply, _ = await say(serving(events(START, *cut)))
    assert (reply.stopped, reply.calls) == ("max_tokens", ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab\0\u2028", max_size=5),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "index", "x"]), one),
    max_leaves=8,
)
KINDS_OF_EVENTS = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop", "error", "ping"]
)
EVENT = st.fixed_dictionaries(
    {"type": KINDS_OF_EVENTS},
    optional=dict.fromkeys(("index", "message", "content_block", "delta", "usage", "error"), JSON),
)


@settings(deadline=None)
@given(st.lists(EVENT, max_size=6), st.integers(1, 50))
def test_any_events_are_heard_or_nonsense(some: list[dict[str, Any]], size: int) -> None:
    body = events(START, *some)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    async def listen() -> None:
        heard = _Heard(lambda _: ApplicationError("decided"))
        async for event in _events(chunks()):
            assert isinstance(heard.take(event), str)

    try:
        asyncio.run(listen())
    except ApplicationError as error:
        assert error.type == "ProviderNonsense" or error.message == "decided"


@settings(deadline=None)
@given(st.text("ab\n\r\u2028\u00e9 ", min_size=1), st.integers(1, 30))
def test_what_the_sandbox_streams_is_what_it_wrote(words: str, size: int) -> None:
    message = {
        "content": [{"type": "text", "text": words}],
        "usage": {"input_tokens": 1, "output_tokens": 2},
        "model": "m",
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
    }
    body = streaming.body(message, None)

    async def listen() -> str:
        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(body), size):
                yield body[start : start + size]

        heard = _Heard(lambda _: ApplicationError("decided"))
        pieces = [heard.take(event) async for event in _events(chunks())]
        assert heard.ended and heard.stopped == "end_turn"
        return "".join(pieces)

    assert asyncio.run(listen()) == words


def test_a_conversation_that_goes_on_keeps_what_was_said() -> None:
    before = conversation()
    after = prompts.answered(before, said("Well."), [_result("x", "y")])
    assert after.turns[: len(before.turns)] == before.turns
    assert after.turns[-2:] == (
        Turn("assistant", ({"type": "text", "text": "Well."},)),
        Turn("user", (_result("x", "y"),)),
    )
