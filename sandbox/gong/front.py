"""Gong's API: GET /v2/calls, POST /v2/calls/extensive, POST /v2/calls/transcript. What finds nothing is a 404."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from sandbox.brand import Answer, Call, RefusedError
from sandbox.gong import orders
from sandbox.gong.memory import ACCESS_KEY, ACCESS_SECRET, Memory
from sandbox.gong.orders import Asked, AskedMore
from sandbox.gong.recording import Recording
from sandbox.google.sealed import opened, sealed

SECRET = "a cursor says something to us alone"
LIST, EXTENSIVE, TRANSCRIPT = "/v2/calls", "/v2/calls/extensive", "/v2/calls/transcript"
METHODS = {LIST: "GET", EXTENSIVE: "POST", TRANSCRIPT: "POST"}
NOTHING = "No calls found corresponding to the provided filters"


class Gong:
    name = "gong"
    # A page that leads to itself; parties that nobody knows; times and ids of other kinds.
    tricks = frozenset({"endless", "no_parties", "nonsense"})

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def about(self, call: Call) -> str | None:
        """What is asked, and of which call when it is one."""
        label = {LIST: "list", EXTENSIVE: "extensive", TRANSCRIPT: "transcript"}.get(call.path)
        try:
            only = orders.parsed(call, AskedMore).filter.callIds if label not in {None, "list"} else None
        except RefusedError:
            return label
        return f"{label}:{only[0]}" if only and len(only) == 1 else label

    def error(self, status: int, message: str | None = None) -> Answer:
        said = message or {401: "Unauthorized", 404: NOTHING, 429: "API rate limit exceeded"}.get(status, "Failed")
        return Answer.of({"requestId": "4al018gzaztcr8nbukw", "errors": [said]}, status)

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            return Answer.of({"requestId": hashlib.sha256(call.body).hexdigest()[:19], **self._answer(call, trick)})
        except RefusedError as refused:
            return self.error(refused.status, refused.message)

    def _answer(self, call: Call, trick: str | None) -> dict[str, Any]:
        _let_in(call)
        method = METHODS.get(call.path)
        if method is None:
            raise RefusedError(404, "No such resource.")
        if call.method != method:
            raise RefusedError(405, f"{call.method} is not allowed here.")
        if call.path == LIST:
            return self._page(orders.listing(call), "calls", lambda one: one.meta_data(), trick)
        if call.path == EXTENSIVE:
            asked = orders.parsed(call, AskedMore)
            assert isinstance(asked, AskedMore)
            parties = asked.contentSelector.exposedFields.parties and trick != "no_parties"
            return self._page(asked, "calls", lambda one: _extensive(one, parties=parties), trick)
        ready = self._memory.clock.now()
        return self._page(
            orders.parsed(call, Asked),
            "callTranscripts",
            Recording.transcript,
            trick,
            lambda one: one.ready_at <= ready,
        )

    def _page(
        self,
        asked: Asked,
        name: str,
        show: Callable[[Recording], dict[str, Any]],
        trick: str | None,
        there: Callable[[Recording], bool] = lambda _: True,
    ) -> dict[str, Any]:
        found = [
            one for one in self._memory.recordings.values() if asked.filter.fits(one.id, one.started) and there(one)
        ]
        found.sort(key=lambda one: (one.started, one.id))
        number, size = _place(asked), self._memory.page_size
        shown, more = found[number * size : (number + 1) * size], len(found) > (number + 1) * size
        if not shown:
            raise RefusedError(404, NOTHING)
        records: dict[str, Any] = {
            "totalRecords": len(found),
            "currentPageSize": len(shown),
            "currentPageNumber": number,
        }
        if more or trick == "endless":
            records["cursor"] = _cursor(asked, 0 if trick == "endless" else number + 1)
        if trick == "nonsense":
            return {"records": records, name: [_spoilt(show(one)) for one in shown]}
        return {"records": records, name: [show(one) for one in shown]}


def _extensive(recording: Recording, *, parties: bool) -> dict[str, Any]:
    return {"metaData": recording.meta_data()} | ({"parties": recording.parties()} if parties else {})


def _let_in(call: Call) -> None:
    scheme, _, said = call.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(said, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    if not hmac.compare_digest(given, f"{ACCESS_KEY}:{ACCESS_SECRET}".encode()):
        raise RefusedError(401, "Invalid credentials")


def _cursor(asked: Asked, number: int) -> str:
    return sealed(SECRET, {"page": number, "of": asked.filter.model_dump_json()})


def _place(asked: Asked) -> int:
    """The page that a cursor leads to. It goes with the request that it came from."""
    if asked.cursor is None:
        return 0
    place = opened(SECRET, asked.cursor)
    if place is None or place["of"] != asked.filter.model_dump_json():
        raise RefusedError(400, "cursor: invalid, or of another request")
    return int(place["page"])


def _spoilt(shown: Any) -> Any:
    """The same with every text a number and every number a text."""
    match shown:
        case dict():
            return {key: _spoilt(value) for key, value in shown.items()}
        case list():
            return [*map(_spoilt, shown), None, 7]
        case str():
            return -len(shown)
        case int() | float():
            return "many"
    return shown
