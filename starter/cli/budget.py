"""greenroom budget: what may be spent, and what was."""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import BaseModel

from activities.plain import clean
from activities.store.budgets import BudgetStore
from activities.store.spending import month_of
from schemas.budgets import DOLLAR, Bound, Caps, OwnCaps, Spending
from schemas.settings import MOST_USD
from starter.cli import do
from starter.cli.options import Json, Tenant, cell, console, only_one, put_json, put_table, table
from starter.desk import Desk, desk
from starter.words import UsageError

app = typer.Typer(help="What may be spent on research, and what was.", no_args_is_help=True)

OWN, SETTING = "this tenant's own", "GREENROOM_BUDGET_{}_USD"


class CapShown(BaseModel):
    """A cap, and where it comes from."""

    bound: Bound
    micro_usd: int
    origin: str


class BudgetShown(BaseModel):
    """All caps, and the month so far."""

    caps: tuple[CapShown, ...]
    spending: Spending


@app.command()
def show(tenant: Tenant = None, json: Json = False) -> None:
    """Show the caps and where each comes from, what this month (UTC) has cost so far, and its dearest meetings."""
    shown = do(_show(tenant))
    if json:
        put_json(shown)
    else:
        _print(shown)


@app.command("set")
def set_(
    month: Annotated[str | None, typer.Option("--month", metavar="USD", help="For all of a month.")] = None,
    meeting: Annotated[str | None, typer.Option("--meeting", metavar="USD", help="For all runs of a meeting.")] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="USD", help="For one run.")] = None,
    default: Annotated[bool, typer.Option("--default", help="The settings' caps again.")] = False,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Set caps of this tenant's own, in US dollars; those that are not named stay. What runs already is not stopped."""
    given = {"run_micro_usd": run, "meeting_micro_usd": meeting, "month_micro_usd": month}
    changes = {name: micro_usd(text) for name, text in given.items() if text is not None}
    for name, value in (("month", month), ("meeting", meeting), ("run", run)):
        only_one(default=default, **{name: value is not None})
    if not changes and not default:
        raise UsageError("Nothing is to change", "name a cap, such as --month 50, or --default")
    shown = do(_set(tenant, changes, default=default))
    if json:
        put_json(shown)
    else:
        _print(shown)


def micro_usd(text: str) -> int:
    """Millionths of a dollar, from dollars as a person writes them."""
    written = text.strip().removeprefix("$")
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", written):
        raise UsageError(f'"{clean(text, 40)}" is no amount of dollars; write one such as 50 or 0.50')
    whole, _, part = written.partition(".")
    amount = int(whole) * DOLLAR + int(part.ljust(6, "0"))
    if amount > MOST_USD * DOLLAR:
        raise UsageError(f'"{clean(text, 40)}" is more than a cap can be; at most ${MOST_USD:,}')
    return amount


async def _show(tenant: str | None) -> BudgetShown:
    async with desk(tenant) as at:
        return await _shown(at)


async def _set(tenant: str | None, changes: dict[str, int], *, default: bool) -> BudgetShown:
    async with desk(tenant) as at:
        store = BudgetStore(at.database)
        caps = OwnCaps() if default else (await store.own(at.tenant.id)).model_copy(update=changes)
        await store.put(at.tenant.id, caps)
        return await _shown(at)


async def _shown(at: Desk) -> BudgetShown:
    store = BudgetStore(at.database)
    own = await store.own(at.tenant.id)
    spending = await store.spending(at.tenant.id, month_of(datetime.now(UTC)))
    return BudgetShown(caps=_caps(own, at.settings.caps()), spending=spending)


def _caps(own: OwnCaps, defaults: Caps) -> tuple[CapShown, ...]:
    caps, named = own.over(defaults), own.model_dump(exclude_none=True)
    return tuple(
        CapShown(
            bound=bound,
            micro_usd=caps.of(bound),
            origin=OWN if f"{bound.value}_micro_usd" in named else SETTING.format(bound.value.upper()),
        )
        for bound in reversed(Bound)
    )


def _print(shown: BudgetShown) -> None:
    rows = table("for a", "cap", "from")
    for cap in shown.caps:
        rows.add_row(cell(cap.bound.value), _usd(cap.micro_usd), cell(cap.origin))
    put_table(rows)
    spending = shown.spending
    console.print(f"\n{spending.month:%B %Y}: ${spending.micro_usd / DOLLAR:.4f} used or set aside", markup=False)
    if spending.providers:
        rows = table("provider", "model", "calls", "paid", "set aside", "of what is paid, not told by the provider")
        for one in spending.providers:
            amounts = one.settled_micro_usd, one.reserved_micro_usd, one.assumed_micro_usd
            rows.add_row(cell(one.provider), cell(one.model), cell(one.calls), *map(_usd, amounts))
        put_table(rows)
    if spending.dearest:
        console.print("\nDearest:", markup=False)
        rows = table("id", "meeting", "cost")
        for meeting in spending.dearest:
            rows.add_row(cell(meeting.research_id), cell(meeting.title, longest=60), _usd(meeting.micro_usd))
        put_table(rows)


def _usd(micro: int) -> str:
    return f"${micro / DOLLAR:,.4f}"
