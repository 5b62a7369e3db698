"""greenroom user: who of a tenant may sign in."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from schemas.tenants import User
from starter import setup as rules
from starter.cli import do
from starter.cli.options import Json, Tenant, cell, console, put_json, put_table, table
from starter.desk import desk
from starter.words import NotFoundError, UsageError

app = typer.Typer(help="Who may sign in, with the account of their address.", no_args_is_help=True)


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="The address of the account that they sign in with.")],
    name: Annotated[str | None, typer.Option("--name", help="Their name; by default what their address says.")] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="Where they are; they can change it.")] = "UTC",
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Add a user. They sign in on the web pages, and connect their calendar there."""
    user = rules.user(email=email, name=rules.name(name or _called(email)), time_zone=rules.time_zone(time_zone))
    added, where = do(_add(user, tenant))
    if json:
        put_json(added)
    else:
        console.print(f"{added.email} may sign in: {where}/sign-in", markup=False, soft_wrap=True)


@app.command("list")
def list_(tenant: Tenant = None, json: Json = False) -> None:
    """List the users, oldest first."""
    users = do(_all(tenant))
    if json:
        put_json(users)
        return
    rows = table("id", "address", "name", "time zone")
    for one in users:
        rows.add_row(cell(one.id), cell(one.email), cell(one.name), cell(one.time_zone))
    put_table(rows)


@app.command("forget-account")
def forget_account(
    email: Annotated[str, typer.Argument(help="The address of the user.")], tenant: Tenant = None, json: Json = False
) -> None:
    """Let the next account with a user's address be theirs, and sign them out. For when the address got a new account."""
    forgotten = do(_forget(email, tenant))
    if json:
        put_json(forgotten)
    else:
        said = f"{forgotten.email} is signed out; the next account with that address that signs in is theirs"
        console.print(said, markup=False, soft_wrap=True)


def _called(email: str) -> str:
    """A name from an address: Robin Gray of robin.gray@harbour.example."""
    return email.partition("@")[0].replace(".", " ").replace("_", " ").title() or email


async def _add(user: User, tenant: str | None) -> tuple[User, str]:
    async with desk(tenant) as at:
        if any(one.email == user.email for one in await at.tenants.users(at.tenant.id)):
            raise UsageError(f"{user.email} is a user already", "greenroom user list shows them")
        added = await at.tenants.add_user(at.tenant.id, user, datetime.now(UTC))
        return added, at.settings.web_url.rstrip("/")


async def _forget(email: str, tenant: str | None) -> User:
    async with desk(tenant) as at:
        wanted = email.strip().lower()
        user = next((one for one in await at.tenants.users(at.tenant.id) if one.email == wanted), None)
        if user is None:
            raise NotFoundError(f'There is no user "{wanted[:60]}"', "greenroom user list shows them")
        await at.tenants.forget_account(at.tenant.id, user.id, datetime.now(UTC))
        return user


async def _all(tenant: str | None) -> list[User]:
    async with desk(tenant) as at:
        return await at.tenants.users(at.tenant.id)
