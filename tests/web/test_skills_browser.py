"""Skills in a real browser: a run writes before one's eyes, and every page can be read and only read."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from activities.store.database import Database
from schemas.skills import Health, Opinion, RunStatus
from starter.web import screens, watching
from tests.waiting import until
from tests.web import rows
from tests.web.browser import CHROMIUM, browsing
from tests.web.house import NOW, House
from tests.web.runs import SCHEMA, TEXT, Skills, skill
from tests.web.test_screens_browser import EVERYTHING, FAINT, FLAWS

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

DRAFT = "document.querySelector('[data-draft]')"


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        house.skills = Skills(house.tenant.id, house.user.id, {"follow-up": skill(inputs=SCHEMA)})
        await exits.enter_async_context(house.open())
        yield house


@pytest.fixture
def kept(house: House) -> Skills:
    assert isinstance(house.skills, Skills)
    return house.skills


async def test_it_is_asked_for_and_writes_before_ones_eyes(house: House, kept: Skills, tmp_path: Path) -> None:
    _, calendar_id = await rows.calendar(house)
    await rows.meeting(house, "Forecasting pilot", NOW - timedelta(hours=1), calendar_id=calendar_id)
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(f"{house.base}/skills/follow-up")
        await tab.says("document.getElementById('input-1').selectedIndex = 2")
        await tab.says("document.getElementById('input-2').selectedIndex = 1")
        await tab.click("main form button")
        await tab.loaded()
        run = next(iter(kept.runs.values()))
        assert await tab.says("location.pathname") == f"/skills/runs/{run.id}"
        assert kept.wanted[0].inputs["tone"] == "warm"

        await tab.until("document.querySelector('[data-phase]').innerText.includes('Waiting')")
        assert await tab.says("document.querySelector('[data-drafting]').checkVisibility()") is False
        kept.change(run, status=RunStatus.RUNNING, draft="# Your\n\n  <b>Dear")
        await tab.until("document.querySelector('[data-phase]').innerText.includes('Being written')")
        await tab.until(f"{DRAFT}.textContent === '# Your\\n\\n  <b>Dear' && {DRAFT}.checkVisibility()")
        kept.change(run, draft="# Your\n\n  <b>Dear Ada</b>")
        await tab.until(f"{DRAFT}.textContent.endsWith('Ada</b>') && {DRAFT}.querySelectorAll('b').length === 0")
        kept.change(run, draft="Again")
        await tab.until(f"{DRAFT}.textContent === 'Again'")
        kept.written(run)
        await tab.until("document.querySelectorAll('.written h4').length === 1")
        assert await tab.says("document.title") == "Your follow-up"
        assert {url for url in tab.asked if not url.startswith((house.base, "data:"))} == set()


async def test_a_line_that_was_cut_goes_on_where_it_was(
    house: House, kept: Skills, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LONGEST_S", 0.5)
    monkeypatch.setattr(watching, "QUIET_S", 0.1)
    monkeypatch.setattr(watching, "SOON_MS", 100)
    run, visitor = kept.put(draft="Dear Ada, "), await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(f"{house.base}/skills/runs/{run.id}")
        await tab.until(f"{DRAFT}.textContent === 'Dear Ada, '")
        # Whoever sets the text anew would lose this.
        await tab.says(f"{DRAFT}.prepend('(here) ')")

        async def again() -> bool:
            return sum(url.endswith("/events") for url in tab.asked) > 2

        await until(again)
        kept.change(run, draft="Dear Ada, thank you")
        await tab.until(f"{DRAFT}.textContent === '(here) Dear Ada, thank you'")


async def test_without_a_script_the_page_says_the_same(house: House, kept: Skills, tmp_path: Path) -> None:
    run, visitor = kept.put(draft="Dear\n\nAda"), await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.do("Emulation.setScriptExecutionDisabled", value=True)
        await tab.visit(f"{house.base}/skills/runs/{run.id}")
        assert await tab.says(f"{DRAFT}.textContent") == "Dear\n\nAda"
        kept.written(run)
        await tab.click(".refresh a")
        await tab.loaded()
        assert await tab.says("document.querySelector('.written table') !== null")
        await tab.says("document.getElementById('overall-4').click()")
        await tab.click(".beside button")
        await tab.loaded()
        assert kept.said[run.id] == Opinion(overall=4)


def everything(kept: Skills) -> list[str]:
    """A page of each kind; their paths."""
    kept.skills["broken"] = "SKILL.md has no description."
    kept.skills["whole"] = skill("whole", inputs={"type": "object", "minProperties": 1})
    kept.healths = {"follow-up": Health(score=2.4, scores=10, low=True), "whole": Health(score=4, scores=1, low=False)}
    runs = [
        kept.written(opinions=(Opinion(overall=4, accuracy=5, issues="long"),)),
        kept.put(status=RunStatus.QUEUED, position=2, turn_at=NOW + timedelta(minutes=2), started_at=None),
        kept.put(draft=TEXT),
        kept.put(status=RunStatus.FAILED, failure_reason="it was refused", failed_step="execute", draft="Dear"),
    ]
    return ["/skills", "/skills/follow-up", "/skills/whole", *(f"/skills/runs/{one.id}" for one in runs)]


async def test_every_page_has_its_landmarks_labels_and_contrast(house: House, kept: Skills, tmp_path: Path) -> None:
    await rows.a_week(house)
    paths, visitor = everything(kept), await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                await tab.look(width, scheme)
                for path in paths:
                    await tab.visit(house.base + path)
                    assert await tab.says(FLAWS) == [], (path, width)
                    assert await tab.says(FAINT) == [], (path, scheme)
        for width in (720, 900, 960, 1024, 1090, 1100, 1150, 1152, 1200):
            await tab.look(width)
            assert await tab.says(FLAWS) == [], width


async def test_pages_full_of_traps_are_only_read(house: House, kept: Skills, tmp_path: Path) -> None:
    hostile = EVERYTHING.replace("\0", "")
    trap = {
        "type": "object",
        "title": hostile,
        "properties": {
            hostile[:500]: {"type": "string", "title": hostile, "description": hostile, "default": hostile},
            "b": {"enum": [hostile, {hostile: hostile}], "default": hostile},
            "c": {"type": "object", "default": {hostile: hostile}},
            "d": {"type": "integer", "minimum": 1, "default": hostile},
        },
    }
    kept.skills = {"follow-up": skill(inputs=trap, description=hostile[:2000]), "broken": hostile}
    more = {"message": hostile, "inputs": {hostile: hostile}, "client": hostile, "failure_reason": hostile}
    runs = [
        kept.written(text=hostile * 3 + "\n\n" + TEXT, opinions=(Opinion(overall=4, issues=hostile[:2000]),), **more),
        kept.put(draft=hostile, **more),
        kept.put(status=RunStatus.FAILED, draft=hostile, failed_step=hostile, **more),
    ]
    visitor = await house.sign_in()
    titles = {"Skills", "Follow up", "Your follow-up"}
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for path in ("/skills", "/skills/follow-up", *(f"/skills/runs/{one.id}" for one in runs)):
            await tab.visit(house.base + path)
            assert await tab.says("document.title") in titles, path
            assert {url for url in tab.asked if not url.startswith((house.base, "data:"))} == set(), path
            scripts = await tab.says("[...document.scripts].map((one) => one.getAttribute('src'))")
            assert set(scripts) <= {screens.SCRIPT.path, screens.WATCH.path}, path
            inside = "document.querySelectorAll('iframe, object, embed, main img, main a[href^=http]').length"
            assert await tab.says(inside) == 0, path
