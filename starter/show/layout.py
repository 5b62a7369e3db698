"""A brief as every way of showing it needs it: what changed, sections in reading order, sources numbered by first use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from activities.plain import clean
from schemas.briefs import Brief, BriefSubject, Candidate, Claim, Evidence, Section
from schemas.promises import Promise

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

LONGEST_TITLE = 160

UNSURE = "Could be any of these; nothing is attached"
DISAGREE = "Sources disagree"
PROMISED = "Promised last time"
# An assessment or advice behind which there is nothing newer.
ONLY_EARLIER = "on earlier facts only"

ADVICE = (Section.TALKING_POINTS, Section.QUESTIONS, Section.FIT, Section.RISKS)


@dataclass(frozen=True)
class Line:
    """A claim with the numbers of the sources that it rests on, in the end. `new` since the last meeting.

    `number` is its place in the brief, from 1: what a command calls it. `marks` are the facts that it rests on, or
    itself: the number of the source, and a letter where several facts are from it. `dated` says as of when a fact is,
    `disputed` that another source says something else.
    """

    claim: Claim
    sources: tuple[int, ...]
    new: bool = False
    number: int = 0
    marks: tuple[str, ...] = ()
    dated: str = ""
    published: date | None = None
    disputed: bool = False


@dataclass(frozen=True)
class Changed:
    """What stands directly below the headline: when they last met, the newest facts, and who is new in the room."""

    said: str
    facts: tuple[tuple[BriefSubject, Line], ...]
    more_facts: int
    people: tuple[BriefSubject, ...]
    more_people: int


@dataclass(frozen=True)
class Promised:
    """What opens the brief of somebody who was on a call: which call that was, and each promise with who said it when."""

    call: str
    lines: tuple[tuple[Promise, str, str], ...]


@dataclass(frozen=True)
class Laid:
    """A brief laid out. `numbers` gives a source its number; pages that are quoted twice have one."""

    brief: Brief
    headline: Line | None
    changed: Changed
    about: tuple[tuple[BriefSubject, tuple[Line, ...]], ...]
    advice: tuple[tuple[str, tuple[Line, ...]], ...]
    sources: tuple[Evidence, ...]
    # Facts that cannot all be true, side by side, each with the subject that they are about.
    conflicts: tuple[tuple[BriefSubject, tuple[Line, ...]], ...] = ()
    promised: Promised | None = None

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
    lines = _lines(brief, by_id, numbers)

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
        conflicts=tuple(_conflicts(brief, lines)),
        promised=_promised(brief),
    )


def _promised(brief: Brief) -> Promised | None:
    """They are all of one call."""
    if not brief.promises:
        return None
    first = brief.promises[0]
    held = first.held_at.astimezone(ZoneInfo(brief.time_zone)).date()
    call = f"{clean(first.title, LONGEST_TITLE) or 'A call'}, {day(held)}"
    return Promised(call, tuple((one, _whose(one), _said_at(one)) for one in brief.promises))


def _whose(promise: Promise) -> str:
    """Who is to do it, and until when, as far as that was said."""
    return ", ".join(filter(None, [promise.owner, f"by {day(promise.due)}" if promise.due else ""]))


def _said_at(promise: Promise) -> str:
    """Who said it, and how far into the call."""
    return promise.who if promise.at_ms is None else f"{promise.who}, {clock(promise.at_ms)}"


def _lines(brief: Brief, by_id: dict[str, Evidence], numbers: dict[str, int]) -> dict[str, Line]:
    new, marks = set(brief.changes.new_claims), _marks(brief, numbers)
    disputed = {fact for group in brief.conflicts for fact in group}
    return {
        claim.id: Line(
            claim,
            _sources(claim, brief, numbers),
            claim.id in new,
            place,
            tuple(marks[fact] for fact in (claim.id, *claim.rests_on) if fact in marks),
            _dated(claim, by_id.get(claim.evidence_id or "")),
            by_id[claim.evidence_id].published if claim.evidence_id in by_id else None,
            claim.id in disputed,
        )
        for place, claim in enumerate(brief.claims, start=1)
    }


def _marks(brief: Brief, numbers: dict[str, int]) -> dict[str, str]:
    """What each fact is called: 3 when it is all that is taken from source 3, else 3a, 3b and so on."""
    marks = {}
    for evidence_id, number in numbers.items():
        facts = [claim.id for claim in brief.claims if claim.evidence_id == evidence_id]
        for place, fact in enumerate(facts):
            marks[fact] = f"{number}{_letters(place)}" if len(facts) > 1 else f"{number}"
    return marks


def _letters(place: int) -> str:
    return (_letters(place // 26 - 1) if place >= 26 else "") + chr(ord("a") + place % 26)


def _dated(claim: Claim, page: Evidence | None) -> str:
    """As of when a fact is: when its page was published, or, when that is not known, when it was read."""
    if page is None:
        return ""
    if page.published is None:
        return f"undated page, read {day(page.fetched_at.date())}"
    return f"as of {day(claim.as_of or page.published)}"


def _conflicts(brief: Brief, lines: dict[str, Line]) -> Iterable[tuple[BriefSubject, tuple[Line, ...]]]:
    """What is there of them: somebody may have been forgotten since."""
    subjects = {one.id: one for one in brief.subjects}
    for group in brief.conflicts:
        facts = tuple(lines[fact] for fact in group if fact in lines)
        if len(facts) > 1 and (subject := subjects.get(facts[0].claim.subject_id or "")):
            yield subject, facts


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


def refused(brief: Brief) -> str:
    """How many claims the checks refused, and why."""
    number = sum(brief.dropped.values())
    why = ", ".join(f"{count} {reason}" for reason, count in brief.dropped.items())
    return f"{number} {'claim' if number == 1 else 'claims'} refused{f': {why}' if why else ''}"


def described(candidate: Candidate) -> tuple[str, str, str]:
    """What tells a candidate from the others of the name."""
    return candidate.job_title, candidate.employer, candidate.location


def day(when: date) -> str:
    return f"{when.day} {when:%b %Y}"


def clock(at_ms: int) -> str:
    """Minutes and seconds from the beginning of a call."""
    minutes, seconds = divmod(at_ms // 1000, 60)
    return f"{minutes:02}:{seconds:02}"


def dollars(micro_usd: int) -> str:
    return f"${micro_usd / 1_000_000:.4f}"


def when(brief: Brief) -> str:
    """When the meeting is, in its reader's zone."""
    if brief.starts_at is None:
        return ""
    return f"{brief.starts_at.astimezone(ZoneInfo(brief.time_zone)):%A %d %B %Y, %H:%M} ({brief.time_zone})"
