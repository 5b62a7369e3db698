"""greenroom digest: from wishes to an MP3, and one sentence for whatever is wrong."""

from pathlib import Path

import av
import pytest

from starter import schedules
from starter.show.layout import SANDBOX_NOTICE
from tests.cli.conftest import Beside, beside, folder, greenroom, wired  # noqa: F401 - fixtures
from tests.stage import Stage

ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"


@pytest.fixture
def kept(wired: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: F811
    """Where audio is kept."""
    url = (folder / "objects").as_uri()
    monkeypatch.setenv("GREENROOM_OBJECTS_URL", url)
    return url


async def test_wishes_become_a_digest_that_can_be_heard(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    kept: str,
    folder: Path,  # noqa: F811
) -> None:
    wished = await beside("digest", "wishes", "--topic", "rail freight", "--days", "every", "--json")
    assert wished.code == 0, wished.err
    assert (wished.document["topics"], wished.document["days"]) == (["rail freight"], 127)
    async with wired.working(objects_url=kept, brave_pace="unlimited"):
        ran = await beside("digest", "run", "--user", wired.tenant.slug)
        assert ran.code == 0, ran.err
        again = await beside("digest", "run", "--json")

    assert SANDBOX_NOTICE in ran.out
    assert "Good morning, Robin." in ran.out
    assert "[1] " in ran.out
    listed = (await beside("digest", "list", "--json")).document
    assert [(one["id"], one["status"], one["audio"]) for one in listed] == [(again.document["id"], "ready", "ready")]
    assert len(wired.calls("anthropic")) == 1, "the second run joins the first"
    shown = await beside("digest", "show", again.document["id"])
    assert shown.out == ran.out
    assert "min" in (await beside("digest", "list")).out

    where = await beside("digest", "play")
    assert where.out.strip().endswith(f"/digests/{again.document['id']}")
    saved = await beside("digest", "play", again.document["id"], "--out", str(folder / "today.mp3"))
    assert saved.code == 0, saved.err
    with av.open(str(folder / "today.mp3")) as opened:
        assert opened.duration is not None
        assert abs(opened.duration / 1000 - again.document["sound"]["duration_ms"]) < 1000


async def test_whoever_does_not_wait_is_told_its_id(wired: Stage, beside: Beside, kept: str) -> None:  # noqa: F811
    said = await beside("digest", "run", "--no-wait", "--topic", "port fees", "--json")
    assert said.code == 0
    assert len(said.document["id"]) == 36


async def test_wishes_are_changed_one_by_one(wired: Stage, beside: Beside) -> None:  # noqa: F811
    await beside("digest", "wishes", "--topic", "a", "--topic", "b", "--sales", "--days", "mon,sat")
    said = await beside("digest", "wishes", "--no-audio", "--no-mail", "--quiet", "none", "--json")
    assert said.document == {
        "topics": ["a", "b"],
        "sales": True,
        "days": 0b0100001,
        "quiet": "none",
        "audio": False,
        "by_mail": False,
    }
    cleared = await beside("digest", "wishes", "--clear")
    assert "interests     none" in cleared.out
    assert "mon, sat" in cleared.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("wishes", "--topic", " "), "is no interest"),
        (("wishes", "--topic", "x" * 200), "is no interest"),
        (("wishes", *(word for n in range(11) for word in ("--topic", f"t{n}"))), "there may be 10"),
        (("wishes", "--days", "mon,someday"), '"someday" is no day'),
        (("wishes", "--clear", "--topic", "a"), "exclude each other"),
        (("wishes", "--user", "nobody@harbour.example"), "There is no user"),
        (("run", "--day", "yesterday"), "is no day"),
        (("run", "--day", "2020-01-01"), "news of today alone"),
        (("show",), "There is no digest yet"),
        (("show", ID), "no such digest"),
        (("show", "x"), "is no id"),
        (("play", ID), "no such digest"),
        (("schedule", "--pause", "--resume"), "exclude each other"),
        (("schedule",), "greenroom schedules ensure"),
    ],
)
async def test_what_is_wrong_is_one_sentence(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    words: tuple[str, ...],
    sentence: str,
) -> None:
    said = await beside("digest", *words)
    assert sentence in said.err, said
    assert said.code != 0
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


async def test_a_digest_without_audio_says_why(wired: Stage, beside: Beside) -> None:  # noqa: F811
    await beside("digest", "wishes", "--topic", "rail freight", "--no-audio")
    async with wired.working(brave_pace="unlimited"):
        assert (await beside("digest", "run")).code == 0
    said = await beside("digest", "play")
    assert said.code != 0
    assert "It has no audio" in said.err


async def test_the_clock_can_be_paused(wired: Stage, beside: Beside) -> None:  # noqa: F811
    await beside("schedules", "ensure")
    try:
        assert "paused" in (await beside("digest", "schedule", "--pause")).out
        resumed = await beside("digest", "schedule", "--resume", "--json")
        assert (resumed.document["paused"], resumed.document["next_at"] is not None) == (False, True)
    finally:
        for name in schedules.NAMES:
            await wired.temporal.get_schedule_handle(name).delete()
