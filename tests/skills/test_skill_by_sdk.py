"""An application that sends `skill.execute` with an Inngest SDK, as it always did, hears once how that ended."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.skills import RunStatus
from starter.dispatch import Dispatcher
from tests.events.conftest import opened
from tests.events.test_sdks import SDKS, Send
from tests.skills.whole import Running
from tests.stage import Stage


@SDKS
@pytest.mark.parametrize("goes_well", [True, False], ids=["completed", "failed"])
async def test_an_sdk_s_event_is_run_and_told_once(stage: Stage, tmp_path: Path, send: Send, goes_well: bool) -> None:
    running, run_id = Running(stage, tmp_path), str(uuid4())
    if not goes_well:
        stage.sandbox.faults.put("anthropic", "status", status=400, times=None)
    event: dict[str, Any] = {
        "name": "skill.execute",
        "data": {
            "runId": run_id,
            "skillName": "follow-up",
            "userMessage": "Thank them for their time",
            "userId": stage.user.email,
        },
    }
    dispatcher = Dispatcher(stage.settings(**running.changes), stage.database, stage.temporal)
    async with running.working(), opened(stage, dispatcher) as gate:
        sent = [await send(gate, gate.key.key, [event]) for _ in range(2)]
        view = await running.ended(run_id)

    assert all(isinstance(one, list) for one in sent), sent
    assert view.status is (RunStatus.COMPLETED if goes_well else RunStatus.FAILED)
    ends = [one for one in await running.told() if one.name != "skill.execute.progress"]
    assert [(one.name, one.payload["runId"]) for one in ends] == [(f"skill.execute.{view.status.value}", run_id)]
    if not goes_well:
        assert ends[0].payload["retryable"] is False
