"""greenroom transcript: from a file to what came of it, and one sentence for whatever is wrong."""

from pathlib import Path

import pytest

from starter import start
from starter.show.layout import SANDBOX_NOTICE
from tests.cli.conftest import Beside, beside, folder, greenroom, wired  # noqa: F401 - fixtures
from tests.stage import Stage
from tests.transcripts.twins import Calls

ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"
VTT = """WEBVTT

00:00:01.000 --> 00:00:05.000
<v Robin Marsh>Thank you for the time, let us talk about the planning of routes.

00:01:05.000 --> 00:01:12.000
<v Ada Lovelace>I will send you the figures for the northern depots by Friday.
"""


@pytest.fixture
def file(folder: Path) -> Path:  # noqa: F811
    made = folder / "call.vtt"
    made.write_text(VTT)
    return made


async def test_a_file_becomes_what_came_of_it(wired: Stage, beside: Beside, file: Path) -> None:  # noqa: F811
    calls = Calls(wired)
    options = ("--title", "First call", "--with", "ada@lovelace.example", "--at", "2026-11-16T10:00")
    async with calls.working():
        said = await beside("transcript", "upload", str(file), *options, "--wait")
        again = await beside("transcript", "upload", str(file), *options, "--wait", "--json")
        listed = await beside("transcript", "list", "--json")

    assert (said.code, again.code) == (0, 0), (said.err, again.err)
    assert len(calls.model.prompts) == 1
    shown = said.out
    assert shown.index(SANDBOX_NOTICE) < shown.index("Summary") < shown.index("Next steps")
    assert '01:05 Ada Lovelace: "I will send you the figures for the northern depots by Friday."' in shown
    assert again.document["findings"][1]["at_ms"] == 65_000
    assert again.document["line"]["opportunity"] == "lovelace.example"
    assert [(one["status"], one["next_steps"], one["title"]) for one in listed.document] == [
        ("parsed", 1, "First call")
    ]


async def test_only_what_failed_is_tried_again(wired: Stage, beside: Beside, file: Path) -> None:  # noqa: F811
    calls = Calls(wired)
    calls.model.says = ["no JSON"] * 3
    async with calls.working():
        failed = await beside("transcript", "upload", str(file), "--wait")
        call_id = (await calls.rows("SELECT id FROM calls"))[0]["id"]
        begun = await beside("transcript", "parse", call_id)
        retried = await beside("transcript", "retry", call_id, "--wait", "--json")
        twice = await beside("transcript", "retry", call_id)

    assert (failed.code, "could not be read: the model's answers could not be used" in failed.err) == (1, True)
    assert (begun.code, f"greenroom transcript retry {call_id}" in begun.err) == (2, True)
    assert (retried.code, retried.document["line"]["status"]) == (0, "parsed")
    assert (twice.code, twice.err.count("\n")) == (2, 1)
    assert "Only a call that could not be read can be read again" in twice.err


async def test_a_call_that_nobody_read_yet_is_read(wired: Stage, beside: Beside, file: Path) -> None:  # noqa: F811
    calls = Calls(wired)
    begun = await beside("transcript", "upload", str(file))
    call_id = begun.out.strip()
    async with calls.working():
        await (await start.transcript(wired.temporal, wired.tenant.id, call_id)).result()
        parsed = await beside("transcript", "parse", call_id, "--wait", "--json")

    assert begun.code == 0, begun.err
    assert (parsed.code, parsed.document["line"]["status"]) == (0, "parsed")


async def test_a_call_that_was_read_is_left_alone_and_that_is_said(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Calls(wired)
    async with calls.working():
        await beside("transcript", "upload", str(file), "--wait")
    call_id = (await calls.rows("SELECT id FROM calls"))[0]["id"]
    # Whatever began something would fail.
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    again = await beside("transcript", "parse", call_id)
    listed = await beside("transcript", "list")

    assert (again.code, again.out) == (0, f"{call_id}\n"), again.err
    assert f"has been read already; see it with: greenroom transcript show {call_id}" in " ".join(again.err.split())
    assert len(calls.model.prompts) == 1
    assert "A call without a title" in listed.out


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"", (), "The file is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 200, (), ""),
        (b"x" * (8 * 1024 * 1024 + 10), (), "larger than 8 MiB"),
        (VTT.encode(), ("--at", "yesterday"), '"yesterday" is no time'),
        (VTT.encode(), ("--with", "nobody"), '"nobody" is no e-mail address'),
        (VTT.encode(), ("--owner", "stranger@elsewhere.example"), "There is no such user"),
    ],
)
async def test_what_is_wrong_is_one_sentence_and_nothing_is_stored(
    wired: Stage,  # noqa: F811
    beside: Beside,  # noqa: F811
    folder: Path,  # noqa: F811
    content: bytes,
    options: tuple[str, ...],
    sentence: str,
) -> None:
    (folder / "call.txt").write_bytes(content)
    said = await beside("transcript", "upload", "call.txt", *options)

    assert (said.code in (2, 3), said.out, said.err.count("\n")) == (True, "", 1), said.err
    assert sentence in said.err
    assert await wired.count("calls") == 0


async def test_what_is_not_there_is_said(wired: Stage, beside: Beside) -> None:  # noqa: F811
    said = [await beside("transcript", word, ID) for word in ("show", "parse", "retry")]
    wrong = await beside("transcript", "show", "call-1")

    assert [(one.code, one.out) for one in said] == [(3, "")] * 3
    assert (wrong.code, '"call-1" is no id' in wrong.err) == (2, True)
