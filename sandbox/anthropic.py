"""Anthropic's Messages API: POST /v1/messages, answered by `writer`, and by `skilled` when a skill is carried out.

With `stream` the same answer goes out in events, as `streaming` cuts it.
"""

import hashlib
import json
import re
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from sandbox import announcer, hostile, listener, reviewer, skilled, streaming, writer
from sandbox.anthropic_request import Request, joined, read
from sandbox.brand import SERVER_ERROR, Answer, Call, RefusedError, tokens
from sandbox.material import Material
from sandbox.schema import fitted, sample
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
MINUTE = timedelta(minutes=1)


class Anthropic:
    name = "anthropic"
    tricks = frozenset(
        {"lies", "refusal", "max_tokens", "invalid_json", "tool_call", "no_usage", "undeclared_tool", "foreign_brief"}
        | {"obedient"}
        | streaming.TRICKS
        | hostile.MODEL.keys()
    )

    def __init__(self, world: World) -> None:
        self._world = world

    def about(self, call: Call) -> str | None:
        try:
            request = read(call)
            if (talk := request.talk()) is not None:
                return talk.label
            text = request.text()
            material = _material(text)
            transcript = announcer.digest(text) or listener.transcript(text) or reviewer.task(text)
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
        known = {"request_id": _mark("req", call.body), **self._limits()}
        if read(call).stream:
            return Answer(200, streaming.body(message, trick), streaming.HEADERS).having(**known)
        return Answer.of(message).having(**known)

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
        request = read(call)
        if (talk := request.talk()) is not None and (tool := skilled.asks(talk, trick)) is not None:
            return _calling(call, request, *tool)
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


def _written(request: Request, trick: str | None) -> str:
    if (talk := request.talk()) is not None:
        return skilled.written(talk)
    material, schema = _material(request.text()), request.schema_wanted
    if (call := listener.transcript(request.text())) is not None:
        return listener.written(call, schema, trick)
    if (digest := announcer.digest(request.text())) is not None:
        return announcer.written(digest, schema, trick)
    if (task := reviewer.task(request.text())) is not None:
        return reviewer.written(task, schema, trick)
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
            "input_tokens": tokens(joined(request.system) + request.text()),
            "output_tokens": tokens(text),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _calling(call: Call, request: Request, name: str, given: dict[str, str]) -> dict[str, Any]:
    """An answer that asks for a tool, with a word before it."""
    message = _envelope(call, request, "Let me look at what there is.")
    tool = {"type": "tool_use", "id": _mark("toolu", call.body), "name": name, "input": given}
    return message | {"content": [*message["content"], tool], "stop_reason": "tool_use"}


def _mark(kind: str, body: bytes) -> str:
    return f"{kind}_{hashlib.sha256(body).hexdigest()[:24]}"
