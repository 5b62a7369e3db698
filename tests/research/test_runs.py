"""What a run remembers: whom it is about, by which sort of provider, and what it already paid for."""

from datetime import UTC, datetime

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.interception import TellingByType
from activities.store.research import ResearchStore
from schemas.briefs import Confidence, Identity
from schemas.research import Begun, Failure, Start
from tests.fakes import thrift
from tests.stage import Stage

ADA, TOMAS = "ada@lovelace.example", "tomas.okafor@brightwater.example"


async def begun(stage: Stage, research_id: str, *, run_id: str = "run", sandbox: bool = True) -> Begun:
    start = Start(tenant_id=stage.tenant.id, research_id=research_id, run_id=run_id, now=datetime.now(UTC))
    return await ResearchStore(stage.database).begin(start, thrift(), sandbox=sandbox)


async def test_a_run_is_about_whom_it_began_with(stage: Stage) -> None:
    """Somebody invited while it works is for the next run."""
    research_id = await stage.request(ADA)
    first = await begun(stage, research_id)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute("DELETE FROM research_prospects")
    again = await begun(stage, research_id)

    assert again == first
    assert [one.label for one in (*first.prospects, *first.companies)] == [
        "Prospect 1 at lovelace.example",
        "lovelace.example",
    ]


async def test_a_run_begins_once_and_a_late_one_takes_nothing(stage: Stage) -> None:
    research_id = await stage.request(ADA)
    assert (await begun(stage, research_id)).version == (await begun(stage, research_id)).version == 1
    assert (await begun(stage, research_id, run_id="next")).version == 2
    late = Start(
        tenant_id=stage.tenant.id, research_id=research_id, run_id="late", now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(ApplicationError, match="a newer run works on this"):
        await ResearchStore(stage.database).begin(late, thrift(), sandbox=True)


async def test_an_inactive_campaign_starts_nothing(stage: Stage) -> None:
    research_id = await stage.request(ADA)
    now = datetime.now(UTC)
    await stage.tenants.edit_campaign(stage.tenant.id, stage.campaign.model_copy(update={"active": False}), now, now)
    async with stage.working():
        error, row = await stage.failure(ADA)

    assert (error.type, error.message) == ("CampaignInactive", "begin: the campaign is not active")
    assert (row.id, row.status, row.version) == (research_id, "failed", 0)
    assert [await stage.count(table) for table in ("spending", "answers", "leases", "briefs")] == [0, 0, 0, 0]


async def test_pretended_research_is_not_fresh_for_a_real_run(stage: Stage) -> None:
    async with stage.working():
        await stage.research(ADA)
    research_id = await stage.request(ADA)

    assert all(one.fresh for one in (await begun(stage, research_id, run_id="1", sandbox=True)).prospects)
    real = await begun(stage, research_id, run_id="2", sandbox=False)
    assert not any(one.fresh for one in (*real.prospects, *real.companies))


async def test_somebody_who_cannot_be_told_from_others_costs_no_writing(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research("jordan.ellis@gmail.com")

    assert stage.calls("anthropic") == []
    assert brief.confidence is Confidence.LOW
    assert brief.subjects[0].identity is Identity.AMBIGUOUS
    assert any(gap.reason.startswith("could be any of: ") for gap in brief.gaps)


async def test_sources_about_others_alone_make_no_brief_and_cost_no_writing(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "lies", times=None)
    async with stage.working():
        error, row = await stage.failure("mei.tanaka@gmail.com")

    assert stage.calls("anthropic") == []
    assert (row.status, error.type) == ("failed", "NothingFound")
    assert error.message == "write: no source came back (what did is about others)"


async def test_a_run_that_never_took_its_row_is_told_all_the_same(stage: Stage) -> None:
    research_id = await stage.request(ADA)
    now = datetime.now(UTC)
    failure = Failure(
        tenant_id=stage.tenant.id,
        research_id=research_id,
        version=None,
        step="begin",
        reason="begin: why",
        run_id="run",
        started_at=now,
        now=now,
    )
    await ResearchStore(stage.database).fail(failure)
    await ResearchStore(stage.database).fail(failure)

    assert (await stage.run(research_id)).status == "failed"
    assert [event.name for event in await stage.events.after(stage.tenant.id, 0)] == ["research/generate.failed"]


async def test_a_run_that_was_told_before_it_took_its_row_can_still_take_it(stage: Stage) -> None:
    """Its workflow task was lost with all that was done in it, and is done again."""
    research_id = await stage.request(ADA)
    now = datetime.now(UTC)
    failure = Failure(
        tenant_id=stage.tenant.id,
        research_id=research_id,
        version=None,
        step="begin",
        reason="begin: why",
        run_id="run",
        started_at=now,
        now=now,
    )
    await ResearchStore(stage.database).fail(failure)

    taken = await begun(stage, research_id)
    assert taken.version == 1
    assert (await stage.run(research_id)).status == "generating"


async def test_deleting_a_request_leaves_what_others_rest_on(stage: Stage) -> None:
    async with stage.working():
        await stage.research(ADA)
        other = await stage.research(ADA, TOMAS)
    first = await stage.request(ADA)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute("DELETE FROM research WHERE id = $1", first)

    left = await stage.brief(other.id)
    assert left == other


async def test_deleting_a_subject_takes_all_that_is_known_of_them(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA, TOMAS)
    ada = next(one for one in brief.subjects if one.name == "Ada Lovelace")
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute("DELETE FROM subjects WHERE id = $1", ada.id)

    left = await stage.brief(brief.id)
    assert ada.id not in {one.id for one in left.subjects}
    assert not [piece for piece in left.evidence if piece.subject_id == ada.id]
    assert not [claim for claim in left.claims if claim.subject_id == ada.id]


async def test_the_owner_changes_no_tenant_s_row_by_mistake(stage: Stage) -> None:
    """A migration that forgets the header's words does nothing; this is how it would look."""
    owner = await asyncpg.connect(stage.urls.owner)
    try:
        assert await owner.execute("UPDATE users SET name = 'x'") == "UPDATE 0"
    finally:
        await owner.close()


@pytest.mark.parametrize(("code", "final"), [("22P05", True), ("23505", True), ("40001", False), ("57P01", False)])
def test_what_postgres_will_never_take_is_not_tried_again(code: str, final: bool) -> None:
    assert errors.database_failed(code).non_retryable is final


async def test_an_error_that_is_no_decision_is_told_by_its_type() -> None:
    class Next:
        async def execute_activity(self, _input: object) -> None:
            raise ValueError("Ada Lovelace")

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(TellingByType().intercept_activity(Next()).execute_activity, None)  # type: ignore[arg-type]
    assert raised.value.message == "unexpected ValueError"
    assert raised.value.__suppress_context__
