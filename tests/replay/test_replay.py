"""What has been recorded is replayed by today's code, so that a deploy breaks no run that is open."""

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.bills import SCENARIOS as BILLS
from tests.replay.calls import SCENARIOS as CALLS
from tests.replay.ground import HISTORIES
from tests.replay.lives import SCENARIOS
from tests.replay.mornings import NAMES as MORNINGS
from tests.replay.planted import ChangedResearch
from tests.replay.record import scenarios
from tests.replay.reviews import NAMES as REVIEWS
from tests.replay.rounds import DELIVERIES
from tests.replay.runs import NAMES as RUNS
from tests.replay.shelves import NAMES as SHELVES
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
    names = {path.stem for path in RECORDED}
    assert set(scenarios()) <= names
    assert {f"{noun}-{name}" for noun in ("meeting", "calendar", "subscription") for name in SCENARIOS} <= names
    assert {f"transcript-{name}" for name in CALLS} <= names
    assert {f"delivery-{name}" for name in DELIVERIES} <= names
    assert set(MORNINGS) <= names
    assert set(RUNS) <= names
    assert set(REVIEWS) <= names
    assert set(SHELVES) <= names
    assert {f"bills-{name}" for name in BILLS} <= names


def test_every_workflow_has_a_run_that_is_recorded() -> None:
    started = (json.loads(path.read_text())["events"][0] for path in RECORDED)
    types = {one["workflowExecutionStartedEventAttributes"]["workflowType"]["name"] for one in started}
    assert types == {one.__temporal_workflow_definition.name for one in WORKFLOWS}


async def test_a_change_without_a_patch_is_seen() -> None:
    replayer = Replayer(workflows=[ChangedResearch], workflow_runner=SANDBOX, data_converter=pydantic_data_converter)
    result = await replayer.replay_workflow(history(HISTORIES / "brief.json"), raise_on_replay_failure=False)
    assert "TMPRL1100" in str(result.replay_failure)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_run_names_nobody(path: Path) -> None:
    """Whatever the calendar said of people and meetings, the histories of all that followed hold ids and labels."""
    told = " ".join(_payloads(json.loads(path.read_text())))
    assert told, "there is something to look at"
    for private in ("@", "Ada", "Lovelace", "Tomas", "Okafor", "Introduction", "Robin"):
        assert private not in told


def _payloads(value: object) -> Iterator[str]:
    """Every payload of a history, as text; failures and summaries too."""
    match value:
        case {"metadata": _, "data": str(data)}:
            yield b64decode(data).decode(errors="replace")
        case {"message": str(message), **rest}:
            yield message
            yield from _payloads(rest)
        case dict():
            for inner in value.values():
                yield from _payloads(inner)
        case list():
            for inner in value:
                yield from _payloads(inner)
