"""Digests in a real browser: the transcript follows what is heard, a click leads there, and every page can be read."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from activities.store.database import Database
from schemas.digests import AudioStatus, DigestStatus, Wishes
from starter.web import screens
from tests.web.browser import CHROMIUM, Tab, browsing
from tests.web.house import House
from tests.web.mornings import TODAY, Kept, digest, script, tone
from tests.web.test_screens_browser import EVERYTHING, FAINT, FLAWS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

SAYING = "[...document.querySelectorAll('.say.saying')].map((one) => one.firstChild.data.trim()).join('|')"
HERE = "document.querySelector('audio').currentTime"
PLAYS = "document.querySelector('audio').readyState >= 2"


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


async def click(tab: Tab, selector: str) -> None:
    """As a person does: a browser plays nothing for a script alone."""
    script = f"document.querySelector({json.dumps(selector)}).click()"
    await tab.do("Runtime.evaluate", expression=script, userGesture=True)


async def test_a_click_leads_there_and_the_transcript_follows(house: House, kept: Kept, tmp_path: Path) -> None:
    found, visitor = kept.put(digest(kept), tone()), await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(f"{house.base}/digests/{found.id}")
        await tab.until(f"{PLAYS} && document.querySelector('audio').duration > 23")
        await tab.says("document.querySelector('audio').muted = true")
        assert await tab.says(SAYING) == ""

        await click(tab, ".chapters li:nth-child(3) a")
        await tab.until(f"!document.querySelector('audio').paused && {HERE} >= 9")
        await tab.until(f"{SAYING} === 'And there is more.'")
        assert await tab.says("document.querySelector('.chapters .saying').innerText.includes('Halden')")
        assert await tab.says("document.querySelectorAll('.say[aria-current]').length") == 1

        await click(tab, ".voices li:last-child .say:last-child")
        await tab.until(f"{HERE} >= 21")
        await tab.until(f"{SAYING} === 'That is all for today.'")
        await click(tab, ".say .n")
        assert await tab.says("location.hash") == "#source-1"
        assert await tab.says(HERE) > 20
        assert {url for url in tab.asked if not url.startswith((house.base, "data:"))} == set()


async def test_it_scrolls_along_until_that_is_not_wanted(house: House, kept: Kept, tmp_path: Path) -> None:
    long = script().model_copy(
        update={
            "lines": tuple(one.model_copy(update={"text": f"{one.text} {'more ' * 150}"}) for one in script().lines)
        }
    )
    found, visitor = kept.put(digest(kept, script=long), tone()), await house.sign_in()
    last = "document.querySelector('.voices li:last-child .say:last-child').getBoundingClientRect().top < innerHeight"
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        await tab.do("Emulation.setDeviceMetricsOverride", width=900, height=700, deviceScaleFactor=1, mobile=False)
        await tab.visit(f"{house.base}/digests/{found.id}")
        await tab.until(PLAYS)
        await tab.says("document.querySelector('audio').muted = true")
        assert not await tab.says(last)
        await click(tab, ".chapters li:last-child a")
        await tab.says("document.querySelector('audio').currentTime = 21.5")
        await tab.until(last)

        await click(tab, "#follow")
        await tab.says("document.querySelector('audio').currentTime = 0; scrollTo(0, 0)")
        await tab.says("document.querySelector('audio').currentTime = 21.5")
        await tab.until(f"{SAYING}.startsWith('That is all')")
        assert await tab.says("scrollY") == 0


async def test_without_a_script_a_time_opens_the_audio(house: House, kept: Kept, tmp_path: Path) -> None:
    found, visitor = kept.put(digest(kept), tone()), await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.do("Emulation.setScriptExecutionDisabled", value=True)
        await tab.visit(f"{house.base}/digests/{found.id}")
        assert not await tab.says("document.querySelector('.transcript .check').checkVisibility()")
        await tab.click(".chapters li:nth-child(2) a")
        await tab.loaded()
        await tab.until("document.querySelector('video, audio').readyState >= 2")
        assert await tab.says("document.querySelector('video, audio').currentTime") >= 3


async def test_a_page_of_one_that_is_being_made_becomes_that_of_one_that_is(
    house: House, kept: Kept, tmp_path: Path
) -> None:
    found = kept.put(digest(kept, status=DigestStatus.GENERATING, script=None, sound=None))
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(f"{house.base}/digests/{found.id}")
        assert "Being written" in await tab.says("document.querySelector('.now').innerText")
        kept.digests.clear()
        kept.put(digest(kept, id=found.id), tone())
        await tab.until("document.querySelectorAll('audio, .transcript').length === 2")


async def test_every_page_has_its_landmarks_labels_and_contrast(house: House, kept: Kept, tmp_path: Path) -> None:
    kept.wanted = Wishes(topics=("rail freight",))
    full = kept.put(digest(kept, TODAY - timedelta(2)), tone())
    failed = kept.put(
        digest(kept, TODAY - timedelta(1), status=DigestStatus.FAILED, script=None, sound=None, failure_reason="no")
    )
    refused = kept.put(digest(kept, sound=None, audio=AudioStatus.REFUSED, audio_reason="the quota is used up"))
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                await tab.look(width, scheme)
                for path in ("", *(f"/{one.id}" for one in (full, failed, refused))):
                    await tab.visit(f"{house.base}/digests{path}")
                    assert await tab.says(FLAWS) == [], (path, width)
                    assert await tab.says(FAINT) == [], (path, scheme)
        for width in (720, 768, 920, 960, 1100):
            await tab.look(width)
            assert await tab.says(FLAWS) == [], width


async def test_pages_full_of_traps_are_only_read(house: House, kept: Kept, tmp_path: Path) -> None:
    trap = script().model_copy(
        update={
            "items": tuple(
                one.model_copy(update={"title": EVERYTHING, "source": EVERYTHING, "url": EVERYTHING[:300]})
                for one in script().items
            ),
            "lines": tuple(one.model_copy(update={"text": EVERYTHING, "quote": EVERYTHING}) for one in script().lines),
        }
    )
    found = kept.put(digest(kept, script=trap, audio_reason=EVERYTHING), tone())
    failed = kept.put(
        digest(
            kept, TODAY - timedelta(1), status=DigestStatus.FAILED, script=None, sound=None, failure_reason=EVERYTHING
        )
    )
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for path in ("", f"/{found.id}", f"/{failed.id}"):
            await tab.visit(f"{house.base}/digests{path}")
            assert await tab.says("document.title") in {"Digests", "Monday 23 November", "Sunday 22 November"}, path
            assert {url for url in tab.asked if not url.startswith((house.base, "data:"))} == set(), path
            scripts = await tab.says("[...document.scripts].map((one) => one.getAttribute('src'))")
            assert set(scripts) <= {screens.SCRIPT.path, screens.PLAYER.path}, path
            assert await tab.says("document.querySelectorAll('iframe, object, embed').length") == 0, path
