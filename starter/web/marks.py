"""What readers say of claims, and where claims come from.

brief ─▶ Readers: who reads it, what has been said ─▶ page with buttons ─▶ form ─▶ mark ─▶ back to the claim
claim ─▶ why: its quote, the look-up, the model, their runs
"""

import asyncio
from urllib.parse import quote

from aiohttp import web

from schemas.base import RowId, TenantId
from schemas.briefs import Verdict
from schemas.explanations import Call
from schemas.marks import Said
from starter.links import Links
from starter.show.reader import VERDICTS, Reader
from starter.show.why import STYLE, why_page
from starter.web import screens
from starter.web.answers import POLICY, plain
from starter.web.metrics import Metrics
from starter.web.parts import Parts
from starter.web.visits import Fields, Members, Visit, is_row_id
from starter.words import UsageError

FILES = {STYLE.path.rpartition("/")[2]: STYLE}

# What a button sends that takes back what was said.
NOTHING = "none"


class Readers:
    """Who reads a brief. Members of its tenant may say something; whoever has its link alone may read what it says."""

    def __init__(self, links: Links, members: Members, parts: Parts) -> None:
        self._links = links
        self._members = members
        self._marks = parts.marks
        self._agenda = parts.agenda

    async def opened(self, request: web.Request, brief_id: str) -> tuple[TenantId | None, Visit | None]:
        """The tenant whose brief this may be, by link or by session, and the member of that tenant who asks."""
        token = request.query.get("t", "")
        linked = self._links.read(token, brief_id)
        visit = await self._members.visit(request) if is_row_id(brief_id) else None
        if linked is None:
            return (None, None) if visit is None else (visit.member.tenant_id, visit)
        return linked, visit if visit and visit.member.tenant_id == linked else None

    async def reader(
        self, request: web.Request, brief_id: RowId, visit: Visit | None, research_id: RowId = ""
    ) -> Reader:
        """What their page needs, beside the brief. With its research they are told where to ask for the next version."""
        if visit is None:
            link = f"?t={quote(request.query.get('t', ''), safe='')}"
            return Reader(brief_id, STYLE.path, link, stranger=not await self._members.visit(request))
        said = await self._marks.said(visit.member.tenant_id, brief_id)
        mine = {one.claim_id: one.verdict for one in said if one.user_id == visit.member.id}
        others = _others(said, visit.member.id)
        again = await self._again(visit, research_id) if mine and research_id else ""
        return Reader(brief_id, STYLE.path, token=visit.token, again=again, mine=mine, others=others)

    async def _again(self, visit: Visit, research_id: RowId) -> str:
        """The page of the meeting, for whose it is."""
        found = await self._agenda.meeting(visit.member.tenant_id, visit.member.id, research_id)
        return "" if found is None else f"/meetings/{research_id}"


class Marks:
    def __init__(self, readers: Readers, members: Members, parts: Parts, metrics: Metrics) -> None:
        self._readers = readers
        self._members = members
        self._marks = parts.marks
        self._explanations = parts.explanations
        self._runs = parts.runs
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/briefs/{id}/why/{claim}", self.why),
            web.post("/briefs/{id}/claims/{claim}", self._members.taken(self.mark)),
        ]

    async def why(self, request: web.Request) -> web.Response:
        """For whoever may read the brief. Where runs are seen is for members: others could not get in there."""
        brief_id, claim_id = request.match_info["id"], request.match_info["claim"]
        tenant_id, visit = await self._readers.opened(request, brief_id)
        told = None if tenant_id is None else await self._explanations.explain(tenant_id, brief_id)
        chain = None if told is None else told.chain(claim_id)
        if told is None or chain is None:
            return plain(request, 404)
        reader = await self._readers.reader(request, brief_id, visit)
        text = await asyncio.to_thread(why_page, told, chain, reader, self._runs if visit else _nowhere)
        return page_for(visit, text)

    async def mark(self, visit: Visit, fields: Fields) -> web.Response:
        """Say something of a claim, or take it back; then back to the claim."""
        brief_id, claim_id = visit.request.match_info["id"], visit.request.match_info["claim"]
        said = fields.get("verdict", "")
        if said not in {NOTHING, *VERDICTS}:
            raise UsageError("That is nothing that can be said of a claim")
        if not await self._has(visit, brief_id, claim_id):
            return plain(visit.request, 404)
        member = visit.member
        if said == NOTHING:
            await self._marks.unmark(member.tenant_id, member.id, claim_id)
        else:
            await self._marks.mark(member.tenant_id, member.id, claim_id, Verdict(said), visit.now)
        self._metrics.marks.labels(said).inc()
        return screens.elsewhere(f"/briefs/{brief_id}#c-{claim_id}")

    async def _has(self, visit: Visit, brief_id: str, claim_id: str) -> bool:
        if not (is_row_id(brief_id) and is_row_id(claim_id)):
            return False
        return await self._marks.has(visit.member.tenant_id, brief_id, claim_id)


def page_for(visit: Visit | None, text: str) -> web.Response:
    """Whoever is signed in may send the forms of the page, and these prove where they stand."""
    policy = POLICY if visit is None else screens.FORMS
    referrer = {} if visit is None else {"Referrer-Policy": "same-origin"}
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy, **referrer})


def _others(said: tuple[Said, ...], user_id: RowId) -> dict[RowId, tuple[str, ...]]:
    others: dict[RowId, tuple[str, ...]] = {}
    for one in said:
        if one.user_id != user_id:
            words = f"{one.user} said: {VERDICTS[one.verdict].lower()}."
            others[one.claim_id] = (*others.get(one.claim_id, ()), words)
    return others


def _nowhere(_call: Call) -> str:
    return ""
