"""Who is named in a text: whole words, either order, any case and accent; a first name alone names nobody."""

import json

import pytest

from activities.mentions import Named, strings

ADA = Named("ada@lovelace.example", ("Ada Lovelace",))


@pytest.mark.parametrize(
    "text",
    [
        "Ada Lovelace",
        "by ADA  LOVELACE, of course",
        "Ádá Lovelácé",
        "Lovelace, Ada",
        "Ada M. Lovelace",
        "Ada\nLovelace's talk",
        "/people/ada-lovelace",
        "ada_lovelace.jpg",
    ],
)
def test_a_full_name_names_them(text: str) -> None:
    assert ADA.by_name(text)


@pytest.mark.parametrize(
    "text",
    ["Ada", "Lovelace Analytics", "Adamant Lovelaces", "Ada went to see the Lovelace works", "Canada Lovelace", ""],
)
def test_less_than_a_full_name_does_not(text: str) -> None:
    assert not ADA.by_name(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dr. Ada Lovelace", "Ada Lovelace"),
        ("Ada Lovelace (Lovelace Analytics)", "Ada Lovelace"),
        ("Ada King Lovelace", "Ada Lovelace"),
        ("Ada Lovelace", "Ada King Lovelace"),
        ("José Núñez", "jose nunez"),
        ("Jan van Dijk", "Jan van Dijk"),
        ("Ana de Souza", "Souza, Ana de"),
        ("Γιώργος Παπαδόπουλος", "ο Γιώργος Παπαδόπουλος"),
        ("Kim Le", "Kim Le"),
    ],
)
def test_a_name_is_known_as_it_is_written_elsewhere(name: str, text: str) -> None:
    assert Named("x@y.example", (name,)).by_name(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Jan van Dijk", "Jan van der Berg"),
        ("Mohammed Al Fayed", "Mohammed Al Rashid"),
        ("Ana de Souza", "de Ana Lima"),
    ],
)
def test_a_particle_names_nobody(name: str, text: str) -> None:
    assert not Named("x@y.example", (name,)).by_name(text)


@pytest.mark.parametrize("name", ["", "Ada", "Dr. Ada", "A. Lovelace", "Ada (Lovelace)"])
def test_who_has_one_name_is_found_by_their_address_alone(name: str) -> None:
    assert Named("ada@lovelace.example", (name,)).pairs == frozenset()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("write to Ada@Lovelace.example.", True),
        ("ada+sales@lovelace.example", True),
        ("mailto:ada%40lovelace.example", True),
        ("<ada@lovelace.example>", True),
        ("canada@lovelace.example", False),
        ("x.ada@lovelace.example", False),
        ("ada@lovelace.example.org", False),
        ("ada@lovelace.examples", False),
        ("ada at lovelace.example", False),
    ],
)
def test_an_address_is_found_whole(text: str, named: bool) -> None:
    assert ADA.by_address(text) is named


def test_every_text_of_a_value_is_looked_into() -> None:
    draft = json.dumps({"claims": [{"text": "Ada\nLovelace"}]})
    assert "Ada\nLovelace" in list(strings({"text": draft, "n": 1, "more": [None, {"x": "y"}]}))
    assert list(strings('{"broken')) == ['{"broken']
    assert list(strings("[" * 100_000))
