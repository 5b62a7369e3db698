"""greenroom skill: from the list to an opinion, and one sentence for whatever is wrong."""

from pathlib import Path

import pytest
from rich.console import Console
from temporalio.service import RPCError, RPCStatusCode

from activities.plain import lines
from activities.providers import made
from activities.providers.skill_shelf import FolderShelf
from schemas.skills import NewRun
from starter import skill_checks, skills
from starter.cli.writing import Writing
from starter.office import Office
from starter.show.layout import SANDBOX_NOTICE
from tests.cli.conftest import Beside, Greenroom, beside, folder, greenroom, wired  # noqa: F401 - fixtures
from tests.stage import Stage

ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"
BAD = "---\nname: other\ndescription: d\n---\nWrite.\n"
STRANGE = "---\nname: strange\ndescription: d\nallowed-tools: Bash calls\n---\nWrite.\n"


@pytest.fixture
def kept(wired: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: F811
    """Where outputs are kept."""
    url = (folder / "objects").as_uri()
    monkeypatch.setenv("GREENROOM_OBJECTS_URL", url)
    return url


@pytest.fixture
def shelf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    place = folder / "shelf"
    for name, text in (("bad", BAD), ("strange", STRANGE)):
        (place / name).mkdir(parents=True)
        (place / name / "SKILL.md").write_text(text)
    monkeypatch.setenv("GREENROOM_SKILLS_URL", str(place))
    return place


async def test_a_skill_is_run_watched_shown_and_judged(wired: Stage, beside: Beside, kept: str) -> None:  # noqa: F811
    wired.sandbox.delays["anthropic"] = 0.2
    async with wired.working(objects_url=kept):
        ran = await beside("skill", "run", "follow-up", "Thank them for the tea", "--input", "short=true", "--watch")
        assert ran.code == 0, ran.err
    assert SANDBOX_NOTICE in ran.out
    assert "Thank them for the tea" in ran.out
    assert "completed" in ran.out
    assert "running" in ran.err
    assert "# Follow up" in ran.err, "what is written is shown while it is written"
    assert ran.err.count("# Follow up") == 1
    assert ran.out.count("# Follow up") == 1

    (listed,) = (await beside("skill", "show", "--json")).document
    assert f"The run {listed['id']}" in ran.err
    assert (listed["skill"], listed["status"]) == ("follow-up", "completed")
    shown = await beside("skill", "show", listed["id"])
    assert "Thank them for the tea" in shown.out
    document = (await beside("skill", "show", listed["id"], "--json")).document
    assert document["run"]["inputs"] == {"short": True}
    assert document["text"].startswith("# Follow up")

    judged = await beside("skill", "feedback", listed["id"], "--overall", "2", "--issues", "Too long")
    assert (judged.code, judged.out.strip()) == (0, "follow-up: 2.0 is its last score, which is low")
    assert judged.err == "", "the log is for servers"
    assert "2.0 of 5 (1)" in (await beside("skill", "list")).out
    assert "judged 2 of 5: Too long" in (await beside("skill", "show", listed["id"])).out
    ended = await beside("skill", "cancel", listed["id"])
    assert (ended.code, ended.out.strip()) == (0, "It has ended already")


async def test_whoever_does_not_watch_is_told_its_id_and_can_stop_it(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    kept: str,
) -> None:
    said = await beside("skill", "run", "account-plan")
    assert said.code == 0, said.err
    run_id = said.out.strip()
    assert len(run_id) == 36
    stopped = await beside("skill", "cancel", run_id, "--json")
    assert stopped.document == {"id": run_id, "stopped": True}
    async with wired.working(objects_url=kept):
        shown = await beside("skill", "show", run_id, "--watch")
    assert "cancelled" in shown.out


async def test_who_waits_for_their_turn_is_told_so(wired: Stage, beside: Beside, kept: str) -> None:  # noqa: F811
    for _ in range(10):
        settings = wired.settings(objects_url=kept)
        wanted = NewRun(user_id=wired.user.id, skill="account-plan")
        await skills.ask(Office(settings, wired.database, wired.temporal), wired.tenant.id, wanted)
    said = await beside("skill", "run", "account-plan")
    assert "Number 1 of its user's: its turn is at" in said.err
    assert "queued (number 1)" in (await beside("skill", "show")).out


async def test_when_temporal_does_not_answer_it_is_written_down_and_told(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    kept: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(*_: object) -> str:
        raise RPCError("hush", RPCStatusCode.UNAVAILABLE, b"")

    monkeypatch.setattr(skills, "begin", away)
    monkeypatch.setattr("starter.cli.skills.polled", away)
    said = await beside("skill", "run", "account-plan")
    assert said.code == 0, said.err
    assert said.err.strip() == "Temporal does not answer; it is begun within minutes of its being there"
    (run,) = (await beside("skill", "show", "--json")).document
    assert (run["id"], run["status"]) == (said.out.strip(), "queued")


def test_what_is_written_is_shown_to_its_end_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    writing = Writing()
    writing.show("# Plan")
    writing.show("# Plan\n\nOne")
    writing.end("# Plan\n\nOne, two.")
    assert capsys.readouterr().err == "# Plan\n\nOne, two.\n"

    other = Writing()
    other.show("I look it up.")
    other.end("# Plan")
    assert capsys.readouterr().err == "I look it up.\n", "the output stands by itself"
    Writing().end("# Plan")
    assert capsys.readouterr().err == ""


async def test_what_was_read_on_a_terminal_is_not_printed_again(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    kept: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("starter.cli.writing.progress", Console(stderr=True, force_terminal=True))
    monkeypatch.setattr("starter.cli.writing.console", Console(force_terminal=True))
    wired.sandbox.delays["anthropic"] = 0.2
    async with wired.working(objects_url=kept):
        ran = await beside("skill", "run", "follow-up", "Thank them for the tea", "--watch")
    assert ran.code == 0, ran.err
    (run,) = (await beside("skill", "show", "--json")).document
    text = (await beside("skill", "show", run["id"], "--json")).document["text"]
    assert lines(text) in ran.err, "all of it was shown"
    assert "# Follow up" not in ran.out


async def test_what_fails_is_a_sentence_and_an_exit_code(wired: Stage, beside: Beside, kept: str) -> None:  # noqa: F811
    wired.sandbox.faults.put("anthropic", "status", status=400)
    async with wired.working(objects_url=kept):
        ran = await beside("skill", "run", "account-plan", "--watch")
    assert ran.code == 1
    assert "There is no output: anthropic said 400" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "no-such"), 3, 'There is no skill "no-such"'),
        (("run", "account-plan", "--input", "goal"), 2, '"goal" is no input'),
        (("run", "account-plan", "--input", "months=900"), 2, "months: this is greater than the maximum of 24"),
        (("run", "account-plan", "--input", "months=soon"), 2, "months: "),
        (("run", "account-plan", "--client", "nowhere.example"), 3, 'There is no company "nowhere.example"'),
        (("run", "account-plan", "--meeting", ID), 3, "has no such meeting"),
        (("run", "account-plan", "--meeting", "next"), 3, "has no such meeting"),
        (("run", "account-plan", "--user", "nobody"), 3, 'There is no user "nobody"'),
        (("run", "account-plan", "x" * 20_001), 2, "longer than 20000"),
        (("show", ID), 3, "There is no such run"),
        (("show", "nonsense"), 2, "nonsense"),
        (("cancel", ID), 3, "There is no such run"),
        (("feedback", ID, "--overall", "3"), 3, "There is no such run"),
        (("check", "no-such"), 3, 'There is no skill "no-such"'),
        (("check", "./no-such"), 2, "is no folder"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, tuple) else None,
)
async def test_whatever_is_wrong_is_one_sentence(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    kept: str,
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    refused = await beside("skill", *words)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    assert await wired.count("skill_runs") == 0


def test_what_cannot_be_run_is_told_and_fails(greenroom: Greenroom, shelf: Path) -> None:  # noqa: F811
    checked = greenroom("skill", "check")
    assert checked.code == 1
    assert "bad: Its SKILL.md calls it 'other'" in checked.out
    assert "strange: can be run" in checked.out
    assert "Bash" in checked.out
    assert "1 of 2 cannot be run: bad" in checked.err
    assert greenroom("skill", "check", "strange").code == 0
    (document,) = greenroom("skill", "check", str(shelf / "strange"), "--json").document
    assert (document["name"], document["problem"], document["skill"]["foreign"]) == ("strange", "", ["Bash"])


def test_ours_can_be_run(greenroom: Greenroom) -> None:  # noqa: F811
    checked = greenroom("skill", "check", "--json").document
    assert [(one["name"], one["problem"], one["notes"]) for one in checked] == [
        ("account-plan", "", []),
        ("follow-up", "", []),
        ("objection-drill", "", []),
    ]


async def test_doctor_looks_at_skills(wired: Stage, shelf: Path, folder: Path) -> None:  # noqa: F811
    (folder / "none").mkdir()
    for where, ok, warning, said in (
        ("", True, False, "3 can be run: account-plan, follow-up, objection-drill"),
        (str(shelf), True, True, "bad cannot be run, of 2"),
        (str(folder / "none"), True, True, "there are none"),
        (str(folder / "nowhere"), False, False, "did not answer"),
        ("ftp://x", False, False, "skills are in a folder"),
    ):
        found = await skill_checks.check(wired.settings(skills_url=where))
        assert (found.ok, found.warning) == (ok, warning)
        assert said in found.said


class Bucket(FolderShelf):
    """One whose folders are whatever keys begin with."""

    async def names(self) -> tuple[str, ...]:
        return ("pictures", *await super().names())


async def test_a_folder_that_is_no_skill_is_not_counted(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(made, "skill_shelf", lambda _settings: Bucket(shelf))
    for words in (("list",), ("check",)):
        said = await beside("skill", *words, "--json")
        assert [one["name"] for one in said.document] == ["bad", "strange"], said.err
    assert (await beside("skill", "check", "pictures")).code == 3
    assert (await skill_checks.check(wired.settings())).said == "bad cannot be run, of 2"
    (shelf / "bad" / "SKILL.md").unlink()
    assert (await skill_checks.check(wired.settings())).said == "1 can be run: strange"
    (shelf / "strange" / "SKILL.md").unlink()
    assert (await skill_checks.check(wired.settings())).said == "there are none"
