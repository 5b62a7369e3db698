"""The worker is killed between all transactions and calls of a skill's run, and while it writes: what comes of it is the
same, once, for no more money than it takes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.skills import NewRun, RunStatus, RunView
from starter import skills
from starter.dev.postgres import Cluster
from starter.office import Office
from tests.crash.doomed_worker import Order, Point, deaths
from tests.crash.lanes import Lane, Lanes, lanes
from tests.crash.servers import WorkerProcess
from tests.stage import Stage
from workflows import ids

LANES = 3
WITHIN_S = 90.0

# What a run does, by the names of its transactions and calls. What only reads, and drafts, are none of it.
MINE = frozenset({"begin", "reserve", "keep", "write", "_finish", "anthropic", "put"})


@pytest.fixture(scope="module")
async def there(cluster: Cluster) -> AsyncIterator[Lanes]:
    async with lanes(cluster, "greenroom_skills", LANES) as opened:
        yield opened


class Story:
    """One run of one user, looked after by whoever is there; about something that nobody else asks about."""

    def __init__(self, lane: Lane, folder: Path) -> None:
        self.lane = lane
        self.stage: Stage = lane.stage()
        self.marker = f"canals-{uuid4().hex[:8]}"
        self._settings = self.stage.settings(objects_url=folder.as_uri())
        self._office = Office(self._settings, self.stage.database, lane.client)

    def worker(self, point: Point | None = None) -> WorkerProcess:
        namespace, trail = self.lane.client.namespace, self.lane.folder / f"{uuid4()}.trail"
        return WorkerProcess(Order(self._settings, self.lane.address, namespace, trail, point, clock=False))

    async def begin(self) -> Any:
        await self.stage.set_up(datetime.now(UTC))
        wanted = NewRun(user_id=self.stage.user.id, skill="follow-up", message=f"Thank them for {self.marker}")
        self.run_id = (await skills.ask(self._office, self.stage.tenant.id, wanted)).run_id
        return self.lane.client.get_workflow_handle(ids.skill(self.stage.tenant.id, self.run_id))

    def calls(self) -> int:
        return sum(self.marker in str(one["request"]) for one in self.stage.calls("anthropic"))

    async def view(self) -> RunView:
        view = await self._office.skill_runs.view(self.stage.tenant.id, None, self.run_id)
        assert view is not None
        return view

    async def spent(self) -> list[tuple[str, str]]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            rows = await connection.fetch("SELECT purpose, state FROM spending")
            return [(row["purpose"], row["state"]) for row in rows]

    async def complaints(self) -> list[str]:
        """Whatever is not as it would be had nobody died."""
        view, spent = await self.view(), await self.spent()
        settled = Counter(purpose.partition("/")[0] for purpose, state in spent if state == "settled")
        events = [one.name for one in await self.stage.events.after(self.stage.tenant.id, 0)]
        expected: dict[str, tuple[object, object]] = {
            "status": (RunStatus.COMPLETED, view.status),
            "events": (["skill.execute.progress", "skill.execute.completed"], events),
            "outputs": (1, await self.stage.count("outputs")),
            "replies": (2, await self.stage.count("skill_replies")),
            "settled": ({"reply": 2}, dict(settled)),
            "set aside": ([], [one for one in spent if one[1] in ("planned", "reserved")]),
            "unneeded": (0, await self.stage.count("unneeded_objects")),
        }
        return [f"{what} is {got}, not {wanted}" for what, (wanted, got) in expected.items() if wanted != got]


def lost(trail: Sequence[str]) -> int:
    """How many calls were begun of which nothing was stored: those alone are bought again."""
    begun = sum(line.startswith("call anthropic ") and line.endswith("before") for line in trail)
    return begun - sum(line.startswith("transaction keep ") and line.endswith("after") for line in trail)


async def _whole(there: Lanes, folder: Path) -> list[Point]:
    """Where a run comes by that nobody interrupts."""
    async with there.one() as lane:
        story = Story(lane, folder)
        worker = story.worker()
        async with worker.running():
            handle = await story.begin()
            try:
                await asyncio.wait_for(handle.result(), WITHIN_S)
            except TimeoutError:
                raise AssertionError(f"it never ended: {worker.trail()[-3:]} {worker.words()}") from None
        assert await story.complaints() == []
        assert story.calls() == 2
        return [point for point in map(Point.parse, worker.trail()) if point.name in MINE]


async def _struck(there: Lanes, folder: Path, point: Point) -> list[str]:
    async with there.one() as lane:
        story = Story(lane, folder)
        async with story.worker(point).running() as doomed:
            handle = await story.begin()
            if await doomed.ended(WITHIN_S) != -9:
                return [f"{point}: it was not killed: {doomed.words()}"]
            trail = doomed.trail()
        async with story.worker().running() as heir:
            try:
                await asyncio.wait_for(handle.result(), WITHIN_S)
            except TimeoutError:
                return [f"{point}: it never ended: {heir.trail()[-3:]} {heir.words()}"]
        said = await story.complaints()
        if (calls := story.calls()) > 2 + lost(trail):
            said.append(f"it was asked {calls} times, and {lost(trail)} were lost")
        return [f"{point}: {one}" for one in said]


@pytest.mark.timeout(900)
async def test_a_run_that_is_killed_anywhere_ends_as_if_it_had_not_been(there: Lanes, tmp_path: Path) -> None:
    points = await _whole(there, tmp_path)
    assert {point.name for point in points} == MINE
    told = await asyncio.gather(*(_struck(there, tmp_path, point) for point in deaths(points)))
    assert [said for one in told for said in one] == []


async def test_a_run_that_is_killed_while_it_writes_is_written_again_once(there: Lanes, tmp_path: Path) -> None:
    """At the fifth piece of its text: the answer before it, which is kept, is not bought again."""
    assert await _struck(there, tmp_path, Point("call", "heard", 5, "after")) == []
