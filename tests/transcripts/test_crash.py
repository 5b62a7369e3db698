"""The worker is killed between all transactions and calls of a reading; what comes of it is the same, once, for no more
money than it takes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from activities.people import PersonKeys
from activities.store.calls import CallStore
from activities.transcripts.parts import split
from activities.transcripts.ports import NewCall
from schemas.transcripts import CallStatus, Source
from starter import start
from starter.dev.postgres import Cluster
from tests.crash.doomed_worker import Point, deaths
from tests.crash.lanes import Lane, Lanes, lanes
from tests.stage import KEY, Stage
from tests.transcripts.twins import HELD, long

PARTS = 2
LANES = 4
WITHIN_S = 60.0
_TURNS = tuple(one.model_copy(update={"text": one.text[:14_000]}) for one in long(PARTS).turns)

# What a reading does, by the names of its transactions and calls.
MINE = frozenset({"begin", "heard", "reserve", "keep_answer", "finish", "gemini"})


@pytest.fixture(scope="module")
async def there(cluster: Cluster) -> AsyncIterator[Lanes]:
    async with lanes(cluster, "greenroom_calls", LANES) as opened:
        yield opened


class Story:
    """One call of one tenant, read by whoever is there."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.stage: Stage = lane.stage()
        self.marker = f"thing {uuid4().hex[:12]}"
        turns = tuple(one.model_copy(update={"text": one.text.replace("thing", self.marker)}) for one in _TURNS)
        self.said = long(PARTS).model_copy(update={"turns": turns})

    async def begin(self) -> Any:
        await self.stage.set_up(datetime.now(UTC))
        call = NewCall(
            source=Source.UPLOAD,
            source_key=str(uuid4()),
            started_at=HELD,
            owner_email=self.stage.user.email,
            sandbox=True,
        )
        taken = await CallStore(self.stage.database, PersonKeys(KEY)).take(
            self.stage.tenant.id, call, self.said, datetime.now(UTC)
        )
        return await start.transcript(self.lane.client, self.stage.tenant.id, taken.call_id)

    def bought(self) -> int:
        return sum(self.marker in str(call["request"]) for call in self.stage.calls("gemini"))

    async def complaints(self, trail: Sequence[str] = ()) -> list[str]:
        """Whatever is not as it would be had nobody died, with this trail. Only what nobody had stored is bought again."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            call = dict(await connection.fetchrow("SELECT * FROM calls"))
            spent = await connection.fetch("SELECT purpose, state FROM spending")
            events = Counter(row["name"] for row in await connection.fetch("SELECT name FROM events ORDER BY sequence"))
        begun = sum(line.startswith("call gemini") and line.endswith("before") for line in trail)
        stored = sum(line.startswith("transaction keep_answer") and line.endswith("after") for line in trail)
        parts = len(split(self.said))
        expected = {
            "status": ("parsed", call["status"]),
            "version": (1, call["version"]),
            "history status": ("updated", call["history_status"]),
            "history": (1, await self.stage.count("opportunity_history")),
            "findings": (call["kept"], await self.stage.count("findings")),
            "readings": (parts, await self.stage.count("readings")),
            "events": ({"transcript/parse.progress": 1, "transcript/parse.completed": 1}, dict(events)),
            "settled": ({f"part/{n + 1}/1": 1 for n in range(parts)}, _settled(spent)),
        }
        said = [f"{what} is {got}, not {wanted}" for what, (wanted, got) in expected.items() if wanted != got]
        if not parts <= self.bought() <= parts + begun - stored:
            said.append(f"{self.bought()} calls for {parts} parts")
        if any(row["state"] in ("planned", "reserved") for row in spent):
            said.append("money is still set aside")
        return said


def _settled(spent: list[Any]) -> dict[str, int]:
    return dict(sorted(Counter(row["purpose"] for row in spent if row["state"] == "settled").items()))


async def _points(there: Lanes) -> list[Point]:
    """Where a reading comes by that nobody interrupts."""
    async with there.one() as lane:
        worker = lane.worker()
        await lane.keep(worker)
        story = Story(lane)
        handle = await story.begin()
        try:
            done = await asyncio.wait_for(handle.result(), WITHIN_S)
        except TimeoutError:
            raise AssertionError(f"it never ended: {worker.trail()[-3:]} {worker.words()}") from None
        trail = worker.trail()
        await lane.leave()
        assert done.status is CallStatus.PARSED
        assert await story.complaints() == []
    return [point for point in map(Point.parse, trail) if point.name in MINE]


async def _struck(there: Lanes, point: Point) -> list[str]:
    async with there.one() as lane:
        story = Story(lane)
        async with lane.worker(point).running() as doomed:
            handle = await story.begin()
            if await doomed.ended(WITHIN_S) != -9:
                return [f"{point}: it was not killed: {doomed.words()}"]
            trail = doomed.trail()
        await lane.keep(lane.worker())
        try:
            await asyncio.wait_for(handle.result(), WITHIN_S)
            return [f"{point}: {said}" for said in await story.complaints(trail)]
        finally:
            await lane.leave()


@pytest.mark.timeout(600)
async def test_a_reading_that_is_killed_anywhere_ends_as_if_it_had_not_been(there: Lanes) -> None:
    points = await _points(there)
    assert {point.name for point in points} == MINE
    told = await asyncio.gather(*(_struck(there, point) for point in deaths(points)))
    assert [said for one in told for said in one] == []
