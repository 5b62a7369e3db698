"""Claude, by Anthropic's SDK with its own retries off. It gets data and a schema, and no tools."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import anthropic
import httpx2
from anthropic.types import Message, TextBlock
from pydantic import Field, ValidationError

from activities import errors
from activities.plain import clean
from activities.ports import ModelAnswer, Prompt, Size, Usage
from activities.providers.http import LONGEST_ANSWER, storable
from schemas.base import Inbound
from schemas.budgets import Price

# S0-2.12: after a 429, wait at least this.
LEAST_WAIT = timedelta(seconds=30)


class UsageSaid(Inbound):
    """What comes from a cache, or goes to one, is taken for an ordinary token."""

    input_tokens: int = Field(ge=0, le=10**9)
    output_tokens: int = Field(ge=0, le=10**9)
    cache_creation_input_tokens: int | None = Field(default=None, ge=0, le=10**9)
    cache_read_input_tokens: int | None = Field(default=None, ge=0, le=10**9)


class Anthropic:
    """A LanguageModel. One call a prompt."""

    name = "anthropic"

    def __init__(
        self,
        client: anthropic.AsyncAnthropic,
        *,
        model: str,
        price: Price | None = None,
        most_tokens: int = 8000,
        timeout_s: float = 60,
        least_wait: timedelta = LEAST_WAIT,
        sandbox: bool = False,
    ) -> None:
        self._client = client
        self.model = model
        self._price = price
        self.most_tokens = most_tokens
        self._timeout_s = timeout_s
        self._least_wait = least_wait
        self.sandbox = sandbox

    def size(self, prompt: Prompt) -> Size:
        sent = (prompt.system, prompt.material, json.dumps(prompt.schema, ensure_ascii=False))
        return Size(sum(len(text.encode(errors="replace")) for text in sent), self.most_tokens)

    async def write(self, prompt: Prompt) -> ModelAnswer:
        """Whatever the model wrote, and why it stopped: judging it is not this module's."""
        try:
            # The client's own time-out is for each read, so a byte now and then would keep it for ever.
            async with asyncio.timeout(self._timeout_s):
                return self._read(await self._ask(prompt))
        except anthropic.APIStatusError as error:
            raise self._decision(error) from None
        except (anthropic.APIConnectionError, httpx2.HTTPError, TimeoutError) as error:
            # What the bounded transport refused comes wrapped as if there had been no connection.
            raise errors.decided(error.__cause__) or errors.unreachable(self.name, error) from None
        except (anthropic.APIError, ValueError, TypeError, AttributeError, RecursionError):
            # What the SDK makes of a body that is not what it promises.
            raise errors.nonsense(self.name, "an answer that cannot be read") from None

    async def _ask(self, prompt: Prompt) -> Message:
        return await self._client.messages.create(
            model=self.model,
            max_tokens=self.most_tokens,
            system=prompt.system,
            messages=[{"role": "user", "content": prompt.material}],
            output_config={"format": {"type": "json_schema", "schema": prompt.schema}},
        )

    def _decision(self, error: anthropic.APIStatusError) -> Exception:
        kind = getattr(error, "error_code", None) or error.type
        return errors.answered(self.name, error.status_code, kind, error.response.headers, self._least_wait)

    def _read(self, message: Message) -> ModelAnswer:
        text = storable("".join(block.text for block in message.content if isinstance(block, TextBlock)))
        return ModelAnswer(
            text=text,
            stopped=message.stop_reason or "nothing",
            model=clean(message.model, 100),
            usage=self._usage(getattr(message, "usage", None)),
        )

    def _usage(self, said: object) -> Usage | None:
        """By our price: they tell tokens and no cost. Nothing when what they tell cannot be read."""
        if self._price is None:
            return None
        try:
            usage = UsageSaid.model_validate(said, from_attributes=True)
        except ValidationError:
            return None
        cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
        tokens = usage.input_tokens + cached, usage.output_tokens
        return Usage(*tokens, self._price.cost(*tokens))


def client(*, base_url: str, key: str, timeout_s: float) -> anthropic.AsyncAnthropic:
    """A client that tries once, reads bounded answers, and takes its key from nowhere but here."""
    return anthropic.AsyncAnthropic(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=timeout_s,
        http_client=httpx2.AsyncClient(
            transport=_Bounded(httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=None))),
            timeout=timeout_s,
            follow_redirects=False,
            # Nothing is compressed, so no small body can become a large one.
            headers={"accept-encoding": "identity"},
        ),
    )


class _Bounded(httpx2.AsyncBaseTransport):
    """Answers no longer than LONGEST_ANSWER: the SDK would read whatever comes."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise errors.nonsense(Anthropic.name, "a compressed answer")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > LONGEST_ANSWER:
                raise errors.nonsense(Anthropic.name, "far too much")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
