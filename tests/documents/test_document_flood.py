"""Row 4: a tenant floods documents, another brings one. Seats hold over two workers, and the one waits no long time.

`GREENROOM_FLOOD=200 pytest -s tests/documents/test_document_flood.py` is the full size, with its figures.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.documents.ports import ANALYSIS, EMBEDDINGS, PARSING
from activities.store.database import Database
from schemas.documents import ENDED
from tests.documents.reviewing_whole import Reviewing, another
from tests.stage import Stage
from tests.waiting import until

DOCUMENTS = int(os.environ.get("GREENROOM_FLOOD", "10"))
# A few documents fill fewer seats.
SMALL = DOCUMENTS < 100
CAPS = {ANALYSIS: 2 if SMALL else 5, EMBEDDINGS: 3, PARSING: 10}
# What a model takes to answer, so that whoever floods has them all waiting.
ANSWER_S = 1.5
# The one is read and gone through behind those that are at it already, and in front of all that wait; on a busy machine
# that is so many times what it takes alone.
LONGEST_S, LONGEST_TIMES = 10.0, 5


class Watch:
    """How many seats of each kind somebody had at once, as it is seen again and again."""

    def __init__(self, database: Database, tenant_id: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self.most = Counter[str]()

    async def look(self) -> None:
        while True:
            async with self._database.untenanted() as connection:
                rows = await connection.fetch(
                    "SELECT provider, count(*) AS taken FROM seats WHERE provider LIKE '%/' || $1 GROUP BY 1",
                    self._tenant_id,
                )
            for row in rows:
                kind = row["provider"].partition("/")[0]
                self.most[kind] = max(self.most[kind], row["taken"])
            await asyncio.sleep(0.03)


def most_at_once(calls: Sequence[dict[str, Any]]) -> int:
    """As the journal has them: whoever ends makes room for who begins in the same moment."""
    moments = sorted([(one["ended"], -1) for one in calls] + [(one["started"], 1) for one in calls])
    most = running = 0
    for _, step in moments:
        running += step
        most = max(most, running)
    return most


async def second(reviewing: Reviewing) -> Reviewing:
    """Another worker, with a connection of its own."""
    stage, first = reviewing.stage, reviewing.stage.temporal
    target = first.service_client.config.target_host
    client = await Client.connect(target, namespace=first.namespace, data_converter=pydantic_data_converter)
    there = Stage(stage.database, client, stage.sandbox, stage.urls, tenant_id=stage.tenant.id)
    return Reviewing(there, reviewing.objects_folder.parent)


async def brought_and_done(alone: Reviewing) -> None:
    asked = await alone.ask(await alone.upload(another()))
    done = await alone.stage.temporal.get_workflow_handle(alone.workflow_id(asked)).result()
    assert done["status"] == "completed"


# A short step that was told to stop has ended just then: the SDK only warns of that.
@pytest.mark.filterwarnings("ignore:Cannot find activity to cancel")
async def test_a_flood_holds_its_caps_and_keeps_nobody_waiting(stage: Stage, tmp_path: Path) -> None:
    flooding = Reviewing(stage, tmp_path)
    other = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, tenant_id=str(uuid4()))
    await other.set_up(datetime.now(UTC))
    alone = Reviewing(other, tmp_path)
    stage.sandbox.delays["anthropic"] = ANSWER_S
    watch = Watch(stage.database, stage.tenant.id)
    caps = {"analysis_at_once": CAPS[ANALYSIS]}
    async with flooding.working(**caps), (await second(flooding)).working(**caps):
        before = time.monotonic()
        await brought_and_done(alone)
        unhindered = time.monotonic() - before
        watching = asyncio.create_task(watch.look())
        began = time.monotonic()
        asked = [await flooding.ask(await flooding.upload(another())) for _ in range(DOCUMENTS)]
        since = len(stage.calls("anthropic"))

        async def full() -> bool:
            return len(stage.sandbox.journal.running("anthropic")) >= 2

        await until(full)
        brought = time.monotonic()
        await brought_and_done(alone)
        waited = time.monotonic() - brought
        left = [one for one in asked if (await flooding.run_view(one.run_id)).status not in ENDED]
        async with asyncio.timeout(30 + 3 * DOCUMENTS):
            ends = [await stage.temporal.get_workflow_handle(flooding.workflow_id(one)).result() for one in asked]
        took = time.monotonic() - began
        watching.cancel()
    calls = stage.calls("anthropic")[since:]
    sys.stdout.write(
        f"\n{DOCUMENTS} documents of one tenant took {took:.1f} s; another's one took {waited:.1f} s beside them, and "
        f"{unhindered:.1f} s alone; {len(left)} of the many ran on behind it\n"
        f"most at once, of {CAPS}: {dict(watch.most)}; calls of the model {most_at_once(calls)}\n"
    )

    assert len(ends) == DOCUMENTS
    assert {end["status"] for end in ends} == {"completed"}
    assert all(watch.most[kind] <= cap for kind, cap in CAPS.items())
    assert watch.most[ANALYSIS] == CAPS[ANALYSIS], "they all wanted some"
    assert most_at_once(calls) <= CAPS[ANALYSIS] + 1, "the one of the other is beside them"
    assert waited < max(LONGEST_S, LONGEST_TIMES * unhindered)
    assert left, "it did not wait for all of them"
