"""The text of a DOCX as if its tracked changes were accepted, piece by piece with where each stands.

Insertions are in it and deletions are not; what was moved stands once. Tables come row by row, footnotes and text boxes
behind their paragraph; headers, footers and hidden text are left out. Numbers of lists are in the text, though nowhere in
the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from activities.documents.formats.numbering import Numbering
from activities.documents.formats.package import Package, W
from activities.documents.formats.plain import bounded
from activities.documents.ports import Parsed
from schemas.documents import LONGEST_TEXT

_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"


def w(name: str) -> str:
    return f"{{{W}}}{name}"


# What of a run is text, beside its words.
_LETTERS = {w("tab"): "\t", w("br"): "\n", w("cr"): "\n", w("noBreakHyphen"): "\u2011", w("ptab"): "\t"}
_GONE = {w("del"), w("moveFrom"), w("pPr"), w("rPr"), w("sectPr"), w("tblPr"), w("instrText"), w("delText")}
_CHANGES = {w(name) for name in ("ins", "del", "moveFrom", "moveTo", "cellIns", "cellDel", "rPrChange", "pPrChange")}
_NOTES = {w("footnoteReference"): "footnotes", w("endnoteReference"): "endnotes"}
_OFF = {"0", "false", "off"}


@dataclass(slots=True)
class Piece:
    """Letters of the text, from `start` on. `element` holds them: a w:t or a sign of a run, or the paragraph that they
    end. Nothing holds the letters that Word makes itself, such as a list's number."""

    start: int
    text: str
    element: Any = None
    ends_paragraph: bool = False

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Part:
    """A part of the archive that has text."""

    name: str
    root: Any


def read(data: bytes) -> Parsed:
    """UnreadableFileError says in a sentence why it cannot be told."""
    parts, pieces = walked(Package(data))
    text = "".join(piece.text for piece in pieces)
    tracked = any(element.tag in _CHANGES for part in parts for element in part.root.iter(*_CHANGES))
    return Parsed(bounded(text), tracked=tracked)


def walked(package: Package) -> tuple[Sequence[Part], Sequence[Piece]]:
    """The parts that have text, and its pieces in their order."""
    name = package.document()
    related = package.related(name)
    parts = {"document": Part(name, package.xml(name))}
    for kind in ("footnotes", "endnotes"):
        root = package.xml(related.get(kind, ""))
        if root is not None:
            parts[kind] = Part(related[kind], root)
    numbering = Numbering(package.xml(related.get("numbering", "")), package.xml(related.get("styles", "")))
    notes = {
        (kind, one.get(w("id"))): one
        for kind, part in parts.items()
        if kind != "document"
        for one in part.root
        if one.get(w("type")) is None
    }
    walk = _Walk(numbering, notes)
    walk.blocks(parts["document"].root.find(w("body")))
    return tuple(parts.values()), walk.pieces


