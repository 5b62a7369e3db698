"""Everybody in the world can be found, and what the pretended model says about them is in its sources."""

import re
from typing import Any

import pytest

from sandbox.facts import facts
from sandbox.material import Material
from sandbox.world import AboutCompany, AboutPerson, Finding, World
from sandbox.writer import brief, lying

WORLD = World()
STRANGERS = [
    ("Grace Hopper", "grace", "navy.example"),
    (None, "bob.o_neill-smith", "acme-widgets.co.uk"),
    (None, "", "localhost"),
    ("Zoë 北京", "zoe", None),
    ("Bob", "bob", "lovelace.example"),
    ("<script>alert(1)</script>", "x", "evil.example"),
    ("\x1b[31mRed {braces} ![a](http://b.example)", "y", "<b>.example"),
]
CAST = [(person.name, person.hint, person.domain) for person in WORLD.people]
DOMAINS = sorted(
    {company.domain for company in WORLD.companies} | {"acme-widgets.co.uk", "localhost", "a..b", "", "<b>"}
)


def person(name: str | None, hint: str, domain: str | None, question: int = 2) -> Finding:
    return WORLD.find(AboutPerson(kind="person", name=name, hint=hint, company_domain=domain, question=question))


def company(domain: str) -> Finding:
    return WORLD.find(AboutCompany(kind="company", domain=domain))


def material(found_people: list[Finding], found_companies: list[Finding], **others: Any) -> Material:
    subjects = [(f"p{n}", found) for n, found in enumerate(found_people)]
    subjects += [(f"c{n}", found) for n, found in enumerate(found_companies)]
    pages = [(about, page) for about, found in subjects for page in found.pages]
    return Material.model_validate(
        {
            "campaign": {
                "offering": "Route planning",
                "target_customer": "Hauliers of chilled food",
                "pain_points": ["Late loads", "Planners on the telephone"],
            },
            "people": [{"id": f"p{n}", "name": f.answer["people"][0]["name"]} for n, f in enumerate(found_people)],
            "companies": [{"id": f"c{n}", "name": f.answer["name"]} for n, f in enumerate(found_companies)],
            "evidence": [
                {"id": f"e{n}", "about": about, "title": page.title, "published": page.date, "text": page.snippet}
                for n, (about, page) in enumerate(pages)
            ],
        }
        | others
    )


EVERYBODY = [person(*who) for who in [*CAST, *STRANGERS]]
EVERY_COMPANY = [company(domain) for domain in DOMAINS]


def test_the_cast_is_complete() -> None:
    assert len(CAST) >= 9
    assert all(found.answer["found"] for found in [*EVERYBODY, *EVERY_COMPANY])


@pytest.mark.parametrize("found", [*(person(*who) for who in CAST), *(company(c.domain) for c in WORLD.companies)])
def test_the_cast_has_rich_evidence(found: Finding) -> None:
    assert 3 <= len(found.pages) <= 6
    assert len({page.url for page in found.pages}) == len(found.pages)
    for page in found.pages:
        assert 40 <= len(page.snippet.split()) <= 120
        assert re.match(r"https://[a-z0-9.-]+\.example/", page.url)
        assert "days ago" not in page.snippet


@pytest.mark.parametrize("found", [*(person(*who) for who in STRANGERS), company("acme-widgets.co.uk")])
def test_strangers_have_evidence_under_reserved_domains(found: Finding) -> None:
    assert len(found.pages) == 4
    for page in found.pages:
        assert re.match(r"https://[a-z0-9.-]+\.example/[a-z0-9/-]*$", page.url)
        assert len(page.snippet.split()) >= 35
        assert "days ago" not in page.snippet


def test_strangers_are_always_the_same_and_not_all_alike() -> None:
    assert [person(*who) for who in STRANGERS] == [person(*who) for who in STRANGERS]
    places = {person(None, f"someone{n}", "firm.example").answer["people"][0]["location"] for n in range(30)}
    assert len(places) > 3


def test_hostile_names_are_echoed() -> None:
    for name, hint, domain in STRANGERS[-2:]:
        assert name is not None
        assert name in person(name, hint, domain).pages[0].snippet


def test_a_colleague_of_the_cast_works_for_the_same_company() -> None:
    assert person("Bob", "bob", "lovelace.example").answer["people"][0]["employer"] == "Lovelace Analytics"


def test_people_are_found_by_address_alone_or_by_name_alone() -> None:
    by_address, by_name = person(None, "ADA", "Lovelace.Example"), person("ada lovelace", "al", "lovelace.example")
    assert by_address == by_name
    assert person("Mei Tanaka", "mt1984", None).answer["people"][0]["job_title"] == "Independent adviser"


