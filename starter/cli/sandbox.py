"""greenroom sandbox: the pretended providers' knobs. What goes wrong, how slow they are, who called, what was mailed."""

import json as encoder
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from activities.plain import clean
from schemas.brands import KEYS
from starter.cli import do, sandbox_calendar, sandbox_call
from starter.cli.options import Json, cell, console, put_json, put_table, table
from starter.cli.sandbox_server import call
from starter.words import UsageError

LOOK_S = 1.0

app = typer.Typer(help="The pretended providers: make them fail, slow them down, see who called.", no_args_is_help=True)
mail = typer.Typer(help="Mail that the sandbox took; it sends none on.", no_args_is_help=True)
app.add_typer(mail, name="mail")
app.add_typer(sandbox_calendar.app, name="calendar")
app.command("call")(sandbox_call.happen)

# Those with a key of ours, and those without.
PROVIDERS = (*KEYS, "gong", "slack", "mail")

Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help=f"{', '.join(PROVIDERS)}.")]


@app.command()
def fault(
    provider: Provider,
    status: Annotated[int | None, typer.Option("--status", help="Answer with this HTTP status, such as 429.")] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="Another fault: slow, hang, drop, truncated, garbage, huge, empty ..."),
    ] = None,
    retry_after: Annotated[str | None, typer.Option("--retry-after", help="With --status: when to come again.")] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="google only, with --status: such as rateLimitExceeded.")
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="With --kind slow: how slow.")] = None,
    size: Annotated[int | None, typer.Option("--bytes", help="With --kind huge: how much.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Mail only: refuse at rcpt or at data.")] = None,
    match: Annotated[str | None, typer.Option("--match", help="Only calls whose text has this in it.")] = None,
    times: Annotated[int, typer.Option("--times", help="For how many calls.")] = 1,
    always: Annotated[bool, typer.Option("--always", help="Until greenroom sandbox heal.")] = False,
    json: Json = False,
) -> None:
    """Let calls of a provider fail. For example: greenroom sandbox fault perplexity --status 429 --retry-after 3"""
    if kind is None and status is None:
        raise UsageError("Say what is to go wrong", "such as: --status 429, or --kind hang")
    wanted = {
        "provider": provider,
        "kind": kind or "status",
        "times": None if always else times,
        "status": status,
        "retry_after": retry_after,
        "reason": reason,
        "seconds": seconds,
        "bytes": size,
        "at": at,
        "match": match,
    }
    document = {name: value for name, value in wanted.items() if value is not None or name == "times"}
    answer = do(call("POST", "/sandbox/faults", document))
    if json:
        put_json(answer)
    else:
        console.print(cell(f"{provider} will fail: {_described(answer)}"))


@app.command()
def faults(json: Json = False) -> None:
    """List the faults that wait for a call."""
    answer = do(call("GET", "/sandbox/faults"))
    if json:
        put_json(answer)
        return
    for one in answer["faults"]:
        console.print(cell(f"{one['provider']}: {_described(one)}"))
    if not answer["faults"]:
        console.print("No fault is waiting.")


@app.command()
def heal(json: Json = False) -> None:
    """Forget all faults that wait. Delays stay; end one with: greenroom sandbox delay PROVIDER 0"""
    answer = do(call("DELETE", "/sandbox/faults"))
    if json:
        put_json(answer)
    else:
        console.print(f"Faults forgotten: {answer['removed']}.")


@app.command()
def delay(
    provider: Provider, seconds: Annotated[float, typer.Argument(help="0 for none.")], json: Json = False
) -> None:
    """Let every call of a provider take this much longer."""
    answer = do(call("PUT", "/sandbox/delays", {provider: seconds}))
    if json:
        put_json(answer)
    else:
        console.print(cell(f"Each call of {provider} takes {answer[provider]:g} s longer."))


