"""greenroom transcript: calls, from the file of what was said to what came of it."""

from datetime import UTC, datetime
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import typer
from rich.text import Text
from temporalio.client import WorkflowFailureError, WorkflowHandle

from activities.plain import clean
from activities.store.callbook import CallBook
from activities.store.calls import CallStore
from activities.transcripts.files import LARGEST, UnreadableError, read
from activities.transcripts.ports import NewCall
from schemas.base import RowId
from schemas.callbook import CallLine, CallView, Said
from schemas.transcripts import CallDone, CallStatus, FindingKind, Source, Speaker, Spoken
from starter import intake, start
from starter.checks import polled
from starter.cli import campaigns, do
from starter.cli.options import Json, Tenant, cell, console, progress, put_json, put_table, table
from starter.desk import Desk, desk
from starter.show.layout import SANDBOX_NOTICE, clock, dollars
from starter.words import FailedError, NotFoundError, UsageError
from workflows import queues, story
from workflows.transcripts import TranscriptWorkflow

app = typer.Typer(help="What was said in calls, and what came of it.", no_args_is_help=True)

WHEN = "When, such as 2026-11-23T15:00: in its owner's time zone, unless it names one, as 2026-11-23T15:00Z does."

UNTITLED = "A call without a title"
LONGEST_TITLE = 200
LONGEST_SAID = 2000

COLOURS = {CallStatus.PARSED: "green", CallStatus.FAILED: "red", CallStatus.PARSING: "cyan"}

# In the order in which it is read: what was promised comes first.
PARTS = {
    FindingKind.SUMMARY: "Summary",
    FindingKind.NEXT_STEP: "Next steps",
    FindingKind.PAIN: "What hurts them",
    FindingKind.OBJECTION: "Objections",
    FindingKind.COMPETITOR: "Competitors",
    FindingKind.BUDGET: "Budget",
    FindingKind.DECISION: "How they decide",
    FindingKind.STAGE: "Where the deal stands",
    FindingKind.RISK: "Risks",
    FindingKind.QUOTE: "Worth remembering",
}

Which = Annotated[str, typer.Argument(metavar="CALL", help="Its id; greenroom transcript list shows them.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is read, and show what came of it.")]

Handle = WorkflowHandle[TranscriptWorkflow, CallDone]


