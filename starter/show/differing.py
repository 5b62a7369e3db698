"""Two texts side by side: which words are on one side alone.

ours, theirs ─▶ words ─▶ runs of words, the same or not ─▶ a page
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# Comparing takes the longer the more often the same words stand on both sides: beyond that everything differs.
MOST_PAIRS = 50_000
_WORD = re.compile(r"\s+|\w+\s*|[^\w\s]\s*")


@dataclass(frozen=True)
class Run:
    """Words in a row that are the same on both sides, or not."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class Step:
    """Words in a row of a text that becomes another: they stay, go, or come."""

    text: str
    # "" for what stays, "del" for what goes, "ins" for what comes.
    kind: str = ""


def sides(ours: str, theirs: str) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Either text whole, cut where it begins or ceases to differ."""
    left, right = _words(ours), _words(theirs)
    one, other = list[Run](), list[Run]()
    for kind, i, j, k, m in _changes(left, right):
        differs = kind != "equal"
        one += _run(left[i:j], differs=differs)
        other += _run(right[k:m], differs=differs)
    return tuple(one), tuple(other)


def steps(old: str, new: str) -> tuple[Step, ...]:
    """How a text becomes another."""
    left, right = _words(old), _words(new)
    made = list[Step]()
    for kind, i, j, k, m in _changes(left, right):
        if kind == "equal":
            made.append(Step("".join(left[i:j])))
            continue
        made += [Step("".join(left[i:j]), "del")] if j > i else []
        made += [Step("".join(right[k:m]), "ins")] if m > k else []
    return tuple(made)


def _run(words: Sequence[str], *, differs: bool) -> list[Run]:
    return [Run("".join(words), differs)] if words else []


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _changes(left: Sequence[str], right: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """By their words: where one line ends and the other goes on, they are the same."""
    ours, theirs = [word.rstrip() for word in left], [word.rstrip() for word in right]
    often = Counter(theirs)
    if sum(often[word] for word in ours) > MOST_PAIRS:
        return [("replace", 0, len(ours), 0, len(theirs))]
    return list(SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes())
