"""greenroom document and bootstrap: from a file to what stands in it, and one sentence for whatever is wrong."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from schemas.documents import LARGEST_FILE
from starter.show.layout import SANDBOX_NOTICE
from tests.cli.conftest import Beside, Greenroom
from tests.stage import Stage

ID = "3f2c0a9e-5b1d-4c7e-9a55-0d1f2e3c4b5a"
NDA = """Mutual Non-Disclosure Agreement (fictional)

1. Confidential Information. "Confidential Information" means all information that a party discloses, in any form.

2. Term. This agreement lasts for seven (7) years from its date.

3. Survival. The obligations of Recipient survive in perpetuity after the end of this agreement.

4. Indemnity. Recipient will indemnify Discloser against all losses, without limit.
"""
PLAYBOOK = """Our playbook (fictional)

1. Term. An agreement lasts for two (2) years from its date.

2. Survival. Obligations survive for three (3) years after the end of the agreement.
"""


@pytest.fixture
def nda(wired: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to be reviewed, and somewhere to keep it."""
    monkeypatch.setenv("GREENROOM_OBJECTS_URL", (folder / "objects").as_uri())
    monkeypatch.setenv("GREENROOM_VOYAGE_PACE", "unlimited")
    file = folder / "nda.txt"
    file.write_text(NDA)
    (folder / "playbook.txt").write_text(PLAYBOOK)
    return file


async def test_a_file_is_reviewed_compared_redlined_and_deleted(wired: Stage, nda: Path, beside: Beside) -> None:
    kept = {"objects_url": (nda.parent / "objects").as_uri(), "voyage_pace": "unlimited"}
    async with wired.working(**kept):
        reviewed = await beside("document", "review", str(nda), "--watch", "--json")
        assert reviewed.code == 0, reviewed.err
        assert "percent" in reviewed.err, "how far it is, is told while one waits"
        document = reviewed.document
        passages = [one["passage"] for one in document["findings"] if one["passage"]]
        assert passages
        assert all(document["text"][one["start"] : one["end"]] == one["quote"] for one in passages)
        document_id = document["id"]

        nobody = await beside("document", "compare", document_id)
        assert (nobody.code, "playbook" in nobody.err) == (2, True)
        assert (await beside("document", "upload", "playbook.txt", "--playbook")).code == 0
        compared = await beside("document", "compare", document_id, "--watch")
        assert compared.code == 0, compared.err
        assert "clauses say the same" in compared.out
        redlined = await beside("document", "redline", document_id, "--out", "redline.docx")
        assert redlined.code == 0, redlined.err
        assert "A letter to the other side" in redlined.out
        with ZipFile("redline.docx") as file:
            assert b"w:ins" in file.read("word/document.xml")

    shown = await beside("document", "show", document_id)
    assert SANDBOX_NOTICE in shown.out
    assert "Risk: high" in shown.out
    assert "This agreement lasts for seven (7) years" in shown.out
    assert "(sandbox data)" in (await beside("document", "list")).out
    assert (await beside("document", "cancel", document_id)).out.strip() == "Nothing of it is under way"
    again = await beside("document", "retry", document_id)
    assert (again.code, "nothing to do again" in again.err) == (2, True)
    assert "give --yes" in (await beside("document", "delete", document_id)).err
    assert (await beside("document", "delete", document_id, "--yes")).out.strip() == "It is deleted"
    assert (await beside("document", "show", document_id)).code == 3


async def test_what_waits_is_stopped_and_tried_again(wired: Stage, nda: Path, beside: Beside) -> None:
    asked = await beside("document", "review", str(nda), "--urgent")
    assert asked.code == 0, asked.err
    document_id = asked.out.strip()
    assert (await beside("document", "cancel", document_id)).out.strip() == "It stops"
    (run,) = (await beside("document", "show", document_id, "--json")).document["runs"]
    assert run["status"] == "cancelled"

    again = (await beside("document", "retry", run["id"], "--reason", "It was a slip", "--json")).document
    assert (again["run_id"], again["status"]) == (run["id"], "queued")
    (run,) = (await beside("document", "show", document_id, "--json")).document["runs"]
    assert run["reason"] == "It was a slip"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("review", "absent.pdf"), 2, '"absent.pdf" cannot be read (No such file or directory)'),
        (("review", ID), 3, "There is no such document"),
        (("review", "empty.txt"), 2, "empty"),
        (("review", "large.txt"), 2, "The file has more than 20 MB"),
        (("upload", "archive.docx"), 2, "This is a ZIP archive"),
        (("show", "7"), 2, '"7" is no id'),
        (("show", ID), 3, "There is no such document"),
        (("compare", ID, "--nearest", "--playbook"), 2, "exclude each other"),
        (("compare", ID, "--nearest", "--with", ID), 2, "--with and --nearest exclude each other"),
        (("compare", ID, "--with", "7"), 2, '"7" is no id'),
        (("redline", ID), 3, "There is no such document"),
        (("cancel", ID), 3, "There is no such run"),
        (("retry", ID), 3, "There is no such run"),
        (("retry", ID, "--reason", "x" * 501), 2, "longer than 500 letters"),
        (("delete", ID), 2, "give --yes"),
        (("delete", ID, "--yes"), 3, "There is no such document"),
        (("list", "--role", "judge"), 2, "--role"),
    ],
    ids=lambda one: " ".join(one)[:40] if isinstance(one, tuple) else None,
)
async def test_what_cannot_be_meant_is_one_sentence(
    nda: Path, beside: Beside, words: tuple[str, ...], code: int, said: str
) -> None:
    (nda.parent / "empty.txt").write_bytes(b"")
    (nda.parent / "large.txt").write_bytes(b"a" * (LARGEST_FILE + 1))
    (nda.parent / "archive.docx").write_bytes(b"PK\x03\x04 broken")
    got = await beside("document", *words)

    assert (got.code, got.out) == (code, "")
    assert said in got.err, got.err
    assert len(got.err.strip().splitlines()) == 1 or "Usage" in got.err


async def test_without_a_place_for_files_it_is_told_what_mends_it(
    wired: Stage, folder: Path, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "nda.txt").write_text(NDA)
    monkeypatch.setenv("GREENROOM_OBJECTS_URL", "")
    got = await beside("document", "review", "nda.txt")

    assert got.code == 4
    assert "GREENROOM_OBJECTS_URL" in got.err


async def test_references_are_taken_in_shown_and_stopped(nda: Path, beside: Beside) -> None:
    asked = await beside("bootstrap", "run", "--force")
    assert asked.code == 0, asked.err
    bootstrap_id = asked.out.strip()
    assert "queued" in (await beside("bootstrap", "show", bootstrap_id)).out
    (listed,) = (await beside("bootstrap", "list", "--json")).document
    assert (listed["id"], listed["force"]) == (bootstrap_id, True)
    assert (await beside("bootstrap", "cancel", bootstrap_id)).out.strip() == "It stops"
    assert (await beside("bootstrap", "cancel", bootstrap_id)).out.strip() == "It has ended already"
    assert (await beside("bootstrap", "show", ID)).code == 3


@pytest.mark.parametrize(("words", "said"), [(("run", "x" * 301), "1 to 300 letters"), (("show", "7"), "is no id")])
def test_what_is_no_bootstrap_is_one_sentence(greenroom: Greenroom, words: tuple[str, ...], said: str) -> None:
    got = greenroom("bootstrap", *words)

    assert (got.code, said in got.err) == (2, True)
