"""What is measured with: briefs that share nothing, each with a tenant, three people and two companies of its own."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from activities.store.database import Database
from activities.store.meetings import MeetingStore, Occasion
from activities.store.tenants import TenantStore
from schemas.meetings import Attendee
from schemas.research import ResearchRequest
from schemas.settings import Settings
from schemas.tenants import NewCampaign, Tenant, User
from starter.intake import Intake

CAMPAIGN = NewCampaign(
    name="Bench",
    offering="Route planning for mixed fleets",
    target_customer="Hauliers with 50 to 500 trucks",
    pain_points="Empty miles; late loads; overtime nobody planned",
)


@dataclass(frozen=True)
class Order:
    """One brief to make. Its tag stands in each of its addresses and domains, and so in the providers' journal."""

    tag: str
    tenant: Tenant
    occasion: Occasion

    @property
    def request(self) -> ResearchRequest:
        return ResearchRequest(tenant_id=self.tenant.id, research_id=self.occasion.research_id)


class OrderBook:
    """Writes orders down, as the command line would, before anything is measured."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._tenants = TenantStore(database)
        self._intake = Intake(MeetingStore(database), settings)
        self._numbers = itertools.count(1)

    async def orders(self, count: int) -> list[Order]:
        return [await self._order(f"b{number:06d}") for number in itertools.islice(self._numbers, count)]

    async def _order(self, tag: str) -> Order:
        now, tenant = datetime.now(UTC), Tenant(id=str(uuid4()), slug=tag, name=f"Tenant {tag}")
        user = User(id=str(uuid4()), email=f"robin@{tag}.example", name="Robin")
        campaign = await self._tenants.create(tenant, user, CAMPAIGN, now)
        research_id = await self._intake.request(tenant.id, campaign, people(tag), now)
        return Order(tag, tenant, Occasion(research_id, starts_at=None, active=True))


def people(tag: str) -> tuple[Attendee, ...]:
    """Two people at companies, one with a free-mail address."""
    emails = f"ada.holm@{tag}-mills.example", f"bela.nagy@{tag}-freight.example", f"kim.{tag}@gmail.com"
    return tuple(Attendee(email=email) for email in emails)
