"""What a change of campaigns and preferences reaches: meetings to come, in the same transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from schemas.tenants import CampaignRow, User
from tests.stage import CAMPAIGN, Stage

NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL = NOW + 30 * DAY

MEETING = """
    INSERT INTO meetings (tenant_id, id, user_id, campaign_id, source, source_key, title, starts_at, ends_at, created_at,
      calendar_id, withdrawn, cancelled)
    VALUES (current_tenant(), $1, $2, $3, 'test', $4, 't', $5, $6, $7, $8, $9, $9::text IS NOT NULL)
"""
RESEARCH = """
    INSERT INTO research (tenant_id, id, kind, user_id, campaign_id, meeting_id, requested_at)
    VALUES (current_tenant(), $1, 'calendar', $2, $3, $1, $4)
"""


@dataclass
class Office:
    """A user with a calendar, and meetings in it."""

    stage: Stage
    calendar_id: str

    async def meeting(self, starts: datetime, *, calendar: bool = True, withdrawn: str | None = None) -> str:
        meeting_id, user_id, campaign_id = str(uuid4()), self.stage.user.id, self.stage.campaign.id
        ours = self.calendar_id if calendar else None
        await self.run(
            MEETING, meeting_id, user_id, campaign_id, meeting_id, starts, starts + HOUR, NOW, ours, withdrawn
        )
        await self.run(RESEARCH, meeting_id, user_id, campaign_id, NOW)
        return meeting_id

    async def another(self, name: str, user: User | None = None, *, later: timedelta = HOUR) -> CampaignRow:
        campaign, _ = await self.stage.tenants.add_campaign(
            self.stage.tenant.id,
            (user or self.stage.user).id,
            CAMPAIGN.model_copy(update={"name": name}),
            NOW + later,
            UNTIL,
        )
        return campaign

    async def switch(self, campaign: CampaignRow, *, on: bool) -> list[str]:
        changed = campaign.model_copy(update={"active": on})
        return await self.stage.tenants.edit_campaign(self.stage.tenant.id, changed, NOW, UNTIL)

    async def of(self, meeting_id: str) -> tuple[str, str, int]:
        """The meeting's campaign, its research's, and its revision."""
        (row,) = await self.run(
            """
            SELECT m.campaign_id, r.campaign_id AS researched_for, m.revision FROM meetings m JOIN research r USING (id)
            WHERE m.id = $1
            """,
            meeting_id,
        )
        return row["campaign_id"], row["researched_for"], row["revision"]

    async def run(self, query: str, *values: Any) -> list[Any]:
        async with self.stage.database.tenant(self.stage.tenant.id) as connection:
            return list(await connection.fetch(query, *values))


@pytest.fixture
async def office(stage: Stage) -> Office:
    return Office(stage, (await stage.connect()).calendar_id)


async def test_an_edit_reaches_meetings_to_come_and_names_those_that_have_a_workflow(office: Office) -> None:
    soon, far = await office.meeting(NOW + DAY), await office.meeting(NOW + 31 * DAY)
    over, gone = await office.meeting(NOW - 2 * HOUR), await office.meeting(NOW + DAY, withdrawn="cancelled")
    filed = await office.meeting(NOW + DAY, calendar=False)

    assert await office.switch(office.stage.campaign, on=False) == [soon]
    revisions = [(await office.of(one))[2] for one in (soon, far, over, gone, filed)]
    assert revisions == [2, 2, 1, 1, 1]


async def test_preferences_reach_meetings_to_come_and_name_those_that_have_a_workflow(office: Office) -> None:
    soon, far = await office.meeting(NOW + DAY), await office.meeting(NOW + 31 * DAY)
    stage = office.stage

    assert await stage.meetings.revise(stage.tenant.id, stage.user.id, NOW, UNTIL) == [soon]
    assert [(await office.of(one))[2] for one in (soon, far)] == [2, 2]


async def test_a_calendar_that_is_assigned_names_those_that_have_a_workflow(office: Office) -> None:
    soon, far = await office.meeting(NOW + DAY), await office.meeting(NOW + 31 * DAY)
    other, tenant_id = await office.another("Other"), office.stage.tenant.id

    assert await office.stage.meetings.assign(tenant_id, office.calendar_id, other.id, NOW, UNTIL) == [soon]
    assert [await office.of(one) for one in (soon, far)] == [(other.id, other.id, 2)] * 2


async def test_meetings_go_over_to_the_oldest_active_campaign_and_come_back(office: Office) -> None:
    first, second = office.stage.campaign, await office.another("Second")
    await office.another("Third", later=2 * HOUR)
    soon, far, over = [await office.meeting(NOW + span) for span in (DAY, 40 * DAY, -2 * HOUR)]

    assert await office.switch(first, on=False) == [soon]
    assert (await office.of(soon))[:2] == (second.id, second.id)
    assert (await office.of(far))[:2] == (second.id, second.id)
    assert await office.of(over) == (first.id, first.id, 1)
    before = (await office.of(soon))[2]
    assert await office.switch(first, on=True) == [soon]
    assert (await office.of(soon))[:2] == (first.id, first.id)
    assert (await office.of(soon))[2] > before > 1


async def test_without_any_active_campaign_meetings_stay_until_there_is_one(office: Office) -> None:
    first, soon = office.stage.campaign, await office.meeting(NOW + DAY)
    assert await office.switch(first, on=False) == [soon]
    assert (await office.of(soon))[:2] == (first.id, first.id)

    added, reached = await office.stage.tenants.add_campaign(
        office.stage.tenant.id, office.stage.user.id, CAMPAIGN.model_copy(update={"name": "New"}), NOW + HOUR, UNTIL
    )
    assert (reached, (await office.of(soon))[:2]) == ([soon], (added.id, added.id))


async def test_a_calendar_with_a_campaign_of_its_own_keeps_it(office: Office) -> None:
    first, soon = office.stage.campaign, await office.meeting(NOW + DAY)
    await office.another("Second")
    await office.run("UPDATE calendars SET campaign_id = $1", first.id)

    assert await office.switch(first, on=False) == [soon]
    assert (await office.of(soon))[:2] == (first.id, first.id)


async def test_another_user_s_campaign_is_taken_only_without_one_of_one_s_own(office: Office) -> None:
    stage = office.stage
    kim = User(id=str(uuid4()), email=f"kim@{stage.tenant.id[:8]}.example", name="Kim")
    await stage.tenants.add_user(stage.tenant.id, kim, NOW)
    theirs = await office.another("Theirs", kim, later=-HOUR)
    mine, soon = await office.another("Mine"), await office.meeting(NOW + DAY)

    await office.switch(stage.campaign, on=False)
    assert (await office.of(soon))[0] == mine.id
    await office.switch(mine, on=False)
    assert (await office.of(soon))[0] == theirs.id


async def test_an_edit_that_fails_reaches_nobody(office: Office) -> None:
    soon, taken = await office.meeting(NOW + DAY), await office.another("Taken")
    with pytest.raises(Exception, match="23505"):
        await office.stage.tenants.edit_campaign(
            office.stage.tenant.id, office.stage.campaign.model_copy(update={"name": taken.name}), NOW, UNTIL
        )
    assert (await office.of(soon))[2] == 1
