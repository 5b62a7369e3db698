"""A tenant with users who want digests, and what their rows say: real Postgres, nothing else."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from activities.digests.ports import BoughtBy, News, Topic
from activities.ports import ModelAnswer, Prompt, Usage
from activities.spending import Offer, Purchase
from activities.store.bills import BillStore
from activities.store.database import Database
from activities.store.digests import DigestStore
from activities.store.spending import SpendingStore
from activities.store.tenants import TenantStore
from activities.store.wishes import WishStore
from schemas.budgets import Caps
from schemas.digests import DigestBegun, DigestStart, DigestStep, Item, ItemKind, Line, Script, Wishes
from schemas.tenants import NewCampaign, Tenant, User

# A Monday.
DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 6, 0, 30, tzinfo=UTC)
CAPS = Caps(run_micro_usd=2_000_000, meeting_micro_usd=5_000_000, month_micro_usd=500_000_000)
CAMPAIGN = NewCampaign(name="Planning", offering="o", target_customer="t", pain_points="p")
RAILWAY = Topic("railway", "Railway")
PROMPT = Prompt(system="s", material="m", schema={}, asked="asked-1")
HARBOUR = News(
    url="https://courier.example/harbour",
    title="Railway bridge closes at Halden Quay",
    text="The railway bridge at Halden Quay closes on 1 December.",
    source="Halden Courier",
    published=date(2026, 11, 22),
)


def item(number: int = 1, **fields: Any) -> Item:
    """A report."""
    said = {
        "kind": ItemKind.NEWS,
        "key": f"news/{number}",
        "topic": "Railway",
        "title": f"Report {number}",
        "text": f"What happened, number {number}.",
        "source": "Halden Courier",
    }
    return Item(**{**said, **fields})


def script(*items: Item, **fields: Any) -> Script:
    """A sentence for each item, after a greeting."""
    told = tuple(Line(turn=1, voice=1, text=one.title, item=n, quote=one.text) for n, one in enumerate(items, 1))
    return Script(items=items, lines=(Line(turn=1, voice=1, text="Good morning."), *told), **fields)


class House:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.digests, self.wishes, self.bills = DigestStore(database), WishStore(database), BillStore(database)
        self.ledger = SpendingStore(database)
        self.tenant = Tenant(id=str(uuid4()), slug=f"h-{uuid4()}", name="House")
        self.user = User(id=str(uuid4()), email="robin@harbour.example", name="Robin Marsh")

    async def set_up(self) -> None:
        await TenantStore(self.database).create(self.tenant, self.user, CAMPAIGN, NOW)

    async def add(self, name: str, time_zone: str = "UTC", **wishes: Any) -> User:
        user = User(id=str(uuid4()), email=f"{name}@harbour.example", name=name, time_zone=time_zone)
        await TenantStore(self.database).add_user(self.tenant.id, user, NOW)
        await self.wish(user, **wishes)
        return user

    async def wish(self, user: User | None = None, **wishes: Any) -> None:
        await self.wishes.wish(self.tenant.id, (user or self.user).id, Wishes(**{"topics": ("Railway",), **wishes}))

    def start(self, run_id: str = "run-1", user: User | None = None, now: datetime = NOW) -> DigestStart:
        return DigestStart(tenant_id=self.tenant.id, user_id=(user or self.user).id, day=DAY, run_id=run_id, now=now)

    async def begin(
        self, run_id: str = "run-1", *, user: User | None = None, speaks: bool = True, sandbox: bool = True
    ) -> DigestBegun:
        return await self.digests.begin(self.start(run_id, user), speaks=speaks, sandbox=sandbox)

    async def step(self, run_id: str = "run-1", *, user: User | None = None, sandbox: bool = True) -> DigestStep:
        begun = await self.begin(run_id, user=user, sandbox=sandbox)
        return self.at(begun)

    def at(self, begun: DigestBegun) -> DigestStep:
        return DigestStep(tenant_id=self.tenant.id, digest_id=begun.digest_id, version=begun.version, now=NOW)

    def by(self, *, sandbox: bool = True, provider: str = "seller", model: str = "model") -> BoughtBy:
        return BoughtBy(provider, sandbox, "1", "workflow", "run-1", NOW, model)

    async def buy(self, step: DigestStep, purpose: str, micro_usd: int = 5000) -> Purchase:
        """Money is set aside for it."""
        purchase = Purchase(step.tenant_id, step.digest_id, step.version, purpose)
        await self.ledger.reserve(purchase, [Offer("seller", "model", micro_usd)], CAPS, NOW)
        return purchase

    async def news(self, step: DigestStep, topic: Topic = RAILWAY, found: Sequence[News] = (HARBOUR,)) -> None:
        bought = await self.buy(step, f"news/{topic.key}")
        await self.digests.keep_news(step, topic, found, bought, self.by())

    async def answer(self, step: DigestStep, text: str = "{}", prompt: Prompt = PROMPT, **by: Any) -> None:
        bought = await self.buy(step, f"script/{prompt.asked}")
        said = ModelAnswer(text=text, stopped="end_turn", model="model", usage=Usage(100, 10, 700))
        await self.digests.keep_answer(step, bought, prompt, said, self.by(**by))

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.database.tenant(self.tenant.id) as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def row(self, digest_id: str) -> dict[str, Any]:
        (found,) = await self.rows("SELECT * FROM digests WHERE id = $1", digest_id)
        return found

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        rows = await self.rows("SELECT name, payload FROM events ORDER BY sequence")
        return [(row["name"], row["payload"]) for row in rows]

    async def spending(self) -> list[tuple[str, str, int]]:
        rows = await self.rows("SELECT purpose, state, micro_usd FROM spending ORDER BY reserved_at, purpose, id")
        return [(row["purpose"], row["state"], row["micro_usd"]) for row in rows]
