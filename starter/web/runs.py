"""The door through which other applications have skills run: asked for, looked at, listened to, stopped and judged.

request ─▶ key ─▶ body, bounded ─▶ checked ─▶ the desk ─▶ {"runId": ..., "status": "queued"}

A key is its tenant's: it sees all of the tenant's runs. Whatever goes wrong is {"error": sentence}.
"""

import asyncio
from typing import Any

import structlog
from aiohttp import web
from pydantic import Field
from temporalio.exceptions import ApplicationError

from activities.store.skill_asking import TooManyRunsError
from schemas.base import RowId, TenantId
from schemas.payloads import Payload, SkillRequested, TheirId
from schemas.skills import ENDED, LONGEST_MESSAGE, NewRun, Opinion, RunView
from starter.errands import AwayError
from starter.inbox import RefusedError, valid
from starter.skills import run_id as named_run
from starter.web import keyed
from starter.web.guard import Handler
from starter.web.keyed import KEY_ROW
from starter.web.parts import Parts
from starter.web.visits import is_row_id
from starter.web.watching import KIND, Watching, outcome
from starter.words import SaidError

log = structlog.get_logger("web")

# A message of the longest kind as JSON may write it, and inputs beside it.
LARGEST_BODY = 512 * 1024
# Less than any page may take: whoever waited that long is told in their own language to come again.
PATIENCE_S = 7.0
EXAMPLE = '{"skillName": "follow-up", "userId": "..."}'

NO_RUN = RefusedError(404, "there is no such run")


class RunRequest(SkillRequested):
    """As its event says it, and a meeting that it is about."""

    meeting_id: TheirId | None = None


class OpinionSent(Payload):
    """An opinion, of the user whose run it is when none is named."""

    user_id: TheirId | None = None
    overall: int
    accuracy: int | None = None
    quality: int | None = None
    issues: str = Field(default="", max_length=LONGEST_MESSAGE)


