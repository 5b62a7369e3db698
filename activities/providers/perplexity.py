"""Web search by Perplexity's Agent API. Sources are its search results alone; what its model says of them is a hint."""

import json
from datetime import date, timedelta
from typing import Any

import aiohttp
from pydantic import Field, ValidationError
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.plain import clean
from activities.ports import Question, SearchAnswer, Size, Source, Usage
from activities.providers.http import error_kind, parse_object, read_bounded, read_object, tidy, web_address
from schemas.base import Inbound
from schemas.budgets import DOLLAR, Price

# S0-2.12: after a 429, wait at least this.
LEAST_WAIT = timedelta(seconds=60)

MOST_SOURCES = 20
LONGEST_TEXT = 4000
LONGEST_TITLE = 300
MOST_TOKENS = 2000


class ResultSaid(Inbound):
    url: str = ""
    title: str | None = None
    snippet: str | None = None
    date: str | None = None
    last_updated: str | None = None


class CostSaid(Inbound):
    total_cost: float | None = Field(default=None, ge=0, le=1000, allow_inf_nan=False)


class UsageSaid(Inbound):
    input_tokens: int | None = Field(default=None, ge=0, le=10**9)
    output_tokens: int | None = Field(default=None, ge=0, le=10**9)
    cost: CostSaid | None = None


class Perplexity:
    """A WebSearch. One call an ask, no retries of its own."""

    name = "perplexity"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        key: str,
        model: str,
        price: Price | None = None,
        timeout_s: float = 60,
        least_wait: timedelta = LEAST_WAIT,
        sandbox: bool = False,
    ) -> None:
        self._session = session
        self._url = base_url.rstrip("/") + "/v1/responses"
        self._key = key
        self.model = model
        self._price = price
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._least_wait = least_wait
        self.sandbox = sandbox

    def size(self, question: Question) -> Size:
        sent = json.dumps(_request(self.model, question), ensure_ascii=False)
        return Size(len(sent.encode(errors="replace")), MOST_TOKENS)

    async def ask(self, question: Question) -> SearchAnswer:
        """Search the web. No sources is an answer too."""
        body = _request(self.model, question)
        headers = {"authorization": f"Bearer {self._key}"}
        try:
            async with self._session.post(
                self._url, json=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                if response.status != 200:
                    kind = error_kind(await read_bounded(self.name, response))
                    raise errors.answered(self.name, response.status, kind, response.headers, self._least_wait)
                return read(await read_object(self.name, response), self._price)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None


def _request(model: str, question: Question) -> dict[str, Any]:
    """The search is forced: a model that merely may search answers from memory."""
    return {
        "model": model,
        "input": [{"role": "system", "content": question.system}, {"role": "user", "content": question.user}],
        "tools": [{"type": "web_search", "search_context_size": "medium"}],
        "tool_choice": {"type": "web_search"},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": question.name, "schema": question.schema, "strict": True},
        },
        "max_output_tokens": MOST_TOKENS,
    }


def read(answer: dict[str, Any], price: Price | None = None) -> SearchAnswer:
    """Sources and text of an answer that came with 200; `failed` in it is a failure all the same.

    One that was cut short keeps its sources: they are what counts.
    """
    status = answer.get("status")
    if status not in ("completed", "incomplete"):
        kind = answer["error"].get("type") if isinstance(answer.get("error"), dict) else None
        raise errors.failed_itself(Perplexity.name, kind)
    output = [item for item in _list(answer.get("output")) if isinstance(item, dict)]
    model = answer.get("model")
    return SearchAnswer(
        sources=tuple(_sources(output)),
        said=_said(output),
        model=clean(model, 100) if isinstance(model, str) else "",
        usage=_usage(answer.get("usage"), price),
    )


def _sources(output: list[dict[str, Any]]) -> list[Source]:
    """Each page once. A result without an address of the web, or without words, is no source."""
    sources: dict[str, Source] = {}
    for item in output:
        if item.get("type") == "search_results":
            for result in _list(item.get("results")):
                if (source := _source(result)) is not None:
                    sources.setdefault(source.url, source)
    return list(sources.values())[:MOST_SOURCES]


def _source(result: object) -> Source | None:
    try:
        said = ResultSaid.model_validate(result)
    except ValidationError:
        return None
    url, text = web_address(said.url), clean(said.snippet or "", LONGEST_TEXT)
    if url is None or not text:
        return None
    return Source(url=url, title=clean(said.title or "", LONGEST_TITLE), text=text, published=_date(said))


def _date(said: ResultSaid) -> date | None:
    for text in (said.date, said.last_updated):
        try:
            return date.fromisoformat((text or "")[:10])
        except ValueError:
            continue
    return None


def _said(output: list[dict[str, Any]]) -> dict[str, Any]:
    """The JSON that the model wrote, or nothing when it wrote something else."""
    parts = [
        part.get("text", "")
        for item in output
        if item.get("type") == "message"
        for part in _list(item.get("content"))
        if isinstance(part, dict) and part.get("type") == "output_text"
    ]
    text = "".join(part for part in parts if isinstance(part, str))
    try:
        said: dict[str, Any] = tidy(parse_object(Perplexity.name, text.encode(errors="replace")))
    except (ApplicationError, RecursionError):
        return {}
    return said


def _usage(said: object, price: Price | None) -> Usage | None:
    """The cost that they tell, or what their tokens cost by our price; nothing when neither can be read."""
    try:
        usage = UsageSaid.model_validate(said)
    except ValidationError:
        return None
    tokens = usage.input_tokens or 0, usage.output_tokens or 0
    if usage.cost is not None and usage.cost.total_cost is not None:
        return Usage(*tokens, round(usage.cost.total_cost * DOLLAR))
    if usage.input_tokens is None or usage.output_tokens is None or price is None:
        return None
    return Usage(*tokens, price.cost(*tokens))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
