"""What is read of a file: its text as if its changes were accepted, and nothing else."""

import pytest

from activities.documents.formats import docx, pdf, plain
from activities.documents.formats.sniff import sniff
from activities.documents.ports import UnreadableFileError
from schemas.documents import LARGEST_FILE, FileKind
from tests.documents import files
from tests.documents.files import W, change, p, r

_NUMBERING = (
    f'<w:numbering xmlns:w="{W}"><w:abstractNum w:abstractNumId="0">'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>'
    '<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%3)"/></w:lvl>'
    '<w:lvl w:ilvl="3"><w:start w:val="4"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="%4)"/></w:lvl>'
    "</w:abstractNum>"
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="0"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num></w:numbering>'
)


def listed(text: str, level: int, number: int = 1) -> str:
    return p(r(text), properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def text_of(*body: str, **parts: str) -> str:
    return docx.read(files.docx("".join(body), parts)).text


def test_changes_are_accepted_and_what_was_moved_stands_once() -> None:
    read = docx.read(
        files.docx(
            p(r("The term is "), change("del", r("two")), change("ins", r("three")), r(" years."))
            + p(change("moveFrom", r("Moved.")), r("Stays."))
            + p(change("moveTo", r("Moved.")))
        )
    )

    assert read.text == "The term is three years.\nStays.\nMoved."
    assert read.tracked is True


def test_a_paragraph_whose_end_is_deleted_goes_on_with_the_next() -> None:
    gone = f"<w:rPr>{change('del')}</w:rPr>"

    assert text_of(p(r("One "), properties=gone), p(r("and the same.")), p(r("Two."))) == "One and the same.\nTwo."


def test_lists_are_numbered_as_word_counts_them() -> None:
    body = [listed(*one) for one in (("A", 0), ("B", 1), ("C", 2), ("D", 2), ("E", 1), ("F", 2), ("G", 0), ("H", 3))]

    read = text_of(*body, listed("I", 0, 2), listed("J", 0, 2), numbering=_NUMBERING)

    assert read.split("\n") == ["1. A", "1.1 B", "(a) C", "(b) D", "1.2 E", "(a) F", "2. G", "IV) H", "7. I", "8. J"]


def test_a_list_may_come_by_a_style() -> None:
    styles = (
        f'<w:styles xmlns:w="{W}"><w:style w:type="paragraph" w:styleId="Base">'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="Two"><w:basedOn w:val="Base"/>'
        '<w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr></w:style></w:styles>'
    )
    body = (p(r("A"), properties='<w:pStyle w:val="Base"/>'), p(r("B"), properties='<w:pStyle w:val="Two"/>'))

    assert text_of(*body, numbering=_NUMBERING, styles=styles) == "1. A\n1.1 B"


def test_tables_come_row_by_row() -> None:
    cell = "<w:tc>{}</w:tc>".format
    rows = f"<w:tr>{cell(p(r('Term')))}{cell(p(r('Two')) + p(r('years')))}</w:tr><w:tr>{cell(p(r('Law')))}{cell(p())}</w:tr>"

    assert text_of(p(r("Before")), f"<w:tbl>{rows}</w:tbl>", p(r("After"))) == "Before\nTerm\tTwo\nyears\nLaw\t\nAfter"


def test_footnotes_and_text_boxes_stand_behind_their_paragraph() -> None:
    notes = (
        f'<w:footnotes xmlns:w="{W}"><w:footnote w:type="separator" w:id="0">{p(r("line"))}</w:footnote>'
        f'<w:footnote w:id="2">{p(r("A note."))}</w:footnote></w:footnotes>'
    )
    box = "<w:txbxContent>{}</w:txbxContent>".format
    drawn = (
        f"<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing>{box(p(r('In a box.')))}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box(p(r('In a box.')))}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )

    read = text_of(p(r("One"), '<w:r><w:footnoteReference w:id="2"/></w:r>', drawn), p(r("Two")), footnotes=notes)

    assert read == "One\nA note.\nIn a box.\nTwo"


def test_of_a_field_only_what_it_shows_is_read_and_nothing_hidden() -> None:
    sign = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'.format
    field = sign("begin") + "<w:r><w:instrText> REF x </w:instrText></w:r>" + sign("separate") + r("5.1") + sign("end")

    assert text_of(p(r("See "), field, r("!"), r("secret", "<w:vanish/>"))) == "See 5.1!"


def test_other_peoples_files_are_read() -> None:
    playbook = docx.read(files.nda("bonterms-playbook.docx")).text
    standard = pdf.read(files.nda("bonterms-mutual-nda.pdf"))

    assert "• You can delete, replace or add to provisions of the Bonterms Mutual NDA." in playbook
    assert standard.pages == 1
    # A line that goes on is joined, and a clause begins a line of its own.
    assert "to disclose its Confidential Information to the other party (“Recipient”)." in standard.text
    assert "\n2. Confidential Information. “Confidential Information” means" in standard.text


def test_what_stands_on_every_page_is_left_out() -> None:
    pages = [
        [
            "Fictional Freight Ltd - Confidential",
            f"{number}. Clause number {number} says something of its own.",
            f"Page {number}",
        ]
        for number in range(1, 6)
    ]

    read = pdf.read(files.pdf(pages)).text

    assert "Confidential" not in read and "Page" not in read
    assert read.count("says something of its own") == 5


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"A\r\nB\rC", "A\nB\nC", id="line endings"),
        pytest.param("\ufeffTerm\x00: “two”\x07".encode(), "Term: “two”", id="mark and controls"),
        pytest.param("Vertraulichkeitserklärung\n".encode("utf-16"), "Vertraulichkeitserklärung\n", id="UTF-16"),
    ],
)
def test_text_is_read_whatever_wrote_it(data: bytes, text: str) -> None:
    assert plain.read(data.replace(b"\x00:", b":") if b"\x07" in data else data).text == text


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", b"", "The file is empty."),
        (
            "a.pdf",
            b"x" * (LARGEST_FILE + 1),
            "The file is larger than 20 MiB; send it without its pictures, or in parts.",
        ),
        (
            "a.doc",
            OLE + "WordDocument".encode("utf-16-le"),
            "This is an old Word document (.doc); save it as DOCX or PDF",
        ),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "The file is protected by a password; remove it"),
        ("a.xls", OLE + "Workbook".encode("utf-16-le"), "This is an old spreadsheet;"),
        ("a.rtf", b"{\\rtf1 hello}", "This is an RTF document;"),
        (
            "a.odt",
            b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text",
            "This is an OpenDocument",
        ),
        ("a.xlsx", files.packed({"[Content_Types].xml": "", "xl/workbook.xml": "x"}), "This is a spreadsheet;"),
        ("a.zip", files.packed({"nda.pdf": "x"}), "This is a ZIP archive; unpack it"),
        (
            "a.docm",
            files.packed({"[Content_Types].xml": "", "word/document.xml": "", "word/vbaProject.bin": ""}),
            "The file holds macros;",
        ),
        ("a.png", b"\x89PNG\r\n\x1a\n", "This is a picture; have its text recognised (OCR)"),
        ("a.pdf", b"MZ\x90\0", "This is a program;"),
        ("a.pdf", b"<!DOCTYPE html><p>NDA", "This is a web page or an XML file;"),
        ("a.pdf", b"This Agreement is made", "The file ends in .pdf, but is none;"),
        ("a.txt", bytes(range(256)) * 10, "This is a binary file of a kind that we do not know;"),
    ],
    ids=lambda value: None,
)
def test_other_files_get_a_sentence(name: str, data: bytes, said: str) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        sniff(data, name)

    assert refused.value.sentence.startswith(said)
    assert refused.value.sentence.endswith(".") and "\n" not in refused.value.sentence


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("nda.docx", files.docx(p(r("x"))), FileKind.DOCX),
        ("nda.pdf", files.docx(p(r("x"))), FileKind.DOCX),
        ("nda.docx", b"%PDF-1.7 x", FileKind.PDF),
        ("nda.md", "# Ümläute".encode(), FileKind.TEXT),
        ("nda", "Ümläute".encode("utf-16"), FileKind.TEXT),
    ],
    ids=["a document", "called a PDF", "called a DOCX", "Markdown", "UTF-16"],
)
def test_a_file_is_what_it_holds(name: str, data: bytes, kind: FileKind) -> None:
    assert sniff(data, name) is kind
