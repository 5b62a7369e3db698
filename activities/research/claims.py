"""From a draft to claims: a fact stays when its quote is in its evidence, anything else when it rests on such facts."""

import re
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

from activities.plain import clean
from activities.research import quotes
from activities.research.drafts import Aliases, Draft, FactSaid, LineSaid
from schemas.base import RowId
from schemas.briefs import Claim, Nature, Section

LONGEST_HEADLINE = 25
LONGEST_SENTENCE = 600

# A brief links to its sources and to nothing else; whatever looks like an address or markup came from elsewhere.
_ADDRESS = re.compile(r"\w+://|www\.|javascript:|data:|\]\(|<[a-z/!]", re.IGNORECASE)

_LINES = (
    (Section.FIT, Nature.ASSESSMENT),
    (Section.TALKING_POINTS, Nature.RECOMMENDATION),
    (Section.QUESTIONS, Nature.RECOMMENDATION),
    (Section.RISKS, Nature.ASSESSMENT),
)


@dataclass
class Checked:
    """What survived, in reading order, and what was refused, counted by reason."""

    claims: list[Claim] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    facts: dict[str, RowId] = field(default_factory=dict)


def check(draft: Draft, aliases: Aliases) -> Checked:
    """Refuse what no evidence supports. The order of the result is the order of reading."""
    checked = Checked()
    facts = [claim for fact in draft.facts if (claim := _fact(fact, aliases, checked)) is not None]
    _line(draft.headline, Section.HEADLINE, Nature.ASSESSMENT, checked)
    checked.claims += sorted(facts, key=lambda claim: claim.section is not Section.PEOPLE)
    for section, nature in _LINES:
        for line in getattr(draft, section.value):
            _line(line, section, nature, checked)
    return checked


def _fact(fact: FactSaid, aliases: Aliases, checked: Checked) -> Claim | None:
    problem = _problem(fact, aliases) or ("said twice" if fact.id in checked.facts else None)
    if problem is not None:
        checked.dropped[problem] += 1
        return None
    evidence = aliases.evidence[fact.evidence]
    claim = Claim(
        id=str(uuid4()),
        section=Section.PEOPLE if fact.about in aliases.people else Section.COMPANY,
        nature=Nature.FACT,
        text=clean(fact.text, LONGEST_SENTENCE),
        subject_id=evidence.subject_id,
        as_of=evidence.published,
        evidence_id=evidence.id,
        quote=clean(fact.quote, 2 * LONGEST_SENTENCE),
    )
    checked.facts[fact.id] = claim.id
    return claim


def _problem(fact: FactSaid, aliases: Aliases) -> str | None:
    """Why a fact is refused, if it is."""
    evidence = aliases.evidence.get(fact.evidence)
    if evidence is None:
        return "no such evidence"
    if aliases.about[fact.evidence] != fact.about:
        return "evidence about somebody else"
    if not quotes.found(fact.quote, evidence.text):
        return "quote not in its evidence"
    return _unfit(fact.text)


def _line(line: LineSaid, section: Section, nature: Nature, checked: Checked) -> None:
    rests_on = tuple(dict.fromkeys(checked.facts[fact] for fact in line.rests_on if fact in checked.facts))
    problem = _unfit(line.text) or (None if rests_on else "rests on no checked fact")
    if section is Section.HEADLINE and len(line.text.split()) > LONGEST_HEADLINE:
        problem = "headline too long"
    if problem is not None:
        checked.dropped[problem] += 1
        return
    text = clean(line.text, LONGEST_SENTENCE)
    checked.claims.append(Claim(id=str(uuid4()), section=section, nature=nature, text=text, rests_on=rests_on))


def _unfit(text: str) -> str | None:
    if not clean(text, LONGEST_SENTENCE):
        return "empty"
    return "holds an address or markup" if _ADDRESS.search(text) else None
