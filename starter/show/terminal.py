"""A brief in a terminal. Text from outside is shown as text: no markup of ours is read in it, no escape gets out."""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from activities.plain import clean
from schemas.briefs import Brief, BriefSubject, Confidence, Evidence, Nature
from starter.show.layout import (
    DISAGREE,
    ONLY_EARLIER,
    PROMISED,
    SANDBOX_NOTICE,
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

COLOURS = {Confidence.HIGH: "green", Confidence.MEDIUM: "yellow", Confidence.LOW: "red"}
LONGEST = 2000


def show(brief: Brief, console: Console) -> None:
    console.print(render(brief))


def render(brief: Brief) -> RenderableType:
    laid = lay_out(brief)
    parts: list[RenderableType] = [_head(laid)]
    parts += [_subject(subject, lines) for subject, lines in laid.people]
    parts += [Group(_title(title), *(_bullet(line) for line in lines)) for title, lines in laid.advice]
    parts += [_subject(subject, lines) for subject, lines in laid.companies]
    parts += [_disagreements(laid), _gaps(brief), _sources(laid), _foot(brief)]
    return Group(*parts)


def _head(laid: Laid) -> RenderableType:
    brief = laid.brief
    lines: list[RenderableType] = [Text(_safe(brief.title), style="bold")]
    if brief.starts_at:
        lines.append(Text(when(brief), style="dim"))
    if laid.promised:
        lines += _promised(laid.promised)
    if laid.headline:
        lines.append(_marked(Text(f"{laid.headline.number}. {_safe(laid.headline.claim.text)}"), laid.headline))
    if brief.economies:
        lines.append(Text(f"To keep within budget: {'; '.join(map(_safe, brief.economies))}", style="yellow"))
    lines += [Text(), *_changed(laid.changed)]
    subtitle = Text(f"confidence {brief.confidence.value}", style=COLOURS[brief.confidence])
    notice = Text(SANDBOX_NOTICE, style="black on yellow") if brief.sandbox else None
    return Panel(Group(*lines), title=notice, subtitle=subtitle, padding=(1, 2))


def _promised(promised: Promised) -> Iterable[RenderableType]:
    yield Text(f"{PROMISED} ({_safe(promised.call)})", style="bold")
    for one, whose, said in promised.lines:
        text = Text(f"• {_safe(one.text)}{f' ({_safe(whose)})' if whose else ''}")
        text.append(f"\n“{_safe(one.quote)}” ({_safe(said)})", style="dim italic")
        yield Padding(text, (0, 0, 0, 2))
    yield Text()


def _changed(changed: Changed) -> Iterable[RenderableType]:
    yield Text(_safe(changed.said), style="italic")
    for subject, line in changed.facts:
        published = f", {day(line.published)}" if line.published else ""
        yield _bullet(line, f"{_safe(subject.name)}{published}: ", dated=False)
    if changed.more_facts:
        yield Padding(Text(f"and {changed.more_facts} more, marked new below", style="dim"), (0, 0, 0, 2))
    if changed.people:
        more = f" and {changed.more_people} more" if changed.more_people else ""
        yield Text(f"New in the room: {', '.join(_safe(one.name) for one in changed.people)}{more}", style="italic")


def _subject(subject: BriefSubject, lines: tuple[Line, ...]) -> RenderableType:
    head = Text(_safe(subject.name), style="bold cyan")
    head.append(f"  {_safe(subject.detail)}", style="not bold dim")
    if subject.identity:
        head.append(f"  [{subject.identity.value.replace('_', ' ')}]", style="not bold dim")
    unsure = [_candidates(subject)] if subject.candidates else []
    return Group(Text(), head, *unsure, *(_bullet(line, new=line.new) for line in lines))


def _candidates(subject: BriefSubject) -> RenderableType:
    table = Table("Name", "Position", "Company", "Place", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for one in subject.candidates:
        table.add_row(*(Text(_safe(said) or "-") for said in (one.name, one.job_title, one.employer, one.location)))
    return Padding(Group(Text(f"{UNSURE}:", style="yellow"), table), (0, 0, 0, 2))


def _bullet(line: Line, before: str = "", *, new: bool = False, dated: bool = True) -> RenderableType:
    text = _marked(Text(f"{line.number:>2}. {before}{_safe(line.claim.text)}"), line)
    if dated and line.dated:
        text.append(f" ({line.dated})", style="dim")
    if dated and line.claim.quote and not line.claim.current:
        text.append(" earlier", style="yellow")
    text.append(" sources disagree" if dated and line.disputed else "", style="yellow")
    text.append(" new" if new else "", style="green")
    return Padding(text, (0, 0, 0, 2))


def _marked(text: Text, line: Line) -> Text:
    """With what it is, if it is no fact, and the numbers of the facts that it rests on."""
    if line.claim.nature is not Nature.FACT:
        text.append(
            f" ({line.claim.nature.value}{'' if line.claim.current else f', {ONLY_EARLIER}'})", style="dim italic"
        )
    text.append("".join(f" [{mark}]" for mark in line.marks), style="dim")
    return text


def _disagreements(laid: Laid) -> RenderableType:
    if not laid.conflicts:
        return Text()
    groups = [
        Group(Text(_safe(subject.name), style="yellow"), *(_bullet(line) for line in facts))
        for subject, facts in laid.conflicts
    ]
    return Group(_title(DISAGREE), *groups)


def _gaps(brief: Brief) -> RenderableType:
    if not brief.gaps:
        return Text()
    lines = [Padding(Text(f"• {_safe(gap.about)}: {_safe(gap.reason)}"), (0, 0, 0, 2)) for gap in brief.gaps]
    return Group(_title("Looked for, not found"), *lines)


def _sources(laid: Laid) -> RenderableType:
    """Each source with the words that are quoted from it."""
    quotes: dict[str, list[str]] = {}
    for claim in laid.brief.claims:
        if claim.evidence_id and claim.quote:
            quotes.setdefault(claim.evidence_id, []).append(claim.quote)
    lines = [_source(number, piece, quotes.get(piece.id, [])) for number, piece in enumerate(laid.sources, start=1)]
    return Group(_title("Sources"), *lines)


def _source(number: int, piece: Evidence, quotes: list[str]) -> RenderableType:
    text = Text(f"[{number}] {_safe(piece.title)} ({piece.published or 'no date'})\n{_safe(piece.url)}", style="dim")
    for quote in dict.fromkeys(quotes):
        text.append(f"\n“{_safe(quote)}”", style="dim italic")
    return Padding(text, (0, 0, 0, 2))


def _foot(brief: Brief) -> RenderableType:
    said = [*brief.reasons, refused(brief), f"cost {dollars(brief.cost_micro_usd)}"]
    said.append(f"version {brief.version}, written {brief.written_at:%Y-%m-%d %H:%M} UTC by {_safe(brief.model)}")
    return Group(Rule(style="dim"), Text("; ".join(map(_safe, said)), style="dim"))


def _title(title: str) -> RenderableType:
    return Group(Text(), Text(title, style="bold"))


def _safe(text: str) -> str:
    """Nothing that a terminal would obey."""
    return clean(text, LONGEST)
