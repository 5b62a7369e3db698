"""Perplexity's Agent API: POST /v1/responses (and /v1/agent), GET /v1/models.

As strict as the real one: a field it does not know is a 400 that names it.
"""

import hashlib
import json
from datetime import UTC, datetime, time
from typing import Any

from sandbox import hostile
from sandbox.brand import SERVER_ERROR, Answer, Call, RefusedError, tokens
from sandbox.perplexity_request import MODELS, Format, Request, parsed, subject_of
from sandbox.schema import fitted, sample
from sandbox.world import AboutCompany, AboutPerson, Finding, Page, World

RETIRED = {"/chat/completions", "/v1/chat/completions", "/v1/sonar"}
TYPES = {
    400: "invalid_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    413: "payload_too_large",
    424: "external_connector_error",
    429: "request_rate_limit_exceeded",
    502: "bad_gateway",
    504: "gateway_timeout",
}
# US dollars: for a token in, for a token out, for one search.
PRICE_IN, PRICE_OUT, PRICE_SEARCH = 0.25e-6, 2.5e-6, 0.005
FIRST_SEARCH = 4
UNPROCESSABLE = 422


class Perplexity:
    name = "perplexity"
    tricks = frozenset({"lies", "no_results", "failed", "incomplete", "invalid_json", "no_usage", *hostile.SEARCH})

    def __init__(self, world: World) -> None:
        self._world = world

    def about(self, call: Call) -> str | None:
        try:
            return subject_of(parsed(call)).label
        except RefusedError:
            return None

    def error(self, status: int, message: str | None = None, param: str | None = None) -> Answer:
        if status == UNPROCESSABLE:
            return Answer.of(
                {"detail": [{"loc": ["body"], "msg": message or "Unprocessable", "type": "value_error"}]}, 422
            )
        kind = TYPES.get(status, "internal_error" if status >= SERVER_ERROR else "invalid_request")
        said: dict[str, Any] = {"message": message or kind.replace("_", " ").capitalize(), "type": kind, "code": status}
        return Answer.of({"error": said | ({"param": param} if param else {})}, status)

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            return self._answer(call, trick)
        except RefusedError as refused:
            return self.error(refused.status, refused.message, refused.param)

    def _answer(self, call: Call, trick: str | None) -> Answer:
        if (call.method, call.path) == ("GET", "/v1/models"):
            return Answer.of({"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]})
        if not call.bearer():
            raise RefusedError(401, "Missing or invalid API key.")
        if call.path in RETIRED:
            return _retired()
        if call.path not in {"/v1/responses", "/v1/agent"}:
            raise RefusedError(404, f"No such endpoint: {call.path}")
        if call.method != "POST":
            raise RefusedError(405, f"{call.method} is not allowed here.")
        return Answer.of(self._response(call, parsed(call), trick))

    def _response(self, call: Call, request: Request, trick: str | None) -> dict[str, Any]:
        subject = subject_of(request)
        finding = _about_somebody_else() if trick == "lies" else self._world.find(subject)
        text = "I found the following: {" if trick == "invalid_json" else _text(finding, request.response_format)
        room = len(text) // 8 if trick == "incomplete" else request.max_output_tokens or tokens(text)
        searched = bool(request.tools) and request.tool_choice != "none"
        output = [] if trick == "no_results" or not searched else _searches(subject, finding)
        envelope = self._envelope(call, request, output, text[: room * 4 + 3], searched)
        if trick in hostile.SEARCH:
            for item in output:
                item["results"] = hostile.SEARCH[trick](item["results"])
        return envelope | _ending(trick, cut=tokens(text) > room)

    def _envelope(self, call: Call, request: Request, output: list[Any], text: str, searched: bool) -> dict[str, Any]:
        mark = hashlib.sha256(call.body).hexdigest()[:24]
        content = [{"type": "output_text", "text": text, "annotations": []}]
        message = {
            "type": "message",
            "id": f"msg_{mark}",
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
        return {
            "id": f"resp_{mark}",
            "object": "response",
            # Midnight, so that the same question gets the same bytes all day.
            "created_at": int(datetime.combine(self._world.clock.today(), time(), UTC).timestamp()),
            "model": request.model,
            "status": "completed",
            "output": [*output, message],
            "usage": _usage(request.text(), text, len(output) or int(searched)),
            "error": None,
        }


def _retired() -> Answer:
    message = "Sonar is now the Agent API. Use /v1/responses instead of /v1/sonar."
    return Answer.of({"error": {"message": message, "type": "chat_completions_not_available", "code": 403}}, 403)


def _text(finding: Finding, wanted: Format | None) -> str:
    if wanted is None:
        return str(finding.answer["summary"])
    schema = wanted.json_schema.schema_
    known = wanted.json_schema.name in {"person", "company"}
    return json.dumps(fitted(finding.answer, schema) if known else sample(schema), ensure_ascii=False)


def _searches(subject: AboutPerson | AboutCompany, finding: Finding) -> list[dict[str, Any]]:
    """One search, or two when the first did not show everything."""
    words = subject.label.partition(":")[2].replace("@", " ")
    first, second = finding.pages[:FIRST_SEARCH], finding.pages[FIRST_SEARCH:]
    items = [_search(words, first, 1)]
    return [*items, _search(f"{words} recent news", second, FIRST_SEARCH + 1)] if second else items


def _search(query: str, pages: tuple[Page, ...], start: int) -> dict[str, Any]:
    return {
        "type": "search_results",
        "queries": [query],
        "results": [
            {"id": number, **vars(page), "last_updated": page.date, "source": "web"}
            for number, page in enumerate(pages, start)
        ],
    }


def _usage(asked: str, text: str, searches: int) -> dict[str, Any]:
    cost_in, cost_out, cost_tools = tokens(asked) * PRICE_IN, tokens(text) * PRICE_OUT, searches * PRICE_SEARCH
    return {
        "input_tokens": tokens(asked),
        "output_tokens": tokens(text),
        "total_tokens": tokens(asked) + tokens(text),
        "cost": {
            "currency": "USD",
            "input_cost": round(cost_in, 8),
            "output_cost": round(cost_out, 8),
            "tool_calls_cost": round(cost_tools, 8),
            "total_cost": round(cost_in + cost_out + cost_tools, 8),
        },
        "tool_calls_details": {"search_web": {"invocation": searches}} if searches else {},
    }


def _ending(trick: str | None, *, cut: bool) -> dict[str, Any]:
    """How the response says that it ended, where that is not the usual way."""
    if trick == "failed":
        error = {"message": "The search backend did not answer.", "type": "upstream_error", "code": 500}
        return {"status": "failed", "output": [], "error": error}
    if trick == "no_usage":
        return {"usage": None}
    return {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}} if cut else {}


def _about_somebody_else() -> Finding:
    """Fits the schema and is about nobody who was asked for."""
    liar = {"name": "Victor Fraud", "job_title": "Treasurer", "employer": "Unrelated Holdings", "location": "Elsewhere"}
    story = "Victor Fraud, treasurer of Unrelated Holdings, won a regatta and denied everything in an interview."
    pages = tuple(Page(f"https://unrelated.example/{n}", "Victor Fraud again", story, "2019-01-01") for n in (1, 2))
    company = {"name": "Unrelated Holdings", "industry": "Regattas", "size": "9", "funding": "9 trillion dollars"}
    return Finding({"found": True, "people": [liar], **company, "summary": story}, pages)
