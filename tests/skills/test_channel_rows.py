"""Ways to tell a user something: their addresses are sealed, and a channel is switched off once."""

import asyncio
from base64 import urlsafe_b64encode
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from activities.sealing import Sealer
from activities.store.database import Database
from activities.store.rotation import Rotation
from activities.store.user_channels import MOST_CHANNELS, TooManyChannelsError, UserChannelStore
from tests.skills.run_rows import KEYS, NOW, Workshop

SECRET = "https://hooks.nowhere.example/T0/B0/xyzzy"


@pytest.fixture
async def shop(database: Database) -> Workshop:
    shop = Workshop(database)
    await shop.set_up()
    return shop


async def add(shop: Workshop, address: str = SECRET, kind: str = "slack", label: str = "work") -> str:
    return await shop.channels.add(shop.tenant.id, shop.user.id, kind, address, label, NOW)


async def test_an_address_is_kept_sealed_and_opened_for_whoever_sends(shop: Workshop) -> None:
    channel_id = await add(shop)
    assert SECRET not in str(await shop.rows("SELECT user_channels::text FROM user_channels"))
    channel = await shop.channels.channel(shop.tenant.id, channel_id)
    assert channel is not None
    assert (channel.id, channel.kind, channel.address) == (channel_id, "slack", SECRET)
    assert SECRET not in repr(channel)
    (line,) = await shop.channels.list(shop.tenant.id, shop.user.id)
    assert (line.user, line.kind, line.label, line.status, line.off_at) == (
        "robin@harbour.example",
        "slack",
        "work",
        "on",
        None,
    )
    assert SECRET not in line.model_dump_json()


async def test_the_same_address_is_the_same_channel_switched_on(shop: Workshop) -> None:
    channel_id = await add(shop)
    await shop.channels.off(shop.tenant.id, channel_id, "blocked", NOW)
    assert await add(shop, label="better") == channel_id
    (line,) = await shop.channels.list(shop.tenant.id, shop.user.id)
    assert (line.label, line.status, line.reason) == ("better", "on", "")
    assert len({channel_id, await add(shop, kind="telegram"), await add(shop, SECRET + "2")}) == 3
    with pytest.raises(ApplicationError, match="no such user"):
        await shop.channels.add(shop.tenant.id, str(uuid4()), "slack", SECRET, "", NOW)


async def test_there_are_not_many_however_many_are_added_at_once(shop: Workshop) -> None:
    adding = (add(shop, str(number), "telegram") for number in range(1, MOST_CHANNELS + 4))
    came = await asyncio.gather(*adding, return_exceptions=True)
    assert [type(one) for one in came if isinstance(one, BaseException)] == [TooManyChannelsError] * 3
    (known, *_), there = came, await shop.channels.list(shop.tenant.id, shop.user.id)
    assert len(there) == MOST_CHANNELS
    channel = await shop.channels.channel(shop.tenant.id, there[-1].id)
    assert channel is not None
    await shop.channels.off(shop.tenant.id, channel.id, "blocked", NOW)
    assert await add(shop, channel.address, "telegram", "newer") == channel.id, "it is no new one"
    assert (await shop.channels.list(shop.tenant.id, shop.user.id))[-1].label == "newer"
    ana = await shop.add("ana")
    assert await shop.channels.add(shop.tenant.id, ana.id, "telegram", "1", "", NOW) != known


async def test_what_is_off_stays_so_and_says_since_when(shop: Workshop) -> None:
    one, other, third = await add(shop), await add(shop, "2"), await add(shop, "3")
    await shop.channels.off(shop.tenant.id, third, "gone", NOW)
    off = await shop.channels.off(shop.tenant.id, one, "blocked", NOW)
    again = await shop.channels.off(shop.tenant.id, one, "another reason", NOW + timedelta(hours=1))
    assert off is not None
    assert off == again == await shop.channels.stands_off(shop.tenant.id, one)
    assert (off.channel_id, off.since, off.others) == (one, NOW, (other,))
    assert await shop.channels.channel(shop.tenant.id, one) is None
    assert await shop.channels.stands_off(shop.tenant.id, other) is None
    assert await shop.channels.off(shop.tenant.id, str(uuid4()), "x", NOW) is None
    assert await shop.channels.on(shop.tenant.id, shop.user.id, one)
    assert await shop.channels.channel(shop.tenant.id, one) is not None


async def test_one_that_moves_has_another_address(shop: Workshop) -> None:
    moved, other = await add(shop, "1", "telegram"), await add(shop, "3", "telegram")
    for _ in range(2):
        await shop.channels.readdress(shop.tenant.id, moved, "-1002")
    assert await add(shop, "-1002", "telegram") == moved
    await shop.channels.readdress(shop.tenant.id, moved, "3")
    both = [await shop.channels.channel(shop.tenant.id, one) for one in (moved, other)]
    assert [one.address for one in both if one] == ["3", "3"]
    assert await add(shop, "3", "telegram") == other
    await shop.channels.readdress(shop.tenant.id, str(uuid4()), "x")


async def test_nobody_touches_somebody_elses(shop: Workshop, database: Database) -> None:
    channel_id, ana = await add(shop), await shop.add("ana")
    assert not await shop.channels.remove(shop.tenant.id, ana.id, channel_id)
    assert not await shop.channels.on(shop.tenant.id, ana.id, channel_id)
    assert await shop.channels.list(shop.tenant.id, ana.id) == ()
    theirs = Workshop(database)
    await theirs.set_up()
    assert await shop.channels.channel(theirs.tenant.id, channel_id) is None
    assert await shop.channels.off(theirs.tenant.id, channel_id, "x", NOW) is None
    assert not await shop.channels.remove(theirs.tenant.id, None, channel_id)
    assert await shop.channels.remove(shop.tenant.id, shop.user.id, channel_id)
    assert not await shop.channels.remove(shop.tenant.id, shop.user.id, channel_id)


async def test_they_are_sealed_anew_when_the_key_is_changed(shop: Workshop, database: Database) -> None:
    """All tenants' are gone through: those of other tests, which another key sealed, fail and stay."""
    channel_id = await add(shop)
    keys = ",".join(f"{name}:{urlsafe_b64encode(key * 32).decode()}" for name, key in (("new", b"n"), ("test", b"t")))
    rotation, after = Rotation(database, Sealer(keys)), "user_channels/"
    while after:
        after = (await rotation.rotate(after, 100)).after or ""
    assert await shop.rows("SELECT key_id FROM user_channels") == [{"key_id": "new"}]
    channel = await UserChannelStore(database, Sealer(keys), KEYS).channel(shop.tenant.id, channel_id)
    assert channel is not None and channel.address == SECRET
    with pytest.raises(ApplicationError, match="no key 'new'"):
        await shop.channels.channel(shop.tenant.id, channel_id)
