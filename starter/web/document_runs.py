"""What was made of a document beside its review: what differs from something else, and what is proposed to the other side.

comparison ─▶ differences, those that matter first, side by side with their words marked
redline    ─▶ proposals with their reasons, a file with the changes tracked, and a letter to be copied
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup

from activities.plain import clean
from schemas.documentbook import ComparisonView, RunView
from schemas.documents import Against, Change, Difference, Passage, Proposal, Risk, RunStatus
from starter.show import differing
from starter.web import marked, screens
from starter.web.answers import POLICY, plain
from starter.web.documents import RISKS
from starter.web.parts import Parts
from starter.web.visits import Members, Visit, is_row_id
from starter.words import NotReadyError

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# Beyond these a page would be read by nobody.
MOST_SHOWN = 500
CHANGES = {
    Change.CHANGED: "Says something else",
    Change.ADDED: "Stands here alone",
    Change.MISSING: "Is missing here",
    Change.SAME: "Says the same",
}
WEIGHTS = {
    Risk.HIGH: "Matters much",
    Risk.MEDIUM: "Matters",
    Risk.LOW: "Matters little",
    Risk.NONE: "Does not matter",
}
NO_FILE = "The file is not where files are kept. Ask for the redline again on the document's page."
LONGEST_FILE_NAME = 120


@dataclass(frozen=True)
class Beside:
    """A difference with both its sides, as they are shown."""

    of: Difference
    ours: Markup
    theirs: Markup


@dataclass(frozen=True)
class Changed:
    """A proposal, as it is shown."""

    of: Proposal
    words: Markup


class Made:
    def __init__(self, members: Members, parts: Parts) -> None:
        self._members = members
        self._documents = parts.documents
        self._desk = parts.document_desk

    def routes(self) -> list[web.RouteDef]:
        shown = self._members.shown
        return [
            web.get("/documents/{id}/comparisons/{run}", shown(self.comparison)),
            web.get("/documents/{id}/redlines/{run}", shown(self.redline)),
            web.get("/documents/{id}/redlines/{run}/file", shown(self.file)),
        ]

    async def comparison(self, visit: Visit) -> web.Response:
        ids = _ids(visit)
        found = await self._documents.comparison(*ids) if ids else None
        if found is None or not _of(visit, found.run):
            return plain(visit.request, 404)
        differ = [one for one in found.differences if one.change is not Change.SAME]
        same = [one for one in found.differences if one.change is Change.SAME]
        return visit.page(
            "comparison.html",
            title=f"{found.document.name} and {_named(found)}",
            found=found,
            run=found.run,
            differ=await asyncio.to_thread(_beside, differ[:MOST_SHOWN]),
            left_out=max(0, len(differ) - MOST_SHOWN),
            same=same[:MOST_SHOWN],
            other=_named(found),
            other_id=found.other.id if found.other else None,
            changes=CHANGES,
            weights=WEIGHTS,
            sandbox=found.run.sandbox,
        )

    async def redline(self, visit: Visit) -> web.Response:
        ids = _ids(visit)
        found = await self._documents.redline(*ids) if ids else None
        if found is None or not _of(visit, found.run):
            return plain(visit.request, 404)
        name = await self._name(visit, found.run)
        return visit.page(
            "redline.html",
            scripted=True,
            script=screens.FOLLOW.path,
            title=f"Changes to {name}",
            name=name,
            run=found.run,
            proposals=await asyncio.to_thread(_changed, found.proposals[:MOST_SHOWN]),
            left_out=max(0, len(found.proposals) - MOST_SHOWN),
            letter=screens.as_written(found.run.letter),
            drawn=found.run.status is RunStatus.COMPLETED and bool(found.proposals),
            risks=RISKS,
            sandbox=found.run.sandbox,
        )

    async def file(self, visit: Visit) -> web.Response:
        """The document with the changes tracked."""
        ids = _ids(visit)
        run = await self._documents.run_view(*ids) if ids else None
        if run is None or not _of(visit, run) or run.status is not RunStatus.COMPLETED:
            return plain(visit.request, 404)
        back = (f"/documents/{run.document_id}", "Back to the document")
        try:
            data = await self._desk.file(visit.member.tenant_id, run)
        except NotReadyError as error:
            return screens.sentence("Not there", str(error), 503, back, visit=visit)
        if data is None:
            return screens.sentence("Not there", NO_FILE, 404, back, visit=visit)
        return attached(data, run)

    async def _name(self, visit: Visit, run: RunView) -> str:
        found = await self._documents.view(visit.member.tenant_id, visit.member.id, run.document_id)
        return found.name if found else "a document"


def attached(data: bytes, run: RunView) -> web.Response:
    """A redline to be put away: no browser opens it here."""
    name = clean(run.file_name, LONGEST_FILE_NAME) or "redline.docx"
    plainly = "".join(one if one.isascii() and (one.isalnum() or one in " .-_") else "_" for one in name)
    said = f"attachment; filename=\"{plainly}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": said, "Content-Security-Policy": f"{POLICY}; sandbox"}
    return web.Response(body=data, content_type=DOCX, headers=headers)


def _ids(visit: Visit) -> tuple[str, str, str] | None:
    run_id = visit.request.match_info["run"]
    return (visit.member.tenant_id, visit.member.id, run_id) if is_row_id(run_id) else None


def _of(visit: Visit, run: RunView) -> bool:
    """Whether the run is of the document of the address."""
    return run.document_id == visit.request.match_info["id"]


def _named(found: ComparisonView) -> str:
    """What a document is compared with."""
    match found.run.against:
        case Against.NEAREST:
            return "the nearest references"
        case Against.PLAYBOOK if found.other is None:
            return "the playbook"
    return found.other.name if found.other else found.run.other_name or "another document"


def _beside(differences: Sequence[Difference]) -> list[Beside]:
    return [Beside(one, *map(marked.side, _sides(one))) for one in differences]


def _sides(one: Difference) -> tuple[Sequence[differing.Run], Sequence[differing.Run]]:
    if one.ours and one.theirs:
        return differing.sides(one.ours.quote, one.theirs.quote)
    # What stands on one side alone differs as a whole, and need not be marked.
    return _alone(one.ours), _alone(one.theirs)


def _alone(side: Passage | None) -> Sequence[differing.Run]:
    return (differing.Run(side.quote),) if side else ()


def _changed(proposals: Sequence[Proposal]) -> list[Changed]:
    return [Changed(one, marked.change(differing.steps(one.passage.quote, one.replacement))) for one in proposals]
