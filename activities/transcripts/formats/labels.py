"""Who a transcript says is speaking: `Name:` before words, and an address behind a name."""

import re
from collections import Counter
from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError

from activities.plain import clean
from schemas.base import Email

_EMAIL = TypeAdapter(Email)
_LONGEST_NAME = 200
# Of a line, where a name may stand; and how many words a name has.
_LABEL = 120
_MOST_WORDS = 6
# Nobody who speaks says less than one line in so many.
_SELDOM = 50
# Between digits it is a time.
_COLON = re.compile("(?<![0-9]):|:(?![0-9])|\uff1a")
_BULLET = re.compile(r"[-\u2013\u2014>\u2022*#]{1,3}[ \t]+")
_BOLD = re.compile(r"\*\*([^*]{1,130})\*\*(:?)")
_CLOSES = {")": "(", ">": "<", "]": "["}
_NO_NAME = re.compile(r"[:?!;\"{}=\u201c\u201d\u2026]|[^\W\d_]{5,}\. |//")
_PARTICLE = re.compile("von|van|de[nrl]?|del?la|d[aiu]|dos|la|le|el|al|bin|ben|ibn|of|zu|zur|und|and|y|e")
# What stands before a colon in any text, and at the head of a transcript, and is nobody.
_NOBODY = re.compile(
    r"notes?|questions?|answers?|examples?|actions?|agenda|summary|next|then|also|so|and|but|ok|okay|yes|no|well|update"
    r"|todo|p\.?s\.?|re|fwd|https?|subject|title|topic|meeting|date|time|duration|attendees|participants|location"
    r"|organi[sz]er|recording|transcript|language|created|teilnehmer|datum|titel|notiz|frage|antwort",
    re.IGNORECASE,
)


def plain_line(line: str) -> str:
    """Without the marks of lists and headings around it."""
    bare = line.strip()
    if bullet := _BULLET.match(bare):
        bare = bare[bullet.end() :]
    return _BOLD.sub(r"\1\2", bare, count=1) if bare.startswith("**") else bare


def candidate(line: str) -> tuple[str, str] | None:
    """What may be a name, and the words behind its colon."""
    colon = _COLON.search(line, 0, _LABEL)
    if not colon or line.startswith("//", colon.end()):
        return None
    name = line[: colon.start()].strip()
    return (name, line[colon.end() :].strip()) if namelike(name) else None


def trusted(candidates: Iterable[str], lines: int) -> frozenset[str]:
    """Those that are names: written as names are, or told again and again. "One thing: ..." is said now and then."""
    return frozenset(
        name
        for name, times in Counter(candidates).items()
        if not _NOBODY.fullmatch(name) and (titled(name) or (times > 1 and times * _SELDOM >= lines))
    )


def namelike(name: str) -> bool:
    if not name[:1].isalnum():
        return False
    bare = _unaddressed(name)
    return (
        bool(bare)
        and any(letter.isalpha() for letter in bare)
        and len(bare.split()) <= _MOST_WORDS
        and not _NO_NAME.search(bare)
    )


def titled(name: str) -> bool:
    """Every word begins as names do, wherever a script has capitals."""
    words = _unaddressed(name).split()
    return not words[0][0].islower() and all(not word[0].islower() or _PARTICLE.fullmatch(word) for word in words)


def _unaddressed(name: str) -> str:
    return person(name)[0] if name[-1:] in _CLOSES else name


def person(told: str) -> tuple[str, str | None]:
    """The name, cleaned, and the address behind it in brackets, if there is one."""
    name = clean(told, 2 * _LONGEST_NAME)
    if name[-1:] in _CLOSES:
        before, bracket, inside = name[:-1].rpartition(_CLOSES[name[-1]])
        if bracket and (email := address(inside)):
            return before.strip()[:_LONGEST_NAME].rstrip() or email, email
    return name[:_LONGEST_NAME].rstrip(), address(name)


def address(text: str) -> str | None:
    if "@" not in text:
        return None
    try:
        return _EMAIL.validate_python(text)
    except ValidationError:
        return None
