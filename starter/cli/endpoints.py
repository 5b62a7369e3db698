"""greenroom events endpoint and redeliver: where a tenant hears of what happened, and what it is to hear again."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from activities.providers.guarded import ForbiddenError, checked
from activities.sealing import Sealer
from activities.store.endpoints import EndpointStore
from schemas.deliveries import EndpointLine
from starter.cli import do
from starter.cli.calendars import when
from starter.cli.options import Json, Tenant, cell, console, progress, put_json, put_table, table
from starter.desk import Desk, desk
from starter.start import Doorbell
from starter.words import NotFoundError, NotReadyError, UsageError

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PRIVATE = "GREENROOM_PRIVATE_ENDPOINTS=true allows it in development"
HOW = "set one with: greenroom events endpoint https://hooks.acme.example/greenroom"

AGAIN = "greenroom events redeliver --parked"
LONGEST_SAID = 500

# What Postgres can count to.
LARGEST = 2**63 - 1

COLOURS = {"active": "green", "refused": "red"}


@dataclass(frozen=True)
class Put:
    """An endpoint as it stands, with a secret that is new."""

    line: EndpointLine
    secret: str | None = None


def endpoint(
    url: Annotated[str | None, typer.Argument(metavar="[URL]", help="Where events are posted from now on.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Post nothing any more.")] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new secret; the old one signs nothing more.")
    ] = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Show where events are posted, signed; or set that, switch it off, or make a new secret.

    A secret is shown once. Setting an endpoint that refused has everything that waits sent.
    """
    if off and (url is not None or rotate):
        raise UsageError("--off takes neither an address nor --rotate")
    if off:
        do(_off(tenant))
        progress.print("Nothing is posted any more")
        return
    put = do(_show(tenant) if url is None and not rotate else _put(url, tenant, rotate=rotate))
    if json:
        put_json({**put.line.model_dump(mode="json"), **({"secret": put.secret} if put.secret else {})})
    else:
        _print(put)


def redeliver(
    wanted: Annotated[str | None, typer.Argument(metavar="[ID]", help="One event; tail --json shows ids.")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="All that were given up.")] = False,
    since: Annotated[
        int | None,
        typer.Option("--since", min=0, max=LARGEST, metavar="SEQUENCE", help="All that follow this sequence number."),
    ] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Have events posted again, under the ids that they had."""
    given = [wanted is not None, parked, since is not None]
    if given.count(True) != 1:
        raise UsageError("Name one event by its id, or give --parked or --since SEQUENCE")
    if wanted is not None and not ID.fullmatch(wanted.lower()):
        raise UsageError(f'"{wanted[:60]}" is no id of an event', "greenroom events tail --json shows them")
    count = do(_redeliver(wanted and wanted.lower(), since, tenant))
    if json:
        put_json({"pending": count})
    else:
        console.print(f"{count} to be posted again")


async def _show(tenant: str | None) -> Put:
    async with desk(tenant) as at:
        return Put(await _there(at))


async def _there(at: Desk) -> EndpointLine:
    line = await EndpointStore(at.database).endpoint(at.tenant.id)
    if line is None:
        raise NotFoundError("There is no endpoint", HOW)
    return line


async def _off(tenant: str | None) -> None:
    async with desk(tenant) as at:
        if not await EndpointStore(at.database).off(at.tenant.id):
            raise NotFoundError("There is no endpoint", HOW)


async def _put(url: str | None, tenant: str | None, *, rotate: bool) -> Put:
    async with desk(tenant) as at:
        if url is None:
            await _there(at)
        else:
            _check(url, private=at.settings.private_endpoints)
        try:
            sealer = Sealer(at.settings.token_keys.get_secret_value())
        except ValueError as error:
            raise UsageError(str(error)) from None
        secret = await EndpointStore(at.database).put(at.tenant.id, url, sealer, datetime.now(UTC), rotate=rotate)
        await _wake(at)
        return Put(await _there(at), secret)


async def _redeliver(event_id: str | None, since: int | None, tenant: str | None) -> int:
    async with desk(tenant) as at:
        if (await _there(at)).status != "active":
            raise UsageError("The endpoint has said that it is gone, and nothing is posted there", HOW)
        store = EndpointStore(at.database)
        if event_id is not None:
            count = await store.redeliver(at.tenant.id, event_id)
            if not count:
                raise NotFoundError("There is no such event", "greenroom events tail --json shows them")
        elif since is not None:
            count = await store.redeliver_since(at.tenant.id, since)
        else:
            count = await store.redeliver_parked(at.tenant.id)
        await _wake(at)
        return count


async def _wake(at: Desk) -> None:
    """What is stored is found by the workers in any case; this is only sooner."""
    try:
        await Doorbell(await at.temporal()).delivery(at.tenant.id, anew=True)
    except NotReadyError as error:
        progress.print(f"It is stored, and done once Temporal answers: {error.sentence}")


def _check(url: str, *, private: bool) -> None:
    try:
        checked(url, private=private)
    except ForbiddenError as error:
        raise UsageError(f"Nothing can be posted to that address: {error}", _remedy(url)) from None


def _remedy(url: str) -> str:
    """What would let it pass; nothing does for what is no address at all."""
    try:
        checked(url, private=True)
    except ForbiddenError:
        return ""
    return PRIVATE


def _print(put: Put) -> None:
    rows, line = table("address", "status", "since", "pending", "parked", "what it said"), put.line
    said = f"{line.reason or ''}" + (f", since {when(line.failing_since)}" if line.failing_since else "")
    rows.add_row(
        cell(line.url),
        cell(line.status, COLOURS.get(line.status, "")),
        cell(when(line.set_at)),
        cell(line.pending),
        cell(line.parked),
        cell(said),
    )
    put_table(rows)
    if line.parked and line.refusal:
        said = f"Parked: {line.parked}. The last refusal: {line.refusal}; to have them posted again: {AGAIN}"
        console.print(cell(said, longest=LONGEST_SAID), soft_wrap=True)
    if put.secret:
        progress.print("Its secret, shown this once; whoever verifies needs it:")
        console.print(cell(put.secret), soft_wrap=True)
