"""`python -m tests.crash --seeds 5`: every point of every seed, of briefs and of calendars, and a table of what became of it."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from starter.dev.postgres import Cluster
from tests.crash.crash import Report, Shape, crashes, points
from tests.crash.ground import Ground, ground
from tests.crash.lanes import Lanes, lanes
from tests.crash.stories import Story, Weather
from tests.crash.struck import KINDS, Told, struck
from tests.crash.struck import points as points_of

LANES, WIDE = 8, 12
BRIEFS = "brief"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="Kill the worker at every point.")
    parser.add_argument("--seeds", type=int, default=5, help="how many shapes of each story (default 5)")
    parser.add_argument("--seed", type=int, help="this one alone")
    told = [BRIEFS, *(kind.name for kind in KINDS)]
    parser.add_argument("--only", choices=told, help="this story alone")
    options = parser.parse_args()
    seeds = [options.seed] if options.seed else list(range(1, options.seeds + 1))
    folder = Path(tempfile.mkdtemp(prefix="greenroom-crash-"))
    cluster = Cluster(folder / "postgres")
    try:
        return asyncio.run(_all(cluster, seeds, [name for name in told if options.only in (None, name)]))
    finally:
        cluster.stop()
        shutil.rmtree(folder)


async def _all(cluster: Cluster, seeds: list[int], stories: list[str]) -> int:
    begun, reports = time.monotonic(), list[Report | Told]()
    if BRIEFS in stories:
        async with ground(cluster, "greenroom_crash", LANES) as there:
            for seed in seeds:
                reports += await _seed(there, Shape.of(seed))
    kinds = [kind for kind in KINDS if kind.name in stories]
    if kinds:
        async with lanes(cluster, "greenroom_lanes", WIDE) as wide:
            for seed in seeds:
                for kind in kinds:
                    reports += await _story(wide, kind, Weather.of(seed))
    bad = [report for report in reports if report.complaints]
    slowest = max(report.going_on_s for report in reports)
    say(f"\n{len(reports)} kills, {len(bad)} with complaints; went on within {slowest:.1f} s at most;")
    say(f"{time.monotonic() - begun:.0f} s in all.")
    return 1 if bad else 0


async def _seed(there: Ground, shape: Shape) -> list[Report]:
    found = await points(there, shape)
    reports = await crashes(there, shape, found)
    least = len({(point.kind, point.name, point.nth) for point in found if point.kind == "call"})
    say(f"\n{shape}: {len(found)} points, {least} calls without a kill")
    say(f"  {'killed at':<36}{'went on':>10}{'brief':>10}{'calls':>7}")
    _rows(reports, lambda one: f"{one.going_on_s:>8.1f} s{one.brief_s:>8.1f} s{one.calls:>7}")
    return reports


async def _story(there: Lanes, kind: type[Story], weather: Weather) -> list[Told]:
    found = await points_of(there, kind, weather)
    reports = await struck(there, kind, weather, found)
    say(f"\n{kind.name}, {weather}: {len(found)} points")
    say(f"  {'killed at':<36}{'went on':>10}{'at rest':>10}")
    _rows(reports, lambda one: f"{one.going_on_s:>8.1f} s{one.rest_s:>8.1f} s")
    return reports


def _rows(reports: Sequence[Any], figures: Callable[[Any], str]) -> None:
    for report in reports:
        mark = "  !" * bool(report.complaints) + "  (alone)" * report.again
        say(f"  {report.point!s:<36}{figures(report)}{mark}")
    for report in reports:
        if report.complaints:
            say(str(report))


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
