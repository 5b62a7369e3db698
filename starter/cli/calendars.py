"""greenroom calendars: which accounts are read, how well that goes, and no more."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import aiohttp
import typer
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.providers.google_accounts import GoogleAccounts
from activities.sealing import Sealer
from activities.store.connections import ConnectionStore
from schemas.agenda import CalendarHealth
from schemas.calendars import Reason, Ring
from schemas.subscriptions import Errand, Renewal
from starter import start
from starter.cli import do
from starter.cli.options import Json, Tenant, cell, console, interactive, progress, put_json, put_table, table
from starter.desk import Desk, desk
from starter.words import NotFoundError, NotReadyError, UsageError

# How long a disconnection waits for the channels to be stopped.
STOPPING_S = 30

COLOURS = {"active": "green", "reauth_required": "red", "disconnected": "dim"}

Wanted = Annotated[
    str, typer.Argument(metavar="CALENDAR", help="Its id or address; greenroom calendars list has them.")
]

app = typer.Typer(help="Calendars that are read: how well that goes, and no more.", no_args_is_help=True)


@app.command("list")
def list_(tenant: Tenant = None, json: Json = False) -> None:
    """List calendars: when each was read last, when it was heard of, and what is wrong with it."""

    async def work() -> list[CalendarHealth]:
        async with desk(tenant) as at:
            return await at.oversight.calendars(at.tenant.id)

    found = do(work())
    if json:
        put_json(found)
    elif not found:
        console.print("No calendar is connected; connect one on the pages, under Calendars")
    else:
        _print(found)


@app.command()
def sync(
    wanted: Annotated[
        list[str] | None, typer.Argument(metavar="CALENDAR...", help="Their ids or addresses; by default all.")
    ] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Have calendars read now. It goes on by itself: greenroom calendars list tells how it went."""

    async def work() -> list[CalendarHealth]:
        async with desk(tenant) as at:
            known = await at.oversight.calendars(at.tenant.id)
            chosen = [read_on(choose(known, one)) for one in wanted] if wanted else list(filter(readable, known))
            bell = start.Doorbell(await at.temporal())
            ring = Ring(reason=Reason.ASKED, at=datetime.now(UTC))
            await asyncio.gather(*(bell.calendar(at.tenant.id, one.id, ring) for one in chosen))
            return chosen

    rung = do(work())
    if json:
        put_json(rung)
    else:
        console.print(f"{len(rung)} {'calendar is' if len(rung) == 1 else 'calendars are'} being read")


@app.command()
def disconnect(
    wanted: Wanted,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Give an account up: stop its notifications, forget its tokens, and give them back. Its meetings stay."""

    async def work() -> CalendarHealth:
        async with desk(tenant) as at:
            chosen = choose(await at.oversight.calendars(at.tenant.id), wanted)
            _sure(chosen, yes=yes)
            await _give_up(at, chosen)
            return chosen

    gone = do(work())
    if json:
        put_json(gone)
    else:
        console.print(cell(f"{gone.account} is disconnected"))


def readable(one: CalendarHealth) -> bool:
    return one.watched and one.status == "active"


def read_on(one: CalendarHealth) -> CalendarHealth:
    """A calendar that is read when it rings."""
    if one.status != "active":
        raise UsageError(f"{one.account} does not let us in", f"{one.user} can reconnect it on the pages")
    if not one.watched:
        raise UsageError(
            f"{one.account} is not watched, so it is not read", "greenroom subscriptions watch begins again"
        )
    return one


def choose(calendars: list[CalendarHealth], wanted: str) -> CalendarHealth:
    """The calendar that is meant; an address that several users have connected is not enough."""
    found = [one for one in calendars if wanted in (one.id, one.account) or wanted.lower() == one.account]
    if not found:
        raise NotFoundError(
            f'There is no calendar "{wanted[:60]}" to do that for', "greenroom calendars list shows them"
        )
    if len(found) > 1:
        raise UsageError("Several users have connected that account", "give the calendar's id instead")
    return found[0]


async def stop_channels(client: Client, order: Renewal) -> None:
    """All of them, in time; what is not stopped ends by itself."""
    try:
        async with asyncio.timeout(STOPPING_S):
            await (await start.renewal(client, order, join=False)).result()
    except (TimeoutError, WorkflowFailureError, WorkflowAlreadyStartedError):
        progress.print("Its notifications could not be stopped; they end by themselves within days", style="yellow")


def _sure(chosen: CalendarHealth, *, yes: bool) -> None:
    if yes:
        return
    if not interactive():
        raise UsageError("Nobody is here to be asked whether you are sure", "give --yes")
    typer.confirm(f"Disconnect {chosen.account}? Only {chosen.user} can connect it again.", abort=True, err=True)


async def _give_up(at: Desk, chosen: CalendarHealth) -> None:
    """In this order: without tokens nothing can be stopped, and once they are given back they are of no use."""
    try:
        sealer = Sealer(at.settings.token_keys.get_secret_value())
    except ValueError as error:
        raise NotReadyError(str(error), "") from None
    if readable(chosen):
        order = Renewal(tenant_id=at.tenant.id, calendar_id=chosen.id, errand=Errand.STOP)
        await stop_channels(await at.temporal(), order)
    now = datetime.now(UTC)
    token = await ConnectionStore(at.database, sealer).disconnect(at.tenant.id, chosen.connection_id, now)
    # What is researched for its meetings just now is for nobody any more.
    await at.wake(await at.meetings.given_up(at.tenant.id, chosen.connection_id, now))
    if token is not None:
        async with aiohttp.ClientSession() as session:
            await GoogleAccounts(session, at.settings.google(), timeout_s=at.settings.google_timeout_s).revoke(token)


def _print(found: list[CalendarHealth]) -> None:
    rows = table("id", "account", "user", "status", "read", "heard of", "channel until", "failing since")
    for one in found:
        status = one.status if one.watched or one.status != "active" else "not watched"
        rows.add_row(
            cell(one.id),
            cell(one.account + (" (sandbox data)" if one.sandbox else "")),
            cell(one.user),
            cell(status, COLOURS.get(status, "yellow")),
            cell(when(one.read_at)),
            cell(when(one.pushed_at)),
            cell(when(one.channel_expires_at)),
            cell(f"{when(one.failing_since)}: {one.failure}" if one.failing_since else "", "red"),
        )
    put_table(rows)


def when(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
