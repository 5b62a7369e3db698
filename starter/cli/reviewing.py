"""What the commands for documents have in common: files read and written, work asked for, followed, and shown."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import typer
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.plain import clean
from schemas.base import RowId
from schemas.documentbook import ComparisonView, DocumentLine, DocumentView, RedlineView, RunView
from schemas.documents import ENDED, LARGEST_FILE, AskedRun, NewRun, Role, RunStatus
from starter import documents
from starter.checks import polled
from starter.cli.calendars import when
from starter.cli.options import cell, console, interactive, progress, put_json, put_table, table
from starter.desk import Desk
from starter.office import Office
from starter.show import documents as show
from starter.words import FailedError, NotFoundError, NotReadyError, UsageError
from workflows import queues

LIST = "greenroom document list shows them"
GLANCE_S = 0.4
STDIN = "-"
Asked = AskedRun

V = TypeVar("V")


async def office(at: Desk) -> Office:
    return Office(at.settings, at.database, await at.temporal())


async def ask(place: Office, at: Desk, wanted: NewRun) -> AskedRun:
    """Have it done; whoever is not there who would do it is missed aloud."""
    asked = await documents.ask(place, at.tenant.id, wanted)
    await missed(place, asked)
    return asked


async def missed(place: Office, asked: AskedRun) -> None:
    if asked.status in ENDED:
        return
    try:
        async with asyncio.timeout(documents.PATIENCE_S):
            there = await polled(place.client, queues.DOCUMENTS)
    except (RPCError, TimeoutError):
        said = "Temporal does not answer; it is begun within minutes of its being there"
    else:
        said = "" if there else "No worker is there to do it yet; start one with: greenroom worker"
    if said:
        progress.print(said, style="yellow", soft_wrap=True)


async def followed(place: Office, at: Desk, run_id: RowId) -> RunView:
    """Until it has ended: how far it is goes to stderr."""
    told = ""
    async with _leaving(run_id):
        while (view := await _run(place, at, run_id)).status not in ENDED:
            if (now := show.standing(view)) != told:
                progress.print(cell(now, "dim"), soft_wrap=True)
                told = now
            await asyncio.sleep(GLANCE_S)
    return view


async def shown(place: Office, at: Desk, document_id: RowId) -> DocumentView:
    found = await place.documents.view(at.tenant.id, None, document_id)
    if found is None:
        raise NotFoundError("There is no such document", LIST)
    return found


def seen(found: V | None) -> V:
    """What was made; its document may have been deleted meanwhile."""
    if found is None:
        raise NotFoundError("There is no such run any more", LIST)
    return found


async def file_of(place: Office, at: Desk, run_id: RowId) -> bytes:
    """What a redline drew, from where files are kept."""
    key = await place.documents.redline_key(at.tenant.id, run_id)
    if key is None:
        raise FailedError("There is no file: nothing was proposed")
    try:
        data = None if place.objects is None else await place.objects.get(key)
    except ApplicationError as error:
        raise NotReadyError(f"The file cannot be had ({clean(error.message, 200)})") from None
    if data is None:
        raise NotFoundError("The file is not where files are kept", "GREENROOM_OBJECTS_URL says where that is")
    return data


def read(file: Path) -> bytes:
    """A file whole, or stdin; nothing is stored before it is there. One that is too large is not read to its end."""
    try:
        if str(file) == STDIN:
            return sys.stdin.buffer.read(LARGEST_FILE + 1)
        with file.open("rb") as opened:
            return opened.read(LARGEST_FILE + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(
            f'"{clean(str(file), 60)}" cannot be read ({why})', "give a file, or a document's id"
        ) from None


def write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise FailedError(f'"{clean(str(file), 60)}" cannot be written ({error.strerror})') from None
    progress.print(f"{file}", style="dim", markup=False, soft_wrap=True)


def sure(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not interactive():
        raise UsageError("Nobody is here to be asked whether you are sure", "give --yes")
    typer.confirm(question, abort=True, err=True)


def put(done: AskedRun | DocumentView | ComparisonView | RedlineView, run: RunView | None, *, as_json: bool) -> None:
    """What came of it, or the ids of what is under way. Whoever waited for what failed is told by the exit code too."""
    if as_json:
        put_json(done)
    else:
        _tell(done)
    if run is not None and run.status is not RunStatus.COMPLETED:
        raise FailedError(f"It came to nothing: {run.failure_reason or run.status.value}", _remedy(run))


def _remedy(run: RunView) -> str:
    """Of a file that cannot be read it is the file that must be another."""
    if run.retryable or run.status is RunStatus.CANCELLED:
        return f"try again with: greenroom document retry {run.id}"
    return "send a mended file" if show.unread(run) else ""


def print_lines(lines: tuple[DocumentLine, ...]) -> None:
    rows = table("id", "name", "what", "status", "risk", "clauses", "added")
    for one in lines:
        far = f" ({one.percent} percent)" if one.status is RunStatus.RUNNING else ""
        rows.add_row(
            cell(one.id),
            cell(f"{one.name}{' (sandbox data)' if one.sandbox else ''}"),
            cell(one.role.value if one.role.value != "review" else one.kind.value),
            cell(f"{_standing(one)}{far}", show.STATES[one.status] if one.status else ""),
            cell(one.risk.value if one.risk else "", show.COLOURS[one.risk] if one.risk else ""),
            cell(one.clauses or ""),
            cell(when(one.created_at)),
        )
    put_table(rows)


def _standing(one: DocumentLine) -> str:
    """How its review stands, and what else is done with it."""
    doing = f"{one.doing.value} under way" if one.doing else ""
    if one.status is None and one.role is not Role.REVIEW:
        return doing
    said = one.status.value if one.status else show.NOT_REVIEWED.lower()
    return f"{said}, {doing}" if doing else said


def _tell(done: AskedRun | DocumentView | ComparisonView | RedlineView) -> None:
    match done:
        case AskedRun():
            typer.echo(done.document_id)
            progress.print(f"{done.work.value} {done.run_id}: {done.status.value}", style="dim", soft_wrap=True)
        case DocumentView():
            console.print(show.document(done), soft_wrap=True)
        case ComparisonView():
            console.print(show.comparison(done), soft_wrap=True)
        case RedlineView():
            console.print(show.redline(done), soft_wrap=True)


async def _run(place: Office, at: Desk, run_id: RowId) -> RunView:
    return seen(await place.documents.run_view(at.tenant.id, None, run_id))


@contextlib.asynccontextmanager
async def _leaving(run_id: RowId) -> AsyncIterator[None]:
    """Whoever presses Ctrl-C is told that the run goes on without them."""
    try:
        yield
    except asyncio.CancelledError:
        said = f"\nThe run {run_id} goes on. Stop it with: greenroom document cancel {run_id}"
        progress.print(said, soft_wrap=True, markup=False)
        raise
