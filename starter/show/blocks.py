"""A brief as the parts of a letter: what opens it, and its blocks."""

from collections.abc import Iterable
from dataclasses import dataclass

from activities.plain import clean
from schemas.briefs import BriefSubject, Evidence
from schemas.promises import Promise
from starter.links import outside
from starter.show.layout import DISAGREE, ONLY_EARLIER, PROMISED, UNSURE, Laid, Line, day, refused
from starter.show.page import CONFIDENCES, IDENTITIES, LONGEST, NATURES

# Of a subject, what is in front of the title included.
LONGEST_TITLE = 100


@dataclass(frozen=True)
class Block:
    """A part of a letter: a title, a remark, and lines; `numbered` when lines are referred to."""

    title: str
    lines: tuple[str, ...]
    remark: str = ""
    numbered: bool = False


def short(text: str) -> str:
    """On one line, and no longer than a line."""
    plain = clean(text, LONGEST)
    return plain if len(plain) <= LONGEST_TITLE else plain[: LONGEST_TITLE - 1].rstrip() + "…"


def opening(laid: Laid) -> Iterable[str]:
    """What was promised last time, then why this meeting."""
    if laid.promised:
        yield f"{PROMISED} ({laid.promised.call}):"
        yield from map(_promise, laid.promised.lines)
    if laid.headline:
        yield _said(laid.headline)
    if laid.brief.economies:
        yield f"To keep within budget: {'; '.join(clean(one, LONGEST) for one in laid.brief.economies)}"


def blocks(laid: Laid) -> Iterable[Block]:
    """What changed, the people, what to say and ask; then the companies, what is missing, and the sources."""
    brief, advice = laid.brief, dict(laid.advice)
    facts = tuple(f"{short(one.name)}: {_said(line, dated=False)}" for one, line in laid.changed.facts)
    more = (f"and {laid.changed.more_facts} more",) if laid.changed.more_facts else ()
    people = ", ".join(short(one.name) for one in laid.changed.people)
    others = f" and {laid.changed.more_people} more" if laid.changed.more_people else ""
    new = (f"New in the room: {people}{others}",) if people else ()
    yield Block("What changed", (*facts, *more, *new), remark=laid.changed.said)
    yield from (_subject(*pair) for pair in laid.people)
    yield from (Block(name, tuple(map(_said, lines))) for name, lines in advice.items())
    yield from (_subject(*pair) for pair in laid.companies)
    for one, sides in laid.conflicts:
        yield Block(f"{DISAGREE}: {short(one.name)}", tuple(map(_said, sides)))
    if brief.gaps:
        yield Block("Looked for, not found", tuple(f"{short(gap.about)}: {gap.reason}" for gap in brief.gaps))
    if laid.sources:
        yield Block("Sources", tuple(map(_source, laid.sources)), numbered=True)
    yield Block(
        "How far to trust it", (*brief.reasons, refused(brief)), remark=f"{CONFIDENCES[brief.confidence]} confidence"
    )


def _promise(line: tuple[Promise, str, str]) -> str:
    promise, whose, said = line
    beside = f" ({clean(whose, LONGEST)})" if whose else ""
    return f"{clean(promise.text, LONGEST)}{beside}: “{clean(promise.quote, LONGEST)}” ({clean(said, LONGEST)})"


def _subject(subject: BriefSubject, lines: tuple[Line, ...]) -> Block:
    identity = IDENTITIES[subject.identity] if subject.identity else ""
    remark = ". ".join(part for part in (short(subject.detail), identity) if part)
    said = tuple(map(_said, lines)) or ("Nothing that a source supports.",)
    if subject.candidates:
        each = [(one.name, one.job_title, one.employer, one.location) for one in subject.candidates]
        said = tuple(", ".join(short(part) for part in parts if part) for parts in each)
        remark = f"{remark}. {UNSURE}:" if remark else f"{UNSURE}:"
    return Block(short(subject.name), said, remark=remark)


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
