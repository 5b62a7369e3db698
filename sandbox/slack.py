"""Slack's incoming webhooks: POST /services/T.../B.../... with a text. Every address is there; what arrives is kept.

Stricter than the real one: a field it does not know is `invalid_payload`.
"""

import html
import re

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.brand import Answer, Call, RefusedError
from sandbox.messages import Messages

PATH = re.compile(r"/services/T[A-Z0-9]*/B[A-Z0-9]*/[A-Za-z0-9]+")
TEXT = {"content-type": "text/html"}
LONGEST = 40_000

REFUSALS = {
    "no_service": 404,
    "channel_not_found": 404,
    "channel_is_archived": 410,
    "action_prohibited": 403,
    "invalid_payload": 400,
    "rollup_error": 500,
}
WORDS = {400: "invalid_payload", 403: "action_prohibited", 404: "no_service", 410: "channel_is_archived"}


class Message(BaseModel):
    """The fields that we pretend."""

    model_config = ConfigDict(extra="forbid")

    text: str
    mrkdwn: bool = True
    unfurl_links: bool = True
    unfurl_media: bool = True


class Slack:
    """Faults of its own are the words that it refuses with."""

    name = "slack"
    tricks = frozenset(REFUSALS)

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def about(self, call: Call) -> str | None:
        return None

    def error(self, status: int, message: str | None = None) -> Answer:
        said = message or WORDS.get(status, "rate_limited" if status == 429 else "rollup_error")
        return Answer(status, said.encode(), TEXT)

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        if trick in REFUSALS:
            return self.error(REFUSALS[trick], trick)
        try:
            return self._taken(call)
        except RefusedError as refused:
            return self.error(refused.status, refused.message)

    def _taken(self, call: Call) -> Answer:
        if not PATH.fullmatch(call.path):
            raise RefusedError(404, "no_service")
        if call.method != "POST":
            raise RefusedError(400, "http_method_not_post")
        try:
            message = Message.model_validate(call.document())
        except (ValidationError, RefusedError):
            raise RefusedError(400, "invalid_payload") from None
        if not message.text.strip():
            raise RefusedError(400, "no_text")
        if len(message.text) > LONGEST:
            raise RefusedError(400, "msg_too_long")
        self._messages.keep(self.name, call.path, html.unescape(message.text))
        return Answer(200, b"ok", TEXT)
