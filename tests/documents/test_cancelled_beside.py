"""A cancellation reaches whoever works while its row is still waited for, and the row changes though Temporal is away."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from schemas.documents import RunDone, RunFailure, RunStatus, Work
from starter import documents
from starter.office import Office


@dataclass
class Rows:
    """A run whose row is locked until its workflow is stopped, or Temporal says that it is away."""

    told: asyncio.Event = field(default_factory=asyncio.Event)
    failed: list[RunFailure] = field(default_factory=list)

    async def run(self, _tenant_id: str, _run_id: str) -> tuple[str, Work, RunStatus]:
        return str(uuid4()), Work.COMPARISON, RunStatus.RUNNING

    async def fail(self, failure: RunFailure) -> RunDone:
        await asyncio.wait_for(self.told.wait(), 2)
        self.failed.append(failure)
        return RunDone(run_id=failure.run_id, status=RunStatus.CANCELLED)


@pytest.mark.parametrize("away", [False, True], ids=["there", "away"])
async def test_the_workflow_is_stopped_while_its_row_is_locked(away: bool) -> None:
    rows = Rows()

    async def cancel() -> None:
        rows.told.set()
        if away:
            raise OSError

    client = SimpleNamespace(get_workflow_handle=lambda _id: SimpleNamespace(cancel=cancel))
    office = cast(Office, cast(Any, SimpleNamespace(documents=rows, document_runs=rows, client=client)))
    assert await documents.cancel(office, str(uuid4()), str(uuid4()))
    assert [one.cancelled for one in rows.failed] == [True]
