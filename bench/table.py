"""The one table, for a terminal or a file."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

COLUMNS = (
    "briefs/s",
    "p50 ms",
    "p95 ms",
    "of path",
    "worker",
    "temporal",
    "postgres",
    "in all",
    "events",
    "kB",
    "setbacks",
)

# A file has no width; this holds the longest row.
PLAIN_WIDTH = 150

NOTES = (
    "3+10 s: a look-up takes the providers 3 s and the writing 10 s. fresh: everybody was looked up before, no children.",
    "of path: a brief's time as a multiple of the providers' own critical path, at the median.",
    "worker, temporal, postgres, in all: CPU-ms for each brief. events, kB: its history, children included.",
    "setbacks: time-outs, failures and second attempts in all of these histories; a run at its ease has none.",
    "pace: starts in any window of at most, least gap of at least, and the time they took of the least possible.",
    "plain: the same calls, checks and writes by an asyncio script that nothing survives; durable/plain is the ratio.",
)


def show(report: dict[str, Any]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    console.print(_table(report))
    for line in (*NOTES, _where(report), _noise(report)):
        console.print(line, style="dim", soft_wrap=True)


def _table(report: dict[str, Any]) -> Table:
    table = Table(
        title=f"Greenroom bench, pace {report['pace']}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("scenario", no_wrap=True)
    table.add_column("way", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for plain, durable, ratio in zip(report["rows"][::2], report["rows"][1::2], report["ratios"], strict=True):
        table.add_row(plain["scenario"], "plain", *_cells(plain))
        table.add_row("", "durable", *_cells(durable))
        table.add_row("", "ratio", *_ratio_cells(ratio), style="bold", end_section=True)
    if report["pacing"] is not None:
        table.add_row(_pacing_words(report["pacing"]), "durable")
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    cpu, of_path = row["cpu_ms"], row["of_critical_path_p50"]
    return [
        f"{row['briefs_per_s']:.2f}",
        _short(row["p50_ms"]),
        _short(row["p95_ms"]),
        "" if of_path is None else f"{of_path:.3f}",
        *(_short(cpu[name]) for name in ("worker", "temporal", "postgres")),
        _short(row["cpu_ms_in_all"]),
        _short(row["history_events"]),
        f"{row['history_bytes'] / 1000:.1f}",
        str(sum(row["setbacks"].values())),
    ]


def _ratio_cells(ratio: dict[str, Any]) -> list[str]:
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {"briefs/s": f"{ratio['briefs_per_s']:.2f}", "p50 ms": f"{ratio['p50']:.2f}"}
    return list((cells | {"in all": f"{ratio['cpu']:.1f}"}).values())


def _pacing_words(pacing: dict[str, Any]) -> str:
    """What the providers saw, each beside what the settings allow."""
    window = pacing["pace"].partition("/")[2].partition("+")[0]
    return (
        f"pace {pacing['pace']}\n"
        f"  {pacing['look_ups']} look-ups, {pacing['workers']} workers\n"
        f"  any {window}: {pacing['most_in_window']} of {pacing['allowed_in_window']}\n"
        f"  gap: {pacing['least_gap_s']} of {pacing['allowed_gap_s']} s\n"
        f"  took {pacing['took_s']} of {pacing['least_possible_s']} s"
    )


def _where(report: dict[str, Any]) -> str:
    machine = report["machine"]
    return (
        f"{report['at']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"temporalio {machine['temporalio']}, Temporal CLI {machine['temporal']}, Postgres {machine['postgres']}."
    )


def _noise(report: dict[str, Any]) -> str:
    machine = report["machine"]
    known = [ratio["plain_cpu_spread"] for ratio in report["ratios"] if ratio["plain_cpu_spread"] is not None]
    spreads = ", ".join(f"{spread:.0%}" for spread in known)
    return (
        f"Noise: others used {machine['others_share']:.0%} of the machine meanwhile (load before: "
        f"{machine['load_before']}); CPU of the plain blocks of each scenario lay apart by {spreads or 'an unknown share'}."
    )


def _short(value: float) -> str:
    """Three figures: more would be noise."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
