"""greenroom channel: where a user is told what happens, beside their mail."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import aiohttp
import typer

from schemas.base import RowId
from schemas.channels import UserChannel
from starter.cli import do
from starter.cli.calendars import when
from starter.cli.options import Json, Tenant, cell, console, put_json, put_table, table
from starter.cli.wishes import Whose, whose
from starter.desk import Desk, desk
from starter.ways import Channels, channels, here, ways
from starter.words import NotFoundError

LONGEST_ADDRESS = 2000

app = typer.Typer(help="Where users are told what happens, beside their mail.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="CHANNEL", help="Its id; greenroom channel list shows them.")]


class Kind(StrEnum):
    TELEGRAM = "telegram"
    SLACK = "slack"


# A group's number begins with a dash, and is no option.
@app.command(context_settings={"ignore_unknown_options": True})
def add(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="telegram or slack.")],
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A chat's number, or a webhook's address; - reads it from stdin.")
    ],
    user: Whose = None,
    label: Annotated[str, typer.Option("--label", help="What its user calls it.")] = "",
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Tell a user on this channel too. One that is there already is switched on, and called as it is now.

    For example: greenroom channel add telegram 123456789 --label "My phone"
    """
    # Arguments are seen by others on this machine, and an address may be a secret.
    wanted = sys.stdin.readline(LONGEST_ADDRESS + 2).strip() if address == "-" else address

    async def work() -> UserChannel:
        async with desk(tenant) as at:
            who, store = await whose(at, user), channels(at.settings, at.database)
            settings = here(at.settings)
            async with aiohttp.ClientSession() as session:
                adding = Channels(settings, store, ways(settings, at.database, session))
                channel_id = await adding.add(at.tenant.id, who.id, kind.value, wanted, label, datetime.now(UTC))
            return await _one(at, channel_id)

    added = do(work())
    if json:
        put_json(added)
    else:
        if added.status == "off":
            console.print(cell(f"It is kept, and switched off: {added.reason}", "red"), soft_wrap=True)
        else:
            console.print(cell(f"{added.user} is told on {added.kind} too: {added.label}"), soft_wrap=True)
        console.print(cell(added.id))


@app.command("list")
def list_(user: Whose = None, tenant: Tenant = None, json: Json = False) -> None:
    """List the channels: of one user, or of all. Addresses are secrets, and are not shown."""

    async def work() -> list[UserChannel]:
        async with desk(tenant) as at:
            of = (await whose(at, user)).id if user else None
            return list(await channels(at.settings, at.database).list(at.tenant.id, of))

    found = do(work())
    if json:
        put_json(found)
        return
    rows = table("id", "user", "kind", "label", "status", "since")
    for one in found:
        status = cell(f"off: {one.reason}", "red") if one.status == "off" else cell(one.status, "green")
        since = when(one.off_at or one.created_at)
        rows.add_row(cell(one.id), cell(one.user), cell(one.kind), cell(one.label), status, cell(since))
    if found:
        put_table(rows)
    else:
        console.print("There is no channel; make one with: greenroom channel add", soft_wrap=True)


@app.command()
def remove(channel: Which, tenant: Tenant = None, json: Json = False) -> None:
    """Forget a channel and its address."""

    async def work() -> UserChannel:
        async with desk(tenant) as at:
            there = await _one(at, channel)
            await channels(at.settings, at.database).remove(at.tenant.id, None, there.id)
            return there

    gone = do(work())
    if json:
        put_json({"removed": gone.id})
    else:
        console.print(cell(f"{gone.user} is told on {gone.kind} no more: {gone.label}"), soft_wrap=True)


@app.command()
def on(channel: Which, tenant: Tenant = None, json: Json = False) -> None:
    """Switch a channel on again that took nothing any more."""

    async def work() -> UserChannel:
        async with desk(tenant) as at:
            there = await _one(at, channel)
            await channels(at.settings, at.database).on(at.tenant.id, None, there.id)
            return await _one(at, there.id)

    there = do(work())
    if json:
        put_json(there)
    else:
        console.print(cell(f"{there.user} is told on {there.kind} again: {there.label}"), soft_wrap=True)


async def _one(at: Desk, wanted: RowId) -> UserChannel:
    """The channel of this id, of whichever user of the tenant."""
    rows = await channels(at.settings, at.database).list(at.tenant.id, None)
    found = next((one for one in rows if one.id == wanted.strip().lower()), None)
    if found is None:
        raise NotFoundError("There is no such channel", "greenroom channel list shows them")
    return found
