"""greenroom research: a brief about people, or for a meeting."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from schemas.briefs import Brief
from schemas.meetings import Attendee
from schemas.research import Progress, ResearchOutcome
from starter import intake, start
from starter.cli import do
from starter.cli.briefs import put
from starter.cli.options import Json, Tenant, progress
from starter.desk import Desk, desk
from starter.words import FailedError, NotFoundError, UsageError
from workflows.research import ResearchWorkflow

GLANCE_S = 0.5

Handle = WorkflowHandle[ResearchWorkflow, ResearchOutcome]


def research(
    emails: Annotated[list[str] | None, typer.Argument(metavar="EMAIL...", help="Who you will meet.")] = None,
    meeting: Annotated[str | None, typer.Option("--meeting", help="Research this meeting instead.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The person's name, with a single address.")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="By default the oldest active one.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show the progress of each look-up.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait for the brief, or print the run's id and go.")] = True,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Research people you are about to meet, and write a brief in which every fact has a quoted source."""
    if bool(emails) == bool(meeting):
        raise UsageError("Give addresses or a meeting, such as: greenroom research ada@lovelace.example")
    people = intake.people(emails or [], name)
    meeting_id = intake.row_id(meeting) if meeting else None

    async def work() -> Brief | str:
        async with desk(tenant) as at:
            handle = await (begin_meeting(at, meeting_id) if meeting_id else begin_request(at, people, campaign))
            return await finish(at, handle, watch=watch) if wait else handle.id

    result = do(work())
    if isinstance(result, str):
        typer.echo(result)
    else:
        put(result, as_json=json)


async def begin_request(at: Desk, people: tuple[Attendee, ...], campaign: str | None) -> Handle:
    """An ad hoc request, written down and started."""
    client = await at.temporal()
    chosen = await at.campaign(campaign)
    research_id = await intake.Intake(at.meetings, at.settings).request(at.tenant.id, chosen, people, datetime.now(UTC))
    occasion = await at.meetings.occasion(at.tenant.id, research_id)
    assert occasion is not None, "written a moment ago"
    return await start.research(client, at.tenant, occasion)


async def begin_meeting(at: Desk, meeting_id: str) -> Handle:
    """A meeting that is known, started."""
    occasion = await at.meetings.occasion(at.tenant.id, meeting_id)
    if occasion is None:
        raise NotFoundError("There is no such meeting", "greenroom runs shows what is known")
    if not occasion.active:
        raise UsageError("This meeting's campaign is not active, and nothing is started for it")
    return await start.research(await at.temporal(), at.tenant, occasion)


async def finish(at: Desk, handle: Handle, *, watch: bool) -> Brief:
    """The brief of a run, once it is done; its failure is a sentence."""
    try:
        outcome = await (watched(handle) if watch else handle.result())
    except WorkflowFailureError as error:
        reason = error.cause.message if isinstance(error.cause, ApplicationError) else type(error.cause).__name__
        raise FailedError(f"The research failed: {reason}", f"greenroom retry {handle.id.split('/')[-1]}") from None
    brief = await at.library.brief(at.tenant.id, outcome.brief_id)
    assert brief is not None, "the run says that it is stored"
    return brief


async def watched(handle: Handle) -> ResearchOutcome:
    """Wait, and show on stderr how each look-up stands."""
    result = asyncio.ensure_future(handle.result())
    with Live(console=progress, transient=not progress.is_terminal) as live:
        while not result.done():
            try:
                live.update(_table(await handle.query(ResearchWorkflow.progress)))
            except RPCError:
                # Nobody answers for the workflow just now: it goes on all the same.
                await asyncio.sleep(GLANCE_S)
            await asyncio.wait([result], timeout=GLANCE_S)
        live.update(_table(await handle.query(ResearchWorkflow.progress)))
    return await result


def _table(now: Progress) -> Table:
    table = Table(title=now.phase.value.capitalize(), title_justify="left", box=None, show_header=False)
    for label, state in (*now.prospects, *now.companies):
        table.add_row(label, state.value)
    return table
