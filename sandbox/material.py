"""What the client hands over for a brief, and the facts taken from it."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


class Person(BaseModel):
    id: str
    name: str | None = None
    domain: str | None = None
    identity: str = "confirmed"


class Company(BaseModel):
    id: str
    domain: str = ""
    name: str | None = None


class Evidence(BaseModel):
    id: str
    about: str
    title: str | None = None
    published: str | None = None
    text: str = ""


class Campaign(BaseModel):
    offering: str | list[str] | None = None
    target_customer: str | list[str] | None = None
    pain_points: str | list[str] | None = None


class Material(BaseModel):
    """What the client hands over. Fields we do not need are ignored, as a reader would."""

    campaign: Campaign = Campaign()
    people: list[Person] = []
    companies: list[Company] = []
    evidence: list[Evidence] = []
    gaps: list[str] = []


@dataclass(frozen=True)
class Fact:
    """One sentence, and the words of the source that carry it."""

    id: str
    section: str
    about: str
    kind: str
    text: str
    quote: str
    evidence: Evidence

    def as_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("id", "section", "about", "kind", "text", "quote")}
        return plain | {"topic": self.kind, "evidence": self.evidence.id, "as_of": self.evidence.published}
