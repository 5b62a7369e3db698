"""What a reader says of a claim reaches the next version: the whole way, by command, with pretended providers."""

import pytest

from activities.store.briefs import BriefStore
from activities.store.marks import MarkStore
from schemas.briefs import Brief, Claim, Identity, Nature, Verdict
from schemas.research import Writing
from tests.cli.conftest import Beside
from tests.stage import Stage

ADA = "ada@lovelace.example"

pytestmark = pytest.mark.timeout(120)


def facts_about(brief: Brief, kind: str) -> list[Claim]:
    subjects = {one.id for one in brief.subjects if one.kind == kind}
    return [claim for claim in brief.claims if claim.nature is Nature.FACT and claim.subject_id in subjects]


async def mark(beside: Beside, brief: Brief, claim: Claim, word: str) -> None:
    said = await beside("brief", "mark", brief.id, "--claim", str(brief.claims.index(claim) + 1), word)
    assert said.code == 0, said.err


async def researched_again(stage: Stage, beside: Beside, brief: Brief) -> Brief:
    said = await beside("retry", brief.research_id, "--json")
    assert said.code == 0, said.err
    return await stage.brief(said.document["brief_id"])


def asked_about_people(stage: Stage) -> int:
    return sum(str(call["about"]).startswith("person:") for call in stage.calls("perplexity"))


@pytest.mark.parametrize("word", ["wrong", "stale"])
async def test_a_claim_that_is_not_good_is_absent_from_the_next_version_with_its_reason(
    wired: Stage, beside: Beside, word: str
) -> None:
    async with wired.working():
        first = await wired.research(ADA, name="Ada Lovelace")
        marked = facts_about(first, "person")[0]
        await mark(beside, first, marked, word)

        second = await researched_again(wired, beside, first)

    assert second.version == first.version + 1
    assert marked.text not in [claim.text for claim in second.claims]
    url = next(piece.url for piece in first.evidence if piece.id == marked.evidence_id)
    again = {piece.id for piece in second.evidence if piece.url == url}
    assert not [one for one in second.claims if one.evidence_id in again and one.quote == marked.quote]
    assert {claim.text for claim in facts_about(second, "company")} == {
        claim.text for claim in facts_about(first, "company")
    }, "nothing else is missing"
    reasons = [gap.reason for gap in second.gaps if gap.subject_id == marked.subject_id]
    assert any(word in reason or "reader" in reason for reason in reasons), second.gaps


async def test_a_claim_that_is_useful_stays(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        first = await wired.research(ADA, name="Ada Lovelace")
        liked = facts_about(first, "person")[0]
        await mark(beside, first, liked, "useful")

        second = await researched_again(wired, beside, first)

    assert liked.text in [claim.text for claim in second.claims]


async def test_the_wrong_person_is_looked_for_again_and_their_pages_are_not_used(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        first = await wired.research(ADA, name="Ada Lovelace")
        asked, facts = asked_about_people(wired), facts_about(first, "person")
        for fact in facts:
            await mark(beside, first, fact, "wrong-person")

        second = await researched_again(wired, beside, first)

    refused = {piece.url for piece in first.evidence if piece.id in {fact.evidence_id for fact in facts}}
    used = {
        piece.url for piece in second.evidence if piece.id in {one.evidence_id for one in facts_about(second, "person")}
    }
    assert next(one for one in first.subjects if one.kind == "person").identity is Identity.CONFIRMED
    assert asked_about_people(wired) > asked, "the web is asked again"
    assert used & refused == set()
    assert not {fact.text for fact in facts} & {claim.text for claim in second.claims}


async def test_when_nothing_is_left_of_the_first_answer_the_second_question_is_asked(
    wired: Stage, beside: Beside
) -> None:
    async with wired.working():
        first = await wired.research(ADA, name="Ada Lovelace")
        person = next(one for one in first.subjects if one.kind == "person")
        await mark(beside, first, facts_about(first, "person")[0], "wrong-person")
        async with wired.database.tenant(wired.tenant.id) as connection:
            # As if every page of the answer had been in the brief, and marked, before anything is looked up again.
            await connection.execute(
                """
                INSERT INTO marks (tenant_id, user_id, research_id, claim_id, subject_id, verdict, text, url, created_at)
                SELECT current_tenant(), $2, $3, gen_random_uuid(), $1, 'wrong_person', '', url, fetched_at
                FROM evidence WHERE subject_id = $1
                """,
                person.id,
                wired.user.id,
                first.research_id,
            )
            await connection.execute("UPDATE answers SET fresh_until = asked_at + interval '9 days'")

        await researched_again(wired, beside, first)

    about = [str(call["request"]["input"][1]["content"]) for call in wired.calls("perplexity")]
    assert [text.count('"question": 2') for text in about if '"kind": "person"' in text] == [0, 1]


async def test_marks_reach_the_writing_whoever_of_the_tenant_set_them(wired: Stage, beside: Beside) -> None:
    async with wired.working():
        first = await wired.research(ADA, name="Ada Lovelace")
        other = await wired.research(ADA, "kim@lovelace.example")
    person, company = facts_about(first, "person")[0], facts_about(other, "company")[0]
    store, kept = MarkStore(wired.database), BriefStore(wired.database)
    await store.mark(wired.tenant.id, wired.user.id, person.id, Verdict.WRONG, first.written_at)
    await store.mark(wired.tenant.id, wired.user.id, company.id, Verdict.STALE, other.written_at)
    order = Writing(
        tenant_id=wired.tenant.id,
        research_id=first.research_id,
        version=first.version,
        brief_id=first.id,
        now=other.written_at,
    )

    material = await kept.material(order, sandbox=True, now=other.written_at, queued_s=0)

    assert [(one.verdict, one.text, one.quote) for one in material.marks] == [
        (Verdict.STALE, company.text, company.quote),
        (Verdict.WRONG, person.text, person.quote),
    ], "the newest first, and those of the same company in another brief too"
    assert all(one.url.startswith("https://") for one in material.marks)
