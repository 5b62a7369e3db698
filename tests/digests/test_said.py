"""What a model says is held against its item: what the item does not say is not said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.digests.said import Kept, Refusal, Said, check, leads
from activities.digests.words import LEADING
from activities.research.figures import lacking
from activities.research.quotes import found
from schemas.digests import Item
from tests.digests.mornings_twins import CANTEENS, FERRIES

WON = "Halden Foods won a contract on 13 November 2026 to supply the canteens of two cities for four years"
DELIVERIES = "Deliveries begin in March and will need a cold chain of their own"
NO_KITCHEN = "The company does not plan a third kitchen"
ROOM = 2000


def kept(*says: tuple[str, str | None], item: int = 1, items: tuple[Item, ...] = (CANTEENS, FERRIES)) -> Kept:
    lines = [{"voice": n % 2 + 1, "text": text, "quote": quote} for n, (text, quote) in enumerate(says)]
    return check(Said.model_validate({"items": [{"item": item, "says": lines}]}), items, [ROOM] * len(items))


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Halden Foods won a contract to supply the canteens of two cities.", WON),
        ("They won it on 13 November, and will supply the canteens of two cities for four years.", WON),
        ("The contract is for the canteens of two cities.", WON),
        ("Deliveries begin in March, and they need a cold chain.", DELIVERIES),
        ("The company does not plan a third kitchen.", NO_KITCHEN),
    ],
)
def test_what_its_quote_says_is_said(text: str, quote: str) -> None:
    (sentence,) = kept((text, quote)).says[1]
    assert (sentence.text, sentence.quote) == (text, quote)


@pytest.mark.parametrize(
    ("text", "quote", "why"),
    [
        ("Halden Foods is bankrupt.", "Halden Foods is bankrupt, says everybody", Refusal.QUOTE),
        ("Halden Foods won it.", "Foods won a", Refusal.QUOTE),
        ("The ferries run until midnight.", "The ferries of Halvik will run until midnight", Refusal.QUOTE),
        ("Halden Foods is bankrupt.", WON, Refusal.WORDS),
        ("Halden Foods lost a contract to supply the canteens of two cities.", WON, Refusal.WORDS),
        ("Deliveries end in March and need a cold chain.", DELIVERIES, Refusal.WORDS),
        ("The mayor of two cities was seen in a regatta.", WON, Refusal.WORDS),
        ("Globex won a contract to supply the canteens of two cities.", WON, Refusal.NAME),
        ("Halden Foods and Globex won a contract for the canteens of two cities.", WON, Refusal.NAME),
        ("Halden Foods won a contract to supply the canteens of three cities.", WON, Refusal.FIGURE),
        ("Halden Foods won a contract for the canteens of two cities for 9 million.", WON, Refusal.FIGURE),
        ("Halden Foods won the contract on 14 November.", WON, Refusal.FIGURE),
        ("Halden Foods has not won a contract for the canteens of two cities.", WON, Refusal.NEGATION),
        ("The company does plan a third kitchen.", NO_KITCHEN, Refusal.NEGATION),
        ("Two cities won a contract to supply Halden Foods.", WON, Refusal.WORDS),
        ("Halden Foods, a fraud, won a contract.", WON, Refusal.WORDS),
        ("It does plan a third kitchen, not without worry.", NO_KITCHEN, Refusal.NEGATION),
        ("Halden Foods won more than a contract.", WON, Refusal.WORDS),
        ("Deliveries begin in March, see https://owned.example.", DELIVERIES, Refusal.ADDRESS),
        ("Deliveries begin in March, see owned.example.", DELIVERIES, Refusal.ADDRESS),
        ("Deliveries [shouts] begin in March.", DELIVERIES, Refusal.ADDRESS),
        ("Deliveries <break time='3s'/> begin in March.", DELIVERIES, Refusal.ADDRESS),
        ("Deliveries begin in March. " * 20, DELIVERIES, Refusal.LONG),
        ("", DELIVERIES, Refusal.EMPTY),
        ("...", DELIVERIES, Refusal.EMPTY),
    ],
)
def test_what_its_quote_does_not_say_is_not_said(text: str, quote: str, why: Refusal) -> None:
    found = kept((text, quote))
    assert found.says[1] == []
    assert found.dropped == {why: 1}


@pytest.mark.parametrize(
    "text", ["What is next?", "That's worth watching.", "I wonder what comes next.", "Tell us more.", "Listen to this."]
)
def test_what_leads_on_says_nothing(text: str) -> None:
    assert leads(text)


@pytest.mark.parametrize(
    "text",
    [
        "The company is bankrupt.",
        "There are two more.",
        "That was the 7th time.",
        "What about Halden?",
        "What does the US say to that?",
        "Half of it is good.",
        "Everybody was arrested.",
        "Buy now.",
    ],
)
def test_a_link_that_could_be_a_fact_is_none(text: str) -> None:
    assert not leads(text)
    assert kept((text, None), (DELIVERIES, DELIVERIES)).dropped == {Refusal.LINK: 1}


def test_no_word_that_leads_on_is_a_number() -> None:
    assert [word for word in LEADING if lacking(word, "")] == []
    assert lacking("one", "")


def test_links_need_facts_behind_them() -> None:
    assert kept(("What is next?", None)).says[1] == []
    trailing = kept(("Tell us more.", None), (DELIVERIES, DELIVERIES), ("What is next?", None)).says[1]
    assert [one.text for one in trailing] == ["Tell us more.", DELIVERIES]


def test_a_sentence_is_said_once_and_only_of_an_item_that_there_is() -> None:
    assert kept((DELIVERIES, DELIVERIES), (DELIVERIES.upper(), DELIVERIES)).dropped == {Refusal.TWICE: 1}
    for number in (0, -1, 3, 10**9):
        assert kept((DELIVERIES, DELIVERIES), item=number).dropped == {Refusal.NO_ITEM: 1}


def test_a_quote_is_no_longer_than_it_needs_to_be() -> None:
    """Whose quote is the whole text could put its words together in any way."""
    padded = CANTEENS.model_copy(
        update={"text": f"{WON}. {'It was a long day in both of the cities. ' * 20}Deliveries stop."}
    )
    text = "Deliveries stop in two cities."
    assert kept((text, padded.text), items=(padded,)).says[1] == []


def test_an_item_has_its_room() -> None:
    said = Said.model_validate(
        {"items": [{"item": 1, "says": [{"voice": 1, "text": one, "quote": one} for one in (DELIVERIES, WON)]}]}
    )
    found = check(said, [CANTEENS], [len(DELIVERIES) + 10])
    assert [one.text for one in found.says[1]] == [DELIVERIES]
    assert found.dropped == {Refusal.ROOM: 1}


def test_a_voice_is_one_of_two() -> None:
    says = [{"voice": voice, "text": text, "quote": text} for voice, text in ((-7, DELIVERIES), (2, WON))]
    found = check(Said.model_validate({"items": [{"item": 1, "says": says}]}), [CANTEENS], [ROOM])
    assert [one.voice for one in found.says[1]] == [1, 2]


@given(st.text(max_size=80), st.one_of(st.none(), st.text(max_size=80), st.just(WON)))
def test_whatever_is_said_rests_on_the_item_or_says_nothing(text: str, quote: str | None) -> None:
    for sentence in kept((text, quote), (DELIVERIES, DELIVERIES)).says[1]:
        assert found(sentence.quote, CANTEENS.text) if sentence.quote else leads(sentence.text)
        assert not set(sentence.text) & set("[]<>{}")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Acme sued Borealis over three battery patents", "Borealis sued Acme over three battery patents."),
        (
            "A former clerk was arrested for fraud on Tuesday, said Dana Reyes",
            "Dana Reyes was arrested for fraud on Tuesday.",
        ),
        ("The judge was convinced by Dana Reyes", "The judge convicted Dana Reyes."),
        (
            "The board approached Borealis about a merger of the two firms",
            "The board approved a merger of the two firms.",
        ),
        ("The ministry invested in Acme and its new plant", "The ministry investigated Acme and its new plant."),
        (
            "Northwind will not close Bremen but will close Halden",
            "Northwind will close Bremen but will not close Halden.",
        ),
        (
            "Profit at Acme did not fall in the third quarter, said the company",
            "Profit at Acme did fall, not without worry.",
        ),
        (
            "Anna Voss said the depot in Bremen would handle trains",
            "Anna Voss, a thief, said the depot would handle trains.",
        ),
    ],
)
def test_a_lie_in_its_quote_s_own_words_is_none_the_less(source: str, text: str) -> None:
    """What a model that was taken over makes of a true quote."""
    item = CANTEENS.model_copy(update={"text": f"{source}.", "title": source})
    assert kept((text, source), items=(item,)).says[1] == []
    assert [one.text for one in kept((f"{source}.", source), items=(item,)).says[1]] == [f"{source}."]


@pytest.mark.parametrize(
    "text", ["They will close today.", "They had to close.", "They are on the take.", "It moves away."]
)
def test_words_that_lead_on_make_no_rumour(text: str) -> None:
    assert not leads(text)
