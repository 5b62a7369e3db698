"""Skills for pages and for the door to them: twins of where they lie, of their runs, and of the desk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from activities.skills.folders import UnfitSkillError
from activities.skills.ports import Folder
from activities.store.event_keys import KeyRow, digest
from schemas.skills import Asked, Health, NewRun, Opinion, Output, RunLine, RunStatus, RunView, Skill, Tool
from starter.words import NotFoundError, UsageError
from tests.web.house import NOW

KEY = "grk_of_these_tests"
CLIENT = ("33333333-3333-4333-8333-333333333333", "Lovelace Analytics")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["tone", "meeting"],
    "properties": {
        "tone": {"type": "string", "enum": ["short", "warm", 7], "title": "Tone", "description": "How it sounds."},
        "meeting": {"type": "string", "format": "meeting", "description": "Which meeting it is about."},
        "pages": {"type": "integer", "minimum": 1, "maximum": 5, "default": 2},
        "budget": {"type": ["number", "null"]},
        "with_prices": {"type": "boolean", "default": True},
        "by": {"type": "string", "format": "date"},
        "note": {"type": "string", "maxLength": 1000},
        "topics": {"type": "array", "items": {"type": "string"}},
        "more": {"type": "object"},
    },
}
TEXT = """# Your follow-up

Dear Ada,

thank you for the hour today. **Two things** stay with me:

