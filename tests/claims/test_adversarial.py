"""Claims that lie, of every kind there is: none survives, and each is counted under the reason why."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from activities.research import drafts
from activities.research.claims import Checked, Refusal, check
from activities.research.compose import compose
from activities.research.drafts import Aliases, Draft
from schemas.briefs import Company, Composed, Kept, Material, Nature
from tests.claims.test_control import ROWS
from tests.research.material import COMPANY_ID, NOW, draft, evidence, material, person

OTHER_ID = "d" * 8 + "-0000-4000-8000-" + "d" * 12
FOREIGN = "99999999-0000-4000-8000-000000000000"
Fact = dict[str, Any]


def sources() -> Material:
    """All the control set's sources about one company, one that is empty, and one about another company."""
    texts = [row["text"] for row in ROWS]
    pieces = [
        evidence(1, COMPANY_ID, text, id=f"{n:08d}-0000-4000-8000-000000000000") for n, text in enumerate(texts, 1)
    ]
    pieces.append(evidence(1, COMPANY_ID, "", id="00000090-0000-4000-8000-000000000000"))
    pieces.append(evidence(1, OTHER_ID, texts[0], id="00000091-0000-4000-8000-000000000000"))
    companies = (
        Company(id=COMPANY_ID, domain="control.example", name="Control"),
        Company(id=OTHER_ID, domain="other.example", name="Other"),
    )
    return material(people=(), companies=companies, evidence=tuple(pieces))


ALIASES = Aliases(sources())
EMPTY, ABOUT_ANOTHER = f"e{len(ROWS) + 1}", f"e{len(ROWS) + 2}"


def truths() -> Iterator[Fact]:
    """Claims that would survive."""
    for number, row in enumerate(ROWS, start=1):
        for quote, text in row["said"]:
            yield {"about": "c1", "text": text, "evidence": f"e{number}", "quote": quote, "topic": "other"}


def other_digit(text: str) -> str | None:
    """One digit of the text is another, if it has any."""
    found = re.search(r"\d", text)
    return None if found is None else text[: found.start()] + str((int(found[0]) + 1) % 10) + text[found.end() :]


def invented_evidence(fact: Fact) -> Fact | None:
    return {**fact, "evidence": "e999"}


def invented_url_as_evidence(fact: Fact) -> Fact | None:
    return {**fact, "evidence": "https://invented.example/article"}


def evidence_of_another_tenant(fact: Fact) -> Fact | None:
    return {**fact, "evidence": FOREIGN}


def invented_url(fact: Fact) -> Fact | None:
    return {**fact, "text": f"{fact['text']} See https://invented.example/article"}


def invented_host(fact: Fact) -> Fact | None:
    return {**fact, "text": f"{fact['text']} More at invented-news.com"}


def false_quote(fact: Fact) -> Fact | None:
    """A real page, which does not say that."""
    return {**fact, "quote": f"{fact['quote']} and is about to be sold"}


