"""Whom evidence is about: confirmed by address and source, or nothing is attached."""

import pytest

from activities.domains import company_domain, company_label, registered_domain
from activities.research.identity import identify, known_as
from schemas.briefs import Identity, Profile
from tests.research.material import PERSON_ID, candidate, evidence, person

AT_ACME = evidence(1, PERSON_ID, "Ada Lovelace leads planning at Acme Freight.")
AT_HOME = evidence(2, PERSON_ID, "Ada Lovelace will speak.", url="https://www.acme-freight.example/team")
BAKER = evidence(3, PERSON_ID, "Ada Lovelace runs a bakery in Bath.")
OTHER = evidence(4, PERSON_ID, "Charles Babbage leads planning at Acme Freight.")
METAL = evidence(6, PERSON_ID, "Ada Lovelace is a metal worker.")
ORANGE = evidence(7, PERSON_ID, "Ada Lovelace of Orange speaks.")
LOOKALIKE = evidence(5, PERSON_ID, "Ada Lovelace will speak.", url="https://not-acme-freight.example/team")


def found(*candidates: object) -> Profile:
    return Profile(found=bool(candidates), candidates=candidates)


@pytest.mark.parametrize(
    ("who", "sources", "identity", "attached"),
    [
        ({}, (AT_ACME,), Identity.CONFIRMED, 1),
        ({}, (AT_HOME,), Identity.CONFIRMED, 1),
        ({}, (LOOKALIKE,), Identity.AMBIGUOUS, 0),
        # Her company is named by one source: what else is said of the only Ada found may be attached too.
        ({}, (AT_ACME, BAKER), Identity.CONFIRMED, 2),
        # Two were found: only what names her company is hers.
        ({"profile": found(candidate(), candidate(employer="Bath Bakery"))}, (AT_ACME, BAKER), Identity.CONFIRMED, 1),
        ({"profile": found(candidate(employer="Bath Bakery"))}, (BAKER,), Identity.AMBIGUOUS, 0),
        ({}, (OTHER,), Identity.NOT_FOUND, 0),
        # A company's name is a word of its own, not part of another.
        ({"company_domain": "meta.example"}, (METAL,), Identity.AMBIGUOUS, 0),
        (
            {"company_domain": "ge.example", "profile": found(candidate(employer="Orange"))},
            (ORANGE,),
            Identity.AMBIGUOUS,
            0,
        ),
        ({"company_domain": "acme.example"}, (AT_ACME,), Identity.CONFIRMED, 1),
        ({}, (), Identity.NOT_FOUND, 0),
        ({"company_domain": None}, (BAKER,), Identity.PROBABLE, 1),
        (
            {"company_domain": None, "profile": found(candidate(), candidate(employer="X"))},
            (BAKER,),
            Identity.AMBIGUOUS,
            0,
        ),
        ({"company_domain": None, "profile": found()}, (BAKER,), Identity.AMBIGUOUS, 0),
        # No name is known: the address says whom it could mean.
        ({"name": "", "hint": "ada.lovelace"}, (AT_ACME,), Identity.CONFIRMED, 1),
        ({"name": "", "hint": "alovelace"}, (AT_ACME,), Identity.CONFIRMED, 1),
        ({"name": "", "hint": "info"}, (AT_ACME,), Identity.NOT_FOUND, 0),
        # Accents and case are no difference.
        ({"name": "ADA LOVELÁCE"}, (AT_ACME,), Identity.CONFIRMED, 1),
    ],
)
def test_identity(who: dict[str, object], sources: tuple[object, ...], identity: Identity, attached: int) -> None:
    said, pieces = identify(person(**who), sources)  # type: ignore[arg-type]
    assert (said, len(pieces)) == (identity, attached)


def test_a_stranger_s_name_is_never_ours() -> None:
    ours = person(name="", hint="ada", profile=found(candidate(name="Bob Marsh")))
    assert known_as(ours, Identity.NOT_FOUND) == "ada"
    assert known_as(person(name="", hint="ada"), Identity.CONFIRMED) == "Ada Lovelace"


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@acme.com", "acme.com"),
        ("a@mail.acme.co.uk", "acme.co.uk"),
        ("a@MAIL.Acme.com.", "acme.com"),
        ("a@lovelace.example", "lovelace.example"),
        ("a@deep.lovelace.example", "lovelace.example"),
        ("a@gmail.com", None),
        ("a@googlemail.com", None),
        ("a@outlook.com", None),
    ],
)
def test_the_company_of_an_address(address: str, domain: str | None) -> None:
    assert company_domain(address) == domain


def test_a_domain_s_name() -> None:
    assert company_label("mail.acme-freight.co.uk") == "acmefreight"
    assert registered_domain("a.b.nowhere.example") == "nowhere.example"
