"""greenroom brief: read what was written."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.base import RowId
from schemas.briefs import Brief, Confidence
from schemas.tenants import BriefLine
from starter.cli import do
from starter.cli.options import Json, Limit, Tenant, cell, console, only_one, put_json, put_table, table
from starter.desk import Desk, desk
from starter.intake import row_id
from starter.show import terminal
from starter.show.document import document
from starter.words import FailedError, NotFoundError, SaidError

app = typer.Typer(help="Read briefs: in the terminal, as JSON, Markdown or a page.", no_args_is_help=True)


@app.command()
def show(
    brief_id: Annotated[str, typer.Argument(metavar="ID", help="The brief's id; greenroom brief list shows them.")],
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
            raise NotFoundError("There is no such brief", "greenroom brief list shows them")
        return brief, link_to(at, brief.id)


async def _list(tenant: str | None, limit: int) -> list[BriefLine]:
    async with desk(tenant) as at:
        return await at.library.briefs(at.tenant.id, limit)
