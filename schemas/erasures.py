"""Erasures: somebody is to be forgotten. And keeping: what is too old to be kept. Ids and counts travel, people do not."""

from datetime import datetime
from typing import Any

from pydantic import Field

from schemas.base import Content, Email, Message, RowId, TenantId

LEAST_DAYS, MOST_DAYS = 1, 3650


class Erasure(Message):
    """Forget whom this row names."""

    tenant_id: TenantId
    erasure_id: RowId


class Forgetting(Message):
    """One step of it."""

    tenant_id: TenantId
    erasure_id: RowId
    now: datetime


class Erased(Message):
    """It is done: how much was deleted or changed, by kind."""

    counts: dict[str, int] = Field(default_factory=dict)


class Keeping(Message):
    """Delete what is older than its tenant keeps it, of all tenants."""


class Outdated(Message):
    """The step of it: `now` is the time from which ages count."""

    now: datetime


class Discarded(Message):
    """How a sweep went: how much was deleted, by kind."""

    tenants: int = 0
    counts: dict[str, int] = Field(default_factory=dict)


class ErasureReport(Content):
    """What was done to forget somebody. Names nobody: it is kept."""

    id: RowId
    requested_at: datetime
    finished_at: datetime | None
    counts: dict[str, int] = Field(default_factory=dict)
    # Researches of other people whose brief went with it, and which nobody writes again by themselves.
    unwritten: tuple[RowId, ...] = ()


class Attendance(Content):
    meeting_id: RowId
    title: str
    starts_at: datetime
    email: Email
    name: str
    standing: str


class Known(Content):
    """A person as their row has them."""

    id: RowId
    email: Email
    name: str
    company_domain: str | None
    last_researched_at: datetime | None
    # What the last look-up said, as it is kept.
    profile: dict[str, Any]


class Request(Content):
    """A research in which they are somebody to be met."""

    id: RowId
    kind: str
    status: str
    requested_at: datetime


class LookedUp(Content):
    """A look-up about them: what was bought, from whom, and what came back."""

    id: RowId
    provider: str
    model: str
    asked_at: datetime
    said: dict[str, Any]


class Page(Content):
    """A source's own text. `about_them` is false for a page about somebody else that names them."""

    id: RowId
    about_them: bool
    url: str
    title: str
    text: str
    fetched_at: datetime


class Said(Content):
    """A sentence of a brief about them."""

    brief_id: RowId
    text: str
    quote: str | None
    url: str | None
    written_at: datetime


class Marked(Content):
    verdict: str
    text: str
    quote: str
    created_at: datetime


class Spoke(Content):
    """A call in which they were, or in which they are named; `words` are their own."""

    id: RowId
    title: str
    started_at: datetime | None
    name: str | None
    words: tuple[str, ...]


class BriefTitle(Content):
    """A brief that is about them or names them."""

    id: RowId
    title: str
    version: int
    identity: str | None
    written_at: datetime


class Came(Content):
    """What another application sent that names them: a record, a mail that was asked for, an event that waits."""

    id: RowId
    kind: str
    at: datetime
    said: Any


class Dossier(Content):
    """All that is kept about an address, in one tenant."""

    email: Email
    # They are not researched, and not written down where they come again.
    suppressed: bool
    people: tuple[Known, ...] = ()
    meetings: tuple[Attendance, ...] = ()
    requests: tuple[Request, ...] = ()
    look_ups: tuple[LookedUp, ...] = ()
    pages: tuple[Page, ...] = ()
    claims: tuple[Said, ...] = ()
    marks: tuple[Marked, ...] = ()
    briefs: tuple[BriefTitle, ...] = ()
    calls: tuple[Spoke, ...] = ()
    came: tuple[Came, ...] = ()

    @property
    def empty(self) -> bool:
        return not any(getattr(self, part) for part in type(self).model_fields if part not in ("email", "suppressed"))
