"""The worker is killed between all transactions and calls of a digest, and in the midst of its audio:
what comes of it is the same, once, for no more money than it takes."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from activities.store.digests import DigestStore
from activities.store.wishes import WishStore
from schemas.digests import EVERY_DAY, AudioStatus, DigestStatus, DigestView, Wishes
from starter import start
from starter.dev.postgres import Cluster
from tests.crash.doomed_worker import Order, Point, deaths
from tests.crash.lanes import Lane, Lanes, lanes
from tests.crash.servers import WorkerProcess
from tests.stage import Stage

LANES = 4
WITHIN_S = 60.0
MANY, SOME = 110, 100_000

# What a digest does, by the names of its transactions and calls. A seat, and what only reads, is none of it.
MINE = frozenset(
    {"begin", "_claim", "keep_news", "morning", "reserve", "keep_answer", "keep_script", "keep_piece", "finish"}
    | {"brave", "anthropic", "elevenlabs", "put"}
)


@pytest.fixture(scope="module")
async def there(cluster: Cluster) -> AsyncIterator[Lanes]:
    async with lanes(cluster, "greenroom_digests", LANES) as opened:
        yield opened


class Story:
    """One digest of one user, made by whoever is there; about something that nobody else asks about."""

    def __init__(self, lane: Lane, folder: Path, most_letters: int) -> None:
        self.lane = lane
        self.stage: Stage = lane.stage()
        self.topic = f"canals {uuid4().hex[:8]}"
        self._most_letters = most_letters
        self._settings = self.stage.settings(objects_url=folder.as_uri(), brave_pace="unlimited")

    def worker(self, point: Point | None = None) -> WorkerProcess:
        namespace, trail = self.lane.client.namespace, self.lane.folder / f"{uuid4()}.trail"
        return WorkerProcess(
            Order(
                *(self._settings, self.lane.address, namespace, trail, point),
                clock=False,
                most_letters=self._most_letters,
            )
        )

    async def begin(self) -> Any:
        now, store = datetime.now(UTC), DigestStore(self.stage.database)
        await self.stage.set_up(now)
        wishes = Wishes(topics=(self.topic,), days=EVERY_DAY)
        await WishStore(self.stage.database).wish(self.stage.tenant.id, self.stage.user.id, wishes)
        self.digest_id = await store.ask(self.stage.tenant.id, self.stage.user.id, now.date(), None, now)
        return await start.digest(self.lane.client, self.stage.tenant.id, self.stage.user.id, now.date())

    def calls(self, provider: str) -> list[dict[str, Any]]:
        """Those about this topic; all that is spoken of it names it."""
        marker = self.topic.split()[1]
        return [one for one in self.stage.calls(provider) if marker in str(one["request"])]

    async def view(self) -> DigestView:
        view = await DigestStore(self.stage.database).view(self.stage.tenant.id, None, self.digest_id)
        assert view is not None
        return view

    async def spent(self) -> list[tuple[str, str]]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            rows = await connection.fetch("SELECT purpose, state FROM spending")
            return [(row["purpose"], row["state"]) for row in rows]

    async def pieces(self) -> int:
        return await self.stage.count("digest_pieces")

    async def complaints(self) -> list[str]:
        """Whatever is not as it would be had nobody died."""
        view, spent = await self.view(), await self.spent()
        settled = Counter(re.sub(r"/.*", "", purpose) for purpose, state in spent if state == "settled")
        events = [one.name for one in await self.stage.events.after(self.stage.tenant.id, 0)]
        expected: dict[str, tuple[object, object]] = {
            "status": (DigestStatus.READY, view.status),
            "audio": (AudioStatus.READY, view.audio),
            "version": (1, view.version),
            "events": (["digest/generate.completed"], events),
            "news": (1, await self.stage.count("news")),
            "answers": (1, await self.stage.count("digest_answers")),
            "settled": ({"news": 1, "script": 1, "piece": await self.pieces()}, dict(settled)),
            "set aside": ([], [one for one in spent if one[1] in ("planned", "reserved")]),
        }
        return [f"{what} is {got}, not {wanted}" for what, (wanted, got) in expected.items() if wanted != got]


def lost(trail: Sequence[str], provider: str, kept: str) -> int:
    """How many calls were begun of which nothing was stored: those alone are bought again."""
    begun = sum(line.startswith(f"call {provider} ") and line.endswith("before") for line in trail)
    # What is put away in the end is all of it, joined.
    return max(begun - sum(line.startswith(f"{kept} ") and line.endswith("after") for line in trail), 0)


async def _whole(there: Lanes, folder: Path) -> tuple[list[Point], Counter[str]]:
    """Where a digest comes by that nobody interrupts, and what it calls."""
    async with there.one() as lane:
        story = Story(lane, folder, SOME)
        worker = story.worker()
        async with worker.running():
            handle = await story.begin()
            try:
                await asyncio.wait_for(handle.result(), WITHIN_S)
            except TimeoutError:
                raise AssertionError(f"it never ended: {worker.trail()[-3:]} {worker.words()}") from None
        assert await story.complaints() == []
        points = [point for point in map(Point.parse, worker.trail()) if point.name in MINE]
        return points, Counter(point.name for point in points if point.side == "before")


async def _struck(there: Lanes, folder: Path, point: Point, usual: Counter[str]) -> list[str]:
    async with there.one() as lane:
        story = Story(lane, folder, SOME)
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
            again = Counter(line.split()[1] for line in heir.trail() if line.startswith("call ") and "before" in line)
            said = await story.complaints()
        kept = {"brave": "transaction keep_news", "anthropic": "transaction keep_answer", "elevenlabs": "call put"}
        for provider, end in kept.items():
            before = sum(line.startswith(f"call {provider} ") and line.endswith("before") for line in trail)
            most = usual[provider] + lost(trail, provider, end)
            if before + again[provider] > most:
                said.append(f"{provider} was asked {before} and {again[provider]} times, at most {most}")
        return [f"{point}: {one}" for one in said]


@pytest.mark.timeout(900)
async def test_a_digest_that_is_killed_anywhere_ends_as_if_it_had_not_been(there: Lanes, tmp_path: Path) -> None:
    points, usual = await _whole(there, tmp_path)
    assert {point.name for point in points} == MINE
    told = await asyncio.gather(*(_struck(there, tmp_path, point, usual) for point in deaths(points)))
    assert [said for one in told for said in one] == []


@pytest.mark.parametrize("side", ["before", "after"])
async def test_what_was_spoken_before_a_kill_in_the_midst_of_it_is_not_bought_again(
    there: Lanes, tmp_path: Path, side: str
) -> None:
    """At the seventh of about twenty pieces."""
    async with there.one() as lane:
        story = Story(lane, tmp_path, MANY)
        async with story.worker(Point("call", "elevenlabs", 7, side)).running() as doomed:
            handle = await story.begin()
            assert await doomed.ended(WITHIN_S) == -9, doomed.words()
            trail, kept = doomed.trail(), await story.pieces()
        async with story.worker().running() as heir:
            await asyncio.wait_for(handle.result(), WITHIN_S)
            again = sum(line.startswith("call elevenlabs ") and line.endswith("before") for line in heir.trail())
        number = await story.pieces()
        assert number >= 15
        assert kept >= 3, "those before it are kept"
        begun, put = (
            sum(line.startswith("call put ") and line.endswith(side) for line in trail) for side in ("before", "after")
        )
        # Whoever was putting one away may have come to its end before it died.
        assert number - begun <= again <= number - put, "whatever was put away is not bought again"
        assert await story.complaints() == []
        view = await story.view()
        assert view.sound is not None
        assert view.sound.duration_ms > 0
