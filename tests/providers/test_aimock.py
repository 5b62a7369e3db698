"""Our clients against a stand-in that somebody else wrote, with keys set: as near to the real ones as can be had offline."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from schemas.briefs import Brief, Nature
from tests.stage import Stage

HOME = Path(__file__).parents[2] / ".greenroom" / "npm"
PROGRAM = Path(os.environ.get("AIMOCK", HOME / "node_modules" / ".bin" / "llmock"))

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(),
    reason=f"aimock is not installed; npm install --prefix {HOME.parent.name}/{HOME.name} @copilotkit/aimock@1.43.0",
)

Aimock = Callable[[str], AbstractAsyncContextManager[str]]


@pytest.fixture
def aimock(tmp_path: Path) -> Aimock:
    """The stand-in, answering everything with one text; its address."""

    @asynccontextmanager
    async def running(content: str) -> AsyncIterator[str]:
        fixtures = tmp_path / "fixtures.json"
        fixtures.write_text(json.dumps({"fixtures": [{"match": {}, "response": {"content": content}}]}))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            PROGRAM, f"--port={port}", f"--fixtures={fixtures}", "--log-level=silent", stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await _listens(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()

    return running


async def _listens(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("aimock did not start")


def draft(brief: Brief) -> dict[str, Any]:
    """What a model could write from the same material: the first piece of evidence, quoted whole."""
    quote = brief.evidence[0].text.split(". ")[0]
    empty: dict[str, Any] = {"fit": [], "talking_points": [], "questions": [], "risks": []}
    fact = {"id": "f1", "section": "people", "about": "p1", "kind": "role", "evidence": "e1", "as_of": None}
    return {
        "headline": {"text": "A first call.", "rests_on": ["f1"]},
        "facts": [{**fact, "text": "Said by somebody else's server.", "quote": quote}],
        **empty,
    }


async def test_what_it_answers_for_the_model_becomes_a_brief(stage: Stage, aimock: Aimock) -> None:
    async with stage.working():
        first = await stage.research("ada@lovelace.example")
    async with aimock(json.dumps(draft(first))) as url, stage.working(anthropic_base_url=url, anthropic_api_key="key"):
        brief = await stage.research("ada@lovelace.example")

    facts = [claim.text for claim in brief.claims if claim.nature is Nature.FACT]
    assert facts == ["Said by somebody else's server."]
    assert brief.model == "claude-sonnet-5-5"
    assert brief.sandbox, "its evidence is pretended, whoever wrote it"


async def test_what_it_answers_for_the_search_has_no_sources_and_so_makes_no_brief(
    stage: Stage, aimock: Aimock
) -> None:
    said = json.dumps({"found": True, "people": [], "summary": "Known."})
    async with aimock(said) as url, stage.working(perplexity_base_url=url, perplexity_api_key="key"):
        error, row = await stage.failure("ada@lovelace.example")

    assert row.status == "failed"
    assert error.type == "NothingFound"
    assert "no source came back" in error.message
    assert "not found" in error.message, "it answered; there was just nothing to rest on"
