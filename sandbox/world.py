"""The fictional people and companies, and what a search about them finds.

`cast/*.yaml` holds those with a story; everybody else is made up on the spot by `strangers`, always in the same way.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from sandbox import strangers
from sandbox.clock import Clock
from sandbox.strangers import Company, Person, Result

CAST = Path(__file__).parent / "cast"
UNKNOWN_TO_EVERYBODY = "nowhere.example"


class AboutPerson(BaseModel):
    """Whom the client asks about."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["person"]
    name: str | None = None
    hint: str = ""
    company_domain: str | None = None
    question: int = 1

    @property
    def label(self) -> str:
        return f"person:{self.hint or self.name}" + (f"@{self.company_domain}" if self.company_domain else "")


class AboutCompany(BaseModel):
    """Which company the client asks about."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["company"]
    domain: str

    @property
    def label(self) -> str:
        return f"company:{self.domain}"


@dataclass(frozen=True)
class Page:
    """A search result with its dates worked out."""

    url: str
    title: str
    snippet: str
    date: str


@dataclass(frozen=True)
class Finding:
    """What a search found, and what a model would answer from it."""

    answer: dict[str, Any]
    pages: tuple[Page, ...]


class World:
    """Knows everybody. The same question on the same day finds the same."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.people, self.companies = _cast()

    def find(self, subject: AboutPerson | AboutCompany) -> Finding:
        return self._person(subject) if isinstance(subject, AboutPerson) else self._company(subject)

    def _person(self, subject: AboutPerson) -> Finding:
        person = self._known(subject) or self._stranger(subject)
        if person is None or subject.question < person.from_question:
            return Finding({"found": False, "people": [], "summary": "No page about this person was found."}, ())
        people = [_card(person), *(dict(other) for other in person.also)]
        return Finding({"found": True, "people": people, "summary": person.summary}, self._pages(person.results))

    def _known(self, subject: AboutPerson) -> Person | None:
        domain = (subject.company_domain or "").lower() or None
        for person in self.people:
            named = (subject.name or "").strip().lower() == person.name.lower()
            if person.domain == domain and (person.hint == subject.hint.lower() or named):
                return person
        return None

    def _stranger(self, subject: AboutPerson) -> Person | None:
        domain = (subject.company_domain or "").lower() or None
        if domain == UNKNOWN_TO_EVERYBODY:
            return None
        return strangers.person(subject.name, subject.hint, domain, self._firm(domain) if domain else None)

    def _company(self, subject: AboutCompany) -> Finding:
        company = self._firm(subject.domain.lower())
        if company is None:
            nothing = dict.fromkeys(("name", "industry", "size", "funding"))
            return Finding({"found": False, **nothing, "summary": "No page about this company was found."}, ())
        answer = company.model_dump(include={"name", "industry", "size", "funding", "summary"})
        return Finding({"found": True, **answer}, self._pages(company.results))

    def _firm(self, domain: str) -> Company | None:
        if domain == UNKNOWN_TO_EVERYBODY:
            return None
        return next((known for known in self.companies if known.domain == domain), None) or strangers.company(domain)

    def _pages(self, results: tuple[Result, ...]) -> tuple[Page, ...]:
        today = self.clock.today()
        return tuple(
            Page(result.url, result.title, _dated(result.text, today), _days_before(today, result.age).isoformat())
            for result in results
        )


@cache
def _cast() -> tuple[tuple[Person, ...], tuple[Company, ...]]:
    people: list[Person] = []
    companies: list[Company] = []
    for path in sorted(CAST.glob("*.yaml")):
        page = yaml.safe_load(path.read_text(encoding="utf-8"))
        people += map(Person.model_validate, page.get("people", ()))
        companies += map(Company.model_validate, page.get("companies", ()))
    return tuple(people), tuple(companies)


def _card(person: Person) -> dict[str, str]:
    return person.model_dump(include={"name", "job_title", "employer", "location"})


def _dated(text: str, today: date) -> str:
    """`<12 days ago>` becomes "10 November 2026"."""

    def written(found: re.Match[str]) -> str:
        day = _days_before(today, int(found[1]))
        return f"{day.day} {day:%B %Y}"

    return re.sub(r"<(\d{1,3}) days ago>", written, text)


def _days_before(today: date, days: int) -> date:
    return today - timedelta(days=days)
