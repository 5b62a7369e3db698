"""Text as it is, whatever wrote it: one kind of line ending, and no letter that nobody can see or keep."""

import re

from activities.documents.ports import Parsed, UnreadableFileError
from activities.transcripts.formats.encodings import decode
from activities.transcripts.formats.utterances import UnreadableError
from schemas.documents import LONGEST_TEXT

# Controls but tabs and newlines, halves of letters, and what is no letter at all: neither Postgres nor a DOCX keeps them.
_UNKEPT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\ufeff]")
_BREAKS = re.compile("\r\n?|[\x0c\x85\u2028\u2029]")


def read(data: bytes) -> Parsed:
    """UnreadableFileError says in a sentence why it cannot be told."""
    try:
        text = tidy(decode(data))
    except UnreadableError:
        raise UnreadableFileError(
            "The file is no text that we can read; save it as UTF-8 text, PDF or DOCX and send that."
        ) from None
    return Parsed(bounded(text))


def tidy(text: str) -> str:
    return _UNKEPT.sub("", _BREAKS.sub("\n", text))


def bounded(text: str) -> str:
    """The same text. UnreadableFileError when there is nothing in it, or too much."""
    if not text.strip():
        raise UnreadableFileError("The file holds no text; if it is a scan, have its text recognised (OCR) first.")
    if len(text) > LONGEST_TEXT:
        raise UnreadableFileError(
            f"The document has more than {LONGEST_TEXT // 1_000_000} million letters; send it in parts."
        )
    return text
