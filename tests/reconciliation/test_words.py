"""What an operator reads: what was looked at, what was mended, why; and how many rows look stuck."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.reconciliation import WHY, Row, Run, row_of
from schemas.reconciliation import Done, Life, Reconciled, Stuck
from starter import schedules, stuck
from tests.cli.conftest import Beside
from tests.reconciliation.ground import Ground
from tests.stage import Stage
from workflows import ids, policies
from workflows.reconciliation import told

TENANT, ROW = "00000000-0000-4000-8000-000000000000", "11111111-1111-4111-8111-111111111111"


async def by_hand(ground: Ground) -> str:
    research_id = await ground.stage.request("ada@lovelace.example")
    await ground.sql("UPDATE research SET status = 'generating' WHERE id = $1", research_id)
    return research_id


async def test_reconcile_says_what_it_did_and_why(ground: Ground, wired: Stage, beside: Beside) -> None:
    research_id = await by_hand(ground)
    async with ground.workflows_only():
        said = await beside("reconcile")
        assert said.code == 0
        (line,) = [line for line in said.out.splitlines() if research_id in line]
        assert line.split() == [
            research_id,
            "research",
            ground.stage.tenant.id,
            "failed",
            "its",
            "workflow",
            "is",
            "gone",
        ]
        assert "looked at" in said.out

        again = await beside("reconcile", "--json")
        assert again.code == 0
        assert research_id not in [one["row_id"] for one in again.document["rows"]]
        assert set(again.document) == {"looked_at", "stuck", "left", "rows"}


async def test_doctor_counts_what_is_stuck_and_names_the_command(ground: Ground, wired: Stage) -> None:
    await by_hand(ground)
    before = await stuck.stuck(ground.stage.database, ground.stage.temporal)
    (check,) = [one async for one in stuck.everything(ground.stage.settings(payload_codec="off"))]

    assert before["research"] >= 1
    assert (check.ok, check.warning, check.remedy) == (True, True, "greenroom reconcile")
    assert f"{before['research']} research" in check.said
    await ground.sweep()
    assert (await stuck.stuck(ground.stage.database, ground.stage.temporal)).get("research", 0) < before["research"]


async def test_doctor_sees_no_row_of_whoever_is_merely_slow(ground: Ground) -> None:
    async with ground.workflows_only():
        before = await stuck.stuck(ground.stage.database, ground.stage.temporal)
        research_id, _ = await ground.slow_research()
        began = datetime.now(UTC) - timedelta(minutes=9)
        await ground.sql("UPDATE research SET begun_at = $2 WHERE id = $1", research_id, began)
        assert await stuck.stuck(ground.stage.database, ground.stage.temporal) == before


def test_no_row_stuck_is_well() -> None:
    assert (stuck.told({}).ok, stuck.told({}).warning) == (True, False)
    said = stuck.told({"research": 2, "calls": 1})
    assert (said.ok, said.warning, said.said) == (True, True, "stuck: 2 research, 1 calls")


async def test_doctor_without_servers_leaves_that_to_other_lines(
    ground: Ground, wired: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    (check,) = [one async for one in stuck.everything(ground.stage.settings())]
    assert (check.ok, check.said) == (True, "could not be looked at")


def test_the_report_is_told_to_whoever_looks_at_the_run() -> None:
    one = Stuck(noun="calls", tenant_id="0" * 36, row_id="r", done=Done.FAILED, why="its workflow was terminated")
    said = told(Reconciled(looked_at={"research": 3, "calls": 1}, stuck={"calls": 1}, rows=(one,)))
    assert "- **research**: 3 looked at, 0 stuck" in said
    assert "- calls r: failed (its workflow was terminated)" in said
    assert "Stuck" not in told(Reconciled(looked_at={"research": 3}))


async def test_the_clock_compares_every_five_minutes(ground: Ground) -> None:
    wanted = schedules.wanted(ground.stage.settings())["reconciliation"]
    assert wanted.spec.intervals[0].every == policies.RECONCILE_EVERY == timedelta(minutes=5)
    assert "reconciliation" in schedules.NAMES
    assert ids.RECONCILIATION not in schedules.NAMES


@pytest.mark.parametrize(
    "wrong", ["", "research", "research/a/b", f"research/{'-' * 36}/{TENANT}", f"research/{TENANT}"]
)
def test_a_run_under_an_id_of_somebody_else_s_has_no_row(wrong: str) -> None:
    assert row_of(Run(wrong, "run")) is None
    assert row_of(Run(f"{ids.research(TENANT, ROW)}/prospect/0123456789abcdef", "run")) is None
    assert row_of(Run(ids.research(TENANT, ROW), "run")) == Row(TENANT, ROW, run_id="run")


def test_every_end_of_a_workflow_has_its_words() -> None:
    assert set(WHY) == set(Life)
