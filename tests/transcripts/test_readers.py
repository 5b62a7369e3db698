"""Either model reads a call, over the wire, and what goes wrong there has one clear outcome."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from temporalio.exceptions import ApplicationError

from activities.ports import LanguageModel
from activities.providers import anthropic as claude
from activities.providers.gemini import Gemini
from activities.transcripts.reading import Extract, merge, prompt, read, split
from sandbox import Sandbox, running
from schemas.transcripts import FindingKind, Spoken
from tests.transcripts.heard import THURSDAY, invented, spoken

BRANDS = ("gemini", "anthropic")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with running(journal_path=tmp_path / "journal.jsonl") as sandbox:
        yield sandbox


@pytest.fixture
async def models(world: Sandbox) -> AsyncIterator[dict[str, LanguageModel]]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(auto_decompress=False))
        client = claude.client(base_url=world.anthropic_url, key="sandbox", timeout_s=10)
        stack.push_async_callback(client.close)
        yield {
            "gemini": Gemini(session, base_url=world.gemini_url, key="sandbox", model="gemini-3.5-flash"),
            "anthropic": claude.Anthropic(client, model="claude-sonnet-5-5", most_tokens=16_000),
        }


async def extracts(model: LanguageModel, whole: Spoken) -> list[Extract | str]:
    answers = [await model.write(prompt(part, held_on=THURSDAY)) for part in split(whole)]
    return [read(answer, part, held_on=THURSDAY) for answer, part in zip(answers, split(whole), strict=True)]


@pytest.mark.parametrize("brand", BRANDS)
async def test_either_model_reads_two_hours_of_eight_speakers(models: dict[str, LanguageModel], brand: str) -> None:
    whole = spoken(invented("workshop"))
    found = [one for one in await extracts(models[brand], whole) if isinstance(one, Extract)]
    assert len(found) == len(split(whole))
    reading = merge(found)
    assert {one.kind for one in reading.findings} == set(FindingKind)
    assert len(reading.roles) == 8
    assert sum(sum(one.dropped.values()) for one in found) == 0


@pytest.mark.parametrize("brand", BRANDS)
async def test_lies_of_either_are_dropped(world: Sandbox, models: dict[str, LanguageModel], brand: str) -> None:
    world.faults.put(brand, "lies")
    (found,) = await extracts(models[brand], spoken(invented("Lovelace")))
    assert isinstance(found, Extract)
    assert sum(found.dropped.values()) == 6
    assert not any("signed already" in one.text for one in found.findings)


@pytest.mark.parametrize(
    ("brand", "trick", "problem"),
    [
        ("gemini", "truncated_json", "not valid: the whole: json_invalid"),
        ("gemini", "invalid_json", "not valid: the whole: json_invalid"),
        ("gemini", "schema_invalid", "not valid: roles: list_type"),
        ("gemini", "max_tokens", "the answer stopped early (max_tokens); keep it shorter"),
        ("anthropic", "invalid_json", "not valid: the whole: json_invalid"),
        ("anthropic", "max_tokens", "the answer stopped early (max_tokens); keep it shorter"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_mended_by_asking_again(
    world: Sandbox, models: dict[str, LanguageModel], brand: str, trick: str, problem: str
) -> None:
    (part,) = split(spoken(invented("Halden")))
    world.faults.put(brand, trick)
    assert read(await models[brand].write(prompt(part)), part) == problem
    assert isinstance(read(await models[brand].write(prompt(part, problem=problem)), part), Extract)


@pytest.mark.parametrize(("brand", "trick"), [("gemini", "blocked"), ("gemini", "safety"), ("anthropic", "refusal")])
async def test_what_they_will_not_read_is_settled(
    world: Sandbox, models: dict[str, LanguageModel], brand: str, trick: str
) -> None:
    (part,) = split(spoken(invented("Halden")))
    world.faults.put(brand, trick)
    answer = await models[brand].write(prompt(part))
    with pytest.raises(ApplicationError) as raised:
        read(answer, part)
    assert raised.value.non_retryable
    assert trick in str(raised.value)


async def test_too_many_calls_are_put_off_for_as_long_as_they_say(
    world: Sandbox, models: dict[str, LanguageModel]
) -> None:
    (part,) = split(spoken(invented("Halden")))
    world.faults.put("gemini", "rate_limited")
    with pytest.raises(ApplicationError) as raised:
        await models["gemini"].write(prompt(part))
    assert raised.value.next_retry_delay == timedelta(seconds=1)
    assert isinstance(read(await models["gemini"].write(prompt(part)), part), Extract)
