"""greenroom digest: what is new this morning, written and spoken."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.plain import clean
from activities.store.digests import DigestStore
from activities.store.wishes import WishStore
from schemas.base import RowId
from schemas.digests import AudioStatus, DigestLine, DigestStatus, DigestView
from schemas.tenants import User
from starter import intake, mornings, schedules
from starter.checks import polled
from starter.cli import do
from starter.cli.calendars import when
from starter.cli.options import Json, Tenant, cell, console, progress, put_json, put_table, table
from starter.cli.wishes import Whose, topics_of, whose, wishes
from starter.desk import Desk, desk
from starter.environment import connect, load_settings
from starter.show import spoken
from starter.show.layout import SANDBOX_NOTICE, dollars
from starter.words import FailedError, NotFoundError, UsageError
from workflows import queues, story

app = typer.Typer(help="What is new this morning, written and spoken.", no_args_is_help=True)

COLOURS = {DigestStatus.READY: "green", DigestStatus.FAILED: "red", DigestStatus.GENERATING: "cyan"}
LONGEST_SAID = 2000
# Of these there is one, and it stays as it is.
MADE = {DigestStatus.READY, DigestStatus.SKIPPED, DigestStatus.GENERATING}

Which = Annotated[
    str | None, typer.Argument(metavar="DIGEST", help="Its id; greenroom digest list shows them. Else the newest.")
]


@app.command()
def run(
    user: Whose = None,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="About this, in place of the user's own interests.")
    ] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="DATE", help="Of this day; by default today.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is ready, and show it.")] = True,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Make a user's digest of today now. There is one for each day: a second run joins, and one that failed is made again.

    For example: greenroom digest run --user sample
    """
    topics, said = topics_of(topic) if topic else None, _day(day)

    async def work() -> RowId | DigestView:
        async with desk(tenant) as at:
            who, now = await whose(at, user), datetime.now(UTC)
            of = mornings.today(who, now)
            if said not in (None, of):
                raise UsageError(f"It is {of.isoformat()} where {who.email} is, and there is news of today alone")
            await _wanted(at, who, topics)
            client = await at.temporal()
            store = DigestStore(at.database)
            digest_id = await store.ask(at.tenant.id, who.id, of, topics, now)
            if topics and (there := await store.view(at.tenant.id, who.id, digest_id)) and there.status in MADE:
                progress.print("Today's is there already, or being made: it is not about that", style="yellow")
            handle = await mornings.digest(client, at.tenant.id, who.id, of)
            if not await polled(client, queues.WORKFLOWS):
                progress.print("No worker is there to do it yet; start one with: greenroom worker", style="yellow")
            if not wait:
                return digest_id
            try:
                await handle.result()
            except WorkflowFailureError as error:
                again = "try again with: greenroom digest run"
                raise FailedError(f"There is no digest: {story.why(error.cause)[1]}", again) from None
            return await _view(at, who, digest_id)

    _put(do(work()), as_json=json)


@app.command("list")
def list_(user: Whose = None, tenant: Tenant = None, json: Json = False) -> None:
    """List a user's digests, the newest first."""

    async def work() -> list[DigestLine]:
        async with desk(tenant) as at:
            who = await whose(at, user)
            return list(await DigestStore(at.database).list(at.tenant.id, who.id))

    digests = do(work())
    if json:
        put_json(digests)
    elif not digests:
        console.print("There is no digest yet; make one with: greenroom digest run")
    else:
        _print(digests)


@app.command()
def show(which: Which = None, user: Whose = None, tenant: Tenant = None, json: Json = False) -> None:
    """Show a digest: what is said, and what it rests on."""
    _put(do(_found(which, user, tenant)), as_json=json)


@app.command()
def play(
    which: Which = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save the MP3 there.")] = None,
    user: Whose = None,
    tenant: Tenant = None,
) -> None:
    """Say where a digest can be heard, or save its MP3."""
    view = do(_found(which, user, tenant))
    if view.sound is None:
        why = spoken.unheard(view) or f"It has no audio ({view.status.value})"
        raise NotFoundError(why.rstrip("."), f"read it with: greenroom digest show {view.id}")
    if out is None:
        console.print(f"{load_settings().web_url.rstrip('/')}/digests/{view.id}", soft_wrap=True, markup=False)
        return
    data = do(_audio(view.sound.key))
    try:
        out.write_bytes(data)
    except OSError as error:
        raise FailedError(f"{out} could not be written ({error.strerror})") from None
    said = f"Written: {out}, {spoken.length(view.sound.duration_ms)}"
    console.print(said, soft_wrap=True, markup=False)


