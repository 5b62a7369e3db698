"""A brief as a web page, or as one file that needs nothing else.

brief ─▶ lay_out ─▶ templates/brief.html, where every text is cleaned and escaped ─▶ HTML
"""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from activities.plain import clean
from schemas.briefs import Brief, Confidence, Identity, Nature
from starter.links import outside
from starter.show.layout import (
    DISAGREE,
    ONLY_EARLIER,
    PROMISED,
    SANDBOX_NOTICE,
    TITLES,
    UNSURE,
    day,
    dollars,
    lay_out,
    refused,
    when,
)
from starter.show.reader import Reader

FOLDER = Path(__file__).parent / "templates"
LONGEST = 2000
# Of a name or a title: more of it would push the facts off the screen.
LONGEST_NAME = 160

NATURES = {Nature.FACT: "Fact", Nature.ASSESSMENT: "Assessment", Nature.RECOMMENDATION: "Recommendation"}
IDENTITIES = {
    Identity.CONFIRMED: "Identity confirmed",
    Identity.PROBABLE: "Probably this person",
    Identity.AMBIGUOUS: "Could be several people",
    Identity.NOT_FOUND: "Not found",
}
CONFIDENCES = {Confidence.HIGH: "High", Confidence.MEDIUM: "Medium", Confidence.LOW: "Low"}


@dataclass(frozen=True)
class File:
    """Something that a page loads. `path` changes whenever the content does."""

    text: str
    kind: str
    path: str


def load(path: Path, kind: str) -> File:
    """A file as pages load it: its name tells its content."""
    text = path.read_text(encoding="utf-8")
    stem, _, ending = path.name.rpartition(".")
    return File(text, kind, f"/static/{stem}.{hashlib.sha256(text.encode()).hexdigest()[:12]}.{ending}")


STYLE = load(FOLDER / "greenroom.css", "text/css")
ICON = load(FOLDER / "greenroom.svg", "image/svg+xml")
FILES = {file.path.rpartition("/")[2]: file for file in (STYLE, ICON)}

# In a file of its own the style stands inside, so the policy lets in that one style by its hash.
_HASH = b64encode(hashlib.sha256(STYLE.text.encode()).digest()).decode()
STANDALONE_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def page(brief: Brief, *, standalone: bool, reader: Reader | None = None) -> str:
    """The brief as HTML; `standalone` is a file that loads nothing, for disk or for a mail. A reader may answer."""
    laid = lay_out(brief)
    zone = ZoneInfo(brief.time_zone)
    return _TEMPLATES.get_template("brief.html").render(
        **frame(standalone=standalone),
        title=brief.title,
        reader=reader,
        referrer="same-origin" if reader and reader.token else "no-referrer",
        brief=brief,
        laid=laid,
        sections={section: dict(laid.advice).get(title, ()) for section, title in TITLES.items()},
        quotes={piece.id: _quotes(brief, piece.id) for piece in laid.sources},
        when=when(brief),
        written=f"{brief.written_at.astimezone(zone):%d %b %Y, %H:%M} ({brief.time_zone})",
        refused=refused(brief),
        cost=dollars(brief.cost_micro_usd),
        sandbox_notice=SANDBOX_NOTICE,
    )


def notice(title: str, sentence: str) -> str:
    """A page with one sentence of ours."""
    return _TEMPLATES.get_template("notice.html").render(**frame(standalone=False), title=title, sentence=sentence)


def frame(*, standalone: bool) -> dict[str, Any]:
    """What every page needs around its content. The style is ours, and must reach the browser as it was hashed."""
    inside = {"policy": STANDALONE_POLICY, "style": Markup(STYLE.text)} if standalone else {}  # noqa: S704
    return {"standalone": standalone, "style_path": STYLE.path, "icon_path": ICON.path, **inside}


def _quotes(brief: Brief, evidence_id: str) -> tuple[str, ...]:
    """What the brief takes from a source, word for word, each once."""
    return tuple(
        dict.fromkeys(claim.quote for claim in brief.claims if claim.evidence_id == evidence_id and claim.quote)
    )


def _shown(value: object) -> object:
    """Every text as a person would see it: what is invisible, or would turn the line around, is left out."""
    return clean(value, LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _short(text: str) -> str:
    name = clean(text, LONGEST)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def templates(*folders: Path) -> Environment:
    """Templates that escape all they are given, and break over a name that they are not given."""
    made = Environment(
        loader=FileSystemLoader([*folders, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"outside": outside, "day": day, "short": _short}
    made.globals |= {"NATURES": NATURES, "IDENTITIES": IDENTITIES, "CONFIDENCES": CONFIDENCES, "TITLES": TITLES}
    made.globals |= {"UNSURE": UNSURE, "DISAGREE": DISAGREE, "ONLY_EARLIER": ONLY_EARLIER}
    made.globals |= {"PROMISED": PROMISED}
    return made


_TEMPLATES = templates()
