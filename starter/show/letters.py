"""Notices as mail: one letter for each kind, as text and as HTML that say the same.

matter (and brief) ─▶ letter: headline, paragraphs, blocks ─▶ letter.txt, letter.html, where every text is cleaned
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from activities.plain import clean
from activities.ports import Mail
from schemas.briefs import Brief, BriefSubject, Evidence
from schemas.notices import Matter, NoticeKind, NoticeOrder
from schemas.settings import Settings
from starter.links import Links, outside
from starter.show.layout import DISAGREE, ONLY_EARLIER, SANDBOX_NOTICE, UNSURE, Laid, Line, day, lay_out, refused
from starter.show.page import CONFIDENCES, FOLDER, IDENTITIES, LONGEST, NATURES

# Of a subject, what is in front of the title included.
LONGEST_TITLE = 100

STEPS = {
    "begin": "The research could not be started.",
    "look-up": "Nothing could be found out about the people you meet.",
    "write": "What was found could not be made into a brief.",
}


@dataclass(frozen=True)
class Block:
    """A part of a letter: a title, a remark, and lines; `numbered` when lines are referred to."""

    title: str
    lines: tuple[str, ...]
    remark: str = ""
    numbered: bool = False


@dataclass(frozen=True)
class Letter:
    """What a mail says, however it is shown. `button` is the one thing to do: what it is called, and where it leads."""

    subject: str
    headline: str
    when: str = ""
    paragraphs: tuple[str, ...] = ()
    button: tuple[str, str] | None = None
    command: str = ""
    blocks: tuple[Block, ...] = ()


class Letters:
    """Composes mail. Links lead to our own pages alone; what strangers wrote stays text."""

    def __init__(self, settings: Settings) -> None:
        self._links = Links(settings)
        self._web = settings.web_url.rstrip("/")
        self._domain = parseaddr(settings.mail_from)[1].rpartition("@")[2].encode("idna").decode()

    def message_id(self, order: NoticeOrder) -> str:
        """The same for the same key, and nothing in it tells whose it is."""
        return self._id("notice", order.tenant_id, order.key)

    def compose(self, matter: Matter, brief: Brief | None, now: datetime) -> Mail:
        letter = self._letter(matter, brief, now)
        notice = SANDBOX_NOTICE if matter.sandbox else ""
        said = {"letter": letter, "notice": notice, "preferences": self._preferences}
        return Mail(
            to=matter.to,
            subject=("[sandbox data] " if matter.sandbox else "") + letter.subject,
            text=_TEXT.get_template("letter.txt").render(**said),
            html=_HTML.get_template("letter.html").render(**said),
            message_id=matter.message_id,
            headers=self._headers(matter, now),
        )

    @property
    def _preferences(self) -> str:
        return f"{self._web}/preferences"

    def _headers(self, matter: Matter, now: datetime) -> dict[str, str]:
        """No One-Click beside List-Unsubscribe: what it leads to is a page behind sign-in."""
        headers = {
            "Date": format_datetime(now),
            "List-Id": f"Greenroom notices <notices.{self._domain}>",
            "List-Unsubscribe": f"<{self._preferences}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        }
        if about := matter.meeting_id or matter.research_id:
            # A mail that is never sent: all that are about one meeting answer it, and stand together.
            root = self._id("thread", matter.order.tenant_id, about)
            headers |= {"In-Reply-To": root, "References": root}
        return headers

    def _id(self, *parts: str) -> str:
        return f"<{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:40]}@{self._domain}>"

    def _letter(self, matter: Matter, brief: Brief | None, now: datetime) -> Letter:
        match matter.order.kind:
            case NoticeKind.BRIEF:
                assert brief is not None, "without a brief nothing is composed"
                return self._brief(matter, brief, now)
            case NoticeKind.RESEARCH_FAILED:
                return self._failed(matter)
            case NoticeKind.RECONNECT:
                return self._reconnect(matter)
            case NoticeKind.CALENDAR_DARK:
                return self._dark(matter)

    def _brief(self, matter: Matter, brief: Brief, now: datetime) -> Letter:
        laid, title = lay_out(brief), _title(brief.title)
        before = countdown(now, brief.starts_at, brief.time_zone) if brief.starts_at else "Your brief"
        return Letter(
            subject=f"{before}: {title}",
            headline=title,
            when=moment(brief.starts_at, brief.time_zone) if brief.starts_at else "",
            paragraphs=tuple(_opening(laid)),
            button=("Open the brief", self._links.brief(matter.order.tenant_id, brief.id)),
            blocks=tuple(_blocks(laid)),
        )

    def _failed(self, matter: Matter) -> Letter:
        title = _title(matter.title)
        why = matter.failure_reason.removeprefix(f"{matter.failed_step}: ")
        by_hand = f"{self._web}/meetings/{matter.meeting_id}"
        return Letter(
            subject=f"No brief for: {title}",
            headline=f"There is no brief for {title}",
            when=moment(matter.starts_at, matter.time_zone) if matter.starts_at else "",
            paragraphs=(STEPS.get(matter.failed_step, "The research ended without a brief."), f"The reason: {why}"),
            button=("Research it now", by_hand) if matter.meeting_id else None,
            command="" if matter.meeting_id else f"greenroom retry {matter.research_id}",
        )

    def _reconnect(self, matter: Matter) -> Letter:
        lost = (
            "The permission to read this calendar was withdrawn, or has run out. New and moved meetings are not seen "
            "until you connect it again."
        )
        unheard = (
            "Changes in this calendar are no longer announced to us. It is still read from time to time; connecting it "
            "again usually mends this."
        )
        return Letter(
            subject=f"Connect your calendar again: {_title(matter.account)}",
            headline=f"Connect {_title(matter.account)} again",
            paragraphs=(unheard if matter.connection == "active" else lost,),
            button=("Connect it again", f"{self._web}/calendars"),
        )

    def _dark(self, matter: Matter) -> Letter:
        assert matter.dark_since is not None, "of a calendar that is read nothing is told"
        since = moment(matter.dark_since, matter.time_zone)
        return Letter(
            subject=f"Your calendar cannot be read: {_title(matter.account)}",
            headline=f"A calendar of {_title(matter.account)} cannot be read",
            paragraphs=(
                f"Nothing could be read since {since}. Meetings that were added or moved since then are not known.",
                "It is tried again all the time; you need do nothing if this passes.",
            ),
            button=("See your calendars", f"{self._web}/calendars"),
        )


def countdown(now: datetime, starts_at: datetime, time_zone: str) -> str:
    """When a meeting is, as one says it now, in its reader's zone."""
    zone = ZoneInfo(time_zone)
    there, here = starts_at.astimezone(zone), now.astimezone(zone)
    clock, minutes = f"{there:%H:%M}", round((starts_at - now).total_seconds() / 60)
    if minutes <= 0:
        return f"Now ({clock})"
    if minutes < 120:
        return f"In {minutes} minute{'' if minutes == 1 else 's'} ({clock})"
    days = (there.date() - here.date()).days
    if days < 2:
        return f"{'Tomorrow' if days else 'Today'} at {clock}"
    return f"{there:%a} {there.day} {there:%b}, {clock}"