@app.command()
def schedule(
    pause: Annotated[bool, typer.Option("--pause", help="Begin none by the clock until it is resumed.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Begin them by the clock again.")] = False,
    json: Json = False,
) -> None:
    """Show when the digests of all users begin, or pause that."""
    if pause and resume:
        raise UsageError("--pause and --resume exclude each other", "give one of them")

    async def work() -> schedules.Planned:
        client = await connect(load_settings())
        planned = {one.id: one for one in await schedules.listed(client)}
        if schedules.DIGESTS not in planned:
            raise NotFoundError("The clock begins no digests yet", "make it with: greenroom schedules ensure")
        handle = client.get_schedule_handle(schedules.DIGESTS)
        if pause:
            await handle.pause(note="paused with greenroom digest schedule")
        if resume:
            await handle.unpause(note="resumed with greenroom digest schedule")
        return next(one for one in await schedules.listed(client) if one.id == schedules.DIGESTS)

    planned = do(work())
    if json:
        put_json(planned)
        return
    console.print(f"last  {when(planned.last_at)}", markup=False)
    console.print(f"next  {'paused' if planned.paused else when(planned.next_at)}", markup=False)
    console.print("Each user has theirs between 6 and 10 in the morning, where they are.")


async def _wanted(at: Desk, who: User, topics: tuple[str, ...] | None) -> None:
    """Nobody is made a digest of nothing: it would be the one of that day."""
    if not topics and not (await WishStore(at.database).wishes(at.tenant.id, who.id)).any:
        raise UsageError(
            f"{who.email} has no wishes yet", "say some with: greenroom digest wishes --topic ... or --sales"
        )


async def _found(which: str | None, user: str | None, tenant: str | None) -> DigestView:
    async with desk(tenant) as at:
        who = await whose(at, user)
        if which is not None:
            return await _view(at, who, intake.row_id(which))
        newest = await DigestStore(at.database).list(at.tenant.id, who.id, 1)
        if not newest:
            raise NotFoundError("There is no digest yet", "make one with: greenroom digest run")
        return await _view(at, who, newest[0].id)


async def _view(at: Desk, who: User, digest_id: RowId) -> DigestView:
    found = await DigestStore(at.database).view(at.tenant.id, who.id, digest_id)
    if found is None:
        raise NotFoundError(f"{who.email} has no such digest", "greenroom digest list shows them")
    return found


async def _audio(key: str) -> bytes:
    from activities.providers import made  # noqa: PLC0415 - the providers' libraries take a second to load

    try:
        objects = await asyncio.to_thread(made.objects, load_settings())
        data = None if objects is None else await objects.get(key)
    except ValueError as error:
        raise UsageError(str(error)) from None
    except ApplicationError as error:
        raise FailedError(f"The audio could not be had: {clean(error.message, 200)}") from None
    if data is None:
        raise NotFoundError("Its audio is not where audio is kept", "GREENROOM_OBJECTS_URL says where that is")
    return data


def _day(said: str | None) -> date | None:
    if said is None:
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise UsageError(f'"{clean(said, 60)}" is no day; write one such as 2026-11-23') from None


def _put(done: RowId | DigestView, *, as_json: bool) -> None:
    """A digest, or the id of one that is being made."""
    if isinstance(done, str):
        if as_json:
            put_json({"id": done})
        else:
            typer.echo(done)
    elif as_json:
        put_json(done)
    else:
        _tell(done)


def _tell(view: DigestView) -> None:
    if view.sandbox:
        console.print(cell(SANDBOX_NOTICE, "yellow"))
    console.print(cell(f"{view.day:%A} {view.day.day} {view.day:%B %Y}", "bold"))
    status = f"{view.status.value}: {view.failure_reason}" if view.failure_reason else view.status.value
    heard = f", {spoken.length(view.sound.duration_ms)} to be heard" if view.sound else ""
    console.print(cell(f"{status}{heard}", COLOURS.get(view.status, "")))
    if unheard := spoken.unheard(view):
        console.print(cell(unheard, "yellow", longest=LONGEST_SAID), soft_wrap=True)
    if view.script is not None:
        for voice, said in spoken.turns(view.script):
            console.print()
            console.print(cell(said, "" if voice == 1 else "cyan", longest=LONGEST_SAID), soft_wrap=True)
        console.print()
        for number, said in enumerate(spoken.sources(view.script), start=1):
            console.print(Text(f"[{number}] ", "dim") + cell(said, "dim", longest=LONGEST_SAID), soft_wrap=True)
        left_out = f", {view.script.dropped} sentences left out" if view.script.dropped else ""
        console.print(cell(f"{dollars(view.cost_micro_usd)}{left_out}", "dim"))


def _print(digests: list[DigestLine]) -> None:
    shown = table("id", "day", "status", "audio", "about")
    for one in digests:
        heard = (
            spoken.length(one.duration_ms) if one.duration_ms and one.audio is AudioStatus.READY else one.audio.value
        )
        shown.add_row(
            cell(one.id),
            cell(one.day.isoformat()),
            cell(one.status.value, COLOURS.get(one.status, "")),
            cell(heard),
            cell(f"{one.title}{' (sandbox data)' if one.sandbox else ''}"),
        )
    put_table(shown)


app.command()(wishes)
