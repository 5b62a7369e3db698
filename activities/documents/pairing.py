"""Which clause answers which: by the same words, the same heading, and how near their vectors are. Pure.

ours, theirs, nearness ─▶ equal texts ─▶ equal headings, nearest first ─▶ pairs; what is left stands alone
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from activities.documents import signs
from activities.documents.ports import Pair, Text
from activities.plain import clean, fold, words
from schemas.base import RowId
from schemas.documents import Clause, Topic

# Clauses that are less near than this do not answer each other.
NEAR_ENOUGH = 0.5
# A heading that says the same is worth so much nearness, and makes clauses answer each other whose vectors nobody knows.
HEADED = 0.5
# Clauses on one subject need be half as near.
ON_ONE_SUBJECT = 0.25
# More than these of one heading are told apart by their vectors alone.
MOST_HEADED = 20
# Without vectors, so many pairs of clauses are held against each other by their words.
MOST_BY_WORDS = 200_000


@dataclass(frozen=True)
class Near:
    """A clause of a reference that is near to one of ours, given by its ordinal."""

    ours: int
    theirs: Clause
    theirs_document_id: RowId
    theirs_text: str = field(repr=False)
    nearness: float


def pair(
    ours: Text, theirs: Text, theirs_document_id: RowId, near: Mapping[tuple[int, int], float]
) -> tuple[Pair, ...]:
    """Every clause with words in it once: ours in their order, and theirs that answers none of ours behind the pair that it
    follows. `near` is by ordinals, ours and theirs, of those that can come into question: a few for each of ours are enough.
    """
    mine, their_own = _spoken(ours), _spoken(theirs)
    partners = _equal(ours, theirs, mine, their_own)
    answered = {answer: one for one, (answer, _) in partners.items()}
    for one, other, nearness in _best(ours, theirs, near or _by_words(ours, theirs, mine, their_own)):
        if one not in partners and other not in answered:
            partners[one], answered[other] = (other, nearness), one

    def made(one: int | None, other: int | None, nearness: float = 0) -> Pair:
        clause = their_own[other] if other is not None else None
        return Pair(
            ours=mine[one] if one is not None else None,
            theirs=clause,
            theirs_document_id=theirs_document_id,
            theirs_text=theirs.of(clause) if clause else "",
            nearness=nearness,
        )

    behind = _behind(their_own, answered)
    pairs = [made(None, other) for other in behind[None]]
    for one in mine:
        pairs.append(made(one, *partners[one]) if one in partners else made(one, None))
        pairs += [made(None, left) for left in behind[one]]
    return tuple(pairs)


def nearest(ours: Text, near: Iterable[Near]) -> tuple[Pair, ...]:
    """Every clause of ours with words in it once, with the nearest of the references if that is near enough."""
    mine, best = _spoken(ours), dict[int, tuple[float, Near]]()
    subjects = {ordinal: _subject(ours.of(clause), clause) for ordinal, clause in mine.items()}
    for one in near:
        if one.ours not in mine:
            continue
        score = one.nearness + _worth(subjects[one.ours], _subject(one.theirs_text, one.theirs))
        if score >= NEAR_ENOUGH and (one.ours not in best or score > best[one.ours][0]):
            best[one.ours] = (score, one)
    return tuple(
        Pair(clause, found[1].theirs, found[1].theirs_document_id, found[1].theirs_text, found[1].nearness)
        if (found := best.get(ordinal))
        else Pair(clause, None, None)
        for ordinal, clause in mine.items()
    )


def of_part(part: Sequence[Clause], pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The pairs of a part of our clauses, with what of theirs follows them; what comes before all of ours is the first's."""
    ordinals = {clause.ordinal for clause in part}
    within, found = 0 in ordinals, []
    for one in pairs:
        within = one.ours.ordinal in ordinals if one.ours else within
        if within:
            found.append(one)
    return tuple(found)


def same(ours: str, theirs: str, number: str = "", other: str = "") -> bool:
    """The same words, whatever they are numbered and however they are set."""
    return bare(ours, number) == bare(theirs, other)


def bare(text: str, number: str) -> str:
    """A clause's words without its number, and without the marks that set words in bold."""
    seen = clean(_EMPHASIS.sub("", text), len(text)).casefold().translate(_TYPOGRAPHY)
    return seen.removeprefix(clean(number, len(number)).casefold()).lstrip(" .:)\u2013-").rstrip()


