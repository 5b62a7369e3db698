"""What arrived on channels: every message that was taken, in order, and nothing is sent on."""

import threading
from typing import Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.control import BadInputError

ROOT = "/sandbox/messages"


class Messages:
    """Safe across threads: whoever runs the sandbox in one of their own reads from another."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def keep(self, kind: str, to: str, text: str) -> int:
        """Its number, from 1."""
        with self._lock:
            number = len(self._kept) + 1
            received = self._clock.now().isoformat()
            self._kept.append({"n": number, "received": received, "kind": kind, "to": to, "text": text})
            return number

    def all(self, to: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(one) for one in self._kept if to in {None, one["to"]}]


class MessagesControl:
    """To be read: /sandbox/messages?to=4201. Wrong input is a 400 with one sentence."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def routes(self) -> list[web.RouteDef]:
        return [web.get(ROOT, self._all)]

    async def _all(self, request: web.Request) -> web.Response:
        if strange := set(request.query) - {"to"}:
            raise BadInputError(f"messages are asked for by `to` alone, not by {min(strange)!r:.50}.")
        return web.json_response({"messages": self._messages.all(request.query.get("to"))})