def word_exchanged(fact: Fact) -> Fact | None:
    words = fact["quote"].split()
    words[len(words) // 2] = "supposedly"
    return {**fact, "quote": " ".join(words)}


def quote_of_another_source(fact: Fact) -> Fact | None:
    """The right words, said to be on the next page."""
    number = int(fact["evidence"][1:])
    return {**fact, "evidence": f"e{number % len(ROWS) + 1}"}


def source_about_another(fact: Fact) -> Fact | None:
    return {**fact, "evidence": ABOUT_ANOTHER}


def said_of_another(fact: Fact) -> Fact | None:
    return {**fact, "about": "c2"}


def digit_of_the_quote(fact: Fact) -> Fact | None:
    changed = other_digit(fact["quote"])
    return None if changed is None else {**fact, "quote": changed}


def digit_of_both(fact: Fact) -> Fact | None:
    quote, text = other_digit(fact["quote"]), other_digit(fact["text"])
    return None if quote is None or text is None else {**fact, "quote": quote, "text": text}


def digit_of_the_claim(fact: Fact) -> Fact | None:
    text = other_digit(fact["text"])
    return None if text is None else {**fact, "text": text}


def number_added(fact: Fact) -> Fact | None:
    return {**fact, "text": f"{fact['text']} That is 4711 in all."}


def date_added(fact: Fact) -> Fact | None:
    """The day on which the page was published is no day of what it tells."""
    return {**fact, "text": f"{fact['text']} This was on 1 November 2026."}


def year_added(fact: Fact) -> Fact | None:
    return {**fact, "text": f"{fact['text']} That was in 1911."}


def number_cut(fact: Fact) -> Fact | None:
    """The quote ends within a number, and the claim has what is left of it."""
    found = re.search(r"\d(?=[\d.,]*\d)", fact["quote"])
    if found is None or found.end() < 15:
        return None
    return {**fact, "quote": fact["quote"][: found.end()], "text": f"It has {found[0]} of them."}


def scale_cut(fact: Fact) -> Fact | None:
    """The quote ends before "million", and the claim too."""
    found = re.search(r"\d(?= (million|billion|Mio|Mrd|Millionen))", fact["quote"])
    if found is None or found.end() < 15:
        return None
    number = re.findall(r"[\d.,]+$", fact["quote"][: found.end()])[0]
    return {**fact, "quote": fact["quote"][: found.end()], "text": f"It came to {number} euros."}


def empty_evidence(fact: Fact) -> Fact | None:
    return {**fact, "evidence": EMPTY}


def no_evidence(fact: Fact) -> Fact | None:
    return {**fact, "evidence": ""}


def empty_quote(fact: Fact) -> Fact | None:
    return {**fact, "quote": ""}


def only_dots(fact: Fact) -> Fact | None:
    return {**fact, "quote": "… … … … … …"}


def crumbs(fact: Fact) -> Fact | None:
    words = fact["quote"].split()
    return {**fact, "quote": " … ".join(words)} if len(words) > 1 else None


def passages_joined(fact: Fact) -> Fact | None:
    """The words of two sources, as one quote."""
    return {**fact, "quote": f"{fact['quote']} … was not in this source at all"}


def turned_around(fact: Fact) -> Fact | None:
    """Its parts in another order."""
    words = fact["quote"].split()
    half = len(words) // 2
    first, second = " ".join(words[:half]), " ".join(words[half:])
    return {**fact, "quote": f"{second} … {first}"} if min(len(first), len(second)) > 12 else None


def markup(fact: Fact) -> Fact | None:
    return {**fact, "text": f"{fact['text']} <img src=x onerror=alert(1)>"}


def script(fact: Fact) -> Fact | None:
    return {**fact, "text": f"{fact['text']} [more](javascript:alert(1))"}


def mail_address(fact: Fact) -> Fact | None:
    return {**fact, "text": f"{fact['text']} Write to sales@invented.example"}


def nothing_said(fact: Fact) -> Fact | None:
    return {**fact, "text": "\u200b \u202e"}


KINDS: list[tuple[Callable[[Fact], Fact | None], Refusal]] = [
    (invented_evidence, Refusal.NO_EVIDENCE),
    (invented_url_as_evidence, Refusal.NO_EVIDENCE),
    (evidence_of_another_tenant, Refusal.NO_EVIDENCE),
    (no_evidence, Refusal.NO_EVIDENCE),
    (invented_url, Refusal.ADDRESS),
    (invented_host, Refusal.ADDRESS),
    (markup, Refusal.ADDRESS),
    (script, Refusal.ADDRESS),
    (mail_address, Refusal.ADDRESS),
    (false_quote, Refusal.QUOTE),
    (word_exchanged, Refusal.QUOTE),
    (quote_of_another_source, Refusal.QUOTE),
    (source_about_another, Refusal.ANOTHER),
    (said_of_another, Refusal.ANOTHER),
    (digit_of_the_quote, Refusal.QUOTE),
    (digit_of_both, Refusal.QUOTE),
    (digit_of_the_claim, Refusal.FIGURE),
    (number_added, Refusal.FIGURE),
    (date_added, Refusal.FIGURE),
    (year_added, Refusal.FIGURE),
    (number_cut, Refusal.QUOTE),
    (scale_cut, Refusal.FIGURE),
    (empty_evidence, Refusal.QUOTE),
    (empty_quote, Refusal.QUOTE),
    (only_dots, Refusal.QUOTE),
    (crumbs, Refusal.QUOTE),
    (passages_joined, Refusal.QUOTE),
    (turned_around, Refusal.QUOTE),
    (nothing_said, Refusal.EMPTY),
]


def facts_of(checked: Checked) -> list[str]:
    return [claim.text for claim in checked.claims if claim.nature is Nature.FACT]


def held(facts: list[Fact]) -> Checked:
    numbered = [{"id": f"f{number}", **fact} for number, fact in enumerate(facts)]
    headline = {"text": "Nothing rests on a lie.", "rests_on": [fact["id"] for fact in numbered][:20]}
    return check(Draft.model_validate(draft(*numbered, headline=headline)), ALIASES, NOW.date())


@pytest.mark.parametrize(("lie", "reason"), KINDS, ids=[lie.__name__ for lie, _ in KINDS])
def test_no_lie_of_this_kind_survives_and_each_is_counted(lie: Callable[[Fact], Fact | None], reason: Refusal) -> None:
    told = [changed for fact in truths() if (changed := lie(fact)) is not None]
    result = held(told)

    assert len(told) >= 5
    assert facts_of(result) == []
    assert sum(result.dropped.values()) == len(told) + 1, "each fact, and the headline"
    # A number that is cut at its comma is found, and is another number.
    assert result.dropped[reason] >= 0.85 * len(told), result.dropped
    print(f"{lie.__name__}: {len(told)} told, 0 kept, {dict(result.dropped)}")  # noqa: T201 - the figures are what is shown


def test_the_truths_that_the_lies_are_made_of_survive() -> None:
    """Otherwise the tests above would prove nothing."""
    facts = list(truths())
    assert len(facts_of(held(facts))) >= 0.95 * len(facts)


def test_200_lies_in_one_draft_are_200_refusals() -> None:
    told = [lie(fact) for lie, _ in KINDS for fact in list(truths())[::17]]
    lies = [lie for lie in told if lie is not None][:200]
    result = held(lies)

    assert len(lies) == 200
    assert facts_of(result) == []
    assert sum(result.dropped.values()) == 200 + 1
    assert len(result.dropped) >= 6


def test_lies_among_truths_take_no_truth_with_them() -> None:
    facts = list(truths())
    mixed = [*facts[:100], *(lie for fact in facts[:100] if (lie := number_added(fact)))]
    kept = facts_of(held(mixed))
    assert set(kept) <= {fact["text"] for fact in facts[:100]}
    assert len(kept) >= 95


def test_more_facts_than_a_brief_can_hold_are_no_brief() -> None:
    flood = draft(*[{"id": f"f{n}", **next(truths())} for n in range(301)])
    said = drafts.read(
        Kept(text=Draft.model_construct(**flood).model_dump_json(warnings=False), stopped="end_turn", model="m")
    )
    assert said == "not valid: facts: too_long"


def test_one_truth_said_200_times_is_one_fact() -> None:
    result = held([next(truths())] * 200)
    assert len(facts_of(result)) == 1
    assert result.dropped[Refusal.TWICE] == 199


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Their 40% margin leaves room for us.", Refusal.LINE_FIGURE),
        ("Offer a price of $12,000 at once.", Refusal.LINE_FIGURE),
        ("Ask what happened on 3 March 2019.", Refusal.LINE_FIGURE),
        ("Read invented-news.com before the call.", Refusal.ADDRESS),
    ],
)
def test_a_figure_or_address_does_not_come_in_as_advice(line: str, reason: Refusal) -> None:
    good = {"id": "f1", **next(truths())}
    said = draft(good, headline={"text": "A call.", "rests_on": ["f1"]}, risks=[{"text": line, "rests_on": ["f1"]}])
    result = check(Draft.model_validate(said), ALIASES, NOW.date())
    assert result.dropped == Counter({reason: 1})


