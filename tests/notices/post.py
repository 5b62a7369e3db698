"""What a test of notices works with: a meeting that has failed or has a brief, orders, and the mails that came of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from schemas.meetings import Attendee, MeetingFacts
from schemas.notices import NoticeKind, NoticeOrder, Sent
from tests.stage import Stage
from workflows import ids, policies, queues
from workflows.notices import NoticeWorkflow


class Post:
    """One user of one stage. Their address is their own, so that faults and mails can be told apart."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.address = f"robin-{stage.tenant.id[:8]}@harbour.example"

    async def sql(self, statement: str, *values: Any) -> None:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            await connection.execute(statement, *values)

    async def failed_meeting(self, title: str = "First call", *, name: str = "Ada") -> str:
        """A meeting tomorrow whose research has failed."""
        await self.sql("UPDATE users SET email = $1", self.address)
        meeting_id = await self.stage.meeting(
            MeetingFacts(
                source="test",
                source_key=str(uuid4()),
                title=title,
                starts_at=datetime.now(UTC) + timedelta(hours=20),
                attendees=(Attendee(email="ada@lovelace.example", name=name),),
            )
        )
        await self.sql(
            "UPDATE research SET status = 'failed', failed_step = 'look-up', failure_reason = $2 WHERE id = $1",
            meeting_id,
            "look-up: no source came back",
        )
        return meeting_id

    def order(self, meeting_id: str, kind: NoticeKind = NoticeKind.RESEARCH_FAILED, key: str = "") -> NoticeOrder:
        return NoticeOrder(
            tenant_id=self.stage.tenant.id,
            key=key or f"{kind.value}/{uuid4()}",
            kind=kind,
            user_id=self.stage.user.id,
            meeting_id=meeting_id,
            research_id=meeting_id,
        )

    async def begin(self, order: NoticeOrder) -> WorkflowHandle[NoticeWorkflow, Sent]:
        return await self.stage.temporal.start_workflow(
            NoticeWorkflow.run,
            order,
            id=ids.notice(order.tenant_id, order.key),
            task_queue=queues.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            task_timeout=policies.WORKFLOW_TASK,
        )

    async def send(self, order: NoticeOrder) -> Sent:
        return await (await self.begin(order)).result()

    async def row(self, key: str) -> dict[str, Any]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            row = await connection.fetchrow("SELECT * FROM notices WHERE key = $1", key)
            assert row is not None
            return dict(row)

    def mails(self) -> list[dict[str, Any]]:
        """All that came for this user, in full."""
        box = self.stage.sandbox.mailbox
        mine = [one["n"] for one in box.all() if self.address in one["rcpt_tos"]]
        return [mail for number in mine if (mail := box.get(number))]

    def tries(self) -> int:
        """Conversations about this user that reached the mail server's RCPT fault or its DATA."""
        return sum(self.address in str(call["request"]) for call in self.stage.calls("mail"))
