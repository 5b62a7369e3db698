"""greenroom gong: the calls that Gong records for a tenant."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import aiohttp
import typer
from pydantic import BaseModel
from temporalio.exceptions import ApplicationError

from activities.plain import clean
from activities.ports import RecorderAccess, UnauthorizedError
from activities.providers.gong import Gong
from activities.sealing import Sealer
from activities.store.recorders import RecorderStore
from schemas.recorders import CallsSwept, RecorderRow
from starter import start
from starter.cli import do
from starter.cli.calendars import when
from starter.cli.options import Json, Tenant, cell, console, interactive, only_one, put_json
from starter.cli.sandbox_server import call
from starter.desk import Desk, desk
from starter.environment import connect as connected
from starter.environment import load_settings
from starter.web.gong import notices_url, public_key
from starter.words import FailedError, NotFoundError, NotReadyError, UsageError

BASE_URL = "https://api.gong.io"
LONGEST = 500
# A key file is some hundred bytes.
LARGEST_KEY_FILE = 16 * 1024

app = typer.Typer(help="The calls that Gong records: whether they come in, and since when.", no_args_is_help=True)


class Shown(BaseModel):
    """A recorder, and the address that its rule sends to."""

    recorder: RecorderRow
    webhook: str


@app.command()
def connect(
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help=f"Your company's own; by default {BASE_URL}.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="The access key; its secret is asked.")
    ] = None,
    public_key_file: Annotated[
        Path | None,
        typer.Option(
            "--public-key", metavar="FILE", help="The key that the webhook rule shows; without it, no webhook."
        ),
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="The pretended one, with all that it needs.")] = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Let Gong's calls be read, or be read with a new key. Off a terminal the secret is read from stdin, one line.

    It prints the address to paste into Gong's rule. Then: greenroom gong sweep
    """
    if sandbox:
        only_one(sandbox=sandbox, base_url=base_url, key=key, public_key=public_key_file)
        shown = do(_connect_sandbox(tenant))
    else:
        signing = None if public_key_file is None else _key(public_key_file)
        access = RecorderAccess(_address(base_url or BASE_URL), _credentials(key))
        shown = do(_connect(tenant, access, signing))
    _put(shown, as_json=json)


@app.command()
def show(tenant: Tenant = None, json: Json = False) -> None:
    """Show whether calls come in, up to when they have been looked for, and the address for Gong's rule."""
    _put(do(_show(tenant)), as_json=json)


@app.command()
def sweep(json: Json = False) -> None:
    """Look now for calls that nobody told of, as every hour; of all tenants. They are read one after the other."""

    async def work() -> CallsSwept:
        return await start.call_sweeps(await connected(load_settings()))

    swept = do(work())
    if json:
        put_json(swept)
    else:
        failed = f"; {swept.failed} could not be looked through" if swept.failed else ""
        console.print(f"{swept.taken} new calls from {swept.swept} recorders{failed}")


@app.command()
def disconnect(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, tenant: Tenant = None, json: Json = False
) -> None:
    """Forget the key, and read no more calls. Those that have been read stay."""

    async def work() -> bool:
        async with desk(tenant) as at:
            _sure(yes=yes)
            return await _store(at).disconnect(at.tenant.id, Gong.name)

    if not do(work()):
        raise NotFoundError("Gong is not connected", "greenroom gong connect begins")
    if json:
        put_json({"disconnected": True})
    else:
        console.print("Gong is disconnected; delete its rule and its key there")


async def _connect_sandbox(tenant: str | None) -> Shown:
    """The pretended one's key and secret, and its rule turned to our address."""
    said = await call("GET", "/sandbox/gong")
    settings = load_settings()
    access = RecorderAccess(f"{settings.sandbox_url}/gong", f"{said['access_key']}:{said['access_secret']}")
    shown = await _connect(tenant, access, said["public_key"], sandbox=True)
    await call("PUT", "/sandbox/gong/webhook", {"url": shown.webhook})
    return shown


