"""Whatever a provider does, a run ends: with a brief that owns up to it, or as failed with the step and the reason.

Each case has a company of its own, by which its faults are matched, so that all of them run at once.
"""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from schemas.briefs import Brief, Confidence
from tests.stage import Stage
from workflows import ids

FOR_EVER = None


@dataclass(frozen=True)
class Case:
    """A fault, and how often its provider is then called: look-ups count one prospect and one company."""

    kind: str
    calls: int
    reason: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    gap_s: float = 0.0

    @property
    def domain(self) -> str:
        marks = "-".join(str(value).replace(".", "") for value in self.settings.values())
        return f"{self.kind}-{marks}".replace("_", "-").replace(" ", "").strip("-").lower() + ".example"


def status(code: int, calls: int, gap_s: float = 0.0, **more: Any) -> Case:
    return Case("status", calls, f"said {code}", {"status": code, **more}, gap_s)


SEARCH = [
    # Four tries for each of two look-ups, 1, 2 and 4 s apart.
    status(500, 8, gap_s=1.0),
    status(503, 8),
    status(408, 8),
    status(429, 8, gap_s=2.0, retry_after="2"),
    status(429, 8, gap_s=1.0),
    status(429, 8, gap_s=1.0, retry_after="-5"),
    status(429, 8, gap_s=1.0, retry_after="soon"),
    *(status(code, 2) for code in (400, 401, 402, 403, 404, 413, 422)),
    Case("drop", 8, "did not answer (ServerDisconnectedError)"),
    Case("truncated", 8, "did not answer (ClientPayloadError)"),
    Case("garbage", 8, "sent"),
    Case("wrong_type", 8, "sent something that is not JSON"),
    Case("empty", 8, "sent"),
    Case("nan", 8, "sent JSON that cannot be read"),
    Case("deep", 8, "sent JSON that cannot be read"),
    Case("huge", 8, "sent far too much"),
    Case("failed", 8, "perplexity failed"),
    # Nothing found is an answer: the person is asked about another way, the company is not.
    Case("no_results", 3, "not found"),
]

SEARCH_LATE = [
    Case("hang", 8, "did not answer (TimeoutError)"),
    Case("dribble", 8, "did not answer (TimeoutError)"),
    Case("slow", 8, "did not answer (TimeoutError)", {"seconds": 9.0}),
]

MODEL = [
    # Three tries, 2 s apart.
    status(500, 3, gap_s=2.0),
    status(503, 3),
    status(529, 3),
    status(429, 3, gap_s=3.0, retry_after="3"),
    status(429, 3, gap_s=1.0),
    *(status(code, 1) for code in (400, 401, 402, 403, 404, 413)),
    Case("drop", 3, "did not answer"),
    Case("truncated", 3, "did not answer"),
    Case("garbage", 3, "sent an answer that cannot be read"),
    Case("wrong_type", 3, "sent an answer that cannot be read"),
    Case("empty", 3, "sent an answer that cannot be read"),
    Case("deep", 3, "sent an answer that cannot be read"),
    Case("huge", 3, "sent far too much"),
    # An answer that cannot be used is asked for again, twice.
    Case("invalid_json", 3, "the model's answers could not be used (not valid: the whole: json_invalid)"),
    Case("refusal", 3, "the answer stopped early (refusal)"),
    Case("max_tokens", 3, "the answer stopped early (max_tokens)"),
]

MODEL_LATE = [Case("hang", 3, "did not answer"), Case("dribble", 3, "did not answer")]

# Whoever is many at once may be slow to be reached: only those that are about lateness are given little time.
LITTLE_S, ENOUGH_S = 1.5, 30.0


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("provider", "step", "timeout_s", "cases"),
    [
        ("perplexity", "look-up", LITTLE_S, SEARCH_LATE),
        ("perplexity", "look-up", ENOUGH_S, SEARCH),
        ("anthropic", "write", LITTLE_S, MODEL_LATE),
        ("anthropic", "write", ENOUGH_S, MODEL),
    ],
)
async def test_a_fault_that_stays_fails_the_run_with_its_reason(
    stage: Stage, provider: str, step: str, timeout_s: float, cases: list[Case]
) -> None:
    for case in cases:
        stage.sandbox.faults.put(provider, case.kind, times=FOR_EVER, match=case.domain, **case.settings)
    async with stage.working(**{f"{provider}_timeout_s": timeout_s}, search_slots=100, model_slots=100):
        await asyncio.gather(*(check_fails(stage, provider, case, step) for case in cases))


