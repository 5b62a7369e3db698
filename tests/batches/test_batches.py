"""Whatever comes in is inserted once, together with others; what cannot be is put aside, and holds nobody up."""

import asyncio
import json
import re
import signal
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities import errors
from activities.records import RecordActivities
from activities.store.records import RecordStore
from schemas.batches import BatchOrder
from starter import start
from tests.batches.doomed import Doom, working
from tests.batches.scene import NAME, PATIENCE_S, POISON, Collection
from tests.stage import Stage
from worker import build_worker
from workflows import ids, policies, queues
from workflows.batches import BatchWorkflow

EARLIER = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


async def with_a_poison(collection: Collection, count: int, poison: int) -> list[Any]:
    """So many events, of which one cannot be inserted."""
    rows = await collection.many(poison)
    rows.append(await collection.received(poison, data=POISON))
    return rows + [await collection.received(number) for number in range(poison + 1, count)]


async def test_two_hundred_and_fifty_with_a_poison_and_an_urgent_one(patient: Collection) -> None:
    rows = await with_a_poison(patient, 250, 137)
    urgent = await patient.received(1000, priority="urgent")
    handle = await patient.collect(rows[:60])
    for first in range(60, 250, 10):
        await patient.collect(rows[first : first + 10])
    await patient.collect([urgent])
    await handle.result()

    assert await patient.states() == {"done": 250, "parked": 1}
    records = await patient.records()
    assert set(records) == {f"row-{number}" for number in (*range(250), 1000) if number != 137}
    assert records["row-7"] == {"number": 7}
    (parked,) = await patient.store.parked(patient.stage.tenant.id, 10)
    assert (parked.id, parked.reason) == (
        rows[137].received_id,
        "a text in it has a character that cannot be kept",
    )
    assert sum(await patient.inserted()) == 250
    assert [said for name, said in await patient.told() if name == "record/entity.parked"] == [
        {"event": parked.key, "receivedId": parked.id, "reason": parked.reason}
    ]
    await patient.as_published()


async def test_an_urgent_one_goes_before_those_that_wait(patient: Collection) -> None:
    rows = [await patient.received(number) for number in range(30)]
    urgent = await patient.received(99, priority="urgent")
    handle = await patient.collect([*rows, urgent])
    await handle.result()
    assert await patient.inserted() == [1, 30]
    ended = {row["key"]: row["ended_at"] for row in await patient.rows(_ENDED)}
    waited = [moment - ended["row-99"] for key, moment in ended.items() if key != "row-99"]
    assert min(waited) >= policies.BATCH_TIME - timedelta(seconds=1)


_ENDED = """
SELECT k.key, r.ended_at FROM received r JOIN records k ON k.created_at = r.received_at
"""


async def test_a_full_batch_does_not_wait_for_the_time(collection: Collection) -> None:
    """In real time: a hundred at once, and the rest when its time has come."""
    rows = await collection.many(120)
    async with collection.stage.working():
        before = datetime.now(UTC)
        await collection.collect(rows)
        await collection.until(done=100, collected=20)
        assert datetime.now(UTC) - before < policies.BATCH_TIME
        await (handle := collection.handle()).result()
    assert datetime.now(UTC) - before >= policies.BATCH_TIME
    assert (await handle.result()).inserted == 120


async def test_much_to_insert_is_split_by_its_size(patient: Collection) -> None:
    long = "x" * 300_000
    rows = [await patient.received(number, data={"text": long}) for number in range(10)]
    await (await patient.collect(rows)).result()
    assert await patient.inserted() == [4, 4, 2]


async def test_every_poison_stands_alone_and_says_why_without_its_words(patient: Collection) -> None:
    poisons = [
        await patient.received(1, data=POISON),
        await patient.received(2),
        await patient.received(3),
        await patient.received(4, key="\u0000"),
        await patient.received(5, key=None),
        await patient.received(6),
    ]
    # Postgres compresses a long key that repeats itself.
    await patient.rows("UPDATE received SET payload = $2 WHERE id = $1", poisons[1].received_id, _noise())
    await patient.rows(
        "UPDATE received SET payload = $2 WHERE id = $1",
        poisons[2].received_id,
        '{"collection": "people", "key": "lone", "data": {"much": "\\ud800 secret"}}',
    )
    await patient.rows(
        "UPDATE received SET payload = $2 WHERE id = $1",
        poisons[5].received_id,
        '{"collection": "people", "key": "large", "data": {"number": 1e400000}}',
    )
    good = await patient.many(3)
    await (await patient.collect([*poisons, *good])).result()
    parked = {one.id: one.reason for one in await patient.store.parked(patient.stage.tenant.id, 10)}
    assert set(parked) == {one.received_id for one in poisons}
    assert "too long" in parked[poisons[1].received_id]
    assert not any("secret" in reason or "(" in reason for reason in parked.values())
    assert len(await patient.records()) == 3


