"""A tenant whose users run skills, and what their rows say: real Postgres, nothing else."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from activities.people import PersonKeys
from activities.ports import Usage
from activities.sealing import Sealer
from activities.skills.ports import BoughtBy, KeptReply, Reply, ToolCall, Written
from activities.spending import Offer, Purchase
from activities.store.database import Database
from activities.store.feedback import FeedbackStore
from activities.store.skill_runs import SkillRunStore
from activities.store.spending import SpendingStore
from activities.store.tenants import TenantStore
from activities.store.user_channels import UserChannelStore
from schemas.budgets import Caps
from schemas.skills import Asked, NewRun, RunView, SkillDone, SkillFailure, SkillStep
from schemas.tenants import NewCampaign, Tenant, User

NOW = datetime(2026, 11, 23, 9, 0, 30, tzinfo=UTC)
CAPS = Caps(run_micro_usd=2_000_000, meeting_micro_usd=5_000_000, month_micro_usd=500_000_000)
CAMPAIGN = NewCampaign(name="Planning", offering="o", target_customer="t", pain_points="p")
SEALER = Sealer("test:" + urlsafe_b64encode(b"t" * 32).decode())
KEYS = PersonKeys("k" * 64)


def written(text: str = "# Plan\n\nCall them on Monday.", **fields: Any) -> Written:
    said = {
        "title": "Plan",
        "text": text,
        "format": "markdown",
        "skill_version": "v1",
        "tokens_in": 0,
        "tokens_out": 0,
        "sandbox": True,
    }
    return Written(**{**said, **fields})


def reply(text: str = "Call them on Monday.", **fields: Any) -> Reply:
    return Reply(
        **{"text": text, "calls": (), "stopped": "end_turn", "model": "m", "usage": Usage(100, 20, 30), **fields}
    )


def tool_call(**asked: Any) -> Reply:
    return reply("", calls=(ToolCall(id="c1", name="read_call", input=asked),), stopped="tool_use")


class Workshop:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.runs = SkillRunStore(database, clock=lambda: self.now)
        self.feedback, self.ledger = FeedbackStore(database), SpendingStore(database)
        self.channels = UserChannelStore(database, SEALER, KEYS)
        self.tenant = Tenant(id=str(uuid4()), slug=f"w-{uuid4()}", name="Workshop")
        self.user = User(id=str(uuid4()), email="robin@harbour.example", name="Robin Marsh")

    async def set_up(self) -> None:
        await TenantStore(self.database).create(self.tenant, self.user, CAMPAIGN, NOW)

    async def add(self, name: str) -> User:
        user = User(id=str(uuid4()), email=f"{name}@harbour.example", name=name)
        await TenantStore(self.database).add_user(self.tenant.id, user, NOW)
        return user

    async def ask(
        self, user: User | None = None, *, client: str = "", now: datetime | None = None, **fields: Any
    ) -> Asked:
        new = NewRun(**{"user_id": (user or self.user).id, "skill": "follow-up", **fields})
        return await self.runs.ask(self.tenant.id, new, client, now or self.now)

    def step(self, run_id: str, run: str = "temporal-1", now: datetime | None = None) -> SkillStep:
        return SkillStep(tenant_id=self.tenant.id, run_id=run_id, temporal_run_id=run, now=now or self.now)

    async def begun(self, **fields: Any) -> SkillStep:
        """A run that has begun."""
        step = self.step((await self.ask(**fields)).run_id)
        await self.runs.begin(step, sandbox=True)
        return step

    async def bought(self, step: SkillStep, said: Reply | None = None, asked: str = "a1", **by: Any) -> None:
        """An answer, with what is set aside for it before."""
        purchase = Purchase(step.tenant_id, step.run_id, 1, f"reply/{asked}")
        await self.ledger.reserve(purchase, [Offer("p", "m", 100)], CAPS, self.now)
        who = BoughtBy(**{"provider": "p", "workflow_id": "w", "run_id": "r", "sandbox": True, **by})
        await self.runs.keep(step, KeptReply(asked, said or reply()), purchase, who)

    async def made(self, text: str = "# Plan\n\nCall them on Monday.", **fields: Any) -> SkillDone:
        """A run that has an output."""
        step = await self.begun(**fields)
        await self.bought(step, reply(text))
        await self.runs.write(step, written(text))
        return await self.runs.finish(step, written(text), f"{step.run_id}/output.md")

    def failure(self, step: SkillStep, /, **fields: Any) -> SkillFailure:
        said = {**step.model_dump(), "step": "execute", "reason": "execute: no", "retryable": False}
        return SkillFailure.model_validate({**said, **fields})

    async def view(self, run_id: str) -> RunView:
        view = await self.runs.view(self.tenant.id, self.user.id, run_id)
        assert view is not None
        return view

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.database.tenant(self.tenant.id) as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        rows = await self.rows("SELECT name, payload FROM events ORDER BY sequence")
        return [(row["name"], row["payload"]) for row in rows]

    async def ends(self) -> list[tuple[str, dict[str, Any]]]:
        return [one for one in await self.events() if not one[0].endswith("progress")]

    async def spending(self) -> list[tuple[str, str, int]]:
        rows = await self.rows("SELECT purpose, state, micro_usd FROM spending ORDER BY purpose, state")
        return [(row["purpose"], row["state"], row["micro_usd"]) for row in rows]
