"""The app on a port of its own, with a shelf of briefs instead of Postgres."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from schemas.briefs import Brief
from schemas.settings import Settings
from starter.links import Links
from starter.web.app import build_app, listening
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
    return Settings.model_validate({"link_key": SecretStr(KEY), "web_url": "http://127.0.0.1:8080", **more})


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

    app = build_app(settings(), shelf, {"postgres": postgres, "temporal": temporal})
    app.router.add_get("/planted", _planted)
    async with listening(app, 0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Site(session, Links(settings()), shelf, there, port)


async def _planted(_request: web.Request) -> web.Response:
    raise ValueError("ada@lovelace.example said something private")
