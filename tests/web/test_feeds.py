"""The feed: what a podcast app reads, and who may have it."""

import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import feedparser
import podcastparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from activities.store.database import Database
from schemas.digests import AudioStatus, DigestStatus
from starter.links import SALT, FeedLinks, Links, Listener
from starter.web.feeds import EPISODES, rss
from tests.web.conftest import KEY, settings
from tests.web.house import House, Visitor
from tests.web.mornings import TODAY, Kept, digest, script, sound, tone
from tests.web.samples import CORPUS

ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
LINKS = FeedLinks(settings())


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.digests = house.wishes = house.sounds = Kept(house.tenant.id, house.user.id)
        await exits.enter_async_context(house.open())
        yield house


@pytest.fixture
def kept(house: House) -> Kept:
    assert isinstance(house.digests, Kept)
    return house.digests


@pytest.fixture
async def app(house: House) -> Visitor:
    """Somebody's podcast app: it has no cookies."""
    return await house.visitor()


def links(house: House) -> FeedLinks:
    return FeedLinks(house.settings())


def listener(kept: Kept) -> Listener:
    return Listener(kept.tenant_id, kept.user_id, kept.version)


def path(address: str) -> str:
    return "/" + address.split("/", 3)[3]


def valid(feed: Any) -> Any:
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


async def test_an_app_reads_the_feed_and_hears_what_is_in_it(house: House, kept: Kept, app: Visitor) -> None:
    old = kept.put(digest(kept, TODAY - timedelta(1), ended_at=datetime(2026, 11, 22, 6, 4, tzinfo=UTC)), tone())
    new = kept.put(digest(kept), tone())
    got = await app.get(path(links(house).feed(listener(kept))))
    feed = valid(feedparser.parse(got.text))

    assert got.headers["content-type"] == "application/rss+xml; charset=utf-8"
    assert feed.version == "rss20"
    assert feed.feed.title == "Greenroom for Robin"
    assert feed.feed.itunes_block == 1
    assert [one.id for one in feed.entries] == [new.id, old.id]
    assert feed.entries[0].title == "Monday 23 November: Rail Freight Renewal Act (sandbox data)"
    assert feed.entries[1].published == "Sun, 22 Nov 2026 06:04:00 GMT"
    (enclosure,) = feed.entries[0].enclosures
    assert (enclosure.type, enclosure.length) == ("audio/mpeg", str(len(tone())))
    assert enclosure.href == links(house).episode(listener(kept), new.id)
    async with app.session.get(path(enclosure.href), headers={"Range": "bytes=0-99"}) as answer:
        assert (answer.status, await answer.read()) == (206, tone()[:100])
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_a_podcast_app_finds_in_it_what_it_needs(house: House, kept: Kept, app: Visitor) -> None:
    """Read by gPodder's own parser."""
    new = kept.put(digest(kept), tone())
    got = await app.get(path(links(house).feed(listener(kept))))
    feed = podcastparser.parse("http://127.0.0.1:8080/", io.BytesIO(got.text.encode()))

    assert feed["title"] == "Greenroom for Robin"
    assert (feed["type"], feed["explicit"], feed["itunes_author"], feed["language"]) == (
        "episodic",
        False,
        "Greenroom",
        "en",
    )
    assert feed["cover_url"] == "http://127.0.0.1:8080/feeds/cover.png"
    (episode,) = feed["episodes"]
    assert (episode["guid"], episode["total_time"], episode["published"]) == (new.id, 24, int(new.ended_at.timestamp()))
    assert episode["enclosures"] == [
        {
            "url": links(house).episode(listener(kept), new.id),
            "file_size": len(tone()),
            "mime_type": "audio/mpeg",
        }
    ]


async def test_a_directory_s_categories_are_apple_s_own(house: House, kept: Kept, app: Visitor) -> None:
    root = ET.fromstring((await app.get(path(links(house).feed(listener(kept))))).text)
    assert [one.get("text") for one in root.iter(f"{ITUNES}category")] == ["News", "Daily News"]


async def test_its_notes_name_each_source_and_lead_there(house: House, kept: Kept, app: Visitor) -> None:
    kept.put(digest(kept), tone())
    feed = valid(feedparser.parse((await app.get(path(links(house).feed(listener(kept))))).text))
    notes = feed.entries[0].description

    assert (
        '<a href="https://congress.example/bill/119/hr/88">Rail Freight Renewal Act</a> (The House, 21 Nov 2026)'
        in notes
    )
    assert "Forecasting pilot" in notes
    assert "andbox data" in notes
    assert "fictional" in feed.feed.description


async def test_only_what_can_be_heard_is_in_it_and_no_more_than_two_weeks(
    house: House, kept: Kept, app: Visitor
) -> None:
    for back in range(EPISODES + 3, 0, -1):
        kept.put(digest(kept, TODAY - timedelta(back)), tone())
    written = kept.put(digest(kept, sound=None))
    spoken = {"sound": sound(len(tone())), "audio": AudioStatus.PENDING}
    failed = kept.put(digest(kept, TODAY + timedelta(1), status=DigestStatus.FAILED, **spoken), tone())
    feed = valid(feedparser.parse((await app.get(path(links(house).feed(listener(kept))))).text))

    assert len(feed.entries) == EPISODES
    for one in (written, failed):
        assert one.id not in [entry.id for entry in feed.entries]
        assert (await app.get(path(links(house).episode(listener(kept), one.id)))).status == 404


