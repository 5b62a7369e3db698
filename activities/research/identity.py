"""Is what was found about the person we will meet? Decided by rule, from their address and the sources' own words."""

import re
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

from activities.domains import company_label, host
from activities.research.employers import Employer, employer, gone, unrelated
from activities.research.names import Mention, Word, born_as, given_alike, mentions, parts, plain, read
from activities.research.namesakes import Sign, at_home, namesakes, one_person, own_names, sets_apart, shown
from schemas.briefs import Candidate, Company, Evidence, Identity, Mark, Person, Verdict

Pieces = tuple[Evidence, ...]

# How far from a name what is said may still be about its bearer.
SENTENCES = 2
# More of a page that says the name over and over prove nothing more.
MENTIONS = 20


def identify(
    person: Person, evidence: Pieces, company: Company | None = None, marks: tuple[Mark, ...] = ()
) -> tuple[Identity, Pieces]:
    """How sure we are, and the evidence that may be attached to the person.

    confirmed   a source names them together with the company of their address, or bears the address itself
    probable    the same by another form of their name; or no company is known, and only one person was found
    ambiguous   several people at the company, somebody at another one, or somebody who left: nothing is attached
    not_found   nobody of the name

    Each piece is attached for what it says itself: that one is about them says nothing of the next. What a reader
    marked as another person's counts for nothing.
    """
    wrong = {mark.url for mark in marks if mark.verdict is Verdict.WRONG_PERSON and mark.subject_id == person.id}
    case = _case(person, tuple(piece for piece in evidence if piece.url not in wrong), company)
    if not case.readings:
        return Identity.NOT_FOUND, ()
    ours = [reading for reading in case.readings if case.ours(reading)]
    if not ours or case.is_over(ours):
        return Identity.AMBIGUOUS, ()
    sure = case.employer is not None and any(reading.exact for reading in ours)
    attached = tuple(one.piece for one in case.readings if one in ours or case.fits_them(one))
    return Identity.CONFIRMED if sure else Identity.PROBABLE, attached


def candidates(person: Person, company: Company | None = None) -> tuple[Candidate, ...]:
    """Who could be meant: whoever a look-up found who could bear the name, those at the company first."""
    home = at_home(person, company)
    return (*home, *(one for one in namesakes(person) if one not in home))


def known_as(person: Person, identity: Identity, company: Company | None = None) -> str:
    """Their own name, else that of the person found when we are sure of them, else what stands before the @."""
    found = {one.name for one in at_home(person, company) or namesakes(person)}
    sure = identity in (Identity.CONFIRMED, Identity.PROBABLE) and len(found) == 1
    return person.name or (found.pop() if sure else person.hint)


@dataclass(frozen=True)
class _Reading:
    """A piece that bears the name, and where."""

    piece: Evidence
    text: list[Word]
    mentions: list[Mention]

    @property
    def exact(self) -> bool:
        return any(mention.exact for mention in self.mentions)

    @property
    def people(self) -> frozenset[int]:
        """The words of their name."""
        return frozenset(place for one in self.mentions for place in range(one.start, one.end))

    def over(self, start: int, end: int) -> bool:
        return gone(self.text, start, end, self.piece.fetched_at.year)

    def near(self, place: int) -> bool:
        """In the title, or in few sentences from the name."""
        said = self.text[place].sentence
        return not unrelated(self.text, said) and (said == 0 or any(self._beside(one, place) for one in self.mentions))

    def _beside(self, mention: Mention, place: int) -> bool:
        """What stands in brackets belongs to the name before them, and that name to nothing else."""
        own = self._brackets(mention.end)
        if own and self.text[mention.end].capital:
            return place in own
        if self.text[place].bracket and self._after_another(place):
            return False
        return abs(self.text[place].sentence - self.text[mention.start].sentence) <= SENTENCES

    def _brackets(self, place: int) -> range:
        """The words of the brackets that open at a place."""
        end = place
        while end < len(self.text) and self.text[end].bracket and self.text[end].sentence == self.text[place].sentence:
            end += 1
        return range(place, end)

    def _after_another(self, place: int) -> bool:
        while place > 0 and self.text[place].bracket:
            place -= 1
        return self.text[place].capital and place not in self.people

    def twice(self) -> bool:
        """One sentence bears the name in full twice: there are two of them."""
        exact = [one for one in self.mentions if one.exact]
        return any(
            one.end <= other.start and self.text[one.start].sentence == self.text[other.start].sentence
            for one, other in combinations(exact, 2)
        )

    def now_at(self, company: Employer) -> bool:
        """The company stands near the name, and not as one that they left."""
        places = [(start, end) for start, end in company.places(self.text, self.people) if self.near(start)]
        return any(not self.over(start, end) for start, end in places)

    def names(self, company: Employer) -> bool:
        return any(self.near(start) for start, _ in company.places(self.text, self.people))


