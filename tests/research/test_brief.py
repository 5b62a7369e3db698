"""A brief, from addresses to claims: every fact quoted, gaps owned up to, nothing bought twice."""

import asyncio
from datetime import UTC, datetime, timedelta

from activities.attendance import attendees
from activities.research import quotes
from schemas.briefs import Brief, Changes, Confidence, Identity, Nature, Section
from schemas.meetings import Invited, MeetingFacts
from tests.stage import Stage

ADA = "ada@lovelace.example"


async def test_every_fact_has_a_quote_that_is_in_its_evidence(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA)

    texts = {piece.id: piece.text for piece in brief.evidence}
    facts = [claim for claim in brief.claims if claim.nature is Nature.FACT]
    ada = next(subject for subject in brief.subjects if subject.kind == "person")
    assert len([fact for fact in facts if fact.subject_id == ada.id]) >= 3
    for fact in facts:
        assert fact.quote and fact.evidence_id
        assert quotes.found(fact.quote, texts[fact.evidence_id])


async def test_whatever_is_no_fact_rests_on_facts_of_the_same_brief(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA)

    facts = {claim.id for claim in brief.claims if claim.nature is Nature.FACT}
    advice = [claim for claim in brief.claims if claim.nature is not Nature.FACT]
    assert advice
    assert all(claim.rests_on and set(claim.rests_on) <= facts for claim in advice)


async def test_a_meeting_is_researched_for_its_external_people_alone(stage: Stage) -> None:
    invited = (
        Invited(email=ADA, name="Ada Lovelace"),
        Invited(email="tomas.okafor@brightwater.example", name="Tomas Okafor"),
        Invited(email="mei.tanaka@gmail.com", name="Mei Tanaka"),
        Invited(email="kim@harbour.example", name="Kim"),
        Invited(email="north@harbour.example", name="North room", room=True),
    )
    facts = MeetingFacts(
        source="test",
        source_key="1",
        title="First call",
        starts_at=datetime.now(UTC) + timedelta(hours=3),
        attendees=attendees(invited, frozenset({stage.user.email}), frozenset(stage.tenant.domains)),
    )
    async with stage.working():
        outcome = await (await stage.start(await stage.meeting(facts))).result()
    brief = await stage.brief(outcome.brief_id)

    assert [subject.name for subject in brief.subjects] == [
        "Ada Lovelace",
        "Tomas Okafor",
        "Mei Tanaka",
        "Brightwater Logistics",
        "Lovelace Analytics",
    ]
    assert brief.sandbox
    assert sorted(call["about"] for call in stage.calls("perplexity") if "company" in call["about"]) != []
    assert len(stage.calls("perplexity")) == 5
    assert not any("gmail" in str(call["request"]) for call in stage.calls("perplexity"))


async def test_somebody_whom_nobody_knows_is_a_gap_and_the_brief_is_low(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA, "nobody@nowhere.example")

    unknown = next(subject for subject in brief.subjects if subject.name == "nobody")
    assert unknown.identity is Identity.NOT_FOUND
    assert brief.confidence is Confidence.LOW
    assert any(gap.subject_id == unknown.id and "found nothing" in gap.reason for gap in brief.gaps)


