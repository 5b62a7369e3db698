"""One story, one kill: the worker dies at a point, an heir takes over, and what was promised still holds."""

import asyncio
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.crash.deliveries import DeliveryStory
from tests.crash.doomed_worker import Point
from tests.crash.lanes import Lane, Lanes
from tests.crash.readings import FullReadingStory, ReadingStory
from tests.crash.renewals import RenewalStory
from tests.crash.servers import WorkerProcess, until
from tests.crash.stories import Story, Weather

KINDS: tuple[type[Story], ...] = (RenewalStory, ReadingStory, FullReadingStory, DeliveryStory)

DIES_WITHIN_S = 30.0
GLANCE_S = 0.1

# From the first poll of the heir to the first thing that it does: HEARTBEAT and the pause of a retry, which is 5 s for
# a channel and for a mail.
GOES_ON_WITHIN_S = 16.0
LATE = "the heir went on after"
CROWDED = re.compile(rf"^({LATE}|TimeoutError|\S+ was bought |2 mails were sent$)")


@dataclass
class Told:
    """What became of one story; no complaints means that everything held."""

    story: str
    weather: Weather
    point: Point
    flaw: str | None = None
    complaints: list[str] = field(default_factory=list)
    going_on_s: float = 0.0
    rest_s: float = 0.0
    again: bool = False
    history: Path | None = None

    @property
    def crowded(self) -> bool:
        """A machine that was busy with something else explains it: a living worker missed its heartbeats."""
        return all(CROWDED.search(complaint) for complaint in self.complaints)

    def __str__(self) -> str:
        said = [f"{self.story}, {self.weather}; killed at: {self.point}", *(f"  {one}" for one in self.complaints)]
        return "\n".join([*said, f"  history: {self.history}"])


async def points(lanes: Lanes, kind: type[Story], weather: Weather) -> list[Point]:
    """A story without a kill: what it comes by, in order."""
    async with lanes.one() as lane:
        turn(lanes, weather)
        story = await _begun(lane, kind, weather)
        try:
            worker = lane.worker()
            await lane.keep(worker)
            await _moves(worker)
            await lane.rest()
            trail = worker.trail()
            await story.struck(trail)
            await lane.rest()
            await story.afterwards()
            complaints = await story.complaints()
            assert complaints == [], complaints
            return [point for point in map(Point.parse, trail) if kind.mine(point)]
        finally:
            await story.close()


def turn(lanes: Lanes, weather: Weather) -> None:
    lanes.sandbox.google.turn(largest_page=weather.page)
    lanes.sandbox.delays["google"] = weather.google_s


async def struck(
    lanes: Lanes, kind: type[Story], weather: Weather, where: Sequence[Point], flaw: str | None = None
) -> list[Told]:
    """A story for each point, as many at once as there are lanes. Whoever was crowded is looked at again, alone."""
    turn(lanes, weather)
    told = await asyncio.gather(*(strike(lanes, kind, weather, point, flaw) for point in where))
    return [await _again(lanes, kind, one) if one.complaints and one.crowded else one for one in told]


async def _again(lanes: Lanes, kind: type[Story], first: Told) -> Told:
    return replace(await strike(lanes, kind, first.weather, first.point, first.flaw), again=True)


async def strike(lanes: Lanes, kind: type[Story], weather: Weather, point: Point, flaw: str | None = None) -> Told:
    told = Told(kind.name, weather, point, flaw)
    async with lanes.one() as lane:
        story: Story | None = None
        try:
            story = await _begun(lane, kind, weather)
            async with lane.worker(point, flaw).running() as doomed:
                await _dies(doomed, point)
                await story.struck(doomed.trail())
            await _inherited(lane, story, told)
        except Exception as error:  # noqa: BLE001 - whatever it was, the report says at which point
            told.complaints.append(f"{type(error).__name__}: {error}")
        if told.complaints and story is not None:
            told.history = await _history(lane, story)
        if told.complaints or flaw is not None:
            await lane.leave()
        if story is not None:
            await story.close()
    return told


async def _begun(lane: Lane, kind: type[Story], weather: Weather) -> Story:
    """With a prepared stage, and nobody on it."""
    story = kind(lane, weather)
    await lane.attended()
    await story.prepare()
    await lane.rest()
    await lane.leave()
    await story.begin()
    return story


async def _dies(doomed: WorkerProcess, point: Point) -> None:
    """By SIGKILL, at this point and nowhere else."""
    try:
        code = await doomed.ended(DIES_WITHIN_S)
    except TimeoutError:
        raise AssertionError(f"the worker never came to its point; its last was {doomed.trail()[-1:]}") from None
    last = doomed.trail()[-1:]
    if code != -9 or last != [str(point)]:
        raise AssertionError(f"it ended with {code} at {last}: {doomed.words()}")


async def _inherited(lane: Lane, story: Story, told: Told) -> None:
    """The heir does what is left, and stays."""
    heir = lane.worker(flaw=told.flaw)
    await lane.keep(heir)
    polled = await heir.polls(lane.client)
    resting = asyncio.create_task(lane.rest())
    moving = asyncio.create_task(_moves(heir))
    await asyncio.wait([resting, moving], return_when=asyncio.FIRST_COMPLETED)
    told.going_on_s = max((datetime.now(UTC) - polled).total_seconds(), 0.0)
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    await resting
    told.rest_s = (datetime.now(UTC) - polled).total_seconds()
    await story.afterwards()
    told.complaints += await story.complaints()
    if told.going_on_s > GOES_ON_WITHIN_S:
        told.complaints.append(f"{LATE} {told.going_on_s:.1f} s")


async def _moves(worker: WorkerProcess) -> None:
    """It has come by a point."""

    async def seen() -> bool:
        await asyncio.sleep(GLANCE_S)
        return bool(worker.trail())

    await until(seen, "the worker does something", 120)


async def _history(lane: Lane, story: Story) -> Path:
    """Everything that Temporal knows of the tenant's workflows, in a file that stays."""
    found = [one async for one in lane.client.list_workflows(f"TenantId = '{story.stage.tenant.id}'")]
    texts = []
    for one in found:
        history = await lane.client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history()
        texts.append(f'"{one.id} {one.run_id}": {history.to_json()}')
    path = Path(tempfile.mkdtemp(prefix="greenroom-crash-")) / f"{story.short}.json"
    path.write_text("{" + ",\n".join(texts) + "}")
    return path
