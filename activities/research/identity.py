"""Is what was found about the person we will meet? Decided by rule, from their address and the sources' own words."""

from activities.domains import company_label, host
from activities.plain import fold, tokens, words
from schemas.briefs import Candidate, Evidence, Identity, Person

# A shorter company name would be found in any text.
SHORTEST_TELLING_NAME = 3
MOST_WORDS_OF_A_NAME = 5


def identify(person: Person, evidence: tuple[Evidence, ...]) -> tuple[Identity, tuple[Evidence, ...]]:
    """How sure we are, and the evidence that may be attached to the person.

    confirmed   a source names them together with the company of their address
    probable    no company is known from the address, and only one person was found
    ambiguous   several people, or one at another company: nothing is attached
    not_found   nobody
    """
    candidates = _namesakes(person)
    named = tuple(piece for piece in evidence if _names_them(piece, person, candidates))
    if not named:
        return Identity.NOT_FOUND, ()
    anchored = tuple(piece for piece in named if _names_company(piece, person, candidates))
    if anchored:
        return Identity.CONFIRMED, named if len(candidates) <= 1 else anchored
    if person.company_domain is None and len(candidates) == 1:
        return Identity.PROBABLE, named
    return Identity.AMBIGUOUS, ()


def known_as(person: Person, identity: Identity) -> str:
    """Their own name, else that of the person found when we are sure of them, else what stands before the @."""
    found = {candidate.name for candidate in _namesakes(person)}
    sure = identity in (Identity.CONFIRMED, Identity.PROBABLE) and len(found) == 1
    return person.name or (found.pop() if sure else person.hint)


def _namesakes(person: Person) -> tuple[Candidate, ...]:
    """The candidates who could bear the name, or, when we know no name, whom the address could mean."""
    known = words(person.name) or words(person.hint)
    return tuple(
        candidate
        for candidate in person.profile.candidates
        if known & words(candidate.name) or _initials_fit(person.hint, candidate.name)
    )


def _initials_fit(hint: str, name: str) -> bool:
    """jdoe and doej are ways to write Jane Doe."""
    parts = [fold(word) for word in name.split() if fold(word)]
    if len(parts) < 2:
        return False
    first, last = parts[0], parts[-1]
    return fold(hint) in {first[0] + last, last + first[0], first + last, last + first}


def _names_them(piece: Evidence, person: Person, candidates: tuple[Candidate, ...]) -> bool:
    text = words(f"{piece.title} {piece.text}")
    names = (words(name) for name in [person.name, *(candidate.name for candidate in candidates)])
    return any(name and name <= text for name in names)


def _names_company(piece: Evidence, person: Person, candidates: tuple[Candidate, ...]) -> bool:
    if person.company_domain is None:
        return False
    site = host(piece.url)
    if site == person.company_domain or site.endswith("." + person.company_domain):
        return True
    own, text = company_label(person.company_domain), tokens(f"{piece.title} {piece.text}")
    telling = {own, *(name for candidate in candidates if _same(name := fold(candidate.employer), own))}
    return any(len(name) >= SHORTEST_TELLING_NAME and _stands(name, text) for name in telling)


def _same(employer: str, own: str) -> bool:
    """Lovelace Analytics at lovelace.example, Acme at acme-freight.example."""
    shorter, longer = sorted((employer, own), key=len)
    return len(shorter) >= SHORTEST_TELLING_NAME and longer.startswith(shorter)


def _stands(name: str, text: list[str]) -> bool:
    """The name in whole words of the text: "acmefreight" in "at Acme Freight", "meta" not in "a metal worker"."""
    return any(
        "".join(text[start : start + length]) == name
        for start in range(len(text))
        for length in range(1, MOST_WORDS_OF_A_NAME + 1)
    )
