"""Changes to a document as Word tracks them: who takes them all has the new text, who rejects them all the old one.

file ─▶ pieces of its text ─▶ (from the last change to the first) words marked deleted, words inserted, a comment why
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from activities.documents import marking
from activities.documents.formats import blank
from activities.documents.formats.comments import Comments
from activities.documents.formats.docx import Piece, w, walked
from activities.documents.formats.package import Package, written
from activities.documents.ports import Edit, UnreadableFileError
from schemas.documents import FileKind

AUTHOR, INITIALS = "Greenroom", "GR"
# There a comment has no place.
_UNCOMMENTED = {w("txbxContent"), w("footnote"), w("endnote")}
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_NUMBER = re.compile(r"\s*(?:\(?\w{1,6}(?:\.\d{1,3})*[.)]|\d{1,3}(?:\.\d{1,3})+|•)\s+")
# Ids beyond this are somebody's joke, and leave no room behind them.
_HIGHEST_ID = 10**9


def redline(data: bytes, kind: FileKind, text: str, edits: Sequence[Edit], at: str) -> bytes:
    """A DOCX with these changes tracked, dated `at`. What is no DOCX becomes one of its text."""
    package = Package(data if kind is FileKind.DOCX else blank.document(text))
    parts, pieces = walked(package)
    if "".join(piece.text for piece in pieces) != text:
        raise UnreadableFileError("The file is not the one that was read; upload it again.")
    comments = Comments(package, package.document(), at)
    drawing = _Drawing(pieces, comments, at, 1 + max(_highest_id(part.root) for part in parts))
    for edit in reversed(list(_fit(edits, text))):
        drawing.draw(edit)
    return package.repacked({part.name: written(part.root) for part in parts} | comments.parts())


class _Drawing:
    """Changes are drawn from the last to the first, so that pieces before stay where they were."""

    def __init__(self, pieces: Sequence[Piece], comments: Comments, at: str, first_id: int) -> None:
        self._pieces = pieces
        self._comments = comments
        self._at = at
        self._id = first_id

    def draw(self, edit: Edit) -> None:
        """Words go and come. What Word makes itself stays, such as a list's number. Words of several cells stay."""
        touched = [piece for piece in self._pieces if piece.start < edit.end and piece.end > edit.start]
        touched = touched if edit.start < edit.end else []
        if any(_parts_cells(piece) for piece in touched) or (
            touched and all(piece.element is None for piece in touched)
        ):
            return
        words = [piece for piece in touched if piece.element is not None and not piece.ends_paragraph]
        deleted = [self._delete(piece, edit) for piece in reversed(words)][::-1]
        replacement = edit.replacement
        if touched and touched[0].element is None and touched[0].text.strip():
            replacement = _NUMBER.sub("", replacement, count=1)
        marks = deleted + (self._insert(replacement, edit, deleted) if replacement else [])
        for piece in touched:
            if piece.ends_paragraph:
                self._end(piece.element)
        for paragraph in dict.fromkeys(marking.paragraph_of(one) for one in deleted):
            if marking.is_left_empty(paragraph):
                self._end(paragraph)
        if marks and edit.reason:
            self._explain(marks, edit.reason)

    def _delete(self, piece: Piece, edit: Edit) -> Any:
        """What of the piece the change takes, marked deleted."""
        start, end = max(edit.start - piece.start, 0), min(edit.end - piece.start, len(piece.text))
        run = marking.isolated(piece.element, start, end)
        for word in run.iterfind(w("t")):
            word.tag = w("delText")
        change = self._change("del")
        run.addprevious(change)
        change.append(run)
        return change

    def _insert(self, text: str, edit: Edit, deleted: Sequence[Any]) -> list[Any]:
        """Behind what of its first paragraph goes."""
        change = self._change("ins")
        if not deleted:
            return [change] if self._place(change, text, edit.start) else []
        first = marking.paragraph_of(deleted[0])
        anchor = [one for one in deleted if marking.paragraph_of(one) is first][-1]
        change.append(marking.run(text, anchor.find(w("r"))))
        marking.outside(anchor, behind=True).addnext(change)
        return [change]

    def _place(self, change: Any, text: str, place: int) -> bool:
        """Where nothing goes: behind what is before it in its paragraph, else before what follows, else where nothing is."""
        held = [piece for piece in self._pieces if piece.element is not None]
        before = next((piece for piece in held if piece.start < place <= piece.end), None)
        if before is not None and not before.ends_paragraph:
            run = marking.split(before.element, place - before.start)
            change.append(marking.run(text, run))
            marking.outside(run, behind=True).addnext(change)
            return True
        after = next((piece for piece in held if piece.start >= place), None)
        if after is not None and not after.ends_paragraph:
            run = marking.run_of(after.element)
            change.append(marking.run(text, run))
            marking.outside(run, behind=False).addprevious(change)
            return True
        empty = after.element if after is not None else None if before is None else before.element.getnext()
        if empty is None or empty.tag != w("p"):
            return False
        change.append(marking.run(text, None))
        empty.append(change)
        return True

    def _end(self, paragraph: Any) -> None:
        """The end of a paragraph, marked deleted: it goes on with the next. Where something else follows, it stays."""
        following = paragraph.getnext()
        if following is None or following.tag != w("p") or paragraph.find(f"{w('pPr')}/{w('sectPr')}") is not None:
            return
        mark = marking.mark_of(paragraph)
        if mark.find(w("del")) is None:
            # Behind an insertion of somebody else's, as the schema has it.
            mark.insert(int(mark.find(w("ins")) is not None), self._change("del"))

    def _explain(self, marks: Sequence[Any], reason: str) -> None:
        first = marking.paragraph_of(marks[0])
        if any(one.tag in _UNCOMMENTED for one in first.iterancestors()):
            return
        places = [first.index(marking.child_of(first, one)) for one in marks if marking.paragraph_of(one) is first]
        key = self._comments.add(reason, AUTHOR, INITIALS)
        start, end, reference = (
            etree.Element(w(name), {w("id"): key})
            for name in ("commentRangeStart", "commentRangeEnd", "commentReference")
        )
        run = etree.Element(w("r"))
        run.append(reference)
        first.insert(max(places) + 1, end)
        end.addnext(run)
        first.insert(min(places), start)

    def _change(self, kind: str) -> Any:
        self._id += 1
        return etree.Element(
            w(kind), {w("id"): str(self._id), w("author"): AUTHOR, w("date"): self._at}, nsmap={"w": w("")[1:-1]}
        )


