"""Ways to tell a user something: by mail, or on the channels of theirs; and who sends on each kind.

notice ─▶ its channel, opened ─▶ Messenger of its kind ─▶ sent | moved: once more, to the new address
                                                              └─ blocked: switched off, and told elsewhere
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from activities import errors
from schemas.base import RowId, TenantId
from schemas.channels import ChannelOff


@dataclass(frozen=True)
class Mail:
    """A message to one person: text and HTML say the same. `headers` are beside the usual ones."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict, hash=False)


class Mailer(Protocol):
    """Sends mail. Raises what `errors` makes; returning means that the server has taken it."""

    name: str
    sandbox: bool

    async def send(self, mail: Mail) -> None: ...


@dataclass(frozen=True)
class Channel:
    """A way to tell a user something, beside their mail. `address` is a chat's id, or a webhook's URL: a secret."""

    id: RowId
    kind: str
    address: str = field(repr=False)


class Messenger(Protocol):
    """Sends messages of one kind of channel. Raises MovedError, BlockedError when a channel takes none any more, or what
    `errors` makes."""

    kind: str
    sandbox: bool

    async def send(self, address: str, text: str) -> None: ...


class BlockedError(Exception):
    """The channel takes nothing of ours any more. Its text is ours: it says why."""


class MovedError(Exception):
    """What the channel leads to has another address now."""

    def __init__(self, address: str) -> None:
        super().__init__("it has moved")
        self.address = address


class Channels(Protocol):
    """Rows of channels."""

    async def channel(self, tenant_id: TenantId, channel_id: RowId) -> Channel | None:
        """Opened; nothing when it is gone, or off."""
        ...

    async def off(self, tenant_id: TenantId, channel_id: RowId, reason: str, now: datetime) -> ChannelOff | None:
        """Switch it off. Safe to run twice: one that is off stays as it is, and since when is told again."""
        ...

    async def stands_off(self, tenant_id: TenantId, channel_id: RowId) -> ChannelOff | None:
        """Since when it is off, if it is."""
        ...

    async def readdress(self, tenant_id: TenantId, channel_id: RowId, address: str) -> None:
        """Safe to run twice."""
        ...


class Ways:
    """The channels, and whoever sends on them. A kind without a messenger is none of this worker's."""

    def __init__(self, channels: Channels, messengers: Mapping[str, Messenger]) -> None:
        self._channels = channels
        self._messengers = messengers

    async def open(self, tenant_id: TenantId, channel_id: RowId) -> "Way | None":
        """Nothing when there is no such channel, it is off, or nobody sends on it."""
        channel = await self._channels.channel(tenant_id, channel_id)
        messenger = self._messengers.get(channel.kind) if channel else None
        return Way(self._channels, tenant_id, channel, messenger) if channel and messenger else None

    async def stands_off(self, tenant_id: TenantId, channel_id: RowId) -> ChannelOff | None:
        return await self._channels.stands_off(tenant_id, channel_id)

    async def off(self, tenant_id: TenantId, channel_id: RowId, reason: str, now: datetime) -> ChannelOff | None:
        return await self._channels.off(tenant_id, channel_id, reason, now)


class Way:
    """One open channel."""

    def __init__(self, channels: Channels, tenant_id: TenantId, channel: Channel, messenger: Messenger) -> None:
        self._channels = channels
        self._tenant_id = tenant_id
        self._channel = channel
        self._messenger = messenger

    @property
    def sandbox(self) -> bool:
        return self._messenger.sandbox

    async def send(self, text: str) -> None:
        """One that has moved is kept under its new address, and tried there once. Raises BlockedError, or what `errors`
        makes."""
        try:
            await self._messenger.send(self._channel.address, text)
        except MovedError as moved:
            await self._channels.readdress(self._tenant_id, self._channel.id, moved.address)
            await self._again(moved.address, text)

    async def _again(self, address: str, text: str) -> None:
        try:
            await self._messenger.send(address, text)
        except MovedError:
            raise errors.impossible(self._messenger.kind, "it moves without end") from None
