"""A brief as Markdown, to be pasted elsewhere. Text from outside stays text: no link, picture or HTML comes of it."""

import re
from collections.abc import Iterable
from dataclasses import replace

from activities.plain import clean
from schemas.briefs import Brief, BriefSubject, Evidence, Section
from starter.links import outside
from starter.show.layout import (
    DISAGREE,
    ONLY_EARLIER,
    PROMISED,
    SANDBOX_NOTICE,
    TITLES,
    UNSURE,
    Changed,
    Laid,
    Line,
    Promised,
    day,
    dollars,
    lay_out,
    refused,
    when,
)
from starter.show.page import CONFIDENCES, IDENTITIES, LONGEST, NATURES

# Whatever some dialect reads as markup within a line: emphasis, code, links, HTML, tables, mentions, bare addresses.
_WITHIN = re.compile(r"[\\`*_{}\[\]<>#|~@]|&(?=[#\w])|:(?=[^\s\d])")
# What makes a list, a rule or a heading of a line when it stands first, and is not escaped already.
_FIRST = re.compile(r"^([-+=]|\d+(?=[.)](\s|$)))")
# Some dialects link what looks like a host.
_HOST = re.compile(r"(?<=\w)\.(?=[^\W\d_])")


def markdown(brief: Brief) -> str:
    """The brief with numbered sources at its end, each with its address and what is quoted from it."""
    laid = lay_out(brief)
    about = {Section.PEOPLE: laid.people, Section.COMPANY: laid.companies}
    advice = dict(laid.advice)
    order = (Section.PEOPLE, Section.TALKING_POINTS, Section.QUESTIONS, Section.COMPANY, Section.FIT, Section.RISKS)
    parts = [*_head(laid)]
    for section in order:
        title = TITLES[section]
        blocks = [_subject(*pair) for pair in about.get(section, ())]
        blocks += [_list(advice[title])] if title in advice else []
        parts += [f"## {title}", *blocks] if blocks else []
    parts += [
        *_disagreements(laid),
        *_gaps(brief),
        "## Sources",
        "\n".join(_source(n, one, brief) for n, one in enumerate(laid.sources, 1)),
        _foot(brief),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Text that every dialect of Markdown shows as it is, on one line."""
    escaped = _WITHIN.sub(r"\\\g<0>", clean(text, LONGEST))
    return _first(_HOST.sub(r"\\.", escaped))


def _first(line: str) -> str:
    """A number that would begin a list is escaped behind its digits; anything else before it."""
    return _FIRST.sub(lambda found: f"\\{found[0]}" if not found[0].isdigit() else f"{found[0]}\\", line)


def _head(laid: Laid) -> Iterable[str]:
    brief = laid.brief
    yield f"# {plain(brief.title)}"
    yield f"**{plain(SANDBOX_NOTICE).capitalize()}**" if brief.sandbox else ""
    yield plain(when(brief))
    yield from _promised(laid.promised) if laid.promised else ()
    yield _sentence(laid.headline) if laid.headline else ""
    yield f"To keep within budget: {'; '.join(map(plain, brief.economies))}" if brief.economies else ""
    yield from _changed(laid.changed)
    reasons = "; ".join(map(plain, brief.reasons))
    yield f"**{CONFIDENCES[brief.confidence]} confidence**" + (f" ({reasons})" if reasons else "")


def _promised(promised: Promised) -> Iterable[str]:
    yield f"**{PROMISED}** ({plain(promised.call)})"
    yield "\n".join(
        f"- {plain(one.text)}{f' ({plain(whose)})' if whose else ''}: “{plain(one.quote)}” ({plain(said)})"
        for one, whose, said in promised.lines
    )


def _changed(changed: Changed) -> Iterable[str]:
    yield plain(changed.said)
    yield "\n".join(f"- {_of(*pair)}" for pair in changed.facts)
    yield f"and {changed.more_facts} more, marked new below" if changed.more_facts else ""
    if changed.people:
        more = f" and {changed.more_people} more" if changed.more_people else ""
        yield f"New in the room: {', '.join(plain(one.name) for one in changed.people)}{more}"


def _of(subject: BriefSubject, line: Line) -> str:
    """A fact away from the others about its subject."""
    published = f", {day(line.published)}" if line.published else ""
    return f"{plain(subject.name)}{published}: {_sentence(replace(line, new=False, dated='', disputed=False))}"


def _subject(subject: BriefSubject, lines: tuple[Line, ...]) -> str:
    state = f"*{IDENTITIES[subject.identity]}*" if subject.identity else ""
    beside = ". ".join(filter(None, [plain(subject.detail), state]))
    return "\n\n".join(filter(None, [f"### {plain(subject.name)}", beside, _candidates(subject), _list(lines)]))


def _candidates(subject: BriefSubject) -> str:
    """A list, not a table: not every dialect has tables."""
    lines = [
        f"- {plain(', '.join(filter(None, [one.name, one.job_title, one.employer, one.location])))}"
        for one in subject.candidates
    ]
    return "\n".join([f"{UNSURE}:", "", *lines]) if lines else ""


def _list(lines: Iterable[Line]) -> str:
    return "\n".join(f"- {_sentence(line)}" for line in lines)


def _sentence(line: Line) -> str:
    """What is said, what it is if it is no fact, the numbers of its facts, as of when, and whether it is new."""
    numbers = "".join(f" [{mark}]" for mark in line.marks)
    if line.claim.quote:
        said = ["*earlier*" if line.dated and not line.claim.current else "", f"({line.dated})" if line.dated else ""]
        said += ["*sources disagree*" if line.disputed else ""]
        return f"{plain(line.claim.text)}{numbers}{_joined(said)}{' *new*' if line.new else ''}"
    nature = f"{NATURES[line.claim.nature]}{' rests on' if numbers else ''}"
    old = "" if line.claim.current else f", {ONLY_EARLIER}"
    return f"{plain(line.claim.text)} *{nature}*{numbers}{old}{' *new*' if line.new else ''}"


def _joined(said: list[str]) -> str:
    return "".join(f" {part}" for part in said if part)


def _disagreements(laid: Laid) -> Iterable[str]:
    if laid.conflicts:
        yield f"## {DISAGREE}"
    for subject, facts in laid.conflicts:
        yield f"{plain(subject.name)}:"
        yield _list(replace(line, new=False, disputed=False) for line in facts)


def _gaps(brief: Brief) -> Iterable[str]:
    if brief.gaps:
        yield "## Looked for, not found"
        yield "\n".join(f"- {plain(gap.about)}: {plain(gap.reason)}" for gap in brief.gaps)


def _source(number: int, piece: Evidence, brief: Brief) -> str:
    link = outside(piece.url)
    published = f", {day(piece.published)}" if piece.published else ""
    quotes = dict.fromkeys(claim.quote for claim in brief.claims if claim.evidence_id == piece.id and claim.quote)
    said = "".join(f"\n   “{plain(quote)}”" for quote in quotes)
    return f"{number}. {plain(piece.title) or 'Untitled'}{published}{f' <{link.url}>' if link else ''}{said}"


def _foot(brief: Brief) -> str:
    said = [
        f"Version {brief.version}, written {brief.written_at:%Y-%m-%d %H:%M} UTC by {plain(brief.model)}",
        plain(refused(brief)),
        f"cost {dollars(brief.cost_micro_usd)}",
    ]
    return f"---\n\n{'; '.join(said)}"
