"""A research that nobody works on has failed, and says why; one that is merely slow is left alone."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from schemas.reconciliation import Comparing, Done, Life
from starter import start
from starter.lives import Lives
from tests.reconciliation.ground import Ground, Said, at_once
from tests.waiting import until
from workflows import ids
from workflows.reconciliation import comparing

ENDS = [
    (Life.GONE, "its workflow is gone"),
    (Life.TERMINATED, "its workflow was terminated"),
    (Life.TIMED_OUT, "its workflow timed out"),
    (Life.CANCELLED, "its workflow was cancelled"),
    (Life.FAILED, "its workflow failed, and could not say why"),
    (Life.COMPLETED, "its workflow has ended"),
]


async def by_hand(ground: Ground) -> str:
    """A row that says that it is being worked on, though nobody has begun that."""
    research_id = await ground.stage.request("ada@lovelace.example")
    await ground.sql("UPDATE research SET status = 'generating' WHERE id = $1", research_id)
    return research_id


async def test_a_row_set_by_hand_with_no_workflow_fails_and_says_so(ground: Ground) -> None:
    research_id = await by_hand(ground)

    one = await ground.only(order=comparing(datetime.now(UTC)))

    assert (one.noun, one.row_id, one.done, one.why) == ("research", research_id, Done.FAILED, "its workflow is gone")
    row = await ground.row("research", research_id)
    assert (row["status"], row["failed_step"]) == ("failed", "look-up")
    assert row["failure_reason"] == "look-up: its workflow is gone"
    assert row["ended_at"] is not None
    assert await ground.ends(research_id) == ["research/generate.failed"]
    assert await ground.stuck() == [], "one sweep was enough"


async def test_a_workflow_that_was_terminated_by_hand(ground: Ground) -> None:
    """Its row fails, what was set aside for it is free again, and whoever asked is told."""
    async with ground.workflows_only():
        research_id, handle = await ground.slow_research()
        planned = "SELECT count(*) FROM spending WHERE work_id = $1 AND state = 'planned'"
        assert await ground.sql(planned, research_id) > 0
        await handle.terminate("by hand")

        assert await ground.stuck() == [("research", research_id, Done.FAILED)]

        row = await ground.row("research", research_id)
        assert row["failure_reason"] == "look-up: its workflow was terminated"
        assert await ground.sql(planned, research_id) == 0
        assert await ground.ends(research_id) == ["research/generate.failed"]
        notice = ids.notice(ground.stage.tenant.id, f"failed/{research_id}/1")
        assert (await ground.stage.temporal.get_workflow_handle(notice).describe()).id == notice


async def test_after_a_repair_it_can_be_researched_again(ground: Ground) -> None:
    research_id = await by_hand(ground)
    await ground.sweep()
    async with ground.stage.working():
        await (await ground.stage.start(research_id)).result()

        assert (await ground.stage.run(research_id)).status == "ready"
        assert await ground.stuck() == []


@pytest.mark.parametrize(("life", "why"), ENDS)
async def test_the_reason_names_the_end(ground: Ground, life: Life, why: str) -> None:
    research_id = await by_hand(ground)
    await ground.sweep(lives=Said(life))
    assert (await ground.row("research", research_id))["failure_reason"] == f"look-up: {why}"


async def test_a_run_that_was_writing_says_so(ground: Ground) -> None:
    research_id = await by_hand(ground)
    await ground.sql("UPDATE research SET next_brief_id = $2 WHERE id = $1", research_id, str(uuid4()))
    await ground.sql(
        """
        INSERT INTO tries (tenant_id, research_id, version, subject_id, first_start)
        SELECT tenant_id, id, version, next_brief_id, $2 FROM research WHERE id = $1
        """,
        research_id,
        datetime.now(UTC),
    )
    await ground.sweep()
    assert (await ground.row("research", research_id))["failed_step"] == "write"


@pytest.mark.parametrize("minutes", [2, 9, 600])
async def test_a_run_that_is_merely_slow_is_left_alone(ground: Ground, minutes: int) -> None:
    async with ground.workflows_only():
        research_id, _ = await ground.slow_research()
        begun = datetime.now(UTC) - timedelta(minutes=minutes)
        await ground.sql("UPDATE research SET begun_at = $2, requested_at = $2 WHERE id = $1", research_id, begun)
        before = await ground.row("research", research_id)

        report = await ground.sweep(comparing(datetime.now(UTC)))

        assert (report.looked_at["research"], report.stuck) == (1, {})
        assert await ground.row("research", research_id) == before


async def test_a_row_that_began_a_moment_ago_is_not_judged(ground: Ground) -> None:
    research_id = await by_hand(ground)
    now = datetime.now(UTC)
    await ground.sql("UPDATE research SET begun_at = $2 WHERE id = $1", research_id, now - timedelta(seconds=50))

    assert (await ground.sweep(comparing(now))).looked_at == {}
    assert await ground.stuck(order=comparing(now + timedelta(seconds=11))) == [("research", research_id, Done.FAILED)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE research SET status = 'ready' WHERE id = $1",
        "UPDATE research SET status = 'failed', failure_reason = 'its own' WHERE id = $1",
        "UPDATE research SET version = version + 1, run_id = 'another' WHERE id = $1",
        "UPDATE research SET run_id = 'another' WHERE id = $1",
        "DELETE FROM research WHERE id = $1",
    ],
)
async def test_a_row_that_changed_while_its_workflow_was_asked_about_stays(ground: Ground, change: str) -> None:
    """It finished, or another run began: whoever changed it is alive."""
    research_id = await by_hand(ground)

    async def meanwhile() -> None:
        await ground.sql(change, research_id)

    report = await ground.sweep(lives=Said(Life.TERMINATED, meanwhile))

    assert report.stuck == {}
    assert await ground.ends(research_id) == []
    assert await ground.sql("SELECT failure_reason FROM research WHERE id = $1", research_id) in (None, "its own")


async def test_a_brief_that_is_there_counts(ground: Ground) -> None:
    """Set by hand from ready: the truth is that it had ended well, and its one terminal event has been told."""
    async with ground.stage.working():
        brief = await ground.stage.research("ada@lovelace.example")
    research_id = brief.research_id
    await ground.sql("UPDATE research SET status = 'generating' WHERE id = $1", research_id)

    assert await ground.stuck() == [("research", research_id, Done.RIGHTED)]

    row = await ground.row("research", research_id)
    assert (row["status"], row["brief_id"], row["failure_reason"]) == ("ready", brief.id, None)
    assert await ground.ends(research_id) == ["research/generate.completed"]


async def test_a_request_that_nobody_began(ground: Ground) -> None:
    research_id = await ground.stage.request("ada@lovelace.example")
    now = datetime.now(UTC)
    assert await ground.stuck(order=comparing(now + timedelta(minutes=9))) == []

    assert await ground.stuck(order=comparing(now + timedelta(minutes=11))) == [("research", research_id, Done.FAILED)]

    assert (await ground.row("research", research_id))["failure_reason"] == "begin: nobody has begun it"


async def test_a_request_that_was_undone_waits_for_a_person(ground: Ground) -> None:
    """Somebody whom it was about was forgotten: the erasure tells of it."""
    research_id = await ground.stage.request("ada@lovelace.example")
    await ground.sql("UPDATE research SET version = 1 WHERE id = $1", research_id)
    assert (await ground.sweep()).looked_at == {}


async def test_no_alarm_ever_while_researches_run(ground: Ground) -> None:
    """Sweeps one after the other, from before the first begins until after the last has ended; rows that are being
    worked on have no grace at all. A row that has ended has it: its run has still to close."""
    people = [f"person-{number}@acme-freight.example" for number in range(6)]
    reports, over = [], asyncio.Event()

    async def sweeping() -> None:
        while not over.is_set():
            open_alone = [replace(noun, ended=None) for noun in ground.nouns()]
            reports.append(await ground.sweep(_without_requests(), table=open_alone))
            reports.append(await ground.sweep(comparing(datetime.now(UTC))))

    async with ground.stage.working():
        sweeper = asyncio.create_task(sweeping())
        researches = [await ground.stage.request(one) for one in people]
        handles = [await ground.stage.start(one) for one in researches]
        await asyncio.gather(*(handle.result() for handle in handles), return_exceptions=True)
        over.set()
        await sweeper

    assert [report.stuck for report in reports if report.stuck] == []
    assert sum(report.looked_at.get("research", 0) for report in reports) > 0, "it saw them run"
    for one in researches:
        assert len(await ground.ends(one)) == 1


def _without_requests() -> Comparing:
    """What was asked for a moment ago is begun a moment later: that is what its own grace is for."""
    order = at_once()
    return order.model_copy(update={"asked_before": order.now - timedelta(hours=1)})


async def test_a_run_that_took_over_is_alive(ground: Ground) -> None:
    """The row names a run that ended; another one is under way under the same id, and will take the row."""
    research_id = await by_hand(ground)
    await ground.sql("UPDATE research SET run_id = 'an older one' WHERE id = $1", research_id)
    handle = await ground.stand_in(ids.research(ground.stage.tenant.id, research_id))
    assert await ground.stuck() == []
    await handle.terminate()
    assert await ground.stuck() == [("research", research_id, Done.FAILED)]


@pytest.mark.parametrize("status", ["failed", "ready"])
async def test_a_run_whose_row_was_ended_by_hand_is_told_of(ground: Ground, status: str) -> None:
    """It is not brought back: what it writes is refused, and it ends by itself."""
    async with ground.workflows_only():
        research_id, handle = await ground.slow_research()
        await until(lambda: _is_listed(ground, handle.id))
        assert await ground.stuck() == []
        await ground.sql("UPDATE research SET status = $2 WHERE id = $1", research_id, status)

        one = await ground.only(order=comparing(datetime.now(UTC)))

        assert (one.row_id, one.done) == (research_id, Done.TOLD)
        assert one.why == "its run goes on, though the row says that it has ended"
        assert (await ground.row("research", research_id))["status"] == status
        await handle.terminate()
        assert await ground.stuck() == []


async def _is_listed(ground: Ground, workflow_id: str) -> bool:
    return workflow_id in [run.workflow_id async for run in Lives(ground.stage.temporal).running("Research")]


async def test_temporal_away_mends_nothing(ground: Ground) -> None:
    """That it cannot be asked is no answer."""
    research_id = await by_hand(ground)
    away = await Client.connect("127.0.0.1:1", lazy=True)

    with pytest.raises(ApplicationError, match="Temporal did not answer"):
        await ground.sweep(lives=Lives(away))

    assert (await ground.row("research", research_id))["status"] == "generating"


async def test_a_namespace_that_is_not_there_is_no_answer(ground: Ground) -> None:
    """Its code is that of a workflow that is gone."""
    research_id = await by_hand(ground)
    elsewhere = await Client.connect(ground.stage.temporal.service_client.config.target_host, namespace="no-such-one")

    with pytest.raises(ApplicationError, match="Temporal did not answer"):
        await ground.sweep(lives=Lives(elsewhere))

    assert (await ground.row("research", research_id))["status"] == "generating"


async def test_two_sweeps_at_once_mend_a_row_once(ground: Ground) -> None:
    researches = [await by_hand(ground)]
    found = await asyncio.gather(*(ground.stuck() for _ in range(4)))
    assert sorted(one for stuck in found for one in stuck) == [("research", one, Done.FAILED) for one in researches]
    assert await ground.ends(researches[0]) == ["research/generate.failed"]


async def test_a_sweep_of_the_clock_s_own_kind(ground: Ground) -> None:
    """The real workflow, activity and worker, over all tenants."""
    async with ground.workflows_only():
        research_id, handle = await ground.slow_research()
        await handle.terminate("by hand")
        long_ago = datetime.now(UTC) - timedelta(minutes=2)
        await ground.sql("UPDATE research SET begun_at = $2 WHERE id = $1", research_id, long_ago)

        report = await start.reconciliation(ground.stage.temporal)

        assert research_id in [one.row_id for one in report.rows]
        await until(lambda: ground.sql("SELECT true FROM research WHERE id = $1 AND status = 'failed'", research_id))
