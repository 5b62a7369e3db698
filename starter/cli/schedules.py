"""greenroom schedules: what the clock begins."""

import typer

from starter import schedules
from starter.cli import do
from starter.cli.calendars import when
from starter.cli.options import Json, cell, console, put_json, put_table, table
from starter.environment import connect, load_settings

app = typer.Typer(help="What the clock begins: renewals of channels, and polls.", no_args_is_help=True)


@app.command("list")
def list_(json: Json = False) -> None:
    """List schedules: how often, when last and when next. Pause one in Temporal's Web UI, and it stays paused."""

    async def work() -> list[schedules.Planned]:
        return await schedules.listed(await connect(load_settings()))

    _put(do(work()), as_json=json)


@app.command()
def ensure(json: Json = False) -> None:
    """Make the schedules, or bring them up to date, as every worker does when it starts."""

    async def work() -> list[schedules.Planned]:
        settings = load_settings()
        client = await connect(settings)
        await schedules.ensure(client, settings)
        return await schedules.listed(client)

    _put(do(work()), as_json=json)


def _put(found: list[schedules.Planned], *, as_json: bool) -> None:
    if as_json:
        put_json(found)
    elif not found:
        console.print("There is no schedule yet; make them with: greenroom schedules ensure")
    else:
        _print(found)


def _print(found: list[schedules.Planned]) -> None:
    rows = table("id", "every", "last", "next", "note")
    for one in found:
        rows.add_row(
            cell(one.id),
            cell(f"{one.every_s:g} s"),
            cell(when(one.last_at)),
            cell("paused" if one.paused else when(one.next_at), "yellow" if one.paused else ""),
            cell(one.note),
        )
    put_table(rows)
