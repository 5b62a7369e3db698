"""Gong's rule tells of a call that has been recorded: checked, taken, and passed on to the workflow that reads it.

notification ─▶ its recorder ─▶ JWT: signed, for us, in time ─▶ body, bounded ─▶ its hash ─▶ the call: taken, rung ─▶ 200

A body is read once it is known whose it is: strangers fill no memory.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Protocol

import jwt
import structlog
from aiohttp import web
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.ports import CallBell
from activities.providers.gong import recorded
from activities.recorders import new_call
from activities.store.recorders import Signer
from activities.transcripts.ports import CallIntake, NewCall, Taken
from schemas.base import RowId, TenantId
from schemas.transcripts import CallStatus, Source, Spoken
from starter.web.answers import plain
from starter.web.guard import LONGEST_S, Handler
from starter.web.metrics import Metrics
from starter.web.visits import is_row_id
from starter.web.webhooks import SOON, Remembered
from starter.words import NotFoundError

log = structlog.get_logger("web")

PATH = "/webhooks/gong/{recorder}"
# All that was said to be in a call is in its notification.
LARGEST_BODY = 2 * 1024 * 1024
# Notifications that are read, and acted on, at once.
AT_ONCE = 4
# Less than any page may take: whoever waited that long is told to come again.
PATIENCE_S = LONGEST_S - 1
LONGEST_TOKEN = 6000
# A token without an end is taken for this long. Their clock and ours may differ.
TOKEN_LIVES, SKEW = timedelta(hours=1), timedelta(minutes=1)
SMALLEST_KEY, LARGEST_KEY = 2048, 8192
# Calls that are known to be known.
MOST_REMEMBERED = 10_000

_TOKEN = re.compile(r"(?:bearer +)?([\w-]+\.[\w-]+\.[\w-]+)", re.IGNORECASE)
_ARMOUR = "-----BEGIN PUBLIC KEY-----"


class Outcome(Enum):
    """What became of a notification, as it is counted."""

    TAKEN = "taken"
    KNOWN = "known"
    TEST = "test"
    UNKNOWN = "unknown"
    FORGED = "forged"
    EXPIRED = "expired"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    PUT_OFF = "put_off"


STATUSES = {
    Outcome.UNKNOWN: 401,
    Outcome.FORGED: 401,
    Outcome.EXPIRED: 401,
    Outcome.MALFORMED: 400,
    Outcome.TOO_LARGE: 413,
    Outcome.PUT_OFF: 503,
}


class LeftError(Exception):
    """It is not acted on."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


class Recorders(Protocol):
    async def find(self, recorder_id: RowId) -> Signer | None: ...
    async def seen(self, tenant_id: TenantId, source: Source, keys: Sequence[str]) -> frozenset[str]: ...


class NoRecorders:
    """Nobody's calls are recorded, and none comes in."""

    async def find(self, _recorder_id: RowId) -> Signer | None:
        return None

    async def seen(self, _tenant_id: TenantId, _source: Source, _keys: Sequence[str]) -> frozenset[str]:
        return frozenset()

    async def take(self, _tenant_id: TenantId, _call: NewCall, _spoken: Spoken | None, _now: datetime) -> Taken:
        raise NotFoundError("There is no such recorder")

    async def call(self, _tenant_id: TenantId, _call_id: RowId) -> None:
        raise NotFoundError("There is no such recorder")


@dataclass(frozen=True)
class Told:
    """A notification whose token is good: its body must have this hash."""

    recorder_id: RowId
    signer: Signer
    sha256: str


TOLD = web.RequestKey("told", Told)


