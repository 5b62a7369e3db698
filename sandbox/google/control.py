"""The knobs of the pretended Google: /sandbox/calendar/... Wrong input is a 400 with one sentence."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from sandbox.control import BadInputError, json_object, sentence
from sandbox.google import render
from sandbox.google.backstage import Backstage
from sandbox.google.diary import Calendar, UnknownError
from sandbox.google.orders import (
    Content,
    Flood,
    Guests,
    Leaving,
    Move,
    NewAccount,
    NewEvent,
    Reply,
    Scopes,
)

ROOT = "/sandbox/calendar"
OF = f"{ROOT}/{{email}}"
ONE = f"{OF}/events/{{event}}"
Order = TypeVar("Order", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.Response]]


class CalendarControl:
    """What people do to their calendars, and what happens to those who read them."""

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage

    def routes(self) -> list[web.RouteDef]:
        changes = {
            "move": self._move,
            "edit": self._edit,
            "cancel": self._cancel,
            "restore": self._restore,
            "invite": self._invite,
            "uninvite": self._uninvite,
            "answer": self._answer,
        }
        return [
            web.get(ROOT, self._all),
            web.post(ROOT, self._account),
            web.get(f"{ROOT}/knobs", self._knobs),
            web.put(f"{ROOT}/knobs", self._turn),
            web.get(f"{ROOT}/notifications", self._notifications),
            web.get(f"{OF}/events", _known(self._events)),
            web.post(f"{OF}/events", _known(self._add)),
            web.get(f"{ONE}/instances", _known(self._instances)),
            *(web.post(f"{ONE}/{name}", _known(handler)) for name, handler in changes.items()),
            web.get(f"{OF}/channels", _known(self._channels)),
            web.post(f"{OF}/flood", _known(self._flood)),
            web.post(f"{OF}/expire-sync-tokens", _known(self._expire)),
            web.post(f"{OF}/expire-access-tokens", _known(self._expire_access)),
            web.post(f"{OF}/grant", _known(self._grant)),
            web.post(f"{OF}/revoke", _known(self._revoke)),
        ]

    async def _all(self, request: web.Request) -> web.Response:
        accounts = [self._described(account.email) for account in self._backstage.accounts]
        return web.json_response({"accounts": accounts, "knobs": self._backstage.knobs().model_dump()})

    async def _account(self, request: web.Request) -> web.Response:
        new = await _order(request, NewAccount, '{"email": "kim.hale@harbour.example", "name": "Kim Hale"}')
        try:
            self._backstage.account(**new.model_dump())
        except ValueError as error:
            raise BadInputError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
        return web.json_response(self._described(new.email), status=201)

    async def _knobs(self, request: web.Request) -> web.Response:
        return web.json_response(self._backstage.knobs().model_dump())

    async def _turn(self, request: web.Request) -> web.Response:
        wanted = await json_object(request, '{"lose_next": 3}')
        try:
            self._backstage.turn(**wanted)
        except ValidationError as error:
            raise BadInputError(sentence(error)) from None
        return await self._knobs(request)

    async def _notifications(self, request: web.Request) -> web.Response:
        return web.json_response({"notifications": [sent.as_dict() for sent in self._backstage.notifications]})

    async def _events(self, request: web.Request) -> web.Response:
        calendar = self._calendar(request)
        return web.json_response({"events": [self._shown(calendar, event.id) for event in calendar.events]})

    async def _instances(self, request: web.Request) -> web.Response:
        calendar = self._calendar(request)
        shown = [
            render.full(item, calendar.account.time_zone) for item in calendar.instances(request.match_info["event"])
        ]
        return web.json_response({"events": shown})

    async def _add(self, request: web.Request) -> web.Response:
        order = await _order(request, NewEvent, '{"title": "Introduction", "start": "tomorrow 10:00"}')
        calendar = self._calendar(request)
        try:
            event = calendar.order(order)
        except ValueError as error:
            raise BadInputError(f"{error}.") from None
        return web.json_response(self._shown(calendar, event.id), status=201)

    async def _move(self, request: web.Request) -> web.Response:
        order = await _order(request, Move, '{"start": "friday 14:00"}')
        try:
            return self._changed(request, lambda calendar, event: calendar.reschedule(event, order))
        except ValueError as error:
            raise BadInputError(f"{error}.") from None

    async def _edit(self, request: web.Request) -> web.Response:
        order = await _order(request, Content, '{"title": "Second call"}')
        return self._changed(request, lambda calendar, event: calendar.rewrite(event, order))

    async def _cancel(self, request: web.Request) -> web.Response:
        return self._changed(request, Calendar.cancel)

    async def _restore(self, request: web.Request) -> web.Response:
        return self._changed(request, Calendar.restore)

    async def _invite(self, request: web.Request) -> web.Response:
        order = await _order(request, Guests, '{"attendees": ["ada@lovelace.example"]}')
        return self._changed(request, lambda calendar, event: calendar.ask(event, order))

    async def _uninvite(self, request: web.Request) -> web.Response:
        order = await _order(request, Leaving, '{"email": "ada@lovelace.example"}')
        return self._changed(request, lambda calendar, event: calendar.uninvite(event, order.email))

    async def _answer(self, request: web.Request) -> web.Response:
        order = await _order(request, Reply, '{"email": "ada@lovelace.example", "status": "declined"}')
        return self._changed(request, lambda calendar, event: calendar.reply(event, order))

    async def _channels(self, request: web.Request) -> web.Response:
        channels = [channel.model_dump(mode="json") for channel in self._calendar(request).channels]
        return web.json_response({"channels": channels})

    async def _flood(self, request: web.Request) -> web.Response:
        order = await _order(request, Flood, '{"changes": 100, "notifications": 500}')
        ids = self._calendar(request).flood(order.changes, order.notifications)
        return web.json_response({"events": ids, "notifications": order.notifications}, status=201)

    async def _expire(self, request: web.Request) -> web.Response:
        self._calendar(request).expire_sync_tokens()
        return web.json_response(self._described(request.match_info["email"]))

    async def _expire_access(self, request: web.Request) -> web.Response:
        self._backstage.expire_access_tokens(request.match_info["email"])
        return web.json_response(self._described(request.match_info["email"]))

    async def _grant(self, request: web.Request) -> web.Response:
        order = await _order(request, Scopes, '{"scopes": ["openid", "email"]}')
        try:
            given = {} if order.scopes is None else {"scopes": order.scopes}
            token = self._backstage.grant(request.match_info["email"], **given)
        except ValueError as error:
            raise BadInputError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
        return web.json_response({"refresh_token": token}, status=201)

    async def _revoke(self, request: web.Request) -> web.Response:
        self._backstage.revoke(request.match_info["email"])
        return web.json_response(self._described(request.match_info["email"]))

    def _calendar(self, request: web.Request) -> Calendar:
        return self._backstage.calendar(request.match_info["email"])

    def _changed(self, request: web.Request, change: Callable[[Calendar, str], None]) -> web.Response:
        calendar, event = self._calendar(request), request.match_info["event"]
        change(calendar, event)
        return web.json_response(self._shown(calendar, event))

    def _shown(self, calendar: Calendar, event_id: str) -> dict[str, Any]:
        """As the API shows it to the account."""
        return render.full(calendar.look(event_id), calendar.account.time_zone)

    def _described(self, email: str) -> dict[str, Any]:
        calendar = self._backstage.calendar(email)
        counts = {"events": len(calendar.events), "channels": len(calendar.channels)}
        grants = len(self._backstage.refresh_tokens(calendar.account.email))
        return calendar.account.model_dump(include={"email", "name", "time_zone"}) | counts | {"grants": grants}


def _known(handler: Handler) -> Handler:
    """Who or what does not exist is a 404."""

    async def answered(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except UnknownError as error:
            return web.json_response({"error": str(error)}, status=404)

    return answered


async def _order(request: web.Request, kind: type[Order], example: str) -> Order:
    try:
        return kind.model_validate(await json_object(request, example))
    except ValidationError as error:
        raise BadInputError(sentence(error)) from None
