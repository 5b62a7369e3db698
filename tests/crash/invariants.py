"""What must hold of a run, whenever and however often its worker was killed. Each broken promise is a sentence."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from tests.crash.witness import Seen

ORDER = ("requested", "generating", "ready")

PROGRESS = "research/generate.progress"

# Two clocks of one machine, read a little apart.
SAME_MOMENT_S = 0.002


def complaints(seen: Seen) -> list[str]:
    return [complaint for check in CHECKS for complaint in check(seen)]


def _it_ends_with_one_brief(seen: Seen) -> Iterator[str]:
    research = seen.rows["research"]
    if [row["status"] for row in research] != ["ready"]:
        yield f"the status is {[row['status'] for row in research]}"
    if seen.workflow != "COMPLETED":
        yield f"the workflow is {seen.workflow}"
    if [row["version"] for row in research] != [1]:
        yield f"the run took its row more than once: version {[row['version'] for row in research]}"
    if [row["brief_id"] for row in research] != [row["id"] for row in seen.rows["briefs"]]:
        yield f"{len(seen.rows['briefs'])} briefs, and the research names {[row['brief_id'] for row in research]}"


def _it_is_told_once(seen: Seen) -> Iterator[str]:
    names = [row["name"] for row in seen.rows["events"]]
    if [name for name in names if name != PROGRESS] != ["research/generate.completed"] or names.count(PROGRESS) > 2:
        yield f"the events are {names}"


def _nothing_is_doubled(seen: Seen) -> Iterator[str]:
    keys: dict[str, Callable[[dict[str, Any]], object]] = {
        "answers": lambda row: (row["about"], row["asked"]),
        "evidence": lambda row: (row["subject_id"], row["url"]),
        "claims": lambda row: row["position"],
        "tries": lambda row: row["subject_id"],
    }
    for table, key in keys.items():
        for value in _repeated(map(key, seen.rows[table])):
            yield f"{table} has {value} more than once"


def _nothing_is_left_behind(seen: Seen) -> Iterator[str]:
    if seen.rows["leases"]:
        yield f"{len(seen.rows['leases'])} leases are left"
    if len(seen.rows["tries"]) > len(seen.rows["subjects"]) + 1:
        yield f"{len(seen.rows['tries'])} tries for {len(seen.rows['subjects'])} subjects"


def _a_question_is_bought_once_for_each_life(seen: Seen) -> Iterator[str]:
    for about, number in seen.bought().items():
        if number > 1 + seen.restarts:
            yield f"{about} was bought {number} times with {seen.restarts} restarts"


def _a_stored_answer_is_never_bought_again(seen: Seen) -> Iterator[str]:
    stored = seen.stored_at()
    for call in seen.calls:
        if call.about in stored and call.started > stored[call.about] + SAME_MOMENT_S:
            yield f"{call.about} was bought again, {call.started - stored[call.about]:.1f} s after it was stored"
    for about in set(stored) ^ set(seen.bought()):
        yield f"{about} was stored and not bought, or bought and not stored"


def _the_ledger_says_what_was_bought(seen: Seen) -> Iterator[str]:
    ledger = seen.rows["ledger"]
    settled, paid = sum(row["micro_usd"] for row in ledger), seen.rows["paid"][0]["micro_usd"]
    for state, number in Counter(row["state"] for row in ledger).items():
        if state in ("planned", "reserved"):
            yield f"{number} entries of the ledger are still {state}"
    for purpose in _repeated(row["purpose"] for row in ledger if row["state"] == "settled"):
        yield f"{purpose} was paid for more than once"
    if settled != paid or any(row["month"] != settled for row in ledger):
        yield f"the ledger says {settled}, the month {[row['month'] for row in ledger]}, the answers {paid}"


def _the_status_only_goes_on(seen: Seen) -> Iterator[str]:
    statuses = [row["status"] for row in seen.rows["changes"] if row["relation"] == "research"]
    steps = [ORDER.index(status) if status in ORDER else -1 for status in statuses]
    if any(later < earlier or later - earlier > 1 for earlier, later in pairwise(steps)) or -1 in steps:
        yield f"the status went {' -> '.join(statuses)}"


def _repeated(values: Iterable[object]) -> list[object]:
    return [value for value, number in Counter(values).items() if number > 1]


CHECKS = (
    _it_ends_with_one_brief,
    _it_is_told_once,
    _nothing_is_doubled,
    _nothing_is_left_behind,
    _a_question_is_bought_once_for_each_life,
    _a_stored_answer_is_never_bought_again,
    _the_ledger_says_what_was_bought,
    _the_status_only_goes_on,
)