async def check_fails(stage: Stage, provider: str, case: Case, step: str) -> None:
    error, row = await stage.failure(f"kim@{case.domain}")
    calls = [call for call in stage.calls(provider) if case.domain in str(call["request"])]

    assert row.status == "failed", case
    assert row.failure_reason == error.message, case
    assert error.message.startswith(f"{step}: "), (case, error.message)
    assert case.reason in error.message, (case, error.message)
    assert len(calls) == case.calls, (case, error.message)
    assert all(gap >= case.gap_s for gap in _gaps(calls)), (case, _gaps(calls))
    description = await stage.temporal.get_workflow_handle(ids.research(stage.tenant.id, row.id)).describe()
    assert description.status is WorkflowExecutionStatus.FAILED, case


def _gaps(calls: list[dict[str, Any]]) -> list[float]:
    """Seconds between the calls of one look-up: those with the same question."""
    asked: dict[str, list[float]] = {}
    for call in calls:
        asked.setdefault(call["asked"], []).append(call["started"])
    return [later - earlier for starts in asked.values() for earlier, later in pairwise(starts)]


async def test_every_failed_run_is_told_once(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "status", status=401, times=FOR_EVER)
    async with stage.working():
        _, row = await stage.failure("ada@lovelace.example")

    events = await stage.events.after(stage.tenant.id, 0)
    assert [(event.name, event.payload["step"]) for event in events] == [
        ("research/generate.progress", "begin"),
        ("research/generate.failed", "look-up"),
    ]
    assert row.failure_reason is not None
    assert "ada" not in row.failure_reason


@pytest.mark.parametrize(("provider", "least"), [("perplexity", 2), ("anthropic", 1)])
async def test_a_fault_that_passes_costs_only_the_calls_it_spoilt(stage: Stage, provider: str, least: int) -> None:
    stage.sandbox.faults.put(provider, "status", status=503, times=1)
    stage.sandbox.faults.put(provider, "drop", times=1)
    async with stage.working():
        brief = await stage.research("ada@lovelace.example")

    assert brief.claims
    assert len(stage.calls(provider)) == least + 2


async def test_a_failed_run_is_started_again_and_pays_only_for_what_is_missing(stage: Stage) -> None:
    stage.sandbox.faults.put("anthropic", "status", status=401)
    async with stage.working():
        await stage.failure("ada@lovelace.example")
        paid = len(stage.calls("perplexity"))
        brief = await stage.research("ada@lovelace.example")

    assert brief.version == 2
    assert len(stage.calls("perplexity")) == paid
    assert [event.name.rpartition(".")[2] for event in await stage.events.after(stage.tenant.id, 0)] == [
        *("progress", "progress", "failed"),
        *("progress", "progress", "completed"),
    ]


async def _researched(stage: Stage, provider: str, kind: str, *emails: str, match: str | None = None) -> Brief:
    stage.sandbox.faults.put(provider, kind, times=FOR_EVER, match=match)
    async with stage.working():
        return await stage.research(*emails)


async def test_one_lost_look_up_leaves_a_gap_and_the_rest(stage: Stage) -> None:
    stage.sandbox.faults.put("perplexity", "status", status=400, times=FOR_EVER, match="Research company")
    async with stage.working():
        brief = await stage.research("ada@lovelace.example")

    assert brief.confidence is Confidence.LOW
    assert [gap.reason for gap in brief.gaps if gap.about == "lovelace.example"] == ["the look-up failed"]


@pytest.mark.parametrize("kind", ["incomplete", "invalid_json"])
async def test_sources_count_even_when_what_was_said_of_them_is_lost(stage: Stage, kind: str) -> None:
    brief = await _researched(stage, "perplexity", kind, "ada@lovelace.example")

    assert len(stage.calls("perplexity")) == 2
    assert brief.claims


async def test_lies_that_fit_the_schema_are_dropped_and_counted(stage: Stage) -> None:
    brief = await _researched(stage, "anthropic", "lies", "ada@lovelace.example")

    assert brief.dropped["quote not in its evidence"] >= 1
    assert brief.dropped["no such evidence"] >= 1
    assert not any("javascript:" in claim.text for claim in brief.claims)


async def test_sources_about_somebody_else_are_attached_to_nobody(stage: Stage) -> None:
    brief = await _researched(
        stage, "perplexity", "lies", "ada@lovelace.example", "tomas.okafor@brightwater.example", match="ada"
    )

    person = next(subject for subject in brief.subjects if subject.name.startswith("ada"))
    assert not [claim for claim in brief.claims if claim.subject_id == person.id]
    assert brief.confidence is Confidence.LOW
