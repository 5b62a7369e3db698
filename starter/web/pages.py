"""The pages: a brief for whoever holds its link or is signed in, and the files that pages need."""

import asyncio

from aiohttp import web

from schemas.base import TenantId
from starter.links import Links
from starter.show.page import FILES, page
from starter.web import screens
from starter.web.answers import plain
from starter.web.metrics import Metrics
from starter.web.ports import Briefs
from starter.web.visits import Members, is_row_id

FOR_A_YEAR = "public, max-age=31536000, immutable"
EVERY_FILE = FILES | screens.FILES


class Pages:
    """Every refusal is one and the same answer, but for a link of ours that has expired."""

    def __init__(self, links: Links, members: Members, briefs: Briefs, metrics: Metrics) -> None:
        self._links = links
        self._members = members
        self._briefs = briefs
        self._metrics = metrics

    async def brief(self, request: web.Request) -> web.Response:
        token, brief_id = request.query.get("t", ""), request.match_info["id"]
        linked = self._links.read(token, brief_id)
        tenant_id = linked or await self._signed_in(request, brief_id)
        brief = None if tenant_id is None else await self._briefs.brief(tenant_id, brief_id)
        if brief is None and linked is None:
            return self._refuse(request, token, brief_id)
        if brief is None:
            self._metrics.refused.labels("unknown").inc()
            return plain(request, 404)
        text = await asyncio.to_thread(page, brief, standalone=False)
        self._metrics.shown.inc()
        return web.Response(text=text, content_type="text/html")

    async def _signed_in(self, request: web.Request, brief_id: str) -> TenantId | None:
        """The tenant of whoever has a session: briefs are for all of it."""
        visit = await self._members.visit(request) if is_row_id(brief_id) else None
        return None if visit is None else visit.member.tenant_id

    def _refuse(self, request: web.Request, token: str, brief_id: str) -> web.Response:
        if self._links.expired(token, brief_id):
            self._metrics.refused.labels("expired").inc()
            return plain(request, 410)
        self._metrics.refused.labels("forged" if token else "missing").inc()
        return plain(request, 404)

    async def file(self, request: web.Request) -> web.Response:
        """A style sheet or picture; its name changes with its content, so it may be kept."""
        found = EVERY_FILE.get(request.match_info["name"])
        if found is None:
            return plain(request, 404)
        return web.Response(text=found.text, content_type=found.kind, headers={"Cache-Control": FOR_A_YEAR})
