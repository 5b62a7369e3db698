"""The archive that a DOCX is: its parts, read within bounds, whatever it says of their sizes."""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from lxml import etree

from activities.documents.ports import UnreadableFileError

DAMAGED = "The DOCX is damaged; open it in Word or LibreOffice, save it again and send that."
# Of all parts together unpacked, of one that is parsed, and how many there may be.
_LARGEST, _LARGEST_XML, _MOST_PARTS = 200 * 1024**2, 32 * 1024**2, 5000
_BOMB = "The file unpacks to far more than a document holds; save it again without what is embedded in it."

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


class Package:
    """The parts of a DOCX by their names."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
            raise UnreadableFileError(DAMAGED) from None
        self._check()

    def _check(self) -> None:
        parts = self._zip.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise UnreadableFileError("The file is protected by a password; remove it and send the file again.")
        if any(part.filename.casefold().endswith("vbaproject.bin") for part in parts):
            raise UnreadableFileError(
                "The file holds macros; save it as a document without macros (.docx) and send that."
            )
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _LARGEST:
            raise UnreadableFileError(_BOMB)

    def names(self) -> list[str]:
        return list(dict.fromkeys(part.filename for part in self._zip.infolist() if not part.is_dir()))

    def read(self, name: str, most: int = _LARGEST) -> bytes:
        """What it says of its size is not believed."""
        try:
            with self._zip.open(name) as part:
                data = part.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
            raise UnreadableFileError(DAMAGED) from None
        if len(data) > most:
            raise UnreadableFileError(_BOMB)
        return data

    def xml(self, name: str) -> Any:
        """The root of a part, or None where there is no such part."""
        if name not in self._zip.NameToInfo:
            return None
        return parsed(self.read(name, _LARGEST_XML))

    def related(self, name: str) -> dict[str, str]:
        """What a part names by the last word of its relation: comments, numbering, styles ..."""
        folder, file = posixpath.split(name)
        root = self.xml(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, str] = {}
        for one in [] if root is None else root.iter(f"{{{_PACKAGE}}}Relationship"):
            if one.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, one.get("Target", "")))
                found.setdefault(one.get("Type", "").rsplit("/", 1)[-1], target.lstrip("/"))
        return found

    def document(self) -> str:
        """The name of the part that holds the text."""
        name = self.related("").get("officeDocument", "")
        root = self.xml(name)
        if root is None:
            raise UnreadableFileError(DAMAGED)
        if root.tag == f"{{{_STRICT}}}document":
            raise UnreadableFileError(
                "This is a Strict Open XML document; save it as an ordinary Word document (.docx)."
            )
        if root.tag != f"{{{W}}}document" or root.find(f"{{{W}}}body") is None:
            raise UnreadableFileError(DAMAGED)
        self._refuse_macros(name)
        return name

    def _refuse_macros(self, name: str) -> None:
        types = self.xml("[Content_Types].xml")
        for one in [] if types is None else types:
            if one.get("PartName") == f"/{name}" and "macroEnabled" in one.get("ContentType", ""):
                raise UnreadableFileError("The file is made for macros; save it as a document without macros (.docx).")

    def repacked(self, changed: Mapping[str, bytes]) -> bytes:
        """The same archive with these parts instead of its own, or beside them."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in dict.fromkeys([*self.names(), *changed]):
                # One date for all: the same document has the same bytes.
                archive.writestr(
                    zipfile.ZipInfo(name), changed[name] if name in changed else self.read(name), zipfile.ZIP_DEFLATED
                )
        return made.getvalue()


def parsed(data: bytes) -> Any:
    """XML without entities, without a network, and no deeper than lxml bears."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error):
            raise UnreadableFileError("The tables of the file are nested too deeply; save it without them.") from None
        raise UnreadableFileError(DAMAGED) from None
    if root.getroottree().docinfo.doctype:
        raise UnreadableFileError(DAMAGED)
    return root


def written(root: Any) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