def moment(when: datetime, time_zone: str) -> str:
    there = when.astimezone(ZoneInfo(time_zone))
    return f"{there:%A} {there.day} {there:%B %Y}, {there:%H:%M} ({time_zone})"


def _title(text: str) -> str:
    plain = clean(text, LONGEST)
    return plain if len(plain) <= LONGEST_TITLE else plain[: LONGEST_TITLE - 1].rstrip() + "…"


def _opening(laid: Laid) -> Iterable[str]:
    if laid.headline:
        yield _said(laid.headline)
    if laid.brief.economies:
        yield f"To keep within budget: {'; '.join(clean(one, LONGEST) for one in laid.brief.economies)}"


def _blocks(laid: Laid) -> Iterable[Block]:
    """What changed, the people, what to say and ask; then the companies, what is missing, and the sources."""
    brief, advice = laid.brief, dict(laid.advice)
    facts = tuple(f"{_title(one.name)}: {_said(line, dated=False)}" for one, line in laid.changed.facts)
    more = (f"and {laid.changed.more_facts} more",) if laid.changed.more_facts else ()
    people = ", ".join(_title(one.name) for one in laid.changed.people)
    others = f" and {laid.changed.more_people} more" if laid.changed.more_people else ""
    new = (f"New in the room: {people}{others}",) if people else ()
    yield Block("What changed", (*facts, *more, *new), remark=laid.changed.said)
    yield from (_subject(*pair) for pair in laid.people)
    yield from (Block(title, tuple(map(_said, lines))) for title, lines in advice.items())
    yield from (_subject(*pair) for pair in laid.companies)
    for one, sides in laid.conflicts:
        yield Block(f"{DISAGREE}: {_title(one.name)}", tuple(map(_said, sides)))
    if brief.gaps:
        yield Block("Looked for, not found", tuple(f"{_title(gap.about)}: {gap.reason}" for gap in brief.gaps))
    if laid.sources:
        yield Block("Sources", tuple(map(_source, laid.sources)), numbered=True)
    yield Block(
        "How far to trust it", (*brief.reasons, refused(brief)), remark=f"{CONFIDENCES[brief.confidence]} confidence"
    )


def _subject(subject: BriefSubject, lines: tuple[Line, ...]) -> Block:
    identity = IDENTITIES[subject.identity] if subject.identity else ""
    remark = ". ".join(part for part in (_title(subject.detail), identity) if part)
    said = tuple(map(_said, lines)) or ("Nothing that a source supports.",)
    if subject.candidates:
        each = [(one.name, one.job_title, one.employer, one.location) for one in subject.candidates]
        said = tuple(", ".join(_title(part) for part in parts if part) for parts in each)
        remark = f"{remark}. {UNSURE}:" if remark else f"{UNSURE}:"
    return Block(_title(subject.name), said, remark=remark)


def _said(line: Line, *, dated: bool = True) -> str:
    """A fact with its number and date; anything else says what it is, and names its facts."""
    marks = "".join(f"[{mark}]" for mark in line.marks)
    text = clean(line.claim.text, LONGEST)
    if not line.claim.quote:
        old = "" if line.claim.current else f", {ONLY_EARLIER}"
        return f"{text} ({NATURES[line.claim.nature].lower()}{' rests on ' if marks else ''}{marks}{old})"
    date = [line.dated if dated else "", "" if line.claim.current else "earlier"]
    beside = ", ".join(part for part in date if part)
    return f"{text} {marks}{f' ({beside})' if beside else ''}".rstrip()


def _source(piece: Evidence) -> str:
    """With the host by name: where it leads stands in the brief."""
    page = outside(piece.url)
    said = [clean(piece.title, LONGEST), page.host if page else "", day(piece.published) if piece.published else ""]
    return ", ".join(part for part in said if part) or "a page without a name"


def _shown(value: object) -> object:
    return clean(value, LONGEST) if isinstance(value, str) else value


def _templates(*, html: bool) -> Environment:
    """The text part is no HTML: escaped, it would show its escapes."""
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=html,  # noqa: S701 - HTML is escaped, text is not
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_HTML, _TEXT = _templates(html=True), _templates(html=False)
