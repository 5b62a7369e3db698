"""A document in a terminal: what was found, each with the words that it quotes and where they stand."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from activities.plain import clean
from schemas.documentbook import ComparisonView, DocumentView, RedlineView, RunView
from schemas.documents import Change, Difference, Finding, Passage, Proposal, Risk, Role, RunStatus, Work
from starter.show import passages
from starter.show.layout import SANDBOX_NOTICE, dollars

LONGEST = 2000
LONGEST_QUOTE = 400
# The step at which a file is read.
READING = "parse"
NOT_REVIEWED = "Not reviewed yet"
COLOURS = {Risk.HIGH: "red", Risk.MEDIUM: "yellow", Risk.LOW: "cyan", Risk.NONE: "dim"}
STATES = {
    RunStatus.QUEUED: "dim",
    RunStatus.RUNNING: "cyan",
    RunStatus.COMPLETED: "green",
    RunStatus.FAILED: "red",
    RunStatus.CANCELLED: "yellow",
}
CHANGES = {
    Change.CHANGED: "says something else",
    Change.ADDED: "stands here alone",
    Change.MISSING: "is missing here",
    Change.SAME: "says the same",
}


def document(found: DocumentView) -> RenderableType:
    """What there is to be known of a document, without its text."""
    return Group(*_document(found))


def comparison(found: ComparisonView) -> RenderableType:
    """What differs, what matters most first."""
    return Group(*_comparison(found))


def redline(found: RedlineView) -> RenderableType:
    return Group(*_redline(found))


def standing(run: RunView) -> str:
    """How a run stands, in a few words."""
    match run.status:
        case RunStatus.RUNNING:
            return f"{run.percent} percent" + (f": {run.message}" if run.message else "")
        case RunStatus.FAILED:
            again = "; it may be tried again" if run.retryable else ""
            return f"failed at {run.failed_step}: {run.failure_reason}{again}"
    return run.status.value


def unread(run: RunView) -> bool:
    """Whether it is the file that cannot be read, so that only another one helps."""
    return run.status is RunStatus.FAILED and not run.retryable and run.failed_step == READING


def work(run: RunView) -> str:
    against = run.other_name or (run.against.value if run.against else "")
    return f"comparison with {against}" if run.work is Work.COMPARISON else run.work.value


def _document(found: DocumentView) -> Iterator[RenderableType]:
    yield from _notice(sandbox=found.sandbox)
    yield _line(found.name, "bold")
    pages = f"{_many(found.pages, 'page')}, " if found.pages else ""
    tracked = ", with tracked changes as if accepted" if found.tracked else ""
    yield _line(f"{found.role.value}, {found.kind.value}, {pages}{_many(len(found.clauses), 'clause')}{tracked}", "dim")
    for run in found.runs:
        yield _line(f"{work(run)} {run.id}: {standing(run)}", STATES[run.status])
    analysis = next((run for run in found.runs if run.work is Work.ANALYSIS), None)
    if analysis is None and found.role is Role.REVIEW:
        yield _line(NOT_REVIEWED, "dim")
    if analysis and analysis.risk:
        yield Text()
        yield _line(f"Risk: {analysis.risk.value}", f"bold {COLOURS[analysis.risk]}")
        yield from (_line(sentence) for sentence in analysis.summary)
    for title, those in (("Found", _standing(found)), ("Missing", _missing(found))):
        if those:
            yield Text()
            yield _line(title, "bold")
            for one in those:
                yield from _finding(one)
    if analysis:
        yield from _foot(analysis)


def _standing(found: DocumentView) -> list[Finding]:
    """The gravest first, and then as they stand in the text."""
    counted = passages.numbered(found.findings, len(found.text))
    return [one.finding for one in passages.gravest(counted)]


def _missing(found: DocumentView) -> list[Finding]:
    return [one for one in found.findings if one.passage is None]


def _finding(one: Finding) -> Iterator[RenderableType]:
    yield Text.assemble("- ", _line(one.risk.value, COLOURS[one.risk]), "  ", _line(f"{one.topic.value}: {one.said}"))
    if one.rule:
        yield Padding(_line(one.rule, "dim"), (0, 0, 0, 2))
    if one.passage:
        yield _quoted("", one.passage)


def _comparison(found: ComparisonView) -> Iterator[RenderableType]:
    yield from _notice(sandbox=found.run.sandbox)
    yield _line(f"{found.document.name}: {work(found.run)}", "bold")
    yield _line(standing(found.run), STATES[found.run.status])
    yield from (_line(sentence) for sentence in found.run.summary)
    for one in found.differences:
        if one.change is not Change.SAME:
            yield Text()
            yield from _difference(one)
    same = sum(one.change is Change.SAME for one in found.differences)
    yield Text()
    yield _line(f"{_many(same, 'clause')} {'says' if same == 1 else 'say'} the same", "dim")
    yield from _foot(found.run)


def _difference(one: Difference) -> Iterator[RenderableType]:
    said = _line(f"{one.topic.value} {CHANGES[one.change]}: {one.said}")
    yield Text.assemble(_line(one.matters.value, COLOURS[one.matters]), "  ", said)
    if one.ours:
        yield _quoted("here ", one.ours)
    if one.theirs:
        yield _quoted("there ", one.theirs)


def _redline(found: RedlineView) -> Iterator[RenderableType]:
    yield from _notice(sandbox=found.run.sandbox)
    yield _line("Proposed changes", "bold")
    yield _line(standing(found.run), STATES[found.run.status])
    if found.run.status is RunStatus.COMPLETED and not found.proposals:
        yield _line("No change is proposed.")
    for number, one in enumerate(found.proposals, 1):
        yield Text()
        yield from _proposal(number, one)
    if found.run.letter:
        yield Text()
        yield _line("A letter to the other side, which is yours to send", "bold")
        yield Text("\n".join(clean(line, LONGEST) for line in found.run.letter.splitlines()))
    yield from _foot(found.run)


def _proposal(number: int, one: Proposal) -> Iterator[RenderableType]:
    yield _line(f"{number}. {one.reason}")
    yield Padding(_line(f"- {one.passage.quote}", "red"), (0, 0, 0, 2))
    yield Padding(_line(f"+ {one.replacement}", "green"), (0, 0, 0, 2))


def _foot(run: RunView) -> Iterator[RenderableType]:
    yield from (_line(note, "yellow") for note in run.notes)
    dropped = f"{_many(run.dropped, 'claim')} left out that no words bear out, " if run.dropped else ""
    yield Text()
    yield _line(f"{dropped}{dollars(run.cost_micro_usd)}", "dim")


def _quoted(side: str, one: Passage) -> RenderableType:
    words = f'{side}{one.start}-{one.end} "{clean(one.quote, LONGEST_QUOTE)}"'
    return Padding(_line(words, "dim"), (0, 0, 0, 2))


def _notice(*, sandbox: bool) -> Iterator[RenderableType]:
    if sandbox:
        yield _line(SANDBOX_NOTICE, "yellow")


def _many(number: int, what: str) -> str:
    return f"{number} {what if number == 1 else what + 's'}"


def _line(text: str, style: str = "") -> Text:
    return Text(clean(text, LONGEST), style=style)
