"""What every brand on the HTTP side has in common: a call comes in, an answer goes out."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, TypeAlias

Json: TypeAlias = Any
"""Whatever a JSON document can say."""

SERVER_ERROR = 500

JSON = {"content-type": "application/json"}


class RefusedError(Exception):
    """The brand will not serve this call, and says so in its own envelope."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param


@dataclass(frozen=True)
class Call:
    """One HTTP request. `path` is without the brand's prefix, `query` as it came; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""
    busy: int = 0
    """How many others of this brand were under way when it came."""

    def document(self) -> Json:
        """The body as JSON, or a 400."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise RefusedError(400, "The request body is not valid JSON.") from None

    def text(self) -> str:
        """All that a fault can be told apart by."""
        target = f"{self.path}?{self.query}" if self.query else self.path
        return f"{self.method} {target}\n{self.body.decode(errors='replace')}"

    def bearer(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class Answer:
    """What is to be sent, before any fault has touched it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    first: asyncio.Event | None = None
    """What happens before it goes out, if that does not take long."""

    @classmethod
    def of(cls, document: object, status: int = 200, **headers: str) -> Self:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(document, ensure_ascii=False).encode(errors="replace"), JSON | names)

    def having(self, **headers: str) -> Self:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **names})


class Brand(Protocol):
    """A provider's front. Unless it says so, it keeps no state between calls: the same call gets the same bytes."""

    name: str
    tricks: frozenset[str]
    """Fault kinds that only make sense in this brand's answers."""

    def answer(self, call: Call, trick: str | None) -> Answer: ...

    def error(self, status: int, message: str | None = None) -> Answer: ...

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        """How this call is refused when a fault says so. A reason is only ordered of brands that have reasons."""
        ...

    def about(self, call: Call) -> str | None:
        """A short label for the journal. Never raises."""
        ...


def tokens(text: str) -> int:
    """About what a tokenizer would count."""
    return max(1, len(text) // 4)
