"""Notices: messages to users. What they say is read from rows when they are sent; only ids travel."""

from datetime import datetime
from enum import StrEnum

from schemas.base import Message, RowId, TenantId


class NoticeKind(StrEnum):
    BRIEF = "brief"
    RESEARCH_FAILED = "research_failed"
    RECONNECT = "reconnect"
    CALENDAR_DARK = "calendar_dark"


class NoticeOrder(Message):
    """Tell a user something, once for each key. `about` is the row that it is about: of the meeting, the research or
    the connection, as the kind has it."""

    tenant_id: TenantId
    key: str
    kind: NoticeKind
    user_id: RowId
    meeting_id: RowId | None = None
    research_id: RowId | None = None
    connection_id: RowId | None = None


class Sending(Message):
    """Send the notice, unless that was done."""

    order: NoticeOrder
    now: datetime


class Sent(Message):
    """What became of a notice: sent, skipped (nobody to send it to, or no way), or failed."""

    status: str
    reason: str = ""


class NotSent(Message):
    """A notice that was given up."""

    order: NoticeOrder
    reason: str
    now: datetime
