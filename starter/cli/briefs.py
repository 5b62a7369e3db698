"""greenroom brief: read what was written."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from activities.plain import clean
from activities.store.explanations import ExplanationStore
from activities.store.marks import MarkStore
from schemas.base import RowId
from schemas.briefs import Brief, Claim, Confidence, Verdict
from schemas.explanations import Explanation
from schemas.settings import Settings
from schemas.tenants import BriefLine
from starter.cli import do
from starter.cli.campaigns import owner
from starter.cli.options import Json, Limit, Tenant, cell, console, only_one, put_json, put_table, table
from starter.desk import Desk, desk
from starter.intake import row_id
from starter.show import terminal
from starter.show.document import document
from starter.show.reader import NEXT, VERDICTS
from starter.words import FailedError, NotFoundError, SaidError, UsageError

app = typer.Typer(help="Read briefs: in the terminal, as JSON, Markdown or a page.", no_args_is_help=True)

BriefId = Annotated[str, typer.Argument(metavar="ID", help="The brief's id; greenroom brief list shows them.")]
Number = Annotated[
    str | None, typer.Option("--claim", metavar="N", help="A claim's number, as greenroom brief show shows it.")
]

# The verdicts as they are typed.
WORDS = {verdict.value.replace("_", "-"): verdict for verdict in VERDICTS}
LONGEST_SAID = 120
LONGEST_NUMBER = 6


@app.command()
def show(
    brief_id: BriefId,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write it to this file, as a page that needs no other."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown on stdout.")] = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Show a brief."""
    only_one(json=json, markdown=markdown, html=html)
    brief, link = do(_find(row_id(brief_id), tenant))
    if html:
        _write(html, brief)
    elif markdown:
        from starter.show.markdown import markdown as as_markdown  # noqa: PLC0415 - one command of many needs it

        typer.echo(as_markdown(brief))
    else:
        put(brief, link, as_json=json)


@app.command("list")
def list_(tenant: Tenant = None, json: Json = False, limit: Limit = 20) -> None:
    """List briefs, the newest first."""
    lines = do(_list(tenant, limit))
    if json:
        put_json(lines)
    elif not lines:
        console.print("There is no brief yet; make one with: greenroom research ada@lovelace.example")
    else:
        _print(lines)


@app.command()
def explain(brief_id: BriefId, claim: Number = None, tenant: Tenant = None, json: Json = False) -> None:
    """Show where claims come from: the source, the call that found it, the model that wrote it, and their runs."""
    from starter.runs import RunPages, namespace  # noqa: PLC0415 - one command of many needs it
    from starter.show import why  # noqa: PLC0415 - likewise

    told, settings = do(_explain(row_id(brief_id), tenant))
    runs = RunPages(settings, namespace()).of
    numbers = range(1, len(told.claims) + 1) if claim is None else (_number(claim, told.claims),)
    if json:
        put_json(why.document(told, numbers, runs))
    elif not numbers:
        console.print("This brief has no claims: what was looked for and is not there stands in its gaps.")
    else:
        why.show(told, numbers, console, runs)


