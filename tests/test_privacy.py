"""People stand in tenant rows and nowhere else; secrets stand nowhere. Temporal is searched for both, to the last byte."""

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from activities.errors import ApplicationError
from schemas.meetings import Attendee, MeetingFacts
from tests.stage import Stage

EMAIL, NAME, TITLE = "quibblewick@lovelace.example", "Zephyrine Quibblewick", "Secret merger with Zorblatt"
KEY = "sk-canary-3141592653589793"
PERSONAL = ("quibblewick", "zephyrine", "zorblatt", "merger")


async def everything_temporal_knows(temporal: Client, tenant_id: str) -> str:
    """Histories, descriptions and attributes of all runs of a tenant, children included."""
    known = [run.id async for run in temporal.list_workflows(f"TenantId = '{tenant_id}'")]
    parts = []
    for root in known:
        for workflow_id in [root, *await children(temporal, root)]:
            handle = temporal.get_workflow_handle(workflow_id)
            parts += [(await handle.fetch_history()).to_json(), str((await handle.describe()).raw_description)]
    return "\n".join(parts)


async def children(temporal: Client, workflow_id: str) -> list[str]:
    history = await temporal.get_workflow_handle(workflow_id).fetch_history()
    field = "start_child_workflow_execution_initiated_event_attributes"
    return [getattr(event, field).workflow_id for event in history.events if event.HasField(field)]


async def indexed(temporal: Client, tenant_id: str) -> None:
    """Visibility comes a moment after the run."""
    for _ in range(100):
        if (await temporal.count_workflows(f"TenantId = '{tenant_id}'")).count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the run was not indexed")


def meeting(name: str = NAME) -> MeetingFacts:
    return MeetingFacts(
        source="test",
        source_key="1",
        title=TITLE,
        starts_at=datetime.now(UTC) + timedelta(days=2),
        attendees=(Attendee(email=EMAIL, name=name),),
    )


async def test_temporal_knows_no_person(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with stage.working():
        outcome = await (await stage.start(await stage.meeting(meeting()))).result()
    await indexed(stage.temporal, stage.tenant.id)
    known = (await everything_temporal_knows(stage.temporal, stage.tenant.id)).lower()

    brief = await stage.brief(outcome.brief_id)
    assert "quibblewick" in brief.model_dump_json().lower(), "or there would be nothing to find"
    assert "prospect 1 at lovelace.example" in known, "an operator reads who it is about"
    for word in (*PERSONAL, brief.evidence[0].text[:30].lower(), brief.claims[0].text[:30].lower()):
        assert word not in known
    assert not any(word in record.getMessage().lower() for word in PERSONAL for record in caplog.records)


async def test_a_failure_tells_neither_a_secret_nor_a_person(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A provider that echoes what it got, key and all."""
    stage.sandbox.faults.put("perplexity", "status", status=401, times=None)
    stage.sandbox.faults.put("anthropic", "status", status=401, times=None)
    where = f"{stage.sandbox.url}/perplexity"
    async with stage.working(perplexity_api_key=KEY, perplexity_base_url=where):
        await stage.failure(EMAIL)
    await indexed(stage.temporal, stage.tenant.id)
    known = await everything_temporal_knows(stage.temporal, stage.tenant.id)

    assert "perplexity said 401" in known, "an operator reads what was said"
    for word in (KEY, "canary", *PERSONAL):
        assert word not in known.lower()
        assert not any(word in record.getMessage().lower() for record in caplog.records)


async def test_what_postgres_says_no_to_is_told_by_its_code(stage: Stage) -> None:
    """Postgres quotes the row in its own words."""
    with_a_null = meeting().model_copy(update={"title": "x\x00y"})
    with pytest.raises(ApplicationError) as raised:
        await stage.meeting(with_a_null)
    assert raised.value.message == "postgres failed (22021)"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_settings_never_print_a_secret(stage: Stage) -> None:
    settings = stage.settings(perplexity_api_key=KEY, anthropic_api_key=KEY, link_key=KEY, hash_key=KEY)
    assert KEY not in repr(settings)
    assert KEY not in str(settings)
    assert KEY not in json.dumps(settings.model_dump(mode="json"))
