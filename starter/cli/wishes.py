"""greenroom digest wishes: what a user wants to hear in the morning."""

from typing import Annotated

import typer
from rich.text import Text

from activities.plain import clean
from activities.store.wishes import WishStore
from schemas.digests import EVERY_DAY, LONGEST_TOPIC, MOST_TOPICS, Quiet, Wishes
from schemas.tenants import User
from starter.cli import do
from starter.cli.options import Json, Tenant, cell, console, put_json
from starter.desk import Desk, desk
from starter.words import NotFoundError, UsageError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_SAID = 2000

Whose = Annotated[
    str | None, typer.Option("--user", metavar="EMAIL", help="Whose: an address, or a name. By default the first user.")
]


def wishes(
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="An interest, in place of all there are; repeat it for several.")
    ] = None,
    sales: Annotated[
        bool | None, typer.Option("--sales/--no-sales", help="Today's meetings, and what changed.")
    ] = None,
    days: Annotated[
        str | None, typer.Option("--days", help="Such as mon,tue; or weekdays, every or none.", metavar="DAYS")
    ] = None,
    quiet: Annotated[Quiet | None, typer.Option("--quiet", help="What to hear on a day without news.")] = None,
    audio: Annotated[bool | None, typer.Option("--audio/--no-audio", help="Spoken too.")] = None,
    mail: Annotated[bool | None, typer.Option("--mail/--no-mail", help="Told by mail.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="No interests at all.")] = False,
    user: Whose = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Show what a user wants to hear in the morning, or change what is given."""
    if clear and topic:
        raise UsageError("--clear and --topic exclude each other", "give one of them")
    given = {
        "topics": () if clear else topics_of(topic) if topic else None,
        "sales": sales,
        "days": None if days is None else _days(days),
        "quiet": quiet,
        "audio": audio,
        "by_mail": mail,
    }
    changes = {name: value for name, value in given.items() if value is not None}

    async def work() -> Wishes:
        async with desk(tenant) as at:
            who, store = await whose(at, user), WishStore(at.database)
            if changes:
                wished = await store.wishes(at.tenant.id, who.id)
                await store.wish(at.tenant.id, who.id, wished.model_copy(update=changes))
            return await store.wishes(at.tenant.id, who.id)

    wished = do(work())
    if json:
        put_json(wished)
    else:
        _tell(wished)


async def whose(at: Desk, wanted: str | None) -> User:
    """The user of that address, id or name, or the first; a tenant's own short name means its first."""
    users = await at.tenants.users(at.tenant.id)
    if not users:
        raise NotFoundError("There is no user yet", "make one with: greenroom setup")
    word = (wanted or at.tenant.slug).strip().lower()
    if word == at.tenant.slug:
        return users[0]
    found = next((one for one in users if word in (one.email, one.id, one.name.lower())), None)
    if found is None:
        raise NotFoundError(f'There is no user "{clean(word, 60)}"', "greenroom user list shows them")
    return found


def topics_of(said: list[str]) -> tuple[str, ...]:
    topics = tuple(dict.fromkeys(clean(one, LONGEST_TOPIC + 1).strip() for one in said))
    for one in topics:
        if not one or len(one) > LONGEST_TOPIC:
            raise UsageError(f'"{clean(one, 60)}" is no interest; write a few words, {LONGEST_TOPIC} letters at most')
    if len(topics) > MOST_TOPICS:
        raise UsageError(f"{len(topics)} interests were given; there may be {MOST_TOPICS}")
    return topics


def _days(said: str) -> int:
    """Bits, Monday the lowest."""
    named = {"weekdays": DAYS[:5], "every": DAYS, "none": ()}
    short = dict(zip(NAMES, DAYS, strict=True))
    given = [one.strip().lower() for one in said.split(",")]
    words = named.get(said.strip().lower(), tuple(short.get(one, one) for one in given))
    if unknown := [one for one in words if one not in DAYS]:
        raise UsageError(f'"{clean(unknown[0], 60)}" is no day; there are: {", ".join(DAYS)}, weekdays, every, none')
    return sum({1 << DAYS.index(one) for one in words}) & EVERY_DAY


def _tell(wished: Wishes) -> None:
    days = ", ".join(one for n, one in enumerate(DAYS) if wished.days >> n & 1) or "never"
    lines = {
        "interests": ", ".join(wished.topics) or "none",
        "sales": "today's meetings, and what changed" if wished.sales else "no",
        "days": days,
        "without news": "a short digest" if wished.quiet is Quiet.SHORT else "none",
        "spoken": "yes" if wished.audio else "no",
        "by mail": "yes" if wished.by_mail else "no",
    }
    for name, value in lines.items():
        console.print(Text(f"{name:<14}") + cell(value, longest=LONGEST_SAID), soft_wrap=True)
