"""The outside world, as more than one feature needs it. Each port has one real thing per brand and a twin in tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from schemas.base import RowId, TenantId
from schemas.calendars import Ring
from schemas.meetings import Invited
from schemas.transcripts import Speaker, Spoken


@dataclass(frozen=True)
class Question:
    """What is asked of a web search: the task in our words, the subject as data, the shape of the answer.

    `asked` is a hash of all that decides the answer, so that the same question is paid for once.
    """

    name: str
    system: str
    user: str
    schema: dict[str, Any]
    asked: str


@dataclass(frozen=True)
class Source:
    """One search result, as returned: its own words, never a model's."""

    url: str
    title: str
    text: str
    published: date | None = None


@dataclass(frozen=True)
class Usage:
    """What a call cost: the provider's own count of tokens, and millionths of a US dollar."""

    input_tokens: int
    output_tokens: int
    cost_micro_usd: int


@dataclass(frozen=True)
class Size:
    """How many tokens a call has at most: a token in is never less than a byte of what is sent."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class SearchAnswer:
    """Sources, and what a model made of them: `said` is empty when it could not be read. Without `usage` its provider
    told none that can be read."""

    sources: tuple[Source, ...]
    said: dict[str, Any]
    model: str
    usage: Usage | None


@dataclass(frozen=True)
class ModelAnswer:
    """What a language model wrote, as text, and why it stopped: "end_turn" is the only good reason. `usage` as above."""

    text: str
    stopped: str
    model: str
    usage: Usage | None


@dataclass(frozen=True)
class Prompt:
    """A task for a language model: `system` is ours, `material` is data, `schema` is what must come back."""

    system: str
    material: str
    schema: dict[str, Any] = field(hash=False)
    asked: str = ""


class Seller(Protocol):
    """What is paid for by the call: it goes by its provider's and its model's name in a list of prices."""

    name: str
    model: str
    sandbox: bool


class WebSearch(Seller, Protocol):
    """Answers with sources. Raises only what `errors` makes."""

    def size(self, question: Question) -> Size: ...
    async def ask(self, question: Question) -> SearchAnswer: ...


class LanguageModel(Seller, Protocol):
    """Writes. Has no tools. Raises only what `errors` makes; a poor answer is an answer."""

    # The longest answer.
    most_tokens: int

    def size(self, prompt: Prompt) -> Size: ...
    async def write(self, prompt: Prompt) -> ModelAnswer: ...


class Bell(Protocol):
    """Wakes the workflow that looks after something, and begins it when it sleeps. Returns once Temporal has taken it."""

    async def calendar(self, tenant_id: TenantId, calendar_id: RowId, ring: Ring) -> None: ...
    async def meeting(self, tenant_id: TenantId, meeting_id: RowId) -> None: ...


class CallBell(Protocol):
    async def call(self, tenant_id: TenantId, call_id: RowId) -> None:
        """Have a call read. One that is being read, or was, stays as it is; one that failed is read again."""
        ...


class DeliveryBell(Protocol):
    async def delivery(self, tenant_id: TenantId) -> None:
        """There is something to tell to a tenant's endpoint."""
        ...


@dataclass(frozen=True)
class CalendarEvent:
    """One instance of an event, as its calendar says it. Of one that is cancelled only the id is sure."""

    id: str
    cancelled: bool = False
    title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    all_day: bool = False
    private: bool = False
    # Not an appointment at all: out of office, focus time, a birthday.
    marker: bool = False
    # The list of guests is not the whole of it.
    guests_omitted: bool = False
    organizer: Invited | None = None
    invited: tuple[Invited, ...] = ()
    # Under which addresses the calendar's owner is on the list.
    own: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Page:
    """One page of a calendar's events: either another follows, or `sync_token` ends them."""

    events: tuple[CalendarEvent, ...]
    page_token: str | None
    sync_token: str | None
    # The ids of events that could not be read: they are there, whatever they say. Empty where even that is unreadable.
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a reading of a calendar goes on: after a page, after the last reading, or (neither) from `since`."""

    page_token: str | None
    sync_token: str | None
    since: datetime | None


@dataclass(frozen=True)
class Channel:
    """A push channel as its provider has it."""

    id: RowId
    resource_id: str
    expires_at: datetime


class PlaceGoneError(Exception):
    """The provider has forgotten the place from which we read on: everything is to be read again."""


class CalendarService(Protocol):
    """A calendar provider. `token` lets us in as the user. Raises UnauthorizedError, PlaceGoneError, or what `errors` makes."""

    name: str
    sandbox: bool

    async def events(self, token: str, calendar: str, place: Place) -> Page: ...
    async def watch(self, token: str, calendar: str, channel_id: RowId, secret: str, now: datetime) -> Channel: ...
    async def stop(self, token: str, channel: Channel) -> None:
        """A channel that the provider does not know is stopped."""
        ...


class UnauthorizedError(Exception):
    """The provider does not take this token: perhaps a fresh one."""


@dataclass(frozen=True)
class Grant:
    """What an account's provider gave us. Without a refresh token the one that we have goes on."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in_s: float
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as the provider of their account says. Only a verified address is theirs.

    `sub` is the account itself: an address may go to somebody else one day.
    """

    email: str
    verified: bool
    sub: str
    name: str = ""


class InvalidGrantError(Exception):
    """The grant is gone: revoked, expired, or never ours. Asking again will not help."""


class Accounts(Protocol):
    """Lets us in again as somebody who let us in once. Raises InvalidGrantError, or what `errors` makes."""

    name: str

    async def refresh(self, refresh_token: str) -> Grant: ...


@dataclass(frozen=True)
class Recorded:
    """A call as whoever recorded it tells of it."""

    id: str
    title: str = ""
    url: str = ""
    started_at: datetime | None = None
    duration_s: int | None = None
    speakers: tuple[Speaker, ...] = ()
    # The recorder's own id of the user whose call it is, and their address when it is told.
    owner_email: str | None = None


@dataclass(frozen=True)
class CallPage:
    """One page of a recorder's calls; without a cursor it is the last."""

    calls: tuple[Recorded, ...]
    cursor: str | None


@dataclass(frozen=True)
class RecorderAccess:
    """How a tenant's recorder lets us in."""

    base_url: str
    credentials: str = field(repr=False)
    # Of whom it counts calls: the tenant's recorder, for pacing.
    of: str = ""


class CallRecorder(Protocol):
    """What records calls. Raises UnauthorizedError, or what `errors` makes."""

    name: str
    sandbox: bool

    async def calls(self, access: RecorderAccess, since: datetime, until: datetime, cursor: str | None) -> CallPage: ...
    async def call(self, access: RecorderAccess, call_id: str) -> Recorded | None: ...
    async def transcript(self, access: RecorderAccess, call_id: str) -> Spoken | None:
        """None when there is none yet."""
        ...


class Objects(Protocol):
    """Keeps bytes under keys, whole or not at all. Raises only what `errors` makes."""

    async def put(self, key: str, data: bytes, kind: str) -> None: ...
    async def get(self, key: str) -> bytes | None: ...
    async def delete(self, keys: Sequence[str]) -> None: ...
