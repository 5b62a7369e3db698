"""greenroom erase, export and retention: what a person is asked, told and refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Beside, Greenroom, environment
from tests.cli.test_cli_terminal import Terminal
from tests.diary import ADA, TOMAS
from tests.stage import Stage


async def test_erase_says_what_was_done_and_what_stays(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        await wired.research(ADA)
        shared = (await wired.research(ADA, TOMAS)).research_id
        ended = await beside("erase", "Ada@Lovelace.example", "--yes")
        again = await beside("erase", ADA, "--yes", "--json")
        refused = await beside("research", ADA, TOMAS)
    assert (ended.code, ended.err) == (0, "")
    for said in ("1  people", "1  requests", "2  briefs", f"greenroom retry {shared}", "backups", "mails with briefs"):
        assert said in ended.out
    assert again.document["counts"] == {}
    assert again.document["suppressed"] is True
    assert (refused.code, refused.out) == (2, "")
    assert "they asked to be forgotten; nothing is researched" in refused.err
    assert TOMAS not in refused.err


async def test_whoever_is_allowed_again_is_researched_again(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        nothing = await beside("erase", ADA, "--yes")
        lifted = await beside("erase", "ada+x@lovelace.example", "--allow-again")
        twice = await beside("erase", ADA, "--allow-again", "--json")
        found = await beside("research", ADA, "--json")
    assert "Nothing was kept of them" in nothing.out
    assert "may be researched again" in lifted.out
    assert twice.document == {"email": ADA, "lifted": False}
    assert found.code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("erase", "ada"), "is no e-mail address"),
        (("erase", "", "--yes"), "is no e-mail address"),
        (("erase", "x\x1b[31m@y"), "is no e-mail address"),
        (("erase", ADA), "give --yes"),
        (("erase", ADA, "--yes", "--allow-again"), "exclude each other"),
        (("erase", "robin@harbour.example", "--yes"), "is a user here"),
        (("erase",), "Missing argument"),
        (("export", "'; drop table subjects; --"), "is no e-mail address"),
        (("export", ADA, "--out", "/nowhere/at/all.json"), "cannot be written"),
        (("retention", "set", "0"), "greater than or equal to 1"),
        (("retention", "set", "3651"), "less than or equal to 3650"),
        (("retention", "set", "half"), "valid integer"),
        (("retention",), "A command is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused(wired: Stage, greenroom: Greenroom, words: tuple[str, ...], said: str) -> None:
    ended = greenroom(*words)
    assert ended.code == 2
    assert said in ended.err
    assert "\x1b" not in ended.err


async def test_nobody_is_erased_who_was_not_meant(wired: Stage, folder: Path) -> None:
    """What is about to go is shown; anything but a yes leaves it."""
    async with wired.working():
        await wired.research(ADA)
    terminal = await Terminal.run(environment(wired), "erase", ADA)
    await terminal.answer("Delete all of it?", "n")
    assert await terminal.end() == 130
    assert await wired.count("subjects") == 2
    assert await wired.count("erasures") == 0

    terminal = await Terminal.run(environment(wired), "erase", ADA)
    await terminal.until("Delete all of it?")
    shown = " ".join(terminal.shown.split())
    terminal.leave()
    await terminal.end()
    assert f"Kept of {ADA}: 1 people, 1 requests, 1 briefs" in shown


async def test_export_is_all_of_it_and_nothing_of_others(wired: Stage, beside: Beside, folder: Path) -> None:
    theirs = Stage(wired.database, wired.temporal, wired.sandbox, wired.urls, tenant_id=str(uuid4()))
    await theirs.set_up(datetime.now(UTC))
    async with wired.working():
        brief = await wired.research(ADA, TOMAS)
        await theirs.research(ADA, name="Ada Elsewhere")
    printed = await beside("export", ADA)
    saved = await beside("export", "ada+any@lovelace.example", "--out", "ada.json")
    twice = await beside("export", ADA, "--out", "ada.json")

    document = printed.document
    (person,) = document["people"]
    assert (person["email"], document["suppressed"]) == (ADA, False)
    about = {one.id for one in brief.evidence if one.subject_id == person["id"]}
    assert {one["id"] for one in document["pages"] if one["about_them"]} == about
    mine = [one.text for one in brief.claims if one.subject_id == person["id"]]
    assert [one["text"] for one in document["claims"]] == mine
    assert [one["id"] for one in document["briefs"]] == [brief.id]
    assert [one["id"] for one in document["requests"]] == [brief.research_id]
    assert document["look_ups"]
    for foreign in (TOMAS, "Okafor", "Elsewhere"):
        assert foreign not in printed.out
    assert (saved.code, saved.out) == (0, "")
    assert _read("ada.json") == (document, 0o600)
    assert twice.code == 2


async def test_export_of_somebody_unknown_is_empty(wired: Stage, beside: Beside) -> None:
    ended = await beside("export", ADA)
    assert ended.code == 0
    kept = {name: value for name, value in ended.document.items() if value}
    assert kept == {"email": ADA}


async def test_retention_is_shown_and_set(wired: Stage, beside: Beside) -> None:
    assert "kept for 180 days" in (await beside("retention", "show")).out
    assert (await beside("retention", "set", "30")).code == 0
    assert (await beside("retention", "show", "--json")).document == {"days": 30}


def _read(name: str) -> tuple[Any, int]:
    """What is in a file, and who may read it."""
    return json.loads(Path(name).read_text()), Path(name).stat().st_mode & 0o777
