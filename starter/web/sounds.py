"""Audio as players ask for it: any stretch of it, read from its store no faster than it is taken.

request ─▶ which bytes of it ─▶ the first of them, or 404 ─▶ an answer that reads the others as it is taken
"""

import hashlib
from collections.abc import AsyncIterator

from aiohttp import web

from schemas.digests import Sound
from starter.web.answers import POLICY, plain
from starter.web.ports import Sounds

# What is read from the store at once, and what a listener must take within the time of `Bounds.answer_s`: that one is
# small, because a player that has heard enough for now takes nothing.
PART = 512 * 1024
SIP = 64 * 1024
KIND = "audio/mpeg"
# Kept by the player alone, and asked about before it is heard again: whose session is over hears nothing.
KEPT = "private, no-cache"
# A browser that opens the audio by itself makes a page around it.
HEARD = f"{POLICY}; media-src 'self'"


class Silence:
    """No audio is kept anywhere."""

    async def part(self, _key: str, _start: int, _end: int) -> bytes | None:
        return None


async def heard(request: web.Request, sounds: Sounds, sound: Sound) -> web.Response:
    """The audio, or as much of it as is asked for."""
    tag = tag_of(sound.key)
    told = {"Accept-Ranges": "bytes", "ETag": tag, "Cache-Control": KEPT, "Content-Security-Policy": HEARD}
    if known(request, tag):
        return web.Response(status=304, headers=told)
    stretch = _wanted(request, tag)
    start, end, _ = stretch.indices(sound.size)
    if start >= end:
        return plain(request, 416, {"Content-Range": f"bytes */{sound.size}"})
    first = await sounds.part(sound.key, start, min(end, start + PART))
    if not first:
        return plain(request, 404)
    told |= {"Content-Length": str(end - start), "Content-Type": KIND}
    if stretch == slice(None):
        return web.Response(body=_sips(sounds, sound.key, first, start, end), headers=told)
    told["Content-Range"] = f"bytes {start}-{end - 1}/{sound.size}"
    return web.Response(status=206, body=_sips(sounds, sound.key, first, start, end), headers=told)


def tag_of(*said: str) -> str:
    """The same for the same content."""
    hashed = hashlib.sha256("\0".join(said).encode()).hexdigest()
    return f'"{hashed[:32]}"'


def known(request: web.Request, tag: str) -> bool:
    """Whoever asks has it already."""
    return any(f'"{one.value}"' == tag or one.value == "*" for one in request.if_none_match or ())


def _wanted(request: web.Request, tag: str) -> slice:
    """The bytes that are asked for: all of them, when that cannot be read, or is about what was there before."""
    if request.headers.get("If-Range", tag) != tag:
        return slice(None)
    try:
        asked = request.http_range
    except ValueError:
        return slice(None)
    return slice(asked.start, asked.stop) if asked.start is not None else slice(None)


async def _sips(sounds: Sounds, key: str, first: bytes, start: int, end: int) -> AsyncIterator[bytes]:
    """An object that ends too early breaks the connection off: otherwise its listener waits for the rest."""
    part, at = first, start
    while at < end:
        if not part:
            raise ConnectionError("the audio ends too early")
        for sip in range(0, len(part), SIP):
            yield part[sip : sip + SIP]
        at += len(part)
        part = await sounds.part(key, at, min(end, at + PART)) or b"" if at < end else b""
