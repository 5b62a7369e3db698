"""What a skill's run needs of the world. Each port has one real thing, and a twin in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from activities.ports import Seller, Size, Usage
from activities.spending import Purchase
from schemas.base import RowId, TenantId
from schemas.skills import Skill, SkillDone, SkillFailure, SkillStanding, SkillStep, SkillTold


@dataclass(frozen=True)
class Folder:
    """A skill as it lies there: what its front matter says, its instructions, and its other files by their paths."""

    skill: Skill
    instructions: str
    files: Mapping[str, bytes] = field(hash=False)


class Shelf(Protocol):
    """Where skills lie. Raises only what `errors` makes; UnfitSkillError (activities/skills/folders.py) for a folder
    that is no skill."""

    async def names(self) -> tuple[str, ...]: ...
    async def folder(self, name: str) -> Folder | None:
        """Nothing when there is no such skill."""
        ...


@dataclass(frozen=True)
class ToolKind:
    """A tool as a model is told of it."""

    name: str
    description: str
    schema: dict[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Turn:
    """What one side says: blocks as the provider's API has them: text, tool_use, tool_result."""

    role: str
    blocks: tuple[dict[str, Any], ...] = field(hash=False)


@dataclass(frozen=True)
class Conversation:
    """All that a model is told before its next answer."""

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolKind, ...] = ()
    most_tokens: int = 4000
    # Tools are told of, since there were some, and may not be used any more.
    closing: bool = False


@dataclass(frozen=True)
class ToolCall:
    id: str
    name: str
    input: dict[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Reply:
    """An answer: its text, the tools that it asks for, and why it stopped. Without `usage` its provider told none."""

    text: str
    calls: tuple[ToolCall, ...]
    stopped: str
    model: str
    usage: Usage | None


class Talker(Seller, Protocol):
    """Converses. Raises only what `errors` makes; a poor answer is an answer. `hear` is given each piece of text as it
    comes."""

    def named(self, model: str) -> "Talker":
        """The same, by another model of its provider's; the usual one for an empty name."""
        ...

    def size(self, conversation: Conversation) -> Size: ...
    async def say(self, conversation: Conversation, hear: Callable[[str], None]) -> Reply: ...


@dataclass(frozen=True)
class KeptReply:
    """An answer that was paid for, by the hash of all that was said before it."""

    asked: str
    reply: Reply


@dataclass(frozen=True)
class BoughtBy:
    """Who answered, and in which run it was bought."""

    provider: str
    workflow_id: str
    run_id: str
    sandbox: bool


@dataclass(frozen=True)
class Task:
    """What is to be done: the skill, what its user says, and what we know of whom it is about, as text."""

    user_id: RowId
    version: int
    skill: str
    message: str
    inputs: dict[str, Any] = field(hash=False)
    client: str = ""
    meeting: str = ""
    # Answers of this run that are paid for.
    kept: Mapping[str, Reply] = field(default_factory=dict, hash=False)
    # It is written already: only to be put away.
    written: bool = False


@dataclass(frozen=True)
class Written:
    """The text of an output, and what it took."""

    title: str
    text: str
    format: str
    skill_version: str
    tokens_in: int
    tokens_out: int
    sandbox: bool


class Runs(Protocol):
    """The rows of runs. A run that has ended raises errors.superseded, but for what says otherwise."""

    async def begin(self, step: SkillStep, *, sandbox: bool) -> Task:
        """Somebody has come to it: it is running from now on, if it was not. Safe to run twice."""
        ...

    async def draft(self, step: SkillStep, text: str) -> None:
        """What has been written so far."""
        ...

    async def keep(self, step: SkillStep, kept: KeptReply, purchase: Purchase, by: BoughtBy) -> None:
        """Keeps an answer and settles it. Safe to run twice."""
        ...

    async def write(self, step: SkillStep, written: Written) -> None:
        """The text stands in its row until it is put away."""
        ...

    async def written(self, step: SkillStep) -> Written | None: ...
    async def finish(self, step: SkillStep, written: Written, object_key: str) -> SkillDone:
        """The output, the end of the run, and the event that says so. Safe to run twice: how it ended is told again."""
        ...

    async def done(self, step: SkillStep) -> SkillDone | None:
        """How it ended, if it has."""
        ...

    async def fail(self, failure: SkillFailure) -> SkillDone:
        """Safe to run twice; a run that has ended stays as it is."""
        ...

    async def standing(self, step: SkillStep) -> SkillStanding: ...
    async def slow(self, step: SkillStep) -> SkillTold | None:
        """That it is slow is noted once; nothing when it was, or has ended."""
        ...


class Library(Protocol):
    """What skills may read: of one tenant, as text. Nothing when there is no such thing of that tenant's."""

    async def briefs(self, tenant_id: TenantId, user_id: RowId) -> str: ...
    async def brief(self, tenant_id: TenantId, user_id: RowId, brief_id: RowId) -> str | None: ...
    async def calls(self, tenant_id: TenantId, user_id: RowId) -> str: ...
    async def call(self, tenant_id: TenantId, user_id: RowId, call_id: RowId) -> str | None: ...
    async def documents(self, tenant_id: TenantId, user_id: RowId) -> str: ...
    async def document(self, tenant_id: TenantId, user_id: RowId, document_id: RowId) -> str | None: ...