class CallNotices:
    """Answers Gong. Whatever is not its own is refused; what is known, or a test, is taken without any work."""

    def __init__(
        self, recorders: Recorders, intake: CallIntake, bell: CallBell, metrics: Metrics, web_url: str
    ) -> None:
        self._recorders = recorders
        self._remembered = Remembered(recorders)
        self._intake = intake
        self._bell = bell
        self._metrics = metrics
        self._web_url = web_url
        self._room = asyncio.Semaphore(AT_ONCE)
        self._known: set[tuple[RowId, str]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.call)]

    @web.middleware
    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around the reading of the body: finds out first whose it is."""
        if request.match_info.handler != self.call:
            return await handler(request)
        try:
            async with asyncio.timeout(PATIENCE_S):
                told = await self._told(request)
                async with self._room:
                    welcome = request.clone(client_max_size=LARGEST_BODY)
                    welcome[TOLD] = told
                    return await handler(welcome)
        except LeftError as left:
            return self._left(request, left.outcome)
        except web.HTTPRequestEntityTooLarge:
            return self._left(request, Outcome.TOO_LARGE)
        except (ApplicationError, RPCError, RuntimeError, TimeoutError) as error:
            log.warning("call put off", error=getattr(error, "type", type(error).__name__))
            return self._left(request, Outcome.PUT_OFF)

    async def call(self, request: web.Request) -> web.Response:
        """200 once Temporal knows, or at once when there is nothing to know."""
        outcome = await self._take(request[TOLD], await request.read())
        self._metrics.calls.labels(outcome.value).inc()
        return web.Response()

    async def _told(self, request: web.Request) -> Told:
        """The token first: it costs nothing to see that there is none. Then whose it could be, and whether it is."""
        recorder_id, said = request.match_info["recorder"], request.headers.getall("Authorization", [])
        token = _TOKEN.fullmatch(said[0]) if len(said) == 1 and len(said[0]) <= LONGEST_TOKEN else None
        if token is None:
            raise LeftError(Outcome.FORGED)
        signer = await self._remembered.find(recorder_id) if is_row_id(recorder_id) else None
        if signer is None or signer.public_key is None:
            raise LeftError(Outcome.UNKNOWN)
        address = notices_url(self._web_url, recorder_id)
        return Told(recorder_id, signer, checked(token[1], signer.public_key, address, datetime.now(UTC)))

    async def _take(self, told: Told, body: bytes) -> Outcome:
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), told.sha256):
            raise LeftError(Outcome.FORGED)
        said = read(body)
        if said.get("isTest") is True:
            return Outcome.TEST
        call = recorded(said.get("callData"))
        if call is None:
            raise LeftError(Outcome.MALFORMED)
        source, tenant_id, key = Source.RECORDER, told.signer.tenant_id, (told.recorder_id, call.id)
        if key in self._known or await self._recorders.seen(tenant_id, source, [call.id]):
            return Outcome.KNOWN
        new = new_call(call, source, told.recorder_id, sandbox=told.signer.sandbox)
        taken = await self._intake.take(tenant_id, new, None, datetime.now(UTC))
        if taken.status is CallStatus.WAITING:
            await self._bell.call(tenant_id, taken.call_id)
        self._remember(key)
        return Outcome.TAKEN if taken.new else Outcome.KNOWN

    def _remember(self, key: tuple[RowId, str]) -> None:
        """Once Temporal has taken it: until then it is to be sent again."""
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known.add(key)

    def _left(self, request: web.Request, outcome: Outcome) -> web.Response:
        self._metrics.calls.labels(outcome.value).inc()
        log.info("call left", why=outcome.value)
        return plain(request, STATUSES[outcome], SOON if outcome is Outcome.PUT_OFF else None)


def notices_url(web_url: str, recorder_id: RowId) -> str:
    """What is entered at Gong, and comes back signed."""
    return web_url.rstrip("/") + PATH.format(recorder=recorder_id)


def public_key(text: str) -> RSAPublicKey:
    """The key of a rule's editor, with or without its armour. ValueError, in a sentence, for anything else."""
    bare = "".join(text.split())
    try:
        if _ARMOUR in text:
            key = load_pem_public_key(text.strip().encode())
        else:
            key = load_der_public_key(base64.b64decode(bare, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise ValueError("that is no public key; paste what Gong's rule shows") from None
    if isinstance(key, RSAPublicKey) and SMALLEST_KEY <= key.key_size <= LARGEST_KEY:
        return key
    raise ValueError(f"Gong signs with RS256; that is no RSA key of {SMALLEST_KEY} to {LARGEST_KEY} bits")


def checked(token: str, key: str, address: str, now: datetime) -> str:
    """The hash that the body must have, by a token that is signed, for this address, and in time."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            public_key(key),
            algorithms=["RS256"],
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise LeftError(Outcome.FORGED) from None
    if not in_time(claims, now):
        raise LeftError(Outcome.EXPIRED)
    url, sha256 = claims.get("webhook_url"), claims.get("body_sha256")
    if url != address or not isinstance(sha256, str) or not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise LeftError(Outcome.FORGED)
    return sha256.lower()


def in_time(claims: dict[str, Any], now: datetime) -> bool:
    """Each time that is told is a number, and allows for now. Nothing need be told: what is known does no work."""
    moment, skew, lives = now.timestamp(), SKEW.total_seconds(), TOKEN_LIVES.total_seconds()
    told = {name: claims[name] for name in ("iat", "exp", "nbf") if name in claims}
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in told.values()):
        return False
    began, ends, not_before = told.get("iat", moment), told.get("exp", moment), told.get("nbf", moment)
    return bool(moment - lives <= began <= moment + skew and ends >= moment - skew and not_before <= moment + skew)


def read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise LeftError(Outcome.MALFORMED) from None
    if not isinstance(said, dict):
        raise LeftError(Outcome.MALFORMED)
    return said
