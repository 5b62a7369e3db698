"""The door through which other applications bring documents: taken in, worked on, looked at, stopped and deleted.

request ─▶ key ─▶ body, bounded ─▶ checked ─▶ the desk ─▶ {"documentId": ..., "analysisId": ..., "status": "queued"}

A key is its tenant's: it sees all of the tenant's documents. Whatever goes wrong is {"error": sentence}.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Annotated, Any

import structlog
from aiohttp import web
from pydantic import AfterValidator, BaseModel, StringConstraints
from temporalio.exceptions import ApplicationError

from activities.plain import clean
from activities.store.skill_asking import TooManyRunsError
from schemas.base import RowId
from schemas.documentbook import DocumentLine, DocumentView, RunView
from schemas.documents import LARGEST_FILE, LONGEST_NAME, Against, AskedRun, NewRun, Role, RunStatus, Work
from schemas.payloads import Payload, TheirId, storable
from starter.errands import AwayError
from starter.inbox import RefusedError, valid
from starter.web import keyed
from starter.web.bounds import takes
from starter.web.document_runs import attached
from starter.web.documents import AROUND, MOST_SHOWN, UPLOAD_S
from starter.web.guard import Handler
from starter.web.keyed import KEY_ROW
from starter.web.parts import Parts
from starter.web.visits import FILE, FORM, MULTIPART, fields_of, is_row_id
from starter.words import SaidError

log = structlog.get_logger("web")

# What everybody may send who has a key; a file may be more.
LARGEST_BODY = 64 * 1024
PATIENCE_S = 7.0
EXAMPLE = '{"work": "comparison", "against": "playbook"}'
YES = {"true", "yes", "1"}
NO = {"", "false", "no", "0"}
# Whatever is no file of its own.
NO_FILES = {FORM, "application/json"}

NO_DOCUMENT = RefusedError(404, "there is no such document")
NO_RUN = RefusedError(404, "there is no such run")
NO_FILE = RefusedError(400, "send a file, as the field `file` of a form or as the body with ?name=nda.pdf")
EMPTY = RefusedError(400, "the file is empty")
NO_OWNER = RefusedError(400, "userId: say whose it is, by id or address; only a playbook is the whole tenant's")
NOT_A_FILE = RefusedError(415, "a file is wanted, as multipart/form-data or as it is")


Reason = Annotated[str, AfterValidator(storable), StringConstraints(max_length=500)]


class RunWanted(Payload):
    """What is to be done with a document. A run that has ended is done again when `again` says so."""

    work: Work = Work.ANALYSIS
    against: Against | None = None
    other_id: TheirId | None = None
    urgent: bool = False
    again: bool = False
    reason: Reason = ""


class DocumentsDoor:
    def __init__(self, parts: Parts) -> None:
        self._keyed = keyed.Keyed(parts)
        self._documents = parts.documents
        self._desk = parts.document_desk
        self._own = (self.all, self.upload, self.one, self.delete, self.file, self.ask, self.run, self.stop)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/documents", self.all),
            web.post("/api/documents", self.upload),
            web.get("/api/documents/{id}", self.one),
            web.delete("/api/documents/{id}", self.delete),
            web.get("/api/documents/{id}/redline", self.file),
            web.post("/api/documents/{id}/runs", self.ask),
            web.get("/api/documents/{id}/runs/{run}", self.run),
            web.delete("/api/documents/{id}/runs/{run}", self.stop),
        ]

    @web.middleware
    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around the reading of the body: finds the key first, and says whatever goes wrong as JSON."""
        if request.match_info.handler not in self._own:
            return await handler(request)
        large = getattr(request.match_info.handler, "large", None)
        most, patience = (large.most, PATIENCE_S + large.seconds) if large else (LARGEST_BODY, PATIENCE_S)
        try:
            async with asyncio.timeout(patience):
                return await handler(await self._keyed.welcome(request, LARGEST_BODY))
        except (RefusedError, TooManyRunsError, SaidError, web.HTTPException) as error:
            return keyed.refused(error, most)
        except (AwayError, ApplicationError, TimeoutError) as error:
            log.warning("document put off", error=keyed.kind_of(error))
            return keyed.away()

    async def all(self, request: web.Request) -> web.Response:
        """The newest of the tenant's."""
        found = await self._documents.list(await self._keyed.tenant(request), None, None, MOST_SHOWN)
        return web.json_response({"documents": [_named(one, "documentId") for one in found]})

    @takes(LARGEST_FILE + AROUND, UPLOAD_S, lambda request: KEY_ROW in request)
    async def upload(self, request: web.Request) -> web.Response:
        """The same file of the same user in the same role is the same document. It is reviewed, unless that is not
        wanted or it is no document for review."""
        tenant_id = await self._keyed.tenant(request)
        said, name, data = await _sent(request)
        role = _role(said.get("role", ""))
        urgent, review = _switch(said, "urgent", by_default=False), _switch(said, "review", by_default=True)
        if role is Role.REVIEW and not said.get("userId"):
            raise NO_OWNER
        user_id = await self._keyed.user(tenant_id, said["userId"]) if said.get("userId") else None
        taken = await self._desk.upload(tenant_id, user_id, role, name, data)
        asked = None
        if review and role is Role.REVIEW:
            asked = await self._desk.ask(tenant_id, NewRun(document_id=taken.id, urgent=urgent))
        told = {
            "documentId": taken.id,
            "analysisId": asked.run_id if asked else None,
            "status": asked.status.value if asked else None,
        }
        where = {"Location": f"/api/documents/{taken.id}"}
        return web.json_response(told, status=201 if taken.fresh else 200, headers=where)

    async def one(self, request: web.Request) -> web.Response:
        found = await self._found(request)
        told = _named(found, "documentId") | {"runs": [_named(run, "runId") for run in found.runs]}
        return web.json_response(told)

    async def delete(self, request: web.Request) -> web.Response:
        """What is under way is stopped, and nothing is left."""
        found = await self._found(request)
        deleted = await self._desk.delete(request[KEY_ROW].tenant_id, found.id)
        return web.json_response({"documentId": found.id, "deleted": deleted})

    async def file(self, request: web.Request) -> web.Response:
        """The newest redline that was drawn."""
        found = await self._found(request)
        drawn = (one for one in found.runs if one.work is Work.REDLINE and one.status is RunStatus.COMPLETED)
        run = next(drawn, None)
        data = await self._desk.file(request[KEY_ROW].tenant_id, run) if run else None
        if run is None or data is None:
            raise RefusedError(404, "there is no redline of this document; ask for one with work redline")
        return attached(data, run)

    async def ask(self, request: web.Request) -> web.Response:
        """What is asked for already is joined."""
        found = await self._found(request)
        tenant_id = request[KEY_ROW].tenant_id
        sent = valid(RunWanted, keyed.sent(await request.read(), EXAMPLE), "body")
        keyed.own(sent, tenant_id)
        asked = await self._desk.ask(tenant_id, _wanted(found.id, sent))
        return web.json_response(_asked(asked), status=201 if asked.fresh else 200)

    async def run(self, request: web.Request) -> web.Response:
        """A run, with what differs or what is proposed."""
        found = await self._run(request)
        ids = request[KEY_ROW].tenant_id, None, found.id
        made: dict[str, Any] = {}
        if found.work is Work.COMPARISON and (comparison := await self._documents.comparison(*ids)):
            made = {"differences": [_plain(one) for one in comparison.differences]}
        if found.work is Work.REDLINE and (redline := await self._documents.redline(*ids)):
            made = {"proposals": [_plain(one) for one in redline.proposals]}
        return web.json_response(_named(found, "runId") | made)

    async def stop(self, request: web.Request) -> web.Response:
        """It ends within seconds, and leaves nothing that it made. One that has ended stays as it is."""
        found = await self._run(request)
        stopped = await self._desk.cancel(request[KEY_ROW].tenant_id, found.id)
        told = {"runId": found.id, "status": found.status.value, "stopped": stopped}
        return web.json_response(told, status=202 if stopped else 200)

    async def _found(self, request: web.Request) -> DocumentView:
        tenant_id, wanted = await self._keyed.tenant(request), request.match_info["id"]
        found = await self._documents.view(tenant_id, None, wanted) if is_row_id(wanted) else None
        if found is None:
            raise NO_DOCUMENT
        return found

    async def _run(self, request: web.Request) -> RunView:
        tenant_id, wanted = await self._keyed.tenant(request), request.match_info["run"]
        found = await self._documents.run_view(tenant_id, None, wanted) if is_row_id(wanted) else None
        if found is None or found.document_id != request.match_info["id"]:
            raise NO_RUN
        return found


