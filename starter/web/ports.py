"""What the pages need of the world. Each port has one real thing, and a twin in tests."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from activities.ports import Bell, CallBell, Grant, Identity
from schemas.agenda import ConnectionLine, MeetingLine, MeetingView, Member, Outlook, Preferences
from schemas.base import Email, RowId, TenantId
from schemas.briefs import Brief, Verdict
from schemas.callbook import CallLine, CallView
from schemas.channels import UserChannel
from schemas.digests import DigestLine, DigestView, Wishes
from schemas.documentbook import ComparisonView, DocumentLine, DocumentView, RedlineView
from schemas.documentbook import RunView as DocumentRunView
from schemas.documents import AskedRun, Role, TakenDocument
from schemas.documents import NewRun as NewDocumentRun
from schemas.explanations import Explanation
from schemas.marks import Said
from schemas.meetings import Asked
from schemas.research import Progress
from schemas.skills import Asked as SkillAsked
from schemas.skills import Health, NewRun, Opinion, RunLine, RunView
from schemas.tenants import CampaignRow, NewCampaign


class Briefs(Protocol):
    """Where briefs are read: nothing when this tenant has no such brief."""

    async def brief(self, tenant_id: TenantId, brief_id: RowId) -> Brief | None: ...


class Explanations(Protocol):
    """How the claims of a brief came about: nothing when this tenant has no such brief."""

    async def explain(self, tenant_id: TenantId, brief_id: RowId) -> Explanation | None: ...


class Marks(Protocol):
    """What members say of claims. Another tenant's claims are not there."""

    async def has(self, tenant_id: TenantId, brief_id: RowId, claim_id: RowId) -> bool: ...
    async def said(self, tenant_id: TenantId, brief_id: RowId) -> tuple[Said, ...]: ...
    async def mark(
        self, tenant_id: TenantId, user_id: RowId, claim_id: RowId, verdict: Verdict, now: datetime
    ) -> bool: ...
    async def unmark(self, tenant_id: TenantId, user_id: RowId, claim_id: RowId) -> bool: ...


class Users(Protocol):
    """Who may sign in, what they sell, and what they prefer."""

    async def with_address(self, address: Email) -> list[tuple[TenantId, RowId]]: ...
    async def bind(self, tenant_id: TenantId, user_id: RowId, account_sub: str) -> bool: ...
    async def slugs(self) -> dict[str, TenantId]: ...
    async def member(self, tenant_id: TenantId, user_id: RowId) -> Member | None: ...
    async def sign_out(self, tenant_id: TenantId, user_id: RowId, now: datetime) -> None: ...
    async def prefer(self, tenant_id: TenantId, user_id: RowId, preferences: Preferences) -> None: ...
    async def campaigns(self, tenant_id: TenantId) -> list[CampaignRow]: ...
    async def add_campaign(
        self, tenant_id: TenantId, user_id: RowId, campaign: NewCampaign, now: datetime, until: datetime
    ) -> tuple[CampaignRow, list[RowId]]: ...
    async def edit_campaign(
        self, tenant_id: TenantId, campaign: CampaignRow, now: datetime, until: datetime
    ) -> list[RowId]: ...


class Agenda(Protocol):
    """A user's own meetings and accounts. Whatever is somebody else's is not there."""

    async def meetings(
        self, tenant_id: TenantId, user_id: RowId, since: datetime, until: datetime
    ) -> list[MeetingLine]: ...
    async def meeting(self, tenant_id: TenantId, user_id: RowId, meeting_id: RowId) -> MeetingView | None: ...
    async def connections(self, tenant_id: TenantId, user_id: RowId) -> list[ConnectionLine]: ...
    async def outlook(self, tenant_id: TenantId, user_id: RowId) -> Outlook: ...


