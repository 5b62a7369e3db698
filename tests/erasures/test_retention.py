"""What is older than its tenant keeps it goes with all that hangs on it; what is younger, and what is another's, stays."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.retention import RetentionActivities
from activities.store.retention import RetentionStore
from schemas.erasures import Discarded, Keeping, Outdated
from schemas.meetings import Attendee, MeetingFacts
from tests.diary import ADA, MEI, TOMAS
from tests.stage import Stage
from workflows import queues
from workflows.erasures import RetentionWorkflow

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
KEPT, MOMENT = timedelta(days=180), timedelta(microseconds=1)
HANGING = ("research", "attendees", "briefs", "claims", "evidence", "answers", "research_prospects", "run_subjects")


async def sweep(stage: Stage, now: datetime = NOW) -> Discarded:
    """Of this tenant alone: others' rows are theirs."""

    class Alone(RetentionStore):
        async def tenants(self) -> list[str]:
            return [stage.tenant.id]

    return await ActivityEnvironment().run(RetentionActivities(Alone(stage.database)).sweep, Outdated(now=now))


async def met(stage: Stage, ended: datetime, *emails: str) -> str:
    """A meeting with a brief, as old as all that is known of it."""
    facts = MeetingFacts(
        source="test",
        source_key=str(uuid4()),
        title="A meeting",
        starts_at=ended - timedelta(hours=1),
        ends_at=ended,
        attendees=tuple(Attendee(email=one) for one in emails),
    )
    research_id = await stage.meeting(facts)
    await (await stage.start(research_id)).result()
    await _aged(stage, ended - timedelta(days=1))
    return research_id


async def _aged(stage: Stage, moment: datetime) -> None:
    async with stage.database.tenant(stage.tenant.id) as connection:
        for statement in (
            "UPDATE answers SET asked_at = $1 WHERE asked_at < '2029-01-01'",
            "UPDATE evidence SET fetched_at = $1 WHERE fetched_at < '2029-01-01'",
            "UPDATE subjects SET last_researched_at = $1 WHERE last_researched_at < '2029-01-01'",
            "UPDATE research SET requested_at = $1 WHERE requested_at < '2029-01-01'",
            "UPDATE events SET created_at = $1 WHERE created_at < '2029-01-01'",
        ):
            await connection.execute(statement, moment)


async def people(stage: Stage) -> set[str]:
    async with stage.database.tenant(stage.tenant.id) as connection:
        rows = await connection.fetch("SELECT coalesce(email, domain) AS called FROM subjects")
        return {row["called"] for row in rows}


async def test_a_meeting_goes_a_moment_after_its_time(stage: Stage) -> None:
    async with stage.working():
        await met(stage, NOW - KEPT, ADA)
    brief = (await stage.library.briefs(stage.tenant.id, 1))[0]
    before = await stage.brief(brief.id)
    assert "meetings" not in (await sweep(stage)).counts, "to the microsecond it is still kept"
    assert await stage.brief(brief.id) == before
    swept = await sweep(stage, NOW + MOMENT)
    assert swept.counts["meetings"] == 1
    # The day before it ended was the last on which anything was asked.
    assert {table: await stage.count(table) for table in HANGING} == dict.fromkeys(HANGING, 0)
    assert await people(stage) == set()


async def test_what_a_younger_meeting_rests_on_stays(stage: Stage) -> None:
    async with stage.working():
        old = await met(stage, NOW - KEPT - timedelta(days=9), ADA)
        young = await met(stage, NOW - timedelta(days=9), TOMAS)
        both = await met(stage, NOW - KEPT + timedelta(hours=1), TOMAS, MEI)
    brief = await stage.brief((await stage.run(both)).brief_id or "")
    await sweep(stage)
    assert await stage.library.run(stage.tenant.id, old) is None
    assert (await stage.run(young)).brief_id is not None
    assert await stage.brief(brief.id) == brief, "pages that are older than what is kept serve a brief that is not"
    assert await people(stage) == {TOMAS, MEI, "brightwater.example"}


