"""The server is away for two mornings. A day takes twelve seconds here: our schedule, with nothing else about it changed."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from temporalio.client import ScheduleIntervalSpec, ScheduleSpec

from starter import schedules
from tests.crash.servers import TemporalServer
from tests.digests.life import World, working
from tests.stage import Stage

# A server makes up for nothing that is older than its window, and takes no window of less than ten seconds.
A_DAY = timedelta(seconds=12)


async def test_after_two_missed_mornings_there_is_one_the_last(tmp_path: Path, stage: Stage) -> None:
    ours = schedules.wanted(stage.settings())[schedules.DIGESTS]
    assert ours.policy.catchup_window == timedelta(days=1)
    short = replace(
        ours,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=A_DAY)]),
        policy=replace(ours.policy, catchup_window=A_DAY),
    )
    server, world = TemporalServer(tmp_path, ["mornings"]), World()
    async with server.running():
        client = await server.client("mornings")
        async with working(client, world):
            schedule = await client.create_schedule(str(uuid4()), short)
            await _swept(world, 1)
            await server.kill(away_s=2 * A_DAY.total_seconds())
            await _swept(world, 3)
            told = (await schedule.describe()).info

    before, made_up, next_one = _mornings(world)[:3]
    assert made_up - before == 2 * A_DAY, "the first of the two is over"
    assert next_one - made_up == A_DAY
    assert told.num_actions_missed_catchup_window == 1


async def _swept(world: World, times: int) -> None:
    async with asyncio.timeout(4 * A_DAY.total_seconds()):
        while len(_mornings(world)) < times:
            await asyncio.sleep(0.1)


def _mornings(world: World) -> list[datetime]:
    """Each once: a step that the server had not heard the end of is done again."""
    return list(dict.fromkeys(one.at for one in world.pagings))
