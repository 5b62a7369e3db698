"""A brief as every way of showing it needs it: sections in reading order, sources numbered by first use."""

from dataclasses import dataclass
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

ADVICE = (Section.TALKING_POINTS, Section.QUESTIONS, Section.FIT, Section.RISKS)


@dataclass(frozen=True)
class Line:
    """A claim with the numbers of the sources that it rests on, in the end."""

    claim: Claim
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Laid:
    """A brief laid out. `numbers` gives a source its number; pages that are quoted twice have one."""

    brief: Brief
    headline: Line | None
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
    lines = {claim.id: Line(claim, _sources(claim, brief, numbers)) for claim in brief.claims}

    def of(section: Section) -> tuple[Line, ...]:
        return tuple(lines[claim.id] for claim in brief.section(section))

    return Laid(
        brief=brief,
        headline=next(iter(of(Section.HEADLINE)), None),
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


def dollars(micro_usd: int) -> str:
    return f"${micro_usd / 1_000_000:.4f}"


def when(brief: Brief) -> str:
    """When the meeting is, in its reader's zone."""
    if brief.starts_at is None:
        return ""
    return f"{brief.starts_at.astimezone(ZoneInfo(brief.time_zone)):%A %d %B %Y, %H:%M} ({brief.time_zone})"
