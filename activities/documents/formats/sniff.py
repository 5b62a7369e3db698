"""What a file is, by its content: its name only helps to say what it is instead. Nothing is unpacked or parsed here."""

import re
from pathlib import PurePath

from activities.documents.ports import UnreadableFileError
from schemas.documents import LARGEST_FILE, FileKind

_SEND = "save it as PDF, DOCX or text and send that"
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# By what a file begins with.
_MAGIC = (
    (b"{\\rtf", "an RTF document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"%!PS", "a PostScript file"),
    (b"RIFF", "a sound or video recording"),
    (b"OggS", "a sound recording"),
    (b"ID3", "a sound recording"),
    (b"\x1aE\xdf\xa3", "a video recording"),
)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument."
# What lies inside of what other programs pack. Names stand in an archive as they are.
_PACKED = (
    (b"xl/workbook", "a spreadsheet"),
    (b"ppt/presentation", "a set of slides"),
    (b"Index/Document.iwa", "a Pages document"),
    (b"META-INF/MANIFEST.MF", "a program"),
)
_MARKUP = re.compile(rb"\s*(?:<!doctype\s+html|<html|<\?xml|<svg)", re.IGNORECASE)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# Of a text, so much tells whether it is one.
_SAMPLE = 64 * 1024
_BROKEN = 20
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x7f]")
# A PDF may begin with something else, but not with much of it.
_BEFORE_PDF = 1024


def sniff(data: bytes, name: str) -> FileKind:
    """UnreadableFileError says in a sentence what it is instead, and what to do."""
    if not data:
        raise UnreadableFileError("The file is empty.")
    if len(data) > LARGEST_FILE:
        raise UnreadableFileError(
            f"The file is larger than {LARGEST_FILE // 1024**2} MiB; send it without its pictures, or in parts."
        )
    if data.startswith(_ZIP):
        return _packed(data)
    if data.startswith(_OLE):
        raise UnreadableFileError(_old(data))
    if b"%PDF-" in data[:_BEFORE_PDF]:
        return FileKind.PDF
    _refuse(data)
    return _text(name)


def _packed(data: bytes) -> FileKind:
    if int.from_bytes(data[6:8], "little") & 1:
        raise UnreadableFileError("The file is an archive with a password; send the document itself, without one.")
    if data[30:].startswith(_OPEN_DOCUMENT):
        raise UnreadableFileError(f"This is an OpenDocument file; {_SEND}.")
    if b"word/vbaProject.bin" in data:
        raise UnreadableFileError("The file holds macros; save it as a document without macros (.docx) and send that.")
    if b"[Content_Types].xml" in data and b"document.xml" in data and b"ppt/presentation" not in data:
        return FileKind.DOCX
    what = next((what for inside, what in _PACKED if inside in data), None)
    if what is None:
        raise UnreadableFileError("This is a ZIP archive; unpack it and send the document itself.")
    raise UnreadableFileError(f"This is {what}; {_SEND}.")


def _old(data: bytes) -> str:
    """An old Office file; a DOCX with a password is wrapped into one."""
    if _wide("EncryptedPackage") in data:
        return "The file is protected by a password; remove it and send the file again."
    if _wide("WordDocument") in data:
        return "This is an old Word document (.doc); save it as DOCX or PDF and send that."
    if _wide("Workbook") in data:
        return f"This is an old spreadsheet; {_SEND}."
    return f"This is an old Office file; {_SEND}."


def _wide(name: str) -> bytes:
    return name.encode("utf-16-le")


def _refuse(data: bytes) -> None:
    if data.startswith(_PICTURES):
        raise UnreadableFileError("This is a picture; have its text recognised (OCR), and send it as a PDF with text.")
    what = next((what for magic, what in _MAGIC if data.startswith(magic)), None)
    if data[4:8] == b"ftyp":
        what = "a sound or video recording"
    if what is not None:
        raise UnreadableFileError(f"This is {what}; {_SEND}.")
    if _MARKUP.match(data.removeprefix(_MARKS[0])[:1000]):
        raise UnreadableFileError(f"This is a web page or an XML file; {_SEND}.")
    sample = data[:_SAMPLE]
    if not data.startswith(_MARKS[1:]) and (
        b"\0" in sample or len(_CONTROLS.findall(sample)) > max(8, len(sample) // _BROKEN)
    ):
        raise UnreadableFileError(f"This is a binary file of a kind that we do not know; {_SEND}.")


def _text(name: str) -> FileKind:
    """Text, unless it is called otherwise: then it is the rest of something."""
    ending = PurePath(name).suffix.casefold()
    if ending in {".pdf", ".docx", ".docm", ".doc", ".odt", ".rtf"}:
        raise UnreadableFileError(f"The file ends in {ending}, but is none; {_SEND}.")
    return FileKind.TEXT
