"""The arithmetic: percentiles, the providers' critical path, and what a pace allowed."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

Record = Mapping[str, Any]


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed: a value that occurred, never one in between."""
    ordered = sorted(values)
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


def spread(values: Sequence[float]) -> float | None:
    """How far the values lie apart, as a share of their median; of one value nothing is known."""
    return (max(values) - min(values)) / percentile(values, 50) if len(values) > 1 else None


def critical_path_s(calls: Iterable[Record]) -> float:
    """How long the providers alone needed for one brief: its slowest subject, then the writing.

    The questions about one subject come one after the other, as do the writing's asks; subjects come side by side.
    """
    subjects: defaultdict[str, float] = defaultdict(float)
    writing = 0.0
    for call in calls:
        took = call["ended"] - call["started"]
        if call["provider"] == "perplexity":
            subjects[call["about"]] += took
        else:
            writing += took
    return max(subjects.values(), default=0.0) + writing


def by_tag(calls: Iterable[Record], tags: Iterable[str]) -> dict[str, list[Record]]:
    """The calls of each brief: its tag stands in each of its domains and addresses. Tags are equally long."""
    found: dict[str, list[Record]] = {tag: [] for tag in tags}
    for call in calls:
        for tag, its in found.items():
            if tag in (call["about"] or ""):
                its.append(call)
    return found


def most_in_window(starts: Iterable[float], window_s: float) -> int:
    """The largest number of starts in any half-open window of that length."""
    ordered, most, first = sorted(starts), 0, 0
    for last, start in enumerate(ordered):
        while start - ordered[first] >= window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def least_gap_s(starts: Iterable[float]) -> float:
    return min(later - earlier for earlier, later in pairwise(sorted(starts)))
