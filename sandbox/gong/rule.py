"""The automation rule that tells of a call: a POST with a JWT in its Authorization, signed with a key of our own."""

import base64
import hashlib
import json
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LIVES = timedelta(minutes=5)
ANSWER_SECONDS = 10.0


class Rule:
    """`url` is where it sends; it is entered, like the key on the other side, by hand."""

    def __init__(self) -> None:
        self.url: str | None = None

    @cached_property
    def key(self) -> RSAPrivateKey:
        return generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_key(self) -> str:
        """As the rule's editor shows it: base64 without any armour."""
        written = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(written).decode()

    def signed(self, body: bytes, url: str, now: datetime, **claims: Any) -> str:
        said = {
            "webhook_url": url,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "iat": int(now.timestamp()),
            "exp": int((now + LIVES).timestamp()),
        }
        return jwt.encode({**said, **claims}, self.key, algorithm="RS256")

    async def tell(self, call: dict[str, Any], now: datetime, *, test: bool = False) -> int | None:
        """The status that came back; None when nobody was told, or nobody was there."""
        if self.url is None:
            return None
        body = json.dumps({"callData": call, "isTest": test}).encode()
        headers = {"authorization": self.signed(body, self.url, now), "content-type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        with suppress(aiohttp.ClientError, TimeoutError, ValueError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status
        return None
