"""What a model must return for a script, and what of it may be said.

A sentence with a quote is a fact: its words are its quote's, in their order; it may leave some out, and add those that
claim nothing. With a negation none may be left out in between. A sentence without a quote leads on: it is made of words that
say nothing of the world, so that it cannot lie. Everything else is left out.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field

from activities.digests.spoken import speakable
from activities.digests.words import CLAIMING_NOTHING, LEADING, stem
from activities.plain import clean, tokens, unmarked
from activities.research import quotes
from activities.research.figures import lacking
from schemas.base import Inbound
from schemas.digests import Item

# A quote that is much longer than what is said of it has words for anything.
LONGEST_FACT, LONGEST_LINK, LONGEST_QUOTE = 320, 100, 400

# What a word may end in and be the same: lasts, lasted.
SHORTEST_ROOT = 3
_ENDINGS = ("ing", "es", "ed", "s", "d", "e")

_ADDRESS = re.compile(
    r"\w+://|www\.|javascript:|data:\s*\w+/|\]\(|<[a-z/!]|\S@\S|(?<![\w.-])(?:[\w-]+\.)+[a-z]{2,24}(?![\w-])",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[^\W\d_]*[A-Z\u00c0-\u00de][\w'\u2019-]*")
# The words that sentences begin with, and what is left out of short forms: it's, don't, Halden's.
_BEGINNING = re.compile(r"(?:^|(?<=[.!?\u2026] ))[\"'\u201c]?[^\W_]+")
_SHORT = re.compile(r"n?['\u2019](?:s|t|re|ll|ve|m|d)?(?!\w)")
_NEGATED = re.compile(
    r"\b(?:not|no|never|none|nor|neither|without|hardly|cannot|fails?|failed|den(?:y|ies|ied)|\w+n['\u2019]t)\b",
    re.IGNORECASE,
)


class SaidLine(Inbound):
    """One sentence. quote is copied from the item's text, word for word, and null in a sentence that states no fact."""

    voice: int
    text: str = Field(max_length=1000)
    quote: str | None


class SaidItem(Inbound):
    item: int
    says: list[SaidLine] = Field(max_length=30)


class Said(Inbound):
    """All that is said, item by item."""

    items: list[SaidItem] = Field(max_length=60)


class Refusal(StrEnum):
    """Why a sentence is left out."""

    NO_ITEM = "no such item"
    EMPTY = "empty"
    LONG = "too long"
    ADDRESS = "holds an address or markup"
    QUOTE = "quote not in its item"
    FIGURE = "a number that is not in its quote"
    NAME = "a name that is not in its item"
    WORDS = "other words than its quote's"
    NEGATION = "the other way round than its quote"
    LINK = "no fact, and more than a link"
    TWICE = "said twice"
    ROOM = "no room"


@dataclass(frozen=True)
class Sentence:
    """One that may be said. Without a quote it leads on."""

    voice: int
    text: str
    quote: str = ""


@dataclass
class Kept:
    """What may be said of each item, by its position from 1, and what was left out for which reason."""

    says: dict[int, list[Sentence]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)


def check(said: Said, items: Sequence[Item], rooms: Sequence[int]) -> Kept:
    """Keep what rests on its item, as far as each item's room in letters goes."""
    kept = Kept()
    for one in said.items:
        if not 1 <= one.item <= len(items):
            kept.dropped[Refusal.NO_ITEM] += len(one.says)
            continue
        sentences = kept.says.setdefault(one.item, [])
        for line in one.says:
            found = _checked(line, items[one.item - 1])
            if isinstance(found, Sentence):
                found = _crowded(found, kept.says.values(), sentences, rooms[one.item - 1]) or found
            if isinstance(found, Sentence):
                sentences.append(found)
            else:
                kept.dropped[found] += 1
    kept.says = {number: _told(sentences) for number, sentences in kept.says.items()}
    return kept


def _checked(line: SaidLine, item: Item) -> Sentence | Refusal:
    text, quote = clean(line.text, 1000), clean(line.quote or "", LONGEST_QUOTE)
    if not text or not tokens(text):
        return Refusal.EMPTY
    # What a voice could not say as it stands may have been said to the voice.
    if _ADDRESS.search(text) or speakable(text, len(text)) != text:
        return Refusal.ADDRESS
    if len(text) > (LONGEST_FACT if quote else LONGEST_LINK):
        return Refusal.LONG
    refusal = _unsupported(text, quote, item) if quote else None if leads(text) else Refusal.LINK
    return refusal or Sentence(2 if line.voice == 2 else 1, text, quote)


def leads(text: str) -> bool:
    """The sentence says nothing of the world: no name, and no word, number or not, that could be a fact."""
    inside = _BEGINNING.sub("", text)
    named = any(name != "I" for name in _NAME.findall(_SHORT.sub("", inside)))
    return not named and all(word in LEADING for word in tokens(_SHORT.sub("", text)))


def _unsupported(text: str, quote: str, item: Item) -> Refusal | None:
    """Why a sentence does not say what its quote says, as far as that can be seen from its words."""
    passage = quotes.passage(quote, item.text)
    if passage is None:
        return Refusal.QUOTE
    if lacking(text, quote, passage):
        return Refusal.FIGURE
    if _strange_name(text, f"{item.title} {item.text} {item.source} {item.topic}"):
        return Refusal.NAME
    if (_NEGATED.search(text) or _NEGATED.search(quote)) and not _runs(tokens(text), tokens(quote)):
        return Refusal.NEGATION
    there = iter([_root(word) for word in tokens(_SHORT.sub("", quote))])
    return None if all(_root(word) in there for word in _carrying(text)) else Refusal.WORDS


def _runs(words: list[str], within: list[str]) -> bool:
    """They stand there side by side."""
    return any(within[at : at + len(words)] == words for at in range(len(within) - len(words) + 1))


def _root(word: str) -> str:
    ending = next((one for one in _ENDINGS if word.endswith(one) and len(word) - len(one) >= SHORTEST_ROOT), "")
    return word.removesuffix(ending)


def _strange_name(text: str, beside: str) -> bool:
    """Something is written large that its item does not have. What begins a sentence may be another form of a word."""
    known = set(tokens(beside))
    stems = {stem(word) for word in known}
    first = tokens(text)[:1]
    names = {word for name in _NAME.findall(text) for word in tokens(_SHORT.sub("", name))} - CLAIMING_NOTHING
    return any(word not in known and not (word in first and stem(word) in stems) for word in names)


def _carrying(text: str) -> list[str]:
    """The words that make a sentence what it is; what figures it has is looked at by itself."""
    words = tokens(_SHORT.sub("", text))
    return [word for word in words if word not in CLAIMING_NOTHING and not any(letter.isdigit() for letter in word)]


def _crowded(
    sentence: Sentence, all_of: Iterable[list[Sentence]], sentences: list[Sentence], room: int
) -> Refusal | None:
    folded = unmarked(sentence.text)
    if sentence.quote and any(unmarked(one.text) == folded for several in all_of for one in several):
        return Refusal.TWICE
    used = sum(len(one.text) for one in sentences)
    return Refusal.ROOM if used + len(sentence.text) > room else None


def _told(sentences: list[Sentence]) -> list[Sentence]:
    """Nothing, where no fact is left; and no link to what is not there."""
    facts = [at for at, one in enumerate(sentences) if one.quote]
    return sentences[: facts[-1] + 1] if facts else []
