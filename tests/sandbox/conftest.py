"""A sandbox on free ports for each test, and the official SDKs pointed at it."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from anthropic import AsyncAnthropic
from perplexity import AsyncPerplexity

from sandbox import Sandbox, running

Body = dict[str, Any]


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with running(journal_path=tmp_path / "journal.jsonl") as running_sandbox:
        yield running_sandbox


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"authorization": "Bearer sandbox-key", "anthropic-version": "2026-10-21"}
    async with aiohttp.ClientSession(sandbox.url, headers=headers) as session:
        yield session


@pytest.fixture
async def perplexity(sandbox: Sandbox) -> AsyncIterator[AsyncPerplexity]:
    url = sandbox.perplexity_url
    async with AsyncPerplexity(api_key="sandbox-key", base_url=url, max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
async def anthropic(sandbox: Sandbox) -> AsyncIterator[AsyncAnthropic]:
    url = sandbox.anthropic_url
    async with AsyncAnthropic(api_key="sandbox-key", base_url=url, max_retries=0, timeout=10) as client:
        yield client


def _object(properties: Body) -> Body:
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


TEXT = {"type": "string"}
PERSON = _object(
    {
        "found": {"type": "boolean"},
        "people": {
            "type": "array",
            "items": _object({"name": TEXT, "job_title": TEXT, "employer": TEXT, "location": TEXT}),
        },
        "summary": TEXT,
    }
)
COMPANY = _object(
    {"found": {"type": "boolean"}, **dict.fromkeys(("name", "industry", "size", "funding", "summary"), TEXT)}
)


@pytest.fixture
def question() -> Callable[..., Body]:
    """The body of a look-up, as our client sends it: of a person by address or name, or of a company by domain."""
    return _question


def _question(address: str = "", *, name: str | None = None, company: str | None = None, asked: int = 1) -> Body:
    hint, _, domain = address.partition("@")
    if company:
        subject: Body = {"kind": "company", "domain": company}
    else:
        subject = {"kind": "person", "name": name, "hint": hint, "company_domain": domain or None, "question": asked}
    escaped = json.dumps(subject).replace("<", "\\u003c")
    schema = COMPANY if company else PERSON
    return {
        "model": "perplexity/sonar",
        "input": [
            {"role": "system", "content": "Find out who this is."},
            {"role": "user", "content": f"Research this subject. <subject>{escaped}</subject>"},
        ],
        "tools": [{"type": "web_search", "search_context_size": "low"}],
        "tool_choice": {"type": "web_search"},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": subject["kind"], "schema": schema, "strict": True},
        },
        "max_output_tokens": 2000,
    }


@pytest.fixture
def order() -> Callable[..., Body]:
    """The body of a request for a brief."""
    return _order


EVIDENCE = {
    "id": "e1",
    "about": "p1",
    "url": "https://lovelace.example/ada",
    "title": "Forecasts fail quietly",
    "published": "2026-11-13",
    "text": "Ada Lovelace is Chief Analytics Officer of Lovelace Analytics. She spoke in Leeds on 13 November 2026. "
    "Ada Lovelace studied statistics.",
}
MATERIAL = {
    "meeting": {"title": "First call", "starts_at": "2026-11-23T10:00:00Z"},
    "campaign": {"offering": "Route planning", "target_customer": "Hauliers", "pain_points": "late loads; empty miles"},
    "today": "2026-11-22",
    "people": [{"id": "p1", "name": "Ada Lovelace", "domain": "lovelace.example", "identity": "confirmed"}],
    "companies": [{"id": "c1", "domain": "lovelace.example", "name": "Lovelace Analytics"}],
    "evidence": [EVIDENCE],
    "gaps": ["Funding was not found."],
    "problem": None,
}


def _order(**material: Any) -> Body:
    text = json.dumps(MATERIAL | material).replace("<", "\\u003c")
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 20_000,
        "system": [{"type": "text", "text": "Write a brief."}],
        "messages": [{"role": "user", "content": f"Here is the material. <material>{text}</material>"}],
    }
