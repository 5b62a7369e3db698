"""The part of a DOCX that holds its comments: made where there is none."""

import posixpath
from typing import Any

from lxml import etree

from activities.documents.formats.docx import w
from activities.documents.formats.package import RELATIONS, Package, W, written
from activities.documents.formats.plain import tidy

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"


class Comments:
    """What is said beside the text. `name` is of the part that the text is in."""

    def __init__(self, package: Package, name: str, at: str) -> None:
        self._package = package
        self._document = name
        self._at = at
        self._name = package.related(name).get("comments", "")
        found = package.xml(self._name)
        self._fresh = found is None
        self._root = etree.Element(w("comments"), nsmap={"w": W}) if found is None else found
        if self._fresh:
            self._name = posixpath.join(posixpath.dirname(name), "greenroom-comments.xml")
        keys = [one.get(w("id"), "") for one in self._root]
        self._next = 1 + max((int(key) for key in keys if key.isascii() and key.isdigit()), default=-1)
        self._added = False

    def add(self, text: str, author: str, initials: str) -> str:
        """Its id."""
        self._added = True
        key, self._next = str(self._next), self._next + 1
        comment = etree.SubElement(self._root, w("comment"))
        for name, value in (("id", key), ("author", author), ("initials", initials), ("date", self._at)):
            comment.set(w(name), value)
        for line in tidy(text).split("\n"):
            run = etree.SubElement(etree.SubElement(comment, w("p")), w("r"))
            word = etree.SubElement(run, w("t"))
            word.text = line
        return key

    def parts(self) -> dict[str, bytes]:
        """The parts of the archive that are to be written, by their names."""
        if not self._added:
            return {}
        made = {self._name: written(self._root)}
        return made | (self._named() if self._fresh else {})

    def _named(self) -> dict[str, bytes]:
        """A part that is new is named by the document, and in the list of all."""
        folder, file = posixpath.split(self._document)
        links = posixpath.join(folder, "_rels", f"{file}.rels")
        root = _root(self._package.xml(links), "Relationships", _LINKS)
        link = etree.SubElement(root, f"{{{_LINKS}}}Relationship")
        link.set("Id", "greenroomComments")
        link.set("Type", f"{RELATIONS}/comments")
        link.set("Target", f"/{self._name}")
        types = _root(self._package.xml("[Content_Types].xml"), "Types", _TYPES)
        kind = etree.SubElement(types, f"{{{_TYPES}}}Override")
        kind.set("PartName", f"/{self._name}")
        kind.set("ContentType", _KIND)
        return {links: written(root), "[Content_Types].xml": written(types)}


def _root(found: Any, name: str, namespace: str) -> Any:
    return etree.Element(f"{{{namespace}}}{name}", nsmap={None: namespace}) if found is None else found
