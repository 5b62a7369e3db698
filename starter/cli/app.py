"""The command tree."""

import typer

from starter.cli import briefs, research, servers

app = typer.Typer(
    name="greenroom",
    help="Briefs for the people you are about to meet, each fact resting on a quoted source.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("research")(research.research)
app.add_typer(briefs.app, name="brief")
app.command("worker", rich_help_panel="Servers")(servers.worker)
app.command("web", rich_help_panel="Servers")(servers.web)
app.command("migrate", rich_help_panel="Servers")(servers.migrate)
app.command("dev", rich_help_panel="Servers")(servers.dev)
app.command("demo", rich_help_panel="Servers")(servers.demo)
