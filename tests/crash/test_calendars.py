"""Renewals, readings and deliveries, killed wherever it makes a difference: nothing is lost, and nothing is done twice.

All of it happens at once, since most of it is waiting. `make crash` takes every point, and other weather.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from starter.dev.postgres import Cluster
from tests.crash.deliveries import DeliveryStory
from tests.crash.doomed_worker import Point
from tests.crash.lanes import Lanes, lanes
from tests.crash.readings import FullReadingStory, ReadingStory
from tests.crash.renewals import RenewalStory
from tests.crash.stories import Story, Weather
from tests.crash.struck import KINDS, Told, points, strike, struck

LANES = 12
LEAST = Weather.of(1)

pytestmark = pytest.mark.timeout(300)


def at(line: str) -> Point:
    return Point.parse(line)


# What a story must come by, or it is not told at all.
STEPS = {
    RenewalStory: {"begin", "google.watch", "activate", "google.stop", "retire", "to-calendar", "take"},
    ReadingStory: {"place", "tokens", "google.events", "take", "untold", "to-meeting", "told"},
    FullReadingStory: {"lose_place", "place", "google.events", "take", "untold", "to-meeting", "told"},
    DeliveryStory: {"situation", "claim", "brief", "smtp", "end"},
}

# A planted bug, the story and the kill that bring it out, and what must be said of it.
PLANTED = [
    ("stores a channel late", RenewalStory, at("call google.watch 1 after"), "unknown to us"),
    ("stops the old channel first", RenewalStory, at("call google.watch 1 before"), "no channel that is ours"),
    ("rings nobody", RenewalStory, at("transaction retire 1 after"), "change was lost"),
    ("moves on first", ReadingStory, at("transaction unknown 1 after"), "change was lost"),
    ("notes what it tells first", ReadingStory, at("transaction told 1 after"), "was begun 0 times"),
    ("forgets answers", ReadingStory, at("transaction keep 1 after"), "times by the heir"),
    ("finishes twice", ReadingStory, at("transaction finish 1 after"), "has 2 briefs"),
    ("records what it sends first", DeliveryStory, at("call smtp 1 before"), "0 mails were sent"),
    ("signs each try anew", DeliveryStory, at("call smtp 1 after"), "2 mails are not the same"),
]


@pytest.fixture(scope="module")
async def there(cluster: Cluster) -> AsyncIterator[Lanes]:
    async with lanes(cluster, "greenroom_lanes", LANES) as opened:
        yield opened


@pytest.fixture(scope="module")
async def planted(there: Lanes) -> "AsyncIterator[list[asyncio.Task[Told]]]":
    """The stories with bugs, beside the others."""
    tasks = [asyncio.create_task(strike(there, kind, LEAST, point, flaw)) for flaw, kind, point, _ in PLANTED]
    yield tasks
    for task in tasks:
        task.cancel()
    for told in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(told, Told) and told.history is not None:
            shutil.rmtree(told.history.parent)


@pytest.fixture(scope="module")
async def tales(
    there: Lanes, planted: object
) -> AsyncIterator[dict[type[Story], "asyncio.Task[tuple[list[Point], list[Told]]]"]]:
    """Each begins at once."""

    async def tell(kind: type[Story]) -> tuple[list[Point], list[Told]]:
        found = await points(there, kind, LEAST)
        return found, await struck(there, kind, LEAST, kind.telling(found))

    tasks = {kind: asyncio.create_task(tell(kind)) for kind in KINDS}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_whenever_the_worker_is_killed_it_comes_to_the_same(
    tales: "dict[type[Story], asyncio.Task[tuple[list[Point], list[Told]]]]", kind: type[Story]
) -> None:
    found, told = await tales[kind]

    assert {point.name for point in found} >= STEPS[kind]
    assert {replace(point, side="before") for point in found if point.side == "after"} <= set(found)
    assert len(told) > len(STEPS[kind]) // 2
    assert not any(one.complaints for one in told), "\n".join(str(one) for one in told if one.complaints)


@pytest.mark.parametrize("number", range(len(PLANTED)), ids=[str(case[0]) for case in PLANTED])
async def test_the_harness_sees_a_planted_bug(planted: "list[asyncio.Task[Told]]", number: int) -> None:
    _, _, point, words = PLANTED[number]
    told = await planted[number]

    assert any(words in complaint for complaint in told.complaints), told
    assert told.history is not None
    assert "Meeting" in told.history.read_text()
    assert f"killed at: {point}" in str(told)
