"""A brief as every way of showing it needs it: what changed, sections in reading order, sources numbered by first use."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from schemas.briefs import Brief, BriefSubject, Claim, Evidence, Section

SANDBOX_NOTICE = "sandbox data: every person, company and source here is fictional"

TITLES = {
    Section.PEOPLE: "People",
    Section.COMPANY: "Companies",
    Section.FIT: "Why it fits",
    Section.TALKING_POINTS: "Talking points",
    Section.QUESTIONS: "Questions to ask",
    Section.RISKS: "Risks and objections",
}

# Of new facts, and of new people, directly below the headline: the rest is marked where it stands.
MOST_NEW = 5

ADVICE = (Section.TALKING_POINTS, Section.QUESTIONS, Section.FIT, Section.RISKS)


@dataclass(frozen=True)
class Line:
    """A claim with the numbers of the sources that it rests on, in the end. `new` since the last meeting."""

    claim: Claim
    sources: tuple[int, ...]
    new: bool = False


@dataclass(frozen=True)
class Changed:
    """What stands directly below the headline: when they last met, the newest facts, and who is new in the room."""

    said: str
    facts: tuple[tuple[BriefSubject, Line], ...]
    more_facts: int
    people: tuple[BriefSubject, ...]
    more_people: int


@dataclass(frozen=True)
class Laid:
    """A brief laid out. `numbers` gives a source its number; pages that are quoted twice have one."""

    brief: Brief
    headline: Line | None
    changed: Changed
    about: tuple[tuple[BriefSubject, tuple[Line, ...]], ...]
    advice: tuple[tuple[str, tuple[Line, ...]], ...]
    sources: tuple[Evidence, ...]

    @property
    def people(self) -> tuple[tuple[BriefSubject, tuple[Line, ...]], ...]:
        return tuple(pair for pair in self.about if pair[0].kind == "person")

    @property
    def companies(self) -> tuple[tuple[BriefSubject, tuple[Line, ...]], ...]:
        return tuple(pair for pair in self.about if pair[0].kind == "company")


def lay_out(brief: Brief) -> Laid:
    by_id = {piece.id: piece for piece in brief.evidence}
    facts = (
        claim.evidence_id for subject in brief.subjects for claim in brief.claims if claim.subject_id == subject.id
    )
    sources = tuple(by_id[evidence_id] for evidence_id in dict.fromkeys(facts) if evidence_id in by_id)
    numbers = {piece.id: number for number, piece in enumerate(sources, start=1)}
    new = set(brief.changes.new_claims)
    lines = {claim.id: Line(claim, _sources(claim, brief, numbers), claim.id in new) for claim in brief.claims}

    def of(section: Section) -> tuple[Line, ...]:
        return tuple(lines[claim.id] for claim in brief.section(section))

    return Laid(
        brief=brief,
        headline=next(iter(of(Section.HEADLINE)), None),
        changed=_changed(brief, lines),
        about=tuple(
            (subject, tuple(line for line in lines.values() if line.claim.subject_id == subject.id))
            for subject in brief.subjects
        ),
        advice=tuple((TITLES[section], of(section)) for section in ADVICE if of(section)),
        sources=sources,
    )


def _sources(claim: Claim, brief: Brief, numbers: dict[str, int]) -> tuple[int, ...]:
    """A fact's own source; for anything else those of the facts it rests on."""
    if claim.evidence_id is not None:
        return (numbers[claim.evidence_id],)
    facts = [fact for fact in brief.claims if fact.id in claim.rests_on and fact.evidence_id is not None]
    return tuple(sorted({numbers[fact.evidence_id] for fact in facts if fact.evidence_id}))


def _changed(brief: Brief, lines: dict[str, Line]) -> Changed:
    """What is there of it: somebody may have been forgotten since."""
    subjects = {one.id: one for one in brief.subjects}
    new = [lines[claim_id] for claim_id in brief.changes.new_claims if claim_id in lines]
    facts = [(subjects[of], line) for line in new if (of := line.claim.subject_id) in subjects]
    people = [subjects[subject_id] for subject_id in brief.changes.new_people if subject_id in subjects]
    return Changed(
        said=_last_met(brief, anything_new=bool(facts)),
        facts=tuple(facts[:MOST_NEW]),
        more_facts=len(facts[MOST_NEW:]),
        people=tuple(people[:MOST_NEW]),
        more_people=len(people[MOST_NEW:]),
    )


def _last_met(brief: Brief, *, anything_new: bool) -> str:
    """When they last met, in the reader's zone, and whether anything is new. What could not be looked at is said."""
    if brief.changes.last_met_at is None:
        return brief.what_changed
    met = brief.changes.last_met_at.astimezone(ZoneInfo(brief.time_zone))
    on = f"{met.day} {met:%B %Y}"
    if anything_new:
        return f"Since you last met, {on}:"
    if brief.changes.compared_with is None:
        return f"You last met on {on}; there is no brief of that meeting to compare with."
    missing = any(gap.subject_id for gap in brief.gaps)
    return f"Nothing new since you last met on {on}{', as far as anything was found' if missing else ''}."


def day(when: date) -> str:
    return f"{when.day} {when:%b %Y}"


def dollars(micro_usd: int) -> str:
    return f"${micro_usd / 1_000_000:.4f}"


def when(brief: Brief) -> str:
    """When the meeting is, in its reader's zone."""
    if brief.starts_at is None:
        return ""
    return f"{brief.starts_at.astimezone(ZoneInfo(brief.time_zone)):%A %d %B %Y, %H:%M} ({brief.time_zone})"
