"""A document: its text with what is said of it, how far the work on it is, and what can be done with it.

document ─▶ its page ─▶ events, while it is worked on ─▶ its page: findings beside the passages that they quote
"""

import asyncio

from aiohttp import web

from activities.plain import clean
from schemas.base import RowId
from schemas.documentbook import DocumentView, RunView
from schemas.documents import ENDED, Against, NewRun, Role, RunStatus, Work
from starter.show import documents as show
from starter.show import passages
from starter.web import marked, screens
from starter.web.answers import plain
from starter.web.documents import DOING, MOST_SHOWN, RISKS, ROLES
from starter.web.following import Following
from starter.web.parts import Parts
from starter.web.visits import Fields, Members, Visit, is_row_id
from starter.words import UsageError

LONGEST_REASON = 500
NOT_YOURS = "This document is your tenant's: it can be read and compared with, and only who runs this changes it"
STATES = {
    RunStatus.QUEUED: ("off", "Waiting for its turn"),
    RunStatus.RUNNING: ("working", "Under way"),
    RunStatus.COMPLETED: ("ready", "Ready"),
    RunStatus.FAILED: ("failed", "Came to nothing"),
    RunStatus.CANCELLED: ("off", "Stopped"),
}


class Read:
    """The page of one document."""

    def __init__(self, members: Members, following: Following, parts: Parts) -> None:
        self._members = members
        self._following = following
        self._documents = parts.documents
        self._desk = parts.document_desk

    def routes(self) -> list[web.RouteDef]:
        taken = self._members.taken
        return [
            web.get("/documents/{id}", self._members.shown(self.one)),
            web.post("/documents/{id}/delete", taken(self.delete, self.one_again)),
            web.post("/documents/{id}/runs", taken(self.ask, self.one_again)),
            web.get("/documents/{id}/runs/{run}/events", self._members.told(self.events)),
            web.post("/documents/{id}/runs/{run}/cancel", taken(self.cancel, self.one_again)),
            web.post("/documents/{id}/runs/{run}/retry", taken(self.retry, self.one_again)),
        ]

    async def one(self, visit: Visit) -> web.Response:
        return await self._one(visit, {}, screens.note(visit.request), 200)

    async def one_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._one(visit, fields, sentence, status)

    async def events(self, visit: Visit) -> web.Response:
        """What the script on a document's page listens to."""
        found = await self._run(visit)
        if found is None:
            return plain(visit.request, 404)
        if self._following.full(visit.member.tenant_id):
            return plain(visit.request, 503, {"Retry-After": "5"})
        return self._following.answer(visit.member.tenant_id, found.id)

    async def ask(self, visit: Visit, fields: Fields) -> web.Response:
        found = await self._theirs(visit)
        if found is None:
            return plain(visit.request, 404)
        wanted = await self._wanted(visit, found, fields)
        asked = await self._desk.ask(visit.member.tenant_id, wanted)
        if asked.status is RunStatus.COMPLETED:
            return screens.elsewhere(place(asked.work, found.id, asked.run_id))
        return screens.elsewhere(f"/documents/{found.id}", "document-asked")

    async def retry(self, visit: Visit, fields: Fields) -> web.Response:
        found, run = await self._theirs(visit), await self._run(visit)
        if found is None or run is None:
            return plain(visit.request, 404)
        await self._desk.retry(visit.member.tenant_id, run.id, clean(fields.get("reason", ""), LONGEST_REASON))
        return screens.elsewhere(f"/documents/{found.id}", "document-asked")

    async def cancel(self, visit: Visit, _fields: Fields) -> web.Response:
        found, run = await self._theirs(visit), await self._run(visit)
        if found is None or run is None:
            return plain(visit.request, 404)
        stopped = await self._desk.cancel(visit.member.tenant_id, run.id)
        return screens.elsewhere(f"/documents/{found.id}", "run-stopped" if stopped else "run-over")

    async def delete(self, visit: Visit, _fields: Fields) -> web.Response:
        found = await self._theirs(visit)
        if found is None:
            return plain(visit.request, 404)
        await self._desk.delete(visit.member.tenant_id, found.id)
        return screens.elsewhere("/documents", "document-deleted")

    async def _one(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        findings = passages.numbered(found.findings, len(found.text))
        analysis = next((run for run in found.runs if run.work is Work.ANALYSIS), None)
        return visit.page(
            "document.html",
            status=status,
            scripted=True,
            script=screens.FOLLOW.path,
            title=found.name,
            found=found,
            mine=found.user_id == visit.member.id,
            role=ROLES[found.role],
            to_review=found.role is Role.REVIEW,
            # In a thread, so that a long text keeps no other page waiting.
            text=await asyncio.to_thread(marked.text, found.text, found.clauses, findings),
            findings=findings,
            missing=[one for one in found.findings if one.passage is None],
            analysis=analysis,
            reviewed=analysis is not None and analysis.status is RunStatus.COMPLETED,
            live=[run for run in found.runs if run.status not in ENDED],
            ended=[run for run in found.runs if run.status in ENDED],
            others=await self._others(visit, found),
            doing=DOING,
            states=STATES,
            risks=RISKS,
            weighed=marked.RISKS,
            page_of=page_of,
            unread=show.unread,
            fields=fields,
            note=sentence if status == 200 else "",
            problem="" if status == 200 else sentence,
            sandbox=found.sandbox,
        )

    async def _others(self, visit: Visit, found: DocumentView) -> list[tuple[RowId, str]]:
        """What it can be compared with, beside playbook and references."""
        lines = await self._documents.list(visit.member.tenant_id, visit.member.id, None, MOST_SHOWN)
        return [(one.id, one.name) for one in lines if one.id != found.id and one.role is not Role.REFERENCE]

    async def _wanted(self, visit: Visit, found: DocumentView, fields: Fields) -> NewRun:
        """What a form asks for, or a sentence about what is wrong with it."""
        again, work = fields.get("again") == "yes", fields.get("work", "")
        if work not in set(Work):
            raise UsageError("What is to be done must be one of what is listed")
        wanted = NewRun(document_id=found.id, work=Work(work), again=again)
        if wanted.work is not Work.COMPARISON:
            return wanted
        return wanted.model_copy(update=await self._with(visit, fields.get("with", "")))

    async def _with(self, visit: Visit, said: str) -> dict[str, object]:
        """What a document is to be compared with."""
        if said in (Against.PLAYBOOK, Against.NEAREST):
            return {"against": Against(said)}
        ids = visit.member.tenant_id, visit.member.id
        if not is_row_id(said) or await self._documents.view(*ids, said) is None:
            raise UsageError("What it is compared with must be one of what is listed")
        return {"against": Against.DOCUMENT, "other_id": said}

    async def _view(self, visit: Visit) -> DocumentView | None:
        wanted = visit.request.match_info["id"]
        ids = visit.member.tenant_id, visit.member.id
        return await self._documents.view(*ids, wanted) if is_row_id(wanted) else None

    async def _theirs(self, visit: Visit) -> DocumentView | None:
        """A document that is theirs to change."""
        found = await self._view(visit)
        if found is not None and found.user_id != visit.member.id:
            raise UsageError(NOT_YOURS)
        return found

    async def _run(self, visit: Visit) -> RunView | None:
        """The run of the address, if it is this document's."""
        document_id, wanted = visit.request.match_info["id"], visit.request.match_info["run"]
        ids = visit.member.tenant_id, visit.member.id
        found = await self._documents.run_view(*ids, wanted) if is_row_id(wanted) else None
        return found if found is not None and found.document_id == document_id else None


def page_of(run: RunView) -> str:
    return place(run.work, run.document_id, run.id)


def place(work: Work, document_id: RowId, run_id: RowId) -> str:
    """Where it is read what a run came to."""
    kind = {Work.COMPARISON: "comparisons", Work.REDLINE: "redlines"}.get(work)
    return f"/documents/{document_id}/{kind}/{run_id}" if kind else f"/documents/{document_id}"
