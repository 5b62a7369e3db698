"""What events are done with: our rows, our settings, and Temporal."""

from dataclasses import dataclass
from functools import cached_property

from temporalio.client import Client

from activities.ports import Objects
from activities.skills.ports import Shelf
from activities.store.bootstraps import BootstrapStore
from activities.store.calls import CallStore
from activities.store.database import Database
from activities.store.digests import DigestStore
from activities.store.document_runs import DocumentRunStore
from activities.store.documents import DocumentStore
from activities.store.feedback import FeedbackStore
from activities.store.letters import LetterStore
from activities.store.meetings import MeetingStore
from activities.store.references import References
from activities.store.skill_runs import SkillRunStore
from activities.store.tenants import TenantStore
from activities.store.wishes import WishStore
from schemas.base import TenantId
from schemas.settings import Settings
from schemas.tenants import User
from starter.intake import person_keys


@dataclass(frozen=True)
class Office:
    """What starters work with."""

    settings: Settings
    database: Database
    client: Client

    @cached_property
    def tenants(self) -> TenantStore:
        return TenantStore(self.database)

    @cached_property
    def meetings(self) -> MeetingStore:
        return MeetingStore(self.database)

    @cached_property
    def references(self) -> References:
        return References(self.database)

    @cached_property
    def letters(self) -> LetterStore:
        return LetterStore(self.database)

    @cached_property
    def digests(self) -> DigestStore:
        return DigestStore(self.database)

    @cached_property
    def wishes(self) -> WishStore:
        return WishStore(self.database)

    @cached_property
    def calls(self) -> CallStore:
        return CallStore(self.database, person_keys(self.settings))

    @cached_property
    def skill_runs(self) -> SkillRunStore:
        return SkillRunStore(self.database)

    @cached_property
    def opinions(self) -> FeedbackStore:
        return FeedbackStore(self.database)

    @cached_property
    def documents(self) -> DocumentStore:
        return DocumentStore(self.database)

    @cached_property
    def document_runs(self) -> DocumentRunStore:
        return DocumentRunStore(self.database)

    @cached_property
    def objects(self) -> Objects | None:
        """Where files are kept; ValueError for a setting that is no place."""
        from activities.providers import made  # noqa: PLC0415 - the providers' libraries take a second to load

        return made.objects(self.settings)

    @cached_property
    def bootstraps(self) -> BootstrapStore:
        return BootstrapStore(self.database)

    @cached_property
    def shelf(self) -> Shelf:
        """Where skills lie; ValueError for a setting that is no place."""
        from activities.providers import made  # noqa: PLC0415 - the providers' libraries take a second to load

        return made.skill_shelf(self.settings)

    async def user(self, tenant_id: TenantId, named: str) -> User | None:
        """Who is meant, by our id or by their address."""
        meant = named.strip().lower()
        return next((one for one in await self.tenants.users(tenant_id) if meant in (one.id, one.email)), None)
