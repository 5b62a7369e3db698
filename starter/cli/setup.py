"""greenroom setup: the tenant, its first user and its first campaign."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import BaseModel

from activities.store.tenants import TenantStore
from schemas.tenants import CampaignRow, Tenant, User
from starter import intake
from starter import setup as rules
from starter.cli import do
from starter.cli.asking import Answers, Field
from starter.cli.campaigns import TEXTS, NamePart, Offering, PainPoints, TargetCustomer
from starter.cli.options import Json, console, interactive, put_json
from starter.desk import database_there
from starter.environment import load_settings
from starter.words import FailedError

FIELDS = (
    Field("--name", "Your organisation's name", rules.name),
    Field("--slug", "A short name for it on the command line", rules.slug),
    Field("--email", "Your e-mail address", intake.email),
    Field("--user-name", "Your name", rules.name),
    Field("--time-zone", "Your time zone, such as Europe/Berlin", rules.time_zone),
    Field("--campaign", "What do you sell? A name for your first campaign", rules.name),
    *TEXTS,
)


class Known(BaseModel):
    """A tenant with its people and campaigns; `created` says whether it was made just now."""

    created: bool
    tenant: Tenant
    users: list[User]
    campaigns: list[CampaignRow]


def setup(
    name: Annotated[str | None, typer.Option("--name", help="Your organisation's name.")] = None,
    slug: Annotated[str | None, typer.Option("--slug", help="Its short name; by default made from the name.")] = None,
    domain: Annotated[
        list[str] | None,
        typer.Option("--domain", help="A domain of colleagues; may be repeated. By default that of --email."),
    ] = None,
    email: Annotated[str | None, typer.Option("--email", help="The address of the first user.")] = None,
    user_name: Annotated[str | None, typer.Option("--user-name", help="Their name.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Theirs, such as Europe/Berlin.")] = None,
    campaign: NamePart = None,
    offering: Offering = None,
    target_customer: TargetCustomer = None,
    pain_points: PainPoints = None,
    json: Json = False,
) -> None:
    """Say who you are and what you sell: the tenant, its first user and its first campaign.

    On a terminal you are asked for what no flag gives. Safe to run twice: what is there is shown and stays as it is.
    """
    given = (name, slug, email, user_name, time_zone, campaign, offering, target_customer, pain_points)
    answers = Answers({field.flag: value for field, value in zip(FIELDS, given, strict=True)}, FIELDS)
    domains = [rules.own_domain(one) for one in domain or []]
    if not interactive() and slug is None:
        answers.ask(*(field.flag for field in FIELDS if field.flag != "--slug"))
    slugs = do(_slugs())
    _ask_slug(answers)
    made = answers["--slug"] not in slugs
    if made:
        answers.ask(*(field.flag for field in FIELDS))
        do(_create(answers, domains))
    known = do(_look(answers["--slug"], created=made))
    if json:
        put_json(known)
    else:
        _tell(known)


def _ask_slug(answers: Answers) -> None:
    """The slug, which tells whether there is anything more to ask."""
    if answers.get("--slug") is None:
        answers.ask("--name")
        answers.suggest("--slug", rules.slug_of(answers["--name"]))
        answers.ask("--slug")


async def _slugs() -> dict[str, str]:
    async with database_there(load_settings()) as database:
        return await TenantStore(database).slugs()


async def _create(answers: Answers, domains: list[str]) -> None:
    email = answers["--email"]
    tenant = rules.tenant(slug=answers["--slug"], name=answers["--name"], domains=rules.own_domains(domains, email))
    user = rules.user(email=email, name=answers["--user-name"], time_zone=answers["--time-zone"])
    campaign = rules.campaign(
        name=answers["--campaign"],
        offering=answers["--offering"],
        target_customer=answers["--target-customer"],
        pain_points=answers["--pain-points"],
    )
    async with database_there(load_settings()) as database:
        await TenantStore(database).create(tenant, user, campaign, datetime.now(UTC))


async def _look(slug: str, *, created: bool) -> Known:
    """What is there, as it is stored."""
    async with database_there(load_settings()) as database:
        store = TenantStore(database)
        tenant_id = (await store.slugs()).get(slug)
        if tenant_id is None:
            raise FailedError(f'The tenant "{slug}" was written and is not there')
        return Known(
            created=created,
            tenant=await store.tenant(tenant_id),
            users=await store.users(tenant_id),
            campaigns=await store.campaigns(tenant_id),
        )


def _tell(known: Known) -> None:
    tenant = known.tenant
    lines = [
        f"{'Made' if known.created else 'Already there, and unchanged'}: {tenant.name} ({tenant.slug})",
        f"  colleagues at  {', '.join(tenant.domains) or 'no domain: a free-mail one is not yours alone'}",
        *(f"  user           {user.name} <{user.email}>, {user.time_zone}" for user in known.users),
        *(f"  campaign       {one.name}{'' if one.active else ' (not active)'}" for one in known.campaigns),
        "Next: greenroom research ada@lovelace.example --watch",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
