"""Confidence is a rule: a table."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from activities.research.confidence import confidence
from schemas.briefs import BriefSubject, Claim, Confidence, Identity, Nature, Section
from tests.research.material import COMPANY_ID, PERSON_ID, evidence

TODAY = date(2026, 11, 22)


def said(about: str, source: int) -> Claim:
    return Claim(
        id=str(uuid4()),
        section=Section.PEOPLE,
        nature=Nature.FACT,
        text="t",
        subject_id=about,
        evidence_id=evidence(source, about, "x").id,
        quote="q",
    )


def rated(
    person: int,
    company: int,
    *,
    identity: Identity = Identity.CONFIRMED,
    dropped: int = 0,
    sources: int = 2,
    age: int = 1,
) -> tuple[Confidence, tuple[str, ...]]:
    subjects = (
        BriefSubject(id=PERSON_ID, kind="person", name="Ada", identity=identity),
        BriefSubject(id=COMPANY_ID, kind="company", name="Acme"),
    )
    pieces = tuple(
        evidence(number, PERSON_ID, "x", published=TODAY - timedelta(days=age)) for number in range(1, sources + 1)
    )
    claims = [said(PERSON_ID, 1 + number % sources) for number in range(person)]
    claims += [said(COMPANY_ID, 1 + number % sources) for number in range(company)]
    return confidence(subjects, tuple(claims), pieces, {"quote not in its evidence": dropped}, TODAY)


@pytest.mark.parametrize(
    ("person", "company", "more", "level", "reason"),
    [
        (3, 3, {}, Confidence.HIGH, "everybody identified"),
        (0, 3, {}, Confidence.LOW, "nothing usable about Ada"),
        (3, 0, {}, Confidence.LOW, "nothing usable about Acme"),
        (2, 3, {}, Confidence.MEDIUM, "only 2 facts about Ada"),
        (3, 3, {"identity": Identity.PROBABLE}, Confidence.MEDIUM, "Ada is only probably the person found"),
        (3, 3, {"dropped": 2}, Confidence.HIGH, "everybody identified"),
        (3, 3, {"dropped": 3}, Confidence.MEDIUM, "3 claims refused"),
        (3, 3, {"sources": 1}, Confidence.MEDIUM, "all facts come from one page"),
        (3, 3, {"age": 400}, Confidence.MEDIUM, "no source from the last year"),
    ],
)
def test_confidence(person: int, company: int, more: dict[str, int], level: Confidence, reason: str) -> None:
    said_level, reasons = rated(person, company, **more)  # type: ignore[arg-type]
    assert said_level is level
    assert any(text.startswith(reason) for text in reasons)
