"""Notifications of calendars: checked, and passed on to the workflow that reads the calendar.

notification ─▶ Notification.of ─▶ its channel ─▶ token and resource compared ─▶ Line: one signal for all who wait ─▶ 200
"""

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Generic, Protocol, Self, TypeVar

import structlog
from aiohttp import web
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.store.channels import ChannelRow
from schemas.base import RowId, TenantId
from schemas.calendars import Reason, Ring
from starter.web.answers import plain
from starter.web.metrics import Metrics

log = structlog.get_logger("web")

# A calendar is not rung more often than this: in a flood, who comes meanwhile shares the next signal.
BETWEEN_SIGNALS_S = 0.2
# A channel is looked up once in this time. That it was stopped is noticed so much later, which harms nobody.
REMEMBERED_S = 2.0
MOST_REMEMBERED = 10_000
# Look-ups at once. Together they leave a connection that crosses tenants to whoever signs in.
KNOWN_AT_ONCE, STRANGERS_AT_ONCE = 2, 2
# What a sender waits for Temporal before it is told to come again.
PATIENCE_S = 4.0
SOON = {"Retry-After": "10"}
_CHANNEL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONGEST_TOKEN = 256
LONGEST_RESOURCE = 512

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Outcome(Enum):
    """What became of a notification, as it is counted."""

    RUNG = "rung"
    CONFIRMED = "confirmed"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    FORGED = "forged"
    CLOSED = "closed"
    PUT_OFF = "put_off"


class Findable(Protocol[R_co]):
    """Rows that are known by a name, before anybody knows whose they are."""

    async def find(self, name: str, /) -> R_co | None: ...


class Channels(Protocol):
    async def find(self, channel_id: RowId) -> ChannelRow | None: ...
    async def confirm(self, tenant_id: TenantId, channel_id: RowId, resource_id: str, now: datetime) -> None: ...


class Bell(Protocol):
    async def calendar(self, tenant_id: TenantId, calendar_id: RowId, ring: Ring) -> None: ...


@dataclass(frozen=True)
class Notification:
    """What the headers say. There is no body, and whatever stands in one is not read."""

    channel_id: RowId
    token: str
    resource_id: str
    state: str

    @classmethod
    def of(cls, request: web.Request) -> Self | None:
        """Nothing, when a header is missing, is there twice, or cannot be what it should."""
        said = [request.headers.getall(f"X-Goog-{name}", []) for name in ("Channel-ID", "Channel-Token", "Resource-ID")]
        state = request.headers.get("X-Goog-Resource-State", "")
        if any(len(values) != 1 for values in said):
            return None
        channel_id, token, resource_id = (values[0] for values in said)
        if not _CHANNEL.fullmatch(channel_id) or len(token) > LONGEST_TOKEN or len(resource_id) > LONGEST_RESOURCE:
            return None
        if not _is_text(token + resource_id):
            return None
        return cls(channel_id, token, resource_id, state)

    def genuine(self, channel: ChannelRow) -> bool:
        """The channel's own token and resource, compared in constant time; a channel just made has no resource yet."""
        token = hmac.compare_digest(hashlib.sha256(_bytes(self.token)).digest(), channel.token_hash)
        known = channel.resource_id if channel.resource_id is not None else self.resource_id
        return hmac.compare_digest(_bytes(self.resource_id), _bytes(known)) and token


