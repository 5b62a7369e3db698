"""What stands around every page: time is bounded, failures become a sentence, and what is logged names no one.

request ─▶ Guard.around ─▶ page ─▶ signed_off ─▶ answer
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from traceback import extract_tb

import structlog
from aiohttp import web
from temporalio.exceptions import ApplicationError

from starter.web.answers import HEADERS, plain
from starter.web.metrics import Metrics

log = structlog.get_logger("web")

# As long as a person waits. A store waits longer for an absent Postgres; a page says so instead.
LONGEST_S = 8.0
SOON = {"Retry-After": "30"}
QUIET = {"/healthz", "/readyz", "/metrics"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Around every page of the app."""

    def __init__(self, metrics: Metrics, web_url: str) -> None:
        self._metrics = metrics
        secure = {"Strict-Transport-Security": "max-age=31536000"} if web_url.startswith("https:") else {}
        self._headers: Mapping[str, str] = {**HEADERS, **secure}

    @web.middleware
    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Logs say the route, not the address: the address holds the token."""
        began = time.perf_counter()
        response = await answered(request, handler)
        took, route = time.perf_counter() - began, route_of(request)
        self._metrics.answered(route, response.status, took)
        told = log.debug if route in QUIET else log.info
        told("answered", route=route, status=response.status, ms=round(took * 1000, 1))
        return response

    async def signed_off(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Our headers on each answer; how long it may be kept is for the page to say."""
        kept = response.headers.get("Cache-Control", self._headers["Cache-Control"])
        response.headers.update({**self._headers, "Cache-Control": kept})


async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The page, or the sentence for what came instead."""
    try:
        async with asyncio.timeout(LONGEST_S):
            return await handler(request)
    except web.HTTPException as error:
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return plain(request, error.status, allow)
    except (TimeoutError, ApplicationError) as error:
        _note(request, error)
        return plain(request, 503, SOON)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody is shown a stack
        _note(request, error)
        return plain(request, 500)


def route_of(request: web.Request) -> str:
    """The pattern that the address fits; an address itself would be one more label for each visitor."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def _note(request: web.Request, error: Exception) -> None:
    """The kind of the error and the line it came from. Its words may quote a person or a token."""
    frames = extract_tb(error.__traceback__)
    line = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    kind = error.type if isinstance(error, ApplicationError) else type(error).__name__
    log.error("failed", route=route_of(request), error=kind, at=line)


class Connection(web.RequestHandler):
    """A connection whose unreadable requests get our headers too, and whose words reach no log."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's own sentence quotes the request
    ) -> web.StreamResponse:
        log.info("unreadable", status=status, error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is sent already")
        response = web.Response(status=status, text=f"{HTTPStatus(status).phrase}.\n", headers=dict(HEADERS))
        response.force_close()
        return response