def test_advice_may_have_the_figures_of_its_facts_and_of_the_campaign() -> None:
    good = {"id": "f1", **next(truths())}
    lines = ["Ask how 1,240 people in 9 depots are planned.", "Ask in three months again, once they have the offering."]
    said = draft(
        good, headline={"text": "A call.", "rests_on": ["f1"]}, risks=[{"text": x, "rests_on": ["f1"]} for x in lines]
    )
    assert check(Draft.model_validate(said), ALIASES, NOW.date()).dropped == Counter()


def test_every_refusal_reaches_the_brief_and_the_meter() -> None:
    told: list[tuple[int, dict[str, int]]] = []
    facts = [{"id": f"f{n}", **fact} for n, fact in enumerate(list(truths())[:3])]
    lie = {"id": "f9", **(number_added(next(truths())) or {})}
    said = Draft.model_validate(draft(*facts, lie, headline={"text": "A call.", "rests_on": ["f0"]}))
    brief = compose(sources(), said, (), NOW, lambda kept, dropped: told.append((kept, dict(dropped))))

    assert isinstance(brief, Composed)
    assert brief.dropped == {"a number that is not in its quote": 1}
    assert told == [(4, {Refusal.FIGURE: 1})]


def test_a_draft_of_lies_alone_is_counted_though_no_brief_comes_of_it() -> None:
    told: list[tuple[int, dict[str, int]]] = []
    lies = [{"id": f"f{n}", **(false_quote(fact) or {})} for n, fact in enumerate(truths())][:200]
    brief = compose(sources(), Draft.model_validate(draft(*lies)), (), NOW, lambda *counts: told.append(counts))

    assert isinstance(brief, str)
    assert told[0][0] == 0
    assert sum(told[0][1].values()) == 201


def test_people_are_held_to_the_same() -> None:
    aliases = Aliases(material(people=(person(),)))
    lie = {"id": "f1", "about": "p1", "text": "She has led planning since May 2025.", "evidence": "e1"}
    lie["quote"] = "has led planning at Acme Freight since March 2025"
    assert check(Draft.model_validate(draft(lie)), aliases, NOW.date()).dropped[Refusal.FIGURE] == 1
