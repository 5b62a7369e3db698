"""Batches: a tenant's events of a name wait until there are enough of them, and are inserted together.

event ─▶ collect ─▶ rows, bytes or time ─▶ insert, all or none ─▶ done
urgent ──────────────────────────────────▶        │
                              spoilt: half and half, until the poison stands alone and is parked
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities import errors
from activities.records import RecordActivities
from schemas.base import RowId
from schemas.batches import Batched, BatchOrder, Collected, Inserted, Insertion, Waiting
from workflows import policies, story


@workflow.defn(name="Batch")
class BatchWorkflow:
    """Inserts each row that it hears of once, and ends when none is left. What one batch holds up, the others do not wait
    for longer than that: a row that cannot be inserted is put aside."""

    @workflow.init
    def __init__(self, order: BatchOrder) -> None:
        self._order = order
        self._waiting: dict[RowId, Waiting] = {one.received_id: one for one in order.waiting}
        self._heard = 0
        self._batched = Batched()

    @workflow.run
    async def run(self, order: BatchOrder) -> Batched:
        while self._waiting:
            await self._until_due()
            await self._insert(batch(self._waiting.values()))
            if self._waiting and self._long():
                workflow.continue_as_new(order.model_copy(update={"waiting": tuple(self._waiting.values())}))
        return self._batched

    @workflow.signal(description="Events came in")
    def collect(self, collected: Collected) -> None:
        """It waits for nothing, so that none is under way when a run ends. What is known already is not taken again."""
        for one in collected.rows:
            self._waiting.setdefault(one.received_id, one.model_copy(update={"since": workflow.now()}))
        self._heard += len(collected.rows)

    async def _until_due(self) -> None:
        left = due(self._waiting.values(), workflow.now()) - workflow.now()
        if left:
            try:
                await workflow.wait_condition(
                    lambda: enough(self._waiting.values()), timeout=left, timeout_summary="until the batch is full"
                )
            except TimeoutError:
                return

    async def _insert(self, rows: Sequence[Waiting]) -> None:
        """All of them, but for those that spoil it: these are parked. Until that is done they count as waiting."""
        inserted = await self._step(rows)
        if inserted.spoilt and len(rows) > 1:
            middle = len(rows) // 2
            await self._insert(rows[:middle])
            await self._insert(rows[middle:])
            return
        self._batched = Batched(
            inserted=self._batched.inserted + inserted.count, parked=self._batched.parked + inserted.parked
        )
        for one in rows:
            del self._waiting[one.received_id]

    async def _step(self, rows: Sequence[Waiting]) -> Inserted:
        """Tried until Postgres is back. What it will never do fails the run: its rows are found, and collected again."""
        ids = tuple(one.received_id for one in rows)
        insertion = Insertion(tenant_id=self._order.tenant_id, ids=ids, now=workflow.now())
        try:
            return await workflow.execute_local_activity_method(
                RecordActivities.insert, insertion, summary=f"insert {len(ids)}", **policies.TELLING
            )
        except ActivityError as error:
            raise errors.run_failed(*story.why(error)) from error

    def _long(self) -> bool:
        return self._heard >= policies.BATCH_HEARD or workflow.info().is_continue_as_new_suggested()


def enough(waiting: Iterable[Waiting]) -> bool:
    """There is no need to wait for more."""
    rows = tuple(waiting)
    full = len(rows) >= policies.BATCH_ROWS or sum(one.size for one in rows) >= policies.BATCH_BYTES
    return full or any(one.urgent for one in rows)


def due(waiting: Iterable[Waiting], now: datetime) -> datetime:
    """When the next batch is to be inserted: now, or when the first of them has waited its time."""
    rows = tuple(waiting)
    first = min((one.since or now for one in rows), default=now)
    return now if enough(rows) else max(first + policies.BATCH_TIME, now)


def batch(waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """Who is next: the urgent ones alone, or as many as there may be. One that is larger than all may be is alone."""
    rows = tuple(waiting)
    chosen: list[Waiting] = []
    size = 0
    for one in tuple(one for one in rows if one.urgent) or rows:
        if chosen and size + one.size > policies.BATCH_MOST_BYTES:
            break
        chosen.append(one)
        size += one.size
        if len(chosen) >= policies.BATCH_ROWS or size >= policies.BATCH_BYTES:
            break
    return tuple(chosen)
