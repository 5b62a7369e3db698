"""Which clauses answer which is found once for all parts of a comparison, and holds up nobody: real Postgres."""

import asyncio
import threading
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.documents import pairing
from activities.documents.ports import Extract, Pair, Text
from activities.store.database import Database
from schemas.documents import Against, RunStatus, Work
from tests.documents.file_room import CLAUSES, TEXT, FileRoom


@pytest.fixture
async def room(database: Database) -> FileRoom:
    room = FileRoom(database)
    await room.set_up()
    return room


async def test_while_pairs_are_found_nobody_waits_for_the_run(room: FileRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of it find them once, and whoever stops it meanwhile stops it at once."""
    document_id, play = await room.brought(), await room.playbook(TEXT)
    step = await room.begun(await room.ask(document_id, work=Work.COMPARISON, against=Against.PLAYBOOK))
    for one in (step, step.model_copy(update={"document_id": play})):
        await room.read(one)
    begun, gate, pair = threading.Event(), threading.Event(), pairing.pair
    calls: list[Text] = []

    def slow(ours: Text, *others: Any) -> tuple[Pair, ...]:
        calls.append(ours)
        begun.set()
        assert gate.wait(10), "nobody came through"
        return pair(ours, *others)

    monkeypatch.setattr(pairing, "pair", slow)
    parts = [asyncio.create_task(room.runs.material(step)) for _ in range(3)]
    await asyncio.to_thread(begun.wait, 10)
    async with asyncio.timeout(3):
        await room.runs.write(room.part(step), Extract(), 40)
    gate.set()
    (first, *others) = await asyncio.gather(*parts)
    assert len(calls) == 1
    assert len(first.pairs) == len(CLAUSES) and all(one.pairs == first.pairs for one in others)
    begun.clear()
    gate.clear()
    await room.rows("UPDATE document_runs SET pairs = NULL RETURNING id")
    late = asyncio.create_task(room.runs.material(step))
    await asyncio.to_thread(begun.wait, 10)
    async with asyncio.timeout(3):
        assert (await room.runs.fail(room.cancel(step))).status is RunStatus.CANCELLED
    gate.set()
    with pytest.raises(ApplicationError, match="newer run"):
        await late
    assert await room.rows("SELECT pairs FROM document_runs") == [{"pairs": None}]
