"""How far a brief may be relied on: by rule, from what was found and what was refused, never asked of a model."""

from collections import Counter
from datetime import date, timedelta

from schemas.base import RowId
from schemas.briefs import BriefSubject, Claim, Confidence, Evidence, Identity, Nature, Topic

ENOUGH_FACTS = 3
TOO_MANY_REFUSED = 0.25
OLD = timedelta(days=365)
TELLING = (Topic.ROLE, Topic.SIZE, Topic.FUNDING, Topic.BACKGROUND, Topic.INDUSTRY)


def confidence(
    subjects: tuple[BriefSubject, ...],
    claims: tuple[Claim, ...],
    evidence: tuple[Evidence, ...],
    dropped: dict[str, int],
    today: date,
    conflicts: tuple[tuple[RowId, ...], ...] = (),
) -> tuple[Confidence, tuple[str, ...]]:
    """The level, and every reason why it is not higher; for HIGH, why it is.

    LOW     somebody or some company of whom nothing could be used
    MEDIUM  an identity that is only probable, fewer than 3 facts about somebody, a quarter of the claims refused,
            one source for all, nothing from the last year, or sources that disagree
    """
    facts = Counter(claim.subject_id for claim in claims if claim.nature is Nature.FACT)
    low = [f"nothing usable about {subject.name}" for subject in subjects if not facts[subject.id]]
    medium = [_thin(subject, facts[subject.id]) for subject in subjects if facts[subject.id]]
    medium += _disagreements(subjects, claims, conflicts)
    medium += [_refused(len(claims), sum(dropped.values())), *_sources(claims, evidence, today)]
    reasons = tuple(low + [reason for reason in medium if reason])
    if low:
        return Confidence.LOW, reasons
    if reasons:
        return Confidence.MEDIUM, reasons
    return Confidence.HIGH, ("everybody identified, with at least 3 quoted facts each from several recent sources",)


def _thin(subject: BriefSubject, facts: int) -> str:
    if subject.identity is Identity.PROBABLE:
        return f"{subject.name} is only probably the person found"
    return f"only {facts} facts about {subject.name}" if facts < ENOUGH_FACTS else ""


def _disagreements(
    subjects: tuple[BriefSubject, ...], claims: tuple[Claim, ...], conflicts: tuple[tuple[RowId, ...], ...]
) -> list[str]:
    by_id, names = {claim.id: claim for claim in claims}, {one.id: one.name for one in subjects}
    said = []
    for group in conflicts:
        topics = {by_id[fact].topic for fact in group}
        name = names.get(by_id[group[0]].subject_id or "", "somebody")
        of = f"the {only.value} of " if len(topics) == 1 and (only := next(iter(topics))) in TELLING else ""
        said.append(f"sources disagree about {of}{name}")
    return list(dict.fromkeys(said))


def _refused(kept: int, refused: int) -> str:
    return f"{refused} claims refused" if refused > TOO_MANY_REFUSED * (kept + refused) else ""


def _sources(claims: tuple[Claim, ...], evidence: tuple[Evidence, ...], today: date) -> list[str]:
    used = {claim.evidence_id for claim in claims}
    pieces = [piece for piece in evidence if piece.id in used]
    newest = max((piece.published for piece in pieces if piece.published), default=None)
    reasons = []
    if pieces and len({piece.url for piece in pieces}) == 1:
        reasons.append("all facts come from one page")
    if pieces and (newest is None or today - newest > OLD):
        reasons.append("no source from the last year")
    return reasons
