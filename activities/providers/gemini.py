"""Gemini, by its REST API. It gets data and a schema, and no tools."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from pydantic import Field, ValidationError
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.plain import clean
from activities.ports import ModelAnswer, Prompt, Size, Usage
from activities.providers.http import parse_object, read_bounded, read_object, storable
from schemas.base import Inbound
from schemas.budgets import Price

# After a 429, when they do not say for how long.
USUAL_WAIT = timedelta(seconds=30)

# The one good reason to stop; any other is told as they call it.
GOOD = "STOP"


class UsageSaid(Inbound):
    """What the model thought is not in what it wrote, and is paid for as if it were."""

    prompt: int = Field(alias="promptTokenCount", ge=0, le=10**9)
    written: int | None = Field(default=None, alias="candidatesTokenCount", ge=0, le=10**9)
    thought: int | None = Field(default=None, alias="thoughtsTokenCount", ge=0, le=10**9)


class Gemini:
    """A LanguageModel. One call a prompt, no retries of its own."""

    name = "gemini"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        key: str,
        model: str,
        price: Price | None = None,
        most_tokens: int = 16_000,
        timeout_s: float = 120,
        sandbox: bool = False,
    ) -> None:
        self._session = session
        self._url = f"{base_url.rstrip('/')}/v1/models/{model}:generateContent"
        self._key = key
        self.model = model
        self._price = price
        self.most_tokens = most_tokens
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.sandbox = sandbox

    def size(self, prompt: Prompt) -> Size:
        sent = json.dumps(self._request(prompt), ensure_ascii=False)
        return Size(len(sent.encode(errors="replace")), self.most_tokens)

    async def write(self, prompt: Prompt) -> ModelAnswer:
        """Whatever the model wrote, and why it stopped: judging it is not this module's."""
        try:
            async with self._session.post(
                self._url,
                json=self._request(prompt),
                headers={"x-goog-api-key": self._key},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    said = await read_bounded(self.name, response)
                    raise refused(response.status, said, response.headers)
                return read(await read_object(self.name, response), self._price)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.unreachable(self.name, error) from None

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        """Their own dialect of schemas knows no references; `responseJsonSchema` takes ours as they are."""
        return {
            "systemInstruction": {"role": "user", "parts": [{"text": prompt.system}]},
            "contents": [{"role": "user", "parts": [{"text": prompt.material}]}],
            "generationConfig": {
                "maxOutputTokens": self.most_tokens,
                "responseMimeType": "application/json",
                "responseJsonSchema": prompt.schema,
            },
        }


def read(answer: dict[str, Any], price: Price | None = None) -> ModelAnswer:
    """An answer that came with 200. A prompt that they block is answered too: by nobody, for a reason."""
    model = answer.get("modelVersion")
    text, stopped = _blocked(answer) or _written(answer)
    return ModelAnswer(
        text=storable(text),
        stopped=stopped,
        model=clean(model, 100) if isinstance(model, str) else "",
        usage=_usage(answer.get("usageMetadata"), price),
    )


def _blocked(answer: dict[str, Any]) -> tuple[str, str] | None:
    return None if answer.get("candidates") or not _dict(answer.get("promptFeedback")) else ("", "blocked")


def _written(answer: dict[str, Any]) -> tuple[str, str]:
    candidate = next(iter(_dicts(answer.get("candidates"))), None)
    if candidate is None:
        raise errors.nonsense(Gemini.name, "an answer without a candidate")
    parts = _dicts(_dict(candidate.get("content")).get("parts"))
    texts = (part.get("text") for part in parts if part.get("thought") is not True)
    reason = candidate.get("finishReason")
    why = "end_turn" if reason == GOOD else str(reason).lower() if errors.is_word(reason) else "nothing"
    return "".join(text for text in texts if isinstance(text, str)), why


def _usage(said: object, price: Price | None) -> Usage | None:
    """By our price: they tell tokens and no cost. Nothing when what they tell cannot be read."""
    if price is None:
        return None
    try:
        usage = UsageSaid.model_validate(said)
    except ValidationError:
        return None
    tokens = usage.prompt, (usage.written or 0) + (usage.thought or 0)
    return Usage(*tokens, price.cost(*tokens))


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> Exception:
    """The retry decision for an answer that is not a good one. How long to wait they say in the body."""
    said = _error(body)
    details = _dicts(said.get("details"))
    reason = next(filter(errors.is_word, (*(one.get("reason") for one in details), said.get("status"))), None)
    wait = errors.LONGEST_WAIT if _by_the_day(details) or reason in errors.SPENT else _wait(details)
    return errors.answered(Gemini.name, status, reason, headers, wait or USUAL_WAIT)


def _error(body: bytes) -> dict[str, Any]:
    try:
        return _dict(parse_object(Gemini.name, body).get("error"))
    except ApplicationError:
        return {}


def _by_the_day(details: list[dict[str, Any]]) -> bool:
    """A quota of a day is not there again in the seconds that they name beside it."""
    violations = [one for detail in details for one in _dicts(detail.get("violations"))]
    return any("PerDay" in str(one.get("quotaId")) for one in violations)


def _wait(details: list[dict[str, Any]]) -> timedelta:
    delays = (detail.get("retryDelay") for detail in details)
    return max((_seconds(delay) for delay in delays if isinstance(delay, str)), default=timedelta())


def _seconds(delay: str) -> timedelta:
    return errors.asked_to_wait(delay.strip().removesuffix("s"))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
