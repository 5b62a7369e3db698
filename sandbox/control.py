"""The knobs: /sandbox/... and /healthz. Wrong input is a 400 with one sentence."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import ValidationError

from sandbox.faults import Fault

if TYPE_CHECKING:
    from sandbox.server import Sandbox

LONGEST_DELAY = 3600
LONGEST_NUMBER = 12
# Far enough from the ends of the calendar that "90 days ago" still exists.
YEARS = range(1971, 2900)


class BadInputError(Exception):
    """The sentence that says what was wrong and what was expected."""


class Control:
    """Reads and turns the knobs of one sandbox."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self._health),
            web.get("/sandbox/journal", self._journal),
            web.get("/sandbox/faults", self._waiting),
            web.post("/sandbox/faults", self._add_fault),
            web.delete("/sandbox/faults", self._clear_faults),
            web.get("/sandbox/mail", self._all_mail),
            web.get("/sandbox/mail/{n}", self._one_mail),
            web.get("/sandbox/delays", self._get_delays),
            web.put("/sandbox/delays", self._put_delays),
            web.get("/sandbox/clock", self._get_clock),
            web.put("/sandbox/clock", self._put_clock),
        ]

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "providers": self._sandbox.providers})

    async def _journal(self, request: web.Request) -> web.Response:
        provider = request.query.get("provider")
        if provider is not None:
            self._known(provider)
        journal = self._sandbox.journal
        since = _number(request.query.get("since", "0"), "since")
        return web.json_response({"records": journal.records(since, provider), "running": journal.running(provider)})

    async def _waiting(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": [fault.model_dump() for fault in self._sandbox.faults.waiting()]})

    async def _add_fault(self, request: web.Request) -> web.Response:
        document = await json_object(request, '{"provider": "perplexity", "kind": "status", "status": 429}')
        try:
            fault = Fault.model_validate(document)
            self._sandbox.faults.add(fault)
        except ValidationError as error:
            raise BadInputError(sentence(error)) from None
        except ValueError as error:
            raise BadInputError(str(error)) from None
        return web.json_response(fault.model_dump(), status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        return web.json_response({"removed": self._sandbox.faults.clear()})

    async def _all_mail(self, request: web.Request) -> web.Response:
        return web.json_response({"mail": self._sandbox.mailbox.all()})

    async def _one_mail(self, request: web.Request) -> web.Response:
        number = _number(request.match_info["n"], "the mail's number")
        mail = self._sandbox.mailbox.get(number)
        if mail is None:
            return _error(404, f"There is no mail {number}; {len(self._sandbox.mailbox.all())} have been kept.")
        return web.json_response(mail)

    async def _get_delays(self, request: web.Request) -> web.Response:
        return web.json_response(self._sandbox.delays)

    async def _put_delays(self, request: web.Request) -> web.Response:
        document = await json_object(request, '{"perplexity": 3, "anthropic": 10}')
        wanted = {self._known(name): seconds(value, name) for name, value in document.items()}
        self._sandbox.delays.update(wanted)
        return web.json_response(self._sandbox.delays)

    async def _get_clock(self, request: web.Request) -> web.Response:
        return web.json_response({"now": self._sandbox.world.clock.now().isoformat()})

    async def _put_clock(self, request: web.Request) -> web.Response:
        example = '{"now": "2026-11-22T09:00:00Z"}'
        document = await json_object(request, example)
        if set(document) != {"now"}:
            raise BadInputError(f"Send exactly one field, now, for example {example}.")
        self._sandbox.world.clock.set(_moment(document["now"]))
        return await self._get_clock(request)

    def _known(self, provider: str) -> str:
        if provider not in self._sandbox.providers:
            raise BadInputError(f"provider must be one of {', '.join(self._sandbox.providers)}, not {provider!r}.")
        return provider


@web.middleware
async def one_sentence(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Whatever goes wrong outside the brands is said in JSON."""
    try:
        return await handler(request)
    except BadInputError as error:
        return _error(400, str(error))
    except web.HTTPException as error:
        return _error(error.status, f"{error.reason}: {request.method} {request.path}.")


def seconds(value: object, name: str) -> float:
    """A delay that can be kept; not NaN, not for ever."""
    if type(value) in {int, float}:
        number = float(str(value))
        if 0 <= number <= LONGEST_DELAY:
            return number
    raise BadInputError(f"{name} must be a number of seconds from 0 to {LONGEST_DELAY}, not {_shown(value)}.")


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise BadInputError(f"{name} must be a whole number that is not negative, not {_shown(text)}.")
    return int(text)


def _moment(value: object) -> datetime | None:
    try:
        moment = None if value is None else datetime.fromisoformat(str(value))
    except ValueError:
        moment = datetime.max.replace(tzinfo=UTC)
    if moment is not None and moment.year not in YEARS:
        raise BadInputError(f"now must be a time such as 2026-11-22T09:00:00Z, or null, not {_shown(value)}.")
    return moment


async def json_object(request: web.Request, example: str) -> dict[str, Any]:
    try:
        document = json.loads(await request.read())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadInputError(f"The body must be a JSON object, for example {example}.")
    return document


def sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{where}: {said}." if where else f"{said[:1].upper()}{said[1:]}."


def _error(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def _shown(value: object) -> str:
    return f"{value!r:.50}"