@app.command()
def journal(
    provider: Annotated[str | None, typer.Option("--provider", help="Only calls of this one.")] = None,
    since: Annotated[int, typer.Option("--since", min=0, metavar="N", help="Only what follows call N.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is called, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON; with --follow one document a line.")] = False,
) -> None:
    """Show who called, what came back, and which fault was played."""
    last = since
    while True:
        query = {"since": str(last), **({"provider": provider} if provider else {})}
        answer = do(call("GET", "/sandbox/journal", query=query))
        if json and not follow:
            put_json(answer)
            return
        _put_calls(answer, as_json=json)
        if not follow:
            return
        last = max([last, *(record["n"] for record in answer["records"])])
        time.sleep(LOOK_S)


@mail.command("list")
def list_(json: Json = False) -> None:
    """List the mail that was taken, oldest first."""
    answer = do(call("GET", "/sandbox/mail"))
    if json:
        put_json(answer)
        return
    rows = table("n", "received", "to", "subject")
    for one in answer["mail"]:
        when, to = str(one["received"])[:19], ", ".join(one["rcpt_tos"])
        rows.add_row(cell(one["n"]), cell(when), cell(to), cell(one["subject"] or ""))
    if answer["mail"]:
        put_table(rows)
    else:
        console.print("No mail has been taken yet.")


@mail.command()
def show(
    number: Annotated[int, typer.Argument(metavar="N", min=1, help="Its number; greenroom sandbox mail list.")],
    json: Json = False,
) -> None:
    """Show a mail: its headers and its text."""
    one = do(call("GET", f"/sandbox/mail/{number}"))
    if json:
        put_json(one)
        return
    for header in one["headers"]:
        console.print(cell(f"{header['name']}: {header['value']}"), soft_wrap=True)
    console.print()
    for line in (one["text"] or "(no plain text)").splitlines():
        console.print(cell(line, longest=2000), soft_wrap=True)


@app.command()
def messages(
    to: Annotated[str | None, typer.Option("--to", metavar="CHAT", help="Only what came to this one.")] = None,
    json: Json = False,
) -> None:
    """Show the messages that arrived on channels, oldest first: what a user reads in Telegram or Slack."""
    answer = do(call("GET", "/sandbox/messages", query={"to": to} if to else None))
    if json:
        put_json(answer)
        return
    for one in answer["messages"]:
        console.print(cell(f"{one['n']}  {str(one['received'])[:19]}  {one['kind']}  {one['to']}"), soft_wrap=True)
        for line in str(one["text"]).splitlines():
            console.print(cell(f"    {line}", longest=2000), soft_wrap=True)
    if not answer["messages"]:
        console.print("No message has arrived yet.")


def _put_calls(answer: Mapping[str, Any], *, as_json: bool) -> None:
    for record in answer["records"]:
        if as_json:
            typer.echo(encoder.dumps(record))
            continue
        took = f"{1000 * (record['ended'] - record['started']):.0f} ms"
        fault = f"fault {record['fault']}" if record["fault"] else ""
        words = [f"{record['n']:>5}", f"{datetime.fromtimestamp(record['started'], UTC):%H:%M:%S}"]
        words += [record["provider"], record["path"], str(record["status"]), took, str(record["about"] or ""), fault]
        console.print("  ".join(clean(word, 200) for word in words if word), markup=False, soft_wrap=True)


def _described(fault: Mapping[str, Any]) -> str:
    """A fault in words: its kind, what it carries, for how many calls."""
    said = [str(fault["status"]) if fault["kind"] == "status" else fault["kind"]]
    said += [fault["reason"]] if fault["reason"] else []
    said += [f"retry-after {fault['retry_after']}"] if fault["retry_after"] else []
    said += [f"{fault['seconds']:g} s"] if fault["kind"] == "slow" else []
    said += [f"{fault['bytes']} bytes"] if fault["kind"] == "huge" else []
    said += [f'where "{fault["match"]}" is in it'] if fault["match"] else []
    said.append({None: "until healed", 1: "once"}.get(fault["times"], f"{fault['times']} times"))
    return ", ".join(said)
