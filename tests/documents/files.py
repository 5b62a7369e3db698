"""Files as they come in, made by hand: a DOCX of a body, a PDF of lines, and worse ones."""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from fpdf import FPDF
from lxml import etree

from activities.documents.formats.docx import w
from activities.documents.formats.package import W

NDA = Path(__file__).parent / "nda"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
)
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINKS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_LINK = '<Relationship Id="{id}" Type="{kind}" Target="{target}"/>'
SPACES = (
    f'xmlns:w="{W}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)


def nda(name: str) -> bytes:
    return (NDA / name).read_bytes()


def docx(body: str, parts: Mapping[str, str] | None = None, *, main: str = _MAIN) -> bytes:
    """`parts` are XML by the last word of their relation, such as numbering; without a root's declaration."""
    links = "".join(
        _LINK.format(id=f"r{name}", kind=f"{_RELATIONS}/{name}", target=f"{name}.xml") for name in parts or {}
    )
    start = _LINK.format(id="r1", kind=f"{_RELATIONS}/officeDocument", target="word/document.xml")
    files = {
        "[Content_Types].xml": _TYPES.format(main=main),
        "_rels/.rels": _LINKS.format(start),
        "word/_rels/document.xml.rels": _LINKS.format(links),
        "word/document.xml": f"<w:document {SPACES}><w:body>{body}</w:body></w:document>",
        **{f"word/{name}.xml": xml for name, xml in (parts or {}).items()},
    }
    return packed(files)


def packed(files: Mapping[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def p(*inside: str, properties: str = "") -> str:
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{''.join(inside)}</w:p>"


def r(text: str, looks: str = "") -> str:
    return f'<w:r>{f"<w:rPr>{looks}</w:rPr>" if looks else ""}<w:t xml:space="preserve">{text}</w:t></w:r>'


def change(kind: str, *inside: str, key: int = 1) -> str:
    words = (
        "".join(inside).replace("w:t ", "w:delText ").replace("w:t>", "w:delText>")
        if kind == "del"
        else "".join(inside)
    )
    return f'<w:{kind} w:id="{key}" w:author="Other Side" w:date="2026-01-02T03:04:05Z">{words}</w:{kind}>'


def pdf(pages: Iterable[Iterable[str]], prepare: Callable[[FPDF], None] | None = None) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=10)
    if prepare:
        prepare(made)
    for lines in pages:
        made.add_page()
        for line in lines:
            made.multi_cell(0, 5, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(made.output())


def by_hand(data: bytes, change: Callable[[etree._Element], None]) -> bytes:
    """The same DOCX, with its parts that have text changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name in [name for name in ("word/document.xml", "word/footnotes.xml") if name in files]:
        root = etree.fromstring(files[name])
        change(root)
        files[name] = etree.tostring(root)
    return packed(files)


def part(data: bytes, name: str) -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return etree.fromstring(archive.read(name))


def rejected(data: bytes) -> bytes:
    """Every tracked change rejected, as the standard says it: what was inserted goes, what was deleted is there again."""
    return by_hand(data, _reject)


def _reject(root: etree._Element) -> None:
    for gone in list(root.iter(w("ins"), w("moveTo"))):
        gone.getparent().remove(gone)
    for kept in list(root.iter(w("del"), w("moveFrom"))):
        for run in list(kept):
            kept.addprevious(run)
        kept.getparent().remove(kept)
    for word in root.iter(w("delText")):
        word.tag = w("t")


def uncommented(data: bytes) -> bytes:
    """A LibreOffice without a screen cannot show comments, and ends when it tries."""

    def change(root: etree._Element) -> None:
        for one in list(root.iter(w("commentRangeStart"), w("commentRangeEnd"))):
            one.getparent().remove(one)
        for one in list(root.iter(w("commentReference"))):
            one.getparent().getparent().remove(one.getparent())

    return by_hand(data, change)
