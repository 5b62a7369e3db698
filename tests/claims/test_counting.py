"""How many claims were refused, and why, comes out where the worker's other metrics do; a brief carries it too."""

import asyncio
import socket

import aiohttp
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.testing import ActivityEnvironment

from activities.research.claims import Refusal
from activities.research.counting import count_claims
from schemas.briefs import Confidence, Nature
from tests.stage import Stage


async def test_the_worker_s_metrics_have_them_by_reason() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = ActivityEnvironment()
    # Whoever drops the runtime closes its port.
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
    environment.metric_meter = runtime.metric_meter

    for _ in range(2):
        environment.run(count_claims, 3, {Refusal.QUOTE: 2, Refusal.FIGURE: 1})
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}/metrics") as answer:
        lines = [line for line in (await answer.text()).splitlines() if line.startswith("greenroom_claims{")]

    found = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
    assert sorted(found.values()) == [2, 4, 6]
    assert any('reason="quote not in its evidence"' in line and 'outcome="refused"' in line for line in found)


async def test_sources_that_disagree_are_a_contradiction_of_the_brief(stage: Stage) -> None:
    async with stage.working():
        brief, other = await asyncio.gather(
            stage.research("petra.lindqvist@halden-foods.example"), stage.research("ada@lovelace.example")
        )

    by_id = {claim.id: claim for claim in brief.claims}
    groups = [sorted({by_id[fact].topic.value for fact in group}) for group in brief.conflicts]
    assert groups == [["size"], ["funding"]]
    assert {"420" in by_id[fact].text or "610" in by_id[fact].text for fact in brief.conflicts[0]} == {True}
    assert "sources disagree about the size of Halden Foods" in brief.reasons
    assert brief.confidence is not Confidence.HIGH
    assert other.conflicts == ()
    for claim in (*brief.claims, *other.claims):
        assert claim.as_of is not None or claim.nature is not Nature.FACT
