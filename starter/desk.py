"""What a command works with: one tenant, its stores, and Temporal when it is asked for."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

from activities.store.database import Database
from activities.store.events import EventStore
from activities.store.library import Library
from activities.store.meetings import MeetingStore
from activities.store.oversight import Oversight
from activities.store.tenants import TenantStore
from schemas.base import RowId
from schemas.settings import Settings
from schemas.tenants import CampaignRow, Tenant
from starter.environment import connect, load_settings, open_database
from starter.errands import Errands, wake
from starter.words import NotFoundError, NotReadyError, UsageError


@dataclass(frozen=True)
class Desk:
    settings: Settings
    tenant: Tenant
    tenants: TenantStore
    meetings: MeetingStore
    library: Library
    events: EventStore
    oversight: Oversight
    database: Database

    async def campaign(self, name: str | None) -> CampaignRow:
        """The campaign of that name, or the oldest that is active."""
        campaigns = await self.tenants.campaigns(self.tenant.id)
        if name is None:
            chosen = next((one for one in campaigns if one.active), None)
            if chosen is None:
                raise NotFoundError("There is no active campaign", "make one with: greenroom campaign add")
            return chosen
        chosen = next((one for one in campaigns if one.name.casefold() == name.casefold() or one.id == name), None)
        if chosen is None:
            raise NotFoundError(f'There is no campaign "{name[:60]}"', "greenroom campaign list shows them")
        if not chosen.active:
            raise UsageError(f'The campaign "{chosen.name}" is not active, and nothing is started for it')
        return chosen

    async def temporal(self) -> Client:
        return await connect(self.settings)

    async def wake(self, meetings: Sequence[RowId]) -> bool:
        """Tell their workflows of a change; whether all have been told."""
        if not meetings:
            return True
        try:
            return await wake(Errands(await self.temporal()), self.tenant.id, meetings)
        except NotReadyError:
            return False


@asynccontextmanager
async def database_there(settings: Settings) -> AsyncIterator[Database]:
    """The database, which answers."""
    async with open_database(settings) as database:
        if not await database.answers():
            raise NotReadyError("Postgres does not answer at DATABASE_URL", "start the stack with: make dev")
        yield database


@asynccontextmanager
async def desk(tenant: str | None = None) -> AsyncIterator[Desk]:
    """The desk of one tenant: the one named, by flag or setting, or the only one there is."""
    settings = load_settings()
    async with database_there(settings) as database:
        tenants = TenantStore(database)
        tenant_id = choose(await tenants.slugs(), tenant or settings.tenant)
        yield Desk(
            settings=settings,
            tenant=await tenants.tenant(tenant_id),
            tenants=tenants,
            meetings=MeetingStore(database),
            library=Library(database),
            events=EventStore(database),
            oversight=Oversight(database),
            database=database,
        )


def choose(slugs: dict[str, str], wanted: str) -> str:
    """The id of the tenant that is meant."""
    if not slugs:
        raise NotFoundError("There is no tenant yet", "make one with: greenroom setup")
    if wanted:
        for slug, tenant_id in slugs.items():
            if wanted in (slug, tenant_id):
                return tenant_id
        raise NotFoundError(f'There is no tenant "{wanted[:60]}"', "there are: " + ", ".join(slugs))
    if len(slugs) > 1:
        raise UsageError("There are several tenants; name one with --tenant: " + ", ".join(slugs))
    return next(iter(slugs.values()))