_EMPHASIS = re.compile(r"[*_#`]+")
_TYPOGRAPHY = str.maketrans({**dict.fromkeys("\u2018\u2019", "'"), **dict.fromkeys("\u201c\u201d\u201e", '"')})


def _spoken(text: Text) -> dict[int, Clause]:
    return {clause.ordinal: clause for clause in text.clauses if clean(text.of(clause), clause.end - clause.start)}


def _equal(
    ours: Text, theirs: Text, mine: Mapping[int, Clause], their_own: Mapping[int, Clause]
) -> dict[int, tuple[int, float]]:
    """Ours by theirs that say the same, each once, in order."""
    waiting = defaultdict[str, deque[int]](deque)
    for ordinal, clause in their_own.items():
        waiting[bare(theirs.of(clause), clause.number)].append(ordinal)
    found: dict[int, tuple[int, float]] = {}
    for ordinal, clause in mine.items():
        if left := waiting.get(bare(ours.of(clause), clause.number)):
            found[ordinal] = (left.popleft(), 1.0)
    return found


@dataclass(frozen=True)
class _Subject:
    """What a clause is about: by its heading as written, by what that means, by its words."""

    heading: str
    named: Topic | None
    topic: Topic


def _subject(text: str, clause: Clause) -> _Subject:
    """Titles and notes are about nothing."""
    if signs.formal(text):
        return _Subject(fold(clause.heading), None, Topic.OTHER)
    named = signs.headed(clause.heading)
    return _Subject(fold(clause.heading), named, named or signs.topic_of(text))


def _worth(one: _Subject, other: _Subject) -> float:
    """How much nearness it is worth that they are about the same."""
    if (one.heading and one.heading == other.heading) or (one.named and one.named is other.named):
        return HEADED
    return ON_ONE_SUBJECT if one.topic is other.topic and one.topic is not Topic.OTHER else 0.0


def _best(ours: Text, theirs: Text, near: Mapping[tuple[int, int], float]) -> Iterator[tuple[int, int, float]]:
    """What can answer each other, the surest first; of the equally sure, those that stand at a like place."""
    mine, their_own = (
        {ordinal: _subject(text.of(clause), clause) for ordinal, clause in _spoken(text).items()}
        for text in (ours, theirs)
    )
    alike = defaultdict[str | Topic | None, list[int]](list)
    for ordinal, theirs_about in their_own.items():
        for name in (theirs_about.heading, theirs_about.named):
            alike[name].append(ordinal)
    scores = {both: score for both, score in near.items() if both[0] in mine and both[1] in their_own}
    for ordinal, about in mine.items():
        for name in (about.heading, about.named):
            for other in alike.get(name, [])[:MOST_HEADED] if name else ():
                scores.setdefault((ordinal, other), 0.0)
    scores = {(one, other): score + _worth(mine[one], their_own[other]) for (one, other), score in scores.items()}
    sure = [(score, both) for both, score in scores.items() if score >= NEAR_ENOUGH]
    for _, (one, other) in sorted(sure, key=lambda found: (-found[0], abs(found[1][0] - found[1][1]), found[1])):
        yield one, other, min(max(near.get((one, other), 0.0), 0.0), 1.0)


def _by_words(
    ours: Text, theirs: Text, mine: Mapping[int, Clause], their_own: Mapping[int, Clause]
) -> dict[tuple[int, int], float]:
    """How many of their words clauses share, where nothing is known of their vectors."""
    if len(mine) * len(their_own) > MOST_BY_WORDS:
        return {}
    my_words = {ordinal: words(ours.of(clause)) for ordinal, clause in mine.items()}
    their_words = {ordinal: words(theirs.of(clause)) for ordinal, clause in their_own.items()}
    return {
        (one, other): len(said & answer) / len(said | answer)
        for one, said in my_words.items()
        for other, answer in their_words.items()
        if said & answer
    }


def _behind(their_own: Mapping[int, Clause], answered: Mapping[int, int]) -> dict[int | None, list[int]]:
    """Theirs that answer none of ours, by the clause of ours whose pair they follow."""
    behind = defaultdict[int | None, list[int]](list)
    last: int | None = None
    for ordinal in their_own:
        if ordinal in answered:
            last = answered[ordinal]
        else:
            behind[last].append(ordinal)
    return behind