class Revisions(Protocol):
    """Has a change reach meetings: marks those within reach, and names those whose workflows are to be told."""

    async def revise(self, tenant_id: TenantId, user_id: RowId, now: datetime, until: datetime) -> list[RowId]: ...
    async def assign(
        self, tenant_id: TenantId, calendar_id: RowId, campaign_id: RowId, now: datetime, until: datetime
    ) -> list[RowId]: ...
    async def given_up(self, tenant_id: TenantId, connection_id: RowId, now: datetime) -> list[RowId]: ...


class Calendar(Protocol):
    """What has been connected: the calendar that is to be read."""

    @property
    def calendar_id(self) -> RowId: ...


class Connections(Protocol):
    """Keeps what lets us in."""

    async def connect(
        self,
        tenant_id: TenantId,
        user_id: RowId,
        account: str,
        grant: Grant,
        *,
        provider: str,
        sandbox: bool,
        now: datetime,
    ) -> Calendar: ...
    async def disconnect(self, tenant_id: TenantId, connection_id: RowId, now: datetime) -> str | None:
        """Forgets the tokens; the one that is to be given back, if there is one."""
        ...


class Consent(Protocol):
    """The provider of accounts. Raises InvalidGrantError, UnauthorizedError, or what `errors` makes."""

    name: str
    sandbox: bool

    def consent_url(
        self, state: str, challenge: str, redirect_uri: str, scopes: Sequence[str], hint: str = ""
    ) -> str: ...
    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> Grant: ...
    async def who(self, access_token: str) -> Identity: ...
    async def revoke(self, token: str) -> None: ...


class Calls(Protocol):
    """Calls that are a user's own, or nobody's. Whatever is somebody else's is not there."""

    async def calls(self, tenant_id: TenantId, user_id: RowId | None) -> list[CallLine]: ...
    async def call(self, tenant_id: TenantId, user_id: RowId | None, call_id: RowId) -> CallView | None: ...


class UserChannels(Protocol):
    """Where a user is told what happens, beside their mail. Whatever is somebody else's is not there."""

    def kinds(self) -> tuple[str, ...]: ...
    async def list(self, tenant_id: TenantId, user_id: RowId) -> tuple[UserChannel, ...]: ...
    async def add(
        self, tenant_id: TenantId, user_id: RowId, kind: str, address: str, label: str, now: datetime
    ) -> RowId:
        """Raises UsageError for what is no address."""
        ...

    async def remove(self, tenant_id: TenantId, user_id: RowId, channel_id: RowId) -> bool: ...
    async def on(self, tenant_id: TenantId, user_id: RowId, channel_id: RowId) -> bool: ...


class Digests(Protocol):
    """A user's own digests, and where it is written down that they want one. Whatever is somebody else's is not there."""

    async def list(self, tenant_id: TenantId, user_id: RowId, most: int) -> tuple[DigestLine, ...]:
        """The newest first."""
        ...

    async def view(self, tenant_id: TenantId, user_id: RowId, digest_id: RowId) -> DigestView | None: ...
    async def episodes(self, tenant_id: TenantId, user_id: RowId, most: int) -> tuple[DigestView, ...]:
        """Those that can be heard, the newest first, without the sentences of their scripts."""
        ...

    async def ask(
        self, tenant_id: TenantId, user_id: RowId, day: date, topics: Sequence[str] | None, now: datetime
    ) -> RowId: ...


class WishBook(Protocol):
    """What a user wants to hear in the morning, and which of their feed's addresses works."""

    async def wishes(self, tenant_id: TenantId, user_id: RowId) -> Wishes: ...
    async def wish(self, tenant_id: TenantId, user_id: RowId, wishes: Wishes) -> None: ...
    async def feed_version(self, tenant_id: TenantId, user_id: RowId) -> int | None:
        """Nothing when there is no such user any more."""
        ...

    async def reset_feed(self, tenant_id: TenantId, user_id: RowId) -> int:
        """Every address of their feed that was given out works no more; the version of the one that does."""
        ...


