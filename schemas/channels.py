"""Ways to tell a user something, beside their mail."""

from datetime import datetime

from schemas.base import Content, Email, Message, RowId


class UserChannel(Content):
    """A channel as its user sees it: never its address, which is a secret. One that is off says why, and since when."""

    id: RowId
    user_id: RowId
    user: Email
    kind: str
    label: str
    status: str
    reason: str = ""
    created_at: datetime
    off_at: datetime | None = None


class ChannelOff(Message):
    """A channel was switched off: since when, and on which others of its user that can be told."""

    channel_id: RowId
    since: datetime
    others: tuple[RowId, ...] = ()
