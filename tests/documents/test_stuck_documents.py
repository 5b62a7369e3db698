"""A run whose row says that it waits or is running, and whose workflow is gone: begun, or failed and to be asked again."""

from datetime import timedelta
from typing import Any

import pytest

from activities.reconciliation import Row
from activities.store.database import Database
from activities.store.stuck_documents import StuckDocuments
from schemas.documents import RunStatus, Work
from schemas.reconciliation import Comparing
from tests.documents.file_room import NOW, FileRoom

LATER = NOW + timedelta(hours=1)


@pytest.fixture
async def room(database: Database) -> FileRoom:
    room = FileRoom(database)
    await room.set_up()
    return room


async def opened(room: FileRoom, before: Any = LATER) -> list[Row]:
    comparing = Comparing(now=LATER, before=before, asked_before=before, soon=before)
    rows = await StuckDocuments(room.database).open(comparing, None)
    return [row for row in rows if row.tenant_id == room.tenant.id]


async def test_those_that_wait_or_run_for_a_while_are_looked_at(room: FileRoom) -> None:
    document_id, other, done = await room.brought(), await room.brought("b"), await room.brought("c")
    await room.reviewed(done)
    waiting = await room.ask(document_id, urgent=True)
    running = await room.begun(await room.ask(other))
    assert {(row.id, row.status, row.key) for row in await opened(room)} == {
        (waiting.run_id, "queued", f"{document_id}/analysis"),
        (running.run_id, "running", f"{other}/analysis"),
    }
    assert await opened(room, NOW - timedelta(hours=1)) == []


async def test_one_that_nobody_began_is_ordered_again_and_one_that_died_has_failed(room: FileRoom) -> None:
    stuck = StuckDocuments(room.database)
    asked = await room.ask(await room.brought(), urgent=True)
    (queued,) = await opened(room)
    order = await stuck.order(queued)
    assert order is not None
    assert (order.run_id, order.work, order.urgent, order.premium) == (asked.run_id, Work.ANALYSIS, True, True)
    step = await room.begun(asked)
    await room.read(step)
    (row,) = await opened(room)
    assert await stuck.order(queued) is None, "it is not what it was"
    assert await stuck.end(queued, "its workflow is gone", LATER) is None
    done = await stuck.end(row, "its workflow is gone", LATER)
    assert done is not None and done.status is RunStatus.FAILED
    assert await stuck.end(row, "its workflow is gone", LATER) is None
    run = await room.run(asked.run_id)
    assert (run.failed_step, run.failure_reason, run.retryable) == ("parsed", "its workflow is gone", True)
    assert [name for name, _ in await room.ends()] == ["document/analysis.failed"]
