"""The pages of digests: heard, read along, led to its sources, and wished for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, timedelta

import aiohttp
import pytest

from activities import errors
from activities.store.database import Database
from schemas.digests import AudioStatus, DigestStatus, ItemKind, Line, Quiet, Script, Wishes
from starter.web.digests import sources, turns, wished
from starter.words import UsageError
from tests.web import mornings
from tests.web.house import House, Visitor
from tests.web.mornings import TODAY, Kept, digest, script, tone

HOSTILE = "<script>document.title='x'</script>"
NOBODY = "00000000-0000-4000-8000-000000000000"


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
async def visitor(house: House) -> Visitor:
    return await house.sign_in()


async def test_a_digest_is_heard_read_and_led_to_its_sources(kept: Kept, visitor: Visitor) -> None:
    found = kept.put(digest(kept), tone())
    page = await visitor.get(f"/digests/{found.id}")

    assert page.status == 200
    assert f'src="/digests/{found.id}/audio"' in page.text
    assert "media-src 'self'" in page.headers["content-security-policy"]
    assert f'href="/digests/{found.id}/audio#t=9.0" data-at="9000"' in page.text
    assert page.says("by 231 votes to 190")
    assert 'href="https://congress.example/bill/119/hr/88"' in page.text
    assert f'href="/meetings/{script().items[2].meeting_id}"' in page.text
    assert f'href="/briefs/{script().items[2].brief_id}"' in page.text
    assert page.says("2 sentences that were written are left out")
    assert "sandbox data" in page.text.lower()


async def test_every_sentence_that_states_a_fact_names_its_source_and_no_other_does(
    kept: Kept, visitor: Visitor
) -> None:
    found = kept.put(digest(kept), tone())
    page = await visitor.get(f"/digests/{found.id}")

    said = page.text.split('class="say"')[1:]
    told = [('href="#source-' in one.partition("</span>")[0]) for one in said]
    assert told == [line.item is not None for line in script().lines]
    for number in range(1, 4):
        assert page.text.count(f'id="source-{number}"') == 1


async def test_what_strangers_wrote_is_only_read(kept: Kept, visitor: Visitor) -> None:
    trap = script(HOSTILE).model_copy(
        update={"items": tuple(one.model_copy(update={"url": "javascript:alert(1)"}) for one in script(HOSTILE).items)}
    )
    found = kept.put(digest(kept, script=trap), tone())
    failed = kept.put(
        digest(kept, TODAY - timedelta(1), status=DigestStatus.FAILED, script=None, sound=None, failure_reason=HOSTILE)
    )
    refused = kept.put(
        digest(kept, TODAY - timedelta(2), sound=None, audio=AudioStatus.REFUSED, audio_reason=HOSTILE, script=trap)
    )
    for path in ("", f"/{found.id}", f"/{failed.id}", f"/{refused.id}"):
        page = await visitor.get(f"/digests{path}")
        assert page.status == 200
        assert "document.title" in page.text
        assert "<script>document" not in page.text
        assert "javascript:" not in page.text


async def test_today_s_is_first_and_the_others_follow(kept: Kept, visitor: Visitor) -> None:
    old = kept.put(digest(kept, date(2026, 11, 20), quiet=True), tone())
    new = kept.put(digest(kept), tone())
    page = await visitor.get("/digests")

    assert page.text.index(new.id) < page.text.index(old.id)
    assert f'<audio class="player" controls preload="none" src="/digests/{new.id}/audio"' in page.text
    assert page.text.count('name="csrf"') == page.text.count('method="post"') == 3
    assert page.says("A quiet day")
    assert page.says("Today, Monday 23 November")
    assert not page.says("Make it now")


@pytest.mark.parametrize(
    ("status", "said", "busy"),
    [
        (DigestStatus.REQUESTED, "Waiting for its turn", True),
        (DigestStatus.GENERATING, "Being written", True),
        (DigestStatus.SKIPPED, "You asked for no digest on such a day", False),
        (DigestStatus.FAILED, "Try again", False),
    ],
)
async def test_one_that_is_not_ready_says_how_it_stands(
    kept: Kept, visitor: Visitor, status: DigestStatus, said: str, busy: bool
) -> None:
    kept.wanted = Wishes(sales=True)
    found = kept.put(digest(kept, status=status, script=None, sound=None))
    page = await visitor.get(f"/digests/{found.id}")

    assert page.says(said)
    assert "<audio" not in page.text
    assert ("data-busy" in page.text) is busy
    assert f'"busy": {str(busy).lower()}' in (await visitor.get(f"/digests/{found.id}/progress")).text
    assert (await visitor.get(f"/digests/{found.id}/audio")).status == 404
    assert (await visitor.get("/digests")).status == 200


async def test_a_digest_that_was_refused_its_audio_is_there_in_writing_and_says_why(
    kept: Kept, visitor: Visitor
) -> None:
    found = kept.put(digest(kept, sound=None, audio=AudioStatus.REFUSED, audio_reason="the quota is used up"))
    page = await visitor.get(f"/digests/{found.id}")

    assert page.says("the quota is used up")
    assert page.says("Halden Group opened a depot in Rotterdam.")
    assert "<audio" not in page.text
    assert "data-at" not in page.text
    assert "data-start" not in page.text


async def test_somebody_else_s_and_another_tenant_s_are_not_there(house: House, kept: Kept, visitor: Visitor) -> None:
    found = kept.put(digest(kept), tone())
    stranger = await house.sign_in(house.stranger.email)

    for path in ("", "/audio", "/progress"):
        assert (await stranger.get(f"/digests/{found.id}{path}")).status == 404
        assert (await visitor.get(f"/digests/{NOBODY}{path}")).status == 404
        assert (await visitor.get(f"/digests/1{path}")).status == 404
    assert found.id not in (await stranger.get("/digests")).text


async def test_whoever_is_not_signed_in_hears_and_reads_nothing(house: House, kept: Kept) -> None:
    found, nobody = kept.put(digest(kept), tone()), await house.visitor()

    assert (await nobody.get("/digests")).to.startswith("/sign-in")
    assert (await nobody.get(f"/digests/{found.id}")).to.startswith("/sign-in")
    assert (await nobody.get(f"/digests/{found.id}/audio")).status == 401
    assert kept.read == []


async def test_the_button_makes_today_s_by_the_user_s_own_day(house: House, kept: Kept, visitor: Visitor) -> None:
    kept.wanted = Wishes(topics=("rail freight",))
    assert (await visitor.get("/digests")).says("Make it now")
    # It is Tuesday in Berlin.
    house.now = house.now.replace(hour=23, minute=30)
    got = await visitor.send("/digests/today", "/digests")

    assert (got.status, got.to) == (303, f"/digests/{kept.digests[0].id}?note=digest-asked")
    assert kept.asked == [(date(2026, 11, 24), None)]
    assert house.running.done == [("digest of 2026-11-24", house.user.id)]


async def test_without_a_wish_nothing_is_made(house: House, kept: Kept, visitor: Visitor) -> None:
    got = await visitor.send("/digests/today", "/digests")

    assert got.status == 400
    assert got.says("Say first what you want to hear of")
    assert (kept.asked, house.running.done) == ([], [])


async def test_one_whose_people_are_forgotten_is_not_made_again(house: House, kept: Kept, visitor: Visitor) -> None:
    kept.wanted = Wishes(sales=True)
    gone = {"status": DigestStatus.FAILED, "failed_step": "erased", "failure_reason": "somebody is forgotten"}
    found = kept.put(digest(kept, script=None, sound=None, **gone))
    page, pages = await visitor.get(f"/digests/{found.id}"), await visitor.get("/digests")
    got = await visitor.send("/digests/today", "/digests")

    assert page.says("somebody is forgotten")
    assert not page.says("Try again")
    assert not pages.says("Try again")
    assert (got.status, got.says("asked to be forgotten"), house.running.done) == (400, True, [])


async def test_when_nobody_works_that_is_said(house: House, kept: Kept, visitor: Visitor) -> None:
    kept.wanted, house.running.away = Wishes(sales=True), True
    got = await visitor.send("/digests/today", "/digests")

    assert got.status == 503
    assert got.says("That cannot be begun right now")


@pytest.mark.parametrize("path", ["today", "feed", "wishes"])
async def test_a_form_that_is_not_ours_does_nothing(house: House, kept: Kept, visitor: Visitor, path: str) -> None:
    kept.wanted = Wishes(sales=True)
    forged = await visitor.post(f"/digests/{path}", {"csrf": "forged", "quiet": "none"})
    foreign = await visitor.post(f"/digests/{path}", {"quiet": "none"}, Origin="https://elsewhere.example")

    assert (forged.status, foreign.status) == (403, 403)
    assert (kept.asked, house.running.done, kept.version, kept.wanted) == ([], [], 1, Wishes(sales=True))


async def test_wishes_are_kept_and_shown_as_they_are(kept: Kept, visitor: Visitor) -> None:
    fields = {"topics": " Rail freight \r\n\r\nrail FREIGHT\r\nöffentlicher Verkehr ", "sales": "on", "quiet": "none"}
    got = await visitor.send("/digests/wishes", "/digests", **fields, day_0="on", day_6="on", audio="on")

    assert (got.status, got.to) == (303, "/digests?note=wished")
    assert kept.wanted == Wishes(
        topics=("rail FREIGHT", "öffentlicher Verkehr"),
        sales=True,
        days=0b1000001,
        quiet=Quiet.NONE,
        audio=True,
        by_mail=False,
    )
    page = await visitor.get("/digests")
    assert page.says("öffentlicher Verkehr</textarea>")
    ticked = {
        name
        for name in ("sales", "audio", "by_mail", "day_0", "day_1", "day_6")
        if f'name="{name}" checked' in page.text
    }
    assert ticked == {"sales", "audio", "day_0", "day_6"}
    assert 'value="none" selected' in page.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"topics": "\n".join(f"topic {n}" for n in range(11)), "quiet": "short"}, "At most 10 interests"),
        ({"topics": "x" * 81, "quiet": "short"}, "at most 80 letters"),
        ({"quiet": "loud"}, "one of what is listed"),
        ({}, "one of what is listed"),
    ],
)
async def test_wishes_that_cannot_be_meant_are_said_beside_what_was_written(
    kept: Kept, visitor: Visitor, fields: dict[str, str], said: str
) -> None:
    got = await visitor.send("/digests/wishes", "/digests", **fields)

    assert got.status == 400
    assert got.says(said)
    assert got.says(fields.get("topics", ""))
    assert kept.wanted == Wishes()


def test_a_topic_of_nothing_that_is_seen_is_none() -> None:
    assert wished({"topics": "\x00\u200b\n \u202e \n", "quiet": "short"}).topics == ()
    with pytest.raises(UsageError):
        wished({"quiet": "\x00"})


def test_sources_have_their_words_each_once() -> None:
    again = Line(turn=9, voice=1, text="Again.", item=2, quote="with room for 40 trains a day")
    told = script().model_copy(update={"lines": (*script().lines, again)})
    found = sources(told)

    assert [one.number for one in found] == [1, 2, 3]
    assert found[1].quotes == ("opened a depot in Rotterdam on Friday", "with room for 40 trains a day")
    assert found[2].item.kind is ItemKind.MEETING
    assert [len(turn) for turn in turns(told.lines)] == [1, 2, 2, 1, 2, 1]
    assert sources(Script(items=(), lines=())) == []


async def test_a_new_address_takes_the_place_of_the_old_one(kept: Kept, visitor: Visitor) -> None:
    before = await visitor.get("/digests")
    got = await visitor.send("/digests/feed", "/digests")
    after = await visitor.get("/digests")
    addresses = {page.text.partition('id="address" value="')[2].partition('"')[0] for page in (before, after)}

    assert (got.status, got.to) == (303, "/digests?note=feed-new")
    assert len(addresses) == 2
    assert all(one.startswith("http://127.0.0.1:8080/feeds/") for one in addresses)


class TestAudio:
    """Players ask for any stretch of it."""

    @pytest.fixture
    def audio(self) -> bytes:
        return bytes(number % 251 for number in range(1_300_000))

    async def ask(self, visitor: Visitor, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with visitor.session.get(path, headers=named) as answer:
            return answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()}

    @pytest.mark.parametrize(
        ("asked", "start", "end"),
        [
            ("bytes=0-", 0, 1_300_000),
            ("bytes=0-0", 0, 1),
            ("bytes=100-199", 100, 200),
            ("bytes=600000-", 600_000, 1_300_000),
            ("bytes=-100", 1_299_900, 1_300_000),
            ("bytes=-9999999", 0, 1_300_000),
            ("bytes=1299999-99999999999999999999", 1_299_999, 1_300_000),
        ],
    )
    async def test_a_stretch_of_it(
        self, kept: Kept, visitor: Visitor, audio: bytes, asked: str, start: int, end: int
    ) -> None:
        found = kept.put(digest(kept, sound=mornings.sound(len(audio))), audio)
        status, data, headers = await self.ask(visitor, f"/digests/{found.id}/audio", Range=asked)

        assert status == 206
        assert data == audio[start:end]
        assert headers["content-range"] == f"bytes {start}-{end - 1}/1300000"
        assert headers["content-type"] == "audio/mpeg"

    @pytest.mark.parametrize(
        "asked", ["", "bytes=5-2", "bytes=a-b", "bytes=-", "bytes=0-1,4-5", "items=0-1", "x" * 500]
    )
    async def test_all_of_it_when_no_stretch_can_be_read(
        self, kept: Kept, visitor: Visitor, audio: bytes, asked: str
    ) -> None:
        found = kept.put(digest(kept, sound=mornings.sound(len(audio))), audio)
        status, data, headers = await self.ask(
            visitor, f"/digests/{found.id}/audio", **({"Range": asked} if asked else {})
        )

        assert (status, data == audio) == (200, True)
        assert headers["accept-ranges"] == "bytes"
        assert headers["content-length"] == "1300000"
        assert max(end - start for start, end in kept.read) <= 512 * 1024

    async def test_a_stretch_beyond_it_is_refused(self, kept: Kept, visitor: Visitor, audio: bytes) -> None:
        found = kept.put(digest(kept, sound=mornings.sound(len(audio))), audio)
        status, _, headers = await self.ask(visitor, f"/digests/{found.id}/audio", Range="bytes=1300000-")

        assert (status, headers["content-range"]) == (416, "bytes */1300000")
        assert kept.read == []

    async def test_who_has_it_is_sent_nothing_and_who_has_another_is_sent_all(
        self, kept: Kept, visitor: Visitor, audio: bytes
    ) -> None:
        found = kept.put(digest(kept, sound=mornings.sound(len(audio))), audio)
        path = f"/digests/{found.id}/audio"
        _, _, headers = await self.ask(visitor, path, Range="bytes=0-9")

        status, data, told = await self.ask(visitor, path, If_None_Match=headers["etag"])
        assert (status, data, told["cache-control"]) == (304, b"", "private, no-cache")
        assert (await self.ask(visitor, path, Range="bytes=5-9", If_Range=headers["etag"]))[:2] == (206, audio[5:10])
        assert (await self.ask(visitor, path, Range="bytes=5-9", If_Range='"other"'))[0] == 200

    async def test_its_head_says_how_long_it_is(self, kept: Kept, visitor: Visitor, audio: bytes) -> None:
        found = kept.put(digest(kept, sound=mornings.sound(len(audio))), audio)
        async with visitor.session.head(f"/digests/{found.id}/audio") as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, "1300000")

    async def test_what_its_store_has_lost_is_not_there(self, kept: Kept, visitor: Visitor) -> None:
        found = kept.put(digest(kept), tone())
        kept.objects.clear()

        assert (await self.ask(visitor, f"/digests/{found.id}/audio"))[0] == 404

    async def test_a_store_that_goes_away_meanwhile_breaks_it_off_and_one_that_is_away_is_said(
        self, kept: Kept, visitor: Visitor, audio: bytes
    ) -> None:
        kept.fails = errors.unreachable("the object store", OSError())
        found = kept.put(digest(kept, sound=mornings.sound(len(audio))), audio)
        with pytest.raises(aiohttp.ClientError):
            async with asyncio.timeout(3):
                await self.ask(visitor, f"/digests/{found.id}/audio")
        assert (await self.ask(visitor, f"/digests/{found.id}/audio"))[0] == 503

    async def test_one_that_ends_too_early_breaks_off(self, kept: Kept, visitor: Visitor, audio: bytes) -> None:
        """At once: otherwise its player waits for the rest until the connection is idle for too long."""
        found = kept.put(digest(kept, sound=mornings.sound(len(audio))), audio[:700_000])
        with pytest.raises(aiohttp.ClientError):
            async with asyncio.timeout(3):
                await self.ask(visitor, f"/digests/{found.id}/audio")
