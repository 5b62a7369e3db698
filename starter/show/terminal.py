"""A brief in a terminal. Text from outside is shown as text: no markup of ours is read in it, no escape gets out."""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from activities.plain import clean
from schemas.briefs import Brief, BriefSubject, Confidence, Evidence
from starter.show.layout import SANDBOX_NOTICE, Changed, Laid, Line, day, dollars, lay_out, when

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
    parts += [_gaps(brief), _sources(laid), _foot(brief)]
    return Group(*parts)


def _head(laid: Laid) -> RenderableType:
    brief = laid.brief
    lines: list[RenderableType] = [Text(_safe(brief.title), style="bold")]
    if brief.starts_at:
        lines.append(Text(when(brief), style="dim"))
    if laid.headline:
        lines.append(Text(_safe(laid.headline.claim.text)))
    lines += [Text(), *_changed(laid.changed)]
    subtitle = Text(f"confidence {brief.confidence.value}", style=COLOURS[brief.confidence])
    notice = Text(SANDBOX_NOTICE, style="black on yellow") if brief.sandbox else None
    return Panel(Group(*lines), title=notice, subtitle=subtitle, padding=(1, 2))


def _changed(changed: Changed) -> Iterable[RenderableType]:
    yield Text(_safe(changed.said), style="italic")
    for subject, line in changed.facts:
        published = f", {day(line.claim.as_of)}" if line.claim.as_of else ""
        yield _bullet(line, f"{_safe(subject.name)}{published}: ")
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
    return Group(Text(), head, *(_bullet(line, new=line.new) for line in lines))


def _bullet(line: Line, before: str = "", *, new: bool = False) -> RenderableType:
    text = Text(f"• {before}{_safe(line.claim.text)}")
    text.append("".join(f" [{number}]" for number in line.sources), style="dim")
    text.append(" new" if new else "", style="green")
    return Padding(text, (0, 0, 0, 2))


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
    dropped = sum(brief.dropped.values())
    said = [*brief.reasons, f"{dropped} claims refused by the quote check", f"cost {dollars(brief.cost_micro_usd)}"]
    said.append(f"version {brief.version}, written {brief.written_at:%Y-%m-%d %H:%M} UTC by {_safe(brief.model)}")
    return Group(Rule(style="dim"), Text("; ".join(map(_safe, said)), style="dim"))


def _title(title: str) -> RenderableType:
    return Group(Text(), Text(title, style="bold"))


def _safe(text: str) -> str:
    """Nothing that a terminal would obey."""
    return clean(text, LONGEST)
