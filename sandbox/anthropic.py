"""Anthropic's Messages API: POST /v1/messages, answered by `writer`. No streaming yet."""

import hashlib
import json
import re
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox import announcer, hostile, listener, writer
from sandbox.brand import SERVER_ERROR, Answer, Call, RefusedError, tokens
from sandbox.material import Material
from sandbox.schema import fitted, sample, unsupported
from sandbox.world import World

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# How an answer ends, and what is in it, when no brief is.
TOLD: dict[str, dict[str, Any]] = {
    "no_usage": {"usage": None},
    "refusal": {
        "content": [],
        "stop_reason": "refusal",
        "stop_details": {
            "type": "refusal",
            "category": "general_harms",
            "explanation": "The sandbox was told to refuse.",
        },
    },
    "tool_call": {
        "content": [
            {"type": "tool_use", "id": "toolu_owned", "name": "fetch", "input": {"url": "http://owned.example"}}
        ],
        "stop_reason": "tool_use",
    },
}
GONE = ("temperature", "top_p", "top_k")
MINUTE = timedelta(minutes=1)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Turn(Strict):
    role: Literal["user", "assistant"]
    content: str | list[dict[str, Any]]

    def text(self) -> str:
        return _joined(self.content)


class Format(Strict):
    type: Literal["json_schema"]
    schema_: dict[str, Any] = Field(alias="schema")


class OutputConfig(Strict):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Format | None = None


class Request(Strict):
    """The fields that `messages.create` can send; those we do not pretend are accepted and have no effect."""

    model: str
    max_tokens: int = Field(ge=1)
    messages: list[Turn] = Field(min_length=1)
    system: str | list[dict[str, Any]] = ""
    output_config: OutputConfig | None = None
    stream: bool = False
    metadata: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    cache_control: dict[str, Any] | None = None
    stop_sequences: list[str] = []
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None

    @property
    def schema_wanted(self) -> dict[str, Any] | None:
        wanted = self.output_config.format if self.output_config else None
        return wanted.schema_ if wanted else None

    def text(self) -> str:
        return "\n".join(turn.text() for turn in self.messages if turn.role == "user")


class Anthropic:
    name = "anthropic"
    tricks = frozenset({"lies", "refusal", "max_tokens", "invalid_json", "tool_call", "no_usage", *hostile.MODEL})

    def __init__(self, world: World) -> None:
        self._world = world

    def about(self, call: Call) -> str | None:
        try:
            text = _request(call).text()
            material, transcript = _material(text), announcer.digest(text) or listener.transcript(text)
        except RefusedError:
            return None
        if transcript is not None:
            return transcript.label
        return f"brief:{','.join(company.domain for company in material.companies)}" if material else None

    def error(self, status: int, message: str | None = None) -> Answer:
        return self._error(status, message, b"")

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            message = self._message(call, trick)
        except RefusedError as refused:
            return self._error(refused.status, refused.message, call.body)
        return Answer.of(message).having(request_id=_mark("req", call.body), **self._limits())

    def _error(self, status: int, message: str | None, body: bytes) -> Answer:
        kind = TYPES.get(status, "api_error" if status >= SERVER_ERROR else "invalid_request_error")
        said = {"type": kind, "message": message or kind.replace("_", " ").capitalize()}
        mark = _mark("req", body)
        envelope = {"type": "error", "error": said, "request_id": mark}
        return Answer.of(envelope, status).having(request_id=mark, **self._limits())

    def _limits(self) -> dict[str, str]:
        """A budget that never shrinks: real limits are played by faults."""
        reset = (self._world.clock.now().replace(second=0, microsecond=0) + MINUTE).isoformat().replace("+00:00", "Z")
        kinds = {"requests": "4000", "tokens": "2400000", "input_tokens": "2000000", "output_tokens": "400000"}
        values = {"limit": None, "remaining": None, "reset": reset}
        return {
            f"anthropic_ratelimit_{kind}_{name}": value or budget
            for kind, budget in kinds.items()
            for name, value in values.items()
        }

    def _message(self, call: Call, trick: str | None) -> dict[str, Any]:
        _admit(call)
        request = _request(call)
        text = "Here is the brief: {" if trick == "invalid_json" else _written(request, trick)
        room = len(text) // 8 if trick == "max_tokens" else len(text) if trick in hostile.MODEL else request.max_tokens
        cut, text = tokens(text) > room, text[: room * 4 + 3]
        message = _envelope(call, request, text) | ({"stop_reason": "max_tokens"} if cut else {})
        return message | TOLD.get(trick or "", {})


def _admit(call: Call) -> None:
    if call.path != "/v1/messages":
        raise RefusedError(404, f"Not found: {call.path}")
    if call.method != "POST":
        raise RefusedError(405, f"Method not allowed: {call.method}")
    if not (call.bearer() or call.headers.get("x-api-key", "").strip()):
        raise RefusedError(401, "authentication required: send authorization: Bearer or x-api-key")
    if not call.headers.get("anthropic-version"):
        raise RefusedError(400, "anthropic-version: header is required")


def _request(call: Call) -> Request:
    document = call.document()
    for field in GONE:
        if isinstance(document, dict) and field in document:
            raise RefusedError(400, f"{field}: this parameter is no longer accepted, at any value")
    try:
        request = Request.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return _served(request)


def _served(request: Request) -> Request:
    if request.stream:
        raise RefusedError(400, "stream: the sandbox does not stream; send stream: false")
    if not request.model.startswith("claude-"):
        raise RefusedError(404, f"model: {request.model}")
    if request.messages[-1].role == "assistant":
        raise RefusedError(400, "messages: this model does not support prefilling the assistant's answer")
    if problem := unsupported(request.schema_wanted):
        raise RefusedError(400, f"output_config.format.schema: {problem}")
    return request


def _written(request: Request, trick: str | None) -> str:
    material, schema = _material(request.text()), request.schema_wanted
    if (call := listener.transcript(request.text())) is not None:
        return listener.written(call, schema, trick)
    if (digest := announcer.digest(request.text())) is not None:
        return announcer.written(digest, schema, trick)
    if material is None:
        return (
            json.dumps(sample(schema), ensure_ascii=False) if schema else "This is a sandbox; it has read your message."
        )
    brief = writer.lying(material) if trick == "lies" else writer.brief(material)
    brief = fitted(brief, schema) if schema else brief
    return hostile.MODEL[trick](material, brief) if trick in hostile.MODEL else json.dumps(brief, ensure_ascii=False)


def _material(text: str) -> Material | None:
    blocks = re.findall(r"<material>(.*?)</material>", text, re.DOTALL)
    if not blocks:
        return None
    if len(blocks) > 1:
        raise RefusedError(400, f"messages: the sandbox reads one <material> block, not {len(blocks)}")
    try:
        return Material.model_validate_json(blocks[0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(400, f"messages: the sandbox cannot read <material>: {where} {first['msg']}") from None


def _envelope(call: Call, request: Request, text: str) -> dict[str, Any]:
    return {
        "id": _mark("msg", call.body),
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": tokens(_joined(request.system) + request.text()),
            "output_tokens": tokens(text),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _joined(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "\n".join(str(block.get("text", "")) for block in content)


def _mark(kind: str, body: bytes) -> str:
    return f"{kind}_{hashlib.sha256(body).hexdigest()[:24]}"
