"""Tokens that only say something to us: what is in them, and a seal."""

import base64
import binascii
import hashlib
import hmac
import json

from sandbox.brand import Json

SEAL = 9


def sealed(secret: str, content: dict[str, Json]) -> str:
    text = json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(secret, text) + text).decode()


def opened(secret: str, token: str) -> dict[str, Json] | None:
    """What was put in, or None when the token is not ours."""
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except (ValueError, binascii.Error):
        return None
    if not hmac.compare_digest(raw[:SEAL], _seal(secret, raw[SEAL:])):
        return None
    content: dict[str, Json] = json.loads(raw[SEAL:])
    return content


def _seal(secret: str, text: bytes) -> bytes:
    return hmac.digest(secret.encode(), text, hashlib.sha256)[:SEAL]
