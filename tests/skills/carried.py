"""Twins for carrying out a skill: a run in memory, a model that says what it is told to, a shelf, and what may be read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from activities import errors
from activities.pacing import Pacing
from activities.ports import Size, Usage
from activities.seats import Seats
from activities.skills import SkillActivities, folders
from activities.skills.ports import BoughtBy, Conversation, Folder, KeptReply, Reply, Task, ToolCall, Written
from activities.spending import Purchase, Treasurer
from schemas.budgets import Price
from schemas.skills import RunStatus, SkillDone, SkillFailure, SkillStanding, SkillStep, SkillTold
from tests.digests.voices import Chairs
from tests.fakes import CAPS, FakeLedger

TENANT, RUN, USER, BRIEF, FOREIGN, DOCUMENT = (f"7c0b6a1e-0000-4000-8000-00000000000{n}" for n in range(1, 7))
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
STEP = SkillStep(tenant_id=TENANT, run_id=RUN, temporal_run_id="r", now=NOW)
PRICES = {"talker/m": Price(input_usd=3, output_usd=15), "talker/known": Price(input_usd=3, output_usd=15)}
TOKENS = Usage(100, 20, 600)


def skill_md(name: str = "drill", front: str = "", instructions: str = "# Drill\n\nWrite something.") -> bytes:
    return f"---\nname: {name}\ndescription: Drills.\n{front}\n---\n\n{instructions}\n".encode()


def folder(front: str = "", **files: str) -> Folder:
    others = {f"{name}.md": text.encode() for name, text in files.items()}
    return folders.parse("drill", {"SKILL.md": skill_md(front=front), **others})


def said(text: str, stopped: str = "end_turn") -> Reply:
    return Reply(text=text, calls=(), stopped=stopped, model="m", usage=TOKENS)


def wants(tool: str, text: str = "", **given: str) -> Reply:
    return Reply(text, (ToolCall("toolu_1", tool, dict(given)),), "tool_use", "m", TOKENS)


@dataclass
class RunTwin:
    """One run's row."""

    task: Task = field(
        default_factory=lambda: Task(user_id=USER, version=1, skill="drill", message="Please drill me.", inputs={})
    )
    kept: dict[str, Reply] = field(default_factory=dict)
    bought: list[tuple[KeptReply, Purchase, BoughtBy]] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    text: Written | None = None
    ended: SkillDone | None = None
    begun: int = 0
    # Somebody ended it while it was being put away.
    taken_away: Exception | None = None
    # So many drafts cannot be written.
    undraftable: int = 0
    lost: list[str] = field(default_factory=list)

    async def begin(self, step: SkillStep, *, sandbox: bool) -> Task:
        assert step == STEP and sandbox
        self.begun += 1
        return replace(self.task, kept=dict(self.kept), written=self.text is not None)

    async def draft(self, step: SkillStep, text: str) -> None:
        if self.undraftable:
            self.undraftable -= 1
            self.lost.append(text)
            raise errors.database_failed(None)
        self.drafts.append(text)

    async def keep(self, step: SkillStep, kept: KeptReply, purchase: Purchase, by: BoughtBy) -> None:
        self.kept[kept.asked] = kept.reply
        self.bought.append((kept, purchase, by))

    async def write(self, step: SkillStep, written: Written) -> None:
        self.text = written

    async def written(self, step: SkillStep) -> Written | None:
        return self.text

    async def finish(self, step: SkillStep, written: Written, object_key: str) -> SkillDone:
        if self.taken_away is not None:
            raise self.taken_away
        if self.ended is None:
            self.ended = SkillDone(run_id=RUN, status=RunStatus.COMPLETED, s3_key=object_key)
        return self.ended

    async def done(self, step: SkillStep) -> SkillDone | None:
        return self.ended

    async def fail(self, failure: SkillFailure) -> SkillDone:
        self.ended = self.ended or SkillDone(run_id=RUN, status=RunStatus.FAILED)
        return self.ended

    async def standing(self, step: SkillStep) -> SkillStanding:
        return SkillStanding(status=RunStatus.RUNNING, started_at=NOW)

    async def slow(self, step: SkillStep) -> SkillTold | None:
        return None