async def test_an_app_that_has_it_is_told_that_nothing_is_new_until_something_is(
    house: House, kept: Kept, app: Visitor
) -> None:
    kept.put(digest(kept), tone())
    address = path(links(house).feed(listener(kept)))
    first = await app.get(address)
    again = await app.get(address, If_None_Match=first.headers["etag"])
    kept.put(digest(kept, TODAY + timedelta(1)), tone())
    later = await app.get(address, If_None_Match=first.headers["etag"])

    assert (again.status, again.text) == (304, "")
    assert (later.status, len(feedparser.parse(later.text).entries)) == (200, 2)


async def test_an_empty_feed_is_a_feed(house: House, kept: Kept, app: Visitor) -> None:
    got = await app.get(path(links(house).feed(listener(kept))))
    feed = valid(feedparser.parse(got.text))
    assert (got.status, feed.entries, feed.feed.title) == (200, [], "Greenroom for Robin")


async def test_a_new_address_shuts_the_old_one(house: House, kept: Kept, app: Visitor) -> None:
    found = kept.put(digest(kept), tone())
    old, visitor = listener(kept), await house.sign_in()

    async def statuses(whose: Listener) -> list[int]:
        answers = [await app.session.get(path(address)) for address in both(house, whose, found.id)]
        return [one.status for one in answers]

    assert await statuses(old) == [200, 200]
    await visitor.send("/digests/feed", "/digests")
    assert await statuses(old) == [404, 404]
    assert await statuses(listener(kept)) == [200, 200]


def both(house: House, whose: Listener, digest_id: str) -> tuple[str, str]:
    return links(house).feed(whose), links(house).episode(whose, digest_id)


async def test_a_feed_opens_nothing_of_anybody_else_s(house: House, kept: Kept, app: Visitor) -> None:
    """Signed for a stranger, who has no version here, and for somebody of another tenant's id."""
    found = kept.put(digest(kept), tone())
    stranger = Listener(house.other_tenant.id, house.stranger.id, 1)
    mixed = Listener(house.other_tenant.id, house.user.id, 1)

    for whose in (stranger, mixed):
        for address in both(house, whose, found.id):
            got = await app.get(path(address))
            assert (got.status, found.id in got.text) == (404, False)
    for wrong in (str(uuid4()), "1", "..", "%00", "cover"):
        assert (
            await app.get(path(links(house).episode(listener(kept), found.id)).replace(found.id, wrong))
        ).status == 404


@pytest.mark.parametrize("token", ["x", "a.b", "%2e%2e", "é", "%00", "%ff%fe", "x" * 4000, "A" * 48 + "." + "A" * 43])
async def test_what_we_did_not_sign_opens_nothing(house: House, kept: Kept, app: Visitor, token: str) -> None:
    for end in (".xml", f"/{uuid4()}.mp3"):
        assert (await app.get(f"/feeds/{token}{end}")).status == 404


def test_a_key_of_links_to_briefs_signs_no_feed() -> None:
    """One key, and a purpose for each."""
    whose = Listener(str(uuid4()), str(uuid4()), 1)
    brief = Links(settings()).brief(whose.tenant_id, whose.user_id).partition("?t=")[2]
    token = path(LINKS.feed(whose)).removeprefix("/feeds/").removesuffix(".xml")

    signed = token.partition(".")[0]
    other = Signer(KEY, salt=SALT, digest_method=hashlib.sha256, key_derivation="hmac").sign(signed).decode()

    assert LINKS.read(other) is None
    assert LINKS.read(brief) is None
    assert Links(settings()).read(token, whose.user_id) is None
    assert FeedLinks(settings(link_key="another key that is as long as a key has to be")).read(token) is None
    assert LINKS.read(token) == whose


@given(st.text(max_size=200))
def test_garbage_is_no_token(text: str) -> None:
    assert LINKS.read(text) is None


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_whatever_a_title_says_the_feed_is_xml_and_runs_nothing(name: str) -> None:
    kept = Kept(str(uuid4()), str(uuid4()))
    bad = script().model_copy(
        update={
            "items": tuple(
                one.model_copy(update={"title": CORPUS[name], "source": CORPUS[name]}) for one in script().items
            )
        }
    )
    found = digest(kept, script=bad)
    text = rss(CORPUS[name], listener(kept), [found], LINKS, "http://127.0.0.1:8080")
    item = ET.fromstring(text).find("channel/item")

    assert item is not None
    assert (item.findtext("guid"), item.findtext(f"{ITUNES}duration")) == (found.id, "24")
    assert "<script" not in (item.findtext("description") or "").lower()
    assert [tag.tag for tag in item].count("enclosure") == 1


def test_a_quiet_day_says_so() -> None:
    kept = Kept(str(uuid4()), str(uuid4()))
    quiet = digest(
        kept, date(2026, 11, 24), quiet=True, script=script().model_copy(update={"items": ()}), sandbox=False
    )
    text = rss("Robin", listener(kept), [quiet], LINKS, "http://127.0.0.1:8080").decode()

    assert "Tuesday 24 November: a quiet day<" in text
    assert "Nothing was new." in text
    assert "sandbox" not in text.lower()


async def test_the_cover_is_a_square_that_directories_take(app: Visitor) -> None:
    async with app.session.get("/feeds/cover.png") as answer:
        data = await answer.read()
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])

    assert (answer.status, answer.headers["Content-Type"], data[:4]) == (200, "image/png", b"\x89PNG")
    assert width == height
    assert 1400 <= width <= 3000
    # True colour, without transparency.
    assert data[25] == 2
    assert len(data) < 512 * 1024
