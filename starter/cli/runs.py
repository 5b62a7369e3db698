"""greenroom runs and retry: how researches stand, and another try."""

from datetime import datetime
from typing import Annotated

import typer
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from schemas.base import RowId
from schemas.tenants import RunRow
from starter import intake
from starter.cli import do
from starter.cli.options import Json, Limit, Tenant, Wait, Watch, cell, console, put_json, put_table, table
from starter.cli.research import Result, begin, put_result, result
from starter.desk import Desk, desk
from starter.words import NotFoundError, UsageError
from workflows import ids

COLOURS = {"ready": "green", "failed": "red", "generating": "cyan"}


def runs(tenant: Tenant = None, json: Json = False, limit: Limit = 20) -> None:
    """List researches, the newest first: what runs, what is ready, what failed and why."""
    rows = do(_list(tenant, limit))
    if json:
        put_json(rows)
    elif not rows:
        console.print("Nothing has been researched yet; begin with: greenroom research ada@lovelace.example")
    else:
        _print(rows)


def retry(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="The research's id; greenroom runs shows them.")],
    watch: Watch = False,
    wait: Wait = True,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Research again what failed, or what you want anew. What is still fresh is used again, not paid for again."""
    research_id = intake.row_id(wanted)

    async def work() -> Result:
        async with desk(tenant) as at:
            client = await at.temporal()
            await _stands_still(at, client, research_id)
            return await result(at, await begin(at, client, research_id), wait=wait, watch=watch)

    put_result(do(work()), as_json=json)


def since(row: RunRow) -> datetime:
    """When it came to stand as it does."""
    return {"generating": row.begun_at, "ready": row.ended_at, "failed": row.ended_at}.get(row.status) or (
        row.requested_at
    )


async def _stands_still(at: Desk, client: Client, research_id: RowId) -> None:
    """Refuse what is not known, and what runs already."""
    if await at.library.run(at.tenant.id, research_id) is None:
        raise NotFoundError("There is no such research", "greenroom runs shows them")
    try:
        found = await client.get_workflow_handle(ids.research(at.tenant.id, research_id)).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return
        raise
    if found.status is WorkflowExecutionStatus.RUNNING:
        raise UsageError("This research is running", "greenroom runs shows how it stands")


def _print(rows: list[RunRow]) -> None:
    shown = table("id", "what", "status", "since", "reason")
    for row in rows:
        shown.add_row(
            cell(row.id),
            cell(row.title),
            cell(row.status, COLOURS.get(row.status, "")),
            cell(f"{since(row):%Y-%m-%d %H:%M} UTC"),
            cell(row.failure_reason or ""),
        )
    put_table(shown)


async def _list(tenant: str | None, limit: int) -> list[RunRow]:
    async with desk(tenant) as at:
        return await at.library.runs(at.tenant.id, limit)
