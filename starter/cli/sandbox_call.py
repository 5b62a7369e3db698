"""greenroom sandbox call: a recorded call has just ended."""

from typing import Annotated

import typer

from starter.cli import do
from starter.cli.options import Json, cell, console, put_json
from starter.cli.sandbox_server import call


def happen(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Its id, or a part of its title; by default the next one.")
    ] = None,
    not_ready_for: Annotated[
        float, typer.Option("--not-ready-for", min=0, metavar="SECONDS", help="How long its transcript takes.")
    ] = 0,
    json: Json = False,
) -> None:
    """Let an invented call happen: the pretended Gong lists it, and tells of it by its webhook.

    Connect it first with: greenroom gong connect --sandbox
    """
    answer = do(call("POST", "/sandbox/gong/calls", {"name": name, "not_ready_for": not_ready_for}))
    if json:
        put_json(answer)
        return
    if answer["webhook"] is None:
        told = "nobody was told; greenroom gong sweep finds it"
    else:
        told = f"the webhook was answered {answer['answered'] or 'by nobody'}"
    console.print(cell(f"{answer['id']}: {answer['title']}; {told}"), soft_wrap=True)
