"""Every notification is lost: the clock finds each change within one poll's time."""

import asyncio
import time

from starter.dev.postgres import Cluster
from tests.diary import ADA, MEI, soon
from tests.flood.flood import Ground, ground

EVERY_S = 3.0
# What a ring, a reading and its rows take on a busy machine; the schedule's own jitter is a sixtieth of its period.
A_READING_S = 4.0


async def test_what_no_notification_tells_the_clock_finds_within_one_interval(cluster: Cluster) -> None:
    async with ground(cluster, 3, GREENROOM_POLL_EVERY_S=str(int(EVERY_S))) as there:
        slowest = 0.0
        for round_ in range(3):
            made = {
                diary.calendar.add(f"Meeting {round_}", soon(days=60), attendees=[ADA, MEI]): diary
                for diary in there.diaries
            }
            slowest = max(slowest, await _found(there, set(made)))
            await asyncio.sleep(0.7)
        moved = [diary.calendar.events[0].id for diary in there.diaries]
        for diary, event in zip(there.diaries, moved, strict=True):
            diary.calendar.cancel(event)
        assert await _withdrawn(there, set(moved)) <= EVERY_S + A_READING_S
        assert slowest <= EVERY_S + A_READING_S
        assert not [one for one in there.sandbox.google.notifications if one.taken]


async def _found(there: Ground, events: set[str]) -> float:
    """Seconds until all of them are meetings."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        while events - {event for diary in there.diaries for event in await diary.rows()}:
            await asyncio.sleep(0.1)
    return time.monotonic() - began


async def _withdrawn(there: Ground, events: set[str]) -> float:
    began = time.monotonic()
    async with asyncio.timeout(60):
        while True:
            rows = {event: row for diary in there.diaries for event, row in (await diary.rows()).items()}
            if all(rows[event]["withdrawn"] == "cancelled" for event in events):
                return time.monotonic() - began
            await asyncio.sleep(0.1)