@app.command()
def upload(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="VTT, SRT or text; - is stdin.")],
    title: Annotated[str, typer.Option("--title", help="What the call is called.")] = "",
    with_: Annotated[list[str] | None, typer.Option("--with", metavar="EMAIL", help="Who was there.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help=WHEN)] = None,
    opportunity: Annotated[str | None, typer.Option("--opportunity", help="What your system calls the deal.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="EMAIL", help="Whose call it is.")] = None,
    wait: Wait = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Add a call from the file of what was said, and have it read. The same words again are the same call.

    For example: greenroom transcript upload call.vtt --with ada@lovelace.example --at 2026-11-23T15:00 --wait
    """
    spoken = _spoken(file)
    there = tuple(Speaker(key=one, email=one) for one in map(intake.email, with_ or []))

    async def work() -> RowId | CallView:
        async with desk(tenant) as place:
            whose = campaigns.owner(await place.tenants.users(place.tenant.id), owner)
            call = NewCall(
                source=Source.UPLOAD,
                source_key=intake.upload_key(spoken, whose.id),
                title=clean(title, LONGEST_TITLE),
                started_at=intake.moment(at, ZoneInfo(whose.time_zone)) if at else None,
                owner_email=whose.email,
                opportunity=clean(opportunity or "", LONGEST_TITLE) or None,
                speakers=there,
            )
            client = await place.temporal()
            taken = await CallStore(place.database, intake.person_keys(place.settings)).take(
                place.tenant.id, call, spoken, datetime.now(UTC)
            )
            if taken.erased:
                raise UsageError(intake.FORGOTTEN)
            handle = await start.transcript(client, place.tenant.id, taken.call_id, again=True)
            return await _result(place, taken.call_id, handle, wait=wait)

    _put(do(work()), as_json=json)


@app.command()
def parse(which: Which, wait: Wait = False, tenant: Tenant = None, json: Json = False) -> None:
    """Have a call read that nobody has read yet. One that has been read stays as it is."""
    call_id = intake.row_id(which)

    async def work() -> RowId | CallView:
        async with desk(tenant) as at:
            found = await _view(at, call_id)
            if found.line.status is CallStatus.FAILED:
                raise UsageError(
                    f"This call could not be read: {found.line.failure_reason}",
                    f"try again with: greenroom transcript retry {call_id}",
                )
            if found.line.status is CallStatus.PARSED:
                progress.print(f"This call has been read already; see it with: greenroom transcript show {call_id}")
                return found if wait else call_id
            handle = await start.transcript(await at.temporal(), at.tenant.id, call_id)
            return await _result(at, call_id, handle, wait=wait)

    _put(do(work()), as_json=json)


@app.command()
def retry(which: Which, wait: Wait = False, tenant: Tenant = None, json: Json = False) -> None:
    """Read a call again that could not be read. What was paid for then is used again."""
    call_id = intake.row_id(which)

    async def work() -> RowId | CallView:
        async with desk(tenant) as at:
            if (await _view(at, call_id)).line.status is not CallStatus.FAILED:
                raise UsageError("Only a call that could not be read can be read again", "greenroom transcript list")
            handle = await start.transcript(await at.temporal(), at.tenant.id, call_id, again=True)
            return await _result(at, call_id, handle, wait=wait)

    _put(do(work()), as_json=json)


@app.command()
def show(which: Which, tenant: Tenant = None, json: Json = False) -> None:
    """Show what came of a call, each with the words that were said, by whom and when."""
    call_id = intake.row_id(which)

    async def work() -> CallView:
        async with desk(tenant) as at:
            return await _view(at, call_id)

    _put(do(work()), as_json=json)


@app.command("list")
def list_(tenant: Tenant = None, json: Json = False) -> None:
    """List calls, the newest first: what waits, what is read, what failed and why."""

    async def work() -> list[CallLine]:
        async with desk(tenant) as at:
            return await CallBook(at.database).calls(at.tenant.id, None)

    calls = do(work())
    if json:
        put_json(calls)
    elif not calls:
        console.print("There is no call yet; begin with: greenroom transcript upload FILE")
    else:
        _print(calls)


def _spoken(file: BinaryIO) -> Spoken:
    """What the file says was said; nothing is stored before that is known."""
    try:
        return read(file.read(LARGEST + 1), str(getattr(file, "name", "")))
    except UnreadableError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"The file cannot be read ({error.strerror})") from None


async def _result(at: Desk, call_id: RowId, handle: Handle, *, wait: bool) -> RowId | CallView:
    """What came of it when that is waited for; its failure is a sentence."""
    if not await polled(await at.temporal(), queues.WORKFLOWS):
        progress.print("No worker is there to do it yet; start one with: greenroom worker", style="yellow")
    if not wait:
        return call_id
    try:
        await handle.result()
    except WorkflowFailureError as error:
        reason = story.why(error.cause)[1]
        retry = f"try again with: greenroom transcript retry {call_id}"
        raise FailedError(f"The call could not be read: {reason}", retry) from None
    return await _view(at, call_id)


async def _view(at: Desk, call_id: RowId) -> CallView:
    found = await CallBook(at.database).call(at.tenant.id, None, call_id)
    if found is None:
        raise NotFoundError("There is no such call", "greenroom transcript list shows them")
    return found


def _put(done: RowId | CallView, *, as_json: bool) -> None:
    """What came of a call, or the id of one that is read now."""
    if isinstance(done, str):
        if as_json:
            put_json({"id": done})
        else:
            typer.echo(done)
    elif as_json:
        put_json(done)
    else:
        _tell(done)


def _tell(view: CallView) -> None:
    line = view.line
    if line.sandbox:
        console.print(cell(SANDBOX_NOTICE, "yellow"))
    when = f", {line.started_at:%Y-%m-%d %H:%M} UTC" if line.started_at else ""
    console.print(cell(f"{line.title or UNTITLED}{when}", "bold"))
    status = f"{line.status.value}: {line.failure_reason}" if line.failure_reason else line.status.value
    console.print(cell(status, COLOURS.get(line.status, "")))
    if line.with_whom:
        console.print(cell(f"with {', '.join(line.with_whom)}", "dim"))
    for kind, title in PARTS.items():
        if said := view.of(kind):
            console.print()
            console.print(cell(title, "bold"))
            for one in said:
                _tell_one(one, timed=view.timed)
    if line.status is CallStatus.PARSED:
        left = view.claimed - len(view.findings)
        console.print()
        console.print(cell(f"{left} left out, {view.model}, {dollars(view.cost_micro_usd)}", "dim"))


def _tell_one(said: Said, *, timed: bool) -> None:
    who = ", ".join(part for part in (said.owner, f"by {said.due:%Y-%m-%d}" if said.due else "") if part)
    console.print(cell(f"- {said.text}{f' ({who})' if who else ''}", longest=LONGEST_SAID), soft_wrap=True)
    at = f"{clock(said.at_ms)} " if timed else ""
    quoted = cell(f'{at}{said.who}: "{said.quote}"', "dim", longest=LONGEST_SAID)
    console.print(Text("  ") + quoted, soft_wrap=True)


def _print(calls: list[CallLine]) -> None:
    shown = table("id", "what", "when", "with", "status", "next steps", "reason")
    for one in calls:
        shown.add_row(
            cell(one.id),
            cell(f"{one.title or UNTITLED}{' (sandbox data)' if one.sandbox else ''}"),
            cell(f"{one.started_at or one.created_at:%Y-%m-%d %H:%M} UTC"),
            cell(", ".join(one.with_whom)),
            cell(one.status.value, COLOURS.get(one.status, "")),
            cell(one.next_steps),
            cell(one.failure_reason or ""),
        )
    put_table(shown)
