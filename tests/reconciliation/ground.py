"""A tenant whose rows are compared with their workflows: sweeps that look at it alone, rows set by hand, stand-ins."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities.reconciliation import Lives, Noun, ReconciliationActivities, Row, Run
from schemas.reconciliation import Comparing, Done, Life, Reconciled, Stuck
from starter import start
from starter.histories import Histories
from starter.lives import Lives as ServerLives
from starter.nouns import nouns
from tests.stage import Stage
from tests.waiting import until
from worker import activities, build_worker
from workflows import queues
from workflows.reconciliation import comparing

PATIENCE_S = 30.0
HOUR = timedelta(hours=1)


def at_once() -> Comparing:
    """A sweep that finds nothing too young."""
    order = comparing(datetime.now(UTC))
    return order.model_copy(update={"before": order.now + HOUR, "asked_before": order.now + HOUR})


@dataclass
class Said:
    """Lives, as a test has them; by default as the server says. `meanwhile` happens when somebody is asked about."""

    told: Life
    meanwhile: Callable[[], Awaitable[Any]] | None = None
    runs: Sequence[Run] = ()

    async def of(self, _workflow_id: str) -> Life:
        if self.meanwhile:
            await self.meanwhile()
        return self.told

    async def running(self, _workflow: str) -> AsyncIterator[Run]:
        for run in self.runs:
            yield run


@dataclass
class Ground:
    stage: Stage

    async def sweep(
        self, order: Comparing | None = None, *, lives: Lives | None = None, table: Sequence[Noun] | None = None
    ) -> Reconciled:
        """Of this tenant alone: others' rows are theirs."""
        mine = [replace(noun, open=self._alone(noun), ended=self._ours(noun)) for noun in table or self.nouns()]
        owner = ReconciliationActivities(mine, lives or ServerLives(self.stage.temporal))
        return await ActivityEnvironment().run(owner.sweep, order or at_once())

    async def stuck(self, **how: Any) -> list[tuple[str, str, Done]]:
        """What a sweep found, without the reasons."""
        return [(one.noun, one.row_id, one.done) for one in (await self.sweep(**how)).rows]

    async def only(self, **how: Any) -> Stuck:
        """The one row that a sweep found."""
        (one,) = (await self.sweep(**how)).rows
        return one

    def nouns(self) -> tuple[Noun, ...]:
        return nouns(self.stage.database, self.stage.temporal)

    def _alone(self, noun: Noun) -> Callable[[Comparing, Row | None], Awaitable[Sequence[Row]]]:
        async def mine(order: Comparing, after: Row | None) -> Sequence[Row]:
            while rows := await noun.open(order, after):
                if ours := [row for row in rows if row.tenant_id == self.stage.tenant.id]:
                    return ours
                after = rows[-1]
            return ()

        return mine

    def _ours(self, noun: Noun) -> Callable[[Row, Comparing], Awaitable[bool]] | None:
        if noun.ended is None:
            return None
        ended = noun.ended

        async def ours(row: Row, order: Comparing) -> bool:
            return row.tenant_id == self.stage.tenant.id and await ended(row, order)

        return ours

    async def sql(self, statement: str, *values: Any) -> Any:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            return await connection.fetchval(statement, *values)

    async def row(self, table: str, row_id: str) -> Mapping[str, Any]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            found = await connection.fetchrow(f"SELECT * FROM {table} WHERE id = $1", row_id)
            assert found is not None
            return dict(found)

    async def ends(self, row_id: str) -> list[str]:
        """The terminal events that name a row."""
        events = await self.stage.events.after(self.stage.tenant.id, 0, 1000)
        return [one.name for one in events if row_id in one.payload.values() and "progress" not in one.name]

    @asynccontextmanager
    async def workflows_only(self) -> AsyncIterator[None]:
        """Nobody works on the queues of providers: whatever needs one is slow."""
        stage = self.stage
        async with (
            activities(stage.settings(), start.Doorbell(stage.temporal), Histories(stage.temporal)) as owners,
            build_worker(stage.temporal, owners, task_queue=queues.WORKFLOWS),
        ):
            yield

    async def slow_research(self, email: str = "ada@lovelace.example") -> tuple[str, WorkflowHandle[Any, Any]]:
        """One that has its row, and waits for a look-up that nobody makes. Needs `workflows_only`."""
        research_id = await self.stage.request(email)
        handle = await self.stage.start(research_id)
        await until(lambda: self._is(research_id, "generating"))
        return research_id, handle

    async def _is(self, research_id: str, status: str) -> bool:
        return (await self.stage.run(research_id)).status == status

    async def status(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        return (await self.stage.temporal.get_workflow_handle(workflow_id).describe()).status

    async def stand_in(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """A workflow that lives under this id: nobody ever works on it."""
        return await self.stage.temporal.start_workflow("Nobody", id=workflow_id, task_queue="nobody-is-there")

    async def end_all(self) -> None:
        """Whatever of this tenant was begun and is left."""
        ids = [f"{noun}/{self.stage.tenant.id}/" for noun in ("research", "transcript", "erasure", "notice", "meeting")]
        ids += [f"{noun}/{self.stage.tenant.id}/" for noun in ("batch", "delivery", "digest", "skill")]
        async for run in self.stage.temporal.list_workflows("ExecutionStatus = 'Running'"):
            if run.id.startswith(tuple(ids)):
                # It may have ended since it was listed.
                with suppress(RPCError):
                    await self.stage.temporal.get_workflow_handle(run.id).terminate("the test is over")
