"""Whom a look-up found under a name: who of them is at the company, and what a text shows of each."""

import re
from collections.abc import Iterable
from enum import Enum, auto

from activities.research.employers import Employer, begins_alike, distinctive, employer, owned
from activities.research.names import Word, fits, given_alike, meant, parts, plain, plains, read
from schemas.briefs import Candidate, Company, Person

# Addresses that are a function's, not a person's.
_FUNCTIONS = plains(
    "info office mail email contact kontakt contacto contatti hello hallo sales vertrieb ventas vendite team support "
    "service admin hr jobs presse press einkauf orders billing buchhaltung invoices booking bookings reservations "
    "buchung empfang reception sekretariat secretary"
)
# Words of a job title that say a rank, not a trade.
_RANKS = plains(
    "head of director directora directeur direktor direktør manager leiter leiterin chef chief senior junior vice "
    "president vp lead officer deputy the and und für de del di da la le y et responsable responsabile kierownik"
)
_STEM = 5
# What the trades of a company are called, in several languages: titles that name the same one may be one person's.
_TRADES = {
    trade: re.compile(said)
    for trade, said in {
        "law": r"legal|law|counsel|jurist|syndik|recht$|rechts|anwalt|avocat|abogad|compliance",
        "works": r"plant|werk|production|produktion|produccion|manufactur|factory|fabri|usine",
        "sales": r"sales|vertrieb|verkauf|vente|ventas|vendit|forsaljn|salg|commerc|kommer|handlow",
        "buying": r"procur|purchas|einkauf|beschaffung|achat|compras|acquisti|inkop|indkob|sourcing",
        "money": r"financ|finanz|cfo|controll|account|buchhalt|treasur|comptab|ekonomi|okonomi",
        "people": r"hr$|human|personal|recruit|kadr|talent|rrhh",
        "marketing": r"marketing|brand|kommunik|communic|presse|press$",
        "computing": r"it$|cio|cto|software|informati|developer|entwickl|programm|data",
        "quality": r"qualit|calidad|kvalitet|jakosc",
        "movement": r"logist|supply|versand|spedit|transport|fleet|warehouse|lager",
        "design": r"design|gestalt|disen",
        "research": r"research|forsch|scien|labor|investigac|recherche",
    }.items()
}


class Sign(Enum):
    """What of a candidate a text shows."""

    EMPLOYER = auto()
    TITLE = auto()
    TRADE = auto()
    PLACE = auto()


def namesakes(person: Person) -> tuple[Candidate, ...]:
    """The candidates who could bear the name, or, when we know no name, whom the address could mean."""
    return tuple(one for one in person.profile.candidates if _could_be(person, one.name))


def _could_be(person: Person, name: str) -> bool:
    own, theirs = parts(person.name), parts(name)
    if not theirs:
        return False
    if not own:
        hint = ".".join(_hinted(person))
        return meant(hint, name) or (len(theirs) > 1 and plain(hint) == theirs[0])
    if len(own) == 1:
        return own[0] in theirs or given_alike(own[0], theirs[0])
    return fits(person.name, name) or (given_alike(own[0], theirs[0]) and meant(person.hint, name))


def at_home(
    person: Person, company: Company | None, ours: Employer | None = None, texts: Iterable[list[Word]] = ()
) -> tuple[Candidate, ...]:
    """The namesakes whose employer is the company of the address, or a part of it as one of the texts says."""
    ours = ours or employer(person.company_domain, company)
    unnamed = person.company_domain if company is None or not company.name else None
    known = [one for one in namesakes(person) if one.employer]
    return tuple(one for one in known if ours and (_alike(unnamed, one) or _works_there(one, ours, texts)))


def _alike(domain: str | None, one: Candidate) -> bool:
    return domain is not None and begins_alike(domain, one.employer)


def _works_there(one: Candidate, ours: Employer, texts: Iterable[list[Word]]) -> bool:
    theirs = Employer().with_name(one.employer)
    return ours.means(one.employer) or any(owned(text, theirs, ours) for text in texts)


def own_names(person: Person) -> list[list[str]]:
    """The name we were given, and the one of the address when it has the same given name: it may be an earlier one."""
    own, said = parts(person.name), _hinted(person)
    ways = [said, said[::-1]] if own else [said]
    hinted = [way for way in ways if len(way) == 2 and (not own or given_alike(way[0], own[0]))]
    return [*([own] if own else []), *hinted]


def _hinted(person: Person) -> list[str]:
    """What of an address may be a name: no numbers, nothing that names a function."""
    said = [plain(word) for word in re.split(r"[\W\d_]+", person.hint) if len(word) > 1]
    return [word for word in said if word not in _FUNCTIONS]


def one_person(several: Iterable[Candidate]) -> bool:
    """They may be one person, said in several ways: nothing sets two of them apart."""
    rest = list(several)
    return all(_may_be(one, other) for place, one in enumerate(rest) for other in rest[place + 1 :])


def _may_be(one: Candidate, other: Candidate) -> bool:
    names = fits(one.name, other.name)
    return names and _meet(one.location, other.location) and _meet(one.job_title, other.job_title)


def _meet(one: str, other: str) -> bool:
    first, second = _telling(one), _telling(other)
    return not first or not second or first <= second or second <= first


def _telling(said: str) -> set[str]:
    """Trades that the words name, or else the stems of the words."""
    words = {word.plain for word in read(said) if len(word.plain) > 1}
    return trades(words) or {word[:_STEM] for word in words - _RANKS or words}


def trades(words: Iterable[str]) -> set[str]:
    return {trade for trade, pattern in _TRADES.items() if any(map(pattern.match, words))}


def shown(text: list[Word], one: Candidate) -> set[Sign]:
    """What of a candidate the text says."""
    said = {word.plain for word in text}
    title = [word.plain for word in read(one.job_title) if len(word.plain) > 2 and word.plain not in {"and", "und"}]
    place = [word.plain for word in read(one.location.partition(",")[0])]
    signs = {
        Sign.EMPLOYER: bool(distinctive(one.employer)) and bool(Employer().with_name(one.employer).places(text)),
        Sign.TITLE: bool(title) and all(any(_begins(word, part) for word in said) for part in title),
        Sign.TRADE: bool(trades(title) & trades(said)),
        Sign.PLACE: bool(place) and set(place) <= said,
    }
    return {sign for sign, is_there in signs.items() if is_there}


def _begins(word: str, part: str) -> bool:
    """The same word, or with an ending of its language."""
    return (
        word == part or (len(part) >= _STEM and word.startswith(part)) or (len(word) >= _STEM and part.startswith(word))
    )


def sets_apart(one: Candidate, others: Iterable[Candidate]) -> bool:
    """The candidate's trade is not also that of one of the others."""
    return bool(_telling(one.job_title)) and not any(_telling(one.job_title) & _telling(o.job_title) for o in others)
