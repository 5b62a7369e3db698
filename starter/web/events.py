"""The doors through which other applications send events: the SDKs' own, and one for whoever signs.

POST /e/{event_key} ─▶ key ───────────────┐
POST /events ─▶ id of a key ─▶ signature ─┴▶ body, bounded ─▶ read ─▶ Inbox ─▶ {"ids": [...], "status": 200}

A body is read once it is known whose key it came with: strangers fill no memory.
"""

import asyncio
import re
from collections.abc import Callable
from enum import Enum
from typing import Protocol
from uuid import UUID, uuid4, uuid5

import structlog
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from temporalio.exceptions import ApplicationError

from activities.store.event_keys import LONGEST_KEY, KeyRow, digest
from schemas.base import RowId, TenantId
from starter.errands import AwayError
from starter.inbox import Inbox, RefusedError, decode, read
from starter.web.guard import LONGEST_S, Handler
from starter.web.metrics import Metrics
from starter.web.visits import is_row_id
from starter.web.webhooks import Remembered
from starter.words import NotReadyError

log = structlog.get_logger("web")

LARGEST_EVENTS = 512 * 1024
# Less than any page may take: whoever waited that long is told in their own language to come again.
PATIENCE_S = LONGEST_S - 1
SOON = {"Retry-After": "5"}
KEY_ROW = web.RequestKey("event_key", KeyRow)
# What an SDK makes once for a sending, and repeats when it tries again: milliseconds, and chance.
SEED = "x-inngest-event-id-seed"
_SEED = re.compile(r"\d{10,15},[A-Za-z0-9+/=_-]{8,64}")
LONGEST_HEADER = 300

NO_KEY = RefusedError(401, "there is no such event key, or it was revoked")
UNNAMED = RefusedError(401, "the header Greenroom-Key has to say, by its id, which event key signs")
UNSIGNED = RefusedError(401, "the signature is not the key's, or too old")
SENTENCES = {
    400: "that request could not be read",
    405: "events are posted here: send them with POST",
    408: "that took too long to arrive",
    413: f"more than {LARGEST_EVENTS // 1024} KiB were sent",
    503: "not all of it could be begun just now; send it again",
}


class Outcome(Enum):
    """What became of what was sent, as it is counted."""

    TAKEN = "taken"
    REFUSED = "refused"
    STRANGER = "stranger"
    TOO_LARGE = "too_large"
    PUT_OFF = "put_off"


class EventKeys(Protocol):
    async def find(self, name: str) -> KeyRow | None: ...
    async def holds(self, tenant_id: TenantId, key_id: RowId) -> bool: ...
    async def secret(self, tenant_id: TenantId, key_id: RowId) -> str | None: ...


class NoKeys:
    """Nobody sends events here."""

    async def find(self, _name: str) -> KeyRow | None:
        return None

    async def holds(self, _tenant_id: TenantId, _key_id: RowId) -> bool:
        return False

    async def secret(self, _tenant_id: TenantId, _key_id: RowId) -> str | None:
        return None


