"""The worker is killed between transactions and calls of a review: what comes of it is the same, once, and what was paid
for and kept is not bought again."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.documents import RunStatus
from starter.dev.postgres import Cluster
from tests.crash.doomed_worker import Order, Point
from tests.crash.lanes import Lane, Lanes, lanes
from tests.crash.servers import WorkerProcess
from tests.documents.reviewing_whole import Reviewing, another
from tests.stage import Stage

LANES = 2
THOROUGH = bool(os.environ.get("GREENROOM_THOROUGH"))
WITHIN_S = 90.0

# Where it dies: an answer is here, and not kept; it is kept, and nothing is made of it; what came of it is written, and
# nobody has heard of that. The others are for whoever has the time.
POINTS = (
    Point("call", "anthropic", 1, "after"),
    Point("transaction", "keep", 1, "after"),
    Point("transaction", "_finish", 1, "after"),
    *((Point("transaction", "store_text", 1, "after"), Point("call", "voyage", 1, "after")) if THOROUGH else ()),
)


@pytest.fixture(scope="module")
async def there(cluster: Cluster) -> AsyncIterator[Lanes]:
    async with lanes(cluster, "greenroom_documents", LANES) as opened:
        yield opened


class Story:
    """One review of one user's document."""

    def __init__(self, lane: Lane, folder: Path) -> None:
        self.lane = lane
        self.stage: Stage = lane.stage()
        self.reviewing = Reviewing(self.stage, folder / uuid4().hex)

    def worker(self, point: Point | None = None) -> WorkerProcess:
        settings = self.stage.settings(**self.reviewing.changes)
        trail = self.lane.folder / f"{uuid4()}.trail"
        return WorkerProcess(Order(settings, self.lane.address, self.lane.client.namespace, trail, point, clock=False))

    async def begin(self) -> None:
        await self.stage.set_up(datetime.now(UTC))
        # The sandbox is shared: what its documents say tells the stories apart.
        self.mark = uuid4().hex
        document_id = await self.reviewing.upload(another().replace("Delaware", f"Delaware {self.mark}"))
        self.asked = await self.reviewing.ask(document_id)

    async def ended(self) -> None:
        handle = self.lane.client.get_workflow_handle(self.reviewing.workflow_id(self.asked))
        await asyncio.wait_for(handle.result(), WITHIN_S)

    def calls(self, provider: str) -> int:
        return sum(self.mark in str(one["request"]) for one in self.stage.calls(provider))

    async def lost(self, trail: Sequence[str]) -> dict[str, int]:
        """How many calls were begun of which nothing is kept: those alone are bought again."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            replies = await connection.fetchval("SELECT count(*) FROM document_replies")
            vectors = await connection.fetchval("SELECT count(*) FROM clauses WHERE embedding IS NOT NULL")
        kept = {"anthropic": replies, "voyage": int(vectors > 0)}
        begun = Counter(line.split()[1] for line in trail if line.startswith("call ") and line.endswith("before"))
        return {provider: begun[provider] - number for provider, number in kept.items()}

    async def complaints(self, lost: Mapping[str, int]) -> list[str]:
        """Whatever is not as it would be had nobody died."""
        view = await self.reviewing.run_view(self.asked.run_id)
        document = await self.reviewing.view(self.asked.document_id)
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            spent = await connection.fetch("SELECT purpose, state FROM spending")
            bare = await connection.fetchval("SELECT count(*) FROM clauses WHERE embedding IS NULL")
        settled = Counter(row["purpose"].partition("/")[0] for row in spent if row["state"] == "settled")
        quotes = [one.passage for one in document.findings if one.passage]
        expected: dict[str, tuple[object, object]] = {
            "status": (RunStatus.COMPLETED, view.status),
            "percent": (100, view.percent),
            "ends": (["document/analysis.completed"], await self.reviewing.names()),
            "findings": (True, bool(quotes)),
            "quotes": (True, all(document.text[one.start : one.end] == one.quote for one in quotes)),
            "clauses without a vector": (0, bare),
            "replies": (1, await self.stage.count("document_replies")),
            "settled vectors": (1, settled["vectors"]),
            "set aside": ([], [row["purpose"] for row in spent if row["state"] in ("planned", "reserved")]),
        }
        wrong = [f"{what} is {got}, not {wanted}" for what, (wanted, got) in expected.items() if wanted != got]
        # One that was begun may have died before it left.
        asked = {provider: self.calls(provider) for provider in lost}
        bad = [one for one, calls in asked.items() if not 1 <= calls <= 1 + lost[one]]
        return [*wrong, *(f"{one} was asked {asked[one]} times, and {lost[one]} were lost" for one in bad)]


async def _struck(there: Lanes, folder: Path, point: Point) -> list[str]:
    async with there.one() as lane:
        story = Story(lane, folder)
        async with story.worker(point).running() as doomed:
            await story.begin()
            if await doomed.ended(WITHIN_S) != -9:
                return [f"{point}: it was not killed: {doomed.trail()[-3:]} {doomed.words()}"]
            lost = await story.lost(doomed.trail())
        async with story.worker().running() as heir:
            try:
                await story.ended()
            except TimeoutError:
                return [f"{point}: it never ended: {heir.trail()[-3:]} {heir.words()}"]
        return [f"{point}: {one}" for one in await story.complaints(lost)]


@pytest.mark.timeout(600)
async def test_a_review_that_is_killed_ends_as_if_it_had_not_been(there: Lanes, tmp_path: Path) -> None:
    told = await asyncio.gather(*(_struck(there, tmp_path, point) for point in POINTS))
    assert [said for one in told for said in one] == []
