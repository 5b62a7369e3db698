"""greenroom erase, export and retention: what is kept of people, for how long, and the end of it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from temporalio.client import WorkflowFailureError

from activities.attendance import unplussed
from activities.store.dossiers import DossierStore
from activities.store.erasures import ErasureStore, MemberError
from activities.store.retention import RetentionStore
from schemas.base import PersonKey
from schemas.erasures import LEAST_DAYS, MOST_DAYS, Dossier, Erasure, ErasureReport
from starter import intake, start
from starter.checks import polled
from starter.cli import do
from starter.cli.options import Json, Tenant, cell, console, interactive, only_one, progress, put_json
from starter.desk import Desk, desk
from starter.words import FailedError, UsageError
from workflows import queues, story

Whom = Annotated[str, typer.Argument(metavar="EMAIL", help="The address of the person.")]

# What no erasure reaches, and why.
STAYS = (
    "a hash that says that they are not to be researched, and not who they are",
    "that there was a call, without who was in it and what was said: its recorder would bring it again",
    "mails with briefs that were sent, and calendars and recordings at their providers: they are not ours",
    "what users wrote of what they sell, and texts about others that call them by one name only",
    "backups of the database, until they are overwritten",
    "what a podcast application has fetched of a digest: the audio that we keep is deleted, not theirs",
)

retention = typer.Typer(help="How long what was found out is kept.", no_args_is_help=True)


def erase(
    email: Whom,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    allow_again: Annotated[
        bool, typer.Option("--allow-again", help="Let them be researched again; nothing is deleted or brought back.")
    ] = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Delete all that is kept of a person, and research them no more. Says what was done, and what stays.

    Their rows, what others' sources and briefs say of them, and the workflow runs about them are gone afterwards. Briefs
    of meetings to come are written again without them.
    """
    only_one(yes=yes, allow_again=allow_again)
    address = intake.email(email)
    if allow_again:
        _put_allowed(address, do(_allow(address, tenant)), as_json=json)
        return
    # Asked between the two, where Ctrl-C is understood.
    _sure(do(_dossier(address, tenant)), yes=yes)
    _put_report(do(_erase(address, tenant)), as_json=json)


def export(
    email: Whom,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Into a new file that only you can read.")
    ] = None,
    tenant: Tenant = None,
    json: Annotated[bool, typer.Option("--json", help="JSON is what it always is.")] = False,  # noqa: ARG001 - see help
) -> None:
    """Print all that is kept of a person, as one JSON document."""
    found = do(_dossier(intake.email(email), tenant))
    if out is None:
        put_json(found)
    else:
        _write(out, found)
        progress.print(f"Written to {out}", markup=False, soft_wrap=True)


@retention.command()
def show(tenant: Tenant = None, json: Json = False) -> None:
    """Show for how many days what was found out is kept."""

    async def work() -> int:
        async with desk(tenant) as at:
            return await RetentionStore(at.database).days(at.tenant.id)

    _put_days(do(work()), as_json=json)


@retention.command("set")
def set_(
    days: Annotated[int, typer.Argument(min=LEAST_DAYS, max=MOST_DAYS, help="Days after a meeting has ended.")],
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Set for how many days what was found out is kept. What is older is deleted once a day, by the clock."""

    async def work() -> None:
        async with desk(tenant) as at:
            await RetentionStore(at.database).keep(at.tenant.id, days)

    do(work())
    _put_days(days, as_json=json)


def _key(at: Desk, address: str) -> PersonKey:
    """What stands for them, under whichever +tag."""
    return intake.person_keys(at.settings).of(at.tenant.id, unplussed(address))


async def _dossier(address: str, tenant: str | None) -> Dossier:
    async with desk(tenant) as at:
        return await DossierStore(at.database).dossier(at.tenant.id, address, _key(at, address))


async def _allow(address: str, tenant: str | None) -> bool:
    async with desk(tenant) as at:
        return await ErasureStore(at.database).allow(at.tenant.id, _key(at, address))


async def _erase(address: str, tenant: str | None) -> ErasureReport:
    """The request, written down once Temporal is there to do it, and waited for. Leaving does not stop it."""
    async with desk(tenant) as at:
        client, store = await at.temporal(), ErasureStore(at.database)
        order = await _request(at, store, address)
        handle = await start.erasure(client, order)
        if not await polled(client, queues.WORKFLOWS):
            progress.print("No worker is there to do it yet; start one with: greenroom worker", style="yellow")
        try:
            await handle.result()
        except WorkflowFailureError as error:
            said = f"It is not done: {story.why(error.cause)[1]}"
            raise FailedError(said, "ask for it again; what is gone stays gone") from None
        return await store.report(order)


async def _request(at: Desk, store: ErasureStore, address: str) -> Erasure:
    try:
        erasure_id = await store.request(at.tenant.id, address, datetime.now(UTC))
    except MemberError:
        raise UsageError(
            f"{address} is a user here, or an account that is read",
            "only people who are met are forgotten; disconnect the account first",
        ) from None
    return Erasure(tenant_id=at.tenant.id, erasure_id=erasure_id)


def _sure(found: Dossier, *, yes: bool) -> None:
    """What is about to go is shown to whoever is there."""
    if interactive():
        _preview(found)
    if yes:
        return
    if not interactive():
        raise UsageError("Nobody is here to be asked whether you are sure", "give --yes")
    typer.confirm("Delete all of it? It cannot be brought back.", abort=True, err=True)


def _preview(found: Dossier) -> None:
    said = (
        ("people", len(found.people)),
        ("meetings", len({one.meeting_id for one in found.meetings})),
        ("requests", sum(one.kind == "adhoc" for one in found.requests)),
        ("briefs", len(found.briefs)),
        ("claims", len(found.claims)),
        ("look-ups", len(found.look_ups)),
        ("sources", len(found.pages)),
        ("marks", len(found.marks)),
    )
    listed = ", ".join(f"{count} {what}" for what, count in said if count)
    progress.print(cell(f"Kept of {found.email}: {listed or 'nothing'}"), soft_wrap=True)


def _put_report(report: ErasureReport, *, as_json: bool) -> None:
    if as_json:
        put_json({**report.model_dump(mode="json"), "suppressed": True, "stays": list(STAYS)})
        return
    if report.counts:
        console.print("Deleted or changed:")
        for what, count in sorted(report.counts.items()):
            console.print(f"  {count:>5}  {what}", markup=False)
    else:
        console.print("Nothing was kept of them.")
    console.print("They are not researched any more; greenroom erase EMAIL --allow-again lifts that.", markup=False)
    for research_id in report.unwritten:
        console.print(f"Lost its brief, for others too: greenroom retry {research_id}", markup=False, soft_wrap=True)
    console.print("What stays:")
    for what in STAYS:
        console.print(f"  {what}", markup=False, soft_wrap=True)


def _put_allowed(address: str, lifted: bool, *, as_json: bool) -> None:
    if as_json:
        put_json({"email": address, "lifted": lifted})
    elif lifted:
        console.print(f"{address} may be researched again", markup=False, soft_wrap=True)
    else:
        console.print(f"{address} was not suppressed; nothing has changed", markup=False, soft_wrap=True)


def _put_days(days: int, *, as_json: bool) -> None:
    if as_json:
        put_json({"days": days})
    else:
        console.print(f"What was found out is kept for {days} days after its meeting", markup=False)


def _write(path: Path, found: Dossier) -> None:
    """A new file: one that is there may be read by others, and stays as it is."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})", "name a new file") from None
    with os.fdopen(handle, "w") as file:
        file.write(found.model_dump_json(indent=2) + "\n")
