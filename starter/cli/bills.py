"""greenroom bills: what a congress works on, for whoever is interested in it."""

import csv
import io
import json as jsons
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.digests.ports import Bill
from activities.providers import congress
from activities.store.bills import BillStore
from schemas.bills import BillsLoaded
from starter import bills
from starter.checks import polled
from starter.cli import do
from starter.cli.options import Json, Limit, cell, console, progress, put_json, put_table, table
from starter.environment import connect, load_settings, open_database
from starter.words import FailedError, UsageError
from workflows import queues, story

app = typer.Typer(help="Bills for digests: loaded by the clock, or from a file.", no_args_is_help=True)

LARGEST = 64 * 1024 * 1024
# Rows of one statement.
AT_ONCE = 500


class Imported(BaseModel):
    """What came of a file: how many bills it has, and how many of them are new or have changed."""

    read: int
    changed: int
    # Rows that are no bill.
    unread: int


@app.command()
def load(json: Json = False) -> None:
    """Load now what has changed since the last time, as the clock does every few hours."""

    async def work() -> BillsLoaded:
        settings = load_settings()
        client = await connect(settings)
        if not await polled(client, queues.NEWS):
            progress.print("No worker is there to do it yet; start one with: greenroom worker", style="yellow")
        try:
            return await bills.load(client)
        except WorkflowFailureError as error:
            raise FailedError(
                f"No bills were loaded: {story.why(error.cause)[1]}", "greenroom doctor says more"
            ) from None

    loaded = do(work())
    if json:
        put_json(loaded)
    else:
        console.print(f"{loaded.seen} bills looked at, {loaded.changed} of them new or changed")


@app.command("import")
def import_(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="JSON or CSV; - is stdin.")],
    sandbox: Annotated[bool, typer.Option("--sandbox", help="They are pretended, and say so.")] = False,
    json: Json = False,
) -> None:
    """Take bills from a file: JSON as api.congress.gov answers, or CSV with its fields by name.

    CSV: congress,type,number,title,originChamber,updateDate,actionDate,action,url,summary
    """
    read, unread = _read(file)

    async def work() -> int:
        async with open_database(load_settings()) as database:
            store, now = BillStore(database), datetime.now(UTC)
            parts = [read[start : start + AT_ONCE] for start in range(0, len(read), AT_ONCE)]
            return sum([await store.load(part, now, sandbox=sandbox) for part in parts])

    imported = Imported(read=len(read), changed=do(work()), unread=unread)
    if json:
        put_json(imported)
    else:
        left = f"; {unread} rows are no bill" if unread else ""
        console.print(f"{imported.read} bills read, {imported.changed} of them new or changed{left}")


@app.command("list")
def list_(
    words: Annotated[str, typer.Argument(metavar="[WORDS]", help="Only bills that have all of these.")] = "",
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List bills, those first that have changed last."""

    async def work() -> tuple[Bill, ...]:
        async with open_database(load_settings()) as database:
            return await BillStore(database).list(words, limit)

    found = do(work())
    if json:
        put_json(to_jsonable_python(found))
    elif not found:
        console.print("There is no such bill; load some with: greenroom bills load")
    else:
        _print(found)


def _read(file: typer.FileBinaryRead) -> tuple[list[Bill], int]:
    """The bills of a file, and how many of its rows are none."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(f"The file is larger than {LARGEST // 1024 // 1024} MB", "cut it into several")
    try:
        text = data.decode("utf-8-sig")
        document = jsons.loads(text) if text.lstrip()[:1] in ("{", "[") else {"bills": _rows(text)}
        document = {"bills": document} if isinstance(document, list) else document
        read = congress.read(document).bills
    except (ValueError, RecursionError, csv.Error, ApplicationError):
        raise UsageError("The file holds no bills", 'JSON with "bills", or CSV with a line of names first') from None
    return list(read), len(document["bills"]) - len(read)


def _rows(text: str) -> list[dict[str, Any]]:
    """CSV in the API's shape."""
    rows = csv.DictReader(io.StringIO(text))
    if not {"congress", "type", "number", "title", "updateDate"} <= set(rows.fieldnames or ()):
        raise ValueError("no such columns")
    return [{**row, "latestAction": {"actionDate": row.get("actionDate"), "text": row.get("action")}} for row in rows]


def _print(found: tuple[Bill, ...]) -> None:
    rows = table("id", "changed", "last action", "title")
    for one in found:
        rows.add_row(cell(one.id), cell(one.updated_on), cell(one.action, longest=80), cell(one.title, longest=120))
    put_table(rows)
