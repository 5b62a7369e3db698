"""greenroom bootstrap: reference documents are taken in, and searched in once all of them are there."""

import asyncio
from typing import Annotated

import typer

from schemas.base import RowId
from schemas.bootstraps import LONGEST_SOURCE, MOST_SOURCES, BootstrapStatus, BootstrapView, NewBootstrap, SourceStatus
from starter import bootstraps, intake, logs
from starter.cli import do
from starter.cli.calendars import when
from starter.cli.options import Json, Limit, Tenant, cell, console, progress, put_json, put_table, table
from starter.desk import Desk, desk
from starter.office import Office
from starter.show.layout import SANDBOX_NOTICE
from starter.words import FailedError, NotFoundError, UsageError

app = typer.Typer(help="References: taken in from their library, to be compared with.", no_args_is_help=True)

LIST = "greenroom bootstrap list shows them"
GLANCE_S = 0.5
ENDED = {BootstrapStatus.COMPLETED, BootstrapStatus.FAILED, BootstrapStatus.CANCELLED}
COLOURS = {BootstrapStatus.COMPLETED: "green", BootstrapStatus.FAILED: "red", BootstrapStatus.RUNNING: "cyan"}

Which = Annotated[str, typer.Argument(metavar="BOOTSTRAP", help=f"Its id; {LIST}.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show how far it is, and wait for its end.")]


@app.command()
def run(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="By their names in the library; all by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Read those anew too that have not changed.")] = False,
    watch: Watch = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Take references in. One bootstrap of all tenants runs at a time; the same that waits already is joined.

    For example: greenroom bootstrap run --watch
    """
    wanted = NewBootstrap(sources=_named(sources or []), force=force)

    async def work() -> RowId | BootstrapView:
        async with desk(tenant) as at:
            place = await _office(at)
            asked = await bootstraps.ask(place, at.tenant.id, wanted)
            return await _followed(place, at, asked.bootstrap_id) if watch else asked.bootstrap_id

    with logs.silent():
        done = do(work())
    _put(done, as_json=json, failing=watch)


@app.command()
def show(which: Which, watch: Watch = False, tenant: Tenant = None, json: Json = False) -> None:
    """Show how a bootstrap stands: how many of its sources are there, and which failed and why."""
    bootstrap_id = intake.row_id(which)

    async def work() -> BootstrapView:
        async with desk(tenant) as at:
            place = await _office(at)
            return await (_followed if watch else _view)(place, at, bootstrap_id)

    _put(do(work()), as_json=json, failing=False)


@app.command("list")
def list_(limit: Limit = 30, tenant: Tenant = None, json: Json = False) -> None:
    """List bootstraps, the newest first."""

    async def work() -> tuple[BootstrapView, ...]:
        async with desk(tenant) as at:
            return await (await _office(at)).bootstraps.list(at.tenant.id, limit)

    found = do(work())
    if json:
        put_json(found)
    elif not found:
        console.print("Nothing was taken in yet; begin with: greenroom bootstrap run --watch")
    else:
        _print(found)


@app.command()
def cancel(which: Which, tenant: Tenant = None, json: Json = False) -> None:
    """Stop a bootstrap. What it took in is removed; what was there before stays."""
    bootstrap_id = intake.row_id(which)

    async def work() -> bool:
        async with desk(tenant) as at:
            return await bootstraps.cancel(await _office(at), at.tenant.id, bootstrap_id)

    stopped = do(work())
    if json:
        put_json({"id": bootstrap_id, "stopped": stopped})
    else:
        console.print("It stops" if stopped else "It has ended already")


async def _office(at: Desk) -> Office:
    return Office(at.settings, at.database, await at.temporal())


async def _view(place: Office, at: Desk, bootstrap_id: RowId) -> BootstrapView:
    found = await place.bootstraps.view(at.tenant.id, bootstrap_id)
    if found is None:
        raise NotFoundError("There is no such bootstrap", LIST)
    return found


async def _followed(place: Office, at: Desk, bootstrap_id: RowId) -> BootstrapView:
    """Until it has ended: how far it is goes to stderr."""
    told = ""
    while (view := await _view(place, at, bootstrap_id)).status not in ENDED:
        if (now := _standing(view)) != told:
            progress.print(cell(now, "dim"), soft_wrap=True)
            told = now
        await asyncio.sleep(GLANCE_S)
    return view


def _named(sources: list[str]) -> tuple[str, ...]:
    if len(sources) > MOST_SOURCES:
        raise UsageError(f"{len(sources)} sources were given; there may be {MOST_SOURCES}")
    if any(len(one) > LONGEST_SOURCE or not one.strip() for one in sources):
        raise UsageError(f"A source has a name of 1 to {LONGEST_SOURCE} letters, such as mutual-nda.txt")
    return tuple(dict.fromkeys(sources))


def _standing(view: BootstrapView) -> str:
    """How far it is, in a few words."""
    if view.status is BootstrapStatus.QUEUED and view.position is not None:
        return f"queued, number {view.position} in line"
    counts = ", ".join(f"{view.counts[one]} {one.value}" for one in SourceStatus if view.counts.get(one))
    return f"{view.status.value}: {counts or f'{view.sources} sources'}"


def _put(done: RowId | BootstrapView, *, as_json: bool, failing: bool) -> None:
    """A bootstrap that was waited for, or the id of one that is under way."""
    if isinstance(done, str):
        if as_json:
            put_json({"id": done})
        else:
            typer.echo(done)
        return
    if as_json:
        put_json(done)
    else:
        _tell(done)
    if failing and done.status is not BootstrapStatus.COMPLETED:
        raise FailedError(f"It came to nothing: {done.failure_reason or done.status.value}", "ask for it again")


def _tell(view: BootstrapView) -> None:
    if view.sandbox:
        console.print(cell(SANDBOX_NOTICE, "yellow"))
    console.print(cell(_standing(view), COLOURS.get(view.status, "")), soft_wrap=True)
    if view.failure_reason:
        console.print(cell(view.failure_reason, "red"), soft_wrap=True)
    if view.indexed_at:
        console.print(cell(f"they can be searched since {when(view.indexed_at)}", "dim"), soft_wrap=True)
    for one in view.failed:
        console.print(cell(f"- {one.source}: {one.failure_reason}", "yellow"), soft_wrap=True)


def _print(found: tuple[BootstrapView, ...]) -> None:
    rows = table("id", "status", "sources", "asked for", "ended", "why")
    for one in found:
        rows.add_row(
            cell(one.id),
            cell(_standing(one), COLOURS.get(one.status, "")),
            cell(one.sources),
            cell(when(one.created_at)),
            cell(when(one.ended_at)),
            cell(one.failure_reason),
        )
    put_table(rows)