async def _sent(request: web.Request) -> tuple[Mapping[str, str], str, bytes]:
    """What is said of a file, how it is called, and its bytes."""
    if request.content_type != MULTIPART:
        if request.content_type in NO_FILES:
            raise NOT_A_FILE
        said, data = dict(request.query), await request.read()
        name = said.get("name", "")
    else:
        said = {**request.query, **(await fields_of(request) or {})}
        file = request.get(FILE)
        name, data = (file.name, file.data) if file else ("", b"")
    if not data:
        raise EMPTY if name else NO_FILE
    return said, clean(said.get("name", "") or name, LONGEST_NAME) or "A file without a name", data


def _wanted(document_id: RowId, sent: RunWanted) -> NewRun:
    other = sent.other_id
    if (sent.against is Against.DOCUMENT) != (other is not None):
        raise RefusedError(400, 'otherId: is needed with "against": "document", and with nothing else')
    if other is not None and not is_row_id(other):
        raise RefusedError(400, "otherId: must be an id of ours")
    if (sent.work is Work.COMPARISON) != (sent.against is not None):
        raise RefusedError(400, "against: is needed for a comparison, and for nothing else")
    return NewRun(
        document_id=document_id,
        work=sent.work,
        against=sent.against,
        other_id=other,
        urgent=sent.urgent,
        reason=sent.reason,
        again=sent.again,
    )


def _role(said: str) -> Role:
    if said in ("", Role.REVIEW.value):
        return Role.REVIEW
    if said == Role.PLAYBOOK.value:
        return Role.PLAYBOOK
    raise RefusedError(400, "role: must be review or playbook")


def _switch(said: Mapping[str, str], name: str, *, by_default: bool) -> bool:
    if name not in said:
        return by_default
    if said[name].lower() not in YES | NO:
        raise RefusedError(400, f"{name}: must be true or false")
    return said[name].lower() in YES


def _asked(asked: AskedRun) -> dict[str, Any]:
    return {
        "runId": asked.run_id,
        "documentId": asked.document_id,
        "work": asked.work.value,
        "status": asked.status.value,
    }


def _named(found: DocumentView | DocumentLine | RunView, name: str) -> dict[str, Any]:
    """As other applications read it, in the spelling of events, with its id called so."""
    told = _plain(found)
    return {name: told.pop("id")} | told


def _plain(found: BaseModel) -> dict[str, Any]:
    told: dict[str, Any] = _spelled(found.model_dump(mode="json"))
    return told


def _spelled(said: Any) -> Any:
    match said:
        case dict():
            return {re.sub(r"_(\w)", lambda one: one[1].upper(), name): _spelled(value) for name, value in said.items()}
        case list():
            return [_spelled(one) for one in said]
    return said
