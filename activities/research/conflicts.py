"""Facts that cannot all be true, together: those that the model names, and those whose own words say so.

By rule only what has one value at a time is compared, and only where both sentences speak of the same time and the
same whole: how many people work there, how much money was raised in a round or in all, and for whom somebody works.
What is in doubt is no contradiction.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from activities.plain import fold, words
from activities.research.figures import Figure, figures, simple
from schemas.base import RowId
from schemas.briefs import Claim, Nature, Topic

# Sources that are further apart than this tell of different times.
SAME_TIME = timedelta(days=365)
MOST = 10

_PEOPLE = re.compile(
    r"[ -]?(?:\w+ )?(?:people|employees|staff|workers|persons|colleagues|fte|mitarbeite\w*|beschäftigte\w*"
    r"|angestellte\w*|personen|salariés|collaborateurs|employés|personnes)\b"
)
_STAFF = re.compile(r"(?:staff|head ?count|workforce|belegschaft|effectifs?)\D{0,20}$")
# A part of a company, or its people on the move, are not its size.
_PART = re.compile(
    r"\b(?:team|group|office|depot|division|department|unit|branch|plant|subsidiary|hire[sd]?|hiring|added|adds|jobs"
    r"|lay|laid|cut|cuts|plans?|will|abteilung|werk|standort|filiale|site|usine|équipe|if|would|could)\b"
)
_ELSEWHERE = re.compile(r" (?:in|at|near) (?:its|the|our|[A-Z])")
_ABOUT = re.compile(r"\b(?:about|around|some|roughly|approximately|circa|ca\.?|rund|etwa|environ|près de)\W*$")
_OVER = re.compile(r"\b(?:over|more than|at least|above|exceeding|über|mehr als|mindestens|plus de)\W*$")
_UNDER = re.compile(r"\b(?:under|fewer than|less than|up to|nearly|almost|unter|fast|weniger als|moins de|presque)\W*$")
_TO = re.compile(r"^\s?(?:-|\u2013|\u2014|to|bis|à|and|und|et)\s?$")
_TOTAL = re.compile(r"\b(?:in total|total|to date|in all|altogether|overall|insgesamt|au total|so far)\b")
_ROUND = re.compile(r"\b(?:series [a-k]|serie [a-k]|pre-seed|seed)\b")
_WORKS = re.compile(
    r"\b(?:is|ist|est|serves as|works as|joined as)\b.{1,60}?\b(?:at|of|bei|chez|for|für)\s"
    r"((?:[A-ZÄÖÜÉ][\w&'\u2019.-]*)(?:\s(?:[A-ZÄÖÜÉ&][\w&'\u2019.-]*))*)"
)
# Some positions are held beside another, and some no longer.
_BESIDE = re.compile(
    r"\b(?:board|advis\w+|non-executive|lectur\w+|teach\w*|volunteer\w*|also|founder|former\w*|previously|until|was"
    r"|investor|trustee|chair\w*|member|mentor|partner|fellow)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Measure:
    """What a sentence gives as the one value of something: of what, between which bounds, in which currency."""

    of: str
    least: float
    most: float
    currency: str = ""

    def differs(self, other: "Measure") -> bool:
        comparable = self.of == other.of and (
            not self.currency or not other.currency or self.currency == other.currency
        )
        return comparable and (self.most < other.least or other.most < self.least)


def conflicts(claims: Iterable[Claim], named: Iterable[tuple[RowId, ...]] = ()) -> tuple[tuple[RowId, ...], ...]:
    """Groups of facts, in reading order; what the model names counts if each of it survived and has its own source."""
    facts = {claim.id: claim for claim in claims if claim.nature is Nature.FACT}
    groups = [group for ids in named if (group := _one_matter(ids, facts))]
    for group in _by_rule(list(facts.values())):
        if not any(set(group) <= set(other) for other in groups):
            groups.append(group)
    order = list(facts)
    unique = dict.fromkeys(tuple(sorted(group, key=order.index)) for group in groups)
    return tuple(sorted(unique, key=lambda group: order.index(group[0])))[:MOST]


def disagree(one: Claim, other: Claim) -> bool:
    """Two facts of the same subject and topic, from different sources and about the same time, differ in its value."""
    if (one.subject_id, one.topic) != (other.subject_id, other.topic) or one.evidence_id == other.evidence_id:
        return False
    if not (one.current and other.current and _same_time(one, other)):
        return False
    if one.topic is Topic.ROLE:
        return _employers_differ(one.text, other.text)
    pairs = ((mine, theirs) for mine in measures(one) for theirs in measures(other))
    return one.topic in (Topic.SIZE, Topic.FUNDING) and any(mine.differs(theirs) for mine, theirs in pairs)


def measures(claim: Claim) -> tuple[Measure, ...]:
    """The values that a sentence gives: one head count, or one sum for each round and for the total."""
    if claim.topic is Topic.SIZE:
        return _head_count(claim.text)
    return _sums(claim.text) if claim.topic is Topic.FUNDING else ()


def _one_matter(ids: tuple[RowId, ...], facts: dict[RowId, Claim]) -> tuple[RowId, ...] | None:
    group = tuple(dict.fromkeys(ids))
    if len(group) < 2 or not all(one in facts for one in group):
        return None
    subjects = {facts[one].subject_id for one in group}
    sources = {facts[one].evidence_id for one in group}
    return group if len(subjects) == 1 and len(sources) == len(group) else None


def _by_rule(facts: list[Claim]) -> list[tuple[RowId, ...]]:
    """Each fact with all that disagree with it: a third source that agrees with one of two belongs to neither pair."""
    groups: list[set[RowId]] = []
    for one, other in combinations(facts, 2):
        if not disagree(one, other):
            continue
        touched = [group for group in groups if one.id in group or other.id in group]
        groups = [group for group in groups if group not in touched] + [{one.id, other.id}.union(*touched)]
    return [tuple(group) for group in groups]


def _same_time(one: Claim, other: Claim) -> bool:
    """Published within a year of each other, and naming the same years, if both name any."""
    if one.as_of and other.as_of and abs(one.as_of - other.as_of) > SAME_TIME:
        return False
    years = [_years(claim.text) for claim in (one, other)]
    return years[0] == years[1] or not any(years) or bool(years[0] & years[1])


def _years(text: str) -> set[int]:
    dated = {figure.value[0] for figure in figures(text) if isinstance(figure.value, tuple) and figure.value[0]}
    plain = {int(year) for year in re.findall(r"\b(?:19|20)\d\d\b(?! (?:people|employees|staff))", simple(text))}
    return dated | plain


def _head_count(text: str) -> tuple[Measure, ...]:
    """Of one whole company; a range is its bounds, "about" is a tenth either way."""
    plain, said = simple(text), figures(text)
    counts = [one for one in said if one.kind == "number" and _counts_people(one, plain)]
    if not counts:
        return ()
    first = counts[0]
    if _PART.search(plain[: first.start]) or _ELSEWHERE.match(text, _end_of_people(first, plain)):
        return ()
    least, most = _bounds(first, said, plain)
    return (Measure("people", least, most),)


def _counts_people(figure: Figure, plain: str) -> bool:
    return bool(_PEOPLE.match(plain, figure.end) or _STAFF.search(plain[: figure.start]))


def _end_of_people(figure: Figure, plain: str) -> int:
    found = _PEOPLE.match(plain, figure.end)
    return found.end() if found else figure.end


def _bounds(figure: Figure, said: tuple[Figure, ...], plain: str) -> tuple[float, float]:
    value, before = float(str(figure.value)), plain[: figure.start]
    for other in said:
        if other.kind == "number" and other.end <= figure.start and _TO.match(plain[other.end : figure.start]):
            return float(str(other.value)), value
    if _ABOUT.search(before):
        return value * 0.9, value * 1.1
    if _OVER.search(before):
        return value, value * 1.5
    return (value * 0.67, value) if _UNDER.search(before) else (value, value)


def _sums(text: str) -> tuple[Measure, ...]:
    """The first sum of money is what the round, or the total, came to."""
    plain, said = simple(text), figures(text)
    money = [one for one in said if one.currency or (one.kind == "number" and float(str(one.value)) >= 100_000)]
    of = "total" if _TOTAL.search(plain) else (found[0] if (found := _ROUND.search(plain)) else "")
    if not money or not of:
        return ()
    least, most = _bounds(money[0], said, plain)
    return (Measure(of, least, most, money[0].currency),)


def _employers_differ(one: str, other: str) -> bool:
    if _BESIDE.search(one) or _BESIDE.search(other):
        return False
    mine, theirs = _WORKS.search(one), _WORKS.search(other)
    if not mine or not theirs:
        return False
    ours, others = words(mine[1]), words(theirs[1])
    same = ours <= others or others <= ours or fold(mine[1]) == fold(theirs[1])
    return bool(ours and others) and not same
