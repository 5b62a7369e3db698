"""From a draft to claims: a fact stays when its quote is in its evidence, anything else when it rests on such facts."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import uuid4

from activities.freshness import current
from activities.plain import clean, fold
from activities.research import quotes
from activities.research.drafts import Aliases, Draft, FactSaid, LineSaid
from activities.research.figures import lacking, newest
from activities.research.marks import mark_on_fact, mark_on_line
from schemas.base import RowId
from schemas.briefs import Claim, Mark, Nature, Section, Verdict

LONGEST_HEADLINE = 25
LONGEST_SENTENCE = 600
LONGEST_QUOTE = 1500

# A brief links to its sources and to nothing else; whatever looks like an address or markup came from elsewhere.
_ADDRESS = re.compile(r"\w+://|www\.|javascript:|data:\s*\w+/|\]\(|<[a-z/!]|\S@\S", re.IGNORECASE)
# A mail program makes a link of it. The name of a company may look like one: then the source has it too.
_HOST = re.compile(r"(?<![\w.-])(?:[\w-]+\.)+[a-z]{2,24}(?![\w-])", re.IGNORECASE)

_LINES = (
    (Section.FIT, Nature.ASSESSMENT),
    (Section.TALKING_POINTS, Nature.RECOMMENDATION),
    (Section.QUESTIONS, Nature.RECOMMENDATION),
    (Section.RISKS, Nature.ASSESSMENT),
)


class Refusal(StrEnum):
    """Why a claim is refused, in the words of the page and of the metrics."""

    NO_EVIDENCE = "no such evidence"
    ANOTHER = "evidence about somebody else"
    QUOTE = "quote not in its evidence"
    FIGURE = "a number that is not in its quote"
    LINE_FIGURE = "a number that its facts do not have"
    EMPTY = "empty"
    ADDRESS = "holds an address or markup"
    TWICE = "said twice"
    UNSUPPORTED = "rests on no checked fact"
    LONG = "headline too long"
    WRONG = "marked wrong by a reader"
    STALE = "marked stale by a reader"
    WRONG_PERSON = "marked as somebody else by a reader"


MARKED = {
    Verdict.WRONG: Refusal.WRONG,
    Verdict.STALE: Refusal.STALE,
    Verdict.WRONG_PERSON: Refusal.WRONG_PERSON,
}


@dataclass
class Checked:
    """What survived, in reading order, and what was refused, counted by reason. `facts`: the model's ids and ours."""

    claims: list[Claim] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    facts: dict[str, RowId] = field(default_factory=dict)
    # The readers' marks that something was refused for.
    marks: list[Mark] = field(default_factory=list)


def check(draft: Draft, aliases: Aliases, today: date) -> Checked:
    """Refuse what no evidence supports. The order of the result is the order of reading."""
    return _Check(aliases, today).all_of(draft)


