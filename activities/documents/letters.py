"""The words for the other side, by rule from what is proposed: what changes where, and why. Shown and copied, never sent. Pure."""

from pathlib import PurePath

from activities.documents.ports import Proposed, Text
from activities.plain import clean
from schemas.documents import Clause

# Of the words that change, enough to find them by.
LONGEST_SHOWN = 240
# The new words stand there in full, unless they are very many.
LONGEST_ADDED = 1_200
LONGEST_LETTER = 20_000

_OPENING = "Hello,\n\nthank you for the agreement. We would like to change the following; the attached document has each change marked.\n"
_CLOSING = "\nWe are glad to talk about any of this.\n\nKind regards"


def letter(text: Text, name: str, proposals: tuple[Proposed, ...]) -> str:
    """Empty without a proposal. Proposals stand in the order of the document."""
    if not proposals:
        return ""
    clauses = {clause.ordinal: clause for clause in text.clauses}
    items = [
        _item(number, clauses.get(one.passage.clause), one)
        for number, one in enumerate(sorted(proposals, key=lambda one: one.passage.start), 1)
    ]
    told = f"Subject: {_subject(name)}\n\n{_OPENING}"
    for place, item in enumerate(items):
        if len(told) + len(item) > LONGEST_LETTER:
            told += f"\nAnd {len(items) - place} more, which the attached document shows.\n"
            break
        told += item
    return told + _CLOSING


def _subject(name: str) -> str:
    bare = clean(PurePath(name).stem, 100)
    return f"Proposed changes to {bare or 'the confidentiality agreement'}"


def _item(number: int, clause: Clause | None, one: Proposed) -> str:
    old = _shown(one.passage.quote)
    added = one.replacement.removeprefix(one.passage.quote).strip()
    if one.passage.quote and added and one.replacement.startswith(one.passage.quote):
        change = f"behind “{old}” we would add “{clean(added, LONGEST_ADDED)}”."
        return f"\n{number}. {called(clause)}{change}\n   Reason: {one.reason}\n"
    new = clean(one.replacement, LONGEST_ADDED)
    change = f"“{old}” becomes “{new}”." if new else f"“{old}” is deleted."
    return f"\n{number}. {called(clause)}{change}\n   Reason: {one.reason}\n"


def called(clause: Clause | None) -> str:
    """A clause by its number and heading, as written."""
    if clause is None:
        return ""
    number, heading = clean(clause.number, 30).rstrip(".:)"), clean(clause.heading, 100).rstrip(".:")
    words = " ".join(word for word in (f"Clause {number}" if number else "", f"({heading})" if heading else "") if word)
    return f"{words}: " if words else ""


def _shown(words: str) -> str:
    """Both ends of a long one."""
    bare = clean(words, len(words))
    return bare if len(bare) <= LONGEST_SHOWN else f"{bare[: LONGEST_SHOWN // 2]} … {bare[-LONGEST_SHOWN // 2 :]}"
