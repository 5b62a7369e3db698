"""Links: the one that lets somebody into a brief, the one to a user's feed, and those that lead out.

brief ─▶ token: tenant, brief, when it was signed ─▶ a link in a mail ─▶ read ─▶ the tenant, or nothing
user  ─▶ token: tenant, user, which of their addresses ─▶ a podcast app ─▶ read ─▶ whose feed, or nothing
"""

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlsplit
from uuid import UUID

from itsdangerous import BadData, Signer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from activities.people import SHORTEST_KEY
from schemas.base import RowId, TenantId
from schemas.settings import Settings
from starter.words import NotReadyError

SALT = "brief"
FEED = "feed"
SIGNER = {"digest_method": staticmethod(hashlib.sha256), "key_derivation": "hmac"}


class Links:
    """Signed links to briefs. One opens one brief of one tenant, for as many days as the settings say."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self._signed = URLSafeTimedSerializer(_key(settings), salt=SALT, signer_kwargs=SIGNER)
        self._base = settings.web_url.rstrip("/")
        self._lives = timedelta(days=settings.link_days).total_seconds()
        self._now = now

    def brief(self, tenant_id: TenantId, brief_id: RowId) -> str:
        """The address of a brief, for whoever holds it."""
        return f"{self._base}/briefs/{brief_id}?t={self._signed.dumps([tenant_id, brief_id])}"

    def read(self, token: str, brief_id: str) -> TenantId | None:
        """The tenant whose brief this token opens; nothing when it is forged, expired or another brief's."""
        tenant_id, age = self._opened(token, brief_id)
        return tenant_id if age <= self._lives else None

    def expired(self, token: str, brief_id: str) -> bool:
        """We signed it, for this brief, too long ago."""
        _, age = self._opened(token, brief_id)
        return age > self._lives

    def _opened(self, token: str, brief_id: str) -> tuple[TenantId | None, float]:
        """What we signed for this brief, and how many seconds ago."""
        try:
            said, signed_at = self._signed.loads(token, return_timestamp=True)
        except (BadData, ValueError):
            return None, 0.0
        match said:
            case [str(tenant_id), str(signed_for)] if signed_for == brief_id:
                return tenant_id, self._now() - signed_at.timestamp()
        return None, 0.0


@dataclass(frozen=True)
class Listener:
    """Whose feed an address opens, and which of their addresses it is."""

    tenant_id: TenantId
    user_id: RowId
    version: int


class FeedLinks:
    """Addresses of feeds. Each is a secret of one user's; it lasts until they have another."""

    def __init__(self, settings: Settings) -> None:
        self._signer = Signer(_key(settings), salt=FEED, digest_method=hashlib.sha256, key_derivation="hmac")
        self._base = f"{settings.web_url.rstrip('/')}/feeds"

    def feed(self, listener: Listener) -> str:
        return f"{self._base}/{self._token(listener)}.xml"

    def episode(self, listener: Listener, digest_id: RowId) -> str:
        return f"{self._base}/{self._token(listener)}/{digest_id}.mp3"

    def read(self, token: str) -> Listener | None:
        """Whose it is; nothing when we did not sign it."""
        try:
            packed = base64_decode(self._signer.unsign(token))
            tenant, user, version = packed[:16], packed[16:32], int.from_bytes(packed[32:])
            return Listener(str(UUID(bytes=tenant)), str(UUID(bytes=user)), version)
        except (BadData, ValueError):
            return None

    def _token(self, listener: Listener) -> str:
        """Short, because people copy it: the bytes of its ids, and a signature."""
        ids = UUID(listener.tenant_id).bytes + UUID(listener.user_id).bytes
        return self._signer.sign(base64_encode(ids + listener.version.to_bytes(4))).decode()


def _key(settings: Settings) -> str:
    key = settings.link_key.get_secret_value()
    if len(key) < SHORTEST_KEY:
        raise NotReadyError(
            f"GREENROOM_LINK_KEY must have at least {SHORTEST_KEY} characters",
            "make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'",
        )
    return key


@dataclass(frozen=True)
class Outside:
    """A page of somebody else's that may be linked: `url` in ASCII, `host` as it is shown."""

    url: str
    host: str


LONGEST_URL = 2000
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII)
# What may stand in an address as it is; everything else goes as %XX, so that no address ends early in HTML or Markdown.
_PLAIN = "/?#:;,=&+$%.~-_"


def outside(url: str) -> Outside | None:
    """The link that a source's address may become: http or https, to a host that is named; nothing for all else."""
    if len(url) > LONGEST_URL or re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    rest = parts._replace(scheme="", netloc="").geturl()
    where = f"{host}:{port}" if port else host
    clean = quote(rest, safe=_PLAIN, errors="replace")
    return Outside(f"{parts.scheme}://{where}{clean}", host.removeprefix("www."))
