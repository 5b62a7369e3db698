"""What a colleague would make of the facts: a headline, fit, talking points, questions and risks.

Prose for a reader with five minutes, in the campaign's own words. Each piece names the facts it rests on.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby, zip_longest
from typing import Any, TypeVar

from sandbox.material import Company, Fact, Material, Person

T = TypeVar("T")
Piece = dict[str, Any]
Wordings = Mapping[str, tuple[str, ...]]
HEADLINE_WORDS, TITLE_WORDS, INLINE_WORDS, LIST_WORDS = 25, 10, 14, 5
MOST = 5
PERSONAL = {"role", "activity", "background"}

# For each kind of fact, what to say about the first of them, the second, and so on around.
FIT: Wordings = {
    "industry": ("{company} looks like the customer this campaign describes: {customer}.",),
    "news": (
        "{title} changes daily work at {company}; where that touches {pain}, {offering} has a place.",
        "{title} is the kind of moment at which {company} may look again at {pain}.",
    ),
    "role": ("{first} holds a position in which {pain} cannot be ignored.",),
    "funding": ("{company} has money set aside for change, so {offering} can be part of a plan that already exists.",),
}
POINTS: Wordings = {
    "activity": (
        "Open with {title}: ask {first} what has happened since, and let the answer lead to {pain}.",
        "Pick up {title} and ask {first} how much of it comes down to {pain}.",
        "Mention {title} to {first} as the reason for this call, not as small talk.",
    ),
    "news": (
        "Offer {offering} for the part of {title} that {company} has not staffed yet.",
        "Ask {company} what {title} will mean for {pain}.",
    ),
    "background": ("Speak to {first} as somebody who has done the work: less introduction, more about {pain}.",),
    "size": ("Bring one reference of about the size of {company}, and say what changed there in three months.",),
}
QUESTIONS: Wordings = {
    "role": (
        "{first}, how do you deal with {pain} today, and who notices first?",
        "{first}, where does {pain} land on your desk, and how often?",
    ),
    "news": (
        "What would have to be true in a year for you to call {title} a success?",
        "Who carries the extra work that {title} brings?",
    ),
    "activity": (
        "{first}, what came back after {title}, and what surprised you?",
        "{first}, what would you add to {title} if you did it again today?",
    ),
    "funding": ("Who at {company} has to agree before {offering} can be tried?",),
    "size": ("How many people at {company} would feel it if {pain} went away?",),
}
# When there are too few facts to rest on, the campaign has to carry the rest.
SPARE_FIT = ("Nothing found so far speaks for or against a fit with {customer}; ask early.",)
SPARE_POINTS = (
    "Say in one minute what {offering} does for {customer}, and then stop.",
    "Name {pain} as what other customers struggle with, and wait for the answer.",
    "Tell one story of a customer who gave up halfway, and what was learnt from it.",
)
SPARE_QUESTIONS = (
    "What part does {pain} play in an ordinary week?",
    "What have you already tried, and why did it end?",
    "Who else would have to like {offering} before it could be tried?",
)
DOUBTS = {
    "probable": "{name} is recognised by name alone; confirm the position in the first minute.",
    "ambiguous": "More than one {name} turned up and nothing settles which one is coming, so nothing is claimed here.",
    "not_found": "Nothing reliable was found about {name}; begin with an open question.",
}
CONTRADICTIONS = {
    "size": "Sources differ on how many people work at {name}; ask before quoting a figure.",
    "funding": "Sources differ on how much money {name} has raised; ask before quoting a figure.",
}


class Adviser:
    """Writes from one set of facts; the same facts give the same advice."""

    def __init__(self, material: Material, facts: list[Fact]) -> None:
        self._material = material
        self._facts = facts
        self._offering = _inline(material.campaign.offering, "what we offer")
        self._customer = _inline(material.campaign.target_customer, "the customers we look for")
        self._pains = _pains(material.campaign.pain_points)
        self._people = {person.id: person for person in material.people}
        self._companies = {company.id: company for company in material.companies}

    def everything(self) -> dict[str, Any]:
        return {
            "headline": self._headline(),
            "fit": self._written(FIT, SPARE_FIT),
            "talking_points": self._written(POINTS, SPARE_POINTS),
            "questions": self._written(QUESTIONS, SPARE_QUESTIONS),
            "risks": [*self._risks()][:MOST],
            "conflicts": [{"facts": [fact.id for fact in said]} for _, _, said in self._disagreeing()],
        }

    def _written(self, wordings: Wordings, spare: tuple[str, ...]) -> list[Piece]:
        pieces = _mixed([self._about_each(kind, wordings) for kind in wordings])[:MOST]
        missing = spare[: max(0, len(spare) - len(pieces))]
        return [*pieces, *(_piece(self._filled(text), *self._facts[:1]) for text in missing)]

    def _about_each(self, kind: str, wordings: Wordings) -> list[Piece]:
        texts, turn = wordings[kind], _turn(kind, wordings)
        return [
            _piece(self._filled(texts[number % len(texts)], fact, number + turn), fact)
            for number, fact in enumerate(self._in_turn(kind, turn))
        ]

    def _in_turn(self, kind: str, turn: int) -> list[Fact]:
        """Everybody once before anybody twice, and not the same one first each time."""
        subjects = [list(facts) for _, facts in groupby(self._of(kind), key=lambda fact: fact.about)]
        first = turn % len(subjects) if subjects else 0
        return _mixed(subjects[first:] + subjects[:first])

    def _filled(self, text: str, fact: Fact | None = None, number: int = 0) -> str:
        about = self._words_about(fact) if fact else {}
        pain = self._pains[number % len(self._pains)]
        written = text.format(**about, pain=pain, offering=self._offering, customer=self._customer)
        return written[:1].upper() + written[1:]

    def _words_about(self, fact: Fact) -> dict[str, str]:
        person, company = self._people.get(fact.about), self._companies.get(fact.about)
        return {
            "title": _title(fact),
            "first": _called(person).split()[0] if person and person.name and person.name.split() else "the guest",
            "company": _called(company) if company else "the company",
        }

    def _headline(self) -> Piece:
        first = self._latest("activity") or self._latest("news") or next(iter(self._facts), None)
        if first is None:
            return _piece(_clipped(self._filled("Little is known yet: listen, then ask about {pain}."), HEADLINE_WORDS))
        opening = f"open with {_title(first)}" if first.kind in {"activity", "news"} else "open with their own work"
        text = f"{self._who(first)}: {opening}, and lead to {self._pains[0]}."
        short = text if len(text.split()) <= HEADLINE_WORDS else f"{self._who(first)}: {opening}."
        return _piece(_clipped(short, HEADLINE_WORDS), first)

    def _risks(self) -> Iterator[Piece]:
        yield from self._contradictions()
        for person in self._material.people:
            if doubt := DOUBTS.get(person.identity):
                mine = [fact for fact in self._facts if fact.about == person.id]
                yield _piece(doubt.format(name=_called(person)), *mine[:1])
        for gap in self._material.gaps[:2]:
            yield _piece(f"Not settled before the call: {gap.rstrip('.')}.")
        for fact in (self._of("industry") or self._facts)[:1]:
            doubt = (
                f"Whether {self._pains[0]} is a subject at all is our reading of public pages about {self._who(fact)}"
            )
            yield _piece(f"{doubt}; let them say it first.", fact)

    def _contradictions(self) -> Iterator[Piece]:
        """Sources that put another number to the same thing are worth a check before anybody quotes one of them."""
        for company, text, said in self._disagreeing():
            yield _piece(text.format(name=_called(company)), *said)

    def _disagreeing(self) -> Iterator[tuple[Company, str, list[Fact]]]:
        """Facts about the same thing from several sources that have no number in common."""
        for company in self._material.companies:
            for kind, text in CONTRADICTIONS.items():
                said = [fact for fact in self._of(kind) if fact.about == company.id and re.search(r"\d", fact.text)]
                numbers = [set(re.findall(r"\d+", fact.text)) for fact in said]
                if len({fact.evidence.id for fact in said}) > 1 and not set.intersection(*numbers):
                    yield company, text, said

    def _of(self, kind: str) -> list[Fact]:
        return [fact for fact in self._facts if fact.kind == kind]

    def _latest(self, kind: str) -> Fact | None:
        return max(self._of(kind), key=lambda fact: fact.evidence.published or "", default=None)

    def _who(self, fact: Fact) -> str:
        person, company = self._people.get(fact.about), self._companies.get(fact.about)
        if person is None:
            return _called(company) if company else "they"
        employer = next((c for c in self._companies.values() if c.domain and c.domain == person.domain), None)
        return f"{_called(person)} of {_called(employer)}" if employer else _called(person)


def _piece(text: str, *facts: Fact) -> Piece:
    return {"text": text, "rests_on": [fact.id for fact in facts]}


def _turn(kind: str, wordings: Wordings) -> int:
    """How many kinds of the same section were worded before this one."""
    earlier = [*wordings][: [*wordings].index(kind)]
    return sum((other in PERSONAL) == (kind in PERSONAL) for other in earlier)


def _mixed(kinds: list[list[T]]) -> list[T]:
    """The best of each kind before the second best of any."""
    return [piece for each in zip_longest(*kinds) for piece in each if piece is not None]


def _called(subject: Person | Company) -> str:
    if subject.name or not isinstance(subject, Person):
        return subject.name or subject.domain or "the company"
    return f"the guest from {subject.domain}" if subject.domain else "the guest"


def _title(fact: Fact) -> str:
    return f"“{_clipped(fact.evidence.title or fact.text, TITLE_WORDS)}”"


def _clipped(text: str, words: int) -> str:
    found = text.split()
    return " ".join(found) if len(found) <= words else " ".join(found[:words]).rstrip(".,;:") + "…"


def _inline(value: str | list[str] | None, otherwise: str) -> str:
    """The campaign's words as they fit into a sentence."""
    text = ", ".join(value) if isinstance(value, list) else value or ""
    first = re.split(r"(?<=[.!?])\s", text.strip())[0].rstrip(".!? ")
    # "Route planning" loses its capital inside a sentence; "ERP" keeps its own.
    lower = first[:1].lower() + first[1:] if first[1:2].islower() else first
    return _clipped(lower, INLINE_WORDS) or otherwise


def _pains(value: str | list[str] | None) -> list[str]:
    pieces = value if isinstance(value, list) else re.split(r"[;\n]+|(?<=[.!?])\s", value or "")
    if len(pieces) == 1 and all(len(part.split()) <= LIST_WORDS for part in pieces[0].split(",")):
        pieces = pieces[0].split(",")
    return [_inline(piece, "") for piece in pieces if piece.strip(" .!?")] or ["the work this takes today"]
