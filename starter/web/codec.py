"""Payloads for Temporal's Web UI, which has no key: opened here, for members who are signed in, and theirs alone.

Web UI ─▶ POST /codec/decode, with our cookie ─▶ a member ─▶ what is of their tenant is opened, all else stays as it is

Nothing is encrypted here for anybody: what a person sends to a workflow by hand passes as it is.
"""

from collections.abc import Mapping

import structlog
from aiohttp import web
from google.protobuf.json_format import MessageToJson
from pydantic import Base64Bytes, ValidationError
from temporalio.api.common.v1 import Payload, Payloads

from activities import coding
from schemas.base import Inbound
from starter.environment import NEW_PAYLOAD_KEY
from starter.web.answers import plain
from starter.web.parts import Parts
from starter.web.visits import Handler, Members, Visit, origin
from starter.words import NotReadyError

log = structlog.get_logger("web")

PAGE, DECODE = "/codec", "/codec/decode"
JSON = "application/json"
# What the Web UI's browser asks to be allowed, once in ten minutes.
ALLOWED: Mapping[str, str] = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "content-type,x-namespace",
    "Access-Control-Max-Age": "600",
}


class Carried(Inbound):
    """A payload as JSON. Whatever else a newer Web UI says of it is left out."""

    metadata: dict[str, Base64Bytes] | None = None
    data: Base64Bytes | None = None


class Sent(Inbound):
    payloads: tuple[Carried, ...] | None = None

    def read(self) -> Payloads:
        return Payloads(payloads=[Payload(metadata=one.metadata, data=one.data or b"") for one in self.payloads or ()])


class Opened:
    """The endpoint, and the page that says how the Web UI is told of it.

    A payload names its tenant, and only members of that tenant see it: row ids tell strangers nothing, but labels and
    reasons name the companies that somebody is about to meet.
    """

    def __init__(self, members: Members, parts: Parts) -> None:
        settings = parts.settings
        try:
            self._codec = coding.codec(settings)
        except ValueError as error:
            raise NotReadyError(str(error).partition(";")[0], NEW_PAYLOAD_KEY) from None
        self._members = members
        self._on = settings.payload_codec == "on"
        self._ui = settings.temporal_ui_url
        self._endpoint = settings.web_url.rstrip("/") + PAGE
        self._from = {origin(self._ui), origin(settings.web_url)}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(PAGE, self._members.shown(self.page)),
            web.options(DECODE, self._near(self.asked)),
            web.post(DECODE, self._near(self._members.told(self.decode))),
        ]

    async def page(self, visit: Visit) -> web.Response:
        return visit.page("codec.html", title="Payloads", endpoint=self._endpoint, ui=self._ui, on=self._on)

    async def asked(self, _request: web.Request) -> web.Response:
        """A browser asks first whether it may."""
        return web.Response(status=204, headers=ALLOWED)

    async def decode(self, visit: Visit) -> web.Response:
        if visit.request.content_type != JSON:
            return plain(visit.request, 415)
        try:
            payloads = Sent.model_validate_json(await visit.request.read()).read()
        except ValidationError:
            return plain(visit.request, 400)
        answer, opened = self._opened(visit.member.tenant_id, payloads)
        log.info("payloads opened", asked=len(payloads.payloads), opened=opened)
        return web.Response(text=MessageToJson(answer), content_type=JSON)

    async def signed_off(self, request: web.Request, response: web.StreamResponse) -> None:
        """Each answer of the endpoint, refusals too, may be read by the Web UI's pages, and by no other site's."""
        if request.path != DECODE:
            return
        response.headers["Vary"] = ", ".join(filter(None, (response.headers.get("Vary"), "Origin")))
        came_from = request.headers.get("Origin", "")
        if came_from and origin(came_from) in self._from:
            response.headers["Access-Control-Allow-Origin"] = came_from
            response.headers["Access-Control-Allow-Credentials"] = "true"

    def _opened(self, tenant: str, payloads: Payloads) -> tuple[Payloads, int]:
        """As many as came, in their order; and how many of them are another thing now."""
        seen = [self._codec.opened_for(tenant, payload) for payload in payloads.payloads]
        return Payloads(payloads=seen), sum(map(coding.is_sealed, payloads.payloads)) - sum(map(coding.is_sealed, seen))

    def _near(self, handler: Handler) -> Handler:
        """Not for pages of other sites. A program that is no browser says nothing of where it is."""

        async def handle(request: web.Request) -> web.Response:
            came_from = request.headers.get("Origin")
            if came_from is not None and origin(came_from) not in self._from:
                return plain(request, 403)
            return await handler(request)

        return handle
