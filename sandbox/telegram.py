"""Telegram's Bot API: POST /bot<TOKEN>/sendMessage and /getMe. Every chat is there; what arrives in one is kept.

Stricter than the real one: a field it does not know is a 400 that names it. Like the real one it says in its body how
long a bot is to wait, and it takes no markup that it cannot read.
"""

import html
import json
import re
from dataclasses import replace
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.brand import SERVER_ERROR, Answer, Call, Json, RefusedError
from sandbox.messages import Messages

PATH = re.compile(r"/bot(?P<token>[^/]*)/(?P<method>[A-Za-z]+)")
LONGEST = 4096
TAGS = re.compile(
    r"</?(?:b|strong|i|em|u|ins|s|strike|del|code|pre|blockquote|tg-spoiler)>|<a href=\"[^\"<>]*\">|</a>", re.ASCII
)
ENTITIES = re.compile(r"&(?!(?:amp|lt|gt|quot|#[0-9]+|#x[0-9a-fA-F]+);)")

REFUSALS = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "kicked": (403, "Forbidden: bot was kicked from the supergroup chat"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "chat_not_found": (400, "Bad Request: chat not found"),
    "cant_parse": (400, 'Bad Request: can\'t parse entities: Unsupported start tag "b" at byte offset 0'),
}
ME = {"id": 4200, "is_bot": True, "first_name": "Greenroom (fictional)", "username": "greenroom_sandbox_bot"}
DESCRIPTIONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Preview(Strict):
    is_disabled: bool = False


class Message(Strict):
    """The fields that we pretend."""

    chat_id: int | str
    text: str
    parse_mode: Literal["HTML"] | None = None
    link_preview_options: Preview = Field(default_factory=Preview)
    disable_notification: bool = False


class Refusal(Answer):
    """An answer that says in its body when to come again."""

    def having(self, **headers: str) -> Self:
        if not (wait := headers.pop("retry_after", "")).isdecimal():
            return super().having(**headers)
        said = json.loads(self.body) | {"parameters": {"retry_after": int(wait)}}
        said["description"] = f"Too Many Requests: retry after {int(wait)}"
        return replace(self, body=json.dumps(said).encode())


class Telegram:
    """Faults of its own: blocked, kicked, deactivated, chat_not_found, cant_parse (what has markup), migrate."""

    name = "telegram"
    tricks = frozenset({*REFUSALS, "migrate"})

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def about(self, call: Call) -> str | None:
        try:
            return f"chat {_message(call).chat_id}"
        except RefusedError:
            return None

    def error(self, status: int, message: str | None = None, parameters: Json = None) -> Answer:
        usual = DESCRIPTIONS.get(status, "Internal Server Error" if status >= SERVER_ERROR else "Bad Request")
        said = {"ok": False, "error_code": status, "description": message or usual}
        refused = Answer.of(said | ({"parameters": parameters} if parameters else {}), status)
        return Refusal(refused.status, refused.body, refused.headers)

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        return self.error(status)

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            if _admit(call) == "sendMessage":
                return self._send(_message(call), trick)
            return _ok(ME)
        except RefusedError as refused:
            return self.error(refused.status, refused.message)

    def _send(self, message: Message, trick: str | None) -> Answer:
        if trick == "migrate":
            moved = {"migrate_to_chat_id": int(f"-100{str(message.chat_id).strip('-@')}")}
            return self.error(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        if trick in REFUSALS and (trick != "cant_parse" or message.parse_mode):
            return self.error(*REFUSALS[trick])
        text = _read(message)
        if not text.strip():
            raise RefusedError(400, "Bad Request: message text is empty")
        # They count as UTF-16 does.
        if len(text.encode("utf-16-le", errors="replace")) // 2 > LONGEST:
            raise RefusedError(400, "Bad Request: message is too long")
        number = self._messages.keep(self.name, str(message.chat_id), text)
        return _ok({"message_id": number, "date": 0, "chat": {"id": message.chat_id, "type": "private"}, "text": text})


def _admit(call: Call) -> str:
    """The method that is wanted, by whoever may ask."""
    asked = PATH.fullmatch(call.path)
    if asked is None:
        raise RefusedError(404, "Not Found")
    if not asked["token"].startswith("sandbox"):
        raise RefusedError(401, "Unauthorized: use a token of the sandbox")
    if asked["method"] not in {"getMe", "sendMessage"}:
        raise RefusedError(404, "Not Found: method not found")
    return asked["method"]


def _message(call: Call) -> Message:
    try:
        return Message.model_validate(call.document())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(400, f"Bad Request: {where}: {first['msg']}") from None


def _read(message: Message) -> str:
    """The text as it is shown."""
    if message.parse_mode is None:
        return message.text
    bare = TAGS.sub("", message.text)
    if found := re.search(r"[<>]", bare) or ENTITIES.search(bare):
        raise RefusedError(
            400, f"Bad Request: can't parse entities: unexpected character at byte offset {found.start()}"
        )
    return html.unescape(bare)


def _ok(result: Json) -> Answer:
    return Answer.of({"ok": True, "result": result})
