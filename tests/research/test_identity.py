"""Whom evidence is about: each piece by its own words, and nothing where it cannot be told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.domains import company_domain, company_label, registered_domain
from activities.research.identity import candidates, identify, known_as
from activities.research.names import fits
from schemas.briefs import Company, Evidence, Identity, Mark, Profile, Verdict
from tests.research.material import COMPANY_ID, PERSON_ID, candidate, evidence, person

AT_ACME = evidence(1, PERSON_ID, "Ada Lovelace leads planning at Acme Freight.")
AT_HOME = evidence(2, PERSON_ID, "Ada Lovelace will speak.", url="https://www.acme-freight.example/team")
BAKER = evidence(3, PERSON_ID, "Ada Lovelace runs a bakery in Bath.")
OTHER = evidence(4, PERSON_ID, "Charles Babbage leads planning at Acme Freight.")
METAL = evidence(6, PERSON_ID, "Ada Lovelace is a metal worker.")
ORANGE = evidence(7, PERSON_ID, "Ada Lovelace of Orange speaks.")
LOOKALIKE = evidence(5, PERSON_ID, "Ada Lovelace will speak.", url="https://not-acme-freight.example/team")
ACME = Company(id=COMPANY_ID, domain="acme-freight.example", name="Acme Freight GmbH & Co. KG")


def found(*several: object) -> Profile:
    return Profile(found=bool(several), candidates=several)


def mark(piece: Evidence, verdict: Verdict = Verdict.WRONG_PERSON, subject_id: str = PERSON_ID) -> Mark:
    return Mark(
        subject_id=subject_id, verdict=verdict, text="She leads planning.", url=piece.url, quote="leads planning"
    )


@pytest.mark.parametrize(
    ("who", "sources", "identity", "attached"),
    [
        ({}, (AT_ACME,), Identity.CONFIRMED, 1),
        ({}, (AT_HOME,), Identity.CONFIRMED, 1),
        ({}, (LOOKALIKE,), Identity.AMBIGUOUS, 0),
        # That one piece is about her says nothing of the next.
        ({}, (AT_ACME, BAKER), Identity.CONFIRMED, 1),
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
        # No company is known: what is said of the only one found may be theirs.
        ({"company_domain": None}, (AT_ACME,), Identity.PROBABLE, 1),
        ({"company_domain": None}, (BAKER,), Identity.AMBIGUOUS, 0),
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


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("Ada Lovelace leads planning at Acme Freight.", Identity.CONFIRMED),
        ("Lovelace, Ada (Acme Freight)", Identity.CONFIRMED),
        ("Planning at Acme has been led by Ada M. Lovelace since 2019.", Identity.CONFIRMED),
        ("A. Lovelace of Acme Freight spoke.", Identity.PROBABLE),
        # Another company whose name begins alike, and one that is named beside somebody else.
        ("Ada Lovelace leads planning at Acme Foods.", Identity.AMBIGUOUS),
        ("Ada Lovelace (Bath Bakery) thanked Acme Freight.", Identity.AMBIGUOUS),
        ("Present were Ada Lovelace (Bath Bakery), Bob Marsh (Acme Freight).", Identity.AMBIGUOUS),
        # Who left is not there.
        ("Ada Lovelace, formerly of Acme Freight, now paints.", Identity.AMBIGUOUS),
        ("Ada Lovelace led planning at Acme Freight until 2014.", Identity.AMBIGUOUS),
        ("Ada Lovelace war bis 2014 bei Acme Freight.", Identity.AMBIGUOUS),
        ("Ada Lovelace, formerly of Bath Bakery, leads planning at Acme Freight.", Identity.CONFIRMED),
        ("Ada Lovelace left Bath Bakery to join Acme Freight.", Identity.CONFIRMED),
        # Another person, or nobody at all.
        ("Adam Lovelace leads planning at Acme Freight.", Identity.NOT_FOUND),
        ("Ada B. Marsh and Eve Lovelace lead planning at Acme Freight.", Identity.NOT_FOUND),
        ("Acme Freight built the bridge at Ada Lovelace.", Identity.NOT_FOUND),
        ("This Ada Lovelace is unrelated to Acme Freight and should not be confused with it.", Identity.AMBIGUOUS),
    ],
)
def test_what_a_sentence_proves(text: str, identity: Identity) -> None:
    piece = evidence(1, PERSON_ID, text)
    assert identify(person(hint="a.lovelace"), (piece,), ACME)[0] is identity


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jürgen Göritz", "Juergen Goeritz", True),
        ("Søren Ågård", "Soeren Aagaard", True),
        ("Сергей Жуковский", "Sergey Zhukovsky", True),
        ("Юлія Хоменко", "Yuliia Khomenko", True),
        ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoulos", True),
        ("王伟", "Wei Wang", True),
        ("خالد المنصوري", "Khalid Al Mansouri", True),
        ("Bill Marsh", "William Marsh", True),
        ("Marsh, William", "William Marsh", True),
        ("Ana Ruiz Soto", "Ana Ruiz", True),
        # Names that are written nearly alike are names of two people.
        ("Stefan Meier", "Stefan Meyer", False),
        ("Stefan Meier", "Stefan Maier", False),
        ("Anna Bauer", "Anna Baur", False),
        ("Daniel Roth", "Daniela Roth", False),
        ("Jan Larsen", "Jan Larsson", False),
        ("Ana Ruiz Soto", "Ana Ruiz Vega", False),
        ("John A. Marsh Lee", "John Bee Lee", False),
    ],
)
def test_names_that_one_person_may_bear(one: str, other: str, same: bool) -> None:
    assert fits(one, other) is same


def test_two_of_the_name_at_the_company_are_told_by_the_address_alone() -> None:
    two = found(candidate(job_title="Planner", location="Leeds"), candidate(job_title="Driver", location="Bath"))
    ours = person(hint="ada.lovelace", profile=two)
    planner = evidence(1, PERSON_ID, "Ada Lovelace, planner at Acme Freight, ada.lovelace@acme-freight.example")
    driver = evidence(2, PERSON_ID, "Ada Lovelace, driver at Acme Freight.")
    assert identify(ours, (driver, AT_ACME), ACME) == (Identity.AMBIGUOUS, ())
    assert identify(ours, (driver, planner, AT_ACME), ACME) == (Identity.CONFIRMED, (planner,))
    assert candidates(ours, ACME) == two.candidates


def test_numbered_addresses_mean_several_of_the_name() -> None:
    assert identify(person(hint="ada.lovelace2"), (AT_ACME,), ACME)[0] is Identity.AMBIGUOUS
    assert identify(person(hint="ada.lovelace"), (AT_ACME,), ACME)[0] is Identity.CONFIRMED


def test_who_could_be_meant_begins_with_those_at_the_company() -> None:
    baker, planner = candidate(employer="Bath Bakery"), candidate()
    stranger = candidate(name="Bob Marsh")
    assert candidates(person(profile=found(baker, stranger, planner)), ACME) == (planner, baker)


def test_what_is_marked_as_another_s_is_neither_attached_nor_counted() -> None:
    assert identify(person(), (AT_ACME, AT_HOME), ACME, (mark(AT_ACME),)) == (Identity.CONFIRMED, (AT_HOME,))
    assert identify(person(), (AT_ACME, BAKER), ACME, (mark(AT_ACME),)) == (Identity.AMBIGUOUS, ())
    assert identify(person(), (AT_ACME,), ACME, (mark(AT_ACME),)) == (Identity.NOT_FOUND, ())


def test_only_that_mark_of_that_person_opens_an_identity_again() -> None:
    others = (mark(AT_ACME, Verdict.WRONG), mark(AT_ACME, Verdict.STALE), mark(AT_ACME, subject_id=COMPANY_ID))
    assert identify(person(), (AT_ACME,), ACME, others) == (Identity.CONFIRMED, (AT_ACME,))


@given(st.text(max_size=30), st.text(max_size=20), st.text(max_size=200), st.text(max_size=30), st.text(max_size=30))
def test_no_text_is_too_strange(name: str, hint: str, text: str, other: str, employer: str) -> None:
    ours = person(name=name, hint=hint, profile=found(candidate(name=other, employer=employer), candidate()))
    company = Company(id=COMPANY_ID, domain="acme-freight.example", name=employer)
    identity, attached = identify(ours, (evidence(1, PERSON_ID, text, title=other),), company)
    assert bool(attached) is (identity in (Identity.CONFIRMED, Identity.PROBABLE))
    assert candidates(ours, company) is not None
    assert known_as(ours, identity, company) is not None


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
