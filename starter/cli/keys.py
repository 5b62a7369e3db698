"""greenroom keys: what encrypts the tokens of accounts, and what Temporal keeps of runs."""

from dataclasses import dataclass

import typer

from activities.sealing import Sealer, new_key
from activities.store.rotation import Rotation
from starter.cli import do
from starter.cli.options import Json, console, put_json
from starter.desk import database_there
from starter.environment import load_settings
from starter.words import FailedError, UsageError

# Connections that are sealed anew between two looks for more.
BATCH = 100

app = typer.Typer(
    help="Keys that encrypt the tokens of accounts, and what Temporal keeps of runs.", no_args_is_help=True
)


@dataclass(frozen=True)
class Done:
    """How a rotation went: how many were sealed anew with which key, and how many no key opens."""

    key: str
    sealed: int
    failed: int


@app.command()
def new() -> None:
    """Make a key, for GREENROOM_TOKEN_KEYS or GREENROOM_PAYLOAD_KEYS: last, until everything knows it, and then first.

    The first key seals what is new; all of them open. An old token key may go after `greenroom keys rotate`; an old
    payload key when the last run that was begun with it is over and Temporal keeps it no more (its retention).
    """
    typer.echo(new_key())


@app.command()
def rotate(json: Json = False) -> None:
    """Encrypt all tokens, of all tenants, with the first key of GREENROOM_TOKEN_KEYS. Then the others may go.

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
    try:
        sealer = Sealer(settings.token_keys.get_secret_value())
    except ValueError as error:
        raise UsageError(str(error)) from None
    async with database_there(settings) as database:
        rotation, sealed, failed, after = Rotation(database, sealer), 0, 0, None
        while True:
            batch = await rotation.rotate(after, BATCH)
            sealed, failed, after = sealed + batch.sealed, failed + batch.failed, batch.after
            if after is None:
                return Done(sealer.current, sealed, failed)