async def test_the_second_question_finds_who_the_first_does_not(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research("late.bloomer@halden-foods.example")

    person = next(subject for subject in brief.subjects if subject.kind == "person")
    assert brief.section(Section.PEOPLE, person.id)
    asked = [call["request"]["input"][1]["content"] for call in stage.calls("perplexity")]
    assert sum('"question": 2' in text for text in asked) == 1


async def test_nothing_about_a_namesake_is_attached(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research("sam.rivera@northwind-robotics.example", name="Sam Rivera")

    person = next(subject for subject in brief.subjects if subject.kind == "person")
    facts = brief.section(Section.PEOPLE, person.id)
    assert person.identity is Identity.CONFIRMED
    assert facts
    assert not any("chef" in claim.text.lower() or "restaurant" in claim.text.lower() for claim in facts)


async def test_two_people_of_one_name_and_no_company_are_shown_and_not_merged(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA, "jordan.ellis@gmail.com")

    person = next(subject for subject in brief.subjects if subject.identity is Identity.AMBIGUOUS)
    assert not brief.section(Section.PEOPLE, person.id)
    assert any(gap.subject_id == person.id and gap.reason.startswith("could be any of: ") for gap in brief.gaps)


async def test_fresh_research_is_used_again_and_the_brief_is_a_new_one(stage: Stage) -> None:
    async with stage.working():
        first = await stage.research(ADA)
        looked_up = len(stage.calls("perplexity"))
        second = await stage.research(ADA)

    assert len(stage.calls("perplexity")) == looked_up == 2
    assert second.id != first.id
    assert second.version == first.version + 1
    assert second.facts_digest == first.facts_digest != ""
    assert second.what_changed.startswith("First contact"), "whoever was only researched has not been met"


async def test_the_second_meeting_with_somebody_says_what_is_new_since_the_first(stage: Stage) -> None:
    async with stage.working():
        first = await _met(stage, "first", days=-7)
        second = await _met(stage, "second", days=1)
        # Part of what the first brief was written from had not been there.
        fresh = next(claim for claim in second.claims if claim.nature is Nature.FACT)
        async with stage.database.tenant(stage.tenant.id) as connection:
            await connection.execute(
                "DELETE FROM brief_evidence WHERE brief_id = $1 AND evidence_id = $2", first.id, fresh.evidence_id
            )
        third = await _met(stage, "second", days=1, also="tomas.okafor@brightwater.example")

    assert first.changes == Changes()
    assert second.changes.last_met_at == first.starts_at
    assert second.changes.compared_with == first.id
    assert second.what_changed == "Nothing new since you last met."
    assert second.facts_digest == first.facts_digest
    new = {claim.evidence_id for claim in third.claims if claim.id in third.changes.new_claims}
    assert new == {fresh.evidence_id}
    names = {subject.id: subject.name for subject in third.subjects}
    assert [names[one] for one in third.changes.new_people] == ["Tomas Okafor"]
    assert third.version == 2
    assert third.facts_digest != second.facts_digest


async def _met(stage: Stage, key: str, days: int, also: str = "") -> Brief:
    """A meeting so many days from now, and its brief."""
    invited = tuple(Invited(email=email, name="") for email in (ADA, also) if email)
    facts = MeetingFacts(
        source="test",
        source_key=key,
        title=key,
        starts_at=datetime.now(UTC) + timedelta(days=days),
        attendees=attendees(invited, frozenset({stage.user.email}), frozenset(stage.tenant.domains)),
    )
    outcome = await (await stage.start(await stage.meeting(facts))).result()
    return await stage.brief(outcome.brief_id)


async def test_starting_what_runs_joins_it(stage: Stage) -> None:
    async with stage.working():
        research_id = await stage.request(ADA)
        handles = await asyncio.gather(*(stage.start(research_id) for _ in range(20)))
        outcomes = await asyncio.gather(*(handle.result() for handle in handles))

    assert len({outcome.brief_id for outcome in outcomes}) == 1
    assert await stage.count("briefs") == 1


async def test_ten_requests_at_once_make_one_look_up_of_a_company(stage: Stage) -> None:
    emails = [f"person{number}@brightwater.example" for number in range(10)]
    async with stage.working():
        await asyncio.gather(*(stage.research(email) for email in emails))

    companies = [call for call in stage.calls("perplexity") if '"kind": "company"' in str(call["request"])]
    assert len(companies) == 1
    assert await stage.count("briefs") == 10


async def test_a_finished_run_is_told_once(stage: Stage) -> None:
    async with stage.working():
        brief = await stage.research(ADA)

    events = await stage.events.after(stage.tenant.id, 0)
    *steps, ended = events
    assert (ended.name, ended.payload["briefId"]) == ("research/generate.completed", brief.id)
    about = {"researchId": brief.research_id, "version": 1}
    assert [(event.name, event.payload) for event in steps] == [
        ("research/generate.progress", {**about, "step": "begin", "percent": 10}),
        ("research/generate.progress", {**about, "step": "write", "percent": 75}),
    ]
