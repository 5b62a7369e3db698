"""greenroom doctor: is everything there, and what mends what is not."""

from dataclasses import asdict

import typer

from starter import checks, codec, contact, shelf, skill_checks, stuck
from starter.checks import Check
from starter.cli import do
from starter.cli.options import Json, cell, console, put_json
from starter.environment import load_settings
from starter.words import NotReadyError, UsageError


def doctor(json: Json = False) -> None:
    """Check settings, keys, databases, Temporal, workers and pages: a line each, with what mends it."""
    found = do(_look(quiet=json))
    well = all(check.ok for check in found)
    if json:
        put_json({"ok": well, "checks": [asdict(check) for check in found]})
    if not well:
        raise typer.Exit(NotReadyError.exit_code)
    if not json:
        console.print("All is well.")


async def _look(*, quiet: bool) -> list[Check]:
    """Every check, told as soon as it is known."""
    try:
        settings = load_settings()
    except UsageError as error:
        checked = Check("settings", ok=False, said=error.sentence, remedy="correct it in the environment or in .env")
        _tell(checked, quiet=quiet)
        return [checked]
    found = [Check("settings", ok=True, said="can be read")]
    _tell(found[0], quiet=quiet)
    looks = (
        *(checks.everything, codec.everything, contact.everything),
        *(shelf.everything, skill_checks.everything, stuck.everything),
    )
    for looking in (look(settings) for look in looks):
        async for check in looking:
            found.append(check)
            _tell(check, quiet=quiet)
    return found


def _tell(check: Check, *, quiet: bool) -> None:
    if quiet:
        return
    word, style = ("ok", "green") if check.ok else ("problem", "bold red")
    line = cell("warning", "yellow") if check.ok and check.warning else cell(word, style)
    line.pad_right(9 - len(line))
    line.append_text(cell(check.name, "bold")).append(": ").append_text(cell(check.said))
    if check.remedy and (check.warning or not check.ok):
        line.append(f"; {check.remedy}")
    console.print(line, soft_wrap=True)
