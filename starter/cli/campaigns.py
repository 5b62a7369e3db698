"""greenroom campaign: what is sold, to whom, and against which pain."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from schemas.base import RowId
from schemas.tenants import CampaignRow, NewCampaign, User
from starter import setup as rules
from starter.cli import do
from starter.cli.asking import Answers, Field
from starter.cli.options import Json, Tenant, cell, console, progress, put_json, put_table, table
from starter.desk import Desk, desk
from starter.words import NotFoundError, UsageError
from workflows import policies

app = typer.Typer(help="What you sell: the texts that every brief is written for.", no_args_is_help=True)

NamePart = Annotated[str | None, typer.Option("--campaign", help="A name for the first campaign.")]
Offering = Annotated[str | None, typer.Option("--offering", help="What you sell, in a sentence or two.")]
TargetCustomer = Annotated[str | None, typer.Option("--target-customer", help="Who it is for.")]
PainPoints = Annotated[str | None, typer.Option("--pain-points", help="What it is that hurts them today.")]
Which = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its name or id.")]

TEXTS = (
    Field("--offering", "What it is, in a sentence or two", rules.text),
    Field("--target-customer", "Who it is for", rules.text),
    Field("--pain-points", "What hurts them today", rules.text),
)
FIELDS = (Field("--name", "A name for the campaign", rules.name), *TEXTS)


@app.command()
def add(
    name: Annotated[str | None, typer.Option("--name", help="A name for the campaign.")] = None,
    offering: Offering = None,
    target_customer: TargetCustomer = None,
    pain_points: PainPoints = None,
    user: Annotated[str | None, typer.Option("--user", help="Whose it is; by default the first user's.")] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Add a campaign. On a terminal you are asked for what no flag gives."""
    given = dict(zip((field.flag for field in FIELDS), (name, offering, target_customer, pain_points), strict=True))
    answers = Answers(given, FIELDS)
    do(_free(answers.get("--name"), tenant))
    answers.ask(*given)
    _put(do(_add(_campaign(answers), user, tenant)), as_json=json)


@app.command("list")
def list_(tenant: Tenant = None, json: Json = False) -> None:
    """List the campaigns, oldest first. The first active one is taken where none is named."""
    campaigns = do(_all(tenant))
    if json:
        put_json(campaigns)
    elif not campaigns:
        console.print("There is no campaign yet; make one with: greenroom campaign add")
    else:
        rows = table("id", "name", "active", "offering")
        for one in campaigns:
            rows.add_row(cell(one.id), cell(one.name), "yes" if one.active else "no", cell(one.offering))
        put_table(rows)


@app.command()
def show(which: Which, tenant: Tenant = None, json: Json = False) -> None:
    """Show a campaign with its texts."""
    _put(do(_one(which, tenant)), as_json=json)


@app.command()
def edit(
    which: Which,
    name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    offering: Offering = None,
    target_customer: TargetCustomer = None,
    pain_points: PainPoints = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Nothing is started for one that is not active.")
    ] = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Change what flags name of a campaign; the rest stays. Briefs that are written stay as they are."""
    texts = {"offering": offering, "target_customer": target_customer, "pain_points": pain_points}
    changes: dict[str, object] = {field: rules.text(said) for field, said in texts.items() if said is not None}
    if name is not None:
        changes["name"] = rules.name(name)
    if active is not None:
        changes["active"] = active
    if not changes:
        raise UsageError("Nothing is to change", 'name it, such as: --offering "Route planning", or --inactive')
    _put(do(_edit(which, changes, tenant)), as_json=json)


def pick(campaigns: list[CampaignRow], which: str) -> CampaignRow:
    """The campaign of that name or id, active or not."""
    found = next((one for one in campaigns if which.strip().casefold() in (one.name.casefold(), one.id)), None)
    if found is None:
        raise NotFoundError(f'There is no campaign "{which[:60]}"', "greenroom campaign list shows them")
    return found


def owner(users: list[User], email: str | None) -> User:
    """The user of that address, or the first."""
    found = next((one for one in users if email is None or one.email == email.strip().lower()), None)
    if found is None:
        raise NotFoundError("There is no such user", "there are: " + ", ".join(one.email for one in users))
    return found


def taken(campaigns: list[CampaignRow], name: str | None, but: str = "") -> None:
    """Refuse a name that another campaign has."""
    if name is not None and any(one.name.casefold() == name.casefold() and one.id != but for one in campaigns):
        raise UsageError(f'There is a campaign "{name}" already', "change it with: greenroom campaign edit")


def _campaign(answers: Answers) -> NewCampaign:
    return rules.campaign(
        name=answers["--name"],
        offering=answers["--offering"],
        target_customer=answers["--target-customer"],
        pain_points=answers["--pain-points"],
    )


async def _all(tenant: str | None) -> list[CampaignRow]:
    async with desk(tenant) as at:
        return await _campaigns(at)


async def _campaigns(at: Desk) -> list[CampaignRow]:
    return await at.tenants.campaigns(at.tenant.id)


async def _one(which: str, tenant: str | None) -> CampaignRow:
    return pick(await _all(tenant), which)


async def _free(name: str | None, tenant: str | None) -> None:
    taken(await _all(tenant), name)


async def _add(campaign: NewCampaign, email: str | None, tenant: str | None) -> CampaignRow:
    async with desk(tenant) as at:
        taken(await _campaigns(at), campaign.name)
        user = owner(await at.tenants.users(at.tenant.id), email)
        now = datetime.now(UTC)
        added, reached = await at.tenants.add_campaign(at.tenant.id, user.id, campaign, now, now + policies.AHEAD)
        await _wake(at, reached)
        return added


async def _edit(which: str, changes: dict[str, object], tenant: str | None) -> CampaignRow:
    async with desk(tenant) as at:
        campaigns = await _campaigns(at)
        changed = pick(campaigns, which).model_copy(update=changes)
        taken(campaigns, changed.name, but=changed.id)
        now = datetime.now(UTC)
        await _wake(at, await at.tenants.edit_campaign(at.tenant.id, changed, now, now + policies.AHEAD))
        return changed


async def _wake(at: Desk, meetings: list[RowId]) -> None:
    """Their workflows are told, or somebody is told when they will be."""
    if not await at.wake(meetings):
        progress.print("It is saved, and reaches all meetings when their calendars are read next", style="yellow")


def _put(campaign: CampaignRow, *, as_json: bool) -> None:
    if as_json:
        put_json(campaign)
        return
    rows = table("", "")
    rows.show_header = False
    for what, said in (
        ("name", campaign.name),
        ("id", campaign.id),
        ("active", "yes" if campaign.active else "no"),
        ("offering", campaign.offering),
        ("target customer", campaign.target_customer),
        ("pain points", campaign.pain_points),
    ):
        rows.add_row(cell(what, "dim"), cell(said, longest=rules.LONGEST_TEXT))
    put_table(rows)