async def _connect(tenant: str | None, access: RecorderAccess, signing: str | None, *, sandbox: bool = False) -> Shown:
    async with desk(tenant) as at:
        store, now = _store(at), datetime.now(UTC)
        await _try(at, access, now)
        await store.connect(at.tenant.id, access, provider=Gong.name, public_key=signing, sandbox=sandbox, now=now)
        return await _shown(at, store)


async def _try(at: Desk, access: RecorderAccess, now: datetime) -> None:
    """One call that changes nothing: whoever is not let in hears of it now, and not in the night."""
    async with aiohttp.ClientSession() as session:
        gong = Gong(session, timeout_s=at.settings.gong_timeout_s)
        try:
            await gong.calls(access, now - timedelta(minutes=1), now, None)
        except UnauthorizedError:
            raise UsageError("Gong refused that key and secret", "it needs api:calls:read:basic and the like") from None
        except ApplicationError as error:
            raise FailedError(f"Gong could not be asked: {clean(error.message, 200)}", "try again later") from None


async def _show(tenant: str | None) -> Shown:
    async with desk(tenant) as at:
        return await _shown(at, _store(at))


async def _shown(at: Desk, store: RecorderStore) -> Shown:
    row = await store.row(at.tenant.id, Gong.name)
    if row is None:
        raise NotFoundError("Gong is not connected", "greenroom gong connect begins")
    return Shown(recorder=row, webhook=notices_url(at.settings.web_url, row.id))


def _store(at: Desk) -> RecorderStore:
    try:
        return RecorderStore(at.database, Sealer(at.settings.token_keys.get_secret_value()))
    except ValueError as error:
        raise NotReadyError(str(error)) from None


def _address(url: str) -> str:
    """Of their servers, over https: our key goes there."""
    try:
        parts = urlsplit(url)
        bare = parts.scheme == "https" and parts.hostname and not (parts.username or parts.query or parts.fragment)
    except ValueError:
        bare = False
    if not bare or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("--base-url is no address of an API", "such as https://us-12345.api.gong.io")
    return url.rstrip("/")


def _credentials(key: str | None) -> str:
    """The key and its secret. The secret comes from a prompt or from stdin: arguments are seen by others."""
    if key is None and not interactive():
        raise UsageError("Nobody is here to be asked, and --key is missing", "give it, and the secret on stdin")
    key = key if key is not None else str(typer.prompt("Access key", err=True))
    if interactive():
        secret = str(typer.prompt("Access key secret", hide_input=True, err=True))
    else:
        secret = sys.stdin.readline(LONGEST + 2).rstrip("\r\n")
    for name, value in (("key", key), ("secret", secret)):
        if not value or len(value) > LONGEST or not value.isascii() or not value.isprintable() or " " in value:
            raise UsageError(f"That is no access {name}", "Gong shows both when the key is made")
    if ":" in key:
        raise UsageError("That is no access key", "the secret is asked for itself")
    return f"{key}:{secret}"


def _key(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST_KEY_FILE).decode("ascii").strip()
        public_key(text)
    except OSError:
        raise UsageError(f"--public-key: {clean(str(file), 100)} cannot be read") from None
    except ValueError as error:
        why = "that is no public key" if isinstance(error, UnicodeDecodeError) else str(error)
        raise UsageError(f"--public-key: {why}") from None
    return text


def _sure(*, yes: bool) -> None:
    if yes:
        return
    if not interactive():
        raise UsageError("Nobody is here to be asked whether you are sure", "give --yes")
    typer.confirm("Disconnect Gong? Its calls will not be read until it is connected again.", abort=True, err=True)


def _put(shown: Shown, *, as_json: bool) -> None:
    if as_json:
        put_json(shown)
        return
    row = shown.recorder
    lines = {
        "status": f"{row.status}{f': {row.reason}' if row.reason else ''}{' (sandbox data)' if row.sandbox else ''}",
        "api": row.base_url,
        "looked for up to": when(row.swept_until),
        "webhook": shown.webhook + ("" if row.listens else " (not listened to: connect with --public-key)"),
    }
    for name, value in lines.items():
        console.print(cell(f"{name:<18}{value}"), soft_wrap=True)
