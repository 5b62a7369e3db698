"""greenroom sandbox calendar: play with the pretended calendars, and see what follows."""

import json as encoder
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Annotated, Any
from urllib.parse import quote

import typer

from starter.cli import do
from starter.cli import sandbox_event as words
from starter.cli.options import Json, cell, console, put_json, put_table, table
from starter.cli.sandbox_server import call
from starter.words import UsageError

app = typer.Typer(help="The pretended calendars: invite, move, cancel, and flood.", no_args_is_help=True)

ROOT = "/sandbox/calendar"
Account = Annotated[str | None, typer.Option("--account", metavar="ADDRESS", help="Whose; by default the first one's.")]
Event = Annotated[str, typer.Argument(metavar="ID", help="Of an event, a series, or an instance of a series.")]
At = Annotated[
    str, typer.Option("--at", metavar="WHEN", help='tomorrow, "friday 14:00", "in 20 minutes", 2026-11-23T10:00 ...')
]
Minutes = Annotated[int | None, typer.Option("--minutes", min=1, help="How long.")]
Guest = Annotated[
    list[str] | None,
    typer.Option("--guest", metavar="ADDRESS", help='More than once, if need be; or "Ada L <ada@...>".'),
]
By = Annotated[
    str | None, typer.Option("--by", metavar="ADDRESS", help="Which guest; by default the calendar's owner.")
]


@app.command("list")
def list_(
    account: Account = None,
    series: Annotated[str | None, typer.Option("--series", metavar="ID", help="The instances of this one.")] = None,
    json: Json = False,
) -> None:
    """List what is on a calendar, also what is cancelled."""
    where = f"{_of(account)}/events" + (f"/{quote(series, safe='')}/instances" if series else "")
    answer = do(call("GET", where))
    if json:
        put_json(answer)
        return
    rows = table("id", "when", "title", "guests", "state")
    for event in sorted(answer["events"], key=words.start):
        rows.add_row(
            *(
                cell(value)
                for value in (
                    event["id"],
                    words.when(event),
                    words.title(event),
                    words.guests(event),
                    words.state(event),
                )
            )
        )
    if answer["events"]:
        put_table(rows)
    else:
        console.print(
            "Nothing is on it. Begin with: greenroom sandbox calendar add --guest ada@lovelace.example", soft_wrap=True
        )


@app.command()
def add(
    title: Annotated[str, typer.Argument()] = "Introduction",
    at: At = "tomorrow",
    minutes: Minutes = None,
    guest: Guest = None,
    repeat: Annotated[
        str | None, typer.Option("--repeat", metavar="RULE", help="Such as FREQ=WEEKLY;COUNT=10.")
    ] = None,
    room: Annotated[str | None, typer.Option("--room", metavar="NAME", help="A room, which is no guest.")] = None,
    organizer: Annotated[
        str | None, typer.Option("--organizer", metavar="ADDRESS", help="Who invites, if it is not the owner.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT")] = None,
    all_day: Annotated[bool, typer.Option("--all-day")] = False,
    private: Annotated[bool, typer.Option("--private")] = False,
    free: Annotated[bool, typer.Option("--free", help="It blocks no time.")] = False,
    meet: Annotated[bool, typer.Option("--meet", help="With a link to a call.")] = False,
    account: Account = None,
    json: Json = False,
) -> None:
    """Put an event on a calendar. For example: greenroom sandbox calendar add --guest ada@lovelace.example"""
    given = {
        "minutes": minutes,
        "room": room,
        "recurrence": repeat,
        "description": description,
        "organizer": None if organizer is None else _person(organizer),
    }
    flags = {"all_day": all_day, "private": private, "free": free, "meet": meet}
    document: dict[str, Any] = {"title": title, "start": at, "attendees": [_person(one) for one in guest or ()]}
    document |= {name: value for name, value in given.items() if value is not None}
    document |= {name: True for name, so in flags.items() if so}
    _put(do(call("POST", f"{_of(account)}/events", document)), "is on the calendar", as_json=json)


@app.command()
def move(event: Event, at: At, minutes: Minutes = None, account: Account = None, json: Json = False) -> None:
    """Move an event to another time."""
    _change(account, event, "move", {"start": at, **({"minutes": minutes} if minutes else {})}, "moved", json)


@app.command()
def rename(event: Event, title: str, account: Account = None, json: Json = False) -> None:
    """Give an event another title."""
    _change(account, event, "edit", {"title": title}, "has its new title", json)


@app.command()
def cancel(event: Event, account: Account = None, json: Json = False) -> None:
    """Cancel an event, a series, or one instance of it."""
    _change(account, event, "cancel", None, "is cancelled", json)


@app.command()
def restore(event: Event, account: Account = None, json: Json = False) -> None:
    """Take a cancellation back."""
    _change(account, event, "restore", None, "is back", json)


@app.command()
def invite(
    event: Event,
    guests: Annotated[list[str], typer.Argument(metavar="ADDRESS...")],
    account: Account = None,
    json: Json = False,
) -> None:
    """Invite more guests."""
    wanted = {"attendees": [_person(one) for one in guests]}
    _change(account, event, "invite", wanted, "has new guests", json)


@app.command()
def uninvite(
    event: Event, guest: Annotated[str, typer.Argument(metavar="ADDRESS")], account: Account = None, json: Json = False
) -> None:
    """Take a guest off the list."""
    _change(account, event, "uninvite", {"email": guest}, "goes on without them", json)


