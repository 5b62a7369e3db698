"""Notices as mail: one letter for each kind, as text and as HTML that say the same.

matter (and brief) ─▶ letter: headline, paragraphs, blocks ─▶ letter.txt, letter.html, where every text is cleaned
"""

import hashlib
from datetime import datetime
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from activities.notices import About
from activities.plain import clean
from activities.ways import Mail
from schemas.briefs import Brief
from schemas.digests import DigestView
from schemas.notices import Matter, NoticeKind, NoticeOrder
from schemas.settings import Settings
from starter.links import Links
from starter.show import messages, skill_letters, spoken
from starter.show.blocks import Block, blocks, opening, short
from starter.show.layout import SANDBOX_NOTICE, lay_out
from starter.show.messages import Letter
from starter.show.page import FOLDER, LONGEST

STEPS = {
    "begin": "The research could not be started.",
    "look-up": "Nothing could be found out about the people you meet.",
    "write": "What was found could not be made into a brief.",
}


class Letters:
    """Composes mail. Links lead to our own pages alone; what strangers wrote stays text."""

    def __init__(self, settings: Settings) -> None:
        self._links = Links(settings)
        self._web = settings.web_url.rstrip("/")
        self._domain = parseaddr(settings.mail_from)[1].rpartition("@")[2].encode("idna").decode()

    def message_id(self, order: NoticeOrder) -> str:
        """The same for the same key, and nothing in it tells whose it is."""
        return self._id("notice", order.tenant_id, order.key)

    def compose(self, matter: Matter, about: About | None, now: datetime) -> Mail:
        letter = self._letter(matter, about, now)
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

    def message(self, matter: Matter, about: About | None, now: datetime) -> str:
        """The same in few words, for a channel."""
        return messages.message(self._letter(matter, about, now), SANDBOX_NOTICE if matter.sandbox else "")

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

    def _letter(self, matter: Matter, about: About | None, now: datetime) -> Letter:  # noqa: C901, PLR0911 - one for each kind
        match matter.order.kind:
            case NoticeKind.BRIEF:
                assert isinstance(about, Brief), "without a brief nothing is composed"
                return self._brief(matter, about, now)
            case NoticeKind.RESEARCH_FAILED:
                return self._failed(matter)
            case NoticeKind.RECONNECT:
                return self._reconnect(matter)
            case NoticeKind.CALENDAR_DARK:
                return self._dark(matter)
            case NoticeKind.CALL_FAILED:
                return self._unread(matter)
            case NoticeKind.LETTER:
                return _theirs(matter)
            case NoticeKind.DIGEST:
                assert isinstance(about, DigestView), "without a digest nothing is composed"
                return self._digest(matter, about)
            case NoticeKind.SKILL:
                return skill_letters.ended(matter, self._web)
            case NoticeKind.SKILL_SLOW:
                return skill_letters.slow(matter, self._web)
            case NoticeKind.CHANNEL_OFF:
                return skill_letters.channel_off(matter, self._web)

    def _brief(self, matter: Matter, brief: Brief, now: datetime) -> Letter:
        laid, title = lay_out(brief), short(brief.title)
        before = countdown(now, brief.starts_at, brief.time_zone) if brief.starts_at else "Your brief"
        return Letter(
            subject=f"{before}: {title}",
            headline=title,
            when=moment(brief.starts_at, brief.time_zone) if brief.starts_at else "",
            paragraphs=tuple(opening(laid)),
            button=("Open the brief", self._links.brief(matter.order.tenant_id, brief.id)),
            blocks=tuple(blocks(laid)),
        )

    def _failed(self, matter: Matter) -> Letter:
        title = short(matter.title)
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
            subject=f"Connect your calendar again: {short(matter.account)}",
            headline=f"Connect {short(matter.account)} again",
            paragraphs=(unheard if matter.connection == "active" else lost,),
            button=("Connect it again", f"{self._web}/calendars"),
        )

    def _dark(self, matter: Matter) -> Letter:
        assert matter.dark_since is not None, "of a calendar that is read nothing is told"
        since = moment(matter.dark_since, matter.time_zone)
        return Letter(
            subject=f"Your calendar cannot be read: {short(matter.account)}",
            headline=f"A calendar of {short(matter.account)} cannot be read",
            paragraphs=(
                f"Nothing could be read since {since}. Meetings that were added or moved since then are not known.",
                "It is tried again all the time; you need do nothing if this passes.",
            ),
            button=("See your calendars", f"{self._web}/calendars"),
        )

    def _unread(self, matter: Matter) -> Letter:
        title = short(matter.title) or "a call"
        why = matter.failure_reason.removeprefix(f"{matter.failed_step}: ")
        return Letter(
            subject=f"The call could not be read: {title}",
            headline=f"Your call could not be read: {title}",
            when=moment(matter.starts_at, matter.time_zone) if matter.starts_at else "",
            paragraphs=("What was said and promised in it is not known.", f"The reason: {why}"),
            button=("See the call", f"{self._web}/calls/{matter.call_id}"),
        )

    def _digest(self, matter: Matter, view: DigestView) -> Letter:
        """What is said, as it is said, and what it rests on; or why there is none."""
        morning, page = f"{view.day:%A} {view.day.day} {view.day:%B}", f"{self._web}/digests/{view.id}"
        if matter.digest == "failed" or view.script is None:
            why = view.failure_reason.removeprefix(f"{view.failed_step}: ")
            return Letter(
                subject=f"No digest for {morning}",
                headline=f"There is no digest for {morning}",
                paragraphs=("It could not be made.", f"The reason: {why}"),
                button=("Have it made again", f"{self._web}/digests"),
            )
        script, unheard = view.script, spoken.unheard(view)
        told = tuple(spoken.sources(script))
        return Letter(
            subject=f"Your morning, {morning}"
            + (f": {short(script.items[0].title)}" if script.items else ": a quiet day" if script.quiet else ""),
            headline=f"Your morning, {morning}",
            when=f"To be heard in {spoken.length(view.sound.duration_ms)}" if view.sound else "",
            paragraphs=(*((unheard,) if unheard else ()), *(said for _, said in spoken.turns(script))),
            button=("Listen to it" if view.sound else "Open it", page),
            blocks=(Block("Sources", told, numbered=True),) if told else (),
        )


def _theirs(matter: Matter) -> Letter:
    """A mail in another application's words, which says so: they could be taken for ours."""
    application = short(matter.application) or "without a name"
    said = (line for line in matter.body.splitlines() if line.strip())
    return Letter(
        subject=short(matter.subject),
        headline=short(matter.subject),
        when=f"From an application of yours ({application}), which asked Greenroom to send it",
        paragraphs=tuple(said),
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
