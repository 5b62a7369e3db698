"""A digest to be read: what is said, a paragraph for each turn, every fact with the number of its source."""

from collections.abc import Iterator
from itertools import groupby

from activities.plain import clean
from schemas.digests import AudioStatus, DigestView, Line, Script
from starter.links import outside
from starter.show.page import LONGEST


def turns(script: Script) -> Iterator[tuple[int, str]]:
    """Who says what, one after the other: the voice, and all that it says at a stretch."""
    for (voice, _), said in groupby(script.lines, key=lambda line: (line.voice, line.turn)):
        yield voice, " ".join(_marked(line) for line in said)


def sources(script: Script) -> Iterator[str]:
    """What it tells of, in the order of their numbers. With the host by name: where it leads stands on its page."""
    for item in script.items:
        page, dated = outside(item.url), item.published.isoformat() if item.published else ""
        said = (clean(item.title, LONGEST), clean(item.source, LONGEST), page.host if page else "", dated)
        yield ", ".join(part for part in said if part)


def unheard(view: DigestView) -> str:
    """Why there is nothing to be heard, of a digest that was to be spoken."""
    if view.audio is not AudioStatus.REFUSED:
        return ""
    return f"It is in writing alone this time; it could not be spoken: {clean(view.audio_reason, LONGEST)}"


def length(duration_ms: int) -> str:
    """As players show it: seconds that are over."""
    minutes, seconds = divmod(duration_ms // 1000, 60)
    return f"{minutes}:{seconds:02} min"


def _marked(line: Line) -> str:
    said = clean(line.text, LONGEST)
    return f"{said} [{line.item}]" if line.item is not None and line.quote else said
