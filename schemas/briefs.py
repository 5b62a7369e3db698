"""Briefs: what is known before a meeting, and on what it rests. Content: stored and shown, never sent through Temporal."""

from datetime import date, datetime
from enum import StrEnum

from schemas.base import Content, RowId
from schemas.promises import Promise


class Nature(StrEnum):
    """What kind of sentence a claim is."""

    FACT = "fact"
    ASSESSMENT = "assessment"
    RECOMMENDATION = "recommendation"


class Section(StrEnum):
    """The parts of a brief, in the order in which it is read."""

    HEADLINE = "headline"
    PEOPLE = "people"
    COMPANY = "company"
    FIT = "fit"
    TALKING_POINTS = "talking_points"
    QUESTIONS = "questions"
    RISKS = "risks"


class Topic(StrEnum):
    """What a fact tells of a person or company: how long it is good for depends on it."""

    ROLE = "role"
    BACKGROUND = "background"
    ACTIVITY = "activity"
    INDUSTRY = "industry"
    SIZE = "size"
    FUNDING = "funding"
    NEWS = "news"
    OTHER = "other"


class Verdict(StrEnum):
    """What a reader said of a claim."""

    WRONG_PERSON = "wrong_person"
    WRONG = "wrong"
    STALE = "stale"
    USEFUL = "useful"


class Identity(StrEnum):
    """How sure we are that what was found is about the person we will meet."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    AMBIGUOUS = "ambiguous"
    NOT_FOUND = "not_found"


class Confidence(StrEnum):
    """How far a brief may be relied on, computed by rule."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Evidence(Content):
    """A source's own text as a provider returned it. `text` is at most a few thousand characters."""

    id: RowId
    subject_id: RowId
    url: str
    title: str
    text: str
    published: date | None = None
    fetched_at: datetime


class Person(Content):
    """A prospect as a run knows them. `hint` is the local part of their address, `profile` what a look-up said."""

    id: RowId
    name: str
    hint: str
    company_domain: str | None
    profile: "Profile"


class Candidate(Content):
    """Somebody a search found under that name."""

    name: str
    job_title: str = ""
    employer: str = ""
    location: str = ""


class Profile(Content):
    """What a look-up said of a person, parsed; not evidence."""

    found: bool = False
    candidates: tuple[Candidate, ...] = ()


class Company(Content):
    """A company as a run knows it; `name` is what a look-up called it."""

    id: RowId
    domain: str
    name: str = ""


class Campaign(Content):
    """What the user sells, to whom, and against which pain."""

    name: str
    offering: str
    target_customer: str
    pain_points: str


class Kept(Content):
    """A model's answer that was paid for and stored."""

    text: str
    stopped: str
    model: str


class LastVersion(Content):
    """The newest finished version of the same brief: who it was about and how surely, and what it was written from."""

    digest: str
    people: frozenset[tuple[RowId, str]]
    evidence: tuple[Evidence, ...] = ()


