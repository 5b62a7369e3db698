"""A whole morning with real rows and pretended providers: found once, paid once, written, and traceable."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from temporalio.testing import ActivityEnvironment

from activities.digests import DigestActivities
from activities.digests.ports import Bill
from activities.pacing import Pacing
from activities.providers import made, models
from activities.spending import Treasurer
from sandbox import Sandbox
from schemas.brands import PRICES
from schemas.digests import DigestEnding, DigestStatus, ItemKind, Quiet, ScriptOrder
from schemas.settings import Settings
from tests.digests.rows import CAPS, House
from tests.digests.test_script import assert_traceable
from tests.fakes import FakePaces

BILL = Bill(
    id="900-hr-77",
    title="Railway Bridges Act (sandbox data)",
    chamber="House",
    action="Passed House by 230 to 200.",
    acted_on=date(2026, 11, 20),
    updated_on=date(2026, 11, 22),
    url="https://www.congress.example/bill/900/hr/77",
)


@pytest.fixture
async def does(house: House, sandbox: Sandbox) -> AsyncIterator[DigestActivities]:
    sandbox.world.clock.set(datetime(2026, 11, 23, 6, tzinfo=UTC))
    settings = Settings(sandbox=True, sandbox_url=sandbox.url, _env_file=None)  # type: ignore[call-arg]
    async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        model, search = models.language_models(settings, stack)[0], made.news_search(settings, session)
        pacing = Pacing(FakePaces(), {})  # type: ignore[arg-type]
        yield DigestActivities(house.digests, model, search, pacing, Treasurer(house.ledger, PRICES, CAPS), "m")


async def run(activity: Callable[..., Coroutine[Any, Any, Any]], argument: object) -> Any:
    # In the days of the rows: money that is set aside belongs to a month.
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, started_time=datetime(2026, 11, 23, 6, 1, tzinfo=UTC))
    return await environment.run(activity, argument)


async def test_a_morning_is_found_written_and_finished_once(
    house: House, does: DigestActivities, sandbox: Sandbox
) -> None:
    await house.bills.load([BILL], house.start().now, sandbox=True)
    await house.wish(topics=("Railway", "Halden Foods"))
    begun = await run(does.begin, house.start())
    assert (begun.unasked, begun.spoken) == (2, True)
    step = house.at(begun)
    for _ in range(2):
        await run(does.news, step)
        written = await run(does.script, ScriptOrder(**step.model_dump()))
    assert (written.problem, written.quiet) == (None, False)
    assert written.pieces > 1
    calls = [record["provider"] for record in sandbox.journal.records()]
    assert sorted(calls) == ["anthropic", "brave", "brave"]
    states = {(purpose, state) for purpose, state, _ in await house.spending()}
    assert states == {("news/railway", "settled"), ("news/halden foods", "settled"), ("script/1", "settled")}
    ending = DigestEnding(**step.model_dump(), refused="the voice is not there")
    done = await run(does.finish, ending)
    assert done.status is DigestStatus.READY
    assert await run(does.finish, ending) == done
    view = await house.digests.view(house.tenant.id, house.user.id, begun.digest_id)
    assert view is not None
    assert view.script is not None
    assert {item.kind for item in view.script.items} == {ItemKind.BILL, ItemKind.NEWS}
    assert_traceable(view.script)
    assert view.audio_reason == "the voice is not there"
    assert [name for name, _ in await house.events()] == ["digest/generate.completed"]


async def test_the_next_morning_tells_nothing_again(house: House, does: DigestActivities, sandbox: Sandbox) -> None:
    await house.wish(topics=("Halden Foods",), quiet=Quiet.NONE)
    for day in range(2):
        start = house.start(f"run-{day}").model_copy(
            update={"day": house.start().day + timedelta(days=day), "now": house.start().now + timedelta(days=day)}
        )
        step = house.at(await run(does.begin, start))
        await run(does.news, step)
        written = await run(does.script, ScriptOrder(**step.model_dump()))
        done = await run(does.finish, DigestEnding(**step.model_dump()))
        assert done.status is (DigestStatus.SKIPPED if day else DigestStatus.READY)
        assert written.quiet is bool(day)
    asked = [record["about"] for record in sandbox.journal.records(0, "brave")]
    assert asked == ["news:Halden Foods"] * 2, "the day's news are asked for, and are yesterday's"
