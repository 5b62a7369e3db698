"""Signing in with an account whose calendar is read: who somebody is first, then what they let us read.

/connect/google ─▶ state kept ─▶ Google asks ─▶ callback ─▶ state checked ─▶ code for a grant ─▶ whose it is ─┐
        ▲                                                                                                      │
        └── the calendar is asked for when it is not connected ◀── a new session ◀── a user with that address ◀┘
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import web
from temporalio.exceptions import ApplicationError

from activities.ports import Grant, Identity, InvalidGrantError, UnauthorizedError
from activities.providers.google_accounts import CALENDAR, SIGN_IN
from schemas.base import Email, RowId, TenantId
from schemas.calendars import Reason, Ring
from starter.errands import AwayError
from starter.web import screens
from starter.web.parts import Parts
from starter.web.sessions import STATE_LIVES, Cookies, Session
from starter.web.visits import Fields, Members, Visit, local

log = structlog.get_logger("web")

CALLBACK = "/connect/google/callback"
WHO, READ = "who", "calendar"
LONGEST_CODE = 2000
# States that have come back, so that none serves twice; beyond this the oldest are forgotten, and the code guards alone.
MOST_USED = 10_000

Way = tuple[str, str]
AGAIN: Way = ("/connect/google", "Start again")
OTHER: Way = ("/connect/google?choose", "Use another account")
CHANGED = (
    "{address} has signed in with another account before, and only that one is let in. If the address has a new account, "
    "ask whoever runs Greenroom for your organisation to run: greenroom user forget-account {address}"
)
UNKNOWN = (
    "{address} is not known here. Whoever runs Greenroom for your organisation can add you with: "
    "greenroom user add. If you have another account, sign in with that one."
)


@dataclass(frozen=True)
class Account:
    """What somebody came back with."""

    identity: Identity
    grant: Grant


class SaidNoError(Exception):
    """A sign-in that ends with a sentence and a way on."""

    def __init__(self, title: str, said: str, status: int, *onward: Way) -> None:
        super().__init__(title)
        self.title, self.said, self.status, self.onward = title, said, status, onward or (AGAIN,)


class Used:
    """What has been used once."""

    def __init__(self) -> None:
        self._used: dict[str, None] = {}

    def take(self, state: str) -> bool:
        """Whether this is the first time."""
        if state in self._used:
            return False
        self._used[state] = None
        if len(self._used) > MOST_USED:
            self._used.pop(next(iter(self._used)))
        return True


class SignIn:
    def __init__(self, members: Members, cookies: Cookies, parts: Parts) -> None:
        self._members = members
        self._cookies = cookies
        self._consent = parts.consent
        self._connections = parts.connections
        self._users = parts.users
        self._agenda = parts.agenda
        self._errands = parts.errands
        self._redirect = parts.settings.web_url.rstrip("/") + CALLBACK
        self._used = Used()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sign-in", self.page),
            web.get("/connect/google", self.leave),
            web.get(CALLBACK, self.back),
            web.post("/sign-out", self._members.taken(self.sign_out)),
        ]

    async def page(self, request: web.Request) -> web.Response:
        to = local(request.query.get("to", "/"))
        if await self._members.visit(request):
            return screens.elsewhere(to)
        start = f"/connect/google?to={quote(to, safe='')}"
        return screens.answer(
            "sign_in.html",
            title="Sign in to Greenroom",
            start=start,
            note=screens.note(request),
            sandbox=self._consent.sandbox,
            visit=None,
            here="",
        )

    async def leave(self, request: web.Request) -> web.Response:
        """To the provider. Somebody who is signed in connects a calendar; anybody else says who they are first."""
        visit = await self._members.visit(request)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        hint = await self._hint(visit) if visit else ""
        scopes = (*SIGN_IN, *CALENDAR) if visit else SIGN_IN
        url = self._consent.consent_url(state, challenge(verifier), self._redirect, scopes, hint)
        if not visit and "choose" in request.query:
            url += "&prompt=select_account"
        response = web.Response(status=303, headers={"Location": url})
        kept = {
            "state": state,
            "verifier": verifier,
            "for": READ if visit else WHO,
            "session": visit.session.id if visit else "",
            "to": local(request.query.get("to", "/calendars" if visit else "/")),
            "tenant": request.query.get("tenant", "")[:100],
            "at": self._members.now().timestamp(),
        }
        self._cookies.keep_state(response, kept)
        return response

    async def back(self, request: web.Request) -> web.Response:
        """From the provider, with a code or an error. The state serves once, whatever comes of it."""
        kept = self._cookies.state(request)
        try:
            account = await self._account(request, kept)
            response = await (
                self._sign_in(kept, account) if kept["for"] == WHO else self._connect(request, kept, account)
            )
        except SaidNoError as no:
            log.info("not signed in", why=no.title)
            response = screens.sentence(no.title, no.said, no.status, *no.onward)
        self._cookies.drop_state(response)
        return response

    async def sign_out(self, visit: Visit, _fields: Fields) -> web.Response:
        """Here and everywhere: a copy of the cookie is of no use to anybody afterwards."""
        await self._users.sign_out(visit.member.tenant_id, visit.member.id, visit.now)
        response = screens.elsewhere("/sign-in", "signed-out")
        self._cookies.end(response)
        return response

    async def _hint(self, visit: Visit) -> str:
        """The account that is to be connected, where that is known: it is not asked for again."""
        wanted = visit.request.query.get("connection", "")
        if wanted == "own":
            return visit.member.email
        lines = await self._agenda.connections(visit.member.tenant_id, visit.member.id) if wanted else []
        return next((line.account for line in lines if line.id == wanted), "")

    async def _account(self, request: web.Request, kept: Mapping[str, Any]) -> Account:
        said = request.query.get("state", "")
        age = self._members.now().timestamp() - kept.get("at", 0)
        if not kept or not said or not hmac.compare_digest(str(kept["state"]).encode(), said.encode()):
            raise SaidNoError("Start again", "This sign-in was begun in another browser, or long ago.", 400)
        if not 0 <= age <= STATE_LIVES.total_seconds() or not self._used.take(said):
            raise SaidNoError("Start again", "This sign-in has been used, or took too long.", 400)
        if (problem := request.query.get("error")) is not None:
            raise refused(problem, str(kept["for"]))
        code = request.query.get("code", "")
        if not code or len(code) > LONGEST_CODE:
            raise SaidNoError("Start again", "Google sent you back without saying who you are.", 400)
        return await self._exchanged(code, str(kept["verifier"]))

    async def _exchanged(self, code: str, verifier: str) -> Account:
        try:
            grant = await self._consent.exchange(code, verifier, self._redirect)
            identity = await self._consent.who(grant.access_token)
        except (InvalidGrantError, UnauthorizedError):
            raise SaidNoError(
                "Start again", "Google did not take this sign-in: it was too old, or used.", 400
            ) from None
        except ApplicationError as error:
            log.warning("account not answered for", error=error.type)
            raise SaidNoError("Try again in a minute", "Google does not answer as it should right now.", 503) from None
        if not identity.verified:
            said = "Google has not verified that this address is yours. Verify it with Google first."
            raise SaidNoError("Address not verified", said, 403)
        return Account(identity, grant)

    async def _sign_in(self, kept: Mapping[str, Any], account: Account) -> web.Response:
        """A new session, with an id that nobody has known before; then to the calendar, or to where they wanted to go."""
        tenant_id, user_id = await self._who(kept, account)
        if not await self._users.bind(tenant_id, user_id, account.identity.sub):
            raise SaidNoError("Another account", CHANGED.format(address=account.identity.email), 403, OTHER)
        to = local(str(kept["to"]))
        if await self._to_ask(tenant_id, user_id, account.identity.email):
            to = f"/connect/google?connection=own&to={quote(to, safe='')}"
        response = screens.elsewhere(to)
        self._cookies.begin(response, Session.of(tenant_id, user_id, self._members.now()))
        return response

    async def _to_ask(self, tenant_id: TenantId, user_id: RowId, address: Email) -> bool:
        """Whether the calendar is to be asked for: there is none yet, or this one lets us in no more."""
        lines = await self._agenda.connections(tenant_id, user_id)
        return not lines or any(line.account == address and line.status == "reauth_required" for line in lines)

    async def _who(self, kept: Mapping[str, Any], account: Account) -> tuple[TenantId, RowId]:
        """The user with that address; with several, the one of the tenant that was chosen."""
        users = await self._users.with_address(account.identity.email)
        if not users:
            raise SaidNoError("Not known here", UNKNOWN.format(address=account.identity.email), 403, OTHER)
        if len(users) == 1:
            return users[0]
        slugs = {tenant_id: slug for slug, tenant_id in (await self._users.slugs()).items()}
        mine = {slugs[tenant_id]: (tenant_id, user_id) for tenant_id, user_id in users if tenant_id in slugs}
        if kept["tenant"] in mine:
            return mine[kept["tenant"]]
        raise several(sorted(mine), local(str(kept["to"])))

    async def _connect(self, request: web.Request, kept: Mapping[str, Any], account: Account) -> web.Response:
        """Somebody who is signed in has let us read a calendar: it is theirs from now on."""
        visit = await self._members.visit(request)
        if visit is None or visit.session.id != kept["session"]:
            raise SaidNoError("Start again", "You were signed out in between.", 400)
        if not set(CALENDAR) <= set(account.grant.scopes):
            said = "Your calendar was not among what you agreed to, so nothing can be read. Tick it when Google asks."
            raise SaidNoError("Calendar not agreed to", said, 403, ("/connect/google", "Ask me again"))
        connected = await self._connections.connect(
            visit.member.tenant_id,
            visit.member.id,
            account.identity.email,
            account.grant,
            provider=self._consent.name,
            sandbox=self._consent.sandbox,
            now=visit.now,
        )
        return screens.elsewhere(local(str(kept["to"])), await self._begin(visit, connected.calendar_id))

    async def _begin(self, visit: Visit, calendar_id: RowId) -> str:
        """A channel and a first reading. While Temporal is away the connection stands, and the poll finds it."""
        tenant_id = visit.member.tenant_id
        try:
            await self._errands.watch(tenant_id, calendar_id)
            await self._errands.calendar(tenant_id, calendar_id, Ring(reason=Reason.CONNECTED, at=visit.now))
        except AwayError:
            return "connected-later"
        return "connected"


def several(slugs: list[str], to: str) -> SaidNoError:
    """The address is known in more than one organisation."""
    ways = ((f"/connect/google?tenant={quote(slug)}&to={quote(to, safe='')}", slug) for slug in slugs)
    return SaidNoError("Which organisation?", "Your address is known in several. Go on with:", 200, *ways)


def challenge(verifier: str) -> str:
    """PKCE, S256."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def refused(problem: str, asked_for: str) -> SaidNoError:
    """What the provider said no with, or rather, its user."""
    if problem == "access_denied" and asked_for == READ:
        said = "You did not agree to have your calendar read, so there is nothing to research from it."
        return SaidNoError("Calendar not connected", said, 403, ("/", "Go on without"))
    if problem == "access_denied":
        return SaidNoError("Not signed in", "You did not agree to be signed in.", 403)
    return SaidNoError("Not signed in", "Google could not sign you in.", 400)
