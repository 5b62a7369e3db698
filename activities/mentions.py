"""Whether a text names somebody: by their address, or by a name of at least two words. Pure rules."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from activities.attendance import unplussed
from activities.plain import tokens, unmarked

TITLES = {"dr", "mr", "mrs", "ms", "mx", "prof", "sir"}
# Parts of a family name that many share: beside a first name they name nobody.
PARTICLES = {
    "al",
    "el",
    "de",
    "da",
    "do",
    "dos",
    "di",
    "del",
    "della",
    "den",
    "der",
    "des",
    "du",
    "la",
    "le",
    "van",
    "von",
}
PARTICLES |= {"ten", "ter", "zu", "zum", "zur", "bin", "ben", "ibn", "bint", "abu", "und", "and", "of", "the"}


@dataclass(frozen=True)
class Named:
    """Somebody as texts may name them. Whoever has but one name is found by their address alone."""

    email: str
    names: tuple[str, ...] = ()

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str, int]]:
        """Two words of a name, in either order, and how far apart they may stand: a middle name more than it has."""
        found = set()
        for name in self.names:
            parts = words_of(name)
            if len(parts) > 1:
                for other in {parts[-1]} | ({parts[1]} - PARTICLES):
                    found |= {(parts[0], other, len(parts)), (other, parts[0], len(parts))}
        return frozenset(found)

    @cached_property
    def patterns(self) -> list[str]:
        """What a text without case and accents must be LIKE to be worth a closer look.

        Other scripts are left to that look: Postgres folds them in another way than we do.
        """
        local, _, domain = unmarked(unplussed(self.email)).partition("@")
        wanted = (f"%{local}%{domain}%", *(f"%{first}%{last}%" for first, last, _ in self.pairs))
        return [re.sub(r"[^\x00-\x7f]+", "%", one) for one in wanted]

    def by_address(self, text: str) -> bool:
        return self._address.search(text.casefold().replace("%40", "@")) is not None

    def by_name(self, text: str) -> bool:
        told = tokens(text)
        return any(
            last in told[at + 1 : at + 1 + apart]
            for first, last, apart in self.pairs
            for at, word in enumerate(told)
            if word == first
        )

    @cached_property
    def _address(self) -> re.Pattern[str]:
        """Also with a +tag; not as the end of a longer address, nor as the beginning of a longer domain."""
        local, _, domain = unplussed(self.email).casefold().partition("@")
        return re.compile(rf"(?<![\w.+-]){re.escape(local)}(\+[^@\s]*)?@{re.escape(domain)}(?![\w-]|\.\w)")


def words_of(name: str) -> list[str]:
    """The words of a name that tell: no titles, no initials, nothing in brackets."""
    plain = re.sub(r"\(.*?\)|\[.*?\]", " ", name)
    return [word for word in tokens(plain) if len(word) > 1 and word not in TITLES]


def strings(value: object) -> Iterator[str]:
    """All texts of a JSON value. A text that is JSON itself, as a model's answer is, is looked into as well."""
    if isinstance(value, str):
        yield value
        if value.lstrip()[:1] in ("{", "["):
            yield from strings(_parsed(value))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield str(name)
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
