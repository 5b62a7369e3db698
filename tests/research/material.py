"""Material for a brief, made by hand: one known person, one company, two pieces of evidence each."""

from datetime import UTC, date, datetime
from typing import Any

from schemas.briefs import Campaign, Candidate, Company, Evidence, Material, Person, Profile

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PERSON_ID, COMPANY_ID = "a" * 8 + "-0000-4000-8000-" + "a" * 12, "c" * 8 + "-0000-4000-8000-" + "c" * 12
BRIEF_ID = "b" * 8 + "-0000-4000-8000-" + "b" * 12

WORK = "Ada Lovelace has led planning at Acme Freight since March 2025. She began as a dispatcher in Leeds."
TALK = "At the Cold Chain Days, Ada Lovelace of Acme Freight said that “a fifth of all routes” is corrected by phone."
SIZE = "Acme Freight employs 640 people in four depots."
NEWS = "Acme Freight opened a fifth depot in Halvik on 6 November 2026."


def evidence(number: int, subject_id: str, text: str, **changes: Any) -> Evidence:
    values: dict[str, Any] = {
        "id": f"{number:08d}-0000-4000-8000-000000000000",
        "subject_id": subject_id,
        "url": f"https://news{number}.example/{number}",
        "title": "A page",
        "text": text,
        "published": date(2026, 11, number),
        "fetched_at": NOW,
    }
    return Evidence(**{**values, **changes})


def person(**changes: Any) -> Person:
    values: dict[str, Any] = {
        "id": PERSON_ID,
        "name": "Ada Lovelace",
        "hint": "ada",
        "company_domain": "acme-freight.example",
        "profile": Profile(found=True, candidates=(candidate(),)),
    }
    return Person(**{**values, **changes})


def candidate(name: str = "Ada Lovelace", employer: str = "Acme Freight", **more: str) -> Candidate:
    return Candidate(name=name, employer=employer, **more)


def material(**changes: Any) -> Material:
    values: dict[str, Any] = {
        "brief_id": BRIEF_ID,
        "title": "First call",
        "starts_at": None,
        "campaign": Campaign(name="c", offering="o", target_customer="t", pain_points="p"),
        "people": (person(),),
        "companies": (Company(id=COMPANY_ID, domain="acme-freight.example", name="Acme Freight"),),
        "evidence": (
            evidence(1, PERSON_ID, WORK),
            evidence(2, PERSON_ID, TALK),
            evidence(3, COMPANY_ID, SIZE),
            evidence(4, COMPANY_ID, NEWS),
        ),
        "answers": (),
        "sandbox": True,
    }
    return Material(**{**values, **changes})


def fact(**changes: Any) -> dict[str, Any]:
    """A good fact, as a model gives it, but for the changes."""
    values = {
        "id": "f1",
        "section": "people",
        "about": "p1",
        "kind": "role",
        "text": "She has led planning since March 2025.",
        "evidence": "e1",
        "quote": "has led planning at Acme Freight since March 2025",
        "as_of": None,
    }
    return {**values, **changes}


def draft(*facts: dict[str, Any], **sections: Any) -> dict[str, Any]:
    values = {
        "headline": {"text": "Planning at Acme.", "rests_on": ["f1"]},
        "facts": list(facts),
        "fit": [],
        "talking_points": [],
        "questions": [],
        "risks": [],
    }
    return {**values, **sections}