def _parts_cells(piece: Piece) -> bool:
    """Nothing in the file holds it, so that it cannot go: what is proposed beyond it would read otherwise."""
    return piece.element is None and not piece.text.strip()


def _fit(edits: Sequence[Edit], text: str) -> Iterator[Edit]:
    """Those that lie in the text and change it, in its order. Of two that overlap, the first."""
    reached = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if reached <= edit.start <= edit.end <= len(text) and text[edit.start : edit.end] != edit.replacement:
            reached = edit.end
            yield _least(edit, text[edit.start : edit.end])


def _least(edit: Edit, old: str) -> Edit:
    """The same change without the words at its ends that stay."""
    was, becomes = _TOKEN.findall(old), _TOKEN.findall(edit.replacement)
    before = _alike(was, becomes)
    behind = _alike(was[before:][::-1], becomes[before:][::-1])
    return Edit(
        start=edit.start + sum(map(len, was[:before])),
        end=edit.end - sum(map(len, was[len(was) - behind :])),
        replacement="".join(becomes[before : len(becomes) - behind]),
        reason=edit.reason,
    )


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of their first ones are the same."""
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )


def _highest_id(root: Any) -> int:
    keys = (one.get(w("id"), "") for one in root.iter(tag="*"))
    return max((int(key) for key in keys if key.isascii() and key.isdigit() and int(key) < _HIGHEST_ID), default=0)
