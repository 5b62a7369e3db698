"""Why a brief says what it says: a claim's whole way, as a page, in a terminal, or as plain lines.

chain ─▶ calls with the facts that they brought ─▶ why.html │ a tree │ lines
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from activities.plain import clean
from schemas.explanations import Call, Chain, Explanation, Step
from starter.show.layout import SANDBOX_NOTICE, day, dollars
from starter.show.page import FOLDER, LONGEST, NATURES, frame, load, templates
from starter.show.reader import Reader

STYLE = load(FOLDER / "marks.css", "text/css")
UNKNOWN = "not written down"

# Where the run that bought an answer can be seen; empty when that is for nobody here to see.
Runs = Callable[[Call], str]


@dataclass
class Branch:
    """A line of an explanation, and what it rests on."""

    text: str
    style: str = ""
    below: tuple["Branch", ...] = ()


def grouped(chain: Chain) -> list[tuple[Call, list[Step]]]:
    """The look-ups on the way, each with the facts that it brought."""
    calls = {step.call.id: step.call for step in chain.steps}
    return [(call, [step for step in chain.steps if step.call.id == call.id]) for call in calls.values()]


def why_page(told: Explanation, chain: Chain, reader: Reader, runs: Runs) -> str:
    zone = ZoneInfo(told.time_zone)
    return _TEMPLATES.get_template("why.html").render(
        **frame(standalone=False),
        title="Why the brief says this",
        told=told,
        chain=chain,
        groups=grouped(chain),
        reader=reader,
        runs=runs,
        moment=lambda when: f"{when.astimezone(zone):%d %b %Y, %H:%M:%S} ({told.time_zone})",
        sandbox_notice=SANDBOX_NOTICE,
    )


def show(told: Explanation, numbers: Iterable[int], console: Console, runs: Runs) -> None:
    """These claims, by their places in the brief: a tree for a person, indented lines for a pipe."""
    if told.sandbox:
        console.print(Text(SANDBOX_NOTICE, style="black on yellow" if console.is_terminal else ""))
    for number in numbers:
        chain = told.chain(told.claims[number - 1].id)
        assert chain is not None, "it is a claim of this brief"
        branch = _claim(number, chain, told, runs)
        if console.is_terminal:
            console.print(_tree(branch))
        else:
            for line in _indented(branch):
                console.print(Text(line), soft_wrap=True)


def document(told: Explanation, numbers: Iterable[int], runs: Runs) -> dict[str, Any]:
    """The same for programs."""
    chains = [(number, told.chain(told.claims[number - 1].id)) for number in numbers]
    links = {call.id: link for call in (*told.calls, *told.writing) if (link := runs(call))}
    return {
        **told.model_dump(
            mode="json", include={"brief_id", "research_id", "version", "run_id", "written_at", "sandbox"}
        ),
        "claims": [
            {"number": number, "complete": chain.complete, **chain.model_dump(mode="json")}
            for number, chain in chains
            if chain is not None
        ],
        "runs": links,
    }


def _claim(number: int, chain: Chain, told: Explanation, runs: Runs) -> Branch:
    claim = chain.claim
    kind = [NATURES[claim.nature] + (f" about {chain.subject}" if chain.subject else "")]
    if claim.evidence_id:
        kind += [claim.topic.value, f"as of {day(claim.as_of)}" if claim.as_of else "without a date"]
        kind += [] if claim.current else ["too old to be shown as how things are"]
    found = [_look_up(call, steps, chain, told, runs) for call, steps in grouped(chain)]
    written = [
        Branch("written by" if last else "refused before", below=_call(call, told, runs))
        for call, last in _with_last(chain.writing)
    ]
    missing = [] if found else [Branch("what it rests on is not there any more", "red")]
    missing += [] if written else [Branch("no model was asked", "dim")]
    below = (Branch(", ".join(kind), "dim"), *found, *written, *missing)
    return Branch(f"{number}. {claim.text}", "bold", below)


def _look_up(call: Call, steps: list[Step], chain: Chain, told: Explanation, runs: Runs) -> Branch:
    own = bool(chain.claim.evidence_id)
    facts = [branch for step in steps for branch in _fact(step, own=own)]
    return Branch("rests on", below=(*facts, Branch("found by", below=_call(call, told, runs))))


def _fact(step: Step, *, own: bool) -> Iterator[Branch]:
    piece = step.origin
    source = (
        Branch(f"“{step.claim.quote}”", "italic"),
        Branch(f"{piece.title or 'a page without a title'} ({piece.published or 'no date'})"),
        Branch(piece.url, "dim"),
        Branch(f"read {_utc(piece.fetched_at)}", "dim"),
    )
    if own:
        yield from source
    else:
        yield Branch(step.claim.text, below=source)


def _call(call: Call, told: Explanation, runs: Runs) -> tuple[Branch, ...]:
    again = (call.research_id, call.version) != (told.research_id, told.version)
    lines = [
        f"{call.provider}, {call.model}" + (" (sandbox data)" if call.sandbox else ""),
        f"prompt {call.prompt or UNKNOWN}, asked {call.asked}",
        f"{call.input_tokens:,} tokens in, {call.output_tokens:,} out, {dollars(call.cost_micro_usd)}",
        f"{_utc(call.asked_at)}" + (", bought by another run and used again" if again else ""),
        f"workflow {call.workflow_id or UNKNOWN}, run {call.run_id or UNKNOWN}",
    ]
    link = runs(call)
    return (Branch(lines[0]), *(Branch(line, "dim") for line in [*lines[1:], *([link] if link else [])]))


def _with_last(calls: tuple[Call, ...]) -> Iterator[tuple[Call, bool]]:
    for place, call in enumerate(calls, start=1):
        yield call, place == len(calls)


def _tree(branch: Branch, tree: Tree | None = None) -> Tree:
    text = Text(_safe(branch.text), style=branch.style)
    grown = Tree(text, guide_style="dim") if tree is None else tree.add(text)
    for one in branch.below:
        _tree(one, grown)
    return grown


def _indented(branch: Branch, depth: int = 0) -> Iterator[str]:
    yield "  " * depth + _safe(branch.text)
    for one in branch.below:
        yield from _indented(one, depth + 1)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _safe(text: str) -> str:
    """Nothing that a terminal would obey."""
    return clean(text, LONGEST)


_TEMPLATES = templates()
_TEMPLATES.filters["dollars"] = dollars
