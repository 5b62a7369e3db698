"""Sessions: who somebody is, sealed in a cookie of theirs that nobody else can read, change or make.

sign-in ─▶ Session ─▶ sealed for one purpose ─▶ cookie ─▶ opened, unless it is old, forged or another key's
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from activities.people import SHORTEST_KEY
from schemas.agenda import Member
from schemas.base import RowId, TenantId
from schemas.settings import Settings
from starter.words import NotReadyError

# From the sign-in, whatever happens in between.
LIVES = timedelta(days=14)
# Between leaving for the provider and coming back.
STATE_LIVES = timedelta(minutes=10)
# How far the clocks of our machines may be apart.
SKEW = timedelta(minutes=1)
NONCE_BYTES = 12
LONGEST_COOKIE = 4000


@dataclass(frozen=True)
class Session:
    """One sign-in of one user. Its id is new with each."""

    id: str
    tenant_id: TenantId
    user_id: RowId
    began_at: datetime

    @classmethod
    def of(cls, tenant_id: TenantId, user_id: RowId, now: datetime) -> "Session":
        return cls(secrets.token_urlsafe(16), tenant_id, user_id, now)

    def serves(self, member: Member) -> bool:
        """The user has not signed out since it began."""
        return member.signed_out_at is None or self.began_at > member.signed_out_at


class Sealed:
    """Small documents in cookies, encrypted for one purpose each: what is sealed for one opens for no other."""

    def __init__(self, settings: Settings) -> None:
        key = settings.session_key.get_secret_value()
        if len(key) < SHORTEST_KEY:
            raise NotReadyError(
                f"GREENROOM_SESSION_KEY must have at least {SHORTEST_KEY} characters",
                "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'",
            )
        self._root = key.encode()

    def seal(self, purpose: str, said: Mapping[str, Any]) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(self._key(purpose)).encrypt(nonce, to_json(said), purpose.encode())
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, purpose: str, text: str) -> dict[str, Any] | None:
        """What was sealed for this purpose; nothing for all else."""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            said = from_json(
                AESGCM(self._key(purpose)).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], purpose.encode())
            )
        except (InvalidTag, ValueError, binascii.Error):
            return None
        return said if isinstance(said, dict) else None

    def token(self, session: Session) -> str:
        """What a form of this session carries, and no other session's form can."""
        return hmac.new(self._key("form"), session.id.encode(), sha256).hexdigest()

    def _key(self, purpose: str) -> bytes:
        return hmac.new(self._root, f"greenroom/{purpose}".encode(), sha256).digest()


class Cookies:
    """Our two cookies: the session's, and the one that waits for somebody to come back from the provider."""

    def __init__(self, settings: Settings) -> None:
        self._sealed = Sealed(settings)
        self._secure = settings.web_url.startswith("https:")
        # The prefix has the browser refuse the cookie from any other host, and without TLS.
        prefix = "__Host-" if self._secure else ""
        self.session_name, self.state_name = f"{prefix}greenroom", f"{prefix}greenroom-state"

    def session(self, request: web.Request, now: datetime) -> Session | None:
        """The session of a request that has one that is not over."""
        said = self._read(request, self.session_name, "session")
        try:
            session = Session(str(said["i"]), str(said["t"]), str(said["u"]), _moment(said["b"]))
        except (KeyError, ValueError, TypeError, OverflowError):
            return None
        return session if -SKEW <= now - session.began_at <= LIVES else None

    def begin(self, response: web.Response, session: Session) -> None:
        said = {"i": session.id, "t": session.tenant_id, "u": session.user_id, "b": session.began_at.timestamp()}
        self._set(response, self.session_name, self._sealed.seal("session", said), LIVES)

    def end(self, response: web.Response) -> None:
        self._set(response, self.session_name, "", timedelta())

    def state(self, request: web.Request) -> dict[str, Any]:
        return self._read(request, self.state_name, "state")

    def keep_state(self, response: web.Response, said: Mapping[str, Any]) -> None:
        self._set(response, self.state_name, self._sealed.seal("state", said), STATE_LIVES)

    def drop_state(self, response: web.Response) -> None:
        self._set(response, self.state_name, "", timedelta())

    def token(self, session: Session) -> str:
        return self._sealed.token(session)

    def genuine(self, session: Session, token: str) -> bool:
        """The token of a form of this very session."""
        return hmac.compare_digest(self.token(session).encode(), token.encode("utf-8", "replace"))

    def _read(self, request: web.Request, name: str, purpose: str) -> dict[str, Any]:
        text = request.cookies.get(name, "")
        return (self._sealed.open(purpose, text) if len(text) <= LONGEST_COOKIE else None) or {}

    def _set(self, response: web.Response, name: str, value: str, lives: timedelta) -> None:
        """Lax: the browser sends it when the provider leads somebody back to us, and with nothing else from elsewhere."""
        response.set_cookie(
            name,
            value,
            max_age=int(lives.total_seconds()),
            path="/",
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )


def _moment(seconds: object) -> datetime:
    if not isinstance(seconds, int | float):
        raise TypeError("no moment")
    return datetime.fromtimestamp(seconds, UTC)
