"""Is a quote really in its source? Tolerant of white space, case, typographic quotes and ellipsis, and nothing else.

White space is every kind of it, non-breaking ones too, and what nobody sees is nothing: soft hyphens, zero-width
characters. A hyphen, a comma, an accent or a digit is a difference.
"""

import re
import unicodedata

from activities.plain import clean

# Shorter than this, words are in any text and prove nothing; so are many pieces of it.
SHORTEST = 12
MOST_PARTS = 3
# What an ellipsis joins stands within so many characters of the source: beyond that two passages make one sentence.
FARTHEST = 400
# Of the source around a passage: enough to see the rest of a figure that the quote cuts off.
AROUND = 30

_TYPOGRAPHY = str.maketrans(
    {**dict.fromkeys("‘’‚‛‹›", "'"), **dict.fromkeys("“”„‟«»", '"')},
)
# French sets a space inside them; German, which turns them around, sets none.
_OPENING = re.compile(r"(^|[\s(\[])([«‹])\s+")
_CLOSING = re.compile(r"\s+([»›])(?=$|[\s)\].,;:!?])")
_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,}|[\[(]\s*(?:…|\.{3})\s*[\])])\s*")
# Words that turn a sentence around. None may stand in what an ellipsis leaves out, or right beside the quote.
_NEGATIONS = (
    r"(?:not|no|never|none|nor|neither|without|hardly|cannot|\w+n't|denies|denied|nicht|kein\w{0,2}|nie|niemals|weder"
    r"|ohne|pas|jamais|sans|aucune?|ni)"
)
_NEGATED = re.compile(rf"(?<!\w){_NEGATIONS}(?!\w)")
_BEFORE = re.compile(rf"(?<!\w){_NEGATIONS} $")
_AFTER = re.compile(r" (?:not|nicht|pas|jamais)(?!\w)")


def found(quote: str, text: str) -> bool:
    """Every part of the quote, between its ellipses, stands in the text, in that order; few parts, and no crumbs."""
    return passage(quote, text) is not None


def passage(quote: str, text: str) -> str | None:
    """The source's words from the first part of the quote to its last, with a little around them, if they are there."""
    parts = [part for part in map(_plain, _ELLIPSIS.split(quote)) if part]
    if not parts or len(parts) > MOST_PARTS or min(map(len, parts)) < SHORTEST:
        return None
    within, at = _plain(text), -1
    while (at := within.find(parts[0], at + 1)) >= 0:
        end = _followed(parts, within, at)
        if end is not None:
            return within[max(at - AROUND, 0) : end + AROUND]
    return None


def _followed(parts: list[str], within: str, at: int) -> int | None:
    """Where the last part ends when the first stands at `at`: each next one where it comes first."""
    end = at + len(parts[0])
    if not _whole(within, at, end):
        return None
    for part in parts[1:]:
        following = within.find(part, end)
        while following >= 0 and not _whole(within, following, following + len(part)):
            following = within.find(part, following + 1)
        if following < 0 or _NEGATED.search(within[end:following]):
            return None
        end = following + len(part)
    return None if len(parts) > 1 and end - at > FARTHEST else end


def _whole(within: str, start: int, end: int) -> bool:
    """It begins and ends where words do, and no negation beside it is left out."""
    if _runs_on(within[start - 1 : start], within[start]) or _runs_on(within[end - 1], within[end : end + 1]):
        return False
    return not _BEFORE.search(within[max(start - 20, 0) : start]) and not _AFTER.match(within, end)


def _runs_on(letter: str, following: str) -> bool:
    """Both belong to one word. Scripts without capitals may write no spaces between words: there, any place will do."""
    return all(one and unicodedata.category(one) in {"Ll", "Lu", "Nd"} for one in (letter, following))


def _plain(text: str) -> str:
    seen = _OPENING.sub(r"\1\2", unicodedata.normalize("NFC", clean(text, len(text))))
    return " ".join(_CLOSING.sub(r"\1", seen).translate(_TYPOGRAPHY).casefold().split())
