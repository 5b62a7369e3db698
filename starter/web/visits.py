"""The door to the signed-in pages: who comes, and that what they send was meant to be sent.

request ─▶ cookie ─▶ session ─▶ member ─▶ Visit ─▶ page
form    ─▶ ours, by origin and token ─▶ save, or the form again with a sentence
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from schemas.agenda import Member
from starter.errands import AwayError
from starter.web import screens
from starter.web.answers import plain
from starter.web.ports import Users
from starter.web.sessions import Cookies, Session
from starter.words import SaidError

FORM = "application/x-www-form-urlencoded"
# A form with a file, which is kept beside the request.
MULTIPART = "multipart/form-data"
MOST_FIELDS = 40
TOKEN = "csrf"  # noqa: S105 - the name of a field
LONGEST_PATH = 500
ROW_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

STALE = "This page had been open for too long to trust it. Nothing was saved: look it over, and send it once more."
OVER = (
    "Your session is over, and nothing was saved. Sign in again in another tab, then reload this page and agree to "
    "send the form once more: what you wrote comes back."
)
FOREIGN = "This came from another site, so nothing was done. Open the page here, and try it again."
AWAY = "That cannot be begun right now, because the part that does the work does not answer. Try again in a minute."


@dataclass(frozen=True)
class File:
    """A file that was sent with a form."""

    name: str
    data: bytes


FILE = web.RequestKey("file", File)
Fields = Mapping[str, str]
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True)
class Visit:
    """Somebody who is signed in asks for a page."""

    request: web.Request
    member: Member
    session: Session
    token: str
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return zone(self.member.time_zone)

    def page(self, template: str, *, status: int = 200, scripted: bool = False, **named: object) -> web.Response:
        """A page of theirs."""
        here = self.request.path
        return screens.answer(template, status=status, scripted=scripted, visit=self, here=here, **named)


Page = Callable[[Visit], Awaitable[web.Response]]
Save = Callable[[Visit, Fields], Awaitable[web.Response]]
# The page that a form stands on, with what was written in it and a sentence.
Again = Callable[[Visit, Fields, str, int], Awaitable[web.Response]]


class Members:
    """Lets in who is signed in. Everybody else is led to the sign-in, and from there to where they wanted to go."""

    def __init__(self, users: Users, cookies: Cookies, web_url: str, clock: Callable[[], datetime]) -> None:
        self._users = users
        self._cookies = cookies
        self._origin = origin(web_url)
        self.now = clock

    async def visit(self, request: web.Request) -> Visit | None:
        """Who this is, or nothing: no cookie of ours, too old, signed out since, or no user any more."""
        session = self._cookies.session(request, now := self.now())
        if session is None:
            return None
        member = await self._users.member(session.tenant_id, session.user_id)
        if member is None or not session.serves(member):
            return None
        return Visit(request, member, session, self._cookies.token(session), now)

    def shown(self, page: Page) -> Handler:
        """A page to be read."""

        async def handle(request: web.Request) -> web.Response:
            visit = await self.visit(request)
            return to_sign_in(request) if visit is None else await page(visit)

        return handle

    def told(self, page: Page) -> Handler:
        """The same for a program: without a session it is told so."""

        async def handle(request: web.Request) -> web.Response:
            visit = await self.visit(request)
            return plain(request, 401) if visit is None else await page(visit)

        return handle

    def taken(self, save: Save, again: Again | None = None) -> Handler:
        """A form that was sent. What is wrong with it is said where it stands, with all that was written."""

        async def handle(request: web.Request) -> web.Response:
            if not self._from_here(request):
                return screens.sentence("Not from here", FOREIGN, 403)
            visit = await self.visit(request)
            if visit is None:
                return screens.sentence("Session over", OVER, 401, ("/sign-in", "Sign in"))
            fields = await fields_of(request)
            if fields is None:
                return plain(request, 415)
            return await self._saved(visit, fields, save, again or _elsewhere)

        return handle

    async def _saved(self, visit: Visit, fields: Fields, save: Save, again: Again) -> web.Response:
        if not self._cookies.genuine(visit.session, fields.get(TOKEN, "")):
            return await again(visit, fields, STALE, 403)
        try:
            return await save(visit, fields)
        except SaidError as error:
            return await again(visit, fields, str(error), 400)
        except AwayError:
            return await again(visit, fields, AWAY, 503)

    def _from_here(self, request: web.Request) -> bool:
        """What the browser itself says of where a form stands. One that says nothing is no browser of today."""
        site, came_from = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None and site != "same-origin":
            return False
        if came_from is None or came_from == "null":
            return site is not None
        return origin(came_from) in {self._origin, origin(f"{request.scheme}://{request.host}")}


def to_sign_in(request: web.Request) -> web.Response:
    return screens.elsewhere(f"/sign-in?to={quote(request.raw_path, safe='')}")


def origin(url: str) -> tuple[str, str]:
    """Scheme and host with port, as browsers compare them."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return "", ""
    return parts.scheme.lower(), f"{(parts.hostname or '').lower()}:{port}"


def local(to: str) -> str:
    """A path on this site that somebody may be led to; the first page for all else.

    A browser takes `//host`, `/\\host` and either with a tab in between for another site.
    """
    plain_path = to.startswith("/") and not to.startswith(("//", "/connect/", "/sign-")) and len(to) <= LONGEST_PATH
    return to if plain_path and all("!" <= letter <= "~" and letter != "\\" for letter in to) else "/"


def is_row_id(text: str) -> bool:
    return ROW_ID.fullmatch(text) is not None


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def clock() -> datetime:
    return datetime.now(UTC)


async def fields_of(request: web.Request) -> dict[str, str] | None:
    """What a form says; the first of each name. Nothing when it is no form."""
    if request.content_type == MULTIPART:
        return await _written(request)
    if request.content_type != FORM:
        return None
    text = (await request.read()).decode("utf-8", errors="replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise web.HTTPBadRequest from None
    return dict(reversed(pairs))


async def _written(request: web.Request) -> dict[str, str]:
    """The same of a form with a file. Its body is here already, as a whole."""
    body, fields = await request.read(), dict[str, str]()
    if not body.startswith(b"--"):
        # No browser puts anything before the first part, and looking for one there may take long.
        raise web.HTTPBadRequest
    stream = StreamReader(request.protocol, len(body) + 1, loop=asyncio.get_running_loop())
    stream.feed_data(body)
    stream.feed_eof()
    try:
        parts = MultipartReader(request.headers, stream)
        for _ in range(MOST_FIELDS):
            part = await parts.next()
            if part is None:
                return fields
            if isinstance(part, BodyPartReader) and part.name:
                await _take(request, part, fields)
    except (ValueError, LookupError, RuntimeError, HttpProcessingError, web.RequestPayloadError, AssertionError):
        raise web.HTTPBadRequest from None
    raise web.HTTPBadRequest


async def _take(request: web.Request, part: BodyPartReader, fields: dict[str, str]) -> None:
    data = bytes(await part.read(decode=True))
    if part.filename is None:
        fields.setdefault(part.name or "", data.decode("utf-8", errors="replace"))
    elif part.filename and FILE not in request:
        request[FILE] = File(part.filename, data)


async def _elsewhere(visit: Visit, _fields: Fields, sentence: str, status: int) -> web.Response:
    """For a form that is a single button."""
    return screens.sentence("Not done", sentence, status, ("/", "Back to your meetings"), visit=visit)
