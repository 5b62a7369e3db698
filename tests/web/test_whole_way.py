"""A person, a browser, and everything behind it: from the sign-in to a brief, and to a newer one, by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.tenants import User
from starter.errands import Errands
from starter.start import Doorbell
from starter.web.app import build_app, listening, real_parts
from tests.stage import KEY, Stage
from tests.web.browser import CHROMIUM, Tab, browsing

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")


@asynccontextmanager
async def served(stage: Stage, port: int) -> AsyncIterator[str]:
    """The app and its workers, as in production but for where Google is."""
    base = f"http://127.0.0.1:{port}"
    where = {"web_url": base, "webhook_url": f"{base}/webhooks/google-calendar", "session_key": KEY}
    async with real_parts(stage.settings(**where)) as parts, stage.working(**where):
        there = replace(parts, errands=Errands(stage.temporal), bell=Doorbell(stage.temporal))
        async with listening(build_app(there), port):
            yield base


async def agree(tab: Tab, account: str) -> None:
    """What a person does on Google's page."""
    await tab.until("document.querySelector('input[name=account]') !== null")
    await tab.says(f"document.querySelector('input[value=\"{account}\"]').click()")
    await tab.says("document.querySelector('button.allow').click()")


async def test_from_the_sign_in_to_a_brief_and_a_newer_one(stage: Stage, unused_tcp_port: int, tmp_path: Path) -> None:
    address = f"robin@{stage.tenant.id[:8]}.example"
    user = User(id=str(uuid4()), email=address, name="Robin", time_zone="Europe/Berlin")
    await stage.tenants.add_user(stage.tenant.id, user, datetime.now(UTC))
    calendar = stage.sandbox.google.account(address, "Robin")
    calendar.add(
        "Forecasting pilot", datetime.now(UTC) + timedelta(hours=5), attendees=["ada@lovelace.example", address]
    )
    async with served(stage, unused_tcp_port) as base, browsing(tmp_path, base, {}) as tab:
        await tab.visit(f"{base}/preferences")
        assert await tab.says("location.pathname") == "/sign-in"
        await tab.says("document.querySelector('main a.button').click()")
        await agree(tab, address)
        await tab.until("document.title === 'Sandbox: choose an account' && !!document.querySelector('[name=scope]')")
        await agree(tab, address)
        await tab.until("location.pathname === '/preferences' && document.querySelector('.note') !== null")

        await tab.visit(base)
        for _ in range(100):
            if "Ready, " in await tab.says("document.querySelector('main').innerText"):
                break
            await tab.visit(base)
        assert "Forecasting pilot" in await tab.says("document.querySelector('.agenda').innerText")
        assert "fictional" in await tab.says("document.querySelector('.sandbox').innerText")
        await tab.click(".brief-state a")
        await tab.loaded()
        assert "Ada Lovelace" in await tab.says("document.body.innerText")

        await tab.visit(base)
        await tab.click(".agenda h3 a")
        await tab.until("document.querySelector('.now button') !== null")
        await tab.click(".now button")
        await tab.until("document.body.innerText.includes('Version 2')")

        calendar.add(
            "Second talk", datetime.now(UTC) + timedelta(days=2), attendees=["tomas.okafor@brightwater.example"]
        )
        for _ in range(100):
            await tab.visit(base)
            if "Second talk" in await tab.says("document.querySelector('main').innerText"):
                break
        assert "Second talk" in await tab.says("document.querySelector('main').innerText"), "the notification was heard"
