"""Digests: today's and those before it, one with its player, transcript and sources, and what a user wants to hear.

wishes ─▶ the clock, or a button ─▶ a digest ─▶ its page: heard, read along, and each sentence led to its source
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from aiohttp import web

from activities.plain import clean
from activities.store.scripts import ERASED
from schemas.digests import (
    LONGEST_TOPIC,
    MOST_TOPICS,
    AudioStatus,
    Chapter,
    DigestLine,
    DigestStatus,
    DigestView,
    Item,
    Line,
    Quiet,
    Script,
    Wishes,
)
from starter.links import FeedLinks, Listener
from starter.web import screens, sounds
from starter.web.answers import plain
from starter.web.feeds import can_be_heard
from starter.web.parts import Parts
from starter.web.visits import Fields, Members, Visit, is_row_id
from starter.words import UsageError

# A month of mornings.
MOST_LISTED = 31
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BUSY = {DigestStatus.REQUESTED, DigestStatus.GENERATING}
FORGOTTEN = "Somebody whom it told of asked to be forgotten, so it is not made again; the next one comes in the morning"
NOTHING_WANTED = "Say first what you want to hear of: an interest, or your own meetings"


@dataclass(frozen=True)
class Source:
    """Something that a digest tells of, and the words of it that its sentences rest on."""

    number: int
    item: Item
    quotes: tuple[str, ...]


class Digested:
    def __init__(self, members: Members, parts: Parts) -> None:
        self._members = members
        self._digests = parts.digests
        self._wishes = parts.wishes
        self._sounds = parts.sounds
        self._errands = parts.errands
        self._feeds = FeedLinks(parts.settings)

    def routes(self) -> list[web.RouteDef]:
        shown, taken, told = self._members.shown, self._members.taken, self._members.told
        return [
            web.get("/digests", shown(self.page)),
            web.post("/digests/wishes", taken(self.wish, self.wish_again)),
            web.post("/digests/today", taken(self.make, self.again)),
            web.post("/digests/feed", taken(self.reset, self.again)),
            web.get("/digests/{id}", shown(self.one)),
            web.get("/digests/{id}/progress", told(self.progress)),
            web.get("/digests/{id}/audio", told(self.audio)),
        ]

    async def page(self, visit: Visit) -> web.Response:
        return await self._page(visit, None, screens.note(visit.request), 200)

    async def again(self, visit: Visit, _fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._page(visit, None, sentence, status)

    async def wish_again(self, visit: Visit, fields: Fields, sentence: str, status: int) -> web.Response:
        return await self._page(visit, fields, sentence, status)

    async def wish(self, visit: Visit, fields: Fields) -> web.Response:
        await self._wishes.wish(visit.member.tenant_id, visit.member.id, wished(fields))
        return screens.elsewhere("/digests", "wished")

    async def make(self, visit: Visit, _fields: Fields) -> web.Response:
        """Today's, for which nobody waits until the morning. One that is there already stays as it is."""
        tenant_id, user_id = visit.member.tenant_id, visit.member.id
        if not (await self._wishes.wishes(tenant_id, user_id)).any:
            raise UsageError(NOTHING_WANTED)
        today = visit.now.astimezone(visit.zone).date()
        digest_id = await self._digests.ask(tenant_id, user_id, today, None, visit.now)
        there = await self._digests.view(tenant_id, user_id, digest_id)
        if there is not None and there.failed_step == ERASED:
            raise UsageError(FORGOTTEN)
        await self._errands.digest(tenant_id, user_id, today)
        return screens.elsewhere(f"/digests/{digest_id}", "digest-asked")

    async def reset(self, visit: Visit, _fields: Fields) -> web.Response:
        await self._wishes.reset_feed(visit.member.tenant_id, visit.member.id)
        return screens.elsewhere("/digests", "feed-new")

    async def one(self, visit: Visit) -> web.Response:
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        script = found.script or Script(items=(), lines=())
        return _heard(
            visit.page(
                "digest.html",
                scripted=True,
                title=f"{found.day:%A} {found.day.day} {found.day:%B}",
                player_path=screens.PLAYER.path,
                found=found,
                sound=found.sound if can_be_heard(found) else None,
                chapters=chapters(found),
                turns=turns(script.lines),
                sources=sources(script),
                dropped=script.dropped,
                busy=found.status in BUSY,
                phase=phase(found),
                erased=ERASED,
                today=found.day == visit.now.astimezone(visit.zone).date(),
                note=screens.note(visit.request),
                sandbox=found.sandbox,
            )
        )

    async def progress(self, visit: Visit) -> web.Response:
        """What the script on the digest's page asks for."""
        found = await self._view(visit)
        if found is None:
            return plain(visit.request, 404)
        told = {"busy": found.status in BUSY, "version": found.version, "phase": phase(found), "subjects": []}
        return web.json_response(told)

    async def audio(self, visit: Visit) -> web.Response:
        found = await self._view(visit)
        if found is None or not can_be_heard(found) or found.sound is None:
            return plain(visit.request, 404)
        return await sounds.heard(visit.request, self._sounds, found.sound)

    async def _page(self, visit: Visit, fields: Fields | None, sentence: str, status: int) -> web.Response:
        tenant_id, user_id = visit.member.tenant_id, visit.member.id
        lines = await self._digests.list(tenant_id, user_id, MOST_LISTED)
        wishes = await self._wishes.wishes(tenant_id, user_id)
        version = await self._wishes.feed_version(tenant_id, user_id)
        today = visit.now.astimezone(visit.zone).date()
        first = next((one for one in lines if one.day == today), None)
        return _heard(
            visit.page(
                "digests.html",
                status=status,
                title="Digests",
                first=first,
                lines=[one for one in lines if one is not first],
                day_of=today,
                phase=line_phase,
                heard=AudioStatus.READY,
                erased=ERASED,
                wishes=wishes,
                fields=_written(wishes) if fields is None else fields,
                days=DAYS,
                most=MOST_TOPICS,
                feed=self._feeds.feed(Listener(tenant_id, user_id, version)) if version else "",
                note=sentence if status == 200 else "",
                problem="" if status == 200 else sentence,
                sandbox=any(one.sandbox for one in lines),
            )
        )

    async def _view(self, visit: Visit) -> DigestView | None:
        digest_id = visit.request.match_info["id"]
        if not is_row_id(digest_id):
            return None
        return await self._digests.view(visit.member.tenant_id, visit.member.id, digest_id)


