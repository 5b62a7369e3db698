"""What setup and intake let in: addresses, domains, zones and names, each checked before anything is stored."""

import pytest

from starter import intake, setup
from starter.words import NotReadyError, UsageError
from tests.stage import Stage


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("america/new york", "America/New_York"),
        (" utc ", "UTC"),
    ],
)
def test_a_time_zone_goes_by_its_own_name(given: str, kept: str) -> None:
    assert setup.time_zone(given) == kept


@pytest.mark.parametrize("given", ["", "Berlin", "+01:00", "/etc/localtime", "../UTC", "Europe/Berlin\0"])
def test_anything_else_is_no_time_zone(given: str) -> None:
    with pytest.raises(UsageError, match="no time zone; write one such as"):
        setup.time_zone(given)


@pytest.mark.parametrize(
    ("domains", "email", "own"),
    [
        ([], "kim@sales.quay.co.uk", ("quay.co.uk",)),
        ([], "kim@gmail.com", ()),
        (["@Quay.example.", "mail.quay.example"], "kim@gmail.com", ("quay.example",)),
        (["quay.example", "berth.example"], "kim@other.example", ("quay.example", "berth.example")),
    ],
)
def test_own_domains_are_said_or_come_from_the_address(domains: list[str], email: str, own: tuple[str, ...]) -> None:
    assert setup.own_domains(domains, email) == own


@pytest.mark.parametrize("given", ["quay", "quay example", "gmail.com", "1.2.3.4", "", "a" * 250 + ".example"])
def test_a_domain_that_is_none_or_everybodys_is_refused(given: str) -> None:
    with pytest.raises(UsageError):
        setup.own_domain(given)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Harbour Söftware, Ltd.", "harbour-software-ltd"),
        ("東京", ""),
        ("x" * 100, "x" * 63),
        ("--", ""),
    ],
)
def test_a_slug_is_made_from_a_name(name: str, slug: str) -> None:
    assert setup.slug_of(name) == slug


def test_texts_lose_what_nobody_sees() -> None:
    assert setup.text("Route\u200b planning\x1b[0m\n for  hauliers") == "Route planning[0m for hauliers"


def test_each_address_is_a_prospect_once() -> None:
    found = intake.people(["Ada@Lovelace.example", " ada@lovelace.example"], "Ada\u202e Lovelace")

    assert [(one.email, one.name) for one in found] == [("ada@lovelace.example", "Ada Lovelace")]


def test_without_a_good_key_nobody_is_hashed(stage: Stage) -> None:
    with pytest.raises(NotReadyError, match="GREENROOM_HASH_KEY must have at least 32"):
        intake.Intake(stage.meetings, stage.settings(hash_key="short"))


async def test_the_same_people_are_the_same_request(stage: Stage) -> None:
    first = await stage.request("ada@lovelace.example", "tomas.okafor@brightwater.example")
    again = await stage.request("tomas.okafor@brightwater.example", "ada@lovelace.example")
    other = await stage.request("ada@lovelace.example")

    assert first == again != other
    assert await stage.count("subjects") == 4, "two people, two companies"
