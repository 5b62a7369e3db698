"""What stands before every page: how long a sender is waited for, how much is read, and how many may come.

connect ─▶ Door.enter ─▶ headers ─▶ Door.whole: the body ─▶ Guard's page ─▶ an answer that must be taken

aiohttp bounds lines, the number of headers and idleness. All other time and memory is bounded here.
"""

import asyncio
import resource
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from aiohttp import HttpVersion10, StreamReader, web
from aiohttp.streams import EMPTY_PAYLOAD

from starter.web.answers import HEADERS
from starter.web.guard import Handler

log = structlog.get_logger("web")

# What the kernel keeps until we accept it, and what asyncio accepts in one go.
BACKLOG = 512
# Files for everything that is no connection of a visitor: Postgres, Temporal, logs.
OTHER_FILES = 128
# Bodies beyond what is usual that are read at once: together they are what a worker can spare.
LARGE_AT_ONCE = 8
# The last thing said on a connection.
LAST_WORDS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


@dataclass(frozen=True)
class Large:
    """What a page takes that is more than usual: so many bytes, so many seconds for them, and from whom."""

    most: int
    seconds: float
    welcome: Callable[[web.Request], bool]


H = TypeVar("H", bound=Callable[..., Any])


def takes(
    most: int, seconds: float, welcome: Callable[[web.Request], bool] = lambda _request: True
) -> Callable[[H], H]:
    """Says of a page that its requests may be large. Who is not `welcome` may send what everybody may."""

    def marked(page: H) -> H:
        page.large = Large(most, seconds, welcome)  # type: ignore[attr-defined]
        return page

    return marked


@dataclass(frozen=True)
class Bounds:
    """The first three together are less than 10 s: nobody keeps a connection for longer without a whole request."""

    # From the connection, or the last answer, to the end of the headers. A proxy must let go of its own sooner.
    headers_s: float = 5.0
    # From there to the end of the body: 64 KiB at the speed of a bad telephone line.
    body_s: float = 3.5
    # How long the rest of a body is read that was refused, so that its sender sees why.
    lingering_s: float = 1.0
    # From an answer to when the network has taken it. A brief is some 100 kB.
    answer_s: float = 10.0
    # Without it, aiohttp keeps 1 MiB of headers for each connection.
    headers_bytes: int = 32 * 1024
    # Requests that wait for their turn on one connection. No browser or proxy sends any.
    pipelined: int = 8
    # Twice the attack we are tested with; at their worst they hold some 150 MB, and 1,640 files.
    connections: int = 1000


class Door:
    """Everybody who is connected. Beyond the bound, whoever has kept us waiting for the longest makes room.

    So an attack that fills us up pushes out itself, and an honest sender, who is quick, is not refused.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._waiting: dict[web.RequestHandler, asyncio.Transport] = {}
        self._here = 0
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    def enter(self, connection: "Connection", transport: asyncio.Transport) -> None:
        self._here += 1
        self._waiting[connection] = transport
        if self._here > self.bounds.connections:
            self._waiting.pop(next(iter(self._waiting))).abort()

    def leave(self, connection: "Connection") -> None:
        self._here -= 1
        self._waiting.pop(connection, None)

    @web.middleware
    async def whole(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A page sees a request when all of it is here, and is not disturbed. So no page waits for a sender."""
        request = await self._body(request)
        transport = self._waiting.pop(request.protocol, None)
        try:
            return await handler(request)
        finally:
            if transport is not None and request.transport is not None:
                self._waiting[request.protocol] = transport

    async def _body(self, request: web.Request) -> web.Request:
        """The request with its body read, as far as its page may take it."""
        if request.version < HttpVersion10:
            raise web.HTTPBadRequest
        large: Large | None = getattr(request.match_info.handler, "large", None)
        if large is None or not large.welcome(request) or (request.content_length or 0) <= request.client_max_size:
            await self._read(request, self.bounds.body_s)
            return request
        if self._large.locked():
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        async with self._large:
            request = request.clone(client_max_size=large.most)
            await self._read(request, large.seconds)
            return request

    async def _read(self, request: web.Request, seconds: float) -> None:
        announced = request.content_length or 0
        if announced > request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size, announced)
        try:
            async with asyncio.timeout(seconds):
                await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except (web.RequestPayloadError, OSError):
            raise web.HTTPBadRequest from None


class Connection(web.RequestHandler):
    """One sender, waited for as long as the bounds say. What is said in answer has our headers, and no log quotes it.

    Slow headers and idleness are ended by aiohttp's own timer, slow bodies by `Door.whole`.
    """

    def __init__(self, manager: web.Server, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # how it is turned off: it would write the token down
            keepalive_timeout=door.bounds.headers_s,
            lingering_time=door.bounds.lingering_s,
            auto_decompress=False,  # nobody who writes to us compresses; a bomb does
        )
        self._door = door
        self._body: StreamReader = EMPTY_PAYLOAD
        self._headers = 0
        self._untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        # So that `pause_writing` means that something is not taken, and `resume_writing` that everything is.
        transport.set_write_buffer_limits(high=0)
        self._line = transport
        self._door.enter(self, transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._door.leave(self)
        self._rest()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Even a connection that is closed on our side lives until its last answer is taken; so it is broken off."""
        super().pause_writing()
        self._untaken = self._loop.call_later(self._door.bounds.answer_s, self._line.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._rest()

    def _rest(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()

    def data_received(self, data: bytes) -> None:
        """Bodies need no counting: aiohttp reads no further than `Door.whole` asks for."""
        within_body = not self._body.is_eof()
        super().data_received(data)
        if self._messages:
            self._body, self._headers = self._messages[-1][1], 0
        elif not within_body:
            self._headers += len(data)
        bounds = self._door.bounds
        if self._headers > bounds.headers_bytes or len(self._messages) > bounds.pipelined:
            self._line.abort()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if resp.status in LAST_WORDS:
            resp.force_close()
        finished = await super().finish_response(request, resp, start_time)
        if resp.status == HTTPStatus.REQUEST_TIMEOUT:
            self.force_close()  # the rest has been waited for
        return finished

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

    def log_exception(self, *_args: Any, **named: Any) -> None:
        """Of what breaks between two answers, the kind: its words may quote the request."""
        log.warning("broken off", error=type(named.get("exc_info")).__name__)


def make_room(connections: int) -> None:
    """Let the process open the files it takes. A shell often allows 1,024; without one to spare, nobody is let in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + BACKLOG + OTHER_FILES
    if resource.RLIM_INFINITY != soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