@dataclass(frozen=True)
class _Case:
    """What is known of a person: their company, who was found there and elsewhere, and what bears their name."""

    person: Person
    employer: Employer | None
    home: tuple[Candidate, ...]
    others: tuple[Candidate, ...]
    readings: tuple[_Reading, ...]
    # Several could be meant, and nothing says which.
    torn: bool = False

    def ours(self, reading: _Reading) -> bool:
        """By itself, the piece is about the person of the address."""
        if self.bears_address(reading):
            return True
        if self.torn or self.stranger(reading):
            return False
        if self.employer is None:
            return bool(self.home) and bool(shown(reading.text, self.home[0]))
        return self.there(reading) and (not self.colleagues() or self._shows_home(reading))

    def fits_them(self, reading: _Reading) -> bool:
        """Once we are sure of them: the piece names no company, but shows their role and their town."""
        if self.employer is None or self.torn or self.stranger(reading) or len(self.home) != 1:
            return False
        return reading.exact and {Sign.TITLE, Sign.PLACE} <= shown(reading.text, self.home[0])

    def there(self, reading: _Reading) -> bool:
        """The piece is the company's own, or puts them there today."""
        if self.employer is None:
            return False
        own_words = any(not reading.over(one.start, one.end) for one in reading.mentions)
        return (self._own_site(reading) and own_words) or reading.now_at(self.employer)

    def bears_address(self, reading: _Reading) -> bool:
        """It gives their address, and no other at the company that could be one of a namesake."""
        if self.person.company_domain is None or not self.person.hint:
            return False
        text = f"{reading.piece.title} {reading.piece.text}".lower()
        found = set(re.findall(rf"([\w.+-]+)@{re.escape(self.person.company_domain)}(?![\w-]|\.\w)", text))
        families = {word.plain for one in reading.mentions for word in reading.text[one.start : one.end]}
        others = found - {self.person.hint.lower()}
        return self.person.hint.lower() in found and not any(name in plain(one) for one in others for name in families)

    def stranger(self, reading: _Reading) -> bool:
        """The piece shows another of the name: their employer today, or a trade that ours does not have."""
        if not reading.exact and self._contested(reading):
            return True
        return any(self._is(other, reading) for other in self.others)

    def is_over(self, ours: list[_Reading]) -> bool:
        """A source says that they left the company, and nothing of ours is newer."""
        if self.employer is None:
            return 2 * len(ours) < len(self.readings)
        rest = (one for one in self.readings if one not in ours and one.names(self.employer))
        left = [one.piece.published for one in rest if not one.now_at(self.employer)]
        return bool(left) and not any(self._newer(one, left) for one in ours)

    def colleagues(self) -> list[Candidate]:
        """Others of the name at the same company."""
        return [one for one in self.others if self.employer is not None and self.employer.means(one.employer)]

    def _newer(self, reading: _Reading, left: list[date | None]) -> bool:
        when = reading.piece.published
        if when is None:
            return self._own_site(reading) or self.bears_address(reading)
        return all(other is not None and when > other for other in left)

    def _own_site(self, reading: _Reading) -> bool:
        site, own = host(reading.piece.url), self.person.company_domain
        return own is not None and (site == own or site.endswith("." + own))

    def _shows_home(self, reading: _Reading) -> bool:
        return bool(self.home) and bool(shown(reading.text, self.home[0]) - {Sign.EMPLOYER})

    def _is(self, other: Candidate, reading: _Reading) -> bool:
        ours = set().union(*(shown(reading.text, one) for one in self.home))
        theirs = shown(reading.text, other)
        if self.employer is not None and not self.employer.means(other.employer) and _on_site(reading, other.employer):
            return True
        if other in self.colleagues():
            return bool((theirs - ours) - {Sign.EMPLOYER})
        elsewhere = Sign.EMPLOYER in theirs and reading.now_at(Employer().with_name(other.employer))
        trade = bool(self.home) and Sign.TITLE in theirs - ours and sets_apart(other, self.home)
        return elsewhere or trade

    def _contested(self, reading: _Reading) -> bool:
        """An initial, and somebody else of the family name has the same."""
        said = {word for mention in reading.mentions for word in _said(reading, mention)}
        names = [words for one in self.person.profile.candidates if (words := parts(one.name))]
        own = {name[0] for name in own_names(self.person)} | {parts(one.name)[0] for one in self.home}
        rest = [name for name in names if not any(given_alike(name[0], given) for given in own)]
        return any(name[0][0] in said and said & set(name[1:]) for name in rest)


