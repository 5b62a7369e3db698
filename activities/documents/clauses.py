"""A document's text in clauses: they follow each other without a gap, from the first character to the last.

lines ─▶ those that begin a clause (a number, a heading) ─▶ long ones cut, short ones joined ─▶ clauses
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from schemas.documents import LONGEST_CLAUSE, MOST_CLAUSES, Clause

# 1. or 1.1 or 1.1.1) or IV. or Article IV, and then something that begins with a capital, a quote or a mark of emphasis.
_WORD = r"(?:article|section|clause|schedule|exhibit|annex|appendix)"
_COUNT = r"(?:\d{1,3}(?:\.\d{1,3}){0,4}|[ivxlc]{1,7}|[a-z])"
_NUMBER = re.compile(
    rf"[ \t]*(?:#{{1,6}}[ \t]+)?[*_]{{0,2}}"
    rf"(?P<number>{_WORD}[ \t]+{_COUNT}(?:[.:)]|(?=[ \t]*[-\u2013\u2014\n])|(?=[ \t]*$))|§[ \t]*\d{{1,3}}[a-z]?"
    r"|\d{1,3}(?:\.\d{1,3}){1,4}[.)]?|\d{1,3}[.)]|[IVXLC]{1,7}\.)[ \t*_]+",
    re.IGNORECASE | re.MULTILINE,
)
_BEGINS = re.compile(r"[^\W\d_a-z]|[\"'“\u2018„«(\[*_]|$", re.MULTILINE)
_MARKDOWN = re.compile(r"[ \t]*#{1,6}[ \t]+(?=\S)")
_LINE = re.compile(r"[^\n]*\n?")
# A line of capitals alone is a heading, when it is no longer than this; so is what stands before the first full stop.
_LONGEST_HEADING = 100
_MOST_WORDS = 12
_TITLE = re.compile(
    r"(?P<mark>[*_]{0,3})(?P<title>[^\n.:;]{1,100}?)(?P=mark)[ \t]*(?:[.:](?=[\s*_]|$)|[-\u2013\u2014](?=\s)|$)",
    re.MULTILINE,
)
# Without numbers, paragraphs are put together until there is as much as this.
_ENOUGH = 800
# Fewer beginnings than this in a text that is longer than that say nothing about how it is made.
_FEW, _SHORT = 3, 2000

_PARAGRAPH = re.compile(r"\n\s*")
_SENTENCE = re.compile(r"[.!?;…]+[\"'”\u2019»)\]]*\s+|[\u3002\uff01\uff1f]+\s*")
_SPACE = re.compile(r"\s+")


def split(text: str) -> tuple[Clause, ...]:
    """None of them longer than LONGEST_CLAUSE, and no more than MOST_CLAUSES; an empty text has none."""
    if not text:
        return ()
    starts = _starts(text)
    if len(starts) < _FEW and len(text) > _SHORT:
        starts = _paragraphs(text)
    pieces = [piece for start, end in pairwise([*starts, len(text)]) for piece in _cut(text, start, end)]
    if len(pieces) > MOST_CLAUSES:
        pieces = _packed(pieces, LONGEST_CLAUSE)
    return tuple(_clause(text, ordinal, start, end) for ordinal, (start, end) in enumerate(pieces))


def _starts(text: str) -> list[int]:
    """Where clauses begin: at numbers and headings. A heading goes with what follows it, and so does white space."""
    found = [0]
    headings = True
    for match in _LINE.finditer(text):
        line = match[0]
        if not line.strip():
            continue
        heading = _is_heading(line)
        # What is under a heading is its own, whether it has a number or is a heading too.
        if (heading or _is_numbered(line)) and not headings:
            found.append(match.start())
        headings = heading
    return found


def _is_numbered(line: str) -> bool:
    number = _NUMBER.match(line)
    return number is not None and _BEGINS.match(line, number.end()) is not None


def _is_heading(line: str) -> bool:
    words = line.strip()
    if len(words) > _LONGEST_HEADING or words.endswith((",", ";")):
        return False
    return bool(_MARKDOWN.match(line)) or (words.isupper() and sum(letter.isalpha() for letter in words) >= 4)


def _paragraphs(text: str) -> list[int]:
    """Where paragraphs begin, the short ones put together."""
    found, reached = [0], 0
    for match in _LINE.finditer(text):
        if match[0].strip() and match.start() - reached >= _ENOUGH:
            reached = match.start()
            found.append(reached)
    return found


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """At paragraphs, where there are none at sentences, else at spaces, else anywhere."""
    while end - start > LONGEST_CLAUSE:
        kinds = (_last(text, start, pattern) for pattern in (_PARAGRAPH, _SENTENCE, _SPACE))
        place = next(filter(None, kinds), start + LONGEST_CLAUSE)
        yield start, place
        start = place
    yield start, end


def _last(text: str, start: int, pattern: re.Pattern[str]) -> int | None:
    """The last place of its kind in what may be a clause, unless that is near its beginning."""
    ends = [match.end() for match in pattern.finditer(text, start + LONGEST_CLAUSE // 2, start + LONGEST_CLAUSE)]
    return ends[-1] if ends else None


def _packed(pieces: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    made = [pieces[0]]
    for start, end in pieces[1:]:
        if end - made[-1][0] <= most:
            made[-1] = (made[-1][0], end)
        else:
            made.append((start, end))
    return made


def _clause(text: str, ordinal: int, start: int, end: int) -> Clause:
    number, heading = _titled(text[start : min(end, start + 1000)])
    return Clause(ordinal=ordinal, start=start, end=end, number=number, heading=heading)


def _titled(text: str) -> tuple[str, str]:
    """The number and the heading at the beginning of a clause, as written."""
    number, heading = "", ""
    for line in text.split("\n"):
        if not line.strip():
            continue
        match = _NUMBER.match(line)
        if match is not None and not number and _BEGINS.match(line, match.end()):
            number = match["number"].strip()
            heading = _title(line[match.end() :]) or heading
        elif _is_heading(line) and not number:
            heading = heading or line.strip().lstrip("#").strip().strip("*_")
            continue
        break
    return number, heading


def _title(rest: str) -> str:
    """What stands before the first full stop, if it is short and no sentence."""
    match = _TITLE.match(rest.strip())
    title = match["title"].strip().strip("*_") if match is not None else ""
    return title if title and len(title.split()) <= _MOST_WORDS and not title[0].islower() else ""
