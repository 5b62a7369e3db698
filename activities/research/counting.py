"""How many claims survived their check and how many did not, for whoever watches the workers: our own words, no names."""

from collections.abc import Mapping

from temporalio import activity


def count_claims(kept: int, dropped: Mapping[str, int]) -> None:
    """Adds to `greenroom_claims`, beside the worker's other metrics. Each draft that is checked is counted, good or bad."""
    counter = activity.metric_meter().create_counter("greenroom_claims", "Claims that were checked.")
    if kept:
        counter.add(kept, {"outcome": "kept", "reason": "none"})
    for reason, number in dropped.items():
        counter.add(number, {"outcome": "refused", "reason": reason})
