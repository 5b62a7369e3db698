"""The app on a port of its own, with a shelf of briefs instead of Postgres."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from activities.store.database import Database
from schemas.briefs import Brief
from schemas.settings import Settings
from starter.links import Links
from starter.web.app import build_app, listening
from starter.web.health import Check
from starter.web.parts import Parts
from tests.web.house import House
from tests.web.samples import TENANT, rich

KEY = "a key that signs links in these tests alone"


@dataclass
class Shelf:
    """A twin of the library: briefs by tenant, what was asked for, and what goes wrong."""

    briefs: dict[tuple[str, str], Brief] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    fails: Exception | None = None

    async def brief(self, tenant_id: str, brief_id: str) -> Brief | None:
        self.asked.append((tenant_id, brief_id))
        if self.fails:
            raise self.fails
        return self.briefs.get((tenant_id, brief_id))

    def put(self, brief: Brief, tenant_id: str = TENANT) -> Brief:
        self.briefs[tenant_id, brief.id] = brief
        return brief


@dataclass
class Site:
    """What a visitor has: a way to ask, and links that were sent."""

    session: aiohttp.ClientSession
    links: Links
    shelf: Shelf
    there: dict[str, bool]
    port: int

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers, their names in lower case."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, path, headers=named, allow_redirects=False) as response:
            return response.status, await response.text(), {k.lower(): v for k, v in response.headers.items()}

    def link(self, brief: Brief, tenant_id: str = TENANT) -> str:
        """The path of a signed link."""
        return "/" + self.links.brief(tenant_id, brief.id).split("/", 3)[3]


def settings(**more: object) -> Settings:
    keys = {"link_key": SecretStr(KEY), "session_key": SecretStr(KEY), "payload_codec": "off"}
    return Settings.model_validate({**keys, "web_url": "http://127.0.0.1:8080", **more})


def app_of(shelf: Shelf, checks: dict[str, Check] | None = None) -> web.Application:
    """The app for those who have no session: whatever they would need one for is not there."""
    nothing: Any = None
    gone = (
        "users",
        "agenda",
        "calls",
        "digests",
        "wishes",
        "meetings",
        "connections",
        "consent",
        "errands",
        "channels",
        "bell",
        "explanations",
        "marks",
    )
    return build_app(Parts(settings=settings(), briefs=shelf, checks=checks or {}, **dict.fromkeys(gone, nothing)))


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    shelf.put(rich())
    return shelf


@pytest.fixture
async def site(shelf: Shelf) -> AsyncIterator[Site]:
    there = {"postgres": True, "temporal": True}

    async def postgres() -> bool:
        return there["postgres"]

    async def temporal() -> bool:
        return there["temporal"]

    app = app_of(shelf, {"postgres": postgres, "temporal": temporal})
    app.router.add_get("/planted", _planted)
    async with listening(app, 0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Site(session, Links(settings()), shelf, there, port)


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """The app with people in it, open."""
    async with AsyncExitStack() as exits:
        house = House(database, exits)
        await house.set_up()
        await exits.enter_async_context(house.open())
        yield house


async def _planted(_request: web.Request) -> web.Response:
    raise ValueError("ada@lovelace.example said something private")