@app.command()
def mark(
    brief_id: BriefId,
    claim: Number = None,
    verdict: Annotated[
        str | None,
        typer.Argument(metavar="|".join(WORDS), help="What you say of it, in place of what you said before."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what you said of it.")] = False,
    user: Annotated[str | None, typer.Option("--user", help="Who says it; by default the first user.")] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Say what you think of a claim. What is not good is left out of the next version, which says why."""
    said = _said(verdict, undo=undo)
    if claim is None:
        raise UsageError("Which claim is meant? --claim takes its number", "greenroom brief show ID shows them")
    marked, again = do(_mark(row_id(brief_id), claim, said, user, tenant))
    if json:
        put_json({"claim_id": marked.id, "text": marked.text, "verdict": said and said.value})
        return
    console.print(f"{_outcome(said)}: {clean(marked.text, LONGEST_SAID)}", soft_wrap=True, markup=False)
    if said is not Verdict.USEFUL:
        console.print(f"Research again with: greenroom retry {again}", soft_wrap=True, markup=False)


def put(brief: Brief, link: str, *, as_json: bool) -> None:
    """A brief on stdout; a person also gets the link to its page."""
    if as_json:
        put_json(document(brief))
        return
    terminal.show(brief, console)
    console.print(f"\nIts page: {link}", soft_wrap=True, markup=False)


def link_to(at: Desk, brief_id: RowId) -> str:
    """The signed link to a brief's page; without a good key for it, what is missing."""
    from starter.links import Links  # noqa: PLC0415 - signing is not needed to find out that there is no brief

    try:
        return Links(at.settings).brief(at.tenant.id, brief_id)
    except SaidError as error:
        return f"none ({error})"


def _print(lines: list[BriefLine]) -> None:
    rows = table("id", "about", "version", "confidence", "claims", "written")
    for line in lines:
        rows.add_row(
            cell(line.id),
            cell(line.title + (" (sandbox data)" if line.sandbox else "")),
            cell(line.version),
            cell(line.confidence, terminal.COLOURS[Confidence(line.confidence)]),
            cell(line.claims),
            cell(f"{line.written_at:%Y-%m-%d %H:%M} UTC"),
        )
    put_table(rows)


def _write(path: Path, brief: Brief) -> None:
    from starter.show.page import page  # noqa: PLC0415 - one command of many needs it

    try:
        path.write_text(page(brief, standalone=True), encoding="utf-8")
    except OSError as error:
        raise FailedError(f"{path} could not be written ({error.strerror})") from None
    console.print(f"Written: {path}", soft_wrap=True, markup=False)


async def _find(brief_id: RowId, tenant: str | None) -> tuple[Brief, str]:
    async with desk(tenant) as at:
        brief = await at.library.brief(at.tenant.id, brief_id)
        if brief is None:
            raise _no_brief()
        return brief, link_to(at, brief.id)


def _said(word: str | None, *, undo: bool) -> Verdict | None:
    """The verdict that is meant; none takes one back."""
    if undo and word is None:
        return None
    if undo:
        raise UsageError("--undo takes back whatever you said", "leave the verdict out")
    if word is None or word.strip().lower() not in WORDS:
        said = "" if word is None else f'"{clean(word, 60)}" is none; '
        raise UsageError(f"What do you say of the claim? {said}it is one of: {', '.join(WORDS)}")
    return WORDS[word.strip().lower()]


def _outcome(said: Verdict | None) -> str:
    if said is None:
        return "Taken back, as if nothing had been said"
    return f"{VERDICTS[said]}, {NEXT[said]}"


def _number(text: str, claims: tuple[Claim, ...]) -> int:
    """The place of a claim in its brief, from 1."""
    most = len(claims)
    if not text.isascii() or not text.isdecimal() or len(text) > LONGEST_NUMBER or not 1 <= int(text) <= most:
        there = f"the brief's claims are numbered 1 to {most}" if most else "the brief has no claims"
        raise UsageError(f'"{clean(text, 60)}" is no claim of this brief', there)
    return int(text)


async def _explain(brief_id: RowId, tenant: str | None) -> tuple[Explanation, Settings]:
    async with desk(tenant) as at:
        told = await ExplanationStore(at.database).explain(at.tenant.id, brief_id)
        if told is None:
            raise _no_brief()
        return told, at.settings


async def _mark(
    brief_id: RowId, number: str, said: Verdict | None, user: str | None, tenant: str | None
) -> tuple[Claim, RowId]:
    """The claim, and the research whose next version will know of it."""
    async with desk(tenant) as at:
        brief = await at.library.brief(at.tenant.id, brief_id)
        if brief is None:
            raise _no_brief()
        claim = brief.claims[_number(number, brief.claims) - 1]
        who, marks = owner(await at.tenants.users(at.tenant.id), user), MarkStore(at.database)
        if said is not None:
            await marks.mark(at.tenant.id, who.id, claim.id, said, datetime.now(UTC))
        elif not await marks.unmark(at.tenant.id, who.id, claim.id):
            raise NotFoundError(f"{who.email} has said nothing of this claim")
        return claim, brief.research_id


def _no_brief() -> NotFoundError:
    return NotFoundError("There is no such brief", "greenroom brief list shows them")


async def _list(tenant: str | None, limit: int) -> list[BriefLine]:
    async with desk(tenant) as at:
        return await at.library.briefs(at.tenant.id, limit)
