"""Put a brief together: what survived the checks, what was not found, and how far to trust it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from activities.research.changes import changes, digest, sentence
from activities.research.claims import Checked, check
from activities.research.confidence import confidence
from activities.research.conflicts import conflicts
from activities.research.drafts import Aliases, Draft
from activities.research.marks import left_out
from schemas.briefs import BriefGap, BriefSubject, Candidate, Claim, Composed, Identity, Kept, Material, Person, Section
from schemas.research import Gap, State

# What a reader is told about somebody whose look-up did not end well.
WHY = {
    State.NOT_FOUND: "looked, and found nothing",
    State.FAILED: "the look-up failed",
    State.TIMED_OUT: "the look-up took too long and was left",
    State.LEFT_OUT: "left out, to stay within the budget",
}

EMPTY = {
    Section.HEADLINE: "no headline that a source supports",
    Section.PEOPLE: "nothing about the people that a source supports",
    Section.COMPANY: "nothing about a company that a source supports",
    Section.FIT: "nothing found that bears on the offering",
    Section.TALKING_POINTS: "no talking point that a fact supports",
    Section.QUESTIONS: "no question that a fact suggests",
    Section.RISKS: "no risk that a fact suggests",
}


# What stands for a model's answer when there was nothing to ask it: a brief of gaps and candidates.
UNWRITTEN = Kept(
    text='{"headline":{"text":"","rests_on":[]},"facts":[],"fit":[],"talking_points":[],"questions":[],"risks":[]}',
    stopped="end_turn",
    model="no model",
)


def uncounted(_kept: int, _dropped: Mapping[str, int]) -> None:
    """Nobody is told how many claims there were."""


def compose(
    material: Material,
    draft: Draft,
    gaps: Iterable[Gap],
    now: datetime,
    count: Callable[[int, Mapping[str, int]], None] = uncounted,
) -> Composed | str:
    """The brief, or what is wrong with the draft: evidence was there, and not one fact could be checked.

    `count` is told how many claims were kept, and how many refused for which reason, of any draft that is checked.
    """
    aliases = Aliases(material)
    checked = check(draft, aliases, now.date())
    if not aliases.evidence:
        # Nothing was asked of a model, so nothing of its was refused.
        checked.dropped.clear()
    count(len(checked.claims), checked.dropped)
    if not checked.facts and aliases.evidence and not checked.marks:
        return "not one fact has its quote in its evidence; copy quotes word for word"
    return _composed(aliases, draft, checked, tuple(gaps), now)


def _composed(aliases: Aliases, draft: Draft, checked: Checked, gaps: tuple[Gap, ...], now: datetime) -> Composed:
    material, claims = aliases.material, tuple(checked.claims)
    subjects = tuple(_subjects(aliases))
    missing = (*_missing(aliases, gaps), *_marked(aliases, checked), *_empty(claims))
    contradictions = conflicts(claims, _named(draft, checked))
    changed = changes(material.last_meeting, subjects, claims, material.evidence)
    level, reasons = confidence(subjects, claims, material.evidence, checked.dropped, now.date(), contradictions)
    return Composed(
        confidence=level,
        reasons=reasons,
        what_changed=sentence(changed, called=bool(material.promises)),
        changes=changed,
        promises=material.promises,
        subjects=subjects,
        claims=claims,
        evidence_ids=tuple(piece.id for piece in aliases.evidence.values()),
        gaps=missing,
        conflicts=contradictions,
        dropped={str(reason): number for reason, number in checked.dropped.items()},
        facts_digest=digest(material.last_version, subjects, claims, missing, material.evidence),
    )


def _named(draft: Draft, checked: Checked) -> Iterable[tuple[str, ...]]:
    """The contradictions that the model names, as far as every fact of them survived."""
    for said in draft.conflicts:
        if all(fact in checked.facts for fact in said.facts):
            yield tuple(checked.facts[fact] for fact in said.facts)


def _subjects(aliases: Aliases) -> Iterable[BriefSubject]:
    for alias, person in aliases.people.items():
        identity = aliases.identity(alias)
        sure = identity in (Identity.CONFIRMED, Identity.PROBABLE)
        detail = (_role(person) if sure else "") or person.company_domain or ""
        yield BriefSubject(
            id=person.id,
            kind="person",
            name=aliases.name(alias),
            detail=detail,
            identity=identity,
            candidates=aliases.candidates(alias),
        )
    for company in aliases.companies.values():
        yield BriefSubject(id=company.id, kind="company", name=company.name or company.domain, detail=company.domain)


def _role(person: Person) -> str:
    """What the only candidate does; with several, which of them is ours is for the facts to say."""
    if len(person.profile.candidates) != 1:
        return ""
    only = person.profile.candidates[0]
    return ", ".join(filter(None, [only.job_title, only.employer]))


def _missing(aliases: Aliases, gaps: tuple[Gap, ...]) -> Iterable[BriefGap]:
    """A gap for each look-up that ended badly, and for each person who could not be told from others."""
    told = {gap.subject_id: gap for gap in gaps}
    for alias, person in aliases.people.items():
        if gap := told.get(person.id):
            yield BriefGap(subject_id=person.id, about=aliases.name(alias), reason=WHY[gap.state])
        elif aliases.identity(alias) is Identity.AMBIGUOUS:
            yield BriefGap(
                subject_id=person.id, about=aliases.name(alias), reason=_candidates(aliases.candidates(alias))
            )
        elif aliases.identity(alias) is Identity.NOT_FOUND:
            yield BriefGap(subject_id=person.id, about=aliases.name(alias), reason=WHY[State.NOT_FOUND])
    for company in aliases.companies.values():
        if gap := told.get(company.id):
            yield BriefGap(subject_id=company.id, about=company.domain, reason=WHY[gap.state])


def _candidates(candidates: tuple[Candidate, ...]) -> str:
    described = [", ".join(filter(None, [one.name, one.job_title, one.employer, one.location])) for one in candidates]
    return "could be any of: " + "; ".join(described) if described else "found, but not at this address's company"


def _marked(aliases: Aliases, checked: Checked) -> Iterable[BriefGap]:
    """What readers marked is absent, with its reason."""
    names = {person.id: aliases.name(alias) for alias, person in aliases.people.items()}
    names |= {company.id: company.name or company.domain for company in aliases.companies.values()}
    pages = {(piece.subject_id, piece.url) for piece in aliases.material.evidence}
    return left_out(checked.marks, aliases.material.marks, names, pages)


def _empty(claims: tuple[Claim, ...]) -> Iterable[BriefGap]:
    """A section without a claim says that it was looked for."""
    filled = {claim.section for claim in claims}
    for section, reason in EMPTY.items():
        if section not in filled:
            yield BriefGap(about=section.value.replace("_", " "), reason=reason)
