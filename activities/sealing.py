"""Secrets at rest: encrypted with a named key, bound to the row that holds them.

"id:key,id:key" ─▶ Sealer ─▶ seal: key id and ciphertext ─▶ open, by whichever key has that id
"""

import base64
import binascii
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32
TOKEN_KEYS = "GREENROOM_TOKEN_KEYS"  # noqa: S105 - the name of a setting


class SealError(Exception):
    """What was sealed cannot be opened: another key, another row, or damage."""


@dataclass(frozen=True)
class Sealed:
    """A ciphertext, and the id of the key that opens it."""

    key_id: str
    data: bytes


class Sealer:
    """AES-256-GCM with the keys of a setting; the first seals what is new."""

    def __init__(self, keys: str, setting: str = TOKEN_KEYS) -> None:
        self._setting = setting
        self._keys = dict(_key(entry, setting) for entry in keys.split(",") if entry.strip())
        if not self._keys:
            raise ValueError(f"{setting} is not set; make one with: greenroom keys new")
        self.current = next(iter(self._keys))

    def seal(self, secret: bytes, row: str) -> Sealed:
        """For one row: elsewhere it does not open."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = AESGCM(self._keys[self.current])
        return Sealed(self.current, nonce + cipher.encrypt(nonce, secret, _bound(self.current, row)))

    def open(self, sealed: Sealed, row: str) -> bytes:
        """What was sealed for this row."""
        key = self._keys.get(sealed.key_id)
        if key is None:
            raise SealError(f"there is no key {sealed.key_id!r} in {self._setting}")
        nonce, data = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, data, _bound(sealed.key_id, row))
        except (InvalidTag, ValueError):
            raise SealError(f"the key {sealed.key_id!r} does not open it") from None


def new_key() -> str:
    """A key with an id that tells when it was made."""
    return f"k{datetime.now(UTC):%Y%m%d%H%M%S}:{base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _key(entry: str, setting: str) -> tuple[str, bytes]:
    name, _, text = entry.strip().partition(":")
    try:
        key = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        key = b""
    if not name or len(key) != KEY_BYTES:
        raise ValueError(f"{setting} must be id:key,id:key with keys of 32 bytes in base64")
    return name, key


def _bound(key_id: str, row: str) -> bytes:
    return f"greenroom/{key_id}/{row}".encode()