@dataclass
class Parrot:
    """Says what it is told to, one answer after the other; an error is raised. `while_talking` happens meanwhile."""

    says: list[Reply | Exception] = field(default_factory=list)
    heard: list[Conversation] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    while_talking: Callable[[Callable[[str], None]], object] | None = None
    name: str = "talker"
    model: str = "m"
    sandbox: bool = True

    def named(self, model: str) -> "Parrot":
        return replace(self, model=model or self.model)

    def size(self, conversation: Conversation) -> Size:
        return Size(1, conversation.most_tokens)

    async def say(self, conversation: Conversation, hear: Callable[[str], None]) -> Reply:
        self.heard.append(conversation)
        self.models.append(self.model)
        reply = self.says.pop(0) if self.says else said("# Drilled\n\nThat was it.")
        if isinstance(reply, Exception):
            raise reply
        hear(reply.text)
        if self.while_talking is not None:
            await self.while_talking(hear)  # type: ignore[misc]
        return reply


@dataclass
class LibraryTwin:
    """What is there of one tenant."""

    read: list[tuple[str, str, str]] = field(default_factory=list)
    texts: Mapping[str, str] = field(default_factory=lambda: {BRIEF: "Ada Marsh runs planning in Halden."})

    async def briefs(self, tenant_id: str, user_id: str) -> str:
        self.read.append((tenant_id, user_id, "briefs"))
        return "\n".join(f"{one}: a brief" for one in self.texts)

    async def brief(self, tenant_id: str, user_id: str, brief_id: str) -> str | None:
        self.read.append((tenant_id, user_id, brief_id))
        return self.texts.get(brief_id)

    async def calls(self, tenant_id: str, user_id: str) -> str:
        self.read.append((tenant_id, user_id, "calls"))
        return ""

    async def call(self, tenant_id: str, user_id: str, call_id: str) -> str | None:
        self.read.append((tenant_id, user_id, call_id))
        return None

    async def documents(self, tenant_id: str, user_id: str) -> str:
        self.read.append((tenant_id, user_id, "documents"))
        return f"{DOCUMENT}: a document"

    async def document(self, tenant_id: str, user_id: str, document_id: str) -> str | None:
        self.read.append((tenant_id, user_id, document_id))
        return "Survival is missing." if document_id == DOCUMENT else None


@dataclass
class ShelfTwin:
    folders: dict[str, Folder] = field(default_factory=lambda: {"drill": folder()})
    unfit: bool = False

    async def names(self) -> tuple[str, ...]:
        return tuple(self.folders)

    async def folder(self, name: str) -> Folder | None:
        if self.unfit:
            raise folders.UnfitSkillError("There is no SKILL.md in it.")
        return self.folders.get(name)


@dataclass
class Drawer:
    """Keeps what is put there."""

    held: dict[str, bytes] = field(default_factory=dict)
    refuses: list[Exception] = field(default_factory=list)

    async def put(self, key: str, data: bytes, kind: str) -> None:
        assert kind.startswith("text/markdown")
        if self.refuses:
            raise self.refuses.pop(0)
        self.held[key] = data

    async def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    async def delete(self, keys: object) -> None:
        for key in list(keys):  # type: ignore[call-overload]
            self.held.pop(key, None)


class NoPaces:
    """Nobody waits here."""

    async def reserve(self, provider: str, pace: object) -> float:
        return 0.0

    async def away(self, provider: str, pace: object) -> float:
        return 0.0


@dataclass
class Desk:
    """Everything that a run needs, in one hand."""

    run: RunTwin = field(default_factory=RunTwin)
    parrot: Parrot = field(default_factory=Parrot)
    library: LibraryTwin = field(default_factory=LibraryTwin)
    shelf: ShelfTwin = field(default_factory=ShelfTwin)
    drawer: Drawer = field(default_factory=Drawer)
    chairs: Chairs = field(default_factory=Chairs)
    ledger: FakeLedger = field(default_factory=FakeLedger)

    def activities(self, *, at_once: int = 2, nowhere: bool = False) -> SkillActivities:
        return SkillActivities(
            self.run,
            self.shelf,
            self.parrot,
            self.library,
            None if nowhere else self.drawer,
            Seats(self.chairs, {"skills": at_once}),
            Pacing(NoPaces(), {}),
            Treasurer(self.ledger, PRICES, CAPS),
        )

    def has(self, front: str = "", **files: str) -> "Desk":
        self.shelf.folders["drill"] = folder(front, **files)
        return self