def phase(found: DigestView) -> str:
    if found.status is DigestStatus.GENERATING and found.script is not None and found.audio is AudioStatus.PENDING:
        return "Being spoken"
    return _PHASES[found.status]


def line_phase(line: DigestLine) -> str:
    return _PHASES[line.status]


_PHASES = {
    DigestStatus.REQUESTED: "Waiting for its turn",
    DigestStatus.GENERATING: "Being written",
    DigestStatus.READY: "Ready",
    DigestStatus.SKIPPED: "Nothing was new",
    DigestStatus.FAILED: "Could not be made",
}


def turns(lines: Iterable[Line]) -> list[tuple[Line, ...]]:
    """What one voice says at a stretch."""
    return [tuple(group) for _, group in groupby(lines, key=attrgetter("turn"))]


def sources(script: Script) -> list[Source]:
    """Each with the words that were taken from it, each once."""
    quotes = [
        tuple(dict.fromkeys(line.quote for line in script.lines if line.item == number and line.quote))
        for number in range(1, len(script.items) + 1)
    ]
    return [Source(number, *pair) for number, pair in enumerate(zip(script.items, quotes, strict=True), start=1)]


def chapters(found: DigestView) -> tuple[Chapter, ...]:
    return found.sound.chapters if found.sound and can_be_heard(found) else ()


def wished(fields: Fields) -> Wishes:
    """The wishes that a form says, or a sentence about the first thing that is wrong with it."""
    said = (clean(one, 10 * LONGEST_TOPIC) for one in fields.get("topics", "").splitlines())
    topics = tuple({one.casefold(): one for one in said if one}.values())
    if len(topics) > MOST_TOPICS:
        raise UsageError(f"At most {MOST_TOPICS} interests can be followed; there are {len(topics)} lines")
    if long := next((one for one in topics if len(one) > LONGEST_TOPIC), ""):
        raise UsageError(
            f"An interest has at most {LONGEST_TOPIC} letters, such as: rail freight. Too long: {long[:40]}…"
        )
    quiet = fields.get("quiet", "")
    if quiet not in set(Quiet):
        raise UsageError("What you hear on a day without news must be one of what is listed")
    return Wishes(
        topics=topics,
        sales="sales" in fields,
        days=sum(1 << number for number in range(len(DAYS)) if f"day_{number}" in fields),
        quiet=Quiet(quiet),
        audio="audio" in fields,
        by_mail="by_mail" in fields,
    )


def _written(wishes: Wishes) -> dict[str, str]:
    """The form as these wishes fill it."""
    ticked = {"sales": wishes.sales, "audio": wishes.audio, "by_mail": wishes.by_mail}
    ticked |= {f"day_{number}": bool(wishes.days >> number & 1) for number in range(len(DAYS))}
    said = {"topics": "\n".join(wishes.topics), "quiet": wishes.quiet.value}
    return said | {name: "on" for name, on in ticked.items() if on}


def _heard(response: web.Response) -> web.Response:
    """A page with a player."""
    response.headers["Content-Security-Policy"] = screens.HEARD
    return response
