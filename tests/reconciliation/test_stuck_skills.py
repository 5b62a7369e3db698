"""Runs of skills that say that they wait or are running, and that nobody works on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.reconciliation import Run
from activities.store.skill_runs import SkillRunStore
from activities.store.user_channels import UserChannelStore
from schemas.notices import skill_key
from schemas.reconciliation import Done, Life
from schemas.skills import NewRun
from tests.reconciliation.ground import Ground, Said
from tests.skills.run_rows import KEYS, SEALER
from workflows import ids
from workflows.reconciliation import comparing

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def a_run(ground: Ground, **fields: Any) -> str:
    """One that was asked for long ago."""
    stage = ground.stage
    new = NewRun(user_id=stage.user.id, skill="follow-up")
    run_id = (await SkillRunStore(stage.database).ask(stage.tenant.id, new, "", LONG_AGO)).run_id
    for name, value in fields.items():
        await ground.sql(f"UPDATE skill_runs SET {name} = $2 WHERE id = $1", run_id, value)
    return run_id


async def running(ground: Ground) -> str:
    return await a_run(ground, status="running", run_id="run", started_at=LONG_AGO)


def workflow_id(ground: Ground, run_id: str) -> str:
    return ids.skill(ground.stage.tenant.id, run_id)


async def notices(ground: Ground, run_id: str, *channels: str | None) -> list[bool]:
    """Whether it is told on each of these."""
    found = []
    for channel_id in channels:
        notice = ids.notice(ground.stage.tenant.id, skill_key(run_id, channel_id))
        found.append(await ground.status(notice) is not None)
    return found


async def test_one_that_nobody_carries_out_has_failed_and_its_user_hears_of_it(ground: Ground) -> None:
    stage = ground.stage
    channel = await UserChannelStore(stage.database, SEALER, KEYS).add(
        stage.tenant.id, stage.user.id, "telegram", "1", "mine", LONG_AGO
    )
    run_id = await running(ground)
    one = await ground.only()
    assert (one.noun, one.row_id, one.done, one.why) == ("skills", run_id, Done.FAILED, "its workflow is gone")
    row = await ground.row("skill_runs", run_id)
    assert (row["status"], row["failure_reason"], row["retryable"]) == ("failed", "its workflow is gone", True)
    assert await ground.ends(run_id) == ["skill.execute.failed"]
    assert await notices(ground, run_id, None, channel) == [True, True]
    assert await ground.stuck() == []


async def test_one_that_waits_for_its_turn_or_is_running_is_left_alone(ground: Ground) -> None:
    run_id = await a_run(ground)
    handle = await ground.stand_in(workflow_id(ground, run_id))
    assert await ground.stuck() == []
    await ground.sql("UPDATE skill_runs SET status = 'running', started_at = $2 WHERE id = $1", run_id, LONG_AGO)
    assert await ground.stuck() == []
    await handle.terminate("by hand")
    assert await ground.stuck() == [("skills", run_id, Done.FAILED)]
    assert await ground.stuck() == []
    assert await ground.ends(run_id) == ["skill.execute.failed"]


async def test_one_that_waits_and_whose_workflow_was_ended_has_failed(ground: Ground) -> None:
    run_id = await a_run(ground)
    await (await ground.stand_in(workflow_id(ground, run_id))).terminate("by hand")
    assert await ground.stuck() == [("skills", run_id, Done.FAILED)]
    assert (await ground.row("skill_runs", run_id))["failed_step"] == "start"


async def test_one_that_was_asked_for_and_not_begun_is_begun(ground: Ground) -> None:
    """Also when its turn is still to come: it would not be begun by then otherwise."""
    run_id = await a_run(ground, turn_at=datetime.now(UTC) + timedelta(hours=5))
    assert await ground.stuck() == [("skills", run_id, Done.BEGUN)]
    assert await ground.status(workflow_id(ground, run_id)) == WorkflowExecutionStatus.RUNNING
    assert await ground.stuck() == []


async def test_one_that_was_asked_for_just_now_is_not_judged(ground: Ground) -> None:
    await a_run(ground, created_at=datetime.now(UTC))
    assert (await ground.sweep(comparing(datetime.now(UTC)))).looked_at == {}


async def test_one_that_goes_on_though_it_has_ended_is_told_of(ground: Ground) -> None:
    run_id = await running(ground)
    row = {"status": "failed", "ended_at": LONG_AGO}
    for name, value in row.items():
        await ground.sql(f"UPDATE skill_runs SET {name} = $2 WHERE id = $1", run_id, value)
    runs = [Run(workflow_id(ground, run_id), "run"), Run(workflow_id(ground, run_id), "another")]
    assert await ground.stuck(lives=Said(Life.LIVE, runs=runs)) == [("skills", run_id, Done.TOLD)]


@pytest.mark.parametrize("status", ["running", "queued"])
@pytest.mark.parametrize("life", [Life.GONE, Life.TERMINATED])
@pytest.mark.parametrize("change", ["status = 'completed'", "version = version + 1", "run_id = 'another'"])
async def test_one_that_changed_while_its_workflow_was_asked_about_stays(
    ground: Ground, status: str, life: Life, change: str
) -> None:
    run_id = await a_run(ground, status=status, run_id="run", started_at=LONG_AGO)

    async def meanwhile() -> None:
        await ground.sql(f"UPDATE skill_runs SET {change} WHERE id = $1", run_id)

    assert await ground.stuck(lives=Said(life, meanwhile)) == []
    assert await ground.ends(run_id) == []
