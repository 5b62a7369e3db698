"""The pages: a brief for whoever holds its link, and the files that the page needs."""

import asyncio
from typing import Protocol

from aiohttp import web

from schemas.base import RowId, TenantId
from schemas.briefs import Brief
from starter.links import Links
from starter.show.page import FILES, page
from starter.web.answers import plain
from starter.web.metrics import Metrics

FOR_A_YEAR = "public, max-age=31536000, immutable"


class Briefs(Protocol):
    """Where briefs are read: nothing when this tenant has no such brief."""

    async def brief(self, tenant_id: TenantId, brief_id: RowId) -> Brief | None: ...


class Pages:
    """Every refusal is one and the same answer, but for a link of ours that has expired."""

    def __init__(self, links: Links, briefs: Briefs, metrics: Metrics) -> None:
        self._links = links
        self._briefs = briefs
        self._metrics = metrics

    async def brief(self, request: web.Request) -> web.Response:
        token, brief_id = request.query.get("t", ""), request.match_info["id"]
        tenant_id = self._links.read(token, brief_id)
        if tenant_id is None:
            return self._refuse(request, token, brief_id)
        brief = await self._briefs.brief(tenant_id, brief_id)
        if brief is None:
            self._metrics.refused.labels("unknown").inc()
            return plain(request, 404)
        text = await asyncio.to_thread(page, brief, standalone=False)
        self._metrics.shown.inc()
        return web.Response(text=text, content_type="text/html")

    def _refuse(self, request: web.Request, token: str, brief_id: str) -> web.Response:
        if self._links.expired(token, brief_id):
            self._metrics.refused.labels("expired").inc()
            return plain(request, 410)
        self._metrics.refused.labels("forged" if token else "missing").inc()
        return plain(request, 404)

    async def file(self, request: web.Request) -> web.Response:
        """A style sheet or picture; its name changes with its content, so it may be kept."""
        found = FILES.get(request.match_info["name"])
        if found is None:
            return plain(request, 404)
        return web.Response(text=found.text, content_type=found.kind, headers={"Cache-Control": FOR_A_YEAR})
