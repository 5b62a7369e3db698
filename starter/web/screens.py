"""How the signed-in pages look: templates of our own inside the frame that briefs have too."""

from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web
from markupsafe import Markup, escape

from activities.plain import clean
from starter.show.layout import SANDBOX_NOTICE
from starter.show.page import frame, load, templates
from starter.web.answers import POLICY

FOLDER = Path(__file__).parent / "templates"
STYLE = load(FOLDER / "pages.css", "text/css")
SCRIPT = load(FOLDER / "progress.js", "text/javascript")
PLAYER = load(FOLDER / "player.js", "text/javascript")
WATCH = load(FOLDER / "watch.js", "text/javascript")
FOLLOW = load(FOLDER / "follow.js", "text/javascript")
FILES = {file.path.rpartition("/")[2]: file for file in (STYLE, SCRIPT, PLAYER, WATCH, FOLLOW)}

FORMS = POLICY.replace("form-action 'none'", "form-action 'self'")
# For the one page that shows progress.
SCRIPTED = f"{FORMS}; script-src 'self'; connect-src 'self'"
# For those where something is heard.
HEARD = f"{SCRIPTED}; media-src 'self'"

NOTES = {
    "connected": "Your calendar is connected. Its meetings appear here as soon as it has been read.",
    "connected-later": "Your calendar is connected. It is read as soon as the part that does the work answers again.",
    "saved": "Saved.",
    "saved-later": "Saved. It reaches your meetings within a quarter of an hour.",
    "reading": "The calendar is being read now.",
    "disconnected": "Disconnected. Nothing more is read from that account.",
    "disconnected-later": "Disconnected. Nothing more is read from that account. Its notifications could not be stopped; "
    "they are ignored, and end by themselves within days.",
    "asked": "Research has been asked for.",
    "call-read": "The call is here, and is read now.",
    "call-known": "This call was here already.",
    "call-again": "The call is read once more.",
    "wished": "Saved. Your next digest follows it.",
    "digest-asked": "Your digest is being made.",
    "feed-new": "Your feed has a new address. The old one works no more.",
    "run-stopped": "It is being stopped.",
    "run-over": "It had ended already.",
    "document-new": "Your document is here.",
    "document-known": "This document was here already.",
    "document-later": "Your document is here. Its review could not be begun yet: try it again on this page.",
    "document-asked": "It has been asked for.",
    "document-deleted": "The document is deleted, with all that was made of it.",
    "judged": "Thank you. Your opinion is kept, and can be changed.",
    "channel-added": "You are told there too from now on.",
    "channel-removed": "You are not told there any more.",
    "channel-on": "It is switched on again.",
    "signed-out": "You are signed out, on every device.",
}


def answer(template: str, *, status: int = 200, scripted: bool = False, **named: object) -> web.Response:
    """A page with forms. Only same-site requests are told where they come from: forms prove their origin by it."""
    policy = SCRIPTED if scripted else FORMS
    text = _TEMPLATES.get_template(template).render(
        **frame(standalone=False),
        pages_path=STYLE.path,
        script_path=SCRIPT.path if scripted else "",
        referrer="same-origin",
        sandbox_notice=SANDBOX_NOTICE,
        **named,
    )
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def sentence(title: str, said: str, status: int, *onward: tuple[str, str], visit: object = None) -> web.Response:
    """A page with one sentence and ways on: an address and its words each."""
    return answer("sentence.html", status=status, title=title, said=said, onward=onward, visit=visit, here="")


def elsewhere(path: str, note: str = "") -> web.Response:
    """Somewhere else on this site; `note` is the word for a sentence that is said there."""
    joined = f"{path}{'&' if '?' in path else '?'}note={quote(note)}" if note else path
    return web.Response(status=303, headers={"Location": joined})


def note(request: web.Request) -> str:
    """The sentence that the address asks for. It is one of ours, or none."""
    return NOTES.get(request.query.get("note", ""), "")


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"


def day_name(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Today, Tomorrow, then the day's name and date."""
    day, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    dated = f"{day:%A} {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")
    near = {0: "Today", 1: "Tomorrow", -1: "Yesterday"}.get((day - today).days)
    return f"{near}, {dated}" if near else dated


def full_time(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    return f"{day_name(moment, zone, now)}, {clock_time(moment, zone)}"


def short_time(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Without the date where a word says it."""
    return f"{day_name(moment, zone, now).partition(', ')[0]}, {clock_time(moment, zone)}"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, or ahead, in the words of a person."""
    span = now - moment
    if abs(span) < timedelta(minutes=1):
        return "just now"
    said = lasting(abs(span))
    return f"{said} ago" if span > timedelta() else f"in {said}"


def lasting(span: timedelta) -> str:
    """The largest unit that fits, and no other."""
    for seconds, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if (count := int(span.total_seconds() // seconds)) >= 1:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def near(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The day of something that was: Today, Yesterday, then 3 Nov."""
    named, there = day_name(moment, zone, now).partition(", ")[0], moment.astimezone(zone)
    return named if named in {"Today", "Yesterday"} else f"{there.day} {there:%b}"


def clock_of(ms: int) -> str:
    """How far into a call something was said: 1:02:03, or 2:03."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def as_written(text: str) -> Markup:
    """What somebody wrote in a form, to the letter: it is theirs to correct. Escaped like everything else."""
    return escape(text.replace("\0", ""))


def shortened(text: str, longest: int) -> str:
    """More than a name may have, and still no page of it."""
    said = clean(text, longest + 1)
    return said if len(said) <= longest else said[: longest - 1].rstrip() + "…"


_TEMPLATES = templates(FOLDER)
_TEMPLATES.filters |= {"as_written": as_written, "shortened": shortened}
_TEMPLATES.globals |= {
    "clock_time": clock_time,
    "day_name": day_name,
    "full_time": full_time,
    "short_time": short_time,
    "ago": ago,
    "clock_of": clock_of,
    "lasting": lasting,
    "near": near,
}
