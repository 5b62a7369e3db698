"""A user's calendar, connected: what people do to it, and what becomes of that."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.ports import Grant
from activities.sealing import Sealer
from activities.store.connections import Connected, ConnectionStore
from sandbox.google.diary import Calendar
from schemas.calendars import Read, Reason, Ring
from starter.start import Doorbell
from tests.stage import TOKEN_KEYS, Stage
from workflows import ids
from workflows.calendars import CalendarSyncWorkflow

ADA, TOMAS, MEI = "ada@lovelace.example", "tomas.okafor@brightwater.example", "mei.tanaka@gmail.com"


@dataclass
class Diary:
    """`calendar` is what the people have in hand; the ids are those of our rows."""

    stage: Stage
    calendar: Calendar
    connection_id: str
    calendar_id: str

    @classmethod
    async def connected(cls, stage: Stage, email: str = "") -> "Diary":
        """The stage's user, who has let us in."""
        address = email or stage.user.email
        diary = cls(stage, stage.sandbox.google.account(address, stage.user.name), "", "")
        made = await diary.grant()
        return replace(diary, connection_id=made.connection_id, calendar_id=made.calendar_id)

    async def grant(self) -> Connected:
        """They let us in, perhaps again."""
        stage, address = self.stage, self.calendar.account.email
        grant = Grant(
            access_token=stage.sandbox.google.access(address),
            refresh_token=stage.sandbox.google.grant(address),
            expires_in_s=3599,
            scopes=(),
        )
        return await ConnectionStore(stage.database, Sealer(TOKEN_KEYS)).connect(
            stage.tenant.id, stage.user.id, address, grant, provider="google", sandbox=True, now=datetime.now(UTC)
        )

    async def ring(self, reason: Reason = Reason.ASKED) -> None:
        bell = Doorbell(self.stage.temporal)
        await bell.calendar(self.stage.tenant.id, self.calendar_id, Ring(reason=reason, at=datetime.now(UTC)))

    async def read(self, reason: Reason = Reason.ASKED) -> Read:
        """Ring, and wait until all is read."""
        await self.ring(reason)
        workflow_id = ids.calendar(self.stage.tenant.id, self.calendar_id)
        return await self.stage.temporal.get_workflow_handle_for(CalendarSyncWorkflow.run, workflow_id).result()

    async def rows(self) -> dict[str, dict[str, Any]]:
        """Our meetings by the id of their event."""
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            rows = await connection.fetch(
                """
                SELECT m.*, ARRAY(
                  SELECT email FROM attendees a WHERE a.meeting_id = m.id AND standing = 'prospect' ORDER BY email
                ) AS prospects FROM meetings m
                """
            )
        return {row["source_key"].partition("/")[2]: dict(row) for row in rows}

    async def place(self) -> dict[str, Any]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            row = await connection.fetchrow("SELECT * FROM calendars WHERE id = $1", self.calendar_id)
            assert row is not None
            return dict(row)

    def listings(self) -> list[str]:
        """How the calendar was read, call by call."""
        return [
            call["asked_about"] if "asked_about" in call else str(call["about"]) for call in self.stage.calls("google")
        ]


def soon(**span: float) -> datetime:
    """So far from now, on the minute."""
    return (datetime.now(UTC) + timedelta(**span)).replace(second=0, microsecond=0)
