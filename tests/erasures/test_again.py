"""An erasure that is cut off anywhere is done by the next try, and says the same."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.erasures import ErasureActivities, Run
from activities.people import PersonKeys
from activities.ports import ModelAnswer, Prompt, Usage
from activities.research.ports import WrittenBy
from activities.store.briefs import BriefStore
from activities.store.erasures import ErasureStore
from schemas.erasures import Erased, Erasure, Forgetting
from schemas.research import Writing
from tests.diary import ADA, TOMAS
from tests.erasures.people import NAME, begun, dump, key_of
from tests.stage import KEY, Stage


class Failing:
    """Passes calls on to another, until the one that is to fail."""

    def __init__(self, inner: object, fails: str, after: int) -> None:
        self._inner, self._fails, self._left = inner, fails, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name != self._fails:
            return method

        async def once(*values: Any) -> Any:
            self._left -= 1
            result = await method(*values)
            if self._left == -1:
                raise ConnectionError
            return result

        return once


class Nothing:
    """Runs, and a bell, of a Temporal that has neither."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def stop(self, *_: Any) -> None:
        return

    async def delete(self, _tenant_id: str, research_id: str, _before: datetime) -> int:
        self.deleted.append(research_id)
        return 2

    async def meeting(self, *_: Any) -> None:
        return

    async def calendar(self, *_: Any) -> None:
        return


async def steps(owner: ErasureActivities, order: Erasure) -> Erased:
    """What the workflow does: each step until it succeeds."""
    environment = ActivityEnvironment()
    step = Forgetting(tenant_id=order.tenant_id, erasure_id=order.erasure_id, now=datetime.now(UTC))
    for method in (owner.forget, owner.delete_runs):
        await _until_done(environment, method, step)
    return await _until_done(environment, owner.finish, step)


async def _until_done(environment: ActivityEnvironment, method: Any, step: Forgetting) -> Any:
    try:
        return await environment.run(method, step)
    except ConnectionError:
        return await environment.run(method, step)


def owner(stage: Stage, store: Any, runs: Any) -> ErasureActivities:
    return ErasureActivities(store, runs, Nothing(), PersonKeys(KEY))


@pytest.fixture
async def known(stage: Stage) -> AsyncIterator[Stage]:
    async with stage.working():
        await stage.research(ADA, TOMAS, name="")
        await stage.research(ADA)
        yield stage


USUAL = {"people": 1, "companies": 1, "requests": 1, "briefs": 2, "workflow runs": 4}


@pytest.mark.parametrize(
    ("fails", "after"),
    [("", 0), ("email", 0), ("begin", 0), ("sweep", 0), ("sweep", 1), ("deleted", 0), ("finish", 0)],
)
async def test_a_failure_after_any_transaction_changes_nothing(known: Stage, fails: str, after: int) -> None:
    order, runs = await begun(known), Nothing()
    done = await steps(owner(known, Failing(ErasureStore(known.database), fails, after), runs), order)
    rows = await dump(known)
    for trace in (ADA, NAME.lower(), key_of(known)):
        assert trace not in rows
    assert done.counts.items() >= USUAL.items()
    assert set(runs.deleted) and len(set(runs.deleted)) == 2


async def test_runs_that_cannot_be_deleted_yet_are_deleted_by_the_next_try(known: Stage) -> None:
    order, runs = await begun(known), Nothing()
    done = await steps(owner(known, ErasureStore(known.database), Failing(runs, "delete", 0)), order)
    assert done.counts["workflow runs"] == 4


async def test_all_of_it_twice_is_as_once(known: Stage) -> None:
    order = await begun(known)
    who = owner(known, ErasureStore(known.database), Nothing())
    once, rows = await steps(who, order), await dump(known)
    assert await steps(who, order) == once
    assert await dump(known) == rows


async def test_asking_twice_before_it_is_done_is_one_request(known: Stage) -> None:
    assert await begun(known) == await begun(known)
    assert await begun(known) != await begun(known, TOMAS)


async def test_the_address_stays_while_runs_are_left(known: Stage) -> None:
    order, store = await begun(known), ErasureStore(known.database)
    environment = ActivityEnvironment()
    step = Forgetting(tenant_id=order.tenant_id, erasure_id=order.erasure_id, now=datetime.now(UTC))
    await environment.run(owner(known, store, Nothing()).forget, step)
    with pytest.raises(ApplicationError, match="workflow runs are left"):
        await store.finish(order, datetime.now(UTC))
    assert await store.email(order) == ADA


async def test_a_row_that_nobody_works_on_any_more_is_no_obstacle(known: Stage) -> None:
    """Its run was ended from outside, and could not say so."""
    async with known.database.tenant(known.tenant.id) as connection:
        await connection.execute("UPDATE research SET status = 'generating', run_id = 'gone'")
    order = await begun(known)
    done = await steps(owner(known, ErasureStore(known.database), Nothing()), order)
    assert done.counts.items() >= USUAL.items()


async def test_a_newer_run_is_not_taken_for_the_one_that_was_stopped(known: Stage) -> None:
    async with known.database.tenant(known.tenant.id) as connection:
        await connection.execute("UPDATE research SET status = 'generating', run_id = 'newer'")
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM research")]
    store = ErasureStore(known.database)
    await store.stopped(known.tenant.id, [Run(one, "older") for one in ids], datetime.now(UTC))
    assert {(await known.run(one)).status for one in ids} == {"generating"}
    await store.stopped(known.tenant.id, [Run(one, "newer") for one in ids], datetime.now(UTC))
    assert {(await known.run(one)).status for one in ids} == {"failed"}


async def test_their_name_is_known_until_the_end(known: Stage) -> None:
    """What others wrote of them while their rows were deleted is found by it in the last look."""
    order, store = await begun(known), ErasureStore(known.database)
    environment = ActivityEnvironment()
    step = Forgetting(tenant_id=order.tenant_id, erasure_id=order.erasure_id, now=datetime.now(UTC))
    who = owner(known, store, Nothing())
    await environment.run(who.forget, step)
    await environment.run(who.forget, step)
    async with known.database.tenant(known.tenant.id) as connection:
        await connection.execute("UPDATE evidence SET text = 'Ada Lovelace was there' WHERE position = 1")
    await environment.run(who.delete_runs, step)
    done = await environment.run(who.finish, step)
    assert done.counts["sources of others that named them"] >= 1
    assert NAME.lower() not in await dump(known)


async def test_a_late_answer_about_them_is_paid_and_not_kept(known: Stage) -> None:
    """The model was asked before, and answers when nothing is to be known any more."""
    brief = (await known.library.briefs(known.tenant.id, 10))[0]
    research_id = (await known.brief(brief.id)).research_id
    late = Writing(
        tenant_id=known.tenant.id,
        research_id=research_id,
        version=1,
        brief_id=brief.id,
        ask=2,
        now=datetime.now(UTC),
    )
    said = ModelAnswer(text="She is Ada Lovelace", stopped="end_turn", model="m", usage=Usage(1, 1, 7))
    await steps(owner(known, ErasureStore(known.database), Nothing()), await begun(known))
    by = WrittenBy(provider="p", sandbox=True)
    await BriefStore(known.database).keep_answer(late, Prompt("s", "m", {}, "asked"), said, by, now=datetime.now(UTC))
    assert NAME.lower() not in await dump(known)
