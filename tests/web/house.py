"""A house with people in it: the real app over the real Postgres, and twins of Google and of Temporal."""

import io
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import aiohttp
from pydantic import SecretStr
from yarl import URL

from activities.people import PersonKeys
from activities.ports import Grant, Identity, InvalidGrantError
from activities.providers.google_accounts import CALENDAR
from activities.sealing import Sealer, new_key
from activities.store.agenda import AgendaStore
from activities.store.callbook import CallBook
from activities.store.calls import CallStore
from activities.store.channels import ChannelStore
from activities.store.connections import ConnectionStore
from activities.store.database import Database
from activities.store.digests import DigestStore
from activities.store.explanations import ExplanationStore
from activities.store.library import Library
from activities.store.marks import MarkStore
from activities.store.meetings import MeetingStore
from activities.store.tenants import TenantStore
from activities.store.user_channels import UserChannelStore
from activities.store.wishes import WishStore
from schemas.calendars import Ring
from schemas.meetings import Asked
from schemas.research import Progress
from schemas.settings import Settings
from schemas.tenants import CampaignRow, NewCampaign, Tenant, User
from starter.errands import AwayError
from starter.ways import Channels
from starter.web.app import build_app, listening
from starter.web.parts import Parts
from starter.web.ports import Digests, Sounds, WishBook
from starter.web.signin import challenge
from starter.web.sounds import Silence

KEY = "a key of these tests, and of nothing else"
NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
CAMPAIGN = NewCampaign(
    name="Planning",
    offering="Route planning that replans while the trucks are on the road",
    target_customer="Hauliers with 50 to 500 trucks",
    pain_points="Empty miles; late loads; corrections by telephone at night",
)


@dataclass
class Consenting:
    """A twin of Google: asks nobody, and keeps to the rules about codes and verifiers."""

    name: str = "google"
    sandbox: bool = True
    verified: bool = True
    scopes: tuple[str, ...] = CALENDAR
    away: Exception | None = None
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    # The accounts that addresses have, where a test gives one a new account.
    subs: dict[str, str] = field(default_factory=dict)

    def consent_url(self, state: str, challenge: str, redirect_uri: str, scopes: Any, hint: str = "") -> str:
        query = {"state": state, "code_challenge": challenge, "redirect_uri": redirect_uri, "scope": " ".join(scopes)}
        self.asked.append({**query, "login_hint": hint})
        return f"https://accounts.example/auth?state={state}"

    def agree(self, email: str) -> str:
        """The person says yes to what was asked last; the code that they come back with."""
        code = f"code-{len(self.codes)}-{uuid4().hex}"
        self.codes[code] = (email, self.asked[-1]["code_challenge"])
        return code

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> Grant:
        if self.away:
            raise self.away
        email, expected = self.codes.pop(code, ("", ""))
        if not email or challenge(verifier) != expected or redirect_uri != self.asked[-1]["redirect_uri"]:
            raise InvalidGrantError
        return Grant(f"access {email}", f"refresh {email}", 3600, self.scopes)

    async def who(self, access_token: str) -> Identity:
        email = access_token.removeprefix("access ")
        return Identity(email, self.verified, self.subs.get(email, f"sub of {email}"), "Somebody")

    async def revoke(self, token: str) -> None:
        self.revoked.append(token)


@dataclass
class Running:
    """A twin of Temporal: remembers what it was asked for."""

    away: bool = False
    stops: bool = True
    asked: Asked = field(default_factory=lambda: Asked(begun=True))
    tells: Progress | None = None
    done: list[tuple[str, str]] = field(default_factory=list)

    async def calendar(self, tenant_id: str, calendar_id: str, ring: Ring) -> None:
        self._do(f"read: {ring.reason.value}", calendar_id)

    async def meeting(self, tenant_id: str, meeting_id: str) -> None:
        self._do("changed", meeting_id)

    async def call(self, tenant_id: str, call_id: str) -> None:
        self._do("call", call_id)

    async def digest(self, tenant_id: str, user_id: str, day: date) -> None:
        self._do(f"digest of {day}", user_id)

    async def watch(self, tenant_id: str, calendar_id: str) -> None:
        self._do("watch", calendar_id)

    async def unwatch(self, tenant_id: str, calendar_id: str) -> bool:
        self._do("unwatch", calendar_id)
        return self.stops

    async def research_now(self, tenant_id: str, meeting_id: str) -> Asked:
        self._do("research", meeting_id)
        return self.asked

    async def progress(self, tenant_id: str, research_id: str) -> Progress | None:
        return self.tells

    def _do(self, what: str, row_id: str) -> None:
        if self.away:
            raise AwayError
        self.done.append((what, row_id))


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def to(self) -> str:
        return self.headers.get("location", "")

    @property
    def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]*)"', self.text)
        return unescape(found[1]) if found else ""

    def says(self, sentence: str) -> bool:
        return sentence in unescape(self.text)


