"""The command tree, as `greenroom --help` shows it."""

from importlib.metadata import version
from typing import Annotated

import typer

from starter.cli import (
    bills,
    bootstraps,
    briefs,
    budget,
    calendars,
    campaigns,
    channels,
    config,
    digests,
    doctor,
    documents,
    events,
    gong,
    keys,
    prep,
    privacy,
    reconcile,
    research,
    runs,
    sandbox,
    schedules,
    servers,
    setup,
    skills,
    subscriptions,
    transcripts,
    users,
)

WORK, READ, CARE, SERVERS, SANDBOX = "Work", "Read", "Look after", "Servers", "Sandbox"

app = typer.Typer(
    name="greenroom",
    help="Briefs for the people you are about to meet, each fact resting on a quoted source.",
    epilog="First time here? Run: make demo. Then: greenroom setup, and greenroom research ada@lovelace.example --watch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"greenroom {version('greenroom')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is, and end.")
    ] = False,
) -> None:
    """Briefs for the people you are about to meet, each fact resting on a quoted source."""


app.command("research", rich_help_panel=WORK)(research.research)
app.command("prep", rich_help_panel=WORK)(prep.prep)
app.command("retry", rich_help_panel=WORK)(runs.retry)
app.add_typer(transcripts.app, name="transcript", rich_help_panel=WORK)
app.add_typer(digests.app, name="digest", rich_help_panel=WORK)
app.add_typer(skills.app, name="skill", rich_help_panel=WORK)
app.add_typer(documents.app, name="document", rich_help_panel=WORK)
app.add_typer(bootstraps.app, name="bootstrap", rich_help_panel=CARE)
app.add_typer(briefs.app, name="brief", rich_help_panel=READ)
app.command("runs", rich_help_panel=READ)(runs.runs)
app.add_typer(events.app, name="events", rich_help_panel=READ)
app.command("setup", rich_help_panel=CARE)(setup.setup)
app.add_typer(users.app, name="user", rich_help_panel=CARE)
app.add_typer(channels.app, name="channel", rich_help_panel=CARE)
app.add_typer(campaigns.app, name="campaign", rich_help_panel=CARE)
app.add_typer(calendars.app, name="calendars", rich_help_panel=CARE)
app.add_typer(subscriptions.app, name="subscriptions", rich_help_panel=CARE)
app.add_typer(gong.app, name="gong", rich_help_panel=CARE)
app.add_typer(bills.app, name="bills", rich_help_panel=CARE)
app.add_typer(budget.app, name="budget", rich_help_panel=CARE)
app.add_typer(schedules.app, name="schedules", rich_help_panel=CARE)
app.command("erase", rich_help_panel=CARE)(privacy.erase)
app.command("export", rich_help_panel=CARE)(privacy.export)
app.add_typer(privacy.retention, name="retention", rich_help_panel=CARE)
app.add_typer(keys.app, name="keys", rich_help_panel=CARE)
app.command("doctor", rich_help_panel=CARE)(doctor.doctor)
app.command("reconcile", rich_help_panel=CARE)(reconcile.reconcile)
app.add_typer(config.app, name="config", rich_help_panel=CARE)
app.command("worker", rich_help_panel=SERVERS)(servers.worker)
app.command("web", rich_help_panel=SERVERS)(servers.web)
app.command("migrate", rich_help_panel=SERVERS)(servers.migrate)
app.command("dev", rich_help_panel=SERVERS)(servers.dev)
app.command("demo", rich_help_panel=SERVERS)(servers.demo)
app.add_typer(sandbox.app, name="sandbox", rich_help_panel=SANDBOX)
