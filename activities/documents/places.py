"""Where a quote stands in a text, to the character. Pure.

Tolerant as `quotes` is: white space, case, typographic quotes and what nobody sees are no difference. What it finds is cut
from the text as it is, so that text[start:end] is what is shown.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from activities.plain import clean
from activities.research import quotes

# Of the text around a place: enough to see a negation, or the rest of a figure, that the quote leaves out.
AROUND = 30

_SINGLE, _DOUBLE = "\u2018\u2019\u201a\u201b\u2039\u203a", "\u201c\u201d\u201e\u201f\u00ab\u00bb"
_TYPOGRAPHY = str.maketrans({**dict.fromkeys(_SINGLE, "'"), **dict.fromkeys(_DOUBLE, '"')})
_CLUSTERS = re.compile(r"[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]+")


class Words:
    """A text that is looked through, read once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._letters = list(_letters(text))
        self._plain = "".join(letter for letter, _, _ in self._letters)

    def find(self, quote: str) -> tuple[int, int] | None:
        """The first place where all of the quote stands, in whole words, and with no negation beside it left out."""
        wanted = _plain(quote)
        for place in self._places(wanted) if len(wanted) >= quotes.SHORTEST else ():
            if quotes.found(self._text[slice(*place)], around(self._text, *place)):
                return place
        return None

    def exactly(self, words: str) -> tuple[int, int] | None:
        """Where words stand that are to be replaced: in one place, or it is not known which are meant."""
        wanted = _plain(words)
        places = list(islice(self._places(wanted), 2)) if wanted else []
        if len(places) != 1 or any(_inside(self._text, at) for at in places[0]):
            return None
        return places[0]

    def _places(self, wanted: str) -> Iterator[tuple[int, int]]:
        at = -1
        while (at := self._plain.find(wanted, at + 1)) >= 0:
            yield self._letters[at][1], self._letters[at + len(wanted) - 1][2]


def around(text: str, start: int, end: int) -> str:
    """The words there with a little beside them, from where a word begins to where one ends."""
    before, after = text[max(start - AROUND, 0) : start], text[end : end + AROUND]
    if start > AROUND:
        before = before[_first_space(before) :]
    if end + AROUND < len(text):
        after = after[: len(after) - _first_space(after[::-1])]
    return before + text[start:end] + after


def _inside(text: str, at: int) -> bool:
    """A word goes on here."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def _first_space(text: str) -> int:
    """Where the first word that is cut off has ended; it is left where there is no other."""
    found = re.search(r"\s", text)
    return found.end() if found else 0


def _plain(text: str) -> str:
    return "".join(letter for letter, _, _ in _letters(text)).strip()


def _letters(text: str) -> Iterator[tuple[str, int, int]]:
    """Letters as they are compared, one by one, each with the place that it has in the text."""
    spaced = True
    for cluster in _CLUSTERS.finditer(text):
        for letter in _compared(cluster[0]):
            if letter == " " and spaced:
                continue
            spaced = letter == " "
            yield letter, cluster.start(), cluster.end()


def _compared(cluster: str) -> str:
    """A letter with its marks, and nothing of what nobody sees; several where its other case has several."""
    if cluster.isspace():
        return " "
    seen = clean(unicodedata.normalize("NFC", cluster), len(cluster))
    return seen.translate(_TYPOGRAPHY).casefold()
