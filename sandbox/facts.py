"""Reads evidence and picks out facts: each is a sentence of a source, slightly reworded, and quotes it."""

import re

from sandbox.material import Company, Evidence, Fact, Material, Person

ENOUGH = 3
MOST = {"people": 5, "company": 6}
LONGEST_QUOTE = 320

# The first pattern that fits names the kind, and the last fits always. A brief shows the kinds in the order below each.
PERSON_KINDS = {
    "background": r"\b(previously|studied|began (as|at|his|her)|spent \S+ years|trained in)\b",
    "role": r"\b(is|as) (an? |the |co-founder and )?(independent |trainee )?(\w+ ){0,3}"
    r"(Officer|Director|Head|Manager|VP|Chief|adviser|consultant|buyer)\b|\bjoined\b|\bteaches\b",
    "activity": r"",
}
PERSON_ORDER = ("role", "activity", "background")
COMPANY_KINDS = {
    "funding": r"\b(raised|borrowed|loan|Series [A-Z]|investors)\b",
    "size": r"\b(employs|staff of|head count|employees)\b",
    "industry": r"\b(makes|builds|sells|provides|provider of|offers)\b",
    "news": r"",
}
COMPANY_ORDER = ("industry", "size", "funding", "news")


def facts(material: Material) -> list[Fact]:
    """Nothing is said about a person whom the material cannot tell from a namesake."""
    chosen: list[Fact] = []
    for person in material.people:
        if person.identity in {"confirmed", "probable"}:
            chosen += _about(person, "people", material, len(chosen))
    for company in material.companies:
        chosen += _about(company, "company", material, len(chosen))
    return chosen


def _about(subject: Person | Company, section: str, material: Material, before: int) -> list[Fact]:
    kinds, order = (PERSON_KINDS, PERSON_ORDER) if section == "people" else (COMPANY_KINDS, COMPANY_ORDER)
    name = subject.name or subject.domain or ""
    evidence = [each for each in material.evidence if each.about == subject.id]
    drafts = [(_kind(quote, kinds), quote, each) for quote, each in _quotes(evidence, name, MOST[section])]
    drafts.sort(key=lambda draft: order.index(draft[0]))
    return [
        Fact(f"f{number}", section, subject.id, kind, _said(quote, name, section), quote, each)
        for number, (kind, quote, each) in enumerate(drafts, before + 1)
    ]


def _quotes(evidence: list[Evidence], name: str, most: int) -> list[tuple[str, Evidence]]:
    """The best sentence of each piece, and more of them while there are too few."""
    ranked = [(each, sorted(sentences(each.text), key=lambda piece: _awkward(piece, name))) for each in evidence]
    first = [(found[0], each) for each, found in ranked if found]
    more = [(piece, each) for each, found in ranked for piece in found[1:]]
    return [*first[:most], *more[: max(0, ENOUGH - len(first))]]


def sentences(text: str) -> list[str]:
    """Verbatim pieces of the text, none too long to quote."""
    pieces = re.split(r"(?<=[.!?])\s+(?=[\"“A-Z])", text.strip())
    return [_short(piece) for piece in pieces if re.search(r"\w", piece)]


def _short(piece: str) -> str:
    return piece if len(piece) <= LONGEST_QUOTE else piece[:LONGEST_QUOTE].rsplit(" ", 1)[0]


def _awkward(sentence: str, name: str) -> int:
    """A sentence that names its subject stands better alone."""
    if name and sentence.startswith(name):
        return 0
    return 1 if name and name in sentence else 2


def _kind(sentence: str, kinds: dict[str, str]) -> str:
    return next(kind for kind, pattern in kinds.items() if re.search(pattern, sentence))


REWORDED = (
    (r"\bis a provider of\b", "provides"),
    (r"\bemploys (about )?(\d+) people\b", r"counts \1\2 people"),
    (r"\bhas a staff of (\d+) people\b", r"employs \1 people"),
    (r"\bpreviously\b", "earlier"),
    (r"\bgave the closing talk of\b", "closed"),
    (r"\bgave a talk (at|to)\b", r"spoke \1"),
    (r"\bwas the guest of\b", "appeared on"),
    (r"\bwrote an article\b", "published an article"),
)


def _said(quote: str, name: str, section: str) -> str:
    """The quote in slightly other words. Never adds a number, a name or a date that the quote lacks."""
    text = quote
    for pattern, words in REWORDED:
        text = re.sub(pattern, words, text, count=1)
    standing_in = r"^(She|He)\b" if section == "people" else r"^(It|The company)\b"
    text = re.sub(standing_in, lambda _: name, text, count=1) if name else text
    return text if text.endswith((".", "!", "?", '"', "”")) else f"{text} ..."