def test_nobody_is_known_at_nowhere() -> None:
    for found in (person("No Body", "nobody", "nowhere.example"), company("nowhere.example")):
        assert found.answer["found"] is False
        assert found.pages == ()


def test_a_late_bloomer_is_found_by_the_second_question() -> None:
    first, second = (person(None, "late.bloomer", "halden-foods.example", question) for question in (1, 2))
    assert (first.answer["found"], second.answer["found"]) == (False, True)


@pytest.mark.parametrize(
    ("name", "hint", "domain", "employers"),
    [
        ("Sam Rivera", "sam.rivera", "northwind-robotics.example", {"Northwind Robotics", "Saltmarsh"}),
        ("Jordan Ellis", "jordan.ellis", None, {"Carrow Hospitals", "Quartier Jazz School"}),
    ],
)
def test_namesakes_come_mixed(name: str, hint: str, domain: str | None, employers: set[str]) -> None:
    found = person(name, hint, domain)
    assert {card["employer"] for card in found.answer["people"]} == employers
    assert {card["name"] for card in found.answer["people"]} == {name}


def test_sources_on_halden_disagree() -> None:
    text = " ".join(page.snippet for page in company("halden-foods.example").pages)
    assert all(figure in text for figure in ("420 people", "610 people", "38 million", "61 million"))


@pytest.mark.parametrize(
    "given",
    [
        *(material([found], []) for found in EVERYBODY),
        *(material([], [found]) for found in EVERY_COMPANY),
        material(EVERYBODY, EVERY_COMPANY),
    ],
)
def test_each_fact_is_in_its_evidence(given: Material) -> None:
    texts = {each.id: (each.about, each.text) for each in given.evidence}
    written = brief(given)

    for fact in written["facts"]:
        about, text = texts[fact["evidence"]]
        assert fact["quote"] in text
        assert fact["about"] == about
        assert set(re.findall(r"\d+", fact["text"])) <= set(re.findall(r"\d+", fact["quote"]))
    subjects: list[Any] = [*given.people, *given.companies]
    for subject in subjects:
        count = sum(fact["about"] == subject.id for fact in written["facts"])
        assert 3 <= count <= (5 if subject in given.people else 6)


@pytest.mark.parametrize("given", [material(EVERYBODY[:3], EVERY_COMPANY[-2:]), material([], []), Material()])
def test_advice_rests_on_facts_that_exist(given: Material) -> None:
    written = brief(given)
    known = {fact["id"] for fact in written["facts"]}

    pieces = [
        written["headline"],
        *(p for part in ("fit", "talking_points", "questions", "risks") for p in written[part]),
    ]
    assert {number for piece in pieces for number in piece["rests_on"]} <= known
    assert 3 <= len(written["talking_points"]) <= 5
    assert 3 <= len(written["questions"]) <= 5
    assert all(piece["text"][0].isupper() or piece["text"][0] == "“" for piece in pieces)
    assert not any("{" in piece["text"] for piece in pieces)


@pytest.mark.parametrize("found", EVERYBODY)
def test_a_headline_is_short(found: Finding) -> None:
    assert len(brief(material([found], []))["headline"]["text"].split()) <= 25


def test_advice_speaks_in_the_words_of_the_campaign() -> None:
    written = brief(material([person("Ada Lovelace", "ada", "lovelace.example")], [company("lovelace.example")]))
    text = str([written["fit"], written["talking_points"], written["questions"]])
    assert all(words in text for words in ("route planning", "hauliers of chilled food", "late loads"))


def test_nothing_is_claimed_about_a_person_who_may_be_another() -> None:
    sam = person("Sam Rivera", "sam.rivera", "northwind-robotics.example")
    given = material([sam], [], people=[{"id": "p0", "name": "Sam Rivera", "identity": "ambiguous"}])

    assert facts(given) == []
    assert "Sam Rivera" in brief(given)["risks"][0]["text"]


def test_contradicting_numbers_are_a_risk() -> None:
    risks = brief(material([], [company("halden-foods.example")]))["risks"]
    assert [len(risk["rests_on"]) for risk in risks[:2]] == [2, 2]
    assert "how many people" in risks[0]["text"]
    assert "how much money" in risks[1]["text"]
    assert not any("differ" in r["text"] for r in brief(material([], [company("lovelace.example")]))["risks"])


def test_a_liar_needs_no_material() -> None:
    assert len(lying(Material())["facts"]) == 4
