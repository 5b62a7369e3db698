"""Calls: what came of each, in the words that were said; and the way for a transcript that is a file.

file ─▶ its words ─▶ a call, and its reading begun ─▶ its page, which says how far it is
"""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from activities.plain import clean
from activities.store.unsaid import ERASED
from activities.transcripts.files import LARGEST, UnreadableError, read
from activities.transcripts.ports import NewCall
from schemas.callbook import CallView
from schemas.transcripts import CallStatus, FindingKind, Source, Speaker, Spoken
from starter.intake import FORGOTTEN, email, moment, upload_key
from starter.web import screens
from starter.web.answers import plain
from starter.web.bounds import takes
from starter.web.parts import Parts
from starter.web.sessions import Cookies
from starter.web.visits import FILE, Fields, File, Members, Visit, is_row_id
from starter.words import UsageError

# A file over a slow line; its sender is signed in.
UPLOAD_S = 60.0
# What stands in a form around the file.
AROUND = 64 * 1024
MOST_PEOPLE = 50
LONGEST_TITLE = 200

# The parts of a call's page, in the order in which it is read: what was promised comes first.
PARTS = (
    (FindingKind.NEXT_STEP, "Next steps"),
    (FindingKind.PAIN, "What hurts them"),
    (FindingKind.OBJECTION, "Objections"),
    (FindingKind.COMPETITOR, "Competitors"),
    (FindingKind.BUDGET, "Budget"),
    (FindingKind.DECISION, "How they decide"),
    (FindingKind.STAGE, "Where the deal stands"),
    (FindingKind.RISK, "Risks"),
    (FindingKind.QUOTE, "Worth remembering"),
)


class Calls:
    def __init__(self, members: Members, cookies: Cookies, parts: Parts) -> None:
        self._members = members
        self._cookies = cookies
        self._book = parts.calls
        self._intake = parts.call_intake
        self._errands = parts.errands

    def routes(self) -> list[web.RouteDef]:
        shown, taken = self._members.shown, self._members.taken
        upload = takes(LARGEST + AROUND, UPLOAD_S, self._signed_in)(taken(self.upload, self.new_again))
        return [
            web.get("/calls", shown(self.page)),
            web.get("/calls/new", shown(self.new)),
            web.post("/calls/new", upload),
            web.get("/calls/{id}", shown(self.one)),
            web.get("/calls/{id}/progress", self._members.told(self.progress)),
            web.post("/calls/{id}/retry", taken(self.retry, self.one_again)),
        ]

    async def page(self, visit: Visit) -> web.Response:
        calls = await self._book.calls(visit.member.tenant_id, visit.member.id)
        return visit.page(
            "calls.html",
            title="Calls",
            calls=calls,
            note=screens.note(visit.request),
            sandbox=any(one.sandbox for one in calls),
        )

    async def new(self, visit: Visit) -> web.Response:
        return _form(visit, {}, "", 200)

    async def new_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return _form(visit, fields, sentence, status)

    async def upload(self, visit: Visit, fields: Fields) -> web.Response:
        """The same file again is the same call."""
        spoken = await _spoken(visit.request, fields)
        call = described(fields, spoken, visit)
        taken = await self._intake.take(visit.member.tenant_id, call, spoken, visit.now)
        if taken.erased:
            raise UsageError(FORGOTTEN)
        if taken.status in (CallStatus.WAITING, CallStatus.FAILED):
            await self._errands.call(visit.member.tenant_id, taken.call_id)
        return screens.elsewhere(f"/calls/{taken.call_id}", "call-read" if taken.new else "call-known")

    async def one(self, visit: Visit) -> web.Response:
        return await self._call(visit, screens.note(visit.request), 200)

    async def one_again(self, visit: Visit, _fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._call(visit, sentence, status)

    async def progress(self, visit: Visit) -> web.Response:
        """What the script on the call's page asks for."""
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        told = {"busy": busy(found), "version": found.version, "phase": phase(found), "subjects": []}
        return web.json_response(told)

    async def retry(self, visit: Visit, _fields: Fields) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        if found.line.status is not CallStatus.FAILED:
            raise UsageError("Only a call that could not be read can be read again")
        if found.line.failed_step == ERASED:
            raise UsageError(FORGOTTEN)
        await self._errands.call(visit.member.tenant_id, found.line.id)
        return screens.elsewhere(f"/calls/{found.line.id}", "call-again")

    async def _call(self, visit: Visit, sentence: str, status: int) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        return visit.page(
            "call.html",
            status=status,
            scripted=True,
            title=found.line.title or "A call without a title",
            found=found,
            parts=[(kind, words, found.of(kind)) for kind, words in PARTS],
            summary=found.of(FindingKind.SUMMARY),
            busy=busy(found),
            phase=phase(found),
            names={one.key: one.name or one.key for one in found.speakers},
            note=sentence if status == 200 else "",
            problem="" if status == 200 else sentence,
            sandbox=found.line.sandbox,
        )

    async def _view(self, visit: Visit) -> CallView | None:
        call_id = visit.request.match_info["id"]
        return await self._book.call(visit.member.tenant_id, visit.member.id, call_id) if is_row_id(call_id) else None

    def _signed_in(self, request: web.Request) -> bool:
        return self._cookies.session(request, self._members.now()) is not None


def busy(found: CallView) -> bool:
    """It is worth asking again: it is read just now, or about to be. A recorder's transcript may be hours away."""
    status = found.line.status
    return status is CallStatus.PARSING or (status is CallStatus.WAITING and bool(found.turns))


def phase(found: CallView) -> str:
    match found.line.status:
        case CallStatus.PARSING:
            return "Being read"
        case CallStatus.WAITING:
            return "Waiting for its turn" if found.turns else "Waiting for its transcript"
        case CallStatus.PARSED:
            return "Read"
        case CallStatus.FAILED:
            return "Could not be read"


async def _spoken(request: web.Request, fields: Fields) -> Spoken:
    """The words of the file that was sent, or of what was written into the form."""
    sent = request.get(FILE) or File("text.txt", fields.get("text", "").encode(errors="replace"))
    if not sent.data.strip():
        raise UsageError("Choose a file, or write into the form what was said")
    try:
        return await asyncio.to_thread(read, sent.data, sent.name)
    except UnreadableError as error:
        raise UsageError(str(error)) from None


def described(fields: Fields, spoken: Spoken, visit: Visit) -> NewCall:
    """The call that a form says, or a sentence about the first thing that is wrong with it."""
    people = [one for one in fields.get("with", "").replace(";", ",").replace("\n", ",").split(",") if one.strip()]
    if len(people) > MOST_PEOPLE:
        raise UsageError(f"At most {MOST_PEOPLE} people can be named")
    there = tuple(Speaker(key=address, email=address) for address in map(email, people))
    return NewCall(
        source=Source.UPLOAD,
        source_key=upload_key(spoken, visit.member.id),
        title=clean(fields.get("title", ""), LONGEST_TITLE),
        started_at=_when(fields.get("when", ""), visit.zone),
        owner_email=visit.member.email,
        opportunity=clean(fields.get("opportunity", ""), LONGEST_TITLE) or None,
        speakers=there,
    )


def _when(said: str, zone: ZoneInfo) -> datetime | None:
    return moment(said, zone) if said else None


def _form(visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
    return visit.page("call_new.html", status=status, title="Add a call", fields=fields, problem=sentence)
