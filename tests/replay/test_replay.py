"""What has been recorded is replayed by today's code, so that a deploy breaks no run that is open."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.planted import ChangedResearch
from tests.replay.record import HISTORIES, scenarios
from worker import SANDBOX, WORKFLOWS

RECORDED = sorted(HISTORIES.glob("*.json"))


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("research/test", path.read_text())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_run_is_replayed(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=SANDBOX, data_converter=pydantic_data_converter)
    result = await replayer.replay_workflow(history(path), raise_on_replay_failure=False)
    assert result.replay_failure is None


def test_every_scenario_is_recorded() -> None:
    assert set(scenarios()) <= {path.stem for path in RECORDED}


async def test_a_change_without_a_patch_is_seen() -> None:
    replayer = Replayer(workflows=[ChangedResearch], workflow_runner=SANDBOX, data_converter=pydantic_data_converter)
    result = await replayer.replay_workflow(history(HISTORIES / "brief.json"), raise_on_replay_failure=False)
    assert "TMPRL1100" in str(result.replay_failure)