@app.command()
def accept(event: Event, by: By = None, account: Account = None, json: Json = False) -> None:
    """Let somebody accept."""
    _answer(event, "accepted", by, account, as_json=json)


@app.command()
def decline(event: Event, by: By = None, account: Account = None, json: Json = False) -> None:
    """Let somebody decline."""
    _answer(event, "declined", by, account, as_json=json)


@app.command()
def flood(
    changes: Annotated[int, typer.Option("--changes", min=0, help="New events, each of which is a change.")] = 100,
    notifications: Annotated[int, typer.Option("--notifications", min=0, help="Notifications of nothing.")] = 0,
    account: Account = None,
    json: Json = False,
) -> None:
    """Put many events on a calendar at once, or notify of nothing many times."""
    answer = do(call("POST", f"{_of(account)}/flood", {"changes": changes, "notifications": notifications}))
    if json:
        put_json(answer)
    else:
        console.print(f"New events: {len(answer['events'])}. Notifications of nothing: {answer['notifications']}.")


@app.command()
def accounts(json: Json = False) -> None:
    """List the accounts, with what they have."""
    answer = do(call("GET", ROOT))
    if json:
        put_json(answer)
        return
    rows = table("account", "name", "time zone", "events", "channels", "grants")
    for one in answer["accounts"]:
        names = ("email", "name", "time_zone", "events", "channels", "grants")
        rows.add_row(*(cell("" if one[name] is None else one[name]) for name in names))
    put_table(rows)


@app.command("account")
def new_account(
    email: Annotated[str, typer.Argument(metavar="ADDRESS")],
    name: Annotated[str | None, typer.Option("--name")] = None,
    zone: Annotated[str, typer.Option("--time-zone")] = "Europe/Berlin",
    json: Json = False,
) -> None:
    """Make an account with an empty calendar."""
    answer = do(call("POST", ROOT, {"email": email, "name": name, "time_zone": zone}))
    if json:
        put_json(answer)
    else:
        console.print(cell(f"{answer['email']} has an account; it can be chosen on the consent page."))


@app.command()
def channels(account: Account = None, json: Json = False) -> None:
    """List the channels that are told of changes."""
    answer = do(call("GET", f"{_of(account)}/channels"))
    if json:
        put_json(answer)
        return
    rows = table("id", "address", "expires", "last number")
    for one in answer["channels"]:
        rows.add_row(cell(one["id"]), cell(one["address"]), cell(one["expires"][:19]), cell(one["number"]))
    if answer["channels"]:
        put_table(rows)
    else:
        console.print("Nobody watches this calendar.")


@app.command()
def expire(account: Account = None, json: Json = False) -> None:
    """Let all sync tokens expire: whoever comes back with one must read everything again."""
    _happen(account, "expire-sync-tokens", "Sync tokens given out so far are worth nothing.", as_json=json)


@app.command()
def revoke(account: Account = None, json: Json = False) -> None:
    """Take all access back, as the account's owner may at any time."""
    _happen(account, "revoke", "Access is taken back; connect again to go on.", as_json=json)


@app.command()
def knobs(
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="Such as lose_next=3, or delay_notifications=2.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the knobs, or turn some: notifications that are lost, doubled or late, tokens that rotate, short pages."""
    wanted = dict(map(_setting, settings or ()))
    answer = do(call("PUT", f"{ROOT}/knobs", wanted) if wanted else call("GET", f"{ROOT}/knobs"))
    if json:
        put_json(answer)
        return
    for name, value in answer.items():
        console.print(cell(f"{name}={encoder.dumps(value)}"))


def _of(account: str | None) -> str:
    """The calendar's place; the first account's if none was named."""
    if account is None:
        account = str(do(call("GET", ROOT))["accounts"][0]["email"])
    return f"{ROOT}/{quote(account, safe='@')}"


def _change(account: str | None, event: str, verb: str, document: object, done: str, as_json: bool) -> None:
    path = f"{_of(account)}/events/{quote(event, safe='')}/{verb}"
    _put(do(call("POST", path, document)), done, as_json=as_json)


def _answer(event: str, status: str, by: str | None, account: str | None, *, as_json: bool) -> None:
    document = {"status": status, **({"email": by} if by else {})}
    _change(account, event, "answer", document, f"is {status} by {by or 'its owner'}", as_json)


def _happen(account: str | None, what: str, sentence: str, *, as_json: bool) -> None:
    answer = do(call("POST", f"{_of(account)}/{what}"))
    if as_json:
        put_json(answer)
    else:
        console.print(sentence)


def _put(event: Mapping[str, Any], done: str, *, as_json: bool) -> None:
    """What became of an event, and the id that the next command needs."""
    if as_json:
        put_json(event)
        return
    said = ", ".join(filter(None, [f'"{words.title(event)}" {done}', words.when(event), words.guests(event)]))
    console.print(cell(f"{said}."), soft_wrap=True)
    console.print(cell(f"id: {event['id']}"), soft_wrap=True)


def _person(text: str) -> dict[str, str]:
    """An address, or a name with an address behind it. What is no address, the sandbox says."""
    name, address = parseaddr(text)
    return {"email": address or text, **({"name": name} if name else {})}


def _setting(text: str) -> tuple[str, object]:
    name, given, value = text.partition("=")
    if not given:
        raise UsageError(f"{text!r:.60} sets nothing", "write such as: lose_next=3")
    try:
        return name, encoder.loads(value)
    except ValueError:
        return name, value
