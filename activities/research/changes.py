"""What is new since the last meeting with the same people, and what makes two versions of a brief the same.

the last meeting's pages ─▶ changes ◀─ this brief's facts        facts, identities, gaps ─▶ facts_digest
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import date

from activities.plain import clean, tokens
from activities.research import quotes
from schemas.base import RowId
from schemas.briefs import BriefGap, BriefSubject, Changes, Claim, Evidence, LastMeeting, LastVersion, Nature

FIRST_CONTACT = "First contact: no earlier meeting with any of these people is known."
CALLED = "You have spoken before, and no earlier meeting is known to compare with."


def changes(
    last: LastMeeting | None, subjects: Iterable[BriefSubject], claims: Iterable[Claim], evidence: Iterable[Evidence]
) -> Changes:
    """Compared with the last meeting's brief, about those whom it was about too.

    A fact is new when its page did not say it then, whatever sentence is made of it now and whether or not the brief
    quoted it: other words for the same quote are nothing new, nor is an old passage that was quoted today. A page that
    was not there then is new.
    """
    if last is None:
        return Changes()
    pages = {piece.id: piece for piece in evidence}
    new = [
        claim
        for claim in claims
        if claim.nature is Nature.FACT
        and claim.subject_id in last.about
        and not _known(claim, pages[claim.evidence_id or ""], last.evidence)
    ]
    return Changes(
        last_met_at=last.starts_at,
        compared_with=last.brief_id,
        new_claims=tuple(claim.id for claim in sorted(new, key=lambda claim: _published(pages, claim), reverse=True)),
        new_people=tuple(one.id for one in subjects if one.kind == "person" and one.id not in last.people),
    )


def _published(pages: dict[RowId, Evidence], claim: Claim) -> date:
    """When a fact's page was published. When it was read says nothing of how new it is."""
    return pages[claim.evidence_id or ""].published or date.min


def sentence(found: Changes, *, called: bool = False) -> str:
    """In a few words, without a date: that is for whoever knows the reader's zone. `called`: there was a call."""
    if found.last_met_at is None:
        return CALLED if called else FIRST_CONTACT
    if found.compared_with is None:
        return "You have met before, without a brief to compare with."
    if not found.new_claims:
        return "Nothing new since you last met."
    return f"{len(found.new_claims)} new {'fact' if len(found.new_claims) == 1 else 'facts'} since you last met."


def facts_digest(
    subjects: Iterable[BriefSubject], claims: Iterable[Claim], gaps: Iterable[BriefGap], evidence: Iterable[Evidence]
) -> str:
    """A hash of what is material in a brief: who it is about and how surely, the quotes and their pages, and what of
    whom is missing.

    The same for two versions that differ only in sentences, advice, order, or the ids that each version makes anew.
    A section that is empty is no gap here: whether there is advice is up to the model's words.
    """
    pages = {piece.id: piece.url for piece in evidence}
    facts = {
        (claim.subject_id or "", pages[claim.evidence_id or ""], " ".join(tokens(claim.quote or "")))
        for claim in claims
        if claim.nature is Nature.FACT
    }
    people = set(map(_standing, subjects))
    missing = {(gap.subject_id, gap.reason) for gap in gaps if gap.subject_id}
    return hashlib.sha256(json.dumps([sorted(facts), sorted(people), sorted(missing)]).encode()).hexdigest()


def digest(
    last: LastVersion | None,
    subjects: tuple[BriefSubject, ...],
    claims: tuple[Claim, ...],
    gaps: Iterable[BriefGap],
    evidence: Iterable[Evidence],
) -> str:
    """The last version's digest when this one tells its reader nothing more: the same people, as surely, and no fact
    that its pages did not say. Otherwise one of its own.

    So neither the model's choice of quotes nor a look-up that failed this time is news.
    """
    pages = {piece.id: piece for piece in evidence}
    if last is not None and last.digest and last.people == frozenset(map(_standing, subjects)):
        facts = (claim for claim in claims if claim.nature is Nature.FACT)
        if all(_known(claim, pages[claim.evidence_id or ""], last.evidence) for claim in facts):
            return last.digest
    return facts_digest(subjects, claims, gaps, pages.values())


def _standing(one: BriefSubject) -> tuple[RowId, str]:
    return one.id, one.identity.value if one.identity else ""


def _known(claim: Claim, page: Evidence, then: tuple[Evidence, ...]) -> bool:
    """The words stood on the same page, in what that brief was written from about the same subject."""
    same = (piece for piece in then if (piece.subject_id, piece.url) == (claim.subject_id, page.url))
    return any(quotes.found(claim.quote or "", clean(piece.text, len(piece.text))) for piece in same)
