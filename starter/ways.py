"""The channels of users: whoever sends on them, put together, and what is looked at before there is another one."""

from datetime import datetime

import aiohttp
import structlog
from temporalio.exceptions import ApplicationError

from activities.plain import clean
from activities.providers import messages
from activities.sealing import Sealer, new_key
from activities.store.database import Database
from activities.store.user_channels import TooManyChannelsError, UserChannelStore
from activities.ways import BlockedError, Ways
from schemas.base import RowId, TenantId
from schemas.channels import UserChannel
from schemas.settings import STACK_FILE, Settings
from starter.intake import person_keys
from starter.show.layout import SANDBOX_NOTICE
from starter.words import NotReadyError, UsageError

log = structlog.get_logger(__name__)

LONGEST_LABEL = 60
HELLO = "{}\nYou are told here from now on what Greenroom has for you. This is how it ends: {}/preferences"


def ways(settings: Settings, database: Database, session: aiohttp.ClientSession) -> Ways:
    """A worker without keys opens no channel, and is told so when it tries."""
    sealer = Sealer(settings.token_keys.get_secret_value() or new_key())
    channels = UserChannelStore(database, sealer, person_keys(settings))
    return Ways(channels, messages.messengers(settings, session))


def channels(settings: Settings, database: Database) -> UserChannelStore:
    try:
        sealer = Sealer(settings.token_keys.get_secret_value())
    except ValueError as error:
        raise NotReadyError(str(error)) from None
    return UserChannelStore(database, sealer, person_keys(settings))


def here(settings: Settings) -> Settings:
    """As the parts of a development stack have them: whoever has no key is pretended there."""
    return settings.model_copy(update={"sandbox": settings.sandbox or STACK_FILE.exists()})


class Channels:
    """Adds channels, once their addresses have been looked at. What is wrong is said in a sentence that quotes none."""

    def __init__(self, settings: Settings, store: UserChannelStore, ways: Ways | None = None) -> None:
        self._settings = settings
        self._store = store
        self._ways = ways

    async def add(
        self, tenant_id: TenantId, user_id: RowId, kind: str, address: str, label: str, now: datetime
    ) -> RowId:
        """The same address again is the same channel, on, and called as it is now. It is greeted, if it can be."""
        try:
            checked = messages.address(self._settings, kind, address)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if len(label) > LONGEST_LABEL:
            raise UsageError(f"A label has at most {LONGEST_LABEL} letters")
        named = messages.named(kind, clean(label, LONGEST_LABEL))
        try:
            channel_id = await self._store.add(tenant_id, user_id, kind, checked, named, now)
        except TooManyChannelsError as error:
            raise UsageError(str(error), "remove one first") from None
        await self._greet(tenant_id, channel_id, now)
        return channel_id

    async def _greet(self, tenant_id: TenantId, channel_id: RowId, now: datetime) -> None:
        """Whoever is there learns of it, and how it ends. One that takes nothing is off at once, and says why."""
        way = await self._ways.open(tenant_id, channel_id) if self._ways else None
        if self._ways is None or way is None:
            return
        hello = HELLO.format(SANDBOX_NOTICE if way.sandbox else "", self._settings.web_url.rstrip("/"))
        try:
            await way.send(hello.strip())
        except BlockedError as blocked:
            await self._ways.off(tenant_id, channel_id, str(blocked), now)
        except ApplicationError as error:
            log.warning("a new channel was not greeted", channel=channel_id, error=error.type)

    def kinds(self) -> tuple[str, ...]:
        return messages.kinds(self._settings)

    async def list(self, tenant_id: TenantId, user_id: RowId) -> tuple[UserChannel, ...]:
        return await self._store.list(tenant_id, user_id)

    async def remove(self, tenant_id: TenantId, user_id: RowId, channel_id: RowId) -> bool:
        return await self._store.remove(tenant_id, user_id, channel_id)

    async def on(self, tenant_id: TenantId, user_id: RowId, channel_id: RowId) -> bool:
        return await self._store.on(tenant_id, user_id, channel_id)


class NoChannels:
    """Nobody sends on any, and there are none."""

    def kinds(self) -> tuple[str, ...]:
        return ()

    async def add(self, *_: object) -> RowId:
        raise UsageError("Nobody sends on channels here")

    async def list(self, *_: object) -> tuple[UserChannel, ...]:
        return ()

    async def remove(self, *_: object) -> bool:
        return False

    async def on(self, *_: object) -> bool:
        return False
