"""Digests that say that they are being made, and that nobody makes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.store.digests import DigestStore
from schemas.reconciliation import Done, Life
from tests.reconciliation.ground import Ground, Said
from workflows import ids
from workflows.reconciliation import comparing

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DAY = date(2026, 1, 1)


async def a_digest(ground: Ground, **fields: Any) -> str:
    """One that was asked for long ago."""
    stage = ground.stage
    digest_id = await DigestStore(stage.database).ask(stage.tenant.id, stage.user.id, DAY, None, LONG_AGO)
    for name, value in fields.items():
        await ground.sql(f"UPDATE digests SET {name} = $2 WHERE id = $1", digest_id, value)
    return digest_id


def workflow_id(ground: Ground) -> str:
    return ids.digest(ground.stage.tenant.id, ground.stage.user.id, DAY)


async def test_one_that_nobody_makes_has_failed(ground: Ground) -> None:
    digest_id = await a_digest(ground, status="generating", version=1, run_id="run", begun_at=LONG_AGO)
    one = await ground.only()
    assert (one.noun, one.row_id, one.done, one.why) == ("digests", digest_id, Done.FAILED, "its workflow is gone")
    row = await ground.row("digests", digest_id)
    assert (row["status"], row["failure_reason"]) == ("failed", "make: its workflow is gone")
    assert await ground.ends(digest_id) == ["digest/generate.failed"]
    assert await ground.stuck() == []


async def test_one_that_is_being_made_or_waits_for_its_morning_is_left_alone(ground: Ground) -> None:
    digest_id = await a_digest(ground)
    handle = await ground.stand_in(workflow_id(ground))
    assert await ground.stuck() == []
    await ground.sql("UPDATE digests SET status = 'generating', begun_at = $2 WHERE id = $1", digest_id, LONG_AGO)
    assert await ground.stuck() == []
    await handle.terminate("by hand")
    assert await ground.stuck() == [("digests", digest_id, Done.FAILED)]


async def test_one_that_was_asked_for_and_not_begun_is_begun(ground: Ground) -> None:
    digest_id = await a_digest(ground)
    assert await ground.stuck() == [("digests", digest_id, Done.BEGUN)]
    assert await ground.status(workflow_id(ground)) == WorkflowExecutionStatus.RUNNING
    assert await ground.stuck() == []


async def test_one_that_was_asked_for_just_now_is_not_judged(ground: Ground) -> None:
    await a_digest(ground, created_at=datetime.now(UTC))
    assert (await ground.sweep(comparing(datetime.now(UTC)))).looked_at == {}


@pytest.mark.parametrize("status", ["generating", "requested"])
@pytest.mark.parametrize("life", [Life.GONE, Life.TERMINATED])
@pytest.mark.parametrize("change", ["status = 'ready'", "version = version + 1", "run_id = 'another'"])
async def test_one_that_changed_while_its_workflow_was_asked_about_stays(
    ground: Ground, status: str, life: Life, change: str
) -> None:
    digest_id = await a_digest(ground, status=status, version=1, run_id="run", begun_at=LONG_AGO)

    async def meanwhile() -> None:
        await ground.sql(f"UPDATE digests SET {change} WHERE id = $1", digest_id)

    assert await ground.stuck(lives=Said(life, meanwhile)) == []
    assert await ground.ends(digest_id) == []
