"""A real browser opens a brief full of traps: nothing runs, nothing is fetched from elsewhere, and all can be read."""

import asyncio
import html
import json
import re
import shutil
from pathlib import Path

import pytest
from aiohttp import web

from starter.show import why
from starter.show.page import ICON, STYLE, page
from starter.web.app import listening
from tests.web.conftest import Site
from tests.web.samples import CORPUS, hostile, rich, shortened

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions", "--no-proxy-server"),
    # Names lead nowhere, so that a request is seen in the log and still leaves nobody a visit.
    *("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",),
)
EVERYTHING = " ".join(CORPUS[name] for name in CORPUS if name != "long word")


async def visit(url: str, folder: Path) -> tuple[str, set[str]]:
    """The document after all that would run has run, and every address that was asked for."""
    log = folder / "net.json"
    assert CHROMIUM
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={log}",
        "--virtual-time-budget=2000",
        "--dump-dom",
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await asyncio.wait_for(browser.communicate(), 60)
    events = json.loads(log.read_text())["events"]
    asked = {str(event["params"]["url"]) for event in events if "url" in event.get("params", {})}
    # What the browser asks of its maker on its own account says nothing of our page.
    return said.decode(), {one for one in asked if re.match(r"https?:.*(evil\.example|127\.0\.0\.1)|file:", one)}


def title(document: str) -> str:
    found = re.search(r"<title>(.*?)</title>", document, re.DOTALL)
    return html.unescape(found[1]) if found else ""


async def test_a_brief_full_of_traps_is_only_read(site: Site, tmp_path: Path) -> None:
    link = f"http://127.0.0.1:{site.port}{site.link(site.shelf.put(hostile(EVERYTHING)))}"
    document, asked = await visit(link, tmp_path)

    assert title(document) == shortened(EVERYTHING)
    assert "Looked for, not found" in document
    paths = {one.partition("?")[0].removeprefix(f"http://127.0.0.1:{site.port}") for one in asked}
    assert {f"/briefs/{rich().id}", STYLE.path} <= paths
    assert paths <= {f"/briefs/{rich().id}", STYLE.path, why.STYLE.path, ICON.path, "/"}


async def test_a_file_full_of_traps_is_only_read(tmp_path: Path) -> None:
    file = tmp_path / "brief.html"
    file.write_text(page(hostile(EVERYTHING), standalone=True), encoding="utf-8")
    document, asked = await visit(file.as_uri(), tmp_path)

    assert title(document) == shortened(EVERYTHING)
    assert {one for one in asked if not one.startswith("file:")} == set()


async def test_this_browser_falls_into_traps_that_are_open(tmp_path: Path) -> None:
    """Otherwise the tests above would prove nothing."""

    async def open_trap(_request: web.Request) -> web.Response:
        text = (
            f"<!doctype html><title>{CORPUS['script address']}</title>{CORPUS['script']}<img src=http://evil.example/x>"
        )
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", open_trap)
    async with listening(app, 0) as port:
        document, asked = await visit(f"http://127.0.0.1:{port}/", tmp_path)

    assert title(document) == "owned"
    assert "http://evil.example/x" in asked
