"""greenroom brief: read what was written."""

import typer

from schemas.briefs import Brief
from starter.cli import do
from starter.cli.options import Json, Tenant, console
from starter.desk import desk
from starter.intake import row_id
from starter.show import terminal
from starter.words import NotFoundError

app = typer.Typer(help="Read briefs.", no_args_is_help=True)


@app.command()
def show(brief_id: str, tenant: Tenant = None, json: Json = False) -> None:
    """Show a brief: in the terminal, or as JSON."""
    brief = do(_find(row_id(brief_id), tenant))
    put(brief, as_json=json)


def put(brief: Brief, *, as_json: bool) -> None:
    """A brief on stdout."""
    if as_json:
        typer.echo(brief.model_dump_json(indent=2))
    else:
        terminal.show(brief, console)


async def _find(brief_id: str, tenant: str | None) -> Brief:
    async with desk(tenant) as work:
        brief = await work.library.brief(work.tenant.id, brief_id)
        if brief is None:
            raise NotFoundError("There is no such brief", "greenroom brief list shows them")
        return brief