def _noise() -> str:
    return json.dumps({"collection": "people", "key": "".join(uuid4().hex for _ in range(500)), "data": {}})


async def test_a_batch_of_poison_alone_ends(patient: Collection) -> None:
    rows = [await patient.received(number, data=POISON) for number in range(20)]
    batched = await (await patient.collect(rows)).result()
    assert (batched.inserted, batched.parked) == (0, 20)
    assert await patient.states() == {"parked": 20}
    assert await patient.inserted() == []


async def test_the_same_row_again_is_what_was_received_last(patient: Collection) -> None:
    """In whichever order they are inserted, in one batch or in several."""
    later = await patient.received(1, received_at=EARLIER + timedelta(seconds=5), data={"is": "later"})
    await (await patient.collect([later])).result()
    earlier = await patient.received(1, received_at=EARLIER, data={"is": "earlier"})
    await (await patient.collect([earlier])).result()
    assert await patient.records() == {"row-1": {"is": "later"}}
    both = [
        await patient.received(1, received_at=EARLIER + timedelta(seconds=9), data={"is": "last"}),
        await patient.received(1, received_at=EARLIER + timedelta(seconds=8), data={"is": "before"}),
    ]
    await (await patient.collect(both)).result()
    assert await patient.records() == {"row-1": {"is": "last"}}
    together = [await patient.received(2, received_at=EARLIER, data={"is": number}) for number in range(5)]
    await (await patient.collect(together)).result()
    assert (await patient.records())["row-2"] == {"is": 4}
    assert await patient.states() == {"done": 9}


async def test_what_an_event_says_is_kept_only_while_it_waits(patient: Collection) -> None:
    await (await patient.collect([await patient.received(1)])).result()
    assert await patient.rows("SELECT payload, state FROM received") == [{"payload": None, "state": "done"}]


async def test_two_tenants_do_not_mix(patient: Collection) -> None:
    one, other = patient, Collection(_another(patient.stage))
    await other.stage.set_up(datetime.now(UTC))
    theirs = await other.many(3)
    # A workflow of one tenant that is told of another's row does nothing to it.
    await (await one.collect([*await one.many(2), *theirs])).result()
    assert (await one.states(), await other.states()) == ({"done": 2}, {"collected": 3})
    await (await other.collect(theirs)).result()
    assert (len(await one.records()), len(await other.records())) == (2, 3)


def _another(stage: Stage) -> Stage:
    return Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, tenant_id=str(uuid4()))


async def test_what_is_told_twice_is_inserted_once(patient: Collection) -> None:
    rows = await patient.many(20)
    handle, *_ = await asyncio.gather(*(patient.collect(rows) for _ in range(10)))
    await handle.result()
    await (await patient.collect(rows)).result()
    assert await patient.inserted() == [20]
    assert await patient.states() == {"done": 20}


async def test_a_long_history_goes_on_in_another(
    patient: Collection, skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "BATCH_HEARD", 150)
    rows = await patient.many(460)
    with skipping.auto_time_skipping_disabled():
        handles = [await patient.collect(rows[first : first + 115]) for first in range(0, 460, 115)]
    await handles[0].result()
    await handles[-1].result()
    last = await patient.handle().fetch_history()
    begun = last.events[0].workflow_execution_started_event_attributes
    assert begun.continued_execution_run_id, "it went on where another has ended"
    assert await patient.states() == {"done": 460}
    assert sum(await patient.inserted()) == len(await patient.records()) == 460


class Forgetful(RecordStore):
    """Postgres goes away, before or just after a batch is in."""

    failures = 0

    async def insert(self, tenant_id: str, ids: tuple[str, ...], now: datetime) -> int:
        self.failures += 1
        if self.failures == 1:
            raise errors.database_failed("ConnectionRefusedError")
        count = await super().insert(tenant_id, ids, now)
        if self.failures == 2:
            raise errors.database_failed("ConnectionDoesNotExistError")
        return count


async def test_postgres_that_is_away_is_no_poison(collection: Collection) -> None:
    store = Forgetful(collection.stage.database)
    rows = await collection.many(policies.BATCH_ROWS)
    async with build_worker(collection.stage.temporal, [RecordActivities(store)], task_queue=queues.WORKFLOWS):
        await (await collection.collect(rows)).result()
    assert store.failures == 3
    assert await collection.states() == {"done": 100}
    assert await collection.inserted() == [100], "once, though nobody heard of it at first"


