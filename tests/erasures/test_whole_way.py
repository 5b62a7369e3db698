"""Somebody asks to be forgotten: rows, briefs, pages that name them, workflow runs; and they do not come back."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.store.erasures import ErasureStore, MemberError
from schemas.erasures import ErasureReport
from starter.words import UsageError
from tests.diary import ADA, MEI, TOMAS, Diary, soon
from tests.erasures.people import NAME, dump, erased, histories, key_of, meeting_id, written
from tests.stage import Stage
from tests.waiting import until
from workflows import ids

TITLE = "Ada and Robin: forecasts"


@dataclass
class Before:
    """What there was: research ids, the briefs, and the runs whose ids hold Ada's key."""

    shared: str
    alone: str
    others: str
    request: str
    hers: str
    event: str
    briefs: dict[str, str]
    runs: list[tuple[str, str]]


@pytest.fixture
async def diary(stage: Stage) -> Diary:
    return await Diary.connected(stage)


async def known_everywhere(stage: Stage, diary: Diary) -> Before:
    """Two meetings and two requests with Ada, a meeting without her whose sources name her, and marks."""
    event = diary.calendar.add(TITLE, soon(days=2), attendees=[ADA, TOMAS])
    alone = diary.calendar.add(f"Meeting {NAME}", soon(days=3), attendees=[ADA])
    others = diary.calendar.add("Depots", soon(days=4), attendees=[TOMAS])
    await diary.read()
    meetings = [await meeting_id(diary, one) for one in (event, alone, others)]
    request = (await stage.research(ADA, MEI)).research_id
    hers = (await stage.research(ADA)).research_id
    briefs = {one: (await written(stage, one)).id for one in [*meetings, request, hers]}
    await _plant(stage, briefs[meetings[2]])
    runs = await until(lambda: _runs_of(stage, key_of(stage)))
    return Before(*meetings, request=request, hers=hers, event=event, briefs=briefs, runs=runs)


async def _plant(stage: Stage, brief_id: str) -> None:
    """Tomas's company names Ada on a page, on which his brief rests, and a reader has spoken of her."""
    async with stage.database.tenant(stage.tenant.id) as connection:
        for statement in (
            """
            UPDATE evidence SET text = text || ' Its forecasts were made with Ada M. LOVELACE (ada+talks@lovelace.example).'
            WHERE id = (
              SELECT c.evidence_id FROM claims c JOIN subjects s ON s.id = c.subject_id
              WHERE c.brief_id = $1 AND c.nature = 'fact' AND s.kind = 'company' LIMIT 1
            )
            """,
            """
            UPDATE subjects SET profile = profile || '{"candidates": [{"name": "Lovelace, Ada"}]}'
            WHERE kind = 'company' AND domain = 'brightwater.example' AND $1::uuid IS NOT NULL
            """,
            """
            INSERT INTO marks (tenant_id, user_id, research_id, claim_id, subject_id, verdict, text, created_at)
            SELECT current_tenant(), r.user_id, r.id, c.id, c.subject_id, 'wrong', 'Ada Lovelace never said so', '2026-01-01'
            FROM claims c JOIN briefs b ON b.id = c.brief_id JOIN research r ON r.id = b.research_id
            WHERE b.id = $1 LIMIT 1
            """,
        ):
            assert await connection.execute(statement, brief_id) not in ("UPDATE 0", "INSERT 0 0")


async def _runs_of(stage: Stage, key: str) -> list[tuple[str, str]]:
    found = stage.temporal.list_workflows(f"TenantId = '{stage.tenant.id}'")
    return [(run.id, run.run_id) async for run in found if key in run.id]


async def assert_nowhere(stage: Stage) -> None:
    rows, told = await dump(stage), await histories(stage)
    for trace in (ADA, "ada+talks", NAME.lower(), "ada m. lovelace", "lovelace, ada", "ada and robin", key_of(stage)):
        assert trace not in rows, trace
        assert trace not in told, trace


async def _gone(stage: Stage, workflow_id: str, run_id: str = "") -> bool:
    try:
        await stage.temporal.get_workflow_handle(workflow_id, run_id=run_id or None).describe()
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND
    return False


async def test_whoever_is_erased_is_nowhere_and_does_not_come_back(stage: Stage, diary: Diary) -> None:
    async with stage.working():
        before = await known_everywhere(stage, diary)
        rows, told = await dump(stage), await histories(stage)
        assert ADA in rows and NAME.lower() in rows and key_of(stage) in rows and key_of(stage) in told

        report = await erased(stage)

        shared = await written(stage, before.shared, besides=before.briefs[before.shared])
        others = await written(stage, before.others, besides=before.briefs[before.others])
        await assert_nowhere(stage)
        _assert_others_are_served(before, shared.subjects, others.subjects)
        assert all([await _gone(stage, *run) for run in before.runs])
        assert await _gone(stage, ids.research(stage.tenant.id, before.hers))
        await _assert_report(stage, before, report)

        diary.calendar.move(before.event, soon(days=5))
        calls = len(stage.calls("perplexity"))
        assert (await diary.read()).changed == 1
        with pytest.raises(UsageError, match="asked to be forgotten"):
            await stage.request("Ada+again@lovelace.example", TOMAS)
        await assert_nowhere(stage)
        assert len(stage.calls("perplexity")) == calls
    row = (await diary.rows())[before.event]
    assert (row["title"], row["prospects"], row["starts_at"]) == ("Meeting", [TOMAS], soon(days=5))


