"""Many calls in one night's sweep: each is taken, fetched and read once, in pace, and memory stays flat.

A thousand of them, in two minutes: `CALLS=1000 .venv/bin/python -m pytest tests/recorders/test_night.py`.
"""

import asyncio
import gc
import os
import time
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest

from tests.recorders.conftest import Scene

CALLS = int(os.environ.get("CALLS", "200"))
# Thirty times Gong's, so that the test ends before the morning.
PER_S = 100
PACES = {"gong_pace": f"{PER_S}/1s", "gong_day_pace": "10000/86400s", "gemini_pace": "unlimited"}
# Between a third of the readings and the last. The pretended world runs in the same process.
FLAT_BYTES = 64 * 1024 * 1024
PATIENCE_S = 280.0

pytestmark = [pytest.mark.alone, pytest.mark.timeout(400)]


class Night:
    """What the pretended world saw, taken from its journal as it goes: that one would grow."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.asked: list[str] = []
        self.started: list[float] = []
        self.read = 0

    def look(self) -> None:
        journal = self._scene.stage.sandbox.journal
        with journal._lock:
            records = journal._records[:]
            journal._records.clear()
        self.asked += [one["about"] for one in records if one["provider"] == "gong"]
        self.started += [one["started"] for one in records if one["provider"] == "gong"]
        self.read += sum(one["provider"] == "gemini" for one in records)

    def most_in_a_second(self) -> int:
        moments = sorted(self.started)
        return max(
            sum(first <= one < first + 1 for one in moments[n : n + 3 * PER_S]) for n, first in enumerate(moments)
        )


async def parsed(scene: Scene) -> dict[str, int]:
    async with scene.stage.database.tenant(scene.stage.tenant.id) as connection:
        return dict(await connection.fetch("SELECT status, count(*) FROM calls GROUP BY status"))


async def all_parsed(scene: Scene, night: Night, ends: float) -> list[int]:
    """Waits until every call is read. The process's memory, from when a third of them were, in bytes."""
    memory: list[int] = []
    while (counts := await parsed(scene)).get("parsed") != CALLS:
        assert time.monotonic() < ends, counts
        assert "failed" not in counts
        night.look()
        if counts.get("parsed", 0) >= CALLS // 3:
            gc.collect()
            memory.append(psutil.Process().memory_info().rss)
        await asyncio.sleep(0.1)
    night.look()
    gc.collect()
    return [*memory, psutil.Process().memory_info().rss]


async def test_many_calls_in_one_night(scene: Scene) -> None:
    await scene.connect()
    scene.gong.flood(CALLS)
    night, ends = Night(scene), time.monotonic() + PATIENCE_S
    async with scene.stage.working(**PACES):
        # Two at once, as when somebody asks while the clock does.
        first, second = await asyncio.gather(scene.sweep(), scene.sweep())
        memory = await all_parsed(scene, night, ends)
        again = await scene.sweep()
        night.look()
    rows = await scene.rows()
    assert first.taken + second.taken == CALLS == len(rows)
    assert again.taken == 0
    assert {row["source_key"] for row in rows} == set(scene.gong.recordings)

    for what in ("transcript", "extensive"):
        asked = [about for about in night.asked if about.startswith(f"{what}:")]
        assert len(asked) == len(set(asked)) == CALLS, f"each {what} once"
    assert night.read == CALLS, "each call is paid for once"
    assert await scene.stage.count("opportunity_history") == CALLS
    assert {row["version"] for row in rows} == {1}

    assert night.most_in_a_second() <= PER_S
    assert len(memory) > 1, "it ended before it was looked at"
    assert max(memory) - memory[0] < FLAT_BYTES, [round(one / 2**20) for one in memory]


async def test_the_usual_pace_is_kept(scene: Scene) -> None:
    """Three calls in any second, whoever asks."""
    await scene.connect()
    scene.gong.flood(1)
    activities: list[Any] = [scene.activities(gong_pace="3/1s") for _ in range(3)]

    async def page(number: int) -> None:
        whose = await scene.store.recorder(scene.stage.tenant.id, scene.recorder_id)
        now = datetime.now(UTC)
        await activities[number % 3]._ask(
            scene.stage.tenant.id, whose, lambda one: one.calls(whose.access, now, now, None)
        )

    await asyncio.gather(*(page(number) for number in range(12)))
    night = Night(scene)
    night.look()
    moments = sorted(night.started)
    assert len(moments) == 12
    assert all(later - earlier >= 1.0 for earlier, later in zip(moments, moments[3:], strict=False))
    assert moments[-1] - moments[0] < 6
