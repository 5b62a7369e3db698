"""greenroom subscriptions: the push channels by which calendars tell of changes."""

from typing import Annotated

import typer
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError

from schemas.agenda import ChannelLine
from schemas.subscriptions import Errand, Renewal, RenewalOutcome, Renewed
from starter import start
from starter.cli import do
from starter.cli.calendars import Wanted, choose, when
from starter.cli.options import Json, Limit, Tenant, cell, console, put_json, put_table, table
from starter.desk import desk
from starter.environment import connect, load_settings
from starter.words import FailedError, UsageError
from workflows import story

COLOURS = {"active": "green", "creating": "cyan", "replaced": "cyan", "stopped": "dim", "expired": "yellow"}

app = typer.Typer(help="Push channels: by which calendars tell of changes.", no_args_is_help=True)


@app.command("list")
def list_(tenant: Tenant = None, json: Json = False, limit: Limit = 20) -> None:
    """List channels, the newest first: until when each lives, and how often its renewal failed."""

    async def work() -> list[ChannelLine]:
        async with desk(tenant) as at:
            return await at.oversight.channels(at.tenant.id, limit)

    found = do(work())
    if json:
        put_json(found)
    elif not found:
        console.print("There is no channel yet; greenroom calendars list shows what is connected")
    else:
        _print(found)


@app.command()
def renew(
    wanted: Annotated[
        str | None, typer.Argument(metavar="CALENDAR", help="Its id or address; by default all that end before long.")
    ] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Open a new channel and stop the old one. Without a calendar: for all that need it, as every six hours."""
    if wanted is not None:
        _put(do(_see_to(wanted, Errand.RENEW, tenant)), as_json=json)
        return
    swept = do(_sweep())
    if json:
        put_json(swept)
    else:
        console.print(f"{swept.renewed} renewed, {swept.failed} failed")


@app.command()
def watch(wanted: Wanted, tenant: Tenant = None, json: Json = False) -> None:
    """Begin to look after a calendar (again): open a channel, and read it."""
    _put(do(_see_to(wanted, Errand.RENEW, tenant)), as_json=json)


@app.command()
def stop(wanted: Wanted, tenant: Tenant = None, json: Json = False) -> None:
    """Stop a calendar's channels, and do not read it any more until: greenroom subscriptions watch"""
    outcome = do(_see_to(wanted, Errand.STOP, tenant))
    if json:
        put_json(outcome)
    else:
        left = f"; {outcome.left} could not be, and end by themselves" if outcome.left else ""
        console.print(f"{outcome.stopped} stopped{left}")


async def _see_to(wanted: str, errand: Errand, tenant: str | None) -> RenewalOutcome:
    async with desk(tenant) as at:
        known = [one for one in await at.oversight.calendars(at.tenant.id) if one.status == "active"]
        order = Renewal(tenant_id=at.tenant.id, calendar_id=choose(known, wanted).id, errand=errand)
        try:
            # Whoever joined another errand would take its end for that of their own.
            return await (await start.renewal(await at.temporal(), order, join=False)).result()
        except WorkflowAlreadyStartedError:
            raise UsageError("Its channels are being seen to", "try again in a minute") from None
        except WorkflowFailureError as error:
            raise FailedError(f"That failed: {story.why(error.cause)[1]}", "try again later") from None


async def _sweep() -> Renewed:
    """Of all tenants: what the clock does is nobody's in particular."""
    return await start.renewals(await connect(load_settings()))


def _put(outcome: RenewalOutcome, *, as_json: bool) -> None:
    if as_json:
        put_json(outcome)
    else:
        console.print(f"It tells of changes until {when(outcome.expires_at)}")


def _print(found: list[ChannelLine]) -> None:
    rows = table("id", "account", "calendar", "status", "since", "until", "failures")
    for one in found:
        rows.add_row(
            cell(one.id),
            cell(one.account),
            cell(one.calendar_id),
            cell(one.status, COLOURS.get(one.status, "")),
            cell(when(one.created_at)),
            cell(when(one.expires_at)),
            cell(one.renewal_failures or ""),
        )
    put_table(rows)
