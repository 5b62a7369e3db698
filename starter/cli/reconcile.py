"""greenroom reconcile: no row says that it is being worked on while nobody does."""

import typer

from schemas.reconciliation import Done, Reconciled
from starter import start
from starter.checks import polled
from starter.cli import do
from starter.cli.options import Json, cell, console, progress, put_json, put_table, table
from starter.environment import connect, load_settings
from starter.words import FailedError
from workflows import policies, queues

COLOURS = {Done.FAILED: "red", Done.RIGHTED: "green", Done.BEGUN: "green", Done.LEFT: "bold red", Done.TOLD: "yellow"}


def reconcile(json: Json = False) -> None:
    """Compare every row that is being worked on with its workflow, and mend what nobody works on, as every five minutes.

    What is merely slow is left alone, and so is what began within the last minute.
    """
    found = do(_sweep())
    if json:
        put_json(found)
    else:
        _print(found)
    if found.left:
        raise typer.Exit(FailedError.exit_code)


async def _sweep() -> Reconciled:
    """Of all tenants: what the clock does is nobody's in particular."""
    client = await connect(load_settings())
    if not await polled(client, queues.WORKFLOWS):
        progress.print("No worker is there to do it yet; start one with: greenroom worker", style="yellow")
    return await start.reconciliation(client)


def _print(found: Reconciled) -> None:
    grace = policies.RECONCILE_GRACE.total_seconds()
    if not found.looked_at:
        console.print(f"Nothing is being worked on that began more than {grace:g} s ago.")
        return
    counts = table("what", "looked at", "stuck")
    for noun, number in found.looked_at.items():
        stuck = found.stuck.get(noun, 0)
        counts.add_row(cell(noun), cell(number), cell(stuck, "bold" if stuck else ""))
    put_table(counts)
    if not found.rows:
        console.print("Everything that is being worked on has a workflow that does it.")
        return
    console.print()
    rows = table("id", "what", "tenant", "done", "why")
    for one in found.rows:
        done = cell(one.done.value, COLOURS[one.done])
        rows.add_row(cell(one.row_id), cell(one.noun), cell(one.tenant_id), done, cell(one.why))
    put_table(rows)
    if more := sum(found.stuck.values()) - len(found.rows):
        console.print(f"... and {more} more")
