"""A redline is the document with tracked changes: taken, it reads as proposed; rejected, as it was before."""

import asyncio
import io
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.documents.formats import docx, pdf, plain
from activities.documents.ports import Edit, UnreadableFileError
from activities.documents.tracked import redline
from schemas.documents import FileKind
from tests.documents import files
from tests.documents.files import W, change, p, r

OFFICE = Path(__file__).parent / "office.py"
AT = "2026-11-23T10:00:00Z"
_LINK = f'<w:hyperlink w:anchor="x">{r("see the policy")}</w:hyperlink>'
_NOTE = '<w:r><w:footnoteReference w:id="2"/></w:r>'
_NOTES = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="2">{p(r("Noted here."))}</w:footnote></w:footnotes>'
# Everything that a text may stand in: runs of several looks, a table, a link, a field, others' changes, a note.
BODY = (
    p(r("This Agreement "), r("is made", "<w:b/>"), r(" between two fictional parties."))
    + p(
        r("1. Term. The term is two (2)"),
        '<w:r><w:t xml:space="preserve"> years</w:t><w:tab/><w:t>from</w:t><w:br/><w:t>today.</w:t></w:r>',
    )
    + f"<w:tbl><w:tr><w:tc>{p(r('Law'))}</w:tc><w:tc>{p(r('The law of '), r('Narnia', '<w:i/>'))}</w:tc></w:tr></w:tbl>"
    + p(
        r("2. Return. "),
        change("del", r("Never.")),
        change("ins", r("Within ten days of a request.")),
        r(" Then "),
        _LINK,
    )
    + p(
        r("3. A note"),
        _NOTE,
        r(" and ") + '<w:fldSimple w:instr=" REF x ">' + r("Section 5") + "</w:fldSimple>",
        r("."),
    )
    + p()
    + p(r("Signed."))
)
FILE = files.docx(BODY, {"footnotes": _NOTES})
TEXT = docx.read(FILE).text


def edit(old: str, new: str, reason: str = "", text: str = TEXT) -> Edit:
    assert text.count(old) == 1, old
    start = text.index(old)
    return Edit(start, start + len(old), new, reason)


def applied(text: str, edits: list[Edit]) -> str:
    for one in sorted(edits, key=lambda one: one.start, reverse=True):
        text = text[: one.start] + one.replacement + text[one.end :]
    return text


def drawn(*edits: Edit) -> bytes:
    return redline(FILE, FileKind.DOCX, TEXT, edits, AT)


def read(data: bytes) -> str:
    return docx.read(data).text


OLD = read(files.rejected(FILE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("two (2) years", "three (3) years"),
        ("between two fictional", "between the fictional"),
        ("Agreement is made between", "Agreement, made between"),
        ("years\tfrom\ntoday", "years from the day\nof its\tsignature"),
        ("Narnia", "Ruritania"),
        ("The law of Narnia", "English law"),
        ("ten days of", "thirty days after"),
        ("request. Then see the", "demand, see our"),
        ("see the policy", "and all else"),
        ("Section 5", "Section 6"),
        ("Noted here.", "Noted there."),
        ("Signed.", "Signed and sealed."),
    ],
)
def test_words_go_and_come_wherever_they_stand(old: str, new: str) -> None:
    changed = edit(old, new, "For a reason.")
    made = drawn(changed)

    assert read(made) == applied(TEXT, [changed])
    assert read(files.rejected(made)) == OLD


@pytest.mark.parametrize(
    ("old", "kept"),
    [
        ("parties.\n1. Term", "parties, for a Term"),
        ("\nSigned.", "Done."),
        (" parties.\n1. Term. The term", " parties whose term"),
    ],
)
def test_a_change_may_run_over_the_end_of_a_paragraph(old: str, kept: str) -> None:
    changed = edit(old, kept)
    made = drawn(changed)

    assert read(made) == applied(TEXT, [changed])
    assert read(files.rejected(made)) == OLD


def test_a_clause_that_goes_whole_leaves_no_empty_paragraph() -> None:
    made = drawn(edit("This Agreement is made between two fictional parties.", ""))

    assert read(made) == TEXT[TEXT.index("\n") + 1 :]
    assert read(files.rejected(made)) == OLD


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_changes_can_be_taken_and_rejected(data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(TEXT)), min_size=2, max_size=8, unique=True)))
    words = st.text(st.sampled_from("ab <&\t\n“🖋"), max_size=12)
    pairs = list(zip(places[::2], places[1::2], strict=False))
    # Within lines and cells: nobody can take the end of a cell away, and ends of paragraphs have their own tests.
    edits = [
        Edit(one, other, data.draw(words), "Why.") for one, other in pairs if not {"\n", "\t"} & set(TEXT[one:other])
    ]

    made = drawn(*edits)

    assert read(files.rejected(made)) == OLD
    taken = read(made)
    # A paragraph of which nothing is left goes with its end.
    assert taken.replace("\n", "") == applied(TEXT, edits).replace("\n", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Law\tThe law of Narnia", "Laws\tEnglish law"),
        ("law of Narnia\n2. Return", "law of England; 2. Returns"),
    ],
    ids=["cells", "rows"],
)
def test_words_of_several_cells_stay(old: str, new: str) -> None:
    assert read(drawn(edit(old, new, "Why."), edit("two (2)", "six (6)"))) == TEXT.replace("two (2)", "six (6)")


