"""The agenda: meetings, calendars and messages as their user sees them. Content: read for pages, never sent anywhere."""

from datetime import datetime

from schemas.base import Content, Email, RowId, TenantId
from schemas.meetings import Attendee


class Member(Content):
    """A user as the pages know them. Sessions that began before `signed_out_at` are over."""

    tenant_id: TenantId
    tenant: str
    id: RowId
    email: Email
    name: str
    time_zone: str
    deliver_before_min: int
    briefs_by_mail: bool
    calls_by_mail: bool = True
    skills_by_mail: bool = True
    signed_out_at: datetime | None = None


class Preferences(Content):
    """What a user may choose about their briefs."""

    time_zone: str
    deliver_before_min: int
    briefs_by_mail: bool
    calls_by_mail: bool = True
    skills_by_mail: bool = True


class Guest(Content):
    """Somebody from outside, as a list names them."""

    name: str
    email: Email


class MeetingLine(Content):
    """A meeting in a list, with all that tells how its brief stands. Each `None` is something that is not there yet."""

    id: RowId
    title: str
    starts_at: datetime
    ends_at: datetime | None
    # Why it is no meeting any more.
    withdrawn: str | None
    guests: tuple[Guest, ...]
    campaign: str
    campaign_active: bool
    status: str | None
    version: int
    failure_reason: str | None
    begun_at: datetime | None
    brief_id: RowId | None
    confidence: str | None
    written_at: datetime | None
    # Something of it is pretended: the calendar that it came from, or its brief.
    sandbox: bool


class Version(Content):
    """One brief of a meeting."""

    id: RowId
    version: int
    confidence: str
    written_at: datetime
    claims: int
    sandbox: bool


class Told(Content):
    """A message about a meeting, and what became of it."""

    kind: str
    status: str
    reason: str | None
    created_at: datetime
    ended_at: datetime | None


class MeetingView(Content):
    """A meeting with everything that is known of it."""

    line: MeetingLine
    account: str | None
    attendees: tuple[Attendee, ...]
    versions: tuple[Version, ...]
    notices: tuple[Told, ...]


class CalendarLine(Content):
    """A calendar and its health."""

    id: RowId
    name: str
    campaign_id: RowId | None
    watched: bool
    read_at: datetime | None
    pushed_at: datetime | None
    failing_since: datetime | None
    failure: str | None
    channel_expires_at: datetime | None


class ConnectionLine(Content):
    """An account that is connected, with its calendars."""

    id: RowId
    provider: str
    account: str
    status: str
    sandbox: bool
    connected_at: datetime
    calendars: tuple[CalendarLine, ...]


class CalendarHealth(Content):
    """A calendar as whoever looks after all of a tenant's sees it."""

    id: RowId
    connection_id: RowId
    account: str
    name: str
    user: Email
    status: str
    sandbox: bool
    watched: bool
    read_at: datetime | None
    pushed_at: datetime | None
    failing_since: datetime | None
    failure: str | None
    channel_expires_at: datetime | None


class ChannelLine(Content):
    """A push channel in a list."""

    id: RowId
    calendar_id: RowId
    account: str
    status: str
    created_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    renewal_failures: int


class Outlook(Content):
    """What a user has set up: what the first page says when there is nothing to show."""

    connections: int = 0
    lost: int = 0
    unread: int = 0
    failing: int = 0
    campaigns: int = 0
    sandbox: bool = False
