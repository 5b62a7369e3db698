"""Senders that say what they like, as slowly as they like, and a door for them to knock at."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from starter.web.app import LARGEST_BODY, listening
from starter.web.bounds import Bounds, takes
from starter.web.guard import Guard
from starter.web.health import Health
from starter.web.metrics import Metrics

# A small part of what the app has.
QUICK = Bounds(headers_s=0.2, body_s=0.15, lingering_s=0.05, answer_s=0.3)
QUICK_S = QUICK.headers_s + QUICK.body_s + QUICK.lingering_s

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /told HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = 32 * 1024 * 1024
# What one page of these takes.
LARGE_BODY = 1_000_000


class Raw:
    """A sender that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.began = time.perf_counter()

    @classmethod
    async def at(cls, port: int) -> "Raw":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def say(self, words: bytes) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(words)

    async def rest(self, within_s: float = 5.0) -> bytes:
        """What is answered until the other side closes. It is an error if it does not."""
        heard = bytearray()
        async with asyncio.timeout(within_s):
            with contextlib.suppress(ConnectionError):
                while part := await self.reader.read(65536):
                    heard += part
        self.writer.close()
        return bytes(heard)

    async def drip(self, drop: bytes, every_s: float) -> tuple[bytes, float]:
        """Send a drop now and then until the other side closes: what it said, and the seconds that it took."""
        rest = asyncio.create_task(self.rest(20))
        while not rest.done():
            self.say(drop)
            await asyncio.wait([rest], timeout=every_s)
        return rest.result(), time.perf_counter() - self.began


@asynccontextmanager
async def served(bounds: Bounds = QUICK) -> AsyncIterator[int]:
    """The app's own door and guard, with pages that do what these tests ask of them."""

    async def told(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(LARGE))

    async def small(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(50_000))

    @takes(LARGE_BODY, 1.0, lambda request: "X-Known" in request.headers)
    async def much(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response(text="done")

    async def unsigned(request: web.Request, _response: web.StreamResponse) -> None:
        if request.path == "/unsigned":
            raise ValueError(request.host)

    guard = Guard(Metrics(), "http://127.0.0.1")
    app = web.Application(middlewares=[guard.around], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(guard.signed_off)
    app.on_response_prepare.append(unsigned)
    app.router.add_get("/healthz", Health({}).alive)
    app.router.add_post("/told", told)
    app.router.add_post("/much", much)
    app.router.add_get("/large", large)
    app.router.add_get("/small", small)
    app.router.add_get("/slow", slow)
    async with listening(app, 0, bounds=bounds) as port:
        yield port


async def said(port: int, words: bytes) -> bytes:
    raw = await Raw.at(port)
    raw.say(words)
    return await raw.rest()


async def serves(port: int) -> bool:
    answer = await said(port, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    return answer.startswith(b"HTTP/1.1 200 ")


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/\d\.\d (\d{3}) ", answer)]


SLOW = {
    "never speaks": (b"", b""),
    "idle after an answer": (GET, b""),
    "slow line": (b"GET /", b"x"),
    "slow headers": (GET[:-2], b"X: y\r\n"),
    "slow header": (GET[:-2] + b"X: ", b"y"),
    "empty lines": (b"", b"\r\n"),
    "slow body": (POST + b"Content-Length: 60000\r\n\r\n", b"x"),
    "body that stops": (POST + b"Content-Length: 60000\r\n\r\nabc", b""),
    "body to a page that wants none": (GET[:-2] + b"Content-Length: 60000\r\n\r\n", b"x"),
    "body to nowhere": (b"PUT /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n", b"x"),
    "slow chunks": (CHUNKED, b"1\r\nx\r\n"),
    "chunk size without end": (CHUNKED, b"0"),
    "chunk extension without end": (CHUNKED + b"1;", b"x"),
    "trailers without end": (CHUNKED + b"0\r\n", b"X: y\r\n"),
    "expects to go on": (POST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", b""),
    "upgrade": (GET[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"x"),
    "connect": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"x"),
}


FLOODS = {
    "a line": b"GET /" + b"x" * 1_000_000,
    "a header": GET[:-2] + b"X: " + b"y" * 1_000_000,
    "a name": GET[:-2] + b"y" * 1_000_000,
    "many headers": GET[:-2] + b"X: y\r\n" * 1_000_000,
    "many long headers": GET[:-2] + (b"X: " + b"y" * 8000 + b"\r\n") * 120,
    "empty lines": b"\r\n" * 500_000,
    "chunks": CHUNKED + b"400\r\n%s\r\n" % bytes(1024) * 10_000,
    "small chunks": CHUNKED + b"1\r\nx\r\n" * 1_000_000,
    "requests": GET * 50_000,
}


HOSTILE = {
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + GET,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 35\r\n\r\n" + GET,
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "signed length": POST + b"Content-Length: +4\r\n\r\nabcd",
    "list of lengths": POST + b"Content-Length: 4, 4\r\n\r\nabcd",
    "endless length": POST + b"Content-Length: " + b"9" * 60 + b"\r\n\r\n",
    "chunked, nearly": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked, twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked, not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "space before colon": POST + b"Content-Length : 35\r\n\r\n" + GET,
    "folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + GET,
    "bare line feeds": GET.replace(b"\r\n", b"\n"),
    "bare carriage returns": GET.replace(b"\r\n", b"\r"),
    "chunk size": CHUNKED + b"qwertz\r\nx\r\n",
    "negative chunk": CHUNKED + b"-1\r\nx\r\n",
    "giant chunk": CHUNKED + b"f" * 30 + b"\r\nx\r\n",
    "chunk too long": CHUNKED + b"1\r\nqwertz\r\n0\r\n\r\n",
    "chunk with zero": CHUNKED + b"1\r\n\x00\x00\x00",
    "0.9": b"GET /healthz\r\n",
    "0.9 to the end": b"GET /healthz\r\n\r\n",
    "2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls": bytes.fromhex("16030100f8010000f40303") + bytes(range(200)),
    "zeros": bytes(1000),
    "method": b"BREW /told HTTP/1.1\r\nHost: a\r\n\r\n",
    "wrong method": b"DELETE /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "wrong path": b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "no host": b"GET /nowhere HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /nowhere HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "absolute": b"GET http://[::1/qwertz HTTP/1.1\r\nHost: a\r\n\r\n",
    "port": b"GET http://a:99999999/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes in path": b"GET /\xff\xfe%ff%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "expects too much": POST + b"Expect: too-much\r\nContent-Length: 0\r\n\r\n",
}
