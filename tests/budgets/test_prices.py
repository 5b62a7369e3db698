"""What a call cost, as its provider tells it; and the most that it can cost, before it is made."""

import json
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.ports import Prompt, Size, Usage
from activities.providers import anthropic as claude
from activities.providers import perplexity
from activities.research import drafts, questions
from activities.research.economy import LONGEST
from activities.research.paying import writers
from activities.spending import Offer, Treasurer
from schemas.brands import PRICES
from schemas.budgets import Price
from schemas.settings import Settings
from starter.checks import providers
from tests.fakes import CAPS, FakeLedger, FakeModel, FakeSearch
from tests.research.material import material, person

SONAR = Price(input_usd=1, output_usd=2, call_usd=0.01, context_tokens=1000)


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        # Their own word wins, whatever the tokens would cost.
        ({"input_tokens": 10, "output_tokens": 20, "cost": {"total_cost": 0.305}}, Usage(10, 20, 305_000)),
        ({"cost": {"total_cost": 0.305}}, Usage(0, 0, 305_000)),
        # Without it their tokens, by our price: 10 x 1 + 20 x 2, and a cent for the call.
        ({"input_tokens": 10, "output_tokens": 20}, Usage(10, 20, 10_050)),
        ({"input_tokens": 10, "output_tokens": 20, "cost": {}}, Usage(10, 20, 10_050)),
        ({"input_tokens": 10, "output_tokens": 20, "cost": None}, Usage(10, 20, 10_050)),
        # Without either, nothing is known.
        (None, None),
        ({}, None),
        ([], None),
        ({"input_tokens": 10}, None),
        ({"cost": {}}, None),
        ({"input_tokens": -1, "output_tokens": 20}, None),
        ({"input_tokens": 10**10, "output_tokens": 20}, None),
        ({"input_tokens": "many", "output_tokens": 20}, None),
        ({"cost": {"total_cost": -1}}, None),
        ({"cost": {"total_cost": float("nan")}}, None),
        ({"cost": {"total_cost": 5000}}, None),
    ],
)
def test_what_the_search_tells_of_its_cost(said: object, usage: Usage | None) -> None:
    assert perplexity.read({"status": "completed", "output": [], "usage": said}, SONAR).usage == usage


SONNET = Price(input_usd=3, output_usd=15)


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"input_tokens": 100, "output_tokens": 10}, Usage(100, 10, 450)),
        (
            {
                "input_tokens": 100,
                "output_tokens": 10,
                "cache_creation_input_tokens": 7,
                "cache_read_input_tokens": None,
            },
            Usage(107, 10, 471),
        ),
        (None, None),
        ({"input_tokens": 100}, None),
        ({"input_tokens": "many", "output_tokens": 10}, None),
        ({"input_tokens": -5, "output_tokens": 10}, None),
        ("usage", None),
    ],
)
async def test_what_the_model_tells_of_its_usage(said: object, usage: Usage | None) -> None:
    client = claude.client(base_url="http://127.0.0.1:1", key="k", timeout_s=1)
    model = claude.Anthropic(client, model="claude-sonnet-5-5", price=SONNET)
    body: dict[str, Any] = {"content": [{"type": "text", "text": "x"}], "model": "m", "stop_reason": "end_turn"}
    message = claude.Message.construct(
        **body, usage=claude.Message.model_construct(**said) if isinstance(said, dict) else said
    )
    assert model._read(message).usage == usage
    await client.close()


def test_a_token_is_never_less_than_a_byte_of_what_is_sent() -> None:
    search = perplexity.Perplexity(None, base_url="https://x.example", key="k", model="perplexity/sonar")  # type: ignore[arg-type]
    question = questions.about(person(name="Ægir Þórsson"), 1)
    sent = json.dumps(perplexity._request("perplexity/sonar", question), ensure_ascii=False)
    assert search.size(question) == Size(len(sent.encode()), perplexity.MOST_TOKENS)
    assert search.size(question).input_tokens <= search.size(questions.about(LONGEST, 2)).input_tokens


def test_a_prompt_is_as_large_as_all_of_it() -> None:
    client = claude.client(base_url="http://127.0.0.1:1", key="k", timeout_s=1)
    model = claude.Anthropic(client, model="m", most_tokens=500)
    prompt = drafts.prompt(material(title="Erstgespräch 東京"), material().evidence[0].fetched_at, None)
    whole = prompt.system + prompt.material + json.dumps(prompt.schema, ensure_ascii=False)
    assert model.size(prompt) == Size(len(whole.encode()), 500)
    assert model.size(Prompt("", "東京", {})).input_tokens == 6 + 2


def test_the_most_is_with_all_that_the_provider_may_add() -> None:
    assert SONAR.cost(100, 10) == 100 + 20 + 10_000
    assert SONAR.most(100, 10) == 1100 + 20 + 10_000
    assert Price(input_usd=0.25, output_usd=0).cost(1, 0) == 1, "rounded up"


@pytest.mark.parametrize("name", ["input_usd", "output_usd", "call_usd"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 1e99, "dear"])
def test_nonsense_is_no_price(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Price.model_validate({"input_usd": 1, "output_usd": 1, name: value})


def test_prices_of_our_own_stand_beside_those_that_are_known() -> None:
    own = {"anthropic/claude-sonnet-5-5": {"input_usd": 1, "output_usd": 2}, "a/b": {"input_usd": 3, "output_usd": 4}}
    prices = Settings(prices=own, _env_file=None).prices  # type: ignore[call-arg, arg-type]
    assert prices["anthropic/claude-sonnet-5-5"] == Price(input_usd=1, output_usd=2)
    assert prices["a/b"] == Price(input_usd=3, output_usd=4)
    assert set(prices) == {*PRICES, "a/b"}


def test_every_default_model_has_a_price_and_others_are_named() -> None:
    assert Settings(_env_file=None).unpriced() == []  # type: ignore[call-arg]
    unknown = Settings(anthropic_model="new", anthropic_small_model="", perplexity_model="x/y", _env_file=None)  # type: ignore[call-arg]
    assert unknown.unpriced() == ["anthropic/new", "perplexity/x/y"]


def test_the_doctor_names_what_has_no_price() -> None:
    settings = Settings(anthropic_model="new", sandbox=True, _env_file=None)  # type: ignore[call-arg]
    found = {check.name: check for check in providers(settings, stack=False)}
    assert found["perplexity"].ok
    assert not found["anthropic"].ok
    assert (found["anthropic"].said, found["anthropic"].remedy) == (
        "no price is known for anthropic/new",
        "set GREENROOM_PRICES",
    )


def test_what_has_no_price_is_refused_and_a_second_writer_without_one_is_left_out() -> None:
    treasurer = Treasurer(FakeLedger(), {"search/m": SONAR, "model/m": SONNET}, CAPS)
    good, odd = FakeModel([]), FakeModel([], model="odd")

    assert treasurer.offer(FakeSearch(), Size(1, 1)) == Offer("search", "m", SONAR.most(1, 1))
    assert writers(treasurer, [good, odd]) == [good]
    for models in ([odd], [odd, good]):
        with pytest.raises(ApplicationError, match="no price is known for model/odd") as raised:
            writers(treasurer, models)
        assert raised.value.non_retryable
        assert "GREENROOM_PRICES" in raised.value.message