class LastMeeting(Content):
    """The last meeting with some of the same people, and what was known then.

    It is another meeting of the same user, in a calendar, not cancelled, that began before the one in question; for an
    ad hoc request, before the request is worked on. Versions of the same research are no meeting, nor is an ad hoc
    request: whoever was only researched has not been met.
    """

    starts_at: datetime
    # Who was to be there, of those who are researched.
    people: tuple[RowId, ...]
    # Its newest brief, if it has one: whom that is about, and what it was written from.
    brief_id: RowId | None = None
    about: tuple[RowId, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Mark(Content):
    """What a reader said of a claim: its words, and the source and quote that it rested on."""

    subject_id: RowId | None
    verdict: Verdict
    text: str
    url: str
    quote: str


class Material(Content):
    """All that a brief is written from, as one transaction saw it."""

    brief_id: RowId
    title: str
    starts_at: datetime | None
    campaign: Campaign
    people: tuple[Person, ...]
    companies: tuple[Company, ...]
    evidence: tuple[Evidence, ...]
    # Answers already bought for this brief, oldest first: the first ask's, then the repairs'.
    answers: tuple[Kept, ...]
    # None: first contact.
    last_meeting: LastMeeting | None = None
    last_version: LastVersion | None = None
    # What readers said of claims about these subjects, and of earlier versions of this brief; the newest first.
    marks: tuple[Mark, ...] = ()
    # Findings of the last call with any of these people.
    promises: tuple[RowId, ...] = ()
    # Some of the evidence is pretended, or what was promised is.
    sandbox: bool

    def about(self, subject_id: RowId) -> tuple[Evidence, ...]:
        return tuple(piece for piece in self.evidence if piece.subject_id == subject_id)


class Claim(Content):
    """One sentence. A fact has `evidence_id` and a `quote` found there; anything else rests on claims of this brief."""

    id: RowId
    section: Section
    nature: Nature
    text: str
    subject_id: RowId | None = None
    topic: Topic = Topic.OTHER
    as_of: date | None = None
    # False: too old, for what it tells, to be shown as how things are.
    current: bool = True
    evidence_id: RowId | None = None
    quote: str | None = None
    rests_on: tuple[RowId, ...] = ()


class BriefSubject(Content):
    """Whom or what a brief is about: `kind` is person or company, `detail` a role or a domain."""

    id: RowId
    kind: str
    name: str
    detail: str = ""
    identity: Identity | None = None
    # Who was found, when it could not be told which of them it is.
    candidates: tuple[Candidate, ...] = ()


class BriefGap(Content):
    """Looked for and not there; `reason` is a sentence a reader understands."""

    subject_id: RowId | None = None
    about: str
    reason: str


class Changes(Content):
    """What is new since the last meeting with the same people. Without `last_met_at` this is the first contact."""

    last_met_at: datetime | None = None
    # That meeting's brief. None when it has no brief: nothing was compared.
    compared_with: RowId | None = None
    # Facts that are new since then, the most recent first.
    new_claims: tuple[RowId, ...] = ()
    # People who were not to be there then.
    new_people: tuple[RowId, ...] = ()


class Brief(Content):
    """Everything a reader needs, and everything needed to check it. Money in millionths of a US dollar."""

    id: RowId
    research_id: RowId
    version: int
    title: str
    starts_at: datetime | None = None
    campaign: str = ""
    confidence: Confidence
    reasons: tuple[str, ...]
    # Whether anything is new since the last meeting with these people, in a sentence; `changes` says what.
    what_changed: str
    changes: Changes = Changes()
    # What was promised in the last call with any of these people: it opens the brief.
    promises: tuple[Promise, ...] = ()
    subjects: tuple[BriefSubject, ...]
    claims: tuple[Claim, ...]
    evidence: tuple[Evidence, ...]
    gaps: tuple[BriefGap, ...]
    # Claims that cannot all be true, together.
    conflicts: tuple[tuple[RowId, ...], ...] = ()
    # What was spared so that the budget lasts, in sentences.
    economies: tuple[str, ...] = ()
    dropped: dict[str, int]
    cost_micro_usd: int
    model: str
    sandbox: bool
    written_at: datetime
    time_zone: str = "UTC"
    # Versions with the same one say the same. Empty when it was not kept.
    facts_digest: str = ""

    def section(self, section: Section, subject_id: RowId | None = None) -> tuple[Claim, ...]:
        """The claims of a section, of one subject if one is named."""
        mine = (claim for claim in self.claims if claim.section is section)
        return tuple(claim for claim in mine if subject_id in (None, claim.subject_id))


class Composed(Content):
    """A brief's content before it is a row: what survived the checks, and what did not."""

    confidence: Confidence
    reasons: tuple[str, ...]
    what_changed: str
    changes: Changes = Changes()
    promises: tuple[RowId, ...] = ()
    subjects: tuple[BriefSubject, ...]
    claims: tuple[Claim, ...]
    evidence_ids: tuple[RowId, ...]
    gaps: tuple[BriefGap, ...]
    conflicts: tuple[tuple[RowId, ...], ...] = ()
    dropped: dict[str, int]
    facts_digest: str = ""


Person.model_rebuild()
