"""greenroom research: a brief about people, or for a meeting."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client

from schemas.base import RowId
from schemas.briefs import Brief
from schemas.meetings import Attendee
from starter import intake, start
from starter.checks import polled
from starter.cli import do
from starter.cli.briefs import link_to, put
from starter.cli.options import Json, Tenant, Wait, Watch, progress, put_json
from starter.cli.waiting import Handle, finish, research_id
from starter.desk import Desk, desk
from starter.words import NotFoundError, UsageError
from workflows import queues


def research(
    emails: Annotated[list[str] | None, typer.Argument(metavar="EMAIL...", help="Who you will meet.")] = None,
    meeting: Annotated[str | None, typer.Option("--meeting", help="Research the meeting of this id instead.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The person's name, with a single address.")] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="What you will sell them; by default the oldest active campaign.")
    ] = None,
    watch: Watch = False,
    wait: Wait = True,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Research people you are about to meet, and write a brief in which every fact has a quoted source.

    For example: greenroom research ada@lovelace.example --watch
    """
    people, meeting_id = _whom(emails or [], name, meeting, campaign)

    async def work() -> Result:
        async with desk(tenant) as at:
            handle = await (begin_meeting(at, meeting_id) if meeting_id else begin_request(at, people, campaign))
            return await result(at, handle, wait=wait, watch=watch)

    put_result(do(work()), as_json=json)


# A brief with its link, or the handle of a run that is not waited for.
Result = tuple[Brief, str] | Handle


def _whom(
    emails: list[str], name: str | None, meeting: str | None, campaign: str | None
) -> tuple[tuple[Attendee, ...], RowId | None]:
    """Either people or a meeting, whose campaign and names are known."""
    if bool(emails) == bool(meeting):
        raise UsageError("Give addresses or a meeting, such as: greenroom research ada@lovelace.example")
    if meeting and (name or campaign):
        raise UsageError("--meeting says who comes and for which campaign; leave --name and --campaign out")
    return intake.people(emails, name), intake.row_id(meeting) if meeting else None


async def begin_request(at: Desk, people: tuple[Attendee, ...], campaign: str | None) -> Handle:
    """An ad hoc request, written down and started."""
    client = await at.temporal()
    chosen = await at.campaign(campaign)
    request_id = await intake.Intake(at.meetings, at.settings).request(at.tenant.id, chosen, people, datetime.now(UTC))
    return await begin(at, client, request_id)


async def begin_meeting(at: Desk, meeting_id: RowId) -> Handle:
    """A meeting that is known, started."""
    return await begin(at, await at.temporal(), meeting_id)


async def begin(at: Desk, client: Client, wanted: RowId) -> Handle:
    """What is written down, started."""
    occasion = await at.meetings.occasion(at.tenant.id, wanted)
    if occasion is None:
        raise NotFoundError("There is no such meeting or research", "greenroom runs shows what is known")
    if not occasion.active:
        raise UsageError("Its campaign is not active, and nothing is started for it", "greenroom campaign list")
    handle = await start.research(client, at.tenant, occasion)
    if not await polled(client, queues.WORKFLOWS):
        progress.print("No worker is there to do it yet; start one with: greenroom worker", style="yellow")
    return handle


async def result(at: Desk, handle: Handle, *, wait: bool, watch: bool) -> Result:
    """The brief when it is waited for, with the link to its page."""
    if not wait:
        return handle
    brief = await finish(at, handle, watch=watch)
    return brief, link_to(at, brief.id)


def put_result(done: Result, *, as_json: bool) -> None:
    """A brief, or the id of a research that runs: what `greenroom runs` and `retry` call it."""
    if isinstance(done, tuple):
        put(*done, as_json=as_json)
    elif as_json:
        put_json({"id": research_id(done), "workflow_id": done.id})
    else:
        typer.echo(research_id(done))