class Events:
    """Answers as the SDKs expect it of their own server."""

    def __init__(self, keys: EventKeys, inbox: Inbox | None, metrics: Metrics) -> None:
        self._keys = keys
        self._remembered = Remembered(keys)
        self._inbox = inbox
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/e/{event_key}", self.keyed), web.post("/events", self.signed)]

    @web.middleware
    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around the reading of the body: finds the key first, and says whatever goes wrong in the SDKs' words."""
        if request.match_info.handler not in (self.keyed, self.signed):
            return await _elsewhere(request, handler)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await handler(await self._welcome(request))
        except RefusedError as error:
            return self._refused(error.status, error.sentence, error.after_s)
        except web.HTTPException as error:
            return self._refused(error.status, SENTENCES.get(error.status, error.reason))
        except NotReadyError as error:
            # Remedies are commands, which are not for applications.
            return self._refused(503, error.sentence)
        except (AwayError, ApplicationError, TimeoutError) as error:
            log.warning("events put off", error=getattr(error, "type", type(error).__name__))
            return self._refused(503, SENTENCES[503])

    async def keyed(self, request: web.Request) -> web.Response:
        """Whoever knows the key is its holder."""
        key = request[KEY_ROW]
        if not await self._keys.holds(key.tenant_id, key.id):
            raise NO_KEY
        seed = request.headers.get(SEED, "")
        return await self._take(request, _names(key, seed) if _SEED.fullmatch(seed) else _new)

    async def signed(self, request: web.Request) -> web.Response:
        """A message that is sent again has its id again, and so have its events."""
        key = request[KEY_ROW]
        secret = await self._keys.secret(key.tenant_id, key.id)
        if secret is None:
            raise NO_KEY
        verify(secret, await request.read(), request)
        return await self._take(request, _names(key, request.headers["webhook-id"]))

    async def _welcome(self, request: web.Request) -> web.Request:
        """The request of a holder of a key, who may send more than others."""
        key = await self._remembered.find(_named(request))
        if key is None:
            raise NO_KEY
        welcome = request.clone(client_max_size=LARGEST_EVENTS)
        welcome[KEY_ROW] = key
        return welcome

    async def _take(self, request: web.Request, name: Callable[[int], str]) -> web.Response:
        key = request[KEY_ROW]
        assert self._inbox is not None, "whoever has keys has an inbox"
        sent = read(decode(await request.read()), key.tenant_id, name)
        await self._inbox.take(key.tenant_id, key.id, sent)
        self._metrics.events.labels(Outcome.TAKEN.value).inc(len(sent))
        return web.json_response({"ids": [one.key for one in sent], "status": 200})

    def _refused(self, status: int, sentence: str, after_s: int | None = None) -> web.Response:
        outcome = OUTCOMES.get(status, Outcome.REFUSED)
        self._metrics.events.labels(outcome.value).inc()
        told = {"error": sentence, "status": status, "ids": []}
        headers = SOON if status == 503 else {"Retry-After": str(after_s)} if after_s is not None else None
        return web.json_response(told, status=status, headers=headers)


OUTCOMES = {401: Outcome.STRANGER, 413: Outcome.TOO_LARGE, 503: Outcome.PUT_OFF}


def verify(secret: str, body: bytes, request: web.Request) -> None:
    """RefusedError unless it was signed with the secret, just now."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: request.headers.getall(name, []) for name in names}
    if any(len(said) != 1 or len(said[0]) > LONGEST_HEADER for said in headers.values()):
        raise UNSIGNED
    try:
        Webhook(secret).verify(body, {name: said[0] for name, said in headers.items()}, json_parse=False)
    except (WebhookVerificationError, ValueError):
        # Also what is no base64, no UTF-8, or no signature at all.
        raise UNSIGNED from None


async def _elsewhere(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Not a door; or one that somebody would look through, and who is told in the SDKs' words too."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        if request.path != "/events" and not request.path.startswith("/e/"):
            raise
        told = {"error": SENTENCES[405], "status": 405, "ids": []}
        return web.json_response(told, status=405, headers={"Allow": error.headers["Allow"]})


def _named(request: web.Request) -> str:
    """What the key is found by: its hash, or its id where it is only named."""
    key = request.match_info.get("event_key")
    if key is not None:
        if len(key) > LONGEST_KEY:
            raise NO_KEY
        return digest(key)
    said = request.headers.getall("Greenroom-Key", [])
    if len(said) != 1 or not is_row_id(said[0]):
        raise UNNAMED
    return said[0]


def _names(key: KeyRow, seed: str) -> Callable[[int], str]:
    """Ids for events that have none: the same for the same sending."""
    return lambda number: str(uuid5(UUID(key.id), f"{seed}/{number}"))


def _new(_number: int) -> str:
    return str(uuid4())
