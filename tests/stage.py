"""A tenant and the whole way to a brief, for tests: real workflows, real activities, real Postgres, pretended providers."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.ports import Grant
from activities.providers.google_accounts import CALENDAR, SIGN_IN
from activities.sealing import Sealer
from activities.store.connections import Connected, ConnectionStore
from activities.store.database import Database
from activities.store.events import EventStore
from activities.store.library import Library
from activities.store.meetings import MeetingStore
from activities.store.tenants import TenantStore
from sandbox import Sandbox
from schemas.briefs import Brief
from schemas.meetings import Attendee, MeetingFacts
from schemas.research import ResearchOutcome
from schemas.settings import Settings
from schemas.tenants import CampaignRow, NewCampaign, RunRow, Tenant, User
from starter import start
from starter.dev.postgres import Urls
from starter.histories import Histories
from starter.intake import Intake
from worker import activities, build_worker
from workflows import queues
from workflows.research import ResearchWorkflow

CAMPAIGN = NewCampaign(
    name="Planning",
    offering="Route planning",
    target_customer="Hauliers with 50 to 500 trucks",
    pain_points="Empty miles; late loads",
)
KEY = "k" * 64
ACCOUNT = "robin.marsh@harbour.example"
TOKEN_KEYS = "test:" + urlsafe_b64encode(b"t" * 32).decode()


class Stage:
    def __init__(self, database: Database, temporal: Client, sandbox: Sandbox, urls: Urls, tenant_id: str) -> None:
        self.temporal = temporal
        self.sandbox = sandbox
        self.urls = urls
        self.database = database
        self.tenants = TenantStore(database)
        self.meetings = MeetingStore(database)
        self.library = Library(database)
        self.events = EventStore(database)
        self.tenant = Tenant(id=tenant_id, slug=f"t-{tenant_id[:8]}", name="Tenant", domains=("harbour.example",))
        self.user = User(id=tenant_id, email="robin@harbour.example", name="Robin")
        self.campaign: CampaignRow

    async def set_up(self, now: datetime) -> None:
        self.campaign = await self.tenants.create(self.tenant, self.user, CAMPAIGN, now)

    def settings(self, **changes: Any) -> Settings:
        """Sandbox providers, no pace, short polite waits: a test that is about one of them says so."""
        values: dict[str, Any] = {
            "database_url": self.urls.application,
            "database_crossing_url": self.urls.crossing,
            "sandbox": True,
            "sandbox_url": self.sandbox.url,
            "sandbox_smtp_url": f"smtp://127.0.0.1:{self.sandbox.smtp_port}",
            "perplexity_api_key": "",
            "anthropic_api_key": "",
            "perplexity_pace": "unlimited",
            "anthropic_pace": "unlimited",
            "google_pace": "unlimited",
            "google_user_pace": "unlimited",
            "webhook_url": "http://127.0.0.1:1/webhooks/google-calendar",
            "perplexity_least_wait_s": 1,
            "anthropic_least_wait_s": 1,
            "hash_key": KEY,
            "link_key": KEY,
            "token_keys": TOKEN_KEYS,
            "payload_codec": "off",
        }
        return Settings(**{**values, **changes}, _env_file=None)  # type: ignore[call-arg]

    @asynccontextmanager
    async def working(self, **changes: Any) -> AsyncIterator[None]:
        """Workers for all queues."""
        async with (
            activities(self.settings(**changes), start.Doorbell(self.temporal), Histories(self.temporal)) as owners,
            AsyncExitStack() as workers,
        ):
            for queue in queues.ALL:
                worker = build_worker(self.temporal, owners, task_queue=queue)
                await workers.enter_async_context(worker)
            yield

    async def connect(self, account: str = ACCOUNT) -> Connected:
        """The user lets their account in the sandbox be read."""
        scopes = (*SIGN_IN, *CALENDAR)
        google = self.sandbox.google
        grant = Grant(google.access(account, scopes), google.grant(account, scopes), 3599, scopes)
        return await self.connections().connect(
            self.tenant.id, self.user.id, account, grant, provider="google", sandbox=True, now=_now()
        )

    def connections(self) -> ConnectionStore:
        return ConnectionStore(self.database, Sealer(TOKEN_KEYS))

    async def request(self, *emails: str, name: str = "") -> str:
        """An ad hoc request, written down; its research id."""
        people = tuple(Attendee(email=email, name=name) for email in emails)
        return await Intake(self.meetings, self.settings()).request(self.tenant.id, self.campaign, people, _now())

    async def meeting(self, facts: MeetingFacts) -> str:
        return await Intake(self.meetings, self.settings()).meeting(self.tenant.id, self.campaign, facts, _now())

    async def start(self, research_id: str) -> WorkflowHandle[ResearchWorkflow, ResearchOutcome]:
        occasion = await self.meetings.occasion(self.tenant.id, research_id)
        assert occasion is not None
        return await start.research(self.temporal, self.tenant, occasion)

    async def research(self, *emails: str, name: str = "") -> Brief:
        """From addresses to the brief."""
        outcome = await (await self.start(await self.request(*emails, name=name))).result()
        return await self.brief(outcome.brief_id)

    async def failure(self, *emails: str) -> tuple[ApplicationError, RunRow]:
        """From addresses to a failure: what the workflow ended with, and what the row says."""
        research_id = await self.request(*emails)
        try:
            await (await self.start(research_id)).result()
        except WorkflowFailureError as error:
            assert isinstance(error.cause, ApplicationError)
            return error.cause, await self.run(research_id)
        raise AssertionError("the research did not fail")

    async def brief(self, brief_id: str) -> Brief:
        brief = await self.library.brief(self.tenant.id, brief_id)
        assert brief is not None
        return brief

    async def run(self, research_id: str) -> RunRow:
        row = await self.library.run(self.tenant.id, research_id)
        assert row is not None
        return row

    def calls(self, provider: str) -> list[dict[str, Any]]:
        """The calls that a provider got, in the order in which they came."""
        return sorted(self.sandbox.journal.records(provider=provider), key=lambda call: call["started"])

    async def count(self, table: str) -> int:
        async with self.database.tenant(self.tenant.id) as connection:
            number: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
            return number


def _now() -> datetime:
    return datetime.now(UTC)
