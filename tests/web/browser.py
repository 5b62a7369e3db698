"""A real browser, driven by its own protocol: what a page becomes in it, and every address that it asks for."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions", "--no-proxy-server"),
    # Names lead nowhere, so that a request is seen and still leaves nobody a visit.
    *("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--hide-scrollbars"),
)
PATIENCE_S = 15.0


class Tab:
    """One tab. `asked` is every address that it wanted since the last visit."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self.asked: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Network.requestWillBeSent":
                self.asked.append(said["params"]["request"]["url"])
            elif said["method"] == "Page.loadEventFired":
                self._loaded.set()

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE_S):
            said = await answer
        assert "error" not in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def visit(self, url: str) -> None:
        """Open a page, and wait until it has loaded and what would run has run."""
        self.asked.clear()
        self._loaded.clear()
        await self.do("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._loaded.wait()
        await asyncio.sleep(0.1)

    async def says(self, script: str) -> Any:
        """What a script of the test sees; pages have none of their own to ask."""
        said = await self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, script: str) -> None:
        """Between two documents there is nothing to ask: that is asked again."""
        async with asyncio.timeout(PATIENCE_S):
            while not (await self.do("Runtime.evaluate", expression=script))["result"].get("value"):
                await asyncio.sleep(0.05)

    async def click(self, selector: str) -> None:
        self._loaded.clear()
        await self.says(f"document.querySelector({json.dumps(selector)}).click()")

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9)

    async def look(self, width: int, scheme: str = "light") -> None:
        await self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        await self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


@asynccontextmanager
async def browsing(folder: Path, base: str, cookies: dict[str, str]) -> AsyncIterator[Tab]:
    """A tab of somebody who has these cookies."""
    assert CHROMIUM
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        "--remote-debugging-port=0",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(folder / "profile" / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
                there = (await answer.json())["webSocketDebuggerUrl"]
            async with session.ws_connect(there, max_msg_size=0) as socket:
                tab = Tab(socket)
                listening = asyncio.create_task(tab.listen())
                for part in ("Page", "Network", "Runtime"):
                    await tab.do(f"{part}.enable")
                for name, value in cookies.items():
                    await tab.do("Network.setCookie", name=name, value=value, url=base, httpOnly=True)
                yield tab
            await listening
    finally:
        browser.terminate()
        await browser.wait()


async def _port(file: Path) -> int:
    async with asyncio.timeout(30):
        while not (lines := _lines(file)):
            await asyncio.sleep(0.05)
    return int(lines[0])


def _lines(file: Path) -> list[str]:
    """What the browser has written, once it is whole."""
    text = file.read_text() if file.exists() else ""
    return text.splitlines() if text.count("\n") else []
