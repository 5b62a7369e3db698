"""Pace: at most N starts in any window and a least gap, whoever reserves and however many at once."""

import asyncio
import time
from itertools import pairwise
from uuid import uuid4

import pytest

from activities.pacing import Pacing
from activities.store.database import Database
from activities.store.paces import PaceStore
from schemas.providers import Pace
from starter.dev.postgres import Urls


async def starts(databases: list[Database], pace: Pace, calls: int) -> list[float]:
    """The moments at which so many callers were let through, in order."""
    provider = str(uuid4())

    async def call(database: Database) -> float:
        turn = await Pacing(PaceStore(database), {provider: pace}).turn(provider)
        await turn.come()
        return time.monotonic()

    return sorted(await asyncio.gather(*(call(databases[n % len(databases)]) for n in range(calls))))


async def test_any_window_holds_at_most_n_starts_and_gaps_are_kept(database: Database, urls: Urls) -> None:
    pace = Pace(per_window=5, window_s=1.0, gap_s=0.05)
    async with Database.opened(urls.application, urls.crossing) as another:
        moments = await starts([database, another], pace, 16)

    assert min(later - earlier for earlier, later in pairwise(moments)) >= pace.gap_s
    assert all(later - earlier >= pace.window_s for earlier, later in zip(moments, moments[5:], strict=False))
    # And it is not slower than it must be: 16 starts are three windows and a bit.
    assert moments[-1] - moments[0] < 5


async def test_a_rested_provider_is_called_at_once(database: Database) -> None:
    store, provider = PaceStore(database), str(uuid4())
    pace = Pace(per_window=2, window_s=0.1, gap_s=0.01)
    assert await store.reserve(provider, pace) == 0
    await asyncio.sleep(0.5)
    assert await store.reserve(provider, pace) == 0


async def test_the_log_is_no_longer_than_a_window_needs(database: Database) -> None:
    store, provider = PaceStore(database), str(uuid4())
    for _ in range(7):
        await store.reserve(provider, Pace(per_window=3, window_s=0.01, gap_s=0))
    async with database.untenanted() as connection:
        assert await connection.fetchval("SELECT cardinality(starts) FROM paces WHERE provider = $1", provider) == 3


async def test_without_a_pace_nothing_is_asked_of_the_database() -> None:
    assert (await Pacing(_NoStore(), {"x": Pace.parse("unlimited")}).turn("x")).wait_s == 0
    assert (await Pacing(_NoStore(), {}).turn("x")).wait_s == 0


class _NoStore:
    async def reserve(self, provider: str, pace: Pace) -> float:
        raise AssertionError("asked")


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("10/60s+1s", Pace(per_window=10, window_s=60, gap_s=1)),
        ("50/60s", Pace(per_window=50, window_s=60)),
        ("7", Pace(per_window=7)),
        ("unlimited", Pace(per_window=0)),
    ],
)
def test_a_pace_is_written_in_one_line(text: str, pace: Pace) -> None:
    assert Pace.parse(text) == pace


@pytest.mark.parametrize("text", ["", "fast", "10/x", "-1/60s", "10/0s", "10/60s+-1s", "1/60s+1s+1s"])
def test_what_is_no_pace_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='write "10/60s'):
        Pace.parse(text)
