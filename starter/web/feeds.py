"""Feeds: a user's digests in their podcast app. The address is the key; it opens nothing else, and can be changed.

app ─▶ token ─▶ whose feed, if this address still works ─▶ RSS ─▶ app ─▶ token and digest ─▶ audio
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from email.utils import format_datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from aiohttp import web
from markupsafe import Markup

from activities.plain import clean
from schemas.digests import AudioStatus, DigestStatus, DigestView, Item
from starter.links import FeedLinks, Listener, outside
from starter.show.layout import SANDBOX_NOTICE, day
from starter.web import sounds
from starter.web.answers import plain
from starter.web.parts import Parts
from starter.web.visits import is_row_id

# Two weeks of mornings: who has missed more looks on the page.
EPISODES = 14
LONGEST = 300
KIND = "application/rss+xml"
# Apps ask every hour or so, and are told that nothing is new.
KEPT = "private, no-cache"
# Players that are web pages load from here.
OPEN = {"Cross-Origin-Resource-Policy": "cross-origin"}

COVER = (Path(__file__).parent / "templates" / "cover.png").read_bytes()
COVER_KEPT = "public, max-age=86400"

ATOM, ITUNES = "atom", "itunes"
SPACES = {
    ATOM: "http://www.w3.org/2005/Atom",
    ITUNES: "http://www.itunes.com/dtds/podcast-1.0.dtd",
}


class Feeds:
    """Every refusal is one and the same answer."""

    def __init__(self, parts: Parts) -> None:
        self._links = FeedLinks(parts.settings)
        self._base = parts.settings.web_url.rstrip("/")
        self._users = parts.users
        self._digests = parts.digests
        self._wishes = parts.wishes
        self._sounds = parts.sounds

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/feeds/cover.png", self.cover),
            web.get("/feeds/{token}.xml", self.feed),
            web.get("/feeds/{token}/{id}.mp3", self.episode),
        ]

    async def cover(self, _request: web.Request) -> web.Response:
        return web.Response(body=COVER, content_type="image/png", headers={"Cache-Control": COVER_KEPT, **OPEN})

    async def feed(self, request: web.Request) -> web.Response:
        listener = await self._listener(request)
        if listener is None:
            return plain(request, 404)
        member = await self._users.member(listener.tenant_id, listener.user_id)
        if member is None:
            return plain(request, 404)
        heard = await self._digests.episodes(listener.tenant_id, listener.user_id, EPISODES)
        text = rss(member.name, listener, heard, self._links, self._base)
        told = {"ETag": sounds.tag_of(text.decode()), "Cache-Control": KEPT, **OPEN}
        if sounds.known(request, told["ETag"]):
            return web.Response(status=304, headers=told)
        return web.Response(body=text, content_type=KIND, charset="utf-8", headers=told)

    async def episode(self, request: web.Request) -> web.Response:
        listener, digest_id = await self._listener(request), request.match_info["id"]
        if listener is None or not is_row_id(digest_id):
            return plain(request, 404)
        found = await self._digests.view(listener.tenant_id, listener.user_id, digest_id)
        if found is None or not can_be_heard(found) or found.sound is None:
            return plain(request, 404)
        response = await sounds.heard(request, self._sounds, found.sound)
        response.headers.update(OPEN)
        return response

    async def _listener(self, request: web.Request) -> Listener | None:
        """Whose feed it is, by the one of their addresses that works."""
        listener = self._links.read(request.match_info["token"])
        if listener is None:
            return None
        version = await self._wishes.feed_version(listener.tenant_id, listener.user_id)
        return listener if version == listener.version else None


def can_be_heard(digest: DigestView) -> bool:
    return digest.status is DigestStatus.READY and digest.audio is AudioStatus.READY and digest.sound is not None


def rss(name: str, listener: Listener, digests: Sequence[DigestView], links: FeedLinks, base: str) -> bytes:
    """The feed as XML. What is not to be seen is no XML either: both are left out of every text."""
    root = ET.Element("rss", {"version": "2.0"} | {f"xmlns:{name}": url for name, url in SPACES.items()})
    channel = ET.SubElement(root, "channel")
    title = clean(f"Greenroom for {name}", LONGEST)
    about = "What is new this morning, in two voices. This feed is private: its address is a key."
    made_of_sandbox = any(one.sandbox for one in digests)
    _say(channel, "title", title)
    _say(channel, "link", f"{base}/digests")
    _say(channel, "description", f"{about} It is {SANDBOX_NOTICE}." if made_of_sandbox else about)
    _say(channel, "language", "en")
    _say(channel, "generator", "Greenroom")
    _say(channel, "ttl", "60")
    if digests:
        _say(channel, "lastBuildDate", _moment(max(map(_ended, digests))))
    _say(channel, f"{ATOM}:link", href=links.feed(listener), rel="self", type=KIND)
    image = ET.SubElement(channel, "image")
    _say(image, "url", f"{base}/feeds/cover.png")
    _say(image, "title", title)
    _say(image, "link", f"{base}/digests")
    _say(channel, f"{ITUNES}:image", href=f"{base}/feeds/cover.png")
    _say(channel, f"{ITUNES}:author", "Greenroom")
    _say(channel, f"{ITUNES}:explicit", "false")
    _say(channel, f"{ITUNES}:type", "episodic")
    # In no directory.
    _say(channel, f"{ITUNES}:block", "Yes")
    category = _say(channel, f"{ITUNES}:category", text="News")
    _say(category, f"{ITUNES}:category", text="Daily News")
    for one in digests:
        _episode(channel, one, links.episode(listener, one.id), base)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _episode(channel: ET.Element, digest: DigestView, url: str, base: str) -> None:
    if digest.sound is None:
        return
    item = ET.SubElement(channel, "item")
    _say(item, "title", title_of(digest))
    _say(item, "description", notes(digest))
    _say(item, "link", f"{base}/digests/{digest.id}")
    _say(item, "guid", digest.id, isPermaLink="false")
    _say(item, "pubDate", _moment(_ended(digest)))
    _say(item, "enclosure", url=url, length=str(digest.sound.size), type=sounds.KIND)
    _say(item, f"{ITUNES}:duration", str(round(digest.sound.duration_ms / 1000)))
    _say(item, f"{ITUNES}:episodeType", "full")
    _say(item, f"{ITUNES}:explicit", "false")


def title_of(digest: DigestView) -> str:
    """The day, and the first thing that it tells of."""
    items = digest.script.items if digest.script else ()
    first = clean(items[0].title, LONGEST) if items else "a quiet day" if digest.quiet else "no news could be had"
    said = f"{digest.day:%A} {digest.day.day} {digest.day:%B}: {first}"
    return f"{said} (sandbox data)" if digest.sandbox else said


def notes(digest: DigestView) -> str:
    """What it tells of, as HTML that apps show: each with its source and day, and a link where it has one.

    No Markup: XML escapes it by `replace`, which Markup does in a way of its own.
    """
    items = digest.script.items if digest.script else ()
    rows = Markup().join(Markup("<li>{}</li>").format(_note(one)) for one in items)
    none = "Nothing was new." if digest.quiet else "Nobody could be asked for news."
    told = Markup("<ol>{}</ol>").format(rows) if items else Markup("<p>{}</p>").format(none)
    noted = Markup("<p>{}.</p>").format(SANDBOX_NOTICE.capitalize()) if digest.sandbox else Markup()
    return str(told + noted)


def _note(item: Item) -> Markup:
    title, there = clean(item.title, LONGEST), outside(item.url)
    named = Markup('<a href="{}">{}</a>').format(there.url, title) if there else Markup("{}").format(title)
    told = clean(item.source, LONGEST), day(item.published) if item.published else ""
    return named + Markup(" ({})").format(", ".join(one for one in told if one))


def _say(parent: ET.Element, tag: str, said: str = "", **attributes: str) -> ET.Element:
    one = ET.SubElement(parent, tag, attributes)
    one.text = said or None
    return one


def _ended(digest: DigestView) -> datetime:
    return digest.ended_at or datetime.combine(digest.day, time(), UTC)


def _moment(when: datetime) -> str:
    return format_datetime(when.astimezone(UTC), usegmt=True)
