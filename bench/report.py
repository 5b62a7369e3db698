"""From blocks to figures: one row for each scenario and way, and what durable is of plain."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from bench import figures
from bench.history import History
from bench.load import Block
from bench.scenarios import Measured, Pacing, Scenario
from bench.ways import Durable, Plain
from starter.dev.stack import script

Row = dict[str, Any]

WAYS = {way.name: way.servers for way in (Plain, Durable)}


def report(measured: Measured, machine: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Everything that was measured, as JSON."""
    rows = [_row(scenario, way, blocks) for (scenario, way), blocks in measured.blocks.items()]
    pacing = measured.schedule.pacing
    return {
        "at": at.isoformat(timespec="seconds"),
        "machine": machine,
        "pace": "unlimited, but for the row about pacing",
        "rows": rows,
        "ratios": [_ratio(plain, durable) for plain, durable in zip(rows[::2], rows[1::2], strict=True)],
        "pacing": _pacing(pacing, measured.paced) if pacing and measured.paced else None,
    }


def _row(scenario: Scenario, way: str, blocks: Sequence[Block]) -> Row:
    return {
        "scenario": scenario.name,
        "group": scenario.group,
        "way": way,
        "delays_s": scenario.delays,
        "blocks": len(blocks),
        **_times(blocks, delayed=any(scenario.delays.values())),
        **_costs(way, blocks),
    }


def _times(blocks: Sequence[Block], *, delayed: bool) -> Row:
    """Of a critical path that takes no time no multiple is told: that would be about the sandbox's own speed."""
    times = [seconds for block in blocks for seconds in block.times_s]
    paths = [seconds for block in blocks for seconds in block.paths_s]
    of_path = [time / path for time, path in zip(times, paths, strict=True)]
    return {
        "briefs": len(times),
        "times_ms": [_ms(seconds) for seconds in times],
        "briefs_per_s": round(len(times) / sum(block.wall_s for block in blocks), 2),
        "p50_ms": _ms(figures.percentile(times, 50)),
        "p95_ms": _ms(figures.percentile(times, 95)),
        "critical_path_p50_ms": _ms(figures.percentile(paths, 50)),
        "of_critical_path_p50": round(figures.percentile(of_path, 50), 3) if delayed else None,
        "of_critical_path_p95": round(figures.percentile(of_path, 95), 3) if delayed else None,
    }


def _costs(way: str, blocks: Sequence[Block]) -> Row:
    """For each brief. `beside_cpu_ms` is what the providers and the load itself took: it is no cost of a brief."""
    briefs = sum(block.briefs for block in blocks)
    history = sum((block.history for block in blocks), History())
    cpu = {name: round(_cpu_ms(blocks, name), 1) for name in WAYS[way]}
    worker, *servers = cpu
    return {
        "cpu_ms": {"worker": cpu[worker], "temporal": 0.0, **{name: cpu[name] for name in servers}},
        "cpu_ms_in_all": round(sum(_cpu_ms(blocks, name) for name in WAYS[way]), 1),
        "cpu_ms_in_all_by_block": [round(sum(_cpu_ms([block], name) for name in WAYS[way]), 1) for block in blocks],
        "beside_cpu_ms": {name: round(_cpu_ms(blocks, name), 1) for name in ("sandbox", "client")},
        "provider_calls": round(sum(len(block.calls) for block in blocks) / briefs, 2),
        "history_events": round(history.events / briefs, 1),
        "history_bytes": round(history.bytes / briefs),
        "setbacks": dict(history.setbacks),
    }


def _ratio(plain: Row, durable: Row) -> Row:
    """Durable as a multiple of plain, and how far plain itself was spread: less than that means nothing."""
    spread = figures.spread(plain["cpu_ms_in_all_by_block"])
    return {
        "scenario": plain["scenario"],
        "cpu": round(durable["cpu_ms_in_all"] / plain["cpu_ms_in_all"], 2),
        "p50": round(durable["p50_ms"] / plain["p50_ms"], 3),
        "briefs_per_s": round(durable["briefs_per_s"] / plain["briefs_per_s"], 3),
        "plain_cpu_spread": None if spread is None else round(spread, 3),
    }


def _pacing(pacing: Pacing, block: Block) -> Row:
    """What the providers saw, against the settings. Its workers have just been started, so their CPU time tells nothing."""
    starts = [call["started"] for call in block.calls if call["provider"] == "perplexity"]
    limits = pacing.limits
    return {
        "pace": pacing.pace,
        "workers": pacing.workers,
        "look_ups": len(starts),
        "most_in_window": figures.most_in_window(starts, limits.window_s),
        "allowed_in_window": limits.per_window,
        "least_gap_s": round(figures.least_gap_s(starts), 3),
        "allowed_gap_s": limits.gap_s,
        "took_s": round(max(starts) - min(starts), 2),
        "least_possible_s": round(least_possible_s(pacing, len(starts)), 2),
        "setbacks": dict(block.history.setbacks),
    }


def least_possible_s(pacing: Pacing, look_ups: int) -> float:
    """From the first start to the last, when no moment of the pace is lost."""
    limits, starts = pacing.limits, [0.0]
    for number in range(1, look_ups):
        window = starts[number - limits.per_window] + limits.window_s if number >= limits.per_window else 0.0
        starts.append(max(starts[-1] + limits.gap_s, window))
    return starts[-1]


def machine(postgres: str) -> dict[str, Any]:
    """Where it was measured, as far as figures depend on it."""
    temporal = subprocess.run([script("temporal"), "--version"], capture_output=True, text=True, check=True)
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "temporalio": version("temporalio"),
        "temporal": temporal.stdout.strip().removeprefix("temporal version "),
        "postgres": postgres,
        "load_before": round(os.getloadavg()[0], 2),
    }


def _cpu_ms(blocks: Sequence[Block], name: str) -> float:
    return sum(block.cpu_s[name] for block in blocks) * 1000 / sum(block.briefs for block in blocks)


def _ms(seconds: float) -> float:
    """Tenths where they may mean something."""
    return round(seconds * 1000, 1 if seconds < 0.1 else 0)
