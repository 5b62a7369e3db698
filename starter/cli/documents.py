"""greenroom document: agreements, from the file to what stands in it, what differs and what is proposed."""

from pathlib import Path
from typing import Annotated

import typer

from activities.plain import clean
from schemas.base import RowId
from schemas.documentbook import ComparisonView, DocumentLine, DocumentView, RedlineView, RunView
from schemas.documents import ENDED, Against, NewRun, Role, RunStatus, TakenDocument, Work
from starter import documents, intake, logs
from starter.cli import do, reviewing
from starter.cli.options import Json, Limit, Tenant, console, only_one, put_json
from starter.cli.reviewing import LIST, Asked
from starter.cli.wishes import whose
from starter.desk import Desk, desk
from starter.office import Office
from starter.words import NotFoundError, UsageError

app = typer.Typer(help="Documents: reviewed clause by clause, compared, and redlined.", no_args_is_help=True)

LONGEST_REASON = 500

Which = Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its id; greenroom document list shows them.")]
Work_ = Annotated[str, typer.Argument(metavar="ID", help="A run's id, or a document's.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="PDF, DOCX or text; - is stdin.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show how far it is, wait for its end, and show what came of it.")]
Urgent = Annotated[bool, typer.Option("--urgent", help="Before others that wait.")]
Again = Annotated[bool, typer.Option("--again", help="Though it ended well before.")]
Whose = Annotated[
    str | None, typer.Option("--user", metavar="EMAIL", help="Whose it is: an address, or a name. The first user's.")
]


@app.command()
def review(
    what: Annotated[str, typer.Argument(metavar="FILE|DOCUMENT", help="PDF, DOCX or text; or a document's id.")],
    watch: Watch = False,
    urgent: Urgent = False,
    playbook: Annotated[bool, typer.Option("--playbook", help="Compare it with the playbook as well.")] = False,
    again: Again = False,
    user: Whose = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Have a document reviewed: what stands in it, what is risky and what is missing, with the words that say so.

    For example: greenroom document review nda.docx --watch
    """
    known = word if intake.ROW_ID.fullmatch(word := what.strip().lower()) else None
    data = b"" if known else reviewing.read(Path(what))

    async def work() -> tuple[Asked | DocumentView, RunView | None]:
        async with desk(tenant) as at:
            place = await reviewing.office(at)
            document_id = known or await _taken(place, at, Path(what).name, data, user)
            wanted = NewRun(document_id=document_id, urgent=urgent, again=again)
            asked = await reviewing.ask(place, at, wanted)
            if playbook:
                compared = {"work": Work.COMPARISON, "against": Against.PLAYBOOK}
                await documents.ask(place, at.tenant.id, wanted.model_copy(update=compared))
            return await _reviewed(place, at, asked, watch=watch)

    with logs.silent():
        reviewing.put(*do(work()), as_json=json)


@app.command()
def upload(
    file: File,
    playbook: Annotated[bool, typer.Option("--playbook", help="It is what others are compared with.")] = False,
    user: Whose = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Keep a document without having it reviewed. A playbook is the whole tenant's when no user is named."""
    data, role = reviewing.read(file), Role.PLAYBOOK if playbook else Role.REVIEW

    async def work() -> TakenDocument:
        async with desk(tenant) as at:
            owner = None if playbook and user is None else (await whose(at, user)).id
            return await documents.upload(await reviewing.office(at), at.tenant.id, owner, role, file.name, data)

    taken = do(work())
    if json:
        put_json(taken)
    else:
        typer.echo(taken.id)


@app.command("list")
def list_(
    role: Annotated[Role | None, typer.Option("--role", help="Only these.")] = None,
    limit: Limit = 30,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """List documents, the newest first: how far each is, and how risky."""

    async def work() -> tuple[DocumentLine, ...]:
        async with desk(tenant) as at:
            return await (await reviewing.office(at)).documents.list(at.tenant.id, None, role, limit)

    lines = do(work())
    if json:
        put_json(lines)
    elif not lines:
        console.print("There is no document yet; begin with: greenroom document review FILE --watch")
    else:
        reviewing.print_lines(lines)


@app.command()
def show(which: Which, tenant: Tenant = None, json: Json = False) -> None:
    """Show a document with what was found in it, and the work on it."""
    document_id = intake.row_id(which)

    async def work() -> DocumentView:
        async with desk(tenant) as at:
            return await reviewing.shown(await reviewing.office(at), at, document_id)

    reviewing.put(do(work()), None, as_json=json)


@app.command()
def compare(
    which: Which,
    playbook: Annotated[bool, typer.Option("--playbook", help="With the playbook; so it is by default.")] = False,
    with_: Annotated[str | None, typer.Option("--with", metavar="DOCUMENT", help="With another document.")] = None,
    nearest: Annotated[bool, typer.Option("--nearest", help="With the references that are nearest to it.")] = False,
    watch: Watch = False,
    urgent: Urgent = False,
    again: Again = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Compare a document clause by clause: with the playbook, another document, or the nearest references."""
    only_one(playbook=playbook, with_=with_, nearest=nearest)
    against = Against.DOCUMENT if with_ else Against.NEAREST if nearest else Against.PLAYBOOK
    wanted = NewRun(
        document_id=intake.row_id(which),
        work=Work.COMPARISON,
        against=against,
        other_id=intake.row_id(with_) if with_ else None,
        urgent=urgent,
        again=again,
    )

    async def work() -> tuple[Asked | ComparisonView, RunView | None]:
        async with desk(tenant) as at:
            place = await reviewing.office(at)
            asked = await reviewing.ask(place, at, wanted)
            if not watch:
                return asked, None
            ended = await reviewing.followed(place, at, asked.run_id)
            return reviewing.seen(await place.documents.comparison(at.tenant.id, None, asked.run_id)), ended

    with logs.silent():
        reviewing.put(*do(work()), as_json=json)


@app.command()
def redline(
    which: Which,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.docx", help="Wait, and put the file there.")
    ] = None,
    watch: Watch = False,
    urgent: Urgent = False,
    again: Again = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Propose changes to a reviewed document: a DOCX with tracked changes, and a letter to the other side."""
    wanted = NewRun(document_id=intake.row_id(which), work=Work.REDLINE, urgent=urgent, again=again)

    async def work() -> tuple[Asked | RedlineView, RunView | None]:
        async with desk(tenant) as at:
            place = await reviewing.office(at)
            asked = await reviewing.ask(place, at, wanted)
            if not watch and out is None:
                return asked, None
            ended = await reviewing.followed(place, at, asked.run_id)
            view = reviewing.seen(await place.documents.redline(at.tenant.id, None, asked.run_id))
            if out is not None and ended.status is RunStatus.COMPLETED and view.proposals:
                reviewing.write(out, await reviewing.file_of(place, at, asked.run_id))
            return view, ended

    with logs.silent():
        reviewing.put(*do(work()), as_json=json)


@app.command()
def cancel(which: Work_, tenant: Tenant = None, json: Json = False) -> None:
    """Stop a run, or all that is under way on a document. What it made is removed."""
    row_id = intake.row_id(which)

    async def work() -> list[RowId]:
        async with desk(tenant) as at:
            place = await reviewing.office(at)
            found = await place.documents.view(at.tenant.id, None, row_id)
            runs = [row_id] if found is None else [run.id for run in found.runs if run.status not in ENDED]
            return [run for run in runs if await documents.cancel(place, at.tenant.id, run)]

    stopped = do(work())
    if json:
        put_json({"id": row_id, "stopped": bool(stopped), "runs": stopped})
    else:
        console.print("It stops" if stopped else "Nothing of it is under way")


@app.command()
def retry(
    which: Work_,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with the run.")] = "",
    watch: Watch = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Do a run again that failed or was stopped: this one, or the last of a document's."""
    if len(reason) > LONGEST_REASON:
        raise UsageError(f"The reason is longer than {LONGEST_REASON} letters")
    row_id = intake.row_id(which)

    async def work() -> tuple[Asked | DocumentView, RunView | None]:
        async with desk(tenant) as at:
            place = await reviewing.office(at)
            asked = await _retried(place, at, row_id, clean(reason, LONGEST_REASON))
            return await _reviewed(place, at, asked, watch=watch)

    with logs.silent():
        reviewing.put(*do(work()), as_json=json)


@app.command()
def delete(
    which: Which,
    yes: Annotated[bool, typer.Option("--yes", help="Without being asked.")] = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Delete a document with all that was made of it. What is under way is stopped."""
    document_id = intake.row_id(which)
    reviewing.sure("Delete it, with all that was made of it? It cannot be brought back.", yes=yes)

    async def work() -> bool:
        async with desk(tenant) as at:
            return await documents.delete(await reviewing.office(at), at.tenant.id, document_id)

    if not do(work()):
        raise NotFoundError("There is no such document", LIST)
    if json:
        put_json({"id": document_id, "deleted": True})
    else:
        console.print("It is deleted")


async def _taken(place: Office, at: Desk, name: str, data: bytes, user: str | None) -> RowId:
    owner = await whose(at, user)
    return (await documents.upload(place, at.tenant.id, owner.id, Role.REVIEW, name, data)).id


async def _reviewed(
    place: Office, at: Desk, asked: Asked, *, watch: bool
) -> tuple[Asked | DocumentView, RunView | None]:
    """What was asked for, and how it ended when that is waited for."""
    if not watch:
        return asked, None
    ended = await reviewing.followed(place, at, asked.run_id)
    return await reviewing.shown(place, at, asked.document_id), ended


async def _retried(place: Office, at: Desk, row_id: RowId, reason: str) -> Asked:
    """A run, or what came to nothing last of a document."""
    if await place.documents.view(at.tenant.id, None, row_id) is None:
        asked = await documents.retry(place, at.tenant.id, row_id, reason)
        await reviewing.missed(place, asked)
        return asked
    wanted = await place.documents.to_retry(at.tenant.id, row_id)
    if wanted is None:
        raise UsageError("Nothing of this document came to nothing, so there is nothing to do again")
    return await reviewing.ask(place, at, wanted.model_copy(update={"reason": reason}))
