"""Options that many commands take, said once, and the two consoles."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from activities.plain import clean
from starter.words import UsageError

Tenant = Annotated[str | None, typer.Option("--tenant", help="Which tenant; by default the only one there is.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else there.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most this many.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show how each look-up stands while it runs.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the brief, or print the research's id and go.")]

LONGEST_CELL = 300
WIDE = 2000

console = Console(highlight=False)
progress = Console(stderr=True, highlight=False)


def put_json(value: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def table(*columns: str) -> Table:
    """A table without lines: it is read, and cut up with other tools."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        # Ids are copied whole, whatever the width.
        made.add_column(column, no_wrap=column == "id", overflow="fold")
    return made


def put_table(rows: Table) -> None:
    """A table as wide as the terminal; in a pipe or file as wide as it likes, a row a line."""
    (console if console.is_terminal else Console(width=WIDE, highlight=False)).print(rows)


def cell(value: object, style: str = "", longest: int = LONGEST_CELL) -> Text:
    """A value as text: no markup of ours is read in it, no escape gets out."""
    return Text(clean(str(value), longest), style=style)


def interactive() -> bool:
    """Somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def only_one(**given: object) -> None:
    """Refuse flags that exclude each other; names are those of the flags."""
    flags = [f"--{name.rstrip('_').replace('_', '-')}" for name, value in given.items() if value]
    if len(flags) > 1:
        raise UsageError(f"{' and '.join(flags)} exclude each other", "give one of them")


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value
