"""Telegram's Bot API: one message to one chat. The bot's token is in the address, so no address is ever told."""

import html
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
from temporalio.exceptions import ApplicationError

from activities import errors
from activities.providers.http import parse_object, read_bounded
from activities.ways import BlockedError, MovedError

# A chat by its number; a group's is negative. A public channel has a name beside, and everybody reads it.
ADDRESS = re.compile(r"-?[1-9][0-9]{0,18}", re.ASCII)

# What they say when a chat takes nothing of ours any more, and what we say of that. Of 403 the last stands for the rest.
BLOCKED = {
    "bot was blocked": "the bot was blocked there",
    "user is deactivated": "the account is deactivated",
    "kicked": "the bot was removed from the group",
    "not a member": "the bot is no member of it",
    "can't initiate": "nobody there has begun a conversation with the bot",
    "group chat was deactivated": "the group is closed",
    "chat not found": "there is no such chat, or nobody there has begun a conversation with the bot",
    "user not found": "there is no such chat",
    "peer_id_invalid": "there is no such chat",
    "rights to send": "the bot may not write there",
    "administrator rights": "the bot may not write there",
    "chat_write_forbidden": "the bot may not write there",
}
FORBIDDEN = "the bot may not write there"
CANT_PARSE = "can't parse entities"


class _UnparsedError(Exception):
    """Our text was taken for markup that is none."""


class Telegram:
    """A Messenger. No retries of its own, but for what they ask for."""

    kind = "telegram"

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, token: str, timeout_s: float = 10, sandbox: bool = False
    ) -> None:
        self._session = session
        self._base = f"{base_url.rstrip('/')}/bot{quote(token, safe=':')}"
        # Of all that one message takes.
        self._timeout = aiohttp.ClientTimeout(total=timeout_s / 2)
        self.sandbox = sandbox

    async def send(self, address: str, text: str) -> None:
        """Plain text: none of it is markup."""
        message = {"chat_id": int(address), "link_preview_options": {"is_disabled": True}}
        try:
            await self._call("sendMessage", {**message, "text": html.escape(text, quote=False), "parse_mode": "HTML"})
        except _UnparsedError:
            await self._plainly({**message, "text": text})

    async def who(self) -> str:
        """The name of the bot; raises what `errors` makes when the token is none."""
        result = await self._call("getMe", {})
        name = result.get("username")
        if not isinstance(name, str) or not errors.is_word(name):
            raise errors.nonsense(self.kind, "a bot without a name")
        return name

    async def _plainly(self, message: dict[str, Any]) -> None:
        try:
            await self._call("sendMessage", message)
        except _UnparsedError:
            raise errors.impossible(self.kind, "it does not take plain text") from None

    async def _call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            async with self._session.post(
                f"{self._base}/{method}", json=request, timeout=self._timeout, allow_redirects=False
            ) as response:
                body = await read_bounded(self.kind, response)
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise errors.unreachable(self.kind, error) from None
        if status != 200:
            raise refused(status, body, headers)
        said = parse_object(self.kind, body)
        if said.get("ok") is not True or not isinstance(said.get("result"), dict):
            raise errors.nonsense(self.kind, "an answer of another shape")
        result: dict[str, Any] = said["result"]
        return result


def address(text: str) -> str:
    """A chat's, as it is written; ValueError says what is wrong with it."""
    text = text.strip()
    if not ADDRESS.fullmatch(text):
        raise ValueError(
            "A chat is a number such as 123456789 or -1001234567890: what has an @name is read by everybody"
        )
    return text


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> Exception:
    """What to do about an answer that is not a good one."""
    description, parameters = _said(body)
    if status == 400 and (moved := _number(parameters.get("migrate_to_chat_id"))):
        return MovedError(str(moved))
    if status == 400 and CANT_PARSE in description:
        return _UnparsedError()
    why = next((ours for theirs, ours in BLOCKED.items() if theirs in description), "")
    if status == 403 or (status == 400 and why):
        return BlockedError(why or FORBIDDEN)
    if status == 429 and (wait := _number(parameters.get("retry_after"))) and wait > 0:
        headers = {"retry-after": str(wait)}
    return errors.answered(Telegram.kind, status, None, headers, timedelta(seconds=1))


def _said(body: bytes) -> tuple[str, dict[str, Any]]:
    """Of {"ok": false, "description": ..., "parameters": {...}}."""
    try:
        said = parse_object(Telegram.kind, body)
    except ApplicationError:
        return "", {}
    description, parameters = said.get("description"), said.get("parameters")
    return (
        description.lower() if isinstance(description, str) else "",
        parameters if isinstance(parameters, dict) else {},
    )


def _number(value: object) -> int | None:
    """A number that may be a chat's, or a wait in seconds."""
    return value if type(value) is int and 0 < abs(value) < 10**18 else None