async def test_requests_and_events_go_by_their_own_age(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA)
    await _aged(stage, NOW - KEPT)
    assert (await sweep(stage)).counts == {}
    assert (await sweep(stage, NOW + MOMENT)).counts.items() >= {"requests": 1, "events": 3}.items()
    assert await stage.library.brief(stage.tenant.id, brief.id) is None
    assert await people(stage) == set()


async def test_a_request_that_is_worked_on_stays(stage: Stage) -> None:
    """So do the pages that it may be written from, which nothing rests on yet."""
    async with stage.working():
        await stage.research(ADA)
    await _aged(stage, NOW - KEPT - timedelta(days=1))
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute("DELETE FROM briefs")
        await connection.execute("UPDATE research SET status = 'generating', begun_at = $1", NOW)
    pages = await stage.count("evidence")
    await sweep(stage)
    assert (await stage.count("research"), await stage.count("evidence")) == (1, pages)


async def test_each_tenant_says_for_how_long(stage: Stage) -> None:
    store = RetentionStore(stage.database)
    async with stage.working():
        await met(stage, NOW - timedelta(days=10), ADA)
    assert await store.days(stage.tenant.id) == 180
    await sweep(stage)
    assert await stage.count("meetings") == 1
    await store.keep(stage.tenant.id, 9)
    await sweep(stage)
    assert await stage.count("meetings") == 0


async def test_more_than_one_batch_goes_and_another_s_stays(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.store.retention.BATCH", 2)
    theirs = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, tenant_id=str(uuid4()))
    await theirs.set_up(datetime.now(UTC))
    long_ago = NOW - timedelta(days=400)
    for one in (stage, theirs):
        for number in range(5):
            await one.meeting(
                MeetingFacts(
                    source="test",
                    source_key=str(number),
                    title="t",
                    starts_at=long_ago,
                    attendees=(Attendee(email=f"p{number}@firm{number}.example"),),
                )
            )
    assert (await sweep(stage)).counts == {"meetings": 5, "people and companies": 10}
    assert await theirs.count("meetings") == 5


async def test_ended_channels_and_unused_logs_of_calls_go(stage: Stage) -> None:
    connected = await stage.connect()
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute(
            """
            INSERT INTO subscriptions (tenant_id, id, calendar_id, status, token_hash, created_at, expires_at)
            SELECT current_tenant(), gen_random_uuid(), $1, s.status, 'h', $2, $2
            FROM unnest(ARRAY['stopped', 'expired', 'replaced', 'active']) AS s(status)
            """,
            connected.calendar_id,
            NOW - KEPT - MOMENT,
        )
    old, new = f"some/user/{uuid4()}", f"some/user/{uuid4()}"
    async with stage.database.untenanted() as connection:
        await connection.executemany(
            "INSERT INTO paces VALUES ($1, ARRAY[$2::timestamptz])",
            [(old, NOW - timedelta(days=2)), (new, NOW - timedelta(hours=2))],
        )
    assert (await sweep(stage)).counts["channels"] == 3
    async with stage.database.untenanted() as connection:
        left = {
            row["provider"]
            for row in await connection.fetch("DELETE FROM paces WHERE provider LIKE 'some/%' RETURNING *")
        }
    assert left == {new}


async def test_one_tenant_s_trouble_is_not_the_others(stage: Stage) -> None:
    class Troubled(RetentionStore):
        async def tenants(self) -> list[str]:
            return ["no tenant at all", stage.tenant.id]

    async with stage.working():
        await met(stage, NOW - KEPT - MOMENT, ADA)
    with pytest.raises(ApplicationError, match="1 of 2 tenants"):
        await ActivityEnvironment().run(RetentionActivities(Troubled(stage.database)).sweep, Outdated(now=NOW))
    assert await stage.count("meetings") == 0


async def test_the_clock_s_workflow_goes_through_all_tenants(stage: Stage) -> None:
    async with stage.working():
        done = await stage.temporal.execute_workflow(
            RetentionWorkflow.run, Keeping(), id=f"retention-{uuid4()}", task_queue=queues.WORKFLOWS
        )
    assert done.tenants >= 1