- You lose *an hour a day* to empty miles.
- The numbers by [Friday](https://evil.example/?q=secret).

## What we propose

| Step | When |
|---|---|
| A pilot with ten trucks | 1 December |
| Looking at the numbers | 15 January |

> We cannot wait until spring.

1. Send the plan
2. Call on Thursday

`ETA` is explained beside it. ![tracker](https://evil.example/pixel.png) <script>document.title = "had"</script>
"""


def skill(name: str = "follow-up", **more: Any) -> Skill:
    said: dict[str, Any] = {
        "name": name,
        "description": "Writes the mail that follows a call: what was promised, by whom, and what comes next.",
        "version": "0123456789abcdef" * 4,
        "tools": (Tool.CALLS, Tool.BRIEFS),
    }
    return Skill.model_validate(said | more)


@dataclass
class Skills:
    """Twins of the shelf, the rows, the opinions and the desk, of one user of one tenant."""

    tenant_id: str
    user_id: str
    skills: dict[str, Skill | str] = field(default_factory=dict)
    runs: dict[str, RunView] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    wanted: list[NewRun] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    said: dict[str, Opinion] = field(default_factory=dict)
    healths: dict[str, Health] = field(default_factory=dict)
    # What is raised, where something is.
    away: Exception | None = None
    fails: Exception | None = None
    # How often a run was read, and where that goes wrong.
    views: int = 0
    blind: Exception | None = None

    # The keys that were revoked since they were found.
    revoked: set[str] = field(default_factory=set)

    async def find(self, name: str) -> KeyRow | None:
        return KeyRow(self.tenant_id, "key") if name == digest(KEY) else None

    async def holds(self, tenant_id: str, key_id: str) -> bool:
        return key_id not in self.revoked

    async def secret(self, tenant_id: str, key_id: str) -> str | None:
        return None

    async def names(self) -> tuple[str, ...]:
        return tuple(self.skills)

    async def folder(self, name: str) -> Folder | None:
        found = self.skills.get(name)
        if isinstance(found, str):
            raise UnfitSkillError(found)
        return Folder(found, "Write.", {}) if found else None

    def put(self, **more: Any) -> RunView:
        said: dict[str, Any] = {
            "id": str(uuid4()),
            "user_id": self.user_id,
            "skill": "follow-up",
            "skill_version": "0123456789abcdef" * 4,
            "message": "Write to Ada.\n\n  Not too long.",
            "inputs": {"tone": "short", "with_prices": True, "topics": ["rail", "depots"], "more": {"a": 1}},
            "client": CLIENT[1],
            "meeting_id": None,
            "status": RunStatus.RUNNING,
            "turn_at": NOW,
            "position": None,
            "created_at": NOW - timedelta(minutes=2),
            "started_at": NOW - timedelta(minutes=1),
            "ended_at": None,
            "draft": "",
            "output": None,
            "opinions": (),
            "tokens_in": 0,
            "tokens_out": 0,
            "cost_micro_usd": 0,
            "failed_step": "",
            "failure_reason": "",
            "retryable": False,
            "sandbox": True,
        }
        run = RunView.model_validate(said | more)
        self.runs[run.id] = run
        return run

    def change(self, run: RunView, **more: Any) -> RunView:
        return self.put(**(self.runs[run.id].model_dump() | more))

    def written(self, run: RunView | None = None, text: str = TEXT, **more: Any) -> RunView:
        """It is completed, with this text."""
        key = f"{self.tenant_id}/skills/{uuid4()}/output.md"
        self.texts[key] = text.encode()
        output = Output(
            id=str(uuid4()),
            title="Your follow-up",
            format="markdown",
            preview=text[:500],
            size_bytes=len(text.encode()),
            object_key=key,
        )
        ended = {"status": RunStatus.COMPLETED, "ended_at": NOW, "output": output, "draft": ""}
        spent = {"tokens_in": 5210, "tokens_out": 640, "cost_micro_usd": 25_230}
        said = ended | spent | more
        return self.change(run, **said) if run else self.put(**said)

    def _sees(self, tenant_id: str, user_id: str | None) -> bool:
        return tenant_id == self.tenant_id and user_id in (None, self.user_id)

    async def list(self, tenant_id: str, user_id: str | None, most: int) -> tuple[RunLine, ...]:
        found = list(self.runs.values())[::-1] if self._sees(tenant_id, user_id) else []
        return tuple(RunLine.model_validate(one.model_dump(include=set(RunLine.model_fields))) for one in found[:most])

    async def view(self, tenant_id: str, user_id: str | None, run_id: str) -> RunView | None:
        self.views += 1
        if self.blind:
            raise self.blind
        return self.runs.get(run_id) if self._sees(tenant_id, user_id) else None

    async def client(self, tenant_id: str, client: str) -> tuple[str, str] | None:
        return CLIENT if client in ("lovelace.example", CLIENT[0]) else None

    async def say(self, tenant_id: str, user_id: str, run_id: str, opinion: Opinion, now: datetime) -> str | None:
        run = self.runs.get(run_id) if self._sees(tenant_id, user_id) else None
        if run is None or run.output is None:
            return None
        self.said[run_id] = opinion
        self.change(run, opinions=(opinion,))
        return "44444444-4444-4444-8444-444444444444"

    async def health(self, tenant_id: str) -> Mapping[str, Health]:
        return self.healths if tenant_id == self.tenant_id else {}

    async def ask(self, tenant_id: str, wanted: NewRun) -> Asked:
        if self.fails:
            raise self.fails
        if wanted.skill not in self.skills:
            raise NotFoundError(f"There is no skill {wanted.skill!r}"[:200])
        if wanted.inputs.get("tone") == "loud":
            raise UsageError("inputs.tone: must be one of short, warm, 7")
        fresh = wanted.id not in self.runs
        run = self.put(id=wanted.id or str(uuid4()), status=RunStatus.QUEUED, skill=wanted.skill) if fresh else None
        self.wanted.append(wanted)
        run_id = run.id if run else str(wanted.id)
        return Asked(run_id=run_id, turn_at=NOW, position=None, status=self.runs[run_id].status, fresh=fresh)

    async def cancel(self, tenant_id: str, run_id: str, user_id: str | None) -> bool:
        if self.fails:
            raise self.fails
        self.stopped.append(run_id)
        return self.runs[run_id].status in (RunStatus.QUEUED, RunStatus.RUNNING)

    async def part(self, key: str, start: int, end: int) -> bytes | None:
        if self.away:
            raise self.away
        return self.texts[key][start:end] if key in self.texts else None
