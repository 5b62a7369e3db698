"""What stands around every page: time is bounded, failures become a sentence, and what is logged names no one.

request ─▶ Guard.around ─▶ page ─▶ signed_off ─▶ answer
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
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
# Headers that a page may have said itself.
OWN_SAY = {"Cache-Control", "Content-Security-Policy", "Cross-Origin-Resource-Policy", "Referrer-Policy"}
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
        """Our headers on each answer. How long it may be kept, and what it may do, is for the page to say."""
        for name, value in self._headers.items():
            if name not in OWN_SAY or name not in response.headers:
                response.headers[name] = value


async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The page, or the sentence for what came instead."""
    try:
        async with asyncio.timeout(longest(request)):
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


def longest(request: web.Request) -> float:
    """How long a page may take. One that takes large requests may wait for them besides, as long as it says itself."""
    return LONGEST_S + getattr(getattr(request.match_info.handler, "large", None), "seconds", 0.0)


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
