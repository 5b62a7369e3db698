"""Options that many commands take, said once."""

from typing import Annotated

import typer
from rich.console import Console

Tenant = Annotated[str | None, typer.Option("--tenant", help="Which tenant; by default the only one there is.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else there.")]

console = Console(highlight=False)
progress = Console(stderr=True, highlight=False)
