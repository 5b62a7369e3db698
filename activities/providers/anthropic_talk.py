"""Claude in conversation, by Anthropic's SDK with its own retries off: what it writes is heard as it comes.

request ─▶ server-sent events ─▶ each a line of JSON ─▶ heard ─▶ an answer, if it came to its end
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import anthropic
import httpx2
from pydantic import Field, ValidationError

from activities import errors
from activities.plain import clean
from activities.ports import Size, Usage
from activities.providers.anthropic import LEAST_WAIT, UsageSaid
from activities.providers.http import parse_object, storable, tidy
from activities.skills.ports import Conversation, Reply, ToolCall
from schemas.base import Inbound
from schemas.budgets import Price

NAME = "anthropic"

# Of one answer: blocks, and letters of what a tool is called with.
MOST_BLOCKS = 50
LONGEST_INPUT = 20_000

# What an error in the midst of an answer would have been as a status.
STATUSES = {
    "rate_limit_error": 429,
    "overloaded_error": 529,
    "api_error": 500,
    "timeout_error": 504,
}
REFUSED = 400


class _Said(Inbound, str_strip_whitespace=False):
    """A part of an event: a text begins and ends as it does."""


class _Message(_Said):
    model: str = Field(default="", max_length=200)
    usage: dict[str, Any] | None = None


class _Block(_Said):
    type: str
    id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,100}$")
    name: str = Field(default="", max_length=200)
    text: str = ""


class _Delta(_Said):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = Field(default=None, max_length=100)


class _Error(_Said):
    type: str = ""


class _Event(_Said):
    type: str
    index: int = Field(default=0, ge=0)
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: dict[str, Any] | None = None
    error: _Error | None = None


class AnthropicTalk:
    """A Talker. One call an answer; whoever stops waiting ends it."""

    name = NAME

    def __init__(
        self,
        client: anthropic.AsyncAnthropic,
        *,
        model: str,
        prices: Mapping[str, Price],
        timeout_s: float = 540,
        least_wait: timedelta = LEAST_WAIT,
        sandbox: bool = False,
    ) -> None:
        self._client = client
        self.model = model
        self._prices = prices
        self._timeout_s = timeout_s
        self._least_wait = least_wait
        self.sandbox = sandbox

    def named(self, model: str) -> "AnthropicTalk":
        return AnthropicTalk(
            self._client,
            model=model or self.model,
            prices=self._prices,
            timeout_s=self._timeout_s,
            least_wait=self._least_wait,
            sandbox=self.sandbox,
        )

    def size(self, conversation: Conversation) -> Size:
        sent = json.dumps(_request(conversation), ensure_ascii=False)
        return Size(len(sent.encode(errors="replace")), conversation.most_tokens)

    async def say(self, conversation: Conversation, hear: Callable[[str], None]) -> Reply:
        """Whatever the model wrote, and why it stopped. An answer that broke off is none."""
        try:
            # The client's own time-out is for each read, so a byte now and then would keep it for ever.
            async with asyncio.timeout(self._timeout_s):
                return await self._listen(conversation, hear)
        except anthropic.APIStatusError as error:
            raise self._decision(error) from None
        except (anthropic.APIConnectionError, httpx2.HTTPError, TimeoutError) as error:
            # What the bounded transport refused comes wrapped as if there had been no connection.
            raise errors.decided(error.__cause__) or errors.unreachable(self.name, error) from None
        except (anthropic.APIError, ValueError, TypeError, AttributeError, RecursionError):
            # What the SDK makes of a body that is not what it promises.
            raise errors.nonsense(self.name, "an answer that cannot be read") from None

    async def _listen(self, conversation: Conversation, hear: Callable[[str], None]) -> Reply:
        heard = _Heard(self._decided)
        async with self._client.messages.with_streaming_response.create(
            model=self.model, stream=True, **_request(conversation)
        ) as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise errors.nonsense(self.name, "something that is no stream")
            async for event in _events(response.iter_bytes()):
                if piece := heard.take(event):
                    hear(storable(piece))
        return self._reply(heard)

    def _decision(self, error: anthropic.APIStatusError) -> Exception:
        kind = getattr(error, "error_code", None) or error.type
        return errors.answered(self.name, error.status_code, kind, error.response.headers, self._least_wait)

    def _decided(self, kind: str) -> Exception:
        """Of an error that came when the answer had begun: HTTP had said 200 by then."""
        return errors.answered(self.name, STATUSES.get(kind, REFUSED), kind, {}, self._least_wait)

    def _reply(self, heard: "_Heard") -> Reply:
        if not heard.ended or not heard.stopped:
            raise errors.nonsense(self.name, "an answer that broke off")
        # Of one that was cut off, what a tool is called with may be cut off too.
        calls = [block for block in heard.blocks.values() if block.kind == "tool_use" and heard.stopped == "tool_use"]
        return Reply(
            text=storable("".join(block.text for block in heard.blocks.values() if block.kind == "text")),
            calls=tuple(block.call() for block in calls),
            stopped=heard.stopped,
            model=clean(heard.model, 100),
            usage=self._usage(heard.usage),
        )

    def _usage(self, said: Mapping[str, Any]) -> Usage | None:
        """By our price: they tell tokens and no cost. Nothing when what they tell cannot be read."""
        price = self._prices.get(f"{self.name}/{self.model}")
        if price is None:
            return None
        try:
            usage = UsageSaid.model_validate(said)
        except ValidationError:
            return None
        cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
        tokens = usage.input_tokens + cached, usage.output_tokens
        return Usage(*tokens, price.cost(*tokens))


@dataclass
class _Open:
    """A block as far as it has come."""

    kind: str
    id: str
    name: str
    pieces: list[str]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def call(self) -> ToolCall:
        said = self.text
        if not self.id or not self.name or len(said) > LONGEST_INPUT:
            raise errors.nonsense(NAME, "a call of a tool that cannot be read")
        given = tidy(parse_object(NAME, said.encode(errors="replace"))) if said.strip() else {}
        # A number beyond all bounds is none in JSON, and would be stored as one.
        json.dumps(given, allow_nan=False)
        return ToolCall(id=self.id, name=clean(self.name, 100), input=given)


class _Heard:
    """An answer as far as it has come."""

    def __init__(self, decided: Callable[[str], Exception]) -> None:
        self._decided = decided
        self.blocks: dict[int, _Open] = {}
        self.model = ""
        self.usage: dict[str, Any] = {}
        self.stopped = ""
        self.ended = False

    def take(self, event: _Event) -> str:
        """The piece of text that it brings, if it brings one. An event of a kind that we do not know brings nothing."""
        match event:
            case _Event(type="error"):
                raise self._decided(event.error.type if event.error else "")
            case _Event(type="message_start", message=_Message() as message):
                self.model = message.model
                self.usage |= message.usage or {}
            case _Event(type="content_block_start", content_block=_Block() as block):
                return self._open(event.index, block)
            case _Event(type="content_block_delta", delta=_Delta() as delta):
                return self._grow(event.index, delta)
            case _Event(type="message_delta", delta=_Delta() as delta):
                self.stopped = delta.stop_reason or self.stopped
                # They count from the beginning on, and leave out what has not changed.
                self.usage |= {name: count for name, count in (event.usage or {}).items() if count is not None}
            case _Event(type="message_stop"):
                self.ended = True
        return ""

    def _open(self, index: int, block: _Block) -> str:
        if len(self.blocks) == MOST_BLOCKS or index in self.blocks:
            raise errors.nonsense(NAME, "an answer of too many parts")
        text = block.text if block.type == "text" else ""
        self.blocks[index] = _Open(block.type, block.id, block.name, [text])
        return text

    def _grow(self, index: int, delta: _Delta) -> str:
        block = self.blocks.get(index)
        if block is None:
            raise errors.nonsense(NAME, "a part of nothing")
        if delta.type == "text_delta" and block.kind == "text":
            block.pieces.append(delta.text)
            return delta.text
        if delta.type == "input_json_delta" and block.kind == "tool_use":
            block.pieces.append(delta.partial_json)
        return ""


def _request(conversation: Conversation) -> dict[str, Any]:
    tools = [
        {"name": one.name, "description": one.description, "input_schema": one.schema} for one in conversation.tools
    ]
    request: dict[str, Any] = {
        "max_tokens": conversation.most_tokens,
        "system": conversation.system,
        "messages": [{"role": turn.role, "content": list(turn.blocks)} for turn in conversation.turns],
    }
    if tools:
        request["tools"] = tools
        request["tool_choice"] = {"type": "none" if conversation.closing else "auto"}
    return request


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[_Event]:
    """What stands behind `data:` is one event, whole: lines end where bytes say so, and nowhere within a text."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.startswith(b"data:"):
                yield _event(line.removeprefix(b"data:"))


def _event(data: bytes) -> _Event:
    try:
        return _Event.model_validate(parse_object(NAME, data))
    except ValidationError:
        raise errors.nonsense(NAME, "an event that cannot be read") from None
