"""The text of a PDF: its lines joined where a paragraph goes on, without what stands on every page alike."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing

import pypdfium2
from pypdfium2 import raw

from activities.documents.formats.plain import bounded, tidy
from activities.documents.ports import Parsed, UnreadableFileError
from schemas.documents import LONGEST_TEXT, MOST_PAGES

# Letters a page that is more than a number or a stamp.
_LEAST_LETTERS = 20
# Of a line, against the longest ones of its page: one that is shorter ends a paragraph.
_FULL = 0.75
# What begins anew, whatever was before it.
_BEGINS = re.compile(
    r"\s*(?:\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivxlc]{1,6})[.)]|(?:article|section|clause|§)\s|[-•*▪\u2013]\s)",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.:;!?][\"'”\u2019)\]]*$")
# Lines at either end of a page that may be a header or a footer, and how often they must come back.
_EDGE, _LEAST_PAGES = 2, 3


def read(data: bytes) -> Parsed:
    """UnreadableFileError says in a sentence why it cannot be told."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise UnreadableFileError(_why(error)) from None
    with closing(document):
        count = len(document)
        if count > MOST_PAGES:
            raise UnreadableFileError(f"The document has more than {MOST_PAGES} pages; send it in parts.")
        pages = list(_pages(document, count))
    if sum(len(page.strip()) >= _LEAST_LETTERS for page in pages) * 2 < count:
        raise UnreadableFileError(
            "The PDF is a scan: it holds pictures of pages without text; have its text recognised (OCR) and send it again."
        )
    return Parsed(bounded(_joined(pages)), pages=count)


def _why(error: pypdfium2.PdfiumError) -> str:
    if getattr(error, "err_code", None) in {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}:
        return "The PDF is protected by a password; remove it and send the file again."
    return "The PDF is damaged; export it again from where it was written."


def _pages(document: pypdfium2.PdfDocument, count: int) -> Iterator[str]:
    """Page by page, and no further than a document may be long."""
    letters = 0
    for number in range(count):
        try:
            text = _text(document, number)
        except pypdfium2.PdfiumError:
            raise UnreadableFileError(f"Page {number + 1} of the PDF is damaged; export it again.") from None
        letters += len(text)
        if letters > 2 * LONGEST_TEXT:
            bounded(text * 0 + "x" * (LONGEST_TEXT + 1))
        yield text


def _text(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number]
    try:
        with closing(page.get_textpage()) as words:
            # A word that is broken at the end of a line has this sign for its hyphen.
            return tidy(re.sub("\ufffe\\s*", "", words.get_text_range()))
    finally:
        page.close()


def _joined(pages: Sequence[str]) -> str:
    lines = [page.split("\n") for page in pages]
    repeated = _repeated(lines)
    bodies = [
        [line for place, line in enumerate(page) if not _is_edge(page, place) or _mask(line) not in repeated]
        for page in lines
    ]
    return "\n".join(_paragraphs([(line, _width(body)) for body in bodies for line in body]))


def _repeated(pages: Sequence[Sequence[str]]) -> set[str]:
    """What stands at an end of most pages, whatever its number."""
    if len(pages) < _LEAST_PAGES:
        return set()
    seen = Counter(
        mask for page in pages for mask in {_mask(line) for place, line in enumerate(page) if _is_edge(page, place)}
    )
    return {mask for mask, times in seen.items() if mask and times * 2 > len(pages) and times >= _LEAST_PAGES}


def _is_edge(page: Sequence[str], place: int) -> bool:
    return place < _EDGE or place >= len(page) - _EDGE


def _mask(line: str) -> str:
    """A header or footer is the same on each page, but for the page's number at its end."""
    return re.sub(r"\d+(?:\s*(?:of|von|/)\s*\d+)?$", "#", line.strip(), flags=re.IGNORECASE)


def _width(lines: Sequence[str]) -> int:
    """How long the long lines of a page are."""
    lengths = sorted(len(line.rstrip()) for line in lines if line.strip())
    return lengths[int(len(lengths) * 0.9)] if lengths else 0


def _paragraphs(lines: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Lines by what their pages' lines are long, joined to paragraphs."""
    paragraph = ""
    for number, (line, width) in enumerate(lines):
        paragraph += line.rstrip()
        if number + 1 < len(lines) and _goes_on(line, lines[number + 1][0], width):
            paragraph += " "
        else:
            yield paragraph
            paragraph = ""


def _goes_on(line: str, following: str, width: int) -> bool:
    if not line.strip() or not following.strip():
        return False
    if line.endswith(" "):
        return not _BEGINS.match(following) or not _ENDS.search(line.rstrip())
    return len(line) >= _FULL * width and not (_BEGINS.match(following) and _ENDS.search(line))
