"""What every HTTP provider needs: an answer read with bounds, and trusted with nothing."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from activities import errors
from activities.plain import clean

# The longest good answer is a few hundred kilobytes; whatever is longer is not one.
LONGEST_ANSWER = 4 * 1024 * 1024

# Of a text in an answer.
LONGEST_WORDS = 4000

LONGEST_URL = 2000

_ADDRESS = re.compile(r"https?://(?:[\w-]+\.)+[^\W\d][\w-]*(?::\d{1,5})?(?:[/?#][^\s<>\"\\`]*)?")


async def read_object(provider: str, response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The JSON object of an answer; anything else is nonsense."""
    if response.content_type != "application/json":
        raise errors.nonsense(provider, "something that is not JSON")
    return parse_object(provider, await read_bounded(provider, response))


async def read_bounded(provider: str, response: aiohttp.ClientResponse) -> bytes:
    """The whole body, unless it is far too long."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise errors.nonsense(provider, "far too much")
    return bytes(body)


def parse_object(provider: str, body: bytes) -> dict[str, Any]:
    """A JSON object from bytes. NaN, infinity and nesting without end are no JSON of ours."""
    try:
        value = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise errors.nonsense(provider, "JSON that cannot be read") from None
    if not isinstance(value, dict):
        raise errors.nonsense(provider, "JSON of another shape")
    return value


def storable(text: str) -> str:
    """Text as it came, but for what a database cannot store: an answer that is paid for is kept, whatever is in it."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


def tidy(value: Any) -> Any:
    """JSON whose every text a database can store and a person could read."""
    if isinstance(value, str):
        return clean(value, LONGEST_WORDS)
    if isinstance(value, list):
        return [tidy(one) for one in value]
    if isinstance(value, dict):
        return {clean(key, LONGEST_WORDS): tidy(one) for key, one in value.items()}
    return value


def web_address(url: str) -> str | None:
    """A page of the web: at a host with a name, spelt in ASCII so that it looks like no other's, without a user."""
    if len(url) > LONGEST_URL or clean(url, LONGEST_URL) != url or not _ADDRESS.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return None
    return parts._replace(netloc=f"{host}:{port}" if port else host).geturl()


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def error_kind(body: bytes) -> object:
    """The type in an error body of the shape {"error": {"type": ...}}, or nothing."""
    try:
        return json.loads(body)["error"]["type"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
