"""greenroom events: what happened, as whoever listens is told."""

import asyncio
import json as encoder
from typing import Annotated

import typer
from rich.text import Text

from schemas.events import Event
from starter.cli import do, endpoints, parked, sending
from starter.cli.options import Tenant, cell, console
from starter.desk import desk

LOOK_S = 1.0

# What Postgres can count to.
LARGEST = 2**63 - 1

app = typer.Typer(help="Events: what other applications send us, and what happened.", no_args_is_help=True)
app.command("list")(sending.list_)
app.command("schema")(sending.schema)
app.command("send")(sending.send)
app.command("endpoint")(endpoints.endpoint)
app.command("redeliver")(endpoints.redeliver)
app.command("parked")(parked.parked)
app.command("retry")(parked.retry)


@app.command()
def tail(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    since: Annotated[
        int | None,
        typer.Option("--since", min=0, max=LARGEST, metavar="SEQUENCE", help="Only what follows this sequence number."),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="The newest so many.")] = 20,
    tenant: Tenant = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
) -> None:
    """Show the newest events, oldest first; --since begins after a number that you remember, and ignores --count."""

    async def work() -> None:
        async with desk(tenant) as at:
            last = await at.events.newest(at.tenant.id, count) if since is None else since
            while True:
                events = await at.events.after(at.tenant.id, last)
                for event in events:
                    _put(event, as_json=json)
                    last = event.sequence
                if not events and not follow:
                    return
                if not events:
                    await asyncio.sleep(LOOK_S)

    do(work())


def _put(event: Event, *, as_json: bool) -> None:
    if as_json:
        typer.echo(event.model_dump_json())
        return
    said = encoder.dumps(event.payload, ensure_ascii=False)
    line = Text(f"{event.sequence:>6}  {event.created_at:%Y-%m-%d %H:%M:%S} UTC  ", style="dim")
    line.append_text(cell(event.name, "default not dim bold")).append("  ").append_text(cell(said, longest=2000))
    if delivery := _delivery(event):
        line.append("  ").append_text(cell(delivery, "dim"))
    console.print(line, soft_wrap=True)


def _delivery(event: Event) -> str:
    """How far the endpoint has heard of it; nothing when nobody is to."""
    if event.delivery is None:
        return ""
    tries = f", tries {event.attempts}" if event.delivery != "delivered" and event.attempts else ""
    return f"{event.delivery}{tries}" + (f": {event.refusal}" if event.refusal else "")
