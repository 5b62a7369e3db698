"""What reading calls needs kept, and how a call comes in. Postgres keeps it; the tests have twins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.base import Email, RowId, TenantId
from schemas.transcripts import CallStatus, Source, Speaker, Spoken


@dataclass(frozen=True)
class NewCall:
    """A call that is to be read. `source_key` is what its source calls it: the same call is the same row."""

    source: Source
    source_key: str
    title: str = ""
    url: str = ""
    started_at: datetime | None = None
    duration_s: int | None = None
    recorder_id: RowId | None = None
    # Whose call it is, if they are a user of the tenant.
    owner_email: Email | None = None
    # What the tenant's own system calls the opportunity; without it, the domain of the company that was met.
    opportunity: str | None = None
    speakers: tuple[Speaker, ...] = ()
    sandbox: bool = False


@dataclass(frozen=True)
class Taken:
    """The row of a call; `new` when it was not there before."""

    call_id: RowId
    new: bool
    status: CallStatus


class CallIntake(Protocol):
    """Calls come in here, whoever tells of them: a webhook, a sweep, an event, a file."""

    async def take(self, tenant_id: TenantId, call: NewCall, spoken: Spoken | None, now: datetime) -> Taken:
        """Write a call down, with its transcript when that is there already. Safe to run twice: what is known stays."""
        ...
