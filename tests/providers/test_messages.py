"""What messengers are answered becomes a decision of ours, and their secrets are in nothing that is told."""

import json
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.providers import messages, slack, telegram
from activities.providers.slack import Slack
from activities.providers.telegram import Telegram
from activities.ways import BlockedError, MovedError
from sandbox import Sandbox, running
from schemas.settings import Settings

TOKEN = "sandbox-7000000001:AAF-hushhushhush_hushhush"
PATH = "/services/T0001/B0001/hushhushhush"
LARGE = {"huge": {"bytes": 8 * 1024 * 1024}}
OURS = (ApplicationError, BlockedError, MovedError, telegram._UnparsedError)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(), one, max_size=4),
    max_leaves=10,
)


@asynccontextmanager
async def bot(url: str, timeout_s: float = 2) -> AsyncIterator[Telegram]:
    async with aiohttp.ClientSession() as session:
        yield Telegram(session, base_url=url, token=TOKEN, timeout_s=timeout_s)


@pytest.fixture
async def world() -> AsyncIterator[Sandbox]:
    async with running() as sandbox:
        yield sandbox


@pytest.fixture
async def writes(world: Sandbox) -> AsyncIterator[Telegram]:
    async with bot(world.telegram_url) as telegram_bot:
        yield telegram_bot


@pytest.fixture
async def posts(world: Sandbox) -> AsyncIterator[Slack]:
    async with aiohttp.ClientSession() as session:
        yield Slack(session, base_url=world.slack_url, timeout_s=2)


def decision(error: BaseException) -> ApplicationError:
    assert isinstance(error, ApplicationError)
    return error


def told(error: BaseException) -> str:
    """All that anybody could read of an error, its causes and contexts that are shown included."""
    return f"{error!r} {error} {''.join(traceback.format_exception(error))}"


async def test_a_text_arrives_as_it_was_written(world: Sandbox, writes: Telegram, posts: Slack) -> None:
    text = "A <b>bold</b> & cheap offer\n<!channel> &amp; 日本 😀\nhttp://127.0.0.1:8080/skills/runs/1"
    await writes.send("4201", text)
    await posts.send(f"{world.slack_url}{PATH}", text)
    came = world.messages.all()
    assert [(one["kind"], one["to"]) for one in came] == [
        ("telegram", "4201"),
        ("slack", PATH),
    ]
    assert {one["text"] for one in came} == {text}


async def test_the_bot_says_who_it_is(writes: Telegram) -> None:
    assert await writes.who() == "greenroom_sandbox_bot"


async def test_what_was_taken_for_markup_goes_once_more_as_it_is(world: Sandbox, writes: Telegram) -> None:
    world.faults.put("telegram", "cant_parse", times=None)
    await writes.send("4201", "a <b> c")
    assert [one["text"] for one in world.messages.all()] == ["a <b> c"]
    assert len(world.journal.records(provider="telegram")) == 2


@pytest.mark.parametrize("trick", ["blocked", "kicked", "deactivated", "chat_not_found"])
async def test_a_chat_that_takes_nothing_is_blocked(world: Sandbox, writes: Telegram, trick: str) -> None:
    world.faults.put("telegram", trick)
    with pytest.raises(BlockedError) as raised:
        await writes.send("4201", "x")
    assert str(raised.value) and "Forbidden" not in str(raised.value), "the words are ours"


async def test_a_group_that_moved_says_where(world: Sandbox, writes: Telegram) -> None:
    world.faults.put("telegram", "migrate")
    with pytest.raises(MovedError) as raised:
        await writes.send("-4201", "x")
    assert raised.value.address == "-1004201"


@pytest.mark.parametrize(("said", "wait"), [("7", 7), ("0", 1), ("99999", 900)])
async def test_it_is_waited_for_as_long_as_they_say(world: Sandbox, writes: Telegram, said: str, wait: int) -> None:
    world.faults.put("telegram", "status", status=429, retry_after=said)
    with pytest.raises(ApplicationError) as raised:
        await writes.send("4201", "x")
    assert (raised.value.type, raised.value.next_retry_delay) == ("ProviderLimited", timedelta(seconds=wait))


