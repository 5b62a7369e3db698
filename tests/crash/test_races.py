"""Two at once over one row, brought about on purpose: what a kill or a busy machine only sometimes brings about."""

import asyncio
from datetime import UTC, datetime

from activities.ports import SearchAnswer, Usage
from activities.research import questions
from activities.research.ports import Bought, Claimed
from activities.store.lookups import LookUpStore
from schemas.research import LookUp, Subject
from tests.stage import Stage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def look_up(stage: Stage) -> LookUp:
    """The company of a request, to be looked up."""
    research_id = await stage.request("kim@acme.example")
    async with stage.database.tenant(stage.tenant.id) as connection:
        subject_id = await connection.fetchval("SELECT id FROM subjects WHERE kind = 'company'")
    subject = Subject(subject_id=subject_id, label="acme.example")
    return LookUp(tenant_id=stage.tenant.id, research_id=research_id, version=1, subject=subject, now=NOW)


async def claim(stage: Stage, wanted: LookUp, holder: str) -> Claimed:
    store = LookUpStore(stage.database)
    return await store.claim(wanted, questions.about, sandbox=True, holder=holder, now=NOW, queued_s=0)


async def test_an_answer_that_is_kept_while_somebody_waits_for_the_lease_is_theirs_too(stage: Stage) -> None:
    wanted = await look_up(stage)
    first = await claim(stage, wanted, "first")
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute("DELETE FROM leases")
        await connection.execute(
            """
            INSERT INTO answers (tenant_id, subject_id, research_id, version, asked, provider, model, said, input_tokens,
              output_tokens, cost_micro_usd, sandbox, asked_at, fresh_until)
            VALUES (current_tenant(), $1, $2, 1, $3, 'p', 'm', '{}', 1, 1, 1, true, $4, $5)
            """,
            wanted.subject.subject_id,
            wanted.research_id,
            first.question.asked,
            NOW,
            LATER,
        )
        waiting = asyncio.create_task(claim(stage, wanted, "second"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
    second = await waiting

    assert first.ours
    assert (second.known, second.ours) == (0, False)
    assert await stage.count("leases") == 0


async def test_two_who_both_bought_the_answer_keep_one(stage: Stage) -> None:
    wanted = await look_up(stage)
    claimed = await claim(stage, wanted, "both")
    answer = SearchAnswer(sources=(), said={}, model="m", usage=Usage(1, 1, 1))
    bought = Bought(answer=answer, provider="p", sandbox=True, until=LATER, profile={}, settled=True)
    store = LookUpStore(stage.database)
    moments = [NOW.replace(second=second) for second in range(5)]

    await asyncio.gather(
        *(store.keep(wanted, claimed.question, bought, holder="both", now=moment) for moment in moments)
    )

    assert await stage.count("answers") == 1
