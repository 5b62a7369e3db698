"""Google's front: which call goes where, and what it is called in the journal."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from sandbox.brand import Answer, Call
from sandbox.google import query as parameters
from sandbox.google.channels import Channels
from sandbox.google.consent import Consent, page
from sandbox.google.errors import ApiError, OAuthError, ordered
from sandbox.google.fields import only, parsed
from sandbox.google.knobs import Knobs
from sandbox.google.listing import Reader
from sandbox.google.oauth import CALENDAR, OAuth
from sandbox.google.paging import Pages
from sandbox.google.push import Push
from sandbox.google.query import Query
from sandbox.google.state import Account
from sandbox.google.store import Store

AUTH = "/o/oauth2/v2/auth"
EVENTS = r"/calendar/v3/calendars/(?P<calendar>[^/]+)/events"
LABELS = (
    ("GET", AUTH, "auth:page"),
    ("POST", AUTH, "auth:decision"),
    ("POST", "/token", "token"),
    ("POST", "/revoke", "revoke"),
    ("(GET|POST)", "/v1/userinfo", "userinfo"),
    ("GET", EVENTS, "events.list"),
    ("POST", f"{EVENTS}/watch", "events.watch"),
    ("GET", f"{EVENTS}/(?P<event>[^/]+)/instances", "events.instances"),
    ("GET", f"{EVENTS}/(?P<event>[^/]+)", "events.get"),
    ("POST", "/calendar/v3/channels/stop", "channels.stop"),
)
WRITES = {"auth:decision", "token", "revoke", "events.watch", "channels.stop"}
Served: TypeAlias = Callable[[Call, dict[str, str]], Answer]


class Google:
    """OAuth 2 and Calendar v3. The one brand with a memory: it saves it before it answers."""

    name = "google"
    tricks: frozenset[str] = frozenset()

    def __init__(self, store: Store, knobs: Knobs) -> None:
        self.store = store
        self._knobs = knobs
        self.oauth = OAuth(store, knobs)
        self.push = Push(store, knobs)
        self.reader = Reader(store, Pages(store, knobs))
        self._channels = Channels(store, knobs, self.push)
        self._consent = Consent(store, self.oauth)
        self._served: dict[str, Served] = {
            "auth:page": lambda call, _: self._consent.answer(call),
            "auth:decision": lambda call, _: self._consent.answer(call),
            "token": lambda call, _: _private(Answer.of(self.oauth.token(call))),
            "revoke": self._revoke,
            "userinfo": lambda call, _: Answer.of(self.oauth.userinfo(call)),
            "events.list": self._list,
            "events.get": self._get,
            "events.instances": self._instances,
            "events.watch": self._watch,
            "channels.stop": self._stop,
        }

    def answer(self, call: Call, trick: str | None) -> Answer:
        try:
            label, found = _route(call)
            answer = self._served[label](call, found)
        except (ApiError, OAuthError) as refused:
            return refused.answer()
        if label in WRITES:
            self.store.save()
        return answer

    def error(self, status: int, message: str | None = None) -> Answer:
        return ordered("", status, None)

    def refusal(self, call: Call, status: int, reason: str | None) -> Answer:
        if call.path == AUTH:
            return page("refused.html", status, error=reason or "server_error", why="The sandbox was told to refuse.")
        return ordered(call.path, status, reason)

    def about(self, call: Call) -> str | None:
        """What is called, and in which way: token:refresh, events.list:incremental."""
        try:
            label, _ = _route(call)
        except ApiError:
            return None
        if label == "token":
            found = re.search(rb"(?:^|&)grant_type=(authorization_code|refresh_token)(?:&|$)", call.body)
            return f"token:{(found[1] if found else b'other').decode().partition('_')[0]}"
        if label == "events.list":
            return f"{label}:{'incremental' if 'syncToken=' in call.query else 'full'}"
        return label

    def _revoke(self, call: Call, found: dict[str, str]) -> Answer:
        self.oauth.revoked(call)
        return Answer.of({})

    def _list(self, call: Call, found: dict[str, str]) -> Answer:
        account, query = self._calendar(call, found, parameters.LIST)
        return _partial(self.reader.events(account, query), query)

    def _get(self, call: Call, found: dict[str, str]) -> Answer:
        account, query = self._calendar(call, found, parameters.ONE)
        return _partial(self.reader.event(account, found["event"], query), query)

    def _instances(self, call: Call, found: dict[str, str]) -> Answer:
        account, query = self._calendar(call, found, parameters.INSTANCES)
        return _partial(self.reader.instances(account, found["event"], query), query)

    def _watch(self, call: Call, found: dict[str, str]) -> Answer:
        account, query = self._calendar(call, found, parameters.LIST)
        channel, welcome = self._channels.watch(account, call)
        first = welcome if self._knobs.sync_first else None
        return replace(_partial(channel, query), first=first)

    def _stop(self, call: Call, found: dict[str, str]) -> Answer:
        _, account = self.oauth.bearer(call, CALENDAR)
        Query(call.query, set())
        self._channels.stop(account, call)
        return Answer(204, b"", {})

    def _calendar(self, call: Call, found: dict[str, str], known: set[str]) -> tuple[Account, Query]:
        """Whose calendar it is: nobody sees another's here."""
        _, account = self.oauth.bearer(call, CALENDAR)
        query = Query(call.query, known)
        parsed(query.text("fields") or "*")
        query.zone(account.time_zone)
        query.number("maxAttendees")
        if found["calendar"].lower() not in {"primary", account.email}:
            raise ApiError(404, "notFound")
        return account, query


def _route(call: Call) -> tuple[str, dict[str, str]]:
    """The label of a call, and the names in its path; or a 404, or a 405 where only the method is wrong."""
    there = False
    for method, pattern, label in LABELS:
        if found := re.fullmatch(pattern, call.path):
            there = True
            if re.fullmatch(method, call.method):
                return label, found.groupdict()
    raise ApiError(405, "httpMethodNotAllowed", "Method Not Allowed") if there else ApiError(404, "notFound")


def _partial(document: object, query: Query) -> Answer:
    return _private(Answer.of(only(document, query.text("fields"))))


def _private(answer: Answer) -> Answer:
    return answer.having(cache_control="no-cache, no-store, max-age=0, must-revalidate")
