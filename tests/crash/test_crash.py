"""Killed at any call or transaction, a worker's heir goes on within seconds, and everything happens once.

One shape of a brief is enough here; `make crash` takes more. The harness itself is tested by bugs that it must see.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.crash.crash import STEPS, Report, Shape, crash, crashes, points
from tests.crash.doomed_worker import Point
from tests.crash.ground import Ground
from tests.crash.invariants import complaints
from tests.crash.witness import Call, Seen

LEAST = Shape.of(1)


def at(name: str, side: str, kind: str = "transaction") -> Point:
    return Point(kind, name, 1, side)


# A planted bug, a kill that brings it out, and what must be said of it.
PLANTED = [
    ("forgets answers", at("keep", "after"), "was bought again"),
    ("begins again", at("begin", "after"), "generating -> requested"),
    ("begins again", at("begin", "after"), "the run took its row more than once: version [2]"),
    ("finishes twice", at("finish", "after"), "2 briefs, and the research names"),
    ("stores answers twice", at("begin", "before"), "answers has"),
    ("stores answers twice", at("begin", "before"), "evidence has"),
    (None, at("nothing", "before"), "the worker never to its point"),
]


@pytest.fixture(scope="module")
async def found(there: Ground) -> list[Point]:
    return await points(there, LEAST)


@pytest.fixture(scope="module")
async def planted(there: Ground) -> AsyncIterator[dict[tuple[Any, Point], asyncio.Task[Report]]]:
    """The runs with bugs: begun once, beside the others."""
    cases = {(flaw, point) for flaw, point, _ in PLANTED}
    tasks = {(flaw, point): asyncio.create_task(crash(there, LEAST, point, flaw)) for flaw, point in cases}
    yield tasks
    for task in tasks.values():
        task.cancel()
    for report in await asyncio.gather(*tasks.values(), return_exceptions=True):
        if isinstance(report, Report) and report.history is not None:
            shutil.rmtree(report.history.parent)


async def test_the_points_are_before_and_after_every_step_of_a_brief(found: list[Point]) -> None:
    transactions = {point.name for point in found if point.kind == "transaction"}
    calls = {(point.name, point.nth) for point in found if point.kind == "call"}

    assert transactions >= STEPS
    assert calls == {("perplexity", 1), ("perplexity", 2), ("anthropic", 1)}
    assert len(found) == len(set(found))
    assert {replace(point, side="before") for point in found} == {point for point in found if point.side == "before"}
    assert {replace(point, side="after") for point in found} == {point for point in found if point.side == "after"}


@pytest.mark.timeout(300)
async def test_whenever_the_worker_is_killed_there_is_one_brief_and_nothing_is_doubled(
    there: Ground, found: list[Point], planted: object
) -> None:
    reports = await crashes(there, LEAST, found)

    assert [report.point for report in reports] == found
    assert not any(report.complaints for report in reports), "\n".join(str(one) for one in reports if one.complaints)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("flaw", "point", "words"), PLANTED)
async def test_the_harness_sees_a_planted_bug(
    planted: dict[tuple[Any, Point], asyncio.Task[Report]], flaw: str | None, point: Point, words: str
) -> None:
    report = await planted[flaw, point]

    assert any(words in complaint for complaint in report.complaints), report
    assert report.history is not None
    assert "Research" in report.history.read_text()
    assert f"killed at: {point}" in str(report)


@pytest.mark.timeout(120)
async def test_an_attempt_that_was_taken_for_dead_and_brings_its_answer_late_doubles_nothing(there: Ground) -> None:
    async with there.run("kim") as run, run.worker(flaw="comes late").running():
        await run.brief(60)

        assert complaints(await run.seen()) == []


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def seen(**changes: Any) -> Seen:
    """A run of which nothing bad can be said, with these tables changed."""
    rows: dict[str, list[dict[str, Any]]] = {
        "research": [{"status": "ready", "version": 1, "brief_id": "b"}],
        "briefs": [{"id": "b", "version": 1}],
        "events": [{"name": "research/generate.completed", "key": "k"}],
        "answers": [{"about": "company:acme.example", "asked": "q"}],
        "evidence": [{"subject_id": "c", "url": "u", "position": 1}],
        "leases": [],
        "tries": [{"subject_id": "c"}, {"subject_id": "b"}],
        "claims": [{"brief_id": "b", "position": 0}],
        "subjects": [{"id": "c"}],
        "ledger": [{"purpose": "p", "state": "settled", "micro_usd": 7, "month": 7}],
        "paid": [{"micro_usd": 7}],
        "changes": [
            *({"relation": "research", "status": status, "at": NOON} for status in ("requested", "generating")),
            {"relation": "answers", "asked": "q", "at": NOON},
            {"relation": "research", "status": "ready", "at": NOON},
        ],
    }
    calls = changes.pop("calls", [Call("company:acme.example", NOON.timestamp() - 1)])
    workflow = changes.pop("workflow", "COMPLETED")
    return Seen(rows={**rows, **changes}, calls=calls, workflow=workflow)


def test_nothing_is_said_of_a_good_run() -> None:
    assert complaints(seen()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"workflow": "FAILED"}, "the workflow is FAILED"),
        ({"research": [{"status": "generating", "version": 1, "brief_id": None}], "briefs": []}, "the status is"),
        ({"events": []}, "the events are []"),
        ({"events": [{"name": "research/generate.completed", "key": key} for key in "kl"]}, "the events are"),
        ({"leases": [{"subject_id": "c"}]}, "1 leases are left"),
        ({"claims": [{"brief_id": "b", "position": 0}] * 2}, "claims has 0 more than once"),
        ({"tries": [{"subject_id": letter} for letter in "cbd"]}, "3 tries for 1 subjects"),
        ({"calls": [Call("company:acme.example", NOON.timestamp() - n) for n in range(1, 4)]}, "bought 3 times"),
        ({"calls": [Call("company:acme.example", NOON.timestamp() + n) for n in (-1, 1)]}, "was bought again"),
        ({"calls": []}, "stored and not bought"),
        (
            {"ledger": [{"purpose": "p", "state": "reserved", "micro_usd": 7, "month": 7}]},
            "1 entries of the ledger are still reserved",
        ),
        ({"ledger": [{"purpose": "p", "state": "settled", "micro_usd": 7, "month": 7}] * 2}, "paid for more than once"),
        ({"paid": [{"micro_usd": 8}]}, "the ledger says 7"),
        (
            {"changes": [{"relation": "research", "status": word} for word in ("generating", "ready", "failed")]},
            "the status went generating -> ready -> failed",
        ),
    ],
)
def test_the_harness_sees_each_broken_promise(changes: dict[str, Any], words: str) -> None:
    if "changes" in changes:
        changes = {**changes, "answers": [], "calls": []}

    assert any(words in complaint for complaint in complaints(seen(**changes)))
