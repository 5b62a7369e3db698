"""Is a quote really in its source? Tolerant of white space, case, typographic quotes and ellipsis, and nothing else."""

import re

# Shorter than this, words are in any text and prove nothing; so are many pieces of it.
SHORTEST = 12
MOST_PARTS = 3

_TYPOGRAPHY = str.maketrans({"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_ELLIPSIS = re.compile(r"\s*(?:…|\.{3,}|\[\s*(?:…|\.{3})\s*\])\s*")


def found(quote: str, text: str) -> bool:
    """Every part of the quote, between its ellipses, stands in the text, in that order; few parts, and no crumbs."""
    parts = [part for part in map(_plain, _ELLIPSIS.split(quote)) if part]
    if not parts or len(parts) > MOST_PARTS or min(map(len, parts)) < SHORTEST:
        return False
    within, at = _plain(text), 0
    for part in parts:
        at = within.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def _plain(text: str) -> str:
    return " ".join(text.translate(_TYPOGRAPHY).casefold().split())
