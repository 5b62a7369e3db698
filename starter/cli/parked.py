"""greenroom events parked and retry: what came in and could not be done."""

from typing import Annotated

import typer

from activities.store.records import RecordStore
from schemas.batches import Parked
from starter import intake, start
from starter.cli import do
from starter.cli.options import Json, Limit, Tenant, cell, console, put_json, put_table, table
from starter.desk import desk
from starter.words import NotFoundError


def parked(tenant: Tenant = None, json: Json = False, limit: Limit = 20) -> None:
    """List events that could not be done, the newest first, and why."""

    async def work() -> list[Parked]:
        async with desk(tenant) as at:
            return await RecordStore(at.database).parked(at.tenant.id, limit)

    found = do(work())
    if json:
        put_json(found)
    elif not found:
        console.print("No event is parked")
    else:
        _print(found)


def retry(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="The event's row; greenroom events parked shows them.")],
    tenant: Tenant = None,
) -> None:
    """Put a parked event back, to be done with the next batch. What cannot be done is parked again."""
    received_id = intake.row_id(wanted)

    async def work() -> None:
        async with desk(tenant) as at:
            client = await at.temporal()
            back = await RecordStore(at.database).put_back(at.tenant.id, received_id)
            if back is None:
                raise NotFoundError(
                    "There is no such parked event whose words are kept",
                    "greenroom events parked shows them; any other is sent again by whoever sent it, with a new id",
                )
            await start.collect(client, at.tenant.id, back[0], [back[1]])

    do(work())
    console.print("It is collected again")


def _print(found: list[Parked]) -> None:
    rows = table("id", "event", "its sender's id", "received", "kept", "reason")
    for one in found:
        rows.add_row(
            cell(one.id),
            cell(one.name),
            cell(one.key),
            cell(f"{one.received_at:%Y-%m-%d %H:%M} UTC"),
            cell("yes" if one.kept else "no"),
            cell(one.reason),
        )
    put_table(rows)