def _said(reading: _Reading, mention: Mention) -> list[str]:
    return [word.plain for word in reading.text[mention.start : mention.end]]


def _on_site(reading: _Reading, company: str) -> bool:
    return Employer().with_name(company).has_site(plain(company_label(host(reading.piece.url))))


def _case(person: Person, evidence: Pieces, company: Company | None) -> _Case:
    texts = [read(f"{piece.title}\n{piece.text}") for piece in evidence]
    known = _company(person, evidence, company)
    home = at_home(person, company, known, texts) if known else namesakes(person)
    others = tuple(one for one in namesakes(person) if one not in home)
    for one in home:
        known = known and known.with_name(re.sub(r"\(.*?\)", "", one.employer))
    names = [*own_names(person), *(parts(one.name) for one in home)]
    born = [other for text in texts if known and known.places(text) for name in names for other in born_as(text, name)]
    case = _Case(person, known, home, others, _readings(person, evidence, texts, [*names, *born]))
    return _told_apart(case, born)


def _company(person: Person, evidence: Pieces, company: Company | None) -> Employer | None:
    """The company of the address; in full only, where another one that begins alike was found."""
    known = employer(person.company_domain, company)
    found = [one.employer for one in namesakes(person)] + [company_label(host(piece.url)) for piece in evidence]
    return known.in_full() if known and any(map(known.resembles, found)) else known


def _readings(
    person: Person, evidence: Pieces, texts: list[list[Word]], names: list[list[str]]
) -> tuple[_Reading, ...]:
    hint = plain(person.hint)
    found = []
    for piece, text in zip(evidence, texts, strict=True):
        borne = {
            mention for name in names for mention in mentions(text, name, [one for one in name[1:] if one in hint])
        }
        if borne:
            found.append(_Reading(piece, text, sorted(borne, key=lambda mention: mention.start)[:MENTIONS]))
    return tuple(found)


def _told_apart(case: _Case, born: list[list[str]]) -> _Case:
    """Which of several at the company is meant: by the name in full, the address in a text, or more words in it."""
    by_name = [one for one in case.home if parts(one.name) == parts(case.person.name)] or list(case.home)
    rest = [one for one in case.home if one not in by_name and parts(one.name) not in born]
    chosen = by_name if one_person(by_name) and not _several(case) else _meant(case, by_name)
    if chosen is None:
        return replace(case, torn=True)
    others = (*case.others, *rest, *(one for one in by_name if one not in chosen))
    return replace(case, home=tuple(chosen), others=others)


def _several(case: _Case) -> bool:
    """The company has more than one of the name: it numbers their addresses, or a source about it names two at once."""
    numbered = bool(re.search(r"[^\d]\d{1,2}$", case.person.hint))
    return case.employer is not None and (numbered or any(one.twice() and case.there(one) for one in case.readings))


def _meant(case: _Case, several: list[Candidate]) -> list[Candidate] | None:
    texts = [one.text for one in case.readings if case.bears_address(one)]
    texts.append(read(re.sub(r"[\W\d_]+", " ", case.person.hint)))
    texts.append(read(" ".join(re.findall(r"\((.*?)\)", case.person.name))))
    signs = [one for one in several if any(shown(text, one) - {Sign.EMPLOYER} for text in texts)]
    return signs if len(signs) == 1 and len(several) > 1 else None
