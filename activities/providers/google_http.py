"""One HTTP request of a library that blocks: in a thread, sent once, bounded in time and size, cut when nobody waits.

request ─▶ thread ─▶ httplib2 ─▶ our connection: no second sending, no compression, no endless body ─▶ answer | Refused
"""

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any

import httplib2
from googleapiclient.http import HttpRequest

from activities import errors

# A page of 2500 events with all their guests.
LONGEST_ANSWER = 32 * 1024 * 1024
CHUNK = 64 * 1024


class RefusedError(Exception):
    """Any status but a good one, redirections included."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(str(status))
        self.status = status
        self.headers = headers
        self.body = body


class UnreadableError(Exception):
    """An answer that is not read to its end, and why, in our words."""


class BrokenError(Exception):
    """The connection ended before the answer did."""


class _Response(HTTPResponse):
    def read(self, amt: int | None = None) -> bytes:
        """The whole body, unless it is far too long, cut short, or packed: what is packed has no known length."""
        if amt is not None:
            return super().read(amt)
        if (self.getheader("content-encoding") or "identity") != "identity":
            raise UnreadableError("a compressed answer")
        body = bytearray()
        while chunk := self.read1(CHUNK):
            body += chunk
            if len(body) > LONGEST_ANSWER:
                raise UnreadableError("far too much")
        if self.length:
            raise BrokenError
        return bytes(body)


class _Once:
    """A connection that is given up when no answer comes: httplib2 would send the request again by itself."""

    response_class = _Response
    sock: socket.socket | None
    given_up = False

    def getresponse(self) -> HTTPResponse:
        if self.given_up:
            raise BrokenError
        try:
            return super().getresponse()  # type: ignore[misc, no-any-return]
        except (HTTPException, OSError) as error:
            raise BrokenError(type(error).__name__) from None

    def give_up(self) -> None:
        """From another thread: whoever reads here wakes up, and finds the end."""
        self.given_up = True
        if self.sock is not None:
            with suppress(OSError):
                # Not the method of a TLS socket, which is no business of another thread.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _Plain(_Once, httplib2.HTTPConnectionWithTimeout):  # type: ignore[misc]
    pass


class _Tls(_Once, httplib2.HTTPSConnectionWithTimeout):  # type: ignore[misc]
    pass


class _Http(httplib2.Http):  # type: ignore[misc]
    """For one request."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s, proxy_info=None)
        self.follow_redirects = False

    def request(self, uri: str, method: str = "GET", **options: Any) -> tuple[httplib2.Response, bytes]:
        response, body = super().request(
            uri, method, **options, connection_type=_Tls if uri.startswith("https:") else _Plain
        )
        if not 200 <= response.status < 300:
            raise RefusedError(response.status, response, body)
        return response, body

    def give_up(self) -> None:
        for connection in list(self.connections.values()):
            connection.give_up()


async def execute(provider: str, request: HttpRequest, threads: Executor, *, token: str, timeout_s: float) -> Any:
    """The answer as the library reads it. Raises RefusedError, or what `errors` makes."""
    request.headers["authorization"] = f"Bearer {token}"
    request.headers["accept-encoding"] = "identity"
    http = _Http(timeout_s)
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.get_running_loop().run_in_executor(threads, _execute, request, http)
    except UnreadableError as error:
        raise errors.nonsense(provider, str(error)) from None
    except (BrokenError, OSError, HTTPException, httplib2.HttpLib2Error) as error:
        raise errors.unreachable(provider, error.__cause__ or error) from None
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        # What the library makes of a body that is not what it promises.
        raise errors.nonsense(provider, "an answer that cannot be read") from None
    finally:
        # A thread cannot be cancelled, but what it waits for can be ended.
        http.give_up()


def _execute(request: HttpRequest, http: _Http) -> Any:
    try:
        return request.execute(http=http, num_retries=0)
    finally:
        http.close()
