"""Slack's incoming webhooks: one message to the channel that an address stands for. The address is the secret."""

import re
from collections.abc import Mapping
from datetime import timedelta

import aiohttp

from activities import errors
from activities.providers.http import read_bounded
from activities.ways import BlockedError

PATH = re.compile(r"/services(?:/[A-Za-z0-9]{1,40}){3}", re.ASCII)

# What they say when an address leads nowhere any more, and what we say of that.
BLOCKED = {
    "no_service": "the webhook was removed",
    "no_active_hooks": "the webhook was switched off",
    "no_service_id": "the webhook was removed",
    "invalid_token": "the webhook was removed",
    "no_team": "the workspace is gone",
    "team_disabled": "the workspace is gone",
    "user_not_found": "whoever it was for is gone",
    "channel_not_found": "the channel is gone",
    "channel_is_archived": "the channel is archived",
    "action_prohibited": "an administrator does not allow it",
    "posting_to_general_channel_denied": "an administrator does not allow it",
}
GONE = (403, 404, 410)


class Slack:
    """A Messenger. It goes to one host alone, wherever an address that was kept may lead. No retries of its own."""

    kind = "slack"

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, timeout_s: float = 10, sandbox: bool = False
    ) -> None:
        self._session = session
        self._base = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.sandbox = sandbox

    async def send(self, address: str, text: str) -> None:
        """Plain text: none of it is markup, and nobody is called by it."""
        message = {"text": _escaped(text), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
        try:
            async with self._session.post(
                self._known(address), json=message, timeout=self._timeout, allow_redirects=False
            ) as response:
                body = await read_bounded(self.kind, response)
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise errors.unreachable(self.kind, error) from None
        if status != 200:
            raise refused(status, body, headers)
        if body.strip() != b"ok":
            raise errors.nonsense(self.kind, "an answer of another shape")

    def _known(self, kept: str) -> str:
        try:
            return address(kept, self._base)
        except ValueError:
            raise BlockedError("its address is none of a webhook here") from None


def address(text: str, base_url: str) -> str:
    """A webhook's, of that host alone; ValueError says what is wrong with it, without quoting it."""
    text, base = text.strip(), base_url.rstrip("/")
    if not text.startswith(base) or not PATH.fullmatch(text.removeprefix(base)):
        raise ValueError(f"A webhook's address looks like {base}/services/T000/B000/XXXX")
    return text


def refused(status: int, body: bytes, headers: Mapping[str, str]) -> Exception:
    """What to do about an answer that is not a good one: its body is a word."""
    said = body[:100].decode(errors="replace").strip()
    if status in GONE and said in BLOCKED:
        return BlockedError(BLOCKED[said])
    return errors.answered(Slack.kind, status, said, headers, timedelta(seconds=1))


def _escaped(text: str) -> str:
    """What they take for markup, as they want it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
