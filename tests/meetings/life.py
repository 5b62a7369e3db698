"""A meeting's life with the clock in hand: real workflows and rows, pretended providers, time that is skipped."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from schemas.calendars import Read
from schemas.meetings import Asked, MeetingOutcome
from starter import start
from tests.diary import Diary
from tests.stage import Stage
from workflows import ids, policies
from workflows.meetings import MeetingWorkflow

# Real seconds in which whatever is under way ends.
PATIENCE_S = 60.0


@dataclass
class Life:
    """Time goes on only when a test says so, and never while something is under way."""

    environment: WorkflowEnvironment
    stage: Stage
    diary: Diary

    @property
    def client(self) -> Client:
        return self.environment.client

    async def now(self) -> datetime:
        return await self.environment.get_current_time()

    async def in_(self, **span: float) -> datetime:
        """So far from now, on the minute."""
        return (await self.now() + timedelta(**span)).replace(second=0, microsecond=0)

    async def read(self) -> Read:
        """Read the calendar, and let what follows from it come to rest."""
        with self.environment.auto_time_skipping_disabled():
            read = await self.diary.read()
        await self.rest()
        return read

    async def until(self, moment: datetime) -> None:
        """Go there, resting wherever something may happen on the way."""
        for stop in [*await self._stops(moment), moment]:
            if (left := stop - await self.now()) > timedelta():
                await self.environment.sleep(left)
                await self.rest()

    async def _stops(self, moment: datetime) -> list[datetime]:
        """A moment after each time at which the plan of a meeting can have a step."""
        before = [*policies.TRY_AGAIN, timedelta(hours=1), timedelta(hours=1) + policies.RENEW_BRIEF_BEFORE]
        rows = (await self.diary.rows()).values()
        steps = {row["starts_at"] - span for row in rows for span in before} | {row["ends_at"] for row in rows}
        return sorted(step + timedelta(seconds=1) for step in steps if step < moment)

    async def rest(self) -> None:
        """Until every meeting waits for something, twice in a row."""
        quiet = 0
        async with asyncio.timeout(PATIENCE_S):
            while quiet < 2:
                await asyncio.sleep(0.15)
                quiet = quiet + 1 if await self._quiet() else 0

    async def _quiet(self) -> bool:
        """No research, no notice, and no step of a meeting is under way."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            busy = await connection.fetchval(
                """
                SELECT EXISTS (SELECT FROM research WHERE status = 'generating')
                  OR EXISTS (SELECT FROM notices WHERE status = 'pending')
                """
            )
            meetings = await connection.fetch("SELECT id FROM meetings WHERE told > 0")
        return not busy and all([await self._waits(row["id"]) for row in meetings])

    async def _waits(self, meeting_id: str) -> bool:
        there = await self.handle(meeting_id).describe()
        raw = there.raw_description
        return not raw.pending_children and not raw.HasField("pending_workflow_task")

    def handle(self, meeting_id: str) -> WorkflowHandle[MeetingWorkflow, MeetingOutcome]:
        return self.client.get_workflow_handle_for(MeetingWorkflow.run, ids.meeting(self.stage.tenant.id, meeting_id))

    async def meeting_id(self, event_id: str) -> str:
        meeting_id: str = (await self.diary.rows())[event_id]["id"]
        return meeting_id

    async def status(self, event_id: str) -> WorkflowExecutionStatus | None:
        return (await self.handle(await self.meeting_id(event_id)).describe()).status

    async def ask(self, event_id: str) -> Asked:
        return await start.research_now(self.client, self.stage.tenant.id, await self.meeting_id(event_id))

    async def research_now(self, event_id: str) -> bool:
        asked = await self.ask(event_id)
        await self.rest()
        return asked.begun

    async def until_version(self, event_id: str, version: int) -> None:
        """That version of the brief is there, in real time."""
        meeting_id = await self.meeting_id(event_id)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                row = await self.stage.run(meeting_id)
                if (row.version, row.status) >= (version, "ready") and row.status == "ready":
                    return
                await asyncio.sleep(0.1)

    def calls(self) -> tuple[int, int]:
        """Look-ups and briefs that were asked for so far."""
        return len(self.stage.calls("perplexity")), len(self.stage.calls("anthropic"))

    def mails(self) -> list[dict[str, Any]]:
        return self.stage.sandbox.mailbox.all()
