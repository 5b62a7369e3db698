"""Tells the client's own address that something has changed, as reliably as the knobs allow.

change ─▶ one message for each live channel ─▶ lost? ─▶ doubled? ─▶ late? ─▶ POST ─▶ again after a 5xx, but not for ever
"""

import asyncio
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.utils import format_datetime

from yarl import URL

from sandbox.google.knobs import Knobs
from sandbox.google.state import Channel
from sandbox.google.store import Store

AGAIN = {500, 502, 503, 504, None}
ANSWER_SECONDS = 10.0
AT_ONCE = 32
REMEMBERED = 10_000
# Numbers grow, and not by one.
LONGEST_STEP = 1000


@dataclass
class Message:
    """One notification, and what became of it."""

    channel: Channel
    number: int
    state: str
    tries: int = 0
    status: int | None = None
    lost: bool = False
    tried: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def taken(self) -> bool:
        return self.status in {102, 200, 201, 202, 204}

    def as_dict(self) -> dict[str, object]:
        names = ("number", "state", "tries", "status", "lost", "taken")
        return {"channel": self.channel.id} | {name: getattr(self, name) for name in names}


class Push:
    """Sends from the loop it was opened on; anybody may ask it to, from any thread."""

    def __init__(self, store: Store, knobs: Knobs) -> None:
        self.messages: deque[Message] = deque(maxlen=REMEMBERED)
        """What was to be sent, oldest first; also what was lost on purpose."""
        self._store = store
        self._knobs = knobs
        self._dice = (knobs.seed, random.Random(knobs.seed))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ordered = 0
        self._room = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Messages go out within the block; those still under way at its end are given up."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def under_way(self) -> int:
        """How many are on their way, or wait to be tried again."""
        return len(self._tasks) + self._ordered

    def changed(self, email: str) -> None:
        """Somebody changed this calendar."""
        for channel in self._store.live_channels(email):
            self._order(self._next(channel, "exists"))

    def welcome(self, channel: Channel) -> asyncio.Event | None:
        """Send the `sync` message of a new channel. The event that it has been tried; None if it is lost."""
        message = self._next(channel, "sync")
        if self._lost(message):
            return None
        self._send(message, self._pause())
        return message.tried

    def _next(self, channel: Channel, state: str) -> Message:
        channel.number += 1 if state == "sync" else self._draw().randint(1, LONGEST_STEP)
        message = Message(channel, channel.number, state)
        self.messages.append(message)
        return message

    def _order(self, message: Message) -> None:
        if self._loop is None or self._lost(message):
            return
        copies = 1 + (self._draw().random() < self._knobs.duplicate_share)
        for _ in range(copies):
            self._ordered += 1
            self._loop.call_soon_threadsafe(self._begin, message, self._pause())

    def _lost(self, message: Message) -> bool:
        if self._knobs.lose_next:
            self._knobs.lose_next -= 1
            message.lost = True
        message.lost |= self._knobs.lose_notifications or self._draw().random() < self._knobs.lose_share
        return message.lost

    def _pause(self) -> float:
        return self._knobs.delay_notifications + self._draw().random() * self._knobs.reorder_within

    def _draw(self) -> random.Random:
        if self._dice[0] != self._knobs.seed:
            self._dice = (self._knobs.seed, random.Random(self._knobs.seed))
        return self._dice[1]

    def _begin(self, message: Message, pause: float) -> None:
        self._ordered -= 1
        self._send(message, pause)

    def _send(self, message: Message, pause: float) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(message, pause))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, message: Message, pause: float) -> None:
        for attempt in range(self._knobs.deliveries):
            await asyncio.sleep(pause)
            if not self._store.live(message.channel):
                return
            async with self._room:
                status = await _posted(message)
            message.tries, message.status = message.tries + 1, status
            message.tried.set()
            if status not in AGAIN:
                return
            pause = self._knobs.retry_seconds * 2**attempt


async def _posted(message: Message) -> int | None:
    """The status that came back, or None when nobody was there. Not by a client library: those read on after a 102."""
    url = URL(message.channel.address)
    with suppress(OSError, TimeoutError, ValueError, IndexError, asyncio.IncompleteReadError):
        async with asyncio.timeout(ANSWER_SECONDS):
            secure = ssl.create_default_context() if url.scheme == "https" else None
            reader, writer = await asyncio.open_connection(url.host, url.port, ssl=secure)
            try:
                writer.write(_request(url, message))
                await writer.drain()
                return int((await reader.readline()).split()[1])
            finally:
                writer.close()
    return None


def _request(url: URL, message: Message) -> bytes:
    channel = message.channel
    headers = {
        "Host": url.raw_authority,
        "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        "Accept": "*/*",
        "Content-Length": "0",
        "Connection": "close",
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": format_datetime(channel.expires, usegmt=True),
        "X-Goog-Resource-State": message.state,
        "X-Goog-Message-Number": str(message.number),
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-URI": channel.resource_uri,
        **({"X-Goog-Channel-Token": channel.token} if channel.token is not None else {}),
    }
    lines = [f"POST {url.raw_path_qs} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
