"""greenroom budget: caps in dollars, where each comes from, and what the month has cost."""

import pytest

from activities.store.budgets import BudgetStore
from schemas.budgets import OwnCaps
from tests.cli.conftest import Beside, Greenroom
from tests.stage import Stage

ADA = "ada@lovelace.example"


async def test_caps_are_shown_with_where_they_come_from(wired: Stage, beside: Beside) -> None:
    shown = await beside("budget", "show", "--json")
    assert shown.document["caps"] == [
        {"bound": "month", "micro_usd": 200_000_000, "origin": "GREENROOM_BUDGET_MONTH_USD"},
        {"bound": "meeting", "micro_usd": 5_000_000, "origin": "GREENROOM_BUDGET_MEETING_USD"},
        {"bound": "run", "micro_usd": 2_000_000, "origin": "GREENROOM_BUDGET_RUN_USD"},
    ]

    changed = await beside("budget", "set", "--month", "50", "--run", "$0.5", "--json")
    assert [(cap["micro_usd"], cap["origin"]) for cap in changed.document["caps"]] == [
        (50_000_000, "this tenant's own"),
        (5_000_000, "GREENROOM_BUDGET_MEETING_USD"),
        (500_000, "this tenant's own"),
    ]
    # What is not named stays.
    await beside("budget", "set", "--meeting", "0.000001")
    assert await BudgetStore(wired.database).own(wired.tenant.id) == OwnCaps(
        run_micro_usd=500_000, meeting_micro_usd=1, month_micro_usd=50_000_000
    )
    await beside("budget", "set", "--default")
    assert await BudgetStore(wired.database).own(wired.tenant.id) == OwnCaps()


async def test_the_month_is_shown_by_provider_and_by_meeting(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        brief = await wired.research(ADA)
    shown = await beside("budget", "show", "--json")
    table = await beside("budget", "show")

    spending = shown.document["spending"]
    assert (
        spending["micro_usd"] == brief.cost_micro_usd == sum(one["settled_micro_usd"] for one in spending["providers"])
    )
    assert {(one["provider"], one["calls"]) for one in spending["providers"]} == {("anthropic", 1), ("perplexity", 2)}
    assert [(one["title"], one["micro_usd"]) for one in spending["dearest"]] == [(ADA, brief.cost_micro_usd)]
    for words in (
        "claude-sonnet-5-5",
        "perplexity/sonar",
        ADA,
        f"${brief.cost_micro_usd / 1_000_000:.4f}",
        "$200.0000",
    ):
        assert words in table.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set",), "Nothing is to change"),
        (("set", "--month", "-5"), '"-5" is no amount of dollars; write one such as 50 or 0.50'),
        (("set", "--month", "NaN"), '"NaN" is no amount'),
        (("set", "--run", "inf"), '"inf" is no amount'),
        (("set", "--run", "1e99"), '"1e99" is no amount'),
        (("set", "--run", "a lot"), '"a lot" is no amount'),
        (("set", "--run", ""), '"" is no amount'),
        (("set", "--run", "1.0000001"), "is no amount"),
        (("set", "--run", "١٢"), "is no amount"),
        (("set", "--meeting", "1000001"), "is more than a cap can be; at most $1,000,000"),
        (("set", "--meeting", "9" * 40), "is no amount"),
        (("set", "--month", "5", "--default"), "exclude each other"),
    ],
)
def test_what_is_no_cap_is_refused_with_one_sentence(greenroom: Greenroom, words: tuple[str, ...], said: str) -> None:
    ended = greenroom("budget", *words)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GREENROOM_PRICES", "cheap", "prices"),
        ("GREENROOM_PRICES", '{"a/b": {"input_usd": -1, "output_usd": 1}}', "prices.a/b.input_usd"),
        ("GREENROOM_PRICES", '{"a/b": {"input_usd": NaN, "output_usd": 1}}', "prices.a/b.input_usd"),
        ("GREENROOM_PRICES", '{"a/b": {"input_usd": 1}}', "prices.a/b.output_usd"),
        ("GREENROOM_BUDGET_RUN_USD", "-1", "budget_run_usd"),
        ("GREENROOM_BUDGET_MONTH_USD", "nan", "budget_month_usd"),
    ],
)
def test_a_setting_that_is_no_price_or_cap_is_named(
    greenroom: Greenroom, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = greenroom("budget", "show")

    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