async def test_a_webhook_says_in_a_header_when_to_come_again(world: Sandbox, posts: Slack) -> None:
    world.faults.put("slack", "status", status=429, retry_after="30")
    with pytest.raises(ApplicationError) as raised:
        await posts.send(f"{world.slack_url}{PATH}", "x")
    assert (raised.value.type, raised.value.next_retry_delay) == ("ProviderLimited", timedelta(seconds=30))


@pytest.mark.parametrize("trick", ["no_service", "channel_not_found", "channel_is_archived", "action_prohibited"])
async def test_a_webhook_that_is_gone_is_blocked(world: Sandbox, posts: Slack, trick: str) -> None:
    world.faults.put("slack", trick)
    with pytest.raises(BlockedError):
        await posts.send(f"{world.slack_url}{PATH}", "x")


@pytest.mark.parametrize(
    ("status", "type_", "final"),
    [(401, "ProviderRefused", True), (404, "ProviderRefused", True), (500, "ProviderDown", False)],
)
async def test_what_is_no_matter_of_a_chat_switches_none_off(
    world: Sandbox, writes: Telegram, status: int, type_: str, *, final: bool
) -> None:
    world.faults.put("telegram", "status", status=status)
    with pytest.raises(ApplicationError) as raised:
        await writes.send("4201", "x")
    assert (raised.value.type, raised.value.non_retryable) == (type_, final)


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, "<html>not found</html>"), (403, "forbidden by a proxy"), (410, ""), (200, "<html>ok</html>"), (302, "")],
)
def test_a_proxy_is_no_webhook_that_is_gone(status: int, body: str) -> None:
    assert isinstance(slack.refused(status, body.encode(), {}), ApplicationError)


RUBBISH = ("garbage", "wrong_type", "empty", "nan", "deep", "truncated", "drop", "huge", "hang")


@pytest.mark.parametrize("kind", [*RUBBISH, "dribble"])
async def test_rubbish_from_a_bot_is_a_decision_that_tells_no_secret(
    world: Sandbox, writes: Telegram, kind: str
) -> None:
    world.faults.put("telegram", kind, **LARGE.get(kind, {}))
    with pytest.raises(ApplicationError) as raised:
        await writes.send("4201", "x")
    assert raised.value.type in {"ProviderDown", "ProviderNonsense"}
    assert "hush" not in told(raised.value)