class Broken(RecordStore):
    """The table is not there: no row is to blame."""

    async def insert(self, tenant_id: str, ids: tuple[str, ...], now: datetime) -> int:
        raise errors.database_failed(asyncpg.UndefinedTableError.sqlstate)


async def test_what_is_no_fault_of_the_rows_parks_none_of_them(collection: Collection) -> None:
    rows = await collection.many(policies.BATCH_ROWS)
    owners = [RecordActivities(Broken(collection.stage.database))]
    async with build_worker(collection.stage.temporal, owners, task_queue=queues.WORKFLOWS):
        with pytest.raises(WorkflowFailureError) as failed:
            await (await collection.collect(rows)).result()
    assert "postgres failed (42P01)" in str(failed.value.cause)
    assert await collection.states() == {"collected": 100}


async def test_those_whose_batch_is_gone_are_found_and_collected_again(collection: Collection) -> None:
    tenant_id = collection.stage.tenant.id
    old = await collection.received(1, received_at=EARLIER - timedelta(hours=1))
    await collection.received(2, received_at=EARLIER)
    await collection.received(3, received_at=EARLIER - timedelta(hours=1), state="parked")
    before = EARLIER - timedelta(minutes=1)
    assert (tenant_id, NAME) in await collection.store.stranded(before)
    assert (tenant_id, NAME) not in await collection.store.stranded(before - timedelta(hours=2))
    found = await collection.store.waiting(tenant_id, NAME, before)
    assert found == [old.model_copy(update={"size": found[0].size})] and found[0].size == old.size
    async with collection.working():
        await start.collect(collection.stage.temporal, tenant_id, NAME, found)
        await collection.handle().result()
    assert await collection.states() == {"done": 1, "collected": 1, "parked": 1}


async def test_what_was_parked_is_tried_again_when_a_person_says_so(collection: Collection) -> None:
    tenant_id, poison = collection.stage.tenant.id, await collection.received(1, data=POISON, priority="urgent")
    async with collection.working():
        for count in (1, 2):
            await (await collection.collect([poison])).result()
            assert await collection.states() == {"parked": 1}
            assert len(await collection.told()) == count, "each time it is told"
            back = await collection.store.put_back(tenant_id, poison.received_id)
            assert back is not None and (back[0], back[1].received_id) == (NAME, poison.received_id)
            assert await collection.store.put_back(tenant_id, poison.received_id) is None
        await collection.rows(
            "UPDATE received SET payload = $1", '{"collection": "people", "key": "mended", "data": {}}'
        )
        await (await collection.collect([poison])).result()
    assert await collection.records() == {"mended": {}}


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 5])
async def test_a_worker_that_is_killed_in_mid_batch_leaves_nothing_out_and_nothing_twice(
    collection: Collection, nth: int, side: str
) -> None:
    """Its transactions: the urgent one, a hundred with the poison, the halves, and so on."""
    rows = await with_a_poison(collection, 100, 64)
    stage = collection.stage
    where = (stage.urls.application, stage.urls.crossing)
    doom = Doom(*where, stage.temporal.service_client.config.target_host, stage.temporal.namespace, nth, side)
    async with working(doom) as process:
        handle = await collection.collect([*rows, await collection.received(500, priority="urgent")])
        await asyncio.to_thread(process.join, PATIENCE_S)
        assert process.exitcode == -signal.SIGKILL
    async with collection.working():
        batched = await handle.result()
    assert await collection.states() == {"done": 100, "parked": 1}
    assert len(await collection.records()) == 100
    assert sum(await collection.inserted()) == 100
    assert (await collection.inserted())[0] == 1, "the urgent one first"
    assert batched.parked == 1


async def test_temporal_knows_nothing_that_an_event_says(patient: Collection) -> None:
    rows = [await patient.received(1, data={"name": "Zephyrine"}), await patient.received(2, data=POISON)]
    handle = await patient.collect(rows)
    await handle.result()
    known = (await handle.fetch_history()).to_json()
    assert rows[0].received_id in _decoded(known), "or there would be nothing to find"
    assert not any(word in _decoded(known) for word in ("Zephyrine", "secret", "row-1"))


def _decoded(history: str) -> str:
    return " ".join(b64decode(data).decode() for data in re.findall(r'"data": ?"([^"]*)"', history))


async def test_a_run_that_hears_of_nothing_ends(patient: Collection) -> None:
    order = BatchOrder(tenant_id=patient.stage.tenant.id, name=NAME)
    batched = await patient.stage.temporal.execute_workflow(
        BatchWorkflow.run, order, id=ids.batch(order.tenant_id, NAME), task_queue=queues.WORKFLOWS
    )
    assert (batched.inserted, batched.parked) == (0, 0)
