"""What a model proposes to change, held against the document: which words, because of which finding. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from activities.documents.checks import Page, inert
from activities.documents.ports import Extract, Material, Proposed, Text
from activities.documents.prompts import label
from activities.documents.said import LONGEST_REASON, Proposals, ProposalSaid
from activities.plain import clean, lines
from schemas.documents import LONGEST_CLAUSE, Change, Clause, Difference, Finding, Passage, Risk

Reason = Finding | Difference

# What differs from the playbook is worth a change from here on.
WORTH_IT = {Risk.MEDIUM, Risk.HIGH}
MENDABLE = {Change.CHANGED, Change.MISSING}


def asked(material: Material, part: Sequence[Clause]) -> dict[str, Reason]:
    """What is to be mended in this part, by the names that a model gets: what is risky, and what the playbook has
    otherwise. What is missing everywhere belongs to the first part in which anything is found."""
    ordinals = {clause.ordinal for clause in part}
    standing = [one for one in _reasons(material) if (place := _place(one)) and place.clause in ordinals]
    if part and _home(material) in ordinals:
        standing += [one for one in _reasons(material) if _place(one) is None]
    return {f"f{number}": one for number, one in enumerate(standing, 1)}


def proposed(said: Proposals, text: Text, part: Sequence[Clause], names: Mapping[str, Reason]) -> Extract:
    """Keep what changes words that stand there, and none twice: the first wins. What is missing comes last, and several
    of it behind the same words are one change."""
    page, kept, dropped = Page(text, part), list[Proposed](), 0
    for one in sorted(said.proposals, key=lambda one: _adds(names.get(one.finding))):
        change = _proposed(one, names.get(one.finding), page)
        other = next((other for other in kept if change and _overlap(change.passage, other.passage)), None)
        if change and other is None:
            kept.append(change)
        elif change and other and _adds(names.get(one.finding)) and (both := _joined(other, change)):
            kept[kept.index(other)] = both
        else:
            dropped += 1
    return Extract(proposals=tuple(kept), dropped=dropped)


def _adds(reason: Reason | None) -> bool:
    return reason is not None and _place(reason) is None


def _joined(one: Proposed, other: Proposed) -> Proposed | None:
    """What the other adds, behind what the one makes of the same words, if both end there."""
    old, new = other.passage.quote, other.replacement
    added = new.removeprefix(old).strip()
    both = f"{one.replacement} {added}".strip()
    if one.passage.end != other.passage.end or not new.startswith(old) or len(both) > LONGEST_CLAUSE:
        return None
    if added in one.replacement:
        return None
    reasons = f"{one.reason} {other.reason}"
    known = other.reason in one.reason or len(reasons) > LONGEST_REASON
    return replace(one, replacement=both, reason=one.reason if known else reasons)


def _reasons(material: Material) -> list[Reason]:
    risky = [one for one in material.findings if one.risk is not Risk.NONE]
    # What the playbook says nothing of is no reason to change it.
    differing = [one for one in material.differences if one.matters in WORTH_IT and one.change in MENDABLE]
    return [*risky, *differing]


def _place(reason: Reason) -> Passage | None:
    return reason.passage if isinstance(reason, Finding) else reason.ours


def _home(material: Material) -> int:
    """The clause in whose part missing ones are proposed."""
    places = [one.passage.clause for one in material.findings if one.passage]
    return min(places, default=0)


def _proposed(said: ProposalSaid, reason: Reason | None, page: Page) -> Proposed | None:
    if reason is None:
        return None
    place = _place(reason)
    passage = page.exactly(label(place.clause), said.old) if place else page.anywhere(said.old)
    # Tabs stay where they stand: they part cells.
    new, why = "\t".join(map(lines, said.new.split("\t"))).strip(), clean(said.reason, LONGEST_REASON)
    if passage is None or not why or len(new) > LONGEST_CLAUSE or new == passage.quote:
        return None
    # What is missing is put behind words that stay.
    if place is None and not _plain(new).startswith(_plain(passage.quote)):
        return None
    if "\t" in _changed(passage.quote, new):
        return None
    if not inert(new, page.clause(passage)) or not inert(why, passage.quote):
        return None
    finding_id = reason.id if isinstance(reason, Finding) else None
    return Proposed(passage=passage, replacement=new, reason=why, finding_id=finding_id)


def _changed(old: str, new: str) -> str:
    """The words of the old that do not stay."""
    start = _alike(old, new)
    return old[start : len(old) - _alike(old[start:][::-1], new[start:][::-1])]


def _alike(one: str, other: str) -> int:
    """How many of their first letters are the same."""
    places = (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
    return next(places, min(len(one), len(other)))


def _plain(text: str) -> str:
    return clean(text, len(text)).casefold()


def _overlap(one: Passage, other: Passage) -> bool:
    return one.start < other.end and other.start < one.end
