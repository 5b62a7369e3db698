"""What a test of batches works with: events that came in, whoever collects them, and what became of it all."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.worker import Worker

from activities.records import RecordActivities
from activities.store.records import RecordStore
from schemas.batches import Batched, Waiting
from schemas.events import known
from starter import start
from tests.stage import Stage
from worker import build_worker
from workflows import ids, queues
from workflows.batches import BatchWorkflow

NAME = "record/entity.created"
PATIENCE_S = 60.0

# Any door that reads JSON lets it in, `json` keeps it, and `jsonb` cannot.
POISON = {"note": "secret\u0000words"}


@dataclass
class Collection:
    """One tenant's events, as the door writes them."""

    stage: Stage

    @property
    def store(self) -> RecordStore:
        return RecordStore(self.stage.database)

    def working(self) -> Worker:
        """Whoever inserts, and nothing else."""
        return build_worker(self.stage.temporal, [RecordActivities(self.store)], task_queue=queues.WORKFLOWS)

    async def received(
        self, number: int, *, received_at: datetime | None = None, state: str = "collected", **said: Any
    ) -> Waiting:
        """An event that came in: with these words, or with some."""
        payload = json.dumps({"collection": "people", "key": f"row-{number}", "data": {"number": number}} | said)
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            row_id = await connection.fetchval(
                """
                INSERT INTO received (tenant_id, key, name, state, payload, received_at)
                VALUES (current_tenant(), $1, $2, $3, $4, $5) RETURNING id
                """,
                str(uuid4()),
                NAME,
                state,
                payload,
                received_at or datetime.now(UTC),
            )
        return Waiting(received_id=row_id, size=len(payload), urgent=said.get("priority") == "urgent")

    async def many(self, count: int) -> list[Waiting]:
        return [await self.received(number) for number in range(count)]

    async def collect(self, rows: Sequence[Waiting]) -> WorkflowHandle[BatchWorkflow, Batched]:
        return await start.collect(self.stage.temporal, self.stage.tenant.id, NAME, rows)

    def handle(self) -> WorkflowHandle[BatchWorkflow, Batched]:
        workflow_id = ids.batch(self.stage.tenant.id, NAME)
        return self.stage.temporal.get_workflow_handle_for(BatchWorkflow.run, workflow_id)

    async def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            return [dict(row) for row in await connection.fetch(statement, *values)]

    async def states(self) -> dict[str, int]:
        """How many events stand how."""
        found = await self.rows("SELECT state, count(*) AS count FROM received GROUP BY state")
        return {row["state"]: row["count"] for row in found}

    async def records(self) -> dict[str, Any]:
        """What is kept, by key."""
        return {row["key"]: row["data"] for row in await self.rows("SELECT key, data FROM records")}

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What happened, in its order."""
        return [(one.name, one.payload) for one in await self.stage.events.after(self.stage.tenant.id, 0, 1000)]

    async def inserted(self) -> list[int]:
        """How many records each batch has made."""
        return [said["count"] for name, said in await self.told() if name == "record/batch.completed"]

    async def as_published(self) -> None:
        """What is told has the shape that listeners were promised."""
        for name, said in await self.told():
            definition = known(name)
            assert definition is not None, name
            definition.payload.model_validate(said)

    async def until(self, **states: int) -> None:
        """Events stand so, in real time."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.states() != states:
                await asyncio.sleep(0.05)
