"""`python -m tests.flood`: ten thousand notifications, and a table of what became of them."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from starter.dev.postgres import Cluster
from tests.flood.flood import Storm, flood, ground


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.flood", description="A storm of notifications.")
    parser.add_argument("--notifications", type=int, default=10_000, help="how many in all (default 10,000)")
    parser.add_argument("--calendars", type=int, default=50, help="about how many calendars (default 50)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="greenroom-flood-"))
    cluster = Cluster(folder / "postgres")
    try:
        return asyncio.run(_run(cluster, options.notifications, options.calendars))
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _run(cluster: Cluster, notifications: int, calendars: int) -> int:
    """One change in twenty; one in ten comes late, one in ten is forged, the rest are echoes."""
    changes, tenth = notifications // 20, notifications // 10
    storm = Storm(changes, notifications - changes - 2 * tenth, tenth, tenth, calendars=calendars)
    async with ground(cluster, calendars) as there:
        outcome = await flood(there, storm)
    sys.stdout.write(f"{outcome}\n")
    good = set(outcome.statuses) == {200} and not outcome.missing and max(outcome.seconds) < 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
