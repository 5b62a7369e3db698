"""Plausible people and companies for names and domains that nobody wrote a story for.

Chosen by a hash of what was asked, so a newcomer who types anything finds something, and finds it again.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")
Words = dict[str, str | int]

STORIES = Path(__file__).with_suffix(".yaml")

SURNAMES = ("Ashdown", "Bergmann", "Calloway", "Dufresne", "Ekholm", "Farrow", "Ibarra", "Kovacs", "Marchetti", "Osei")
TITLES = ("Head of Procurement", "Director of Operations", "VP of Sales", "Chief Technology Officer", "Head of Finance")
PLACES = ("Leeds", "Antwerp", "Porto", "Aarhus", "Turin", "Gdansk", "Lyon", "Cork")
FORMER = ("a parcel carrier", "a maker of medical devices", "a regional bank", "a publisher of school books")
STUDIES = ("industrial engineering", "economics", "statistics", "business law")
TOPICS = (
    "how long it takes a new system to earn its keep",
    "why projects stall after the pilot",
    "what to measure before buying anything",
    "how small teams keep their promises",
)
INDUSTRIES = (
    "logistics software for wholesalers",
    "precision parts for laboratories",
    "energy management for office buildings",
    "training services for hospitals",
    "packaging for online shops",
)
SIZES = (45, 90, 160, 240, 380)
ROUNDS = (4, 9, 12, 18, 25)


class Result(BaseModel):
    """A page as a search shows it; `age` is in days, and `<9 days ago>` in the text becomes a date."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    title: str
    age: int
    text: str


class Company(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str
    name: str
    industry: str
    size: str
    funding: str
    summary: str
    results: tuple[Result, ...]


class Person(BaseModel):
    """`hint` is the local part of the address; `also` are others of the same name whom the search mixes in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hint: str
    name: str
    domain: str | None
    job_title: str
    employer: str
    location: str
    summary: str
    also: tuple[dict[str, str], ...] = ()
    from_question: int = 1
    results: tuple[Result, ...]


class Dice:
    """Picks that depend on nothing but the seed and what is picked for."""

    def __init__(self, *seed: str | None) -> None:
        self._seed = "\n".join(part or "" for part in seed)

    def number(self, purpose: str, low: int, high: int) -> int:
        digest = hashlib.sha256(f"{self._seed}\n{purpose}".encode(errors="replace")).digest()
        return low + int.from_bytes(digest[:8], "big") % (high - low + 1)

    def pick(self, purpose: str, choices: Sequence[T]) -> T:
        return choices[self.number(purpose, 0, len(choices) - 1)]


def person(name: str | None, hint: str, domain: str | None, firm: Company | None) -> Person:
    """Works at the firm, or alone."""
    dice = Dice("person", name, hint, domain)
    who = name or _name_from(hint, dice)
    title = dice.pick("title", TITLES) if firm else "Independent consultant"
    employer = firm.name if firm else "Self-employed"
    return Person(
        hint=hint,
        name=who,
        domain=domain,
        job_title=title,
        employer=employer,
        location=dice.pick("place", PLACES),
        summary=f"{who} is {title} at {employer}." if firm else f"{who} works as an independent consultant.",
        results=_filled("person", _person_words(who, title, employer, domain, dice)),
    )


def _person_words(who: str, title: str, employer: str, domain: str | None, dice: Dice) -> Words:
    page, topic = _slug(who), dice.pick("topic", TOPICS)
    return {
        "who": who,
        "title": title,
        "position": f"{title} at {employer} ({domain})" if domain else "an independent consultant",
        "site": _site(domain) if domain else f"{page}.freelance.example",
        "page": page,
        "topic": topic,
        "topic_title": _capital(topic),
        "place": dice.pick("place", PLACES),
        "elsewhere": dice.pick("forum", PLACES),
        "school": dice.pick("school", PLACES),
        "former": dice.pick("former", FORMER),
        "study": dice.pick("study", STUDIES),
        "team": dice.number("team", 4, 30),
        "years": dice.number("years", 3, 9),
        "talked": dice.number("talk", 5, 25),
        "wrote": dice.number("article", 26, 49),
        "since": dice.number("role", 50, 70),
        "registered": dice.number("past", 71, 89),
    }


def company(domain: str) -> Company:
    dice = Dice("company", domain)
    words = _company_words(domain, dice)
    name, industry, size, millions = (words[key] for key in ("name", "industry", "size", "millions"))
    return Company(
        domain=domain,
        name=str(name),
        industry=_capital(str(industry)),
        size=f"about {size} people",
        funding=f"{millions} million euros raised",
        summary=f"{name} provides {industry}, employs about {size} people and has raised {millions} million euros.",
        results=_filled("company", words),
    )


def _company_words(domain: str, dice: Dice) -> Words:
    return {
        "name": _firm_name(domain),
        "domain": domain,
        "site": _site(domain),
        "page": _slug(domain),
        "industry": dice.pick("industry", INDUSTRIES),
        "size": dice.pick("size", SIZES),
        "millions": dice.pick("round", ROUNDS),
        "place": dice.pick("place", PLACES),
        "elsewhere": dice.pick("second", PLACES),
        "team": dice.number("new", 5, 14),
        "opened": dice.number("news", 6, 30),
        "counted": dice.number("size", 31, 49),
        "since": dice.number("about", 50, 70),
        "raised": dice.number("funding", 71, 89),
    }


def _filled(kind: str, words: Words) -> tuple[Result, ...]:
    return tuple(
        Result.model_validate({key: text.format(**words) for key, text in page.items()}) for page in _stories()[kind]
    )


@cache
def _stories() -> dict[str, list[dict[str, str]]]:
    stories: dict[str, list[dict[str, str]]] = yaml.safe_load(STORIES.read_text(encoding="utf-8"))
    return stories


def _name_from(hint: str, dice: Dice) -> str:
    words = [word.capitalize() for word in re.split(r"[._+\-\d]+", hint) if word] or ["Alex"]
    return " ".join(words if len(words) > 1 else [*words, dice.pick("surname", SURNAMES)])


def _firm_name(domain: str) -> str:
    labels = domain.split(".")
    # "acme.co.uk" is Acme, not Co.
    if len(labels[:-2]) and labels[-2] in {"co", "com", "org", "ac"}:
        labels = labels[:-1]
    return labels[-2 if labels[1:] else 0].replace("-", " ").title()


def _site(domain: str) -> str:
    return f"www.{domain}" if re.fullmatch(r"[a-z0-9.-]+\.example", domain) else f"{_slug(domain)}.directory.example"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-") or "page"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
