"""Is a quote really in its source? Tolerant of white space, case, typographic quotes and ellipsis, and nothing else."""

import re

# Shorter than this, a quote is in any text and proves nothing.
SHORTEST = 12

_TYPOGRAPHY = str.maketrans({"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,}|\[\s*(?:…|\.{3})\s*\])\s*")


def found(quote: str, text: str) -> bool:
    """Every part of the quote, between its ellipses, stands in the text, in that order."""
    if len(quote.strip()) < SHORTEST:
        return False
    within, at = _plain(text), 0
    for part in filter(None, map(_plain, _ELLIPSIS.split(quote))):
        at = within.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return at > 0


def _plain(text: str) -> str:
    return " ".join(text.translate(_TYPOGRAPHY).casefold().split())