def test_a_change_of_looks_that_was_there_stays_and_new_words_have_none() -> None:
    looks = f'<w:rPrChange w:id="9" w:author="Other Side" w:date="{AT}"><w:rPr/></w:rPrChange>'
    file = files.docx(p(f"<w:r><w:rPr><w:b/>{looks}</w:rPr><w:t>One </w:t><w:tab/><w:t>two years.</w:t></w:r>"))
    text = read(file)
    at = text.index("two")

    made = redline(file, FileKind.DOCX, text, [Edit(at, at + 3, "six", "")], AT)

    runs = list(files.part(made, "word/document.xml").iter(docx.w("r")))
    changed = {"".join(one.itertext()): one.find(f".//{docx.w('rPrChange')}") is not None for one in runs}
    assert changed == {"One ": True, "two": True, "six": False, " years.": True}


def test_of_two_changes_that_overlap_the_first_is_drawn_and_of_none_nothing() -> None:
    first, other = edit("two (2)", "six (6)"), edit("(2) years", "(9) months")

    assert read(drawn(other, first)) == applied(TEXT, [first])
    assert read(drawn(edit("Narnia", "Narnia"))) == TEXT


def test_only_words_that_change_are_marked_and_the_reason_stands_beside_them() -> None:
    made = drawn(edit("The term is two (2) years", "The term is three (3) years", "Two years are too <short>."))
    document = Document(io.BytesIO(made))

    assert [(one.text, one.author) for one in document.comments] == [("Two years are too <short>.", "Greenroom")]
    gone = [one.text for one in document.element.iter(docx.w("delText")) if "Never" not in one.text]
    assert gone == ["two (2"]


def test_comments_that_were_there_stay() -> None:
    there = (
        f'<w:comments xmlns:w="{W}"><w:comment w:id="7" w:author="Other Side" w:date="{AT}" w:initials="OS">'
        f"{p(r('Ours.'))}</w:comment></w:comments>"
    )
    file = files.docx(p(r("Two years.")), {"comments": there})

    made = redline(file, FileKind.DOCX, "Two years.", [Edit(0, 3, "Three", "Why.")], AT)

    comments = files.part(made, "word/comments.xml")
    assert ["".join(one.itertext()) for one in comments] == ["Ours.", "Why."]
    assert [one.get(docx.w("id")) for one in comments] == ["7", "8"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FileKind.TEXT, plain.read(files.nda("bonterms-mutual-nda.md")).text),
        (FileKind.PDF, pdf.read(files.nda("bonterms-mutual-nda.pdf")).text),
        (FileKind.TEXT, "\n\n  Two\tyears <&> \u2011 🖋.\n\n"),
    ],
    ids=["Markdown", "PDF", "odd"],
)
def test_what_is_no_docx_becomes_one(kind: FileKind, text: str) -> None:
    place = text.index("w")
    changed = Edit(place, place + 1, "W!", "Why.")

    made = redline(b"", kind, text, [changed], AT)

    assert read(made) == applied(text, [changed])
    assert read(files.rejected(made)) == text


def test_another_file_than_the_one_that_was_read_is_refused() -> None:
    with pytest.raises(UnreadableFileError, match="not the one that was read"):
        redline(FILE, FileKind.DOCX, TEXT + "x", [], AT)


@pytest.mark.skipif(
    not shutil.which("soffice")
    or subprocess.run(["/usr/bin/python3", "-c", "import uno"], capture_output=True, check=False).returncode != 0,
    reason="there is no LibreOffice with its Python here",
)
async def test_libreoffice_takes_and_rejects_all_changes(tmp_path: Path) -> None:
    playbook = files.nda("bonterms-playbook.docx")
    text = docx.read(playbook).text
    edits = [
        edit("at least 50% ownership", "at least 51% ownership", "A majority.", text),
        edit("• You can delete, replace or add to provisions of the Bonterms Mutual NDA.\n", "", "Not needed.", text),
        edit("may not be attributed to the disclosing party", "may be attributed", "Ours.", text),
    ]
    # LibreOffice works out what a field shows by itself.
    body = files.docx(BODY.replace("w:fldSimple", "w:smartTag"), {"footnotes": _NOTES})
    ours = [edit("two (2) years", "three (3) years", "Why."), edit("ten days of", "thirty days after")]
    theirs = redline(body, FileKind.DOCX, TEXT, ours, AT)
    made = {"playbook": redline(playbook, FileKind.DOCX, text, edits, AT), "body": theirs}
    jobs = []
    for name, data in made.items():
        (tmp_path / f"{name}.docx").write_bytes(files.uncommented(data))
        jobs += [(what, tmp_path / f"{name}.docx", tmp_path / f"{name}-{what}.docx") for what in ("accept", "reject")]

    await office(tmp_path, [str(one) for job in jobs for one in job])

    assert saved(tmp_path) == {
        "playbook-accept": read(made["playbook"]),
        "playbook-reject": text,
        "body-accept": read(theirs),
        "body-reject": OLD,
    }


def saved(folder: Path) -> dict[str, str]:
    return {path.stem: read(path.read_bytes()) for path in folder.glob("*-*.docx")}


async def office(folder: Path, jobs: list[str]) -> None:
    """Both processes are gone when this ends."""
    home, pipe = f"file://{folder}/home", f"greenroom{folder.name}"
    server = await asyncio.create_subprocess_exec(
        *("soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation={home}"),
        f"--accept=pipe,name={pipe};urp",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        asker = await asyncio.create_subprocess_exec("/usr/bin/python3", str(OFFICE), pipe, *jobs)
        assert await asyncio.wait_for(asker.wait(), 60) == 0
        await asyncio.wait_for(server.wait(), 20)
    finally:
        if server.returncode is None:
            # The office itself is its child.
            os.killpg(server.pid, signal.SIGKILL)
            await server.wait()