class Runs:
    def __init__(self, watching: Watching, parts: Parts) -> None:
        self._watching = watching
        self._keyed = keyed.Keyed(parts)
        self._runs = parts.skill_runs
        self._opinions = parts.opinions
        self._desk = parts.skill_desk
        self._now = parts.clock
        self._own = (self.ask, self.one, self.events, self.stop, self.judge)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/runs", self.ask),
            web.get("/runs/{id}", self.one),
            web.delete("/runs/{id}", self.stop),
            web.get("/runs/{id}/events", self.events),
            web.post("/runs/{id}/feedback", self.judge),
        ]

    @web.middleware
    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around the reading of the body: finds the key first, and says whatever goes wrong as JSON."""
        if request.match_info.handler not in self._own:
            return await handler(request)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await handler(await self._keyed.welcome(request, LARGEST_BODY))
        except (RefusedError, TooManyRunsError, SaidError, web.HTTPException) as error:
            return keyed.refused(error, LARGEST_BODY)
        except (AwayError, ApplicationError, TimeoutError) as error:
            log.warning("run put off", error=keyed.kind_of(error))
            return keyed.away()

    async def ask(self, request: web.Request) -> web.Response:
        """A run that its sender names is the same run whenever it is asked for."""
        tenant_id = await self._keyed.tenant(request)
        sent = valid(RunRequest, keyed.sent(await request.read(), EXAMPLE), "body")
        keyed.own(sent, tenant_id)
        wanted = NewRun(
            id=named_run(tenant_id, sent.run_id) if sent.run_id else None,
            user_id=await self._keyed.user(tenant_id, sent.user_id),
            skill=sent.skill_name,
            message=sent.user_message,
            inputs=sent.options or {},
            client_id=await self._client(tenant_id, sent.client_id),
            meeting_id=_meeting(sent.meeting_id),
        )
        asked = await self._desk.ask(tenant_id, wanted)
        told = {"runId": asked.run_id, "status": asked.status.value, "position": asked.position}
        where = {"Location": f"/runs/{asked.run_id}"}
        return web.json_response(told, status=201 if asked.fresh else 200, headers=where)

    async def one(self, request: web.Request) -> web.Response:
        """The run; to whoever would rather listen, its events."""
        if KIND in request.headers.get("Accept", ""):
            return await self.events(request)
        found = await self._found(request)
        return web.json_response(described(found, await self._watching.text(found)))

    async def events(self, request: web.Request) -> web.Response:
        found = await self._found(request)
        tenant_id = request[KEY_ROW].tenant_id
        if self._watching.full(tenant_id, found.id):
            return keyed.answer(503, "as many listen as can be told; try it again", keyed.SOON)
        return self._watching.answer(request, tenant_id, found.id)

    async def stop(self, request: web.Request) -> web.Response:
        """It ends soon, as one that failed. One that has ended stays as it is."""
        found = await self._found(request)
        stopped = found.status not in ENDED and await self._desk.cancel(request[KEY_ROW].tenant_id, found.id, None)
        told = {"runId": found.id, "status": found.status.value, "stopped": stopped}
        return web.json_response(told, status=202 if stopped else 200)

    async def judge(self, request: web.Request) -> web.Response:
        found, tenant_id = await self._found(request), request[KEY_ROW].tenant_id
        sent = valid(OpinionSent, keyed.sent(await request.read(), EXAMPLE), "body")
        keyed.own(sent, tenant_id)
        opinion = valid(Opinion, sent.model_dump(include=set(Opinion.model_fields)), "body")
        user_id = await self._keyed.user(tenant_id, sent.user_id) if sent.user_id else found.user_id
        feedback_id = await self._opinions.say(tenant_id, user_id, found.id, opinion, self._now())
        if feedback_id is None:
            raise RefusedError(400, "only what was written can be judged, by who had it written")
        return web.json_response({"feedbackId": feedback_id, "runId": found.id})

    async def _found(self, request: web.Request) -> RunView:
        tenant_id, run_id = await self._keyed.tenant(request), request.match_info["id"]
        found = await self._runs.view(tenant_id, None, run_id) if is_row_id(run_id) else None
        if found is None:
            raise NO_RUN
        return found

    async def _client(self, tenant_id: TenantId, said: str | None) -> RowId | None:
        if said is None:
            return None
        known = await self._runs.client(tenant_id, said.strip().lower())
        if known is None:
            raise RefusedError(400, "clientId: no company is known by that id or domain")
        return known[0]


def described(found: RunView, text: str | None) -> dict[str, Any]:
    """A run as other applications read it, in the spelling of its events."""
    ended = outcome(found) if found.status in ENDED else {}
    return {
        "runId": found.id,
        "status": found.status.value,
        "skillName": found.skill,
        "skillVersion": found.skill_version,
        "userId": found.user_id,
        "userMessage": found.message,
        "options": found.inputs,
        "client": found.client,
        "meetingId": found.meeting_id,
        "position": found.position,
        "turnAt": found.turn_at.isoformat(),
        "createdAt": found.created_at.isoformat(),
        "startedAt": found.started_at.isoformat() if found.started_at else None,
        "endedAt": found.ended_at.isoformat() if found.ended_at else None,
        "text": text,
        "output": _output(found),
        "error": {name: ended[name] for name in ("error", "step", "retryable")} if "error" in ended else None,
        "tokensIn": found.tokens_in,
        "tokensOut": found.tokens_out,
        "costMicroUsd": found.cost_micro_usd,
        "feedback": [one.model_dump(mode="json") for one in found.opinions],
        "sandbox": found.sandbox,
    }


def _output(found: RunView) -> dict[str, Any] | None:
    if (output := found.output) is None:
        return None
    return {
        "outputId": output.id,
        "title": output.title,
        "format": output.format,
        "preview": output.preview,
        "sizeBytes": output.size_bytes,
        "s3Key": output.object_key,
    }


def _meeting(said: str | None) -> RowId | None:
    if said is not None and not is_row_id(said.strip().lower()):
        raise RefusedError(400, "meetingId: must be an id of ours")
    return said.strip().lower() if said is not None else None
