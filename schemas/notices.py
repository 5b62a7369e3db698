"""Notices: messages to users. What they say is read from rows when they are sent; only ids travel."""

from datetime import UTC, date, datetime
from enum import StrEnum

from schemas.base import Content, Email, Message, RowId, TenantId
from schemas.channels import ChannelOff


class NoticeKind(StrEnum):
    BRIEF = "brief"
    RESEARCH_FAILED = "research_failed"
    RECONNECT = "reconnect"
    CALENDAR_DARK = "calendar_dark"
    CALL_FAILED = "call_failed"
    LETTER = "letter"
    DIGEST = "digest"
    SKILL = "skill"
    SKILL_SLOW = "skill_slow"
    CHANNEL_OFF = "channel_off"


def brief_key(meeting_id: RowId, digest: str, starts_at: datetime) -> str:
    """A meeting's brief is delivered once for each digest of what is material in it, and once for each day to which
    the meeting is moved."""
    return f"brief/{meeting_id}/{digest}/{starts_at.astimezone(UTC):%Y%m%d}"


def failed_key(meeting_id: RowId, starts_at: datetime) -> str:
    """That there is no brief is told once for each time that a meeting is set for."""
    return f"failed/{meeting_id}/{starts_at.astimezone(UTC):%Y%m%dT%H%M%S}"


def lost_key(connection_id: RowId, version: int) -> str:
    """A lost connection is told once for each grant: `version` is the connection's with which it was lost."""
    return f"lost/{connection_id}/{version}"


def unwatched_key(calendar_id: RowId, expires_at: datetime) -> str:
    """That a channel ends and no other could be had is told once for each channel."""
    return f"unwatched/{calendar_id}/{expires_at.astimezone(UTC):%Y%m%dT%H%M%S}"


def dark_key(calendar_id: RowId, since: datetime) -> str:
    """A dark calendar is told once for each darkness."""
    return f"dark/{calendar_id}/{since.astimezone(UTC):%Y%m%dT%H%M%S}"


def unread_key(call_id: RowId, version: int) -> str:
    """That a call could not be read is told once for each time that it was tried."""
    return f"unread/{call_id}/{version}"


def letter_key(letter_id: RowId) -> str:
    """A mail that another application asked for is sent once."""
    return f"letter/{letter_id}"


def digest_key(digest_id: RowId, version: int) -> str:
    """A digest is told once for each time that it was made."""
    return f"digest/{digest_id}/{version}"


def skill_key(run_id: RowId, channel_id: RowId | None) -> str:
    """How a run ended is told once on each of its user's channels; None is their mail."""
    return f"skill/{run_id}/{channel_id or 'mail'}"


def slow_key(run_id: RowId, channel_id: RowId | None) -> str:
    """That a run takes long is told once on each of its user's channels."""
    return f"skill-slow/{run_id}/{channel_id or 'mail'}"


def channel_key(channel_id: RowId, since: datetime, by_channel_id: RowId | None = None) -> str:
    """That a channel was switched off is told once for each time, on each of its user's others; None is their mail."""
    return f"channel/{channel_id}/{since.astimezone(UTC):%Y%m%dT%H%M%S}/{by_channel_id or 'mail'}"


class NoticeOrder(Message):
    """Tell a user something, once for each key. What it is about is a row: of the meeting, the research, the
    connection, the call, the letter or the digest, as the kind has it. Without `user_id` it is for the user of that row."""

    tenant_id: TenantId
    key: str
    kind: NoticeKind
    user_id: RowId | None = None
    meeting_id: RowId | None = None
    research_id: RowId | None = None
    connection_id: RowId | None = None
    call_id: RowId | None = None
    letter_id: RowId | None = None
    digest_id: RowId | None = None
    skill_run_id: RowId | None = None
    # On this channel of theirs; by mail without one. Of CHANNEL_OFF it is the one that was switched off.
    channel_id: RowId | None = None
    # Of CHANNEL_OFF: on this one of theirs; by mail without one.
    by_channel_id: RowId | None = None

    @property
    def way(self) -> RowId | None:
        """The channel that it is to go out on; None is mail."""
        return self.by_channel_id if self.kind is NoticeKind.CHANNEL_OFF else self.channel_id


class Sending(Message):
    """Send the notice, unless that was done; or say since when that is tried.

    After a try that failed it is waited for this long, twice as long after each further one; 0 leaves that to the policy.
    """

    order: NoticeOrder
    now: datetime
    put_off_s: float = 0.0


class FirstTry(Message):
    """When a notice was first tried. None: no worker has come to it yet."""

    at: datetime | None = None


class Sent(Message):
    """What became of a notice: sent, skipped (nobody to send it to, or no way), or failed."""

    status: str
    reason: str = ""
    # The channel that it was for takes none any more.
    channel_off: ChannelOff | None = None


class NotSent(Message):
    """A notice that was given up."""

    order: NoticeOrder
    reason: str
    now: datetime


class Matter(Content):
    """What a notice is about, as its rows say when it is sent."""

    order: NoticeOrder
    message_id: str
    to: Email
    time_zone: str = "UTC"
    briefs_by_mail: bool = True
    # Something that it speaks of is pretended.
    sandbox: bool = False
    # The meeting, or for an ad hoc request whom it is about. `off` says that it is no meeting any more.
    title: str = ""
    meeting_id: RowId | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    off: bool = False
    # The research, and how its last run went.
    research_id: RowId | None = None
    research: str = ""
    brief_id: RowId | None = None
    failed_step: str = ""
    failure_reason: str = ""
    # The connection: its account, its status, whether some calendar has no good push channel, and since when one is dark.
    account: str = ""
    connection: str = ""
    unheard: bool = False
    dark_since: datetime | None = None
    # The call: its status, and whether its user wants to hear of those that cannot be read. `title` and `starts_at` are its.
    call_id: RowId | None = None
    call: str = ""
    calls_by_mail: bool = True
    # The digest: its day, how it stands, and whether its user wants digests by mail.
    digest_id: RowId | None = None
    digest: str = ""
    day: date | None = None
    digests_by_mail: bool = True
    # The run of a skill: what is run, how it stands, and the beginning of what it wrote. Its failure is told above.
    skill_run_id: RowId | None = None
    skill: str = ""
    run: str = ""
    output_id: RowId | None = None
    preview: str = ""
    skills_by_mail: bool = True
    # The channel that was switched off, and why.
    channel_id: RowId | None = None
    channel: str = ""
    channel_label: str = ""
    channel_status: str = ""
    channel_reason: str = ""
    # The letter: what it says, and the application that asked for it.
    subject: str = ""
    body: str = ""
    application: str = ""