def _assert_others_are_served(before: Before, shared: tuple, others: tuple) -> None:  # type: ignore[type-arg]
    for subjects in (shared, others):
        assert {one.detail for one in subjects if one.kind == "company"} == {"brightwater.example"}
        assert len([one for one in subjects if one.kind == "person"]) == 1


async def _assert_report(stage: Stage, before: Before, report: ErasureReport) -> None:
    assert report.finished_at is not None
    assert report.counts["people"] == 1
    assert report.counts["briefs"] >= len(before.briefs)
    assert report.counts["requests"] == 1
    assert report.counts["meetings with nobody else"] == 1
    assert report.counts["workflow runs"] >= len(before.runs)
    assert report.unwritten == (before.request,), "nobody writes a request again by themselves"
    again = await (await stage.start(before.request)).result()
    assert [one.detail for one in (await stage.brief(again.brief_id)).subjects if one.kind == "company"] == []


async def test_who_is_alone_in_a_meeting_takes_it_with_them(stage: Stage, diary: Diary) -> None:
    event = diary.calendar.add(TITLE, soon(days=2), attendees=[ADA])
    async with stage.working():
        await diary.read()
        await written(stage, await meeting_id(diary, event))
        await erased(stage)
        workflow = stage.temporal.get_workflow_handle(ids.meeting(stage.tenant.id, await meeting_id(diary, event)))
        assert (await workflow.result())["ended"] == "nobody from outside"
        assert (await diary.read()).changed == 0
    assert (await diary.rows())[event]["withdrawn"] == "nobody from outside"


async def test_who_was_never_known_is_suppressed_all_the_same(stage: Stage, diary: Diary) -> None:
    async with stage.working():
        report = await erased(stage)
        diary.calendar.add(TITLE, soon(days=2), attendees=[ADA])
        diary.calendar.add("Both", soon(days=3), attendees=[ADA, TOMAS])
        await diary.read()
    assert report.counts == {}
    rows = await diary.rows()
    assert [(row["title"], row["prospects"]) for row in rows.values()] == [("Meeting", [TOMAS])]
    assert ADA not in await dump(stage)


async def test_a_research_under_way_is_stopped_first(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "slow", seconds=20, times=None)
    async with stage.working():
        research_id = await stage.request(ADA, TOMAS)
        await stage.start(research_id)
        await until(lambda: _generating(stage, research_id))
        stage.sandbox.faults.clear()
        await asyncio.wait_for(erased(stage), 30)
        await assert_nowhere(stage)
    assert (await stage.run(research_id)).status == "requested"


async def _generating(stage: Stage, research_id: str) -> bool:
    return (await stage.run(research_id)).status == "generating"


async def test_what_is_said_of_a_namesake_stays(stage: Stage) -> None:
    async with stage.working():
        await stage.research(ADA, name=NAME)
        other = await stage.research("ada@brightwater.example", name=NAME)
        await erased(stage)
    brief = await stage.brief(other.id)
    assert brief.subjects == other.subjects
    assert brief.evidence == other.evidence


async def test_a_member_is_not_erased(stage: Stage) -> None:
    with pytest.raises(MemberError):
        await ErasureStore(stage.database).request(stage.tenant.id, "robin+x@harbour.example", datetime.now(UTC))
    assert await stage.count("erasures") == 0


async def test_another_tenant_s_person_stays(stage: Stage) -> None:
    theirs = Stage(stage.database, stage.temporal, stage.sandbox, stage.urls, tenant_id=str(uuid4()))
    await theirs.set_up(datetime.now(UTC))
    async with stage.working():
        brief = await theirs.research(ADA)
        await stage.research(ADA)
        before = await dump(theirs)
        await erased(stage)
        assert await dump(theirs) == before
    assert await theirs.brief(brief.id) == brief


async def test_a_title_that_named_them_does_not_come_back(stage: Stage, diary: Diary) -> None:
    """In a script that Postgres folds in another way than we do, and in a meeting to which they were not invited."""
    name = "Γιώργος Παπαδόπουλος"
    diary.calendar.add("Introduction", soon(days=2), attendees=[ADA, TOMAS])
    event = diary.calendar.add(f"Notes on {name}", soon(days=3), attendees=[TOMAS])
    async with stage.working():
        await diary.read()
        async with stage.database.tenant(stage.tenant.id) as connection:
            await connection.execute("UPDATE attendees SET name = $1 WHERE email = $2", name, ADA)
        await erased(stage)
        diary.calendar.move(event, soon(days=4))
        assert (await diary.read()).changed == 1
    row = (await diary.rows())[event]
    assert (row["title"], row["starts_at"], row["prospects"]) == ("Meeting", soon(days=4), [TOMAS])