class Sounds(Protocol):
    """Where audio is kept. Raises only what `errors` makes."""

    async def part(self, key: str, start: int, end: int) -> bytes | None:
        """Its bytes from `start` up to `end`; nothing when it is not there."""
        ...


class Errands(Bell, CallBell, Protocol):
    """What is asked of Temporal. Raises AwayError when it does not answer in time."""

    async def digest(self, tenant_id: TenantId, user_id: RowId, day: date) -> None: ...
    async def watch(self, tenant_id: TenantId, calendar_id: RowId) -> None: ...
    async def unwatch(self, tenant_id: TenantId, calendar_id: RowId) -> bool:
        """Whether its channels are stopped."""
        ...

    async def research_now(self, tenant_id: TenantId, meeting_id: RowId) -> Asked: ...
    async def progress(self, tenant_id: TenantId, research_id: RowId) -> Progress | None:
        """How its newest run stands, or nothing when that cannot be told just now."""
        ...


class SkillRuns(Protocol):
    """Runs of skills: a user's own, or with no user named all of a tenant's, for whoever holds its key."""

    async def list(self, tenant_id: TenantId, user_id: RowId | None, most: int) -> tuple[RunLine, ...]:
        """The newest first."""
        ...

    async def view(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> RunView | None: ...
    async def client(self, tenant_id: TenantId, client: str) -> tuple[RowId, str] | None:
        """A company that we know, by our id or by its domain: its id, and what it is called."""
        ...


class Opinions(Protocol):
    """What users say of outputs, and how well skills do by it."""

    async def say(
        self, tenant_id: TenantId, user_id: RowId, run_id: RowId, opinion: Opinion, now: datetime
    ) -> RowId | None:
        """Nothing when there is no such run of theirs, or it has no output."""
        ...

    async def health(self, tenant_id: TenantId) -> Mapping[str, Health]: ...


class SkillDesk(Protocol):
    """Where runs are asked for and stopped. Raises SaidError, TooManyRunsError, or AwayError."""

    async def ask(self, tenant_id: TenantId, wanted: NewRun) -> SkillAsked: ...
    async def cancel(self, tenant_id: TenantId, run_id: RowId, user_id: RowId | None) -> bool:
        """Whether there was something to stop."""
        ...


class Documents(Protocol):
    """A user's own documents and those of their tenant; with no user named all of a tenant's, for whoever holds its key."""

    async def list(
        self, tenant_id: TenantId, user_id: RowId | None, role: Role | None, most: int
    ) -> tuple[DocumentLine, ...]:
        """The newest first."""
        ...

    async def view(self, tenant_id: TenantId, user_id: RowId | None, document_id: RowId) -> DocumentView | None: ...
    async def run_view(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> DocumentRunView | None:
        """How one run stands, without what it made: it is asked for again and again."""
        ...

    async def comparison(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> ComparisonView | None: ...
    async def redline(self, tenant_id: TenantId, user_id: RowId | None, run_id: RowId) -> RedlineView | None: ...


class DocumentDesk(Protocol):
    """Where files are taken in, worked on and deleted. Raises SaidError, or AwayError."""

    async def upload(
        self, tenant_id: TenantId, user_id: RowId | None, role: Role, name: str, data: bytes
    ) -> TakenDocument: ...
    async def ask(self, tenant_id: TenantId, wanted: NewDocumentRun) -> AskedRun: ...
    async def retry(self, tenant_id: TenantId, run_id: RowId, reason: str) -> AskedRun: ...
    async def cancel(self, tenant_id: TenantId, run_id: RowId) -> bool:
        """Whether there was something to stop."""
        ...

    async def delete(self, tenant_id: TenantId, document_id: RowId) -> bool:
        """Whether there was such a document."""
        ...

    async def file(self, tenant_id: TenantId, found: DocumentRunView) -> bytes | None:
        """What a redline drew. Nothing when it is not where files are kept."""
        ...
