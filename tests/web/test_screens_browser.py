"""The signed-in pages in a real browser: full of traps, on a telephone, by keyboard, without a script, and live."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.meetings import Standing
from schemas.research import Phase, Progress, State
from starter.web import screens
from tests.web import rows
from tests.web.browser import CHROMIUM, Tab, browsing
from tests.web.house import NOW, House
from tests.web.samples import CORPUS, shortened

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

EVERYTHING = " ".join(CORPUS[name] for name in CORPUS if name not in ("long word", "nothing")).replace("\x00", "")
PLAIN = ("/", "/calendars", "/campaigns", "/campaigns/new", "/preferences")

# Where a label is missing, an id is there twice, a heading is skipped, a link or button says nothing, or an image.
FLAWS = """
(() => {
  const flaws = [], say = (what, one) => flaws.push(what + ": " + one.outerHTML.slice(0, 120));
  if (document.documentElement.lang !== "en") flaws.push("lang");
  for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!one.labels.length) say("no label", one);
  for (const one of document.querySelectorAll("a, button, summary"))
    if (!one.textContent.trim() && !one.getAttribute("aria-label")) say("says nothing", one);
  for (const one of document.querySelectorAll("img")) if (one.getAttribute("alt") === null) say("no alt", one);
  for (const one of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
    for (const id of (one.getAttribute("aria-labelledby") || one.getAttribute("aria-describedby")).split(" "))
      if (!document.getElementById(id)) say("named by nothing", one);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) flaws.push("an id is there twice");
  if (document.querySelectorAll("h1").length !== 1) flaws.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) flaws.push("not one main");
  for (const tag of ["header", "main"]) if (!document.querySelector(tag)) flaws.push("no " + tag);
  let last = 1;
  for (const one of document.querySelectorAll("h1, h2, h3, h4")) {
    const level = Number(one.tagName[1]);
    if (level > last + 1) say("a level is skipped", one);
    last = level;
  }
  if (document.documentElement.scrollWidth > innerWidth) flaws.push("wider than the screen");
  return flaws;
})()
"""

# Every text whose colour is less than 4.5 to 1 on what is behind it.
FAINT = """
(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = (color) => {
    const [r, g, b] = color.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const faint = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode()); ) {
    const one = text.parentElement;
    if (!text.data.trim() || !one.checkVisibility() || one.closest("option, datalist")) continue;
    const two = [light(parse(getComputedStyle(one).color).slice(0, 3)), light(behind(one))].sort((a, b) => b - a);
    const ratio = (two[0] + 0.05) / (two[1] + 0.05);
    if (ratio < 4.5) faint.push(ratio.toFixed(2) + " " + text.data.trim().slice(0, 40));
  }
  return faint;
})()
"""


async def pages_of(house: House) -> dict[str, str]:
    """Every page, with something on it."""
    made = await rows.a_week(house)
    await rows.calendar(house, "second@x.example", status="reauth_required")
    house.running.tells = Progress(phase=Phase.RESEARCHING, prospects=(("Prospect 1 at x.example", State.NOT_FOUND),))
    more = {name: f"/meetings/{made[name]}" for name in ("ready", "working", "failed")}
    return {path: path for path in PLAIN} | more | {"campaign": f"/campaigns/{house.campaign.id}"}


async def test_pages_full_of_traps_are_only_read(house: House, tmp_path: Path) -> None:
    guest = (EVERYTHING, "ada@lovelace.example")
    _, calendar_id = await rows.calendar(house, failing_since=NOW, failure=EVERYTHING)
    trap = await rows.ready(
        house,
        EVERYTHING,
        NOW + timedelta(hours=1),
        guest,
        calendar_id=calendar_id,
        others=[("x@y.example", EVERYTHING, Standing.ROOM)],
    )
    await rows.told(house, trap, "brief", "failed", EVERYTHING)
    failed = await rows.meeting(house, EVERYTHING, NOW + timedelta(hours=2), guest, withdrawn=EVERYTHING)
    await rows.research(house, failed, "failed", reason=EVERYTHING)
    await house.run("UPDATE campaigns SET name = $1, offering = $1, target_customer = $1, pain_points = $1", EVERYTHING)
    await house.run("UPDATE users SET name = $1", EVERYTHING)
    visitor = await house.sign_in()
    paths = (*PLAIN, f"/meetings/{trap}", f"/meetings/{failed}", f"/campaigns/{house.campaign.id}")
    titles: dict[str, str] = {}
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for path in paths:
            await tab.visit(house.base + path)
            titles[path] = await tab.says("document.title")
            assert {url for url in tab.asked if not url.startswith((house.base, "data:"))} == set(), path
            assert await tab.says("document.querySelectorAll('script, iframe, object, embed').length") <= 1, path

    assert titles["/"] == "Your meetings"
    for path in paths[5:]:
        assert titles[path] == shortened(EVERYTHING), path


async def test_every_page_has_its_landmarks_labels_and_contrast(house: House, tmp_path: Path) -> None:
    pages, visitor = await pages_of(house), await house.sign_in()
    flaws: dict[str, Any] = {}
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        for name, path in pages.items():
            for width, scheme in ((390, "light"), (1280, "dark")):
                await tab.look(width, scheme)
                await tab.visit(house.base + path)
                found = [*await tab.says(FLAWS), *await tab.says(FAINT)]
                flaws |= {f"{name} {width} {scheme}": found} if found else {}
    assert flaws == {}


async def test_the_sign_in_and_its_sentences_have_them_too(house: House, tmp_path: Path) -> None:
    async with browsing(tmp_path, house.base, {}) as tab:
        for path, scheme in (("/sign-in", "light"), ("/sign-in", "dark"), ("/connect/google/callback", "light")):
            await tab.look(390, scheme)
            await tab.visit(house.base + path)
            assert [*await tab.says(FLAWS), *await tab.says(FAINT)] == [], path


async def focused(tab: Tab) -> tuple[str, str, bool]:
    said = await tab.says(
        """(() => {
          const one = document.activeElement, look = getComputedStyle(one), box = one.getBoundingClientRect();
          const seen = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2 && box.right > 0;
          return [one.tagName.toLowerCase(), one.textContent.trim(), seen || one === document.body];
        })()"""
    )
    return said[0], said[1], said[2]


async def test_by_keyboard_the_page_is_walked_in_order_and_focus_is_seen(house: House, tmp_path: Path) -> None:
    await rows.a_week(house)
    visitor = await house.sign_in()
    walked = []
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(house.base)
        for _ in range(12):
            await tab.press("Tab")
            walked.append(await focused(tab))

    assert [seen for _, _, seen in walked] == [True] * 12
    words = [said for _, said, _ in walked]
    assert words[:11] == [
        "Skip to the page",
        "Greenroom",
        "Meetings",
        "Calls",
        "Digests",
        "Skills",
        "Documents",
        "Calendars",
        "Campaigns",
        "Preferences",
        "Sign out",
    ]
    assert words[11] == "Renewal with Northwind"


async def test_a_person_signs_in_writes_a_campaign_and_signs_out(house: House, tmp_path: Path) -> None:
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(house.base + "/campaigns/new")
        for field in ("name", "offering", "target_customer", "pain_points"):
            await tab.says(f"document.getElementById('{field}').value = 'Some {field}'")
        await tab.click("main button[type=submit]")
        await tab.loaded()
        assert await tab.says("document.querySelector('.note').textContent") == "Saved."
        assert "Some name" in await tab.says("document.body.innerText")
        await tab.click(".me button")
        await tab.until("location.pathname === '/sign-in'")
        await tab.visit(house.base + "/campaigns")
        assert await tab.says("location.pathname") == "/sign-in"
    assert len(await house.tenants.campaigns(house.tenant.id)) == 2


async def test_research_now_is_watched_until_the_brief_is_there(house: House, tmp_path: Path) -> None:
    made = await rows.a_week(house)
    meeting_id = made["waiting"]
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.visit(f"{house.base}/meetings/{meeting_id}")
        await tab.click(".now button")
        await tab.loaded()
        assert "Asked for" in await tab.says("document.querySelector('.now').innerText")
        await rows.research(house, meeting_id, "generating", version=1)
        label = "Prospect 1 at x.example <img src=x onerror=alert(1)>"
        house.running.tells = Progress(phase=Phase.RESEARCHING, prospects=((label, State.WAITING),))
        await tab.until("document.querySelector('[data-live]').innerText.includes('Prospect 1 at x.example <img')")
        house.running.tells = Progress(phase=Phase.WRITING, prospects=((label, State.FOUND),))
        await tab.until("document.querySelector('[data-live]').innerText.includes('Writing')")
        await house.run("UPDATE research SET status = 'ready' WHERE id = $1", meeting_id)
        await rows.brief(house, meeting_id)
        await tab.until("document.querySelector('.now').innerText.includes('Ready, high confidence')")
        assert await tab.says("location.search") == ""
        assert {url for url in tab.asked if not url.startswith(house.base)} == set()
        assert f"{house.base}{screens.SCRIPT.path}" in tab.asked
    assert house.running.done == [("research", meeting_id)]


async def test_without_a_script_research_is_asked_and_refreshed_by_hand(house: House, tmp_path: Path) -> None:
    made = await rows.a_week(house)
    meeting_id = made["waiting"]
    visitor = await house.sign_in()
    async with browsing(tmp_path, house.base, visitor.cookies) as tab:
        await tab.do("Emulation.setScriptExecutionDisabled", value=True)
        await tab.visit(f"{house.base}/meetings/{meeting_id}")
        await tab.click(".now button")
        await tab.loaded()
        assert "Asked for" in await tab.says("document.querySelector('.now').innerText")
        await rows.research(house, meeting_id, "ready", version=1)
        await rows.brief(house, meeting_id)
        await tab.click(".refresh a")
        await tab.loaded()
        assert "Ready, high confidence" in await tab.says("document.querySelector('.now').innerText")
        assert not [url for url in tab.asked if "progress" in url and "static" not in url]
