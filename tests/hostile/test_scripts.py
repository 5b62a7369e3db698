"""Every hostile script of a provider ends in a brief with nothing of it, counted, or in a failure with our own words.

Each script has a company of its own, by which its fault is matched, so that all of them run at once.
"""

import asyncio
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from sandbox.hostile import ADDRESSES, MODEL, SEARCH
from schemas.briefs import Brief, Nature
from schemas.tenants import RunRow
from starter.links import outside
from tests.stage import Stage

# What a run may cost: a person and a company are asked about, the person perhaps another way; a brief is asked for
# once and mended twice.
MOST_CALLS = {"perplexity": 3, "anthropic": 3}
BROKEN = {"deep", "wrong_types", "echo", "many", "long", "ten_megabytes", "tool_call"}
SEARCHES_TRIED_AGAIN = 8

Ended = Brief | tuple[ApplicationError, RunRow]


async def all_ended(stage: Stage, provider: str, scripts: list[str]) -> dict[str, Ended]:
    async with stage.working(model_slots=100, search_slots=100):
        runs = await asyncio.gather(*(outcome(stage, provider, script) for script in scripts))
    return dict(zip(scripts, runs, strict=True))


async def outcome(stage: Stage, provider: str, script: str) -> Ended:
    domain = f"{script.replace('_', '-')}.example"
    stage.sandbox.faults.put(provider, script, times=None, match=domain)
    research_id = await stage.request(f"kim@{domain}")
    handle = await stage.start(research_id)
    (done,) = (await asyncio.wait([asyncio.ensure_future(handle.result())]))[0]
    row = await stage.run(research_id)
    if (error := done.exception()) is None:
        return await stage.brief(done.result().brief_id)
    cause = getattr(error, "cause", None)
    assert isinstance(cause, ApplicationError), (script, error)
    return cause, row


def calls(stage: Stage, provider: str, script: str) -> int:
    domain = f"{script.replace('_', '-')}.example"
    return sum(domain in str(call["request"]) for call in stage.calls(provider))


def assert_of_this_run(brief: Brief) -> None:
    """Nothing rests on anything but this brief's evidence, links lead nowhere else, and no text does anything."""
    evidence = {piece.id: piece for piece in brief.evidence}
    subjects = {subject.id for subject in brief.subjects}
    facts = {claim.id for claim in brief.claims if claim.nature is Nature.FACT}
    for claim in brief.claims:
        if claim.nature is Nature.FACT:
            assert claim.evidence_id in evidence and claim.subject_id in subjects
            assert evidence[claim.evidence_id].subject_id == claim.subject_id
        else:
            assert claim.rests_on and set(claim.rests_on) <= facts
        assert_inert(claim.text)
    for text in (*(one.title for one in brief.evidence), *(one.text for one in brief.evidence), *brief.dropped):
        assert not hidden(text)
    for piece in brief.evidence:
        assert outside(piece.url) is not None, piece.url


def assert_inert(text: str) -> None:
    lower = text.lower()
    assert not any(sign in lower for sign in ("javascript:", "data:", "://", "www.", "](", "<script", "<img")), text
    assert not hidden(text), text


def hidden(text: str) -> set[str]:
    return {letter for letter in text if unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs"}}


@pytest.mark.timeout(90)
async def test_a_model_that_was_taken_over_gets_nothing_through(stage: Stage) -> None:
    ends = await all_ended(stage, "anthropic", [*MODEL, "tool_call"])

    for script, end in ends.items():
        assert calls(stage, "anthropic", script) <= MOST_CALLS["anthropic"], script
        if isinstance(end, Brief):
            assert_of_this_run(end)
            assert "owned" not in end.model_dump_json(exclude={"subjects", "evidence", "dropped"}).lower(), script
            for lie in ("987654321", "2031", "77.7"):
                assert lie not in end.model_dump_json(include={"claims"}), script
        else:
            error, row = end
            assert row.status == "failed", script
            assert row.failure_reason == error.message, script
            assert error.message.startswith("write: "), (script, error.message)
            assert "owned" not in error.message, script
            assert error.type in {"NoValidAnswer", "ProviderNonsense", "OverBudget"}, (script, error.type)
    failed = {script for script, end in ends.items() if not isinstance(end, Brief)}
    assert failed >= BROKEN, "what cannot be read is not half believed"
    counted = {script: sum(end.dropped.values()) for script, end in ends.items() if isinstance(end, Brief)}
    assert counted["foreign_ids"] >= 15
    assert counted["links"] >= 30
    assert counted["duplicates"] >= 50
    assert counted["schema_lies"] >= 2


@pytest.mark.timeout(90)
async def test_a_search_that_was_taken_over_gets_nothing_through(stage: Stage) -> None:
    ends = await all_ended(stage, "perplexity", list(SEARCH))

    for script, end in ends.items():
        assert isinstance(end, Brief), (script, end)
        assert calls(stage, "perplexity", script) <= MOST_CALLS["perplexity"], script
        assert_of_this_run(end)
        assert len(end.evidence) <= 60, script
        for piece in end.evidence:
            assert piece.url not in ADDRESSES
            assert len(piece.url) <= 2000 and len(piece.title) <= 300 and len(piece.text) <= 4000
            assert piece.published is None or piece.published <= piece.fetched_at.date() + timedelta(days=1), script


async def test_what_a_model_says_of_another_tenant_stays_with_nobody(stage: Stage) -> None:
    """Not even in the rows."""
    stage.sandbox.faults.put("anthropic", "foreign_ids", times=None)
    async with stage.working():
        await stage.research("ada@lovelace.example")
    async with stage.database.tenant(stage.tenant.id) as connection:
        claims: list[Any] = await connection.fetch("SELECT text, evidence_id, subject_id FROM claims")
        known = {row["id"] for row in await connection.fetch("SELECT id FROM evidence UNION SELECT id FROM subjects")}
    assert claims
    assert {value for row in claims for value in (row["evidence_id"], row["subject_id"]) if value} <= known
