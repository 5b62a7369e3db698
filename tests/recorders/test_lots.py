"""A day's budget of calls is counted in lots: no more are made than it allows, and none is looked up for each call."""

import time
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from activities import pacing
from activities.pacing import LOT_LIVES_S, Pacing
from activities.store.database import Database
from activities.store.paces import PaceStore
from schemas.providers import Pace

DAY = Pace.parse("10000/86400s")


@dataclass
class Log:
    """A twin of Postgres's log: reserves so many seconds from now."""

    wait_s: float = 0.0
    reserved: list[Pace] = field(default_factory=list)

    async def reserve(self, _provider: str, pace: Pace) -> float:
        self.reserved.append(pace)
        return self.wait_s

    async def away(self, _provider: str, pace: Pace) -> float:
        return self.wait_s + (pace.window_s > DAY.window_s)


async def test_ten_calls_of_a_day_are_one_reservation() -> None:
    log = Log()
    paces = Pacing(log, {"a": DAY})
    for _ in range(25):
        assert (await paces.turn("a", "x")).wait_s == 0
    assert log.reserved == [Pace(per_window=1000, window_s=86400 + LOT_LIVES_S)] * 3
    assert (await paces.turn("a", "y")).wait_s == 0
    assert len(log.reserved) == 4, "another company has another day"


async def test_what_is_reserved_for_later_is_not_used_before() -> None:
    paces = Pacing(Log(wait_s=30), {"a": DAY})
    assert [round((await paces.turn("a")).wait_s) for _ in range(10)] == [30] * 10
    assert await paces.away("a") == 31, "none of the lot is left"


async def test_what_is_left_of_a_lot_is_lost_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    paces = Pacing(log, {"a": DAY})
    await paces.turn("a")
    assert await paces.away("a") == 0
    later = time.monotonic() + LOT_LIVES_S + 1
    monkeypatch.setattr(pacing.time, "monotonic", lambda: later)
    assert await paces.away("a") == 1
    await paces.turn("a")
    assert len(log.reserved) == 2


@pytest.mark.parametrize("text", ["1999/60s", "10000/60s+1s", "3/1s"])
async def test_other_paces_are_reserved_one_by_one(text: str) -> None:
    log, pace = Log(), Pace.parse(text)
    paces = Pacing(log, {"a": pace})
    for _ in range(3):
        await paces.turn("a")
    assert log.reserved == [pace] * 3


async def test_how_far_a_turn_is_away_is_what_a_reservation_would_get(database: Database) -> None:
    store, name, pace = PaceStore(database), str(uuid4()), Pace(per_window=2, window_s=50, gap_s=5)
    assert await store.away(name, pace) == 0
    for expected in (0, 5, 50, 55):
        looked = await store.away(name, pace)
        reserved = await store.reserve(name, pace)
        assert looked == pytest.approx(reserved, abs=0.3) == pytest.approx(expected, abs=0.8)
