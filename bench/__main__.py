"""`python -m bench`: measure, print one table, keep the figures."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from bench import cpu, scenarios, table
from bench.report import machine, report
from bench.servers import Servers, serving
from starter.words import SaidError

RESULTS = Path(__file__).parent / "results"
BRIEFS, MANY = 40, 200
INTERRUPTED = 130


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What durability costs, beside plain asyncio.")
    parser.add_argument("-n", "--briefs", type=_count, help=f"briefs at once (default {BRIEFS})")
    parser.add_argument("--full", action="store_true", help=f"{MANY} briefs at once")
    parser.add_argument("--quick", action="store_true", help="about a minute, for a first look")
    parser.add_argument("--only", type=_groups, default="abc", metavar="abc", help="a: no delays, b: delays, c: pacing")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of the table")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where the figures are kept")
    return parser.parse_args(words)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of briefs; write one from 1 to 1000")
    return int(text)


def _groups(text: str) -> str:
    if not text or set(text) - set("abc"):
        raise argparse.ArgumentTypeError(f"{text!r} names no scenarios; write for example ab")
    return text


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole run on servers of its own. SIGTERM ends it as Ctrl-C does: the servers first."""
    this = asyncio.current_task()
    assert this is not None, "we run in one"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    briefs = options.briefs or (MANY if options.full else 10 if options.quick else BRIEFS)
    schedule = scenarios.schedule(briefs, quick=options.quick, groups=options.only)
    say("starting Postgres, Temporal, the sandbox and the workers")
    async with serving(folder) as servers, scenarios.bench(servers, say) as bench:
        where = machine(await _postgres(servers))
        before, began = _worked(servers), time.monotonic()
        measured = await bench.measured(schedule)
        others = (_worked(servers) - before) / (time.monotonic() - began) / (os.cpu_count() or 1)
    return report(measured, {**where, "others_share": round(max(others, 0.0), 3)}, datetime.now(UTC))


def _worked(servers: Servers) -> float:
    """CPU seconds that the machine spent on anything but us."""
    return cpu.machine_busy_s() - sum(servers.cpu_s().values())


async def _postgres(servers: Servers) -> str:
    connection = await asyncpg.connect(servers.urls.application)
    try:
        answer: str = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return answer


def say(sentence: str) -> None:
    sys.stderr.write(f"bench: {sentence}\n")
    sys.stderr.flush()


def keep(document: dict[str, Any], results: Path) -> Path:
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"{document['at'].replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


def run(options: argparse.Namespace) -> None:
    # Nothing is read from the folder we were started in: no `.env`, no stack that happens to run there.
    results = options.results.resolve()
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as name, contextlib.chdir(name):
        document = asyncio.run(measure(options, Path(name)))
    path = keep(document, results)
    if options.json:
        print(json.dumps(document, indent=2))
    else:
        table.show(document)
    say(f"kept in {os.path.relpath(path)}")


def main() -> int:
    try:
        run(arguments(sys.argv[1:]))
    except SaidError as error:
        say(str(error))
        return error.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("interrupted; every server has been stopped")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
