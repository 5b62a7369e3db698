"""greenroom keys: what lets other applications send events, and what encrypts secrets and what Temporal keeps of runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from activities.plain import clean
from activities.sealing import Sealer, new_key
from activities.store.event_keys import EventKeyStore, NewKey
from activities.store.rotation import Rotation
from schemas.settings import Settings
from schemas.tenants import EventKey
from starter import intake
from starter.cli import do
from starter.cli.calendars import when
from starter.cli.options import Json, Tenant, cell, console, put_json, put_table, table
from starter.desk import database_there, desk
from starter.environment import load_settings
from starter.words import FailedError, NotFoundError, UsageError

# Secrets that are sealed anew between two looks for more.
BATCH = 100
LONGEST_NAME = 100

app = typer.Typer(
    help="Keys with which applications send events, and keys that encrypt secrets and what Temporal keeps of runs.",
    no_args_is_help=True,
)


@dataclass(frozen=True)
class Done:
    """How a rotation went: how many were sealed anew with which key, and how many no key opens."""

    key: str
    sealed: int
    failed: int


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, such as the application's name.")],
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Make an event key, with which an application starts work of this tenant. It is shown once.

    An Inngest SDK takes the key and the base URL. Whoever signs posts to BASE/events, with the header Greenroom-Key: ID
    beside webhook-id, webhook-timestamp and webhook-signature, made with the secret as the Standard Webhooks have it.
    """
    shown = clean(name, LONGEST_NAME)
    if not shown:
        raise UsageError("A key needs a name, such as: greenroom keys create crm")
    base, made = do(_create(shown, tenant))
    told = {"id": made.id, "name": shown, "key": made.key, "signing_secret": made.secret, "base_url": base}
    if json:
        put_json(told)
        return
    for label, value in told.items():
        console.print(f"{label.replace('_', ' '):<15} {value}", markup=False, soft_wrap=True)
    console.print(_signing(base, made.id), markup=False, soft_wrap=True)
    console.print("The key and the secret are not shown again.", style="yellow")


def _signing(base: str, key_id: str) -> str:
    headers = "webhook-id, webhook-timestamp and webhook-signature (Standard Webhooks)"
    return f"Whoever signs posts to {base}/events, with Greenroom-Key: {key_id} beside {headers}."


async def _create(name: str, tenant: str | None) -> tuple[str, NewKey]:
    async with desk(tenant) as at:
        keys = EventKeyStore(at.database, _sealer(at.settings))
        return at.settings.web_url.rstrip("/"), await keys.create(at.tenant.id, name, datetime.now(UTC))


@app.command("list")
def list_(tenant: Tenant = None, json: Json = False) -> None:
    """List event keys, oldest first; never the keys themselves."""

    async def work() -> list[EventKey]:
        async with desk(tenant) as at:
            return await EventKeyStore(at.database, _sealer(at.settings)).list(at.tenant.id)

    found = do(work())
    if json:
        put_json(found)
    elif not found:
        console.print("There is no event key yet; make one with: greenroom keys create NAME")
    else:
        rows = table("id", "name", "made", "revoked")
        for one in found:
            rows.add_row(cell(one.id), cell(one.name), cell(when(one.created_at)), cell(when(one.revoked_at)))
        put_table(rows)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As greenroom keys list shows it.")], tenant: Tenant = None
) -> None:
    """Take nothing any more that comes with an event key. What has begun goes on."""
    wanted = intake.row_id(key_id)

    async def work() -> bool:
        async with desk(tenant) as at:
            return await EventKeyStore(at.database, _sealer(at.settings)).revoke(
                at.tenant.id, wanted, datetime.now(UTC)
            )

    if not do(work()):
        raise NotFoundError("There is no such event key", "greenroom keys list shows them")
    console.print(f"{wanted} is revoked")


@app.command()
def new() -> None:
    """Make a key, for GREENROOM_TOKEN_KEYS or GREENROOM_PAYLOAD_KEYS: last, until everything knows it, and then first.

    The first key seals what is new; all of them open. An old token key may go after `greenroom keys rotate`; an old
    payload key when the last run that was begun with it is over and Temporal keeps it no more (its retention).
    """
    typer.echo(new_key())


@app.command()
def rotate(json: Json = False) -> None:
    """Encrypt all tokens and secrets, of all tenants, with the first key of GREENROOM_TOKEN_KEYS. Then the others may go.

    Safe while everything runs, and to be done again.
    """
    done = do(_rotate())
    if json:
        put_json({"key": done.key, "sealed": done.sealed, "failed": done.failed})
    else:
        console.print(f"{done.sealed} sealed anew with {done.key}")
    if done.failed:
        raise FailedError(
            f"{done.failed} could not be opened", "put the key that is missing back, or let their users connect again"
        )


async def _rotate() -> Done:
    settings = load_settings()
    sealer = _sealer(settings)
    async with database_there(settings) as database:
        rotation, sealed, failed, after = Rotation(database, sealer), 0, 0, None
        while True:
            batch = await rotation.rotate(after, BATCH)
            sealed, failed, after = sealed + batch.sealed, failed + batch.failed, batch.after
            if after is None:
                return Done(sealer.current, sealed, failed)


def _sealer(settings: Settings) -> Sealer:
    try:
        return Sealer(settings.token_keys.get_secret_value())
    except ValueError as error:
        raise UsageError(str(error)) from None
