"""One brief, one kill: a worker dies at a point, an heir takes over, and what was promised still holds.

begun ─▶ the doomed worker ─▶ SIGKILL ─▶ its heir polls ─▶ the next effect ─▶ the brief ─▶ invariants
"""

import asyncio
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.crash.doomed_worker import Point
from tests.crash.ground import Ground, Run
from tests.crash.invariants import complaints
from tests.crash.servers import WorkerProcess

# From the first poll of the heir to its first effect.
GOES_ON_WITHIN_S = 10.0
DIES_WITHIN_S = 30.0
ARRIVES_WITHIN_S = 60.0

LATE = "the heir went on after"
BOUGHT_TOO_OFTEN = re.compile(r"\S+( again)? was bought \d+ times")

# What the points of any run must be about.
STEPS = frozenset({"begin", "claim", "reserve", "keep", "material", "keep_answer", "finish"})


@dataclass(frozen=True)
class Shape:
    """What kind of brief it is that is interrupted. The first seed's is the least: one prospect and their company."""

    seed: int
    prospects: tuple[str, ...] = ("kim",)
    companies: int = 1
    delays: dict[str, float] = field(default_factory=dict)
    paced: bool = False
    asked_again: bool = False

    @classmethod
    def of(cls, seed: int) -> "Shape":
        if seed == 1:
            return cls(seed)
        dice = random.Random(f"crash {seed}")
        prospects = dice.choice((("kim",), ("kim", "lee")))
        return cls(
            seed,
            prospects,
            companies=dice.randint(1, len(prospects)),
            delays={"perplexity": dice.choice((0.0, 0.3, 1.5)), "anthropic": dice.choice((0.0, 0.3, 1.5))},
            paced=dice.random() < 0.5,
            asked_again=dice.random() < 0.5,
        )

    def settings(self) -> dict[str, Any]:
        """A pace whose gap makes the second of two look-ups wait."""
        return {"perplexity_pace": "1000/60s+0.5s"} if self.paced else {}

    def __str__(self) -> str:
        words = [f"{len(self.prospects)} prospects, {self.companies} companies"]
        words += [f"{name} {seconds:g} s" for name, seconds in self.delays.items() if seconds]
        words += ["paced"] * self.paced + ["asked again"] * self.asked_again
        return f"seed {self.seed}: {', '.join(words)}"


@dataclass
class Report:
    """What became of one crash; no complaints means that everything held."""

    shape: Shape
    point: Point
    complaints: list[str] = field(default_factory=list)
    going_on_s: float = 0.0
    brief_s: float = 0.0
    calls: int = 0
    again: bool = False
    history: Path | None = None

    @property
    def crowded(self) -> bool:
        """All that is said of it a machine that was busy with something else explains."""
        return all(complaint.startswith(LATE) or BOUGHT_TOO_OFTEN.match(complaint) for complaint in self.complaints)

    def __str__(self) -> str:
        said = [f"{self.shape}; killed at: {self.point}", *(f"  {complaint}" for complaint in self.complaints)]
        return "\n".join([*said, f"  history: {self.history}"])


async def points(ground: Ground, shape: Shape) -> list[Point]:
    """A run without a kill: everything that it comes by, in order."""
    async with _begun(ground, shape) as run, run.worker().running() as worker:
        await run.brief(ARRIVES_WITHIN_S)
        assert complaints(await run.seen()) == []
        return [Point.parse(line) for line in worker.trail()]


async def crashes(ground: Ground, shape: Shape, where: Iterable[Point]) -> list[Report]:
    """A run for each point, as many at once as there are lanes.

    On a busy machine a living worker misses heartbeats, and its heir is slow: such a point is looked at again, alone.
    """
    reports = await asyncio.gather(*(crash(ground, shape, point) for point in where))
    return [await _again(ground, report) if report.complaints and report.crowded else report for report in reports]


async def _again(ground: Ground, first: Report) -> Report:
    report = await crash(ground, first.shape, first.point)
    report.again = True
    return report


async def crash(ground: Ground, shape: Shape, point: Point, flaw: str | None = None) -> Report:
    report = Report(shape, point)
    async with _begun(ground, shape) as run:
        try:
            async with run.worker(point, flaw).running() as doomed:
                died = await _dies(run, doomed, point)
            run.restarts = 1
            async with run.worker(flaw=flaw).running() as heir:
                polled = await heir.polls(run.client)
                await run.brief(ARRIVES_WITHIN_S)
            await _judge(run, report, died, polled)
        except Exception as error:  # noqa: BLE001 - whatever it was, the report says at which point
            report.complaints.append(f"{type(error).__name__}: {error}")
        if report.complaints:
            report.history = await run.history()
    return report


def _begun(ground: Ground, shape: Shape) -> Any:
    ground.sandbox.delays.update({"perplexity": 0.0, "anthropic": 0.0} | shape.delays)
    return ground.run(*shape.prospects, companies=shape.companies, asked_again=shape.asked_again, **shape.settings())


async def _dies(run: Run, doomed: WorkerProcess, point: Point) -> datetime:
    """It must be dead by SIGKILL, at this point and nowhere else, before there is a brief."""
    death = asyncio.create_task(doomed.ended(DIES_WITHIN_S))
    brief = asyncio.create_task(run.brief(DIES_WITHIN_S))
    await asyncio.wait([death, brief], return_when=asyncio.FIRST_COMPLETED)
    for task in (death, brief):
        task.cancel()
    await asyncio.gather(death, brief, return_exceptions=True)
    last = doomed.trail()[-1:]
    if brief.done() and not brief.cancelled():
        raise AssertionError(f"the brief came, and the worker never to its point; its last was {last}")
    if death.result() != -9 or last != [str(point)]:
        raise AssertionError(f"it ended with {death.result()} at {last}: {doomed.words()}")
    return datetime.now(UTC)


async def _judge(run: Run, report: Report, died: datetime, polled: datetime) -> None:
    seen = await run.seen()
    closed = (await run.handle.describe()).close_time
    effects = [moment for moment in (seen.next_effect(died), closed) if moment is not None]
    report.going_on_s = max((min(effects) - polled).total_seconds(), 0.0)
    report.brief_s = (max(effects) - polled).total_seconds()
    report.calls = len(seen.calls)
    report.complaints += complaints(seen)
    if report.going_on_s > GOES_ON_WITHIN_S:
        report.complaints.append(f"{LATE} {report.going_on_s:.1f} s")