def _is_text(said: str) -> bool:
    """Headers may hold any bytes: those that are no UTF-8 come as surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in said)


def _bytes(said: str) -> bytes:
    return said.encode(errors="surrogatepass")


class Line(Generic[K]):
    """Whoever calls while a signal is on its way waits for the next one, together."""

    def __init__(self, signal: Callable[[K], Awaitable[None]], between_s: float = BETWEEN_SIGNALS_S) -> None:
        self._signal = signal
        self._between_s = between_s
        self._waiting: dict[K, list[asyncio.Future[None]]] = {}
        self._sending: dict[K, asyncio.Task[None]] = {}

    async def call(self, key: K) -> None:
        """Returns once a signal that was sent after this call has been taken; raises what became of it instead."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(done)
        if key not in self._sending:
            self._sending[key] = asyncio.create_task(self._send(key))
        await done

    async def _send(self, key: K) -> None:
        try:
            while waiting := self._waiting.pop(key, []):
                error = await self._try(key)
                for done in waiting:
                    if not done.done():
                        done.set_result(None) if error is None else done.set_exception(error)
                await asyncio.sleep(self._between_s)
        finally:
            del self._sending[key]

    async def _try(self, key: K) -> Exception | None:
        try:
            await self._signal(key)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            return error
        return None


class Remembered(Generic[R]):
    """Rows that were found just now. Those that were not are looked for again: theirs may be about to be made.

    Few are looked for at once. Names that were found before have a lane of their own: however many are made up, who is
    known waits behind none of them.
    """

    def __init__(self, rows: Findable[R], remembered_s: float = REMEMBERED_S) -> None:
        self._rows = rows
        self._remembered_s = remembered_s
        self._found: dict[str, tuple[float, R]] = {}
        self._known, self._strangers = asyncio.Semaphore(KNOWN_AT_ONCE), asyncio.Semaphore(STRANGERS_AT_ONCE)

    async def find(self, name: str) -> R | None:
        if (fresh := self._fresh(name)) is not None:
            return fresh
        async with self._known if name in self._found else self._strangers:
            # Somebody before us may have found it meanwhile.
            return self._fresh(name) or await self._look(name)

    def _fresh(self, name: str) -> R | None:
        until, row = self._found.get(name, (0.0, None))
        return row if time.monotonic() < until else None

    async def _look(self, name: str) -> R | None:
        found = await self._rows.find(name)
        if found is None:
            self._found.pop(name, None)
            return None
        if len(self._found) >= MOST_REMEMBERED:
            self._found.clear()
        self._found[name] = (time.monotonic() + self._remembered_s, found)
        return found


class Webhooks:
    """Answers a calendar's provider. Whatever is not to be acted on is taken like anything else, so that it is not sent
    again and nobody learns anything from the answer."""

    def __init__(self, channels: Channels, bell: Bell, metrics: Metrics) -> None:
        self._channels = channels
        self._remembered = Remembered(channels)
        self._metrics = metrics

        async def ring(calendar: tuple[TenantId, RowId]) -> None:
            await bell.calendar(*calendar, Ring(reason=Reason.PUSH, at=datetime.now(UTC)))

        self._line = Line(ring)

    async def calendar(self, request: web.Request) -> web.Response:
        """200 once Temporal knows, or at once when there is nothing to know; 503 when it cannot be told."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                outcome = await self._take(request)
        except (ApplicationError, RPCError, RuntimeError, TimeoutError) as error:
            log.warning("notification put off", error=type(error).__name__)
            self._metrics.notifications.labels(Outcome.PUT_OFF.value).inc()
            return plain(request, 503, SOON)
        self._metrics.notifications.labels(outcome.value).inc()
        if outcome not in (Outcome.RUNG, Outcome.CONFIRMED):
            log.info("notification left", why=outcome.value)
        return web.Response()

    async def _take(self, request: web.Request) -> Outcome:
        notification, now = Notification.of(request), datetime.now(UTC)
        if notification is None:
            return Outcome.MALFORMED
        channel = await self._remembered.find(notification.channel_id)
        if channel is None:
            return Outcome.UNKNOWN
        if not notification.genuine(channel):
            return Outcome.FORGED
        if not channel.open(now):
            return Outcome.CLOSED
        if notification.state == "sync":
            # Whoever opened the channel rings when it stands.
            await self._channels.confirm(channel.tenant_id, notification.channel_id, notification.resource_id, now)
            return Outcome.CONFIRMED
        await self._line.call((channel.tenant_id, channel.calendar_id))
        return Outcome.RUNG
