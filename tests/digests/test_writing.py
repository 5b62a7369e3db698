"""The steps that find news and have a script written: each buys once what it needs, whoever asks again."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.digests import DigestActivities, script
from activities.digests.ports import KeptAnswer, NewsSearch, Topic
from activities.pacing import Pacing
from activities.ports import ModelAnswer
from activities.spending import Treasurer
from schemas.budgets import Price
from schemas.digests import DigestEnding, DigestStart, Quiet, ScriptOrder, ScriptWritten
from tests.digests.mornings_twins import CANTEENS, DAY, DIGEST, NOW, STEP, TENANT, USER, Papers, TwinRows, morning
from tests.fakes import CAPS, PRICES, FakeLedger, FakeModel, FakePaces

DELIVERIES = "Deliveries begin in March and will need a cold chain of their own."
GOOD = json.dumps({"items": [{"item": 1, "says": [{"voice": 1, "text": DELIVERIES, "quote": DELIVERIES}]}]})
WATER, ENERGY = Topic("water", "Water"), Topic("energy", "Energy")
PAPERS_PRICES = {**PRICES, "papers/news": Price(input_usd=0, output_usd=0, call_usd=0.005)}


class Desk:
    """The activities, with twins of all that they need."""

    def __init__(self, *says: str | Exception, manner: str | None = "m", search: NewsSearch | None = None) -> None:
        self.rows, self.model, self.ledger = TwinRows(), FakeModel(list(says) or [GOOD]), FakeLedger()
        self.papers = Papers()
        treasurer = Treasurer(self.ledger, PAPERS_PRICES, CAPS)
        pacing = Pacing(FakePaces(), {})  # type: ignore[arg-type]
        self.does = DigestActivities(self.rows, self.model, search or self.papers, pacing, treasurer, manner)

    async def write(self, ask: int = 1) -> ScriptWritten:
        return await run(self.does.script, ScriptOrder(**STEP.model_dump(), ask=ask))


async def run(activity: Callable[..., Coroutine[Any, Any, Any]], *arguments: object) -> Any:
    return await ActivityEnvironment().run(activity, *arguments)


async def test_a_script_is_bought_once() -> None:
    desk = Desk()
    first = await desk.write()
    assert (first.problem, first.pieces, first.quiet) == (None, 1, False)
    assert await desk.write() == first
    assert desk.rows.answers == ["script/1"]
    assert desk.rows.is_made_of.script is not None
    assert DELIVERIES in [line.text for line in desk.rows.is_made_of.script.lines]


async def test_an_answer_that_was_kept_before_the_worker_died_is_not_bought_again() -> None:
    desk = Desk()
    await desk.write()
    desk.rows.is_made_of = replace(desk.rows.is_made_of, script=None)
    assert (await desk.write()).problem is None
    assert len(desk.model.prompts) == 1


async def test_what_another_version_bought_serves_when_it_can_be_used() -> None:
    desk = Desk()
    asked = script.prompt(desk.rows.is_made_of.items).asked
    for text, bought in ((GOOD, 0), ("{", 1)):
        kept = {asked: KeptAnswer(ModelAnswer(text=text, stopped="end_turn", model="m", usage=None), ours=False)}
        desk.rows.is_made_of = morning(kept=kept)
        assert (await desk.write()).problem is None
        assert len(desk.model.prompts) == bought


async def test_an_answer_that_cannot_be_used_is_mended() -> None:
    desk = Desk("{", "{", GOOD)
    first = await desk.write(ask=1)
    assert first.problem == "not valid: the whole: json_invalid"
    assert await desk.write(ask=1) == first, "the same ask is not bought again"
    assert (await desk.write(ask=2)).problem == first.problem
    assert (await desk.write(ask=3)).problem is None
    assert desk.rows.answers == ["script/1", "script/2", "script/3"]
    assert len({prompt.asked for prompt in desk.model.prompts}) == 3
    assert '"problem": "not valid' in desk.model.prompts[1].material


async def test_nothing_is_bought_for_a_quiet_day() -> None:
    desk = Desk()
    desk.rows.is_made_of = replace(morning(), items=())
    written = await desk.write()
    assert (written.quiet, written.pieces) == (True, 1)
    desk.rows.is_made_of = replace(morning(), items=(), quiet=Quiet.NONE)
    assert await desk.write() == ScriptWritten(quiet=True)
    assert desk.model.prompts == []


async def test_what_is_not_spoken_is_cut_into_no_pieces() -> None:
    desk = Desk(manner=None)
    assert (await desk.write()).pieces == 0
    begun = await run(desk.does.begin, start())
    assert begun.spoken is False


def start() -> DigestStart:
    return DigestStart(tenant_id=TENANT, user_id=USER, day=DAY, run_id="r", now=NOW)


async def test_a_call_that_fails_gives_its_money_back() -> None:
    desk = Desk(errors.unreachable("model", TimeoutError()))
    with pytest.raises(ApplicationError) as raised:
        await desk.write()
    assert raised.value.type == "ProviderDown"
    assert desk.ledger.given_up == [("script/1", False)]
    assert desk.rows.answers == []


async def test_each_interest_is_asked_about_once() -> None:
    desk = Desk()
    desk.rows.topics = [WATER, ENERGY]
    assert (await run(desk.does.begin, start())).unasked == 2
    for _ in range(2):
        await run(desk.does.news, STEP)
    assert desk.papers.asked == ["Water", "Energy"]
    found, bought = desk.rows.news["water"]
    assert [one.title for one in found] == ["Of Water"]
    assert (bought.work_id, bought.purpose) == (DIGEST, "news/water")


@pytest.mark.parametrize(
    ("fault", "passing"),
    [
        (errors.answered("papers", 503, None, {}, timedelta()), True),
        (errors.impossible("papers", "the quota of this month is used up"), False),
    ],
    ids=["away", "quota"],
)
async def test_one_that_cannot_be_asked_about_keeps_nobody_from_the_others(fault: Exception, passing: bool) -> None:
    desk = Desk()
    desk.rows.topics = [WATER, ENERGY]
    desk.papers.faults = {"Water": [fault]}
    with pytest.raises(ApplicationError) as raised:
        await run(desk.does.news, STEP)
    assert raised.value.non_retryable is not passing
    assert list(desk.rows.news) == ["energy"]
    await run(desk.does.news, STEP)
    assert desk.papers.asked == ["Water", "Energy", "Water"]


async def test_what_passes_is_tried_again_though_something_else_does_not() -> None:
    desk = Desk()
    desk.rows.topics = [WATER, ENERGY]
    desk.papers.faults = {
        "Water": [errors.impossible("papers", "no")],
        "Energy": [errors.answered("papers", 503, None, {}, timedelta())],
    }
    with pytest.raises(ApplicationError) as raised:
        await run(desk.does.news, STEP)
    assert raised.value.type == "ProviderDown"


async def test_without_a_search_nothing_is_asked() -> None:
    desk = Desk()
    desk.rows.topics = [WATER]
    mute = DigestActivities(desk.rows, desk.model, None, Pacing(FakePaces(), {}), Treasurer(desk.ledger, PRICES, CAPS))  # type: ignore[arg-type]
    assert (await run(mute.begin, start())).unasked == 0
    await run(mute.news, STEP)
    assert desk.rows.news == {}


async def test_a_search_without_a_price_is_not_called() -> None:
    desk = Desk()
    desk.rows.topics = [WATER]
    unpriced = DigestActivities(
        desk.rows, desk.model, desk.papers, Pacing(FakePaces(), {}), Treasurer(desk.ledger, PRICES, CAPS)
    )  # type: ignore[arg-type]
    with pytest.raises(ApplicationError, match="GREENROOM_PRICES"):
        await run(unpriced.news, STEP)
    assert desk.papers.asked == []


async def test_a_digest_is_finished_once_however_often_that_is_tried() -> None:
    desk = Desk()
    ending = DigestEnding(**STEP.model_dump(), refused="no voice")
    with pytest.raises(ApplicationError, match="script is not written"):
        await run(desk.does.finish, ending)
    await desk.write()
    done = await run(desk.does.finish, ending)
    assert await run(desk.does.finish, ending) == done
    assert desk.rows.refused == "no voice"
    assert desk.rows.is_made_of.items[0] == CANTEENS
