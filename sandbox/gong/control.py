"""The knobs of the pretended Gong: /sandbox/gong. Wrong input is a 400 with one sentence."""

from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, field_validator

from sandbox.control import BadInputError, json_object, sentence
from sandbox.gong.memory import ACCESS_KEY, ACCESS_SECRET, Memory, UnknownCallError

ROOT = "/sandbox/gong"
MOST = 100_000


class Happening(BaseModel):
    """A call that is to happen; without a name, the next."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = None
    not_ready_for: Annotated[FiniteFloat, Field(ge=0, le=7 * 24 * 3600)] = 0.0
    test: bool = False


class Flood(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    calls: int = Field(ge=1, le=MOST)


class Told(BaseModel):
    """Where the rule sends; null for nowhere."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str | None

    @field_validator("url")
    @classmethod
    def _of_the_web(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError("it must be an address such as http://127.0.0.1:8080/webhooks/gong/...")
        return url


Order = TypeVar("Order", bound=BaseModel)


class GongControl:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(ROOT, self._look),
            web.put(f"{ROOT}/webhook", self._turn),
            web.post(f"{ROOT}/calls", self._happen),
            web.post(f"{ROOT}/flood", self._flood),
        ]

    async def _look(self, _request: web.Request) -> web.Response:
        memory, now = self._memory, self._memory.clock.now()
        calls = [
            {"id": one.id, "title": one.call.title, "started": one.started.isoformat(), "ready": one.ready_at <= now}
            for one in memory.recordings.values()
        ]
        rule = {"public_key": memory.rule.public_key, "webhook": memory.rule.url}
        return web.json_response({"access_key": ACCESS_KEY, "access_secret": ACCESS_SECRET, **rule, "calls": calls})

    async def _turn(self, request: web.Request) -> web.Response:
        order = await _order(request, Told, '{"url": "http://127.0.0.1:8080/webhooks/gong/..."}')
        self._memory.rule.url = order.url
        return web.json_response({"webhook": order.url})

    async def _happen(self, request: web.Request) -> web.Response:
        order = await _order(request, Happening, '{"name": "Halden", "not_ready_for": 60}')
        try:
            recording, status = await self._memory.happen(order.name, order.not_ready_for, test=order.test)
        except UnknownCallError as error:
            return web.json_response({"error": str(error)}, status=404)
        said = {"id": recording.id, "title": recording.call.title, "webhook": self._memory.rule.url, "answered": status}
        return web.json_response(said, status=201)

    async def _flood(self, request: web.Request) -> web.Response:
        order = await _order(request, Flood, '{"calls": 1000}')
        self._memory.flood(order.calls)
        return web.json_response({"calls": len(self._memory.recordings)}, status=201)


async def _order(request: web.Request, kind: type[Order], example: str) -> Order:
    document: dict[str, Any] = await json_object(request, example)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise BadInputError(sentence(error)) from None
