"""Put a brief together: what survived the checks, what was not found, and how far to trust it."""

from collections.abc import Iterable
from datetime import datetime

from activities.research.changes import changes, digest, sentence
from activities.research.claims import check
from activities.research.confidence import confidence
from activities.research.drafts import Aliases, Draft
from schemas.briefs import BriefGap, BriefSubject, Candidate, Claim, Composed, Identity, Kept, Material, Person, Section
from schemas.research import Gap, State

# What a reader is told about somebody whose look-up did not end well.
WHY = {
    State.NOT_FOUND: "looked, and found nothing",
    State.FAILED: "the look-up failed",
    State.TIMED_OUT: "the look-up took too long and was left",
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


def compose(material: Material, draft: Draft, gaps: Iterable[Gap], now: datetime) -> Composed | str:
    """The brief, or what is wrong with the draft: evidence was there, and not one fact could be checked."""
    aliases = Aliases(material)
    checked = check(draft, aliases)
    claims = tuple(checked.claims)
    if not aliases.evidence:
        # Nothing was asked of a model, so nothing of its was refused.
        checked.dropped.clear()
    if not checked.facts and aliases.evidence:
        return "not one fact has its quote in its evidence; copy quotes word for word"
    subjects = tuple(_subjects(aliases))
    missing = (*_missing(aliases, tuple(gaps)), *_empty(claims))
    changed = changes(material.last_meeting, subjects, claims, material.evidence)
    level, reasons = confidence(subjects, claims, material.evidence, checked.dropped, now.date())
    return Composed(
        confidence=level,
        reasons=reasons,
        what_changed=sentence(changed),
        changes=changed,
        subjects=subjects,
        claims=claims,
        evidence_ids=tuple(piece.id for piece in aliases.evidence.values()),
        gaps=missing,
        dropped=dict(checked.dropped),
        facts_digest=digest(material.last_version, subjects, claims, missing, material.evidence),
    )


def _subjects(aliases: Aliases) -> Iterable[BriefSubject]:
    for alias, person in aliases.people.items():
        identity = aliases.identity(alias)
        sure = identity in (Identity.CONFIRMED, Identity.PROBABLE)
        detail = (_role(person) if sure else "") or person.company_domain or ""
        yield BriefSubject(id=person.id, kind="person", name=aliases.name(alias), detail=detail, identity=identity)
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
                subject_id=person.id, about=aliases.name(alias), reason=_candidates(person.profile.candidates)
            )
        elif aliases.identity(alias) is Identity.NOT_FOUND:
            yield BriefGap(subject_id=person.id, about=aliases.name(alias), reason=WHY[State.NOT_FOUND])
    for company in aliases.companies.values():
        if gap := told.get(company.id):
            yield BriefGap(subject_id=company.id, about=company.domain, reason=WHY[gap.state])


def _candidates(candidates: tuple[Candidate, ...]) -> str:
    described = [", ".join(filter(None, [one.name, one.job_title, one.employer, one.location])) for one in candidates]
    return "could be any of: " + "; ".join(described) if described else "found, but not at this address's company"


def _empty(claims: tuple[Claim, ...]) -> Iterable[BriefGap]:
    """A section without a claim says that it was looked for."""
    filled = {claim.section for claim in claims}
    for section, reason in EMPTY.items():
        if section not in filled:
            yield BriefGap(about=section.value.replace("_", " "), reason=reason)