class _Check:
    """One draft's check: what it is held against, and what has come of it so far."""

    def __init__(self, aliases: Aliases, today: date) -> None:
        self._aliases = aliases
        self._today = today
        self._own_words = _own_words(aliases)
        self._said: set[tuple[str, str]] = set()
        self._kept: dict[RowId, Claim] = {}
        self.checked = Checked()

    def all_of(self, draft: Draft) -> Checked:
        facts = [claim for fact in draft.facts if (claim := self._fact(fact)) is not None]
        self._line(draft.headline, Section.HEADLINE, Nature.ASSESSMENT)
        self.checked.claims += sorted(facts, key=lambda claim: claim.section is not Section.PEOPLE)
        for section, nature in _LINES:
            for line in getattr(draft, section.value):
                self._line(line, section, nature)
        return self.checked

    def _fact(self, fact: FactSaid) -> Claim | None:
        text, quote = clean(fact.text, LONGEST_SENTENCE), clean(fact.quote, LONGEST_QUOTE)
        if (problem := self._problem(fact, text, quote)) is not None:
            self.checked.dropped[problem] += 1
            return None
        evidence = self._aliases.evidence[fact.evidence]
        claim = Claim(
            id=str(uuid4()),
            section=Section.PEOPLE if fact.about in self._aliases.people else Section.COMPANY,
            nature=Nature.FACT,
            text=text,
            subject_id=evidence.subject_id,
            topic=fact.topic,
            as_of=evidence.published or evidence.fetched_at.date(),
            current=current(fact.topic, evidence.published, newest(text), self._today),
            evidence_id=evidence.id,
            quote=quote,
        )
        self.checked.facts[fact.id] = claim.id
        self._kept[claim.id] = claim
        self._said.add((fact.about, fold(text)))
        return claim

    def _problem(self, fact: FactSaid, text: str, quote: str) -> Refusal | None:
        """Why a fact is refused, if it is. Words, numbers and addresses are judged as they would be shown."""
        if (misplaced := self._misplaced(fact)) is not None:
            return misplaced
        evidence = self._aliases.evidence[fact.evidence]
        # As the source has it: a quote that ends within a number does not make another number of it.
        passage = quotes.passage(quote, evidence.text)
        if passage is None:
            return Refusal.QUOTE
        if (unfit := _unfit(text, quote)) is not None:
            return unfit
        if lacking(text, quote, passage):
            return Refusal.FIGURE
        if mark := mark_on_fact(text, evidence.subject_id, evidence.url, quote, self._aliases.material.marks):
            return self._marked(mark)
        twice = fact.id in self.checked.facts or (fact.about, fold(text)) in self._said
        return Refusal.TWICE if twice else None

    def _misplaced(self, fact: FactSaid) -> Refusal | None:
        if fact.evidence not in self._aliases.evidence:
            return Refusal.NO_EVIDENCE
        return None if self._aliases.about[fact.evidence] == fact.about else Refusal.ANOTHER

    def _line(self, line: LineSaid, section: Section, nature: Nature) -> None:
        facts = self.checked.facts
        rests_on = tuple(dict.fromkeys(facts[fact] for fact in line.rests_on if fact in facts))
        text = clean(line.text, LONGEST_SENTENCE)
        if (problem := self._line_problem(text, rests_on, section)) is not None:
            self.checked.dropped[problem] += 1
            return
        claim = Claim(
            id=str(uuid4()),
            section=section,
            nature=nature,
            text=text,
            current=any(self._kept[fact].current for fact in rests_on),
            rests_on=rests_on,
        )
        self.checked.claims.append(claim)

    def _line_problem(self, text: str, rests_on: tuple[RowId, ...], section: Section) -> Refusal | None:
        """Numbers in words may be advice, "ask in three months"; numbers in figures come from somewhere."""
        known = f"{self._own_words} {' '.join(map(self._words_of, rests_on))}"
        if (unfit := _unfit(text, known)) is not None:
            return unfit
        if not rests_on:
            return Refusal.UNSUPPORTED
        if lacking(text, known, spelt=False):
            return Refusal.LINE_FIGURE
        if section is Section.HEADLINE and len(text.split()) > LONGEST_HEADLINE:
            return Refusal.LONG
        mark = mark_on_line(text, self._aliases.material.marks)
        return self._marked(mark) if mark else None

    def _words_of(self, fact: RowId) -> str:
        """A fact, its quote, and what its page is called."""
        claim = self._kept[fact]
        page = next(piece for piece in self._aliases.evidence.values() if piece.id == claim.evidence_id)
        return f"{claim.text} {claim.quote} {page.title}."

    def _marked(self, mark: Mark) -> Refusal:
        self.checked.marks.append(mark)
        return MARKED[mark.verdict]


def _own_words(aliases: Aliases) -> str:
    """What the reader and their calendar say, and the names of those whom it is about: no source is needed for it."""
    material = aliases.material
    return ". ".join(
        [
            *map(str, material.campaign.model_dump().values()),
            material.title,
            f"{material.starts_at.date()}" if material.starts_at else "",
            *(aliases.name(alias) for alias in aliases.people),
            *(person.company_domain or "" for person in material.people),
            *(f"{company.name}. {company.domain}" for company in material.companies),
        ]
    )


def _unfit(text: str, known: str) -> Refusal | None:
    if not text:
        return Refusal.EMPTY
    strange = any(host.casefold() not in known.casefold() for host in _HOST.findall(text))
    return Refusal.ADDRESS if strange or _ADDRESS.search(text) else None
