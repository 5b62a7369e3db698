"""The pages: a brief for whoever holds its link or is signed in, and the files that pages need."""

import asyncio

from aiohttp import web

from starter.links import Links
from starter.show.page import FILES, page
from starter.web import marks, screens
from starter.web.answers import plain
from starter.web.marks import Readers, page_for
from starter.web.metrics import Metrics
from starter.web.ports import Briefs

FOR_A_YEAR = "public, max-age=31536000, immutable"
EVERY_FILE = FILES | screens.FILES | marks.FILES


class Pages:
    """Every refusal is one and the same answer, but for a link of ours that has expired."""

    def __init__(self, links: Links, readers: Readers, briefs: Briefs, metrics: Metrics) -> None:
        self._links = links
        self._readers = readers
        self._briefs = briefs
        self._metrics = metrics

    async def brief(self, request: web.Request) -> web.Response:
        token, brief_id = request.query.get("t", ""), request.match_info["id"]
        tenant_id, visit = await self._readers.opened(request, brief_id)
        brief = None if tenant_id is None else await self._briefs.brief(tenant_id, brief_id)
        if brief is None and self._links.read(token, brief_id) is None:
            return self._refuse(request, token, brief_id)
        if brief is None:
            self._metrics.refused.labels("unknown").inc()
            return plain(request, 404)
        reader = await self._readers.reader(request, brief_id, visit, brief.research_id)
        text = await asyncio.to_thread(page, brief, standalone=False, reader=reader)
        self._metrics.shown.inc()
        return page_for(visit, text)

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