class _Walk:
    def __init__(self, numbering: Numbering, notes: dict[tuple[str, str | None], Any]) -> None:
        self.pieces: list[Piece] = []
        self._length = 0
        self._numbering = numbering
        self._notes = notes
        # What separates the next letters from those before, if any follow; and the paragraph that it ends.
        self._break: tuple[str, Any] | None = None
        # Of the fields around: whether we are in what they show.
        self._fields: list[bool] = []
        self._behind: list[Any] = []

    def blocks(self, parent: Any) -> None:
        """Paragraphs and tables, whatever they are wrapped into."""
        for block in _children(parent):
            if block.tag == w("p"):
                self._paragraph(block)
            elif block.tag == w("tbl"):
                self._table(block)
            elif block.tag not in _GONE:
                self.blocks(block)

    def _table(self, table: Any) -> None:
        """Its cells are parted by tabs, its rows by newlines."""
        for row in _below(table, w("tr")):
            if row.find(f"{w('trPr')}/{w('del')}") is not None:
                continue
            cells = [cell for cell in _below(row, w("tc")) if cell.find(f"{w('tcPr')}/{w('cellDel')}") is None]
            for number, cell in enumerate(cells):
                self.blocks(cell)
                self._break = ("\n" if number + 1 == len(cells) else "\t", None)

    def _paragraph(self, paragraph: Any) -> None:
        if self._break is not None and self._break[1] is not None and self._break[1].getnext() is not paragraph:
            # Something stands between, such as a note: taking the end away would not join the two.
            self._break = (self._break[0], None)
        label = self._numbering.label(paragraph)
        if label and not _follows_merged(paragraph):
            self._add(f"{label} ")
        elif self._break is not None:
            self._add("")
        self._inline(paragraph)
        self._fields.clear()
        if not _is_merged(paragraph):
            self._break = ("\n", paragraph)
        behind, self._behind = self._behind, []
        for block in behind:
            self.blocks(block)

    def _inline(self, parent: Any) -> None:
        for child in _children(parent):
            if child.tag == w("r"):
                self._run(child)
            elif child.tag not in _GONE:
                self._inline(child)

    def _run(self, run: Any) -> None:
        if _is_hidden(run):
            return
        for child in _children(run):
            if child.tag == w("fldChar"):
                self._field(child.get(w("fldCharType")))
            elif child.tag in _NOTES:
                note = self._notes.pop((_NOTES[child.tag], child.get(w("id"))), None)
                self._behind += [] if note is None else [note]
            elif child.tag == w("t"):
                self._word(child)
            elif child.tag in _LETTERS and not self._unseen():
                self._add(_LETTERS[child.tag], child)
            elif child.tag not in _GONE:
                self._behind += [box for box in child.iter(w("txbxContent")) if _is_outermost(box, child)]

    def _word(self, word: Any) -> None:
        if not self._unseen() and word.text:
            self._add(word.text, word)

    def _field(self, kind: str | None) -> None:
        if kind == "begin":
            self._fields.append(False)
        elif kind == "separate" and self._fields:
            self._fields[-1] = True
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _unseen(self) -> bool:
        return not all(self._fields)

    def _add(self, text: str, element: Any = None) -> None:
        if self._break is not None:
            separator, paragraph = self._break
            self._put(separator, paragraph, ends_paragraph=paragraph is not None)
        self._break = None
        if text:
            self._put(text, element)

    def _put(self, text: str, element: Any, *, ends_paragraph: bool = False) -> None:
        self.pieces.append(Piece(self._length, text, element, ends_paragraph))
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            bounded("x" * self._length)


def _children(parent: Any) -> list[Any]:
    """Elements alone; of what there is for old and new programs, the new."""
    found = []
    for child in parent.iterchildren(tag="*"):
        if child.tag == f"{{{_MC}}}AlternateContent":
            shown = next(child.iterchildren(tag=f"{{{_MC}}}Choice"), None)
            shown = shown if shown is not None else next(child.iterchildren(tag=f"{{{_MC}}}Fallback"), None)
            found += [] if shown is None else _children(shown)
        else:
            found.append(child)
    return found


def _below(parent: Any, tag: str) -> list[Any]:
    """Rows or cells, whatever they are wrapped into."""
    found = []
    for child in _children(parent):
        if child.tag == tag:
            found.append(child)
        elif child.tag not in _GONE and child.tag not in {w("tc"), w("tbl")}:
            found += _below(child, tag)
    return found


def _is_merged(paragraph: Any) -> bool:
    """Its end is deleted: what follows goes on with it."""
    mark = paragraph.find(f"{w('pPr')}/{w('rPr')}")
    gone = mark is not None and (mark.find(w("del")) is not None or mark.find(w("moveFrom")) is not None)
    following = paragraph.getnext()
    return gone and following is not None and following.tag == w("p")


def _follows_merged(paragraph: Any) -> bool:
    before = paragraph.getprevious()
    return before is not None and before.tag == w("p") and _is_merged(before)


def _is_outermost(box: Any, within: Any) -> bool:
    """A text box within a text box comes with it."""
    around = box.iterancestors(w("txbxContent"))
    return not any(within in one.iterancestors() for one in around)


def _is_hidden(run: Any) -> bool:
    hidden = run.find(f"{w('rPr')}/{w('vanish')}")
    return hidden is not None and hidden.get(w("val")) not in _OFF