class Visitor:
    """A browser: keeps cookies, says where its forms stand, and follows nothing by itself."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def get(self, path: str, **headers: str) -> Got:
        return await self._ask("GET", path, headers, None)

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Got:
        """As it stands, with no token but one that is given."""
        return await self._ask("POST", path, headers or {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}, fields)

    async def upload(self, path: str, data: bytes, name: str, **fields: str) -> Got:
        """A form with a file."""
        # Names as browsers write them.
        form = aiohttp.FormData({"csrf": (await self.get(path)).token, **fields}, quote_fields=False)
        form.add_field("file", io.BytesIO(data), filename=name, content_type="text/plain")
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}
        return await self._ask("POST", path, headers, form)

    async def send(self, path: str, page: str, **fields: str) -> Got:
        """A form that stands on a page."""
        return await self.post(path, {"csrf": (await self.get(page)).token, **fields})

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.session.cookie_jar}

    def put_cookie(self, name: str, value: str) -> None:
        self.session.cookie_jar.update_cookies({name: value}, URL(self.base))

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], data: dict[str, str] | aiohttp.FormData | None
    ) -> Got:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, path, headers=named, data=data, allow_redirects=False) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            return Got(response.status, await response.text(), told)


class House:
    """Two tenants with a user each, and everything that the app is made of."""

    def __init__(self, database: Database, exits: AsyncExitStack) -> None:
        self.database = database
        self.tenants = TenantStore(database)
        self.meetings = MeetingStore(database)
        self.connections = ConnectionStore(database, Sealer(new_key()))
        self.digests: Digests = DigestStore(database)
        self.wishes: WishBook = WishStore(database)
        self.sounds: Sounds = Silence()
        self.channels = UserChannelStore(database, Sealer(new_key()), PersonKeys(KEY))
        self.consent = Consenting()
        self.running = Running()
        # A twin of all that skills need, or the parts of the app for them, where a test has either.
        self.skills: Any = None
        self.now = NOW
        self.base = ""
        self._exits = exits
        self.tenant, self.user = self._somebody("robin")
        self.other_tenant, self.stranger = self._somebody("sasha")
        self.campaign: CampaignRow
        self.other_campaign: CampaignRow

    def _somebody(self, name: str) -> tuple[Tenant, User]:
        """Addresses are looked for in all tenants of the database, and tests share one."""
        tenant_id = str(uuid4())
        address = f"{name}@{tenant_id[:8]}.example"
        return (
            Tenant(id=tenant_id, slug=f"{name}-{tenant_id[:8]}", name=f"{name.title()} & Co"),
            User(id=str(uuid4()), email=address, name=name.title(), time_zone="Europe/Berlin"),
        )

    async def set_up(self) -> None:
        self.campaign = await self.tenants.create(self.tenant, self.user, CAMPAIGN, NOW - timedelta(days=40))
        self.other_campaign = await self.tenants.create(self.other_tenant, self.stranger, CAMPAIGN, NOW)

    def settings(self, **more: object) -> Settings:
        keys = {"link_key": SecretStr(KEY), "session_key": SecretStr(KEY), "payload_codec": "off"}
        return Settings.model_validate({**keys, "web_url": "http://127.0.0.1:8080", **more})

    def parts(self, **more: object) -> Parts:
        return Parts(
            settings=self.settings(**more),
            briefs=Library(self.database),
            explanations=ExplanationStore(self.database),
            marks=MarkStore(self.database),
            users=self.tenants,
            agenda=AgendaStore(self.database),
            calls=CallBook(self.database),
            digests=self.digests,
            wishes=self.wishes,
            call_intake=CallStore(self.database, PersonKeys(KEY)),
            meetings=self.meetings,
            connections=self.connections,
            consent=self.consent,
            errands=self.running,
            channels=ChannelStore(self.database),
            bell=self.running,
            user_channels=Channels(self.settings(sandbox=True), self.channels),
            checks={},
            clock=lambda: self.now,
            **self._skilled(),
        )

    def _skilled(self) -> dict[str, Any]:
        if self.skills is None:
            return {"sounds": self.sounds}
        if isinstance(self.skills, dict):
            return {"sounds": self.sounds, **self.skills}
        ports = ("skill_shelf", "skill_runs", "opinions", "skill_desk", "sounds", "event_keys")
        return dict.fromkeys(ports, self.skills)

    @asynccontextmanager
    async def open(self, **more: object) -> AsyncIterator[str]:
        async with listening(build_app(self.parts(**more)), 0) as port:
            self.base = f"http://127.0.0.1:{port}"
            yield self.base

    async def visitor(self) -> Visitor:
        jar = aiohttp.CookieJar(unsafe=True)
        session = await self._exits.enter_async_context(aiohttp.ClientSession(self.base, cookie_jar=jar))
        return Visitor(session, self.base)

    async def leave(self, visitor: Visitor, path: str = "/connect/google") -> str:
        """As far as Google; the state that was sent along."""
        return parse_qs(urlsplit((await visitor.get(path)).to).query)["state"][0]

    async def come_back(self, visitor: Visitor, state: str, email: str) -> Got:
        return await visitor.get(f"/connect/google/callback?state={state}&code={self.consent.agree(email)}")

    async def sign_in(self, email: str = "", path: str = "/connect/google") -> Visitor:
        """Somebody who has said who they are, and has no calendar yet."""
        visitor = await self.visitor()
        got = await self.come_back(visitor, await self.leave(visitor, path), email or self.user.email)
        assert got.status == 303, got.text
        return visitor

    async def connect(self, visitor: Visitor, account: str = "") -> Got:
        return await self.come_back(visitor, await self.leave(visitor), account or self.user.email)

    async def run(self, query: str, *values: Any, tenant: Tenant | None = None) -> list[Any]:
        async with self.database.tenant((tenant or self.tenant).id) as connection:
            return list(await connection.fetch(query, *values))
