"""greenroom events list, schema and send: what events there are, what each says, and one sent by hand."""

from typing import Annotated, BinaryIO
from uuid import uuid4

import typer

from activities.store.received import ReceivedStore
from schemas.events import REGISTRY, Definition, known
from starter.cli import do
from starter.cli.options import Json, Tenant, cell, put_json, put_table, table
from starter.desk import desk
from starter.dispatch import Dispatcher
from starter.environment import connect
from starter.errands import AwayError
from starter.inbox import Inbox, RefusedError, decode, read
from starter.web.events import LARGEST_EVENTS
from starter.words import NotFoundError, NotReadyError, UsageError

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, as greenroom events list shows it, or an alias.")]


def list_(json: Json = False) -> None:
    """List the events there are: in is what others send us, out is what we tell them."""
    if json:
        put_json([_described(one) for one in REGISTRY.values()])
        return
    rows = table("name", "version", "way", "what comes of it", "also called")
    for one in REGISTRY.values():
        also = ", ".join(one.aliases)
        rows.add_row(cell(one.name), cell(one.version), cell(one.direction.value), cell(one.does), cell(also))
    put_table(rows)


def schema(name: Name) -> None:
    """Print the JSON Schema of what an event says."""
    put_json(_definition(name).schema())


def send(
    name: Name,
    data: Annotated[
        str | None, typer.Option("--data", metavar="JSON", help="What it says; by default nothing.")
    ] = None,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Option("--file", metavar="FILE", help="What it says, from a file; - is stdin."),
    ] = None,
    event_id: Annotated[
        str | None, typer.Option("--id", help="Its id: the same id is the same event, and is done once.")
    ] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Send an event, as an application of this tenant would.

    For example: greenroom events send research/generate.requested --data '{"type": "adhoc", "prospects": [{"email":
    "ada@lovelace.example"}]}'
    """
    definition = _definition(name)
    key = do(_send(definition, _payload(data, file), event_id, tenant))
    if json:
        put_json({"ids": [key], "status": 200})
    else:
        typer.echo(key)


async def _send(definition: Definition, data: object, event_id: str | None, tenant: str | None) -> str:
    """Through the same checks as at the door."""
    async with desk(tenant) as at:
        inbox = Inbox(ReceivedStore(at.database), Dispatcher(at.settings, at.database, await connect(at.settings)))
        event = {"name": definition.name, "data": data, "id": event_id}
        try:
            sent = read(event, at.tenant.id, lambda _number: str(uuid4()))
            await inbox.take(at.tenant.id, None, sent)
        except RefusedError as error:
            raise UsageError(f"It was not sent: {error.sentence.removeprefix('events[0].')}") from None
        except AwayError:
            raise NotReadyError(
                "Temporal does not answer", "start the stack with: make dev, and send it again"
            ) from None
        return sent[0].key


def _payload(data: str | None, file: BinaryIO | None) -> object:
    if data is not None and file is not None:
        raise UsageError("--data and --file exclude each other", "give one of them")
    said = (
        data.encode(errors="surrogateescape") if data is not None else file.read(LARGEST_EVENTS + 1) if file else b"{}"
    )
    if len(said) > LARGEST_EVENTS:
        raise UsageError(f"At most {LARGEST_EVENTS // 1024} KiB are sent at once")
    try:
        return decode(said)
    except RefusedError:
        raise UsageError('What it says is no JSON, such as {"type": "adhoc"}') from None


def _definition(name: str) -> Definition:
    found = known(name)
    if found is None:
        raise NotFoundError(f'There is no event "{name[:60]}"', "greenroom events list shows them")
    return found


def _described(one: Definition) -> dict[str, object]:
    told = {"name": one.name, "version": one.version, "direction": one.direction.value, "does": one.does}
    return {**told, "aliases": list(one.aliases), "schema": one.schema()}
