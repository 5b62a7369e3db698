"""Whoever is forgotten is in no skill's run either, nor in what it wrote; and runs go with time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.retention import RetentionActivities
from activities.skills.ports import ToolCall
from activities.store.dossiers import DossierStore
from activities.store.retention import RetentionStore
from schemas.erasures import Discarded, Outdated
from schemas.meetings import Attendee, MeetingFacts
from schemas.skills import Opinion, RunStatus
from tests.diary import ADA, TOMAS
from tests.erasures.people import NAME, dump, forgotten, key_of
from tests.skills.run_rows import NOW, Workshop, reply, tool_call, written
from tests.stage import Stage

FIRST = "Dear A., until Monday."


@pytest.fixture
async def shop(stage: Stage) -> Workshop:
    """The stage's tenant."""
    shop = Workshop(stage.database)
    shop.tenant, shop.user = stage.tenant, stage.user
    return shop


async def objects(shop: Workshop) -> set[str]:
    return {row["key"] for row in await shop.rows("SELECT key FROM unneeded_objects")}


async def standing(shop: Workshop) -> dict[str, tuple[str, str | None]]:
    rows = await shop.rows("SELECT id, status, failed_step FROM skill_runs")
    return {row["id"]: (row["status"], row["failed_step"]) for row in rows}


ERASED, STAYS = ("failed", "erased"), ("completed", None)


async def test_runs_that_name_them_anywhere_are_emptied(stage: Stage, shop: Workshop) -> None:
    """In what was asked, far into what was written, or in what its user said of it."""
    asked = await shop.made(message=f"Write to {NAME}")
    told = await shop.made(inputs={"to": [{"mail": "ada+x@lovelace.example"}]})
    wrote = await shop.made(f"# Plan\n\n{'x' * 3000}\n\nSend {NAME} the numbers.")
    looked = await shop.begun()
    await shop.bought(looked, tool_call(query=NAME))
    liked = await shop.made()
    said = Opinion(overall=2, issues=f"{NAME} is no buyer")
    await shop.feedback.say(shop.tenant.id, shop.user.id, liked.run_id, said, NOW)
    others = await shop.made(message="Write to Tomas Lind")
    drafted = await shop.begun()
    await shop.runs.draft(drafted, f"Dear {NAME}")
    report = await forgotten(stage, NOW)

    rows = await dump(stage)
    for trace in (NAME.lower(), ADA, "ada+x"):
        assert trace not in rows, trace
    gone = [asked.run_id, told.run_id, wrote.run_id, looked.run_id, liked.run_id, drafted.run_id]
    assert await standing(shop) == {**dict.fromkeys(gone, ERASED), others.run_id: STAYS}
    assert await objects(shop) == {done.s3_key for done in (asked, told, wrote, liked)}
    assert report.counts["skills' runs, emptied"] == len(gone)
    for table in ("skill_replies", "outputs"):
        assert {row["skill_run_id"] for row in await shop.rows(f"SELECT * FROM {table}")} == {others.run_id}
    assert await shop.rows("SELECT FROM feedback") == []


async def test_runs_that_were_told_of_them_may_name_them_by_their_first_name(stage: Stage, shop: Workshop) -> None:
    """Of a meeting with them, of their company, or one that has read a call in which they were."""
    met = {who: await stage.meeting(_meeting(who)) for who in (ADA, TOMAS)}
    company = await shop.runs.client(shop.tenant.id, "Lovelace.example ")
    assert company is not None
    call_id, other_call = str(uuid4()), str(uuid4())
    for one, mail in ((call_id, ADA), (other_call, TOMAS)):
        await shop.rows(
            "INSERT INTO calls (tenant_id, id, source, source_key, created_at)"
            " VALUES (current_tenant(), $1, 'upload', $1::uuid::text, '2026-11-01')",
            one,
        )
        await shop.rows(
            "INSERT INTO speakers (tenant_id, call_id, key, email, position) VALUES (current_tenant(), $1, 'A', $2, 1)",
            one,
            mail,
        )
    of_meeting = await shop.made(FIRST, meeting_id=met[ADA])
    of_company = await shop.made(FIRST, client_id=company[0], client=company[1])
    of_call = []
    for one in (call_id, other_call):
        step = await shop.begun()
        await shop.bought(step, tool_call(id=one))
        of_call.append(step.run_id)
    others = await shop.made(FIRST, meeting_id=met[TOMAS])
    await forgotten(stage, NOW)
    assert await standing(shop) == {
        of_meeting.run_id: ERASED,
        of_company.run_id: ERASED,
        of_call[0]: ERASED,
        of_call[1]: ("running", None),
        others.run_id: STAYS,
    }