@pytest.mark.parametrize("kind", [one for one in RUBBISH if one != "nan"])
async def test_rubbish_from_a_webhook_is_a_decision_that_tells_no_secret(
    world: Sandbox, posts: Slack, kind: str
) -> None:
    world.faults.put("slack", kind, **LARGE.get(kind, {}))
    with pytest.raises(ApplicationError) as raised:
        await posts.send(f"{world.slack_url}{PATH}", "x")
    assert raised.value.type in {"ProviderDown", "ProviderNonsense"}
    assert "hush" not in told(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[", "http://nowhere.invalid"])
async def test_no_address_of_a_bot_is_told_when_nobody_answers(url: str) -> None:
    async with bot(url) as nobody:
        with pytest.raises(ApplicationError) as raised:
            await nobody.send("4201", "x")
    assert "hush" not in told(raised.value) and raised.value.__cause__ is None


async def test_nothing_follows_to_another_place() -> None:
    asked: list[str] = []

    async def away(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", away)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with bot(f"http://127.0.0.1:{runner.addresses[0][1]}") as led:
            with pytest.raises(ApplicationError) as raised:
                await led.send("4201", "x")
    finally:
        await runner.cleanup()
    assert raised.value.non_retryable and len(asked) == 1


@given(st.sampled_from([300, 400, 401, 403, 404, 409, 410, 429, 500, 503]), JSON)
def test_whatever_a_refusal_says_it_is_one_of_ours(status: int, said: Any) -> None:
    for body in (json.dumps(said).encode(), json.dumps({"description": said, "parameters": said}).encode()):
        assert isinstance(telegram.refused(status, body, {}), OURS)
        assert isinstance(slack.refused(status, body, {}), OURS)


@given(st.sampled_from([400, 403, 404, 429, 500]), st.binary(max_size=200))
def test_whatever_bytes_a_refusal_has_it_is_one_of_ours(status: int, body: bytes) -> None:
    assert isinstance(telegram.refused(status, body, {}), OURS)
    assert isinstance(slack.refused(status, body, {}), OURS)


@pytest.mark.parametrize(
    "parameters",
    [
        {"retry_after": "7"},
        {"retry_after": True},
        {"retry_after": -7},
        {"retry_after": 10**30},
        {"retry_after": None},
        7,
    ],
    ids=str,
)
def test_a_wait_that_is_none_is_a_second(parameters: Any) -> None:
    body = json.dumps({"ok": False, "parameters": parameters}).encode()
    assert decision(telegram.refused(429, body, {})).next_retry_delay == timedelta(seconds=1)


@pytest.mark.parametrize("moved", ["-100", True, 0, 1.5, None, 10**30], ids=str)
def test_a_new_address_that_is_none_is_not_taken(moved: Any) -> None:
    body = json.dumps({"ok": False, "parameters": {"migrate_to_chat_id": moved}}).encode()
    assert decision(telegram.refused(400, body, {})).non_retryable


def settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **changes)  # type: ignore[call-arg]


@pytest.mark.parametrize("text", ["123456789", "-1001234567890", " 42 "])
def test_a_chat_has_an_address(text: str) -> None:
    assert messages.address(settings(sandbox=True), "telegram", text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "042",
        "4 2",
        "+42",
        "1e9",
        "٤٢",
        "-",
        "9" * 20,
        "@a",
        "@greenroom_news",
        "@grün",
        "42; rm",
        "@x/../y",
        "42\n43",
        "４２",
    ],
)
def test_what_is_no_chat_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="A chat is a number"):
        messages.address(settings(sandbox=True), "telegram", text)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://hooks.slack.com",
        "https://hooks.slack.com/services/",
        "https://hooks.slack.com.evil.example/services/T0/B0/hush",
        "https://evil.example/services/T0/B0/hush",
        "http://hooks.slack.com/services/T0/B0/hush",
        "https://hooks.slack.com@evil.example/services/T0/B0/hush",
        "https://hooks.slack.com:99/services/T0/B0/hush",
        "https://hooks.slack.com/services/T0/B0/../hush",
        "https://hooks.slack.com/services/T0/B0/hush?x=1",
        "https://hooks.slack.com/services/T0/B0/hush#x",
        "https://hooks.slack.com/services/T0/B0/hush hush",
        "https://hooks.slack.com/services/T0/B0/húsh",
        "https://hooks.slack.com/triggers/T0/B0/hush",
        "http://127.0.0.1:5432/services/T0/B0/hush",
    ],
)
def test_messages_go_to_one_host_alone(url: str) -> None:
    with pytest.raises(ValueError, match=r"looks like https://hooks\.slack\.com/services/") as raised:
        messages.address(settings(), "slack", url)
    assert "hush" not in str(raised.value)


async def test_an_address_that_was_kept_for_another_host_is_not_asked(world: Sandbox, posts: Slack) -> None:
    with pytest.raises(BlockedError):
        await posts.send(f"{world.telegram_url}/services/T0/B0/hush", "x")
    assert not world.journal.records(provider="telegram") + world.journal.records(provider="slack")


async def test_without_a_token_there_is_no_bot() -> None:
    async with aiohttp.ClientSession() as session:
        assert set(messages.messengers(settings(), session)) == {"slack"}
        there = messages.messengers(settings(sandbox=True), session)
    assert {kind: one.sandbox for kind, one in there.items()} == {"telegram": True, "slack": True}
    assert messages.kinds(settings()) == ("slack",)
    with pytest.raises(ValueError, match="TELEGRAM_BOT_TOKEN"):
        messages.address(settings(), "telegram", "42")
    with pytest.raises(ValueError, match="one of telegram, slack"):
        messages.address(settings(), "pigeon", "42")
