"""Documents: the list of a user's own, and the way in for another.

file ─▶ what it is, by what it holds ─▶ a document, and its review begun ─▶ its page, which says how far it is
"""

from aiohttp import web

from activities.plain import clean
from schemas.base import RowId
from schemas.documents import LARGEST_FILE, LONGEST_NAME, NewRun, Risk, Role, RunStatus, Work
from starter.errands import AwayError
from starter.web import screens
from starter.web.bounds import takes
from starter.web.parts import Parts
from starter.web.sessions import Cookies
from starter.web.visits import FILE, Fields, Members, Visit
from starter.words import SaidError, UsageError

# A file over a slow line; its sender is signed in.
UPLOAD_S = 90.0
# What stands in a form around the file.
AROUND = 64 * 1024
MOST_SHOWN = 100
PASTED = "Pasted text.txt"

PHASES = {
    RunStatus.QUEUED: "Waiting for its turn",
    RunStatus.RUNNING: "Being reviewed",
    RunStatus.COMPLETED: "Reviewed",
    RunStatus.FAILED: "Could not be reviewed",
    RunStatus.CANCELLED: "Stopped",
}
RISKS = {Risk.HIGH: "High risk", Risk.MEDIUM: "Medium risk", Risk.LOW: "Low risk", Risk.NONE: "No risk found"}
# What work is called, while it is done and afterwards.
DOING = {
    Work.ANALYSIS: "The review",
    Work.COMPARISON: "The comparison",
    Work.REDLINE: "The redline",
}
ROLES = {Role.REVIEW: "To be reviewed", Role.PLAYBOOK: "Playbook", Role.REFERENCE: "Reference"}


class Reviewed:
    def __init__(self, members: Members, cookies: Cookies, parts: Parts) -> None:
        self._members = members
        self._cookies = cookies
        self._documents = parts.documents
        self._desk = parts.document_desk

    def routes(self) -> list[web.RouteDef]:
        taken = self._members.taken(self.upload, self.page_again)
        return [
            web.get("/documents", self._members.shown(self.page)),
            web.post("/documents", takes(LARGEST_FILE + AROUND, UPLOAD_S, self._signed_in)(taken)),
        ]

    async def page(self, visit: Visit) -> web.Response:
        return await self._page(visit, {}, screens.note(visit.request), 200)

    async def page_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._page(visit, fields, sentence, status)

    async def upload(self, visit: Visit, fields: Fields) -> web.Response:
        """The same file again is the same document. What is to be reviewed is begun at once."""
        name, data = sent(visit, fields)
        role = Role.PLAYBOOK if fields.get("role") == Role.PLAYBOOK.value else Role.REVIEW
        ids = visit.member.tenant_id, visit.member.id
        taken = await self._desk.upload(*ids, role, name, data)
        begun = role is not Role.REVIEW or await self._begun(visit, taken.id, urgent=fields.get("urgent") == "yes")
        known = "document-new" if taken.fresh else "document-known"
        return screens.elsewhere(f"/documents/{taken.id}", known if begun else "document-later")

    async def _begun(self, visit: Visit, document_id: RowId, *, urgent: bool) -> bool:
        """A document that was taken in is there, whatever keeps its review from being begun."""
        try:
            await self._desk.ask(visit.member.tenant_id, NewRun(document_id=document_id, urgent=urgent))
        except (SaidError, AwayError):
            return False
        return True

    async def _page(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        found = await self._documents.list(visit.member.tenant_id, visit.member.id, None, MOST_SHOWN)
        return visit.page(
            "documents.html",
            status=status,
            title="Documents",
            documents=found,
            phases=PHASES,
            risks=RISKS,
            roles=ROLES,
            doing=DOING,
            fields=fields,
            largest=LARGEST_FILE // (1024 * 1024),
            note=sentence if status == 200 else "",
            problem="" if status == 200 else sentence,
            sandbox=any(one.sandbox for one in found),
        )

    def _signed_in(self, request: web.Request) -> bool:
        return self._cookies.session(request, self._members.now()) is not None


def sent(visit: Visit, fields: Fields) -> tuple[str, bytes]:
    """The file that was sent, or what was written into the form, with a name."""
    if (file := visit.request.get(FILE)) and file.data:
        return clean(file.name, LONGEST_NAME) or "A file without a name", file.data
    if written := fields.get("text", "").strip():
        return PASTED, written.encode(errors="replace")
    raise UsageError("Choose a file, or write into the form what is to be reviewed")
