"""The outside world, as more than one feature needs it. Each port has one real thing per brand and a twin in tests."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol


@dataclass(frozen=True)
class Question:
    """What is asked of a web search: the task in our words, the subject as data, the shape of the answer.

    `asked` is a hash of all that decides the answer, so that the same question is paid for once.
    """

    name: str
    system: str
    user: str
    schema: dict[str, Any]
    asked: str


@dataclass(frozen=True)
class Source:
    """One search result, as returned: its own words, never a model's."""

    url: str
    title: str
    text: str
    published: date | None = None


@dataclass(frozen=True)
class Usage:
    """What a call cost: the provider's own count of tokens, and millionths of a US dollar."""

    input_tokens: int
    output_tokens: int
    cost_micro_usd: int


@dataclass(frozen=True)
class SearchAnswer:
    """Sources, and what a model made of them: `said` is empty when it could not be read."""

    sources: tuple[Source, ...]
    said: dict[str, Any]
    model: str
    usage: Usage


@dataclass(frozen=True)
class ModelAnswer:
    """What a language model wrote, as text, and why it stopped: "end_turn" is the only good reason."""

    text: str
    stopped: str
    model: str
    usage: Usage


@dataclass(frozen=True)
class Prompt:
    """A task for a language model: `system` is ours, `material` is data, `schema` is what must come back."""

    system: str
    material: str
    schema: dict[str, Any] = field(hash=False)
    asked: str = ""


class WebSearch(Protocol):
    """Answers with sources. Raises only what `errors` makes."""

    name: str
    sandbox: bool

    async def ask(self, question: Question) -> SearchAnswer: ...


class LanguageModel(Protocol):
    """Writes. Has no tools. Raises only what `errors` makes; a poor answer is an answer."""

    name: str
    sandbox: bool

    async def write(self, prompt: Prompt) -> ModelAnswer: ...