def _meeting(who: str) -> MeetingFacts:
    return MeetingFacts(
        source="test",
        source_key=who,
        title="Coffee",
        starts_at=datetime(2030, 1, 1, tzinfo=UTC),
        attendees=(Attendee(email=who),),
    )


async def test_a_run_that_is_under_way_writes_no_more_and_says_once_that_it_failed(
    stage: Stage, shop: Workshop
) -> None:
    step = await shop.begun(message=f"Write to {NAME}")
    await forgotten(stage, NOW)
    await shop.bought(step, reply(f"Dear {NAME}"))
    for late in (
        shop.runs.draft(step, NAME),
        shop.runs.write(step, written(NAME)),
        shop.runs.begin(shop.step(step.run_id, "again"), sandbox=True),
        shop.runs.finish(step, written(NAME), "late.md"),
    ):
        with pytest.raises(ApplicationError, match="newer run"):
            await late
    for _ in range(2):
        done = await shop.runs.fail(shop.failure(step, reason="execute: superseded"))
        assert done.status is RunStatus.FAILED
    assert NAME.lower() not in await dump(stage)
    assert await objects(shop) == {"late.md"}
    assert await shop.spending() == [("reply/a1", "settled", 30)], "what was paid is written down"
    ((name, payload),) = await shop.ends()
    assert (name, payload["step"], payload["retryable"]) == ("skill.execute.failed", "erased", False)


async def test_what_is_kept_of_them_in_runs_is_in_the_export(stage: Stage, shop: Workshop) -> None:
    await shop.made(f"Write to {ADA} on Monday.")
    await shop.made("Nothing of her.")
    found = await DossierStore(stage.database).dossier(stage.tenant.id, ADA, key_of(stage))
    assert [one.kind for one in found.came] == ["skill follow-up"]
    assert ADA in str(found.came)


async def sweep(stage: Stage, now: datetime) -> Discarded:
    """Of this tenant alone: others' rows are theirs."""

    class Alone(RetentionStore):
        async def tenants(self) -> list[str]:
            return [stage.tenant.id]

    return await ActivityEnvironment().run(RetentionActivities(Alone(stage.database)).sweep, Outdated(now=now))


async def test_runs_go_with_time_and_leave_their_outputs_to_be_deleted(stage: Stage, shop: Workshop) -> None:
    old = await shop.made()
    going_on = await shop.begun()
    await shop.ask()
    shop.now = NOW + timedelta(days=9)
    young = await shop.made()
    kept = NOW + timedelta(days=180)

    assert "skills' runs" not in (await sweep(stage, kept)).counts, "to the microsecond it is still kept"
    assert (await sweep(stage, kept + timedelta(microseconds=1))).counts["skills' runs"] == 1
    left = await standing(shop)
    assert old.run_id not in left and {young.run_id, going_on.run_id} < left.keys() and len(left) == 3
    assert await objects(shop) == {old.s3_key}
    assert {row["skill_run_id"] for row in await shop.rows("SELECT * FROM outputs")} == {young.run_id}


async def test_an_answer_to_a_run_that_went_is_paid(stage: Stage, shop: Workshop) -> None:
    step = await shop.begun()
    await shop.rows("DELETE FROM skill_runs")
    await shop.bought(step)
    fields: dict[str, Any] = {"status": RunStatus.FAILED, "by_mail": False}
    done = await shop.runs.fail(shop.failure(step))
    assert {name: getattr(done, name) for name in fields} == fields
    assert await shop.spending() == [("reply/a1", "settled", 30)]
    assert await shop.rows("SELECT FROM skill_replies") == []


async def test_what_runs_under_way_have_looked_through_is_believed_to_name_them(stage: Stage, shop: Workshop) -> None:
    """What was read is in the memory of a worker alone. Nobody may be working on a run any more: that it failed is told
    at once, and what it may have put away is to be deleted."""
    looked, other = await shop.begun(), await shop.begun()
    await shop.bought(looked, reply("", calls=(ToolCall(id="c1", name="list_calls", input={}),), stopped="tool_use"))
    await shop.runs.write(looked, written(FIRST))
    await forgotten(stage, NOW)

    assert await standing(shop) == {looked.run_id: ERASED, other.run_id: ("running", None)}
    assert await objects(shop) == {f"{shop.tenant.id}/skills/{looked.run_id}/output.md"}
    assert [(name, said["runId"]) for name, said in await shop.ends()] == [("skill.execute.failed", looked.run_id)]
