"""The pages and the feed of digests over the real rows, and over a folder that keeps audio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import aiohttp
import feedparser
import pytest

from activities.providers.objects import ObjectStore
from activities.store.database import Database
from activities.store.digests import DigestStore
from schemas.digests import DigestEnding, DigestStart, DigestStep, Quiet, Sound, Wishes
from starter.links import FeedLinks, Listener
from starter.web.app import sounds
from starter.web.sounds import Silence
from starter.words import NotReadyError
from tests.web.house import NOW, House
from tests.web.mornings import TODAY, script, sound, tone


class Real(NamedTuple):
    """A house whose stores are all real."""

    house: House
    digests: DigestStore
    objects: ObjectStore

    async def made(self, spoken: Sound | None, *, refused: str = "") -> str:
        """A digest of today, as its workflow leaves it."""
        tenant_id, user_id = self.house.tenant.id, self.house.user.id
        start = DigestStart(tenant_id=tenant_id, user_id=user_id, day=TODAY, run_id=str(uuid4()), now=NOW)
        begun = await self.digests.begin(start, speaks=True, sandbox=True)
        step = {"tenant_id": tenant_id, "digest_id": begun.digest_id, "version": begun.version, "now": NOW}
        await self.digests.keep_script(DigestStep(**step), script())
        await self.digests.finish(DigestEnding(**step, refused=refused), script(), spoken)
        return begun.digest_id

    def address(self, version: int) -> str:
        """The path of their feed."""
        listener = Listener(self.house.tenant.id, self.house.user.id, version)
        return "/" + FeedLinks(self.house.settings()).feed(listener).split("/", 3)[3]


@pytest.fixture
async def real(database: Database, tmp_path: Path) -> AsyncIterator[Real]:
    async with AsyncExitStack() as exits:
        house, objects = House(database, exits), ObjectStore.at(f"file://{tmp_path}")
        await house.set_up()
        house.sounds = objects
        await exits.enter_async_context(house.open())
        yield Real(house, DigestStore(database), objects)


async def test_what_is_wished_for_is_kept_and_asked_for(real: Real) -> None:
    house = real.house
    visitor = await house.sign_in()
    fields = {"topics": "rail freight\nhousing", "quiet": "none", "day_5": "on", "by_mail": "on"}
    await visitor.send("/digests/wishes", "/digests", **fields)
    got = await visitor.send("/digests/today", "/digests")

    kept = await house.wishes.wishes(house.tenant.id, house.user.id)
    assert kept == Wishes(topics=("rail freight", "housing"), days=0b100000, quiet=Quiet.NONE, audio=False)
    (row,) = await house.run("SELECT id, day, status FROM digests")
    assert got.to == f"/digests/{row['id']}?note=digest-asked"
    assert (row["day"], row["status"]) == (TODAY, "requested")
    assert (await visitor.get(got.to)).says("Waiting for its turn")
    assert house.running.done == [(f"digest of {TODAY}", house.user.id)]


async def test_a_digest_is_read_and_heard_from_where_it_is_kept(real: Real) -> None:
    spoken = sound(len(tone()), "somebody/digests/1/all.mp3")
    await real.objects.put(spoken.key, tone(), "audio/mpeg")
    digest_id = await real.made(spoken)
    visitor = await real.house.sign_in()
    page = await visitor.get(f"/digests/{digest_id}")

    assert page.says("Halden Group opened a depot in Rotterdam.")
    assert page.says("opened a depot in Rotterdam on Friday")
    assert 'data-start="3000"' in page.text
    assert "sandbox data" in page.text.lower()
    async with visitor.session.get(f"/digests/{digest_id}/audio", headers={"Range": "bytes=100-"}) as answer:
        assert (answer.status, await answer.read()) == (206, tone()[100:])
    assert digest_id in (await visitor.get("/digests")).text


async def test_what_its_folder_has_lost_is_not_there(real: Real) -> None:
    digest_id = await real.made(sound(9, "somebody/digests/1/gone.mp3"))
    assert (await (await real.house.sign_in()).get(f"/digests/{digest_id}/audio")).status == 404


async def test_an_address_of_objects_that_is_none_is_said_before_anything_is_served(real: Real) -> None:
    assert isinstance(sounds(real.house.settings()), Silence)
    with pytest.raises(NotReadyError, match="GREENROOM_OBJECTS_URL"):
        sounds(real.house.settings(objects_url="ftp://somewhere.example"))


async def test_the_feed_is_of_those_that_can_be_heard_until_it_has_another_address(real: Real) -> None:
    spoken = sound(len(tone()), "somebody/digests/1/all.mp3")
    await real.objects.put(spoken.key, tone(), "audio/mpeg")
    digest_id = await real.made(spoken)
    app, visitor = await real.house.visitor(), await real.house.sign_in()
    feed = feedparser.parse((await app.get(real.address(1))).text)

    assert [one.id for one in feed.entries] == [digest_id]
    assert "Halden opens a depot" in feed.entries[0].description
    await visitor.send("/digests/feed", "/digests")
    assert (await app.get(real.address(1))).status == 404
    assert (await app.get(real.address(2))).status == 200
    await real.house.run("DELETE FROM users WHERE id = $1", real.house.user.id)
    assert (await app.get(real.address(2))).status == 404


async def test_one_that_was_refused_its_audio_is_no_episode(real: Real) -> None:
    digest_id = await real.made(None, refused="the quota is used up")
    visitor = await real.house.sign_in()

    assert (await visitor.get(f"/digests/{digest_id}")).says("the quota is used up")
    assert (await visitor.get(f"/digests/{digest_id}/audio")).status == 404
    assert feedparser.parse((await visitor.get(real.address(1))).text).entries == []


async def test_somebody_else_s_is_not_there_in_the_real_rows_either(real: Real) -> None:
    digest_id = await real.made(sound(9))
    stranger = await real.house.sign_in(real.house.stranger.email)
    for path in ("", "/audio", "/progress"):
        assert (await stranger.get(f"/digests/{digest_id}{path}")).status == 404


async def test_an_object_that_is_shorter_than_it_was_breaks_off(real: Real) -> None:
    spoken = sound(2_000_000, "somebody/digests/1/short.mp3")
    await real.objects.put(spoken.key, bytes(700_000), "audio/mpeg")
    digest_id = await real.made(spoken)
    visitor = await real.house.sign_in()
    with pytest.raises(aiohttp.ClientError):
        async with asyncio.timeout(3), visitor.session.get(f"/digests/{digest_id}/audio") as answer:
            await answer.read()
