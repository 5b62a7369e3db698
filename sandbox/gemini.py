"""Gemini's API: POST /v1/models/{model}:generateContent, answered by `listener`. No streaming.

As strict as the real one: a field it does not know is a 400 that names it.
"""

import hashlib
import json
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox import listener
from sandbox.brand import SERVER_ERROR, Answer, Call, RefusedError, tokens
from sandbox.schema import sample

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
TYPE = "type.googleapis.com/google.rpc"
# How long to wait, as they say it: for what is counted by the minute, and for what is counted by the day.
LIMITED = {
    "rate_limited": ("1s", "GenerateRequestsPerMinutePerProjectPerModel"),
    "daily_quota": ("17s", "GenerateRequestsPerDayPerProjectPerModel"),
}
PATH = re.compile(r"/v1(?:beta)?/models/(?P<model>gemini-[\w.-]+):generateContent")
JSON_TYPE = "application/json"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Piece(Strict):
    text: str


class Content(Strict):
    role: Literal["user", "model"] | None = None
    parts: list[Piece] = Field(min_length=1)

    def said(self) -> str:
        return "\n".join(part.text for part in self.parts)


class GenerationConfig(Strict):
    """The fields that we pretend, and those that are accepted and have no effect."""

    maxOutputTokens: int | None = Field(default=None, ge=1, le=65_536)  # noqa: N815
    responseMimeType: Literal["text/plain", "application/json"] = "text/plain"  # noqa: N815
    responseSchema: dict[str, Any] | None = None  # noqa: N815
    responseJsonSchema: dict[str, Any] | None = None  # noqa: N815
    temperature: float | None = Field(default=None, ge=0, le=2)
    topP: float | None = None  # noqa: N815
    topK: int | None = None  # noqa: N815
    seed: int | None = None
    thinkingConfig: dict[str, Any] | None = None  # noqa: N815


class Request(Strict):
    contents: list[Content] = Field(min_length=1)
    systemInstruction: Content | None = None  # noqa: N815
    generationConfig: GenerationConfig = GenerationConfig()  # noqa: N815
    safetySettings: list[dict[str, Any]] = []  # noqa: N815

    def text(self) -> str:
        return "\n".join(content.said() for content in self.contents if content.role != "model")

    def asked(self) -> str:
        return (self.systemInstruction.said() if self.systemInstruction else "") + self.text()

    @property
    def schema_wanted(self) -> dict[str, Any] | None:
        return self.generationConfig.responseJsonSchema or _plain(self.generationConfig.responseSchema)


class Gemini:
    name = "gemini"
    tricks = frozenset(
        {"lies", "blocked", "safety", "max_tokens", "truncated_json", "schema_invalid", "invalid_json", "no_usage"}
        | LIMITED.keys()
    )

    def about(self, call: Call) -> str | None:
        try:
            transcript = listener.transcript(_request(call).text())
        except RefusedError:
            return None
        return transcript.label if transcript else None

    def error(self, status: int, message: str | None = None, details: list[dict[str, Any]] | None = None) -> Answer:
        kind = STATUSES.get(status, "INTERNAL" if status >= SERVER_ERROR else "FAILED_PRECONDITION")
        said = {"code": status, "message": message or kind.replace("_", " ").capitalize(), "status": kind}
        return Answer.of({"error": said | ({"details": details} if details else {})}, status)

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            model = _admit(call)
            request = _request(call)
            if trick in LIMITED:
                return self._limited(*LIMITED[trick])
            return Answer.of(_response(call, request, model, trick))
        except RefusedError as refused:
            details = [{"@type": f"{TYPE}.BadRequest", "fieldViolations": [{"field": refused.param}]}]
            return self.error(refused.status, refused.message, details if refused.param else None)

    def _limited(self, delay: str, quota: str) -> Answer:
        details: list[dict[str, Any]] = [
            {"@type": f"{TYPE}.QuotaFailure", "violations": [{"quotaId": quota}]},
            {"@type": f"{TYPE}.RetryInfo", "retryDelay": delay},
        ]
        return self.error(429, "You exceeded your current quota.", details)


def _admit(call: Call) -> str:
    """The model, for whoever may ask it."""
    place = PATH.fullmatch(call.path)
    if place is None:
        raise RefusedError(404, f"Not found: {call.path}")
    if call.method != "POST":
        raise RefusedError(404, f"Not found: {call.method} {call.path}")
    if not call.headers.get("x-goog-api-key", "").startswith("sandbox"):
        raise RefusedError(403, "Method doesn't allow unregistered callers: send a key of the sandbox.")
    return place["model"]


def _request(call: Call) -> Request:
    try:
        request = Request.model_validate(call.document())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise RefusedError(400, f"Invalid value at '{field}': {first['msg']}", field) from None
    config = request.generationConfig
    if request.schema_wanted is not None and config.responseMimeType != JSON_TYPE:
        field = "generationConfig.responseMimeType"
        raise RefusedError(400, f"Invalid value at '{field}': a schema needs {JSON_TYPE}", field)
    if config.responseSchema is not None and config.responseJsonSchema is not None:
        field = "generationConfig.responseSchema"
        raise RefusedError(400, f"Invalid value at '{field}': only one of two schemas can be set", field)
    return request


def _plain(schema: Any) -> Any:
    """Their own dialect as JSON Schema: types are in small letters there."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: inner.lower() if name == "type" and isinstance(inner, str) else _plain(inner)
        for name, inner in schema.items()
    }


def _response(call: Call, request: Request, model: str, trick: str | None) -> dict[str, Any]:
    envelope = {"modelVersion": model, "responseId": hashlib.sha256(call.body).hexdigest()[:22]}
    asked = tokens(request.asked())
    if trick == "blocked":
        usage = {"promptTokenCount": asked, "totalTokenCount": asked}
        return {
            "candidates": [],
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": usage,
            **envelope,
        }
    text, reason = _ended(_written(request, trick), request, trick)
    thought = tokens(text) // 10
    usage = {
        "promptTokenCount": asked,
        "candidatesTokenCount": tokens(text),
        "thoughtsTokenCount": thought,
        "totalTokenCount": asked + tokens(text) + thought,
    }
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": reason, "index": 0}
    if trick == "safety":
        candidate = {"finishReason": "SAFETY", "index": 0}
    return {"candidates": [candidate], **({} if trick == "no_usage" else {"usageMetadata": usage}), **envelope}


def _ended(text: str, request: Request, trick: str | None) -> tuple[str, str]:
    """The text as far as there is room for it, and why it ends there."""
    if trick == "truncated_json":
        return text[: len(text) // 2], "STOP"
    room = request.generationConfig.maxOutputTokens or tokens(text)
    room = tokens(text) // 8 if trick == "max_tokens" else room
    return (text[: room * 4], "MAX_TOKENS") if tokens(text) > room else (text, "STOP")


def _written(request: Request, trick: str | None) -> str:
    call, schema = listener.transcript(request.text()), request.schema_wanted
    if trick == "invalid_json":
        return "Here is what I heard: {"
    if trick == "schema_invalid":
        return json.dumps({"roles": "many", "next_steps": [{"text": 1, "turn": "first"}]})
    if call is None:
        return json.dumps(sample(schema), ensure_ascii=False) if schema else "This is a sandbox; it has read this."
    return listener.written(call, schema, trick)
