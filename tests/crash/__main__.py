"""`python -m tests.crash --seeds 5`: every point of every seed, and a table of what became of it."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from starter.dev.postgres import Cluster
from tests.crash.crash import Report, Shape, crashes, points
from tests.crash.ground import Ground, ground

LANES = 8


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="Kill the worker at every point.")
    parser.add_argument("--seeds", type=int, default=5, help="how many shapes of a brief (default 5)")
    parser.add_argument("--seed", type=int, help="this one alone")
    options = parser.parse_args()
    seeds = [options.seed] if options.seed else list(range(1, options.seeds + 1))
    folder = Path(tempfile.mkdtemp(prefix="greenroom-crash-"))
    cluster = Cluster(folder / "postgres")
    try:
        return asyncio.run(_all(cluster, seeds))
    finally:
        cluster.stop()
        shutil.rmtree(folder)


async def _all(cluster: Cluster, seeds: list[int]) -> int:
    begun, reports = time.monotonic(), list[Report]()
    async with ground(cluster, "greenroom_crash", LANES) as there:
        for seed in seeds:
            reports += await _seed(there, Shape.of(seed))
    bad = [report for report in reports if report.complaints]
    slowest = max(report.going_on_s for report in reports)
    say(f"{len(reports)} kills, {len(bad)} with complaints; went on within {slowest:.1f} s at most;")
    say(f"{time.monotonic() - begun:.0f} s in all.")
    return 1 if bad else 0


async def _seed(there: Ground, shape: Shape) -> list[Report]:
    found = await points(there, shape)
    reports = await crashes(there, shape, found)
    least = len({(point.kind, point.name, point.nth) for point in found if point.kind == "call"})
    say(f"\n{shape}: {len(found)} points, {least} calls without a kill")
    say(f"  {'killed at':<32}{'went on':>10}{'brief':>10}{'calls':>7}")
    for report in reports:
        mark = "  !" * bool(report.complaints) + "  (alone)" * report.again
        say(f"  {report.point!s:<32}{report.going_on_s:>8.1f} s{report.brief_s:>8.1f} s{report.calls:>7}{mark}")
    for report in reports:
        if report.complaints:
            say(str(report))
    return reports


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
