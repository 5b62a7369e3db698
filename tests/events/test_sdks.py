"""Applications that use the SDKs keep their code: the real ones send to us, and report what they report of their own server."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import inngest
import pytest

from tests.events.conftest import Event, Gate, Twin, adhoc
from tests.stage import ACCOUNT, Stage
from workflows import ids

ADA = "ada@lovelace.example"
PACKAGE = Path(__file__).parents[2] / ".greenroom/npm/node_modules/inngest/index.js"
NODE = shutil.which("node")
HAS_NODE = pytest.mark.skipif(
    NODE is None or not PACKAGE.exists(),
    reason="node or its package is missing; npm install --prefix .greenroom/npm inngest@4.24.0",
)

# What it answers: ids, or the SDK's own words for what went wrong.
Send = Callable[[Gate, str, list[Event]], Awaitable[list[str] | str]]

# As the seeds have them.
SEEDS: list[Event] = [
    {**adhoc(ADA), "data": {**adhoc(ADA)["data"], "requestedAt": "2026-11-23T09:00:00.000Z"}},
    {
        "name": "calendar/webhook.received",
        "data": {"channelId": "c", "resourceId": "r", "resourceState": "exists", "calendarId": ACCOUNT},
    },
    {"name": "app/scheduled.webhook-renewal", "data": {"scheduledAt": "2026-11-23T06:00:00.000Z"}},
    {"name": "transcript/parse.requested", "data": {"callId": "7", "transcript": "Ada: We phone in every change.\n"}},
    {"name": "email/send", "data": {"to": "", "subject": "Welcome"}},
    {"name": "record/created", "data": {"amount": 3}},
]


async def python(gate: Gate, key: str, events: list[Event]) -> list[str] | str:
    client = inngest.Inngest(app_id="crm", event_key=key, event_api_base_url=gate.base, is_production=True)
    try:
        return await client.send([inngest.Event(**one) for one in events])
    except Exception as error:  # noqa: BLE001 - whatever it raises is what its user sees
        return str(error)
    finally:
        await client._http_client._http_client.aclose()
        client._http_client._http_client_sync.close()


async def javascript(gate: Gate, key: str, events: list[Event]) -> list[str] | str:
    assert NODE is not None
    asked = json.dumps({"base": f"{gate.base}/", "key": key, "events": events})
    process = await asyncio.create_subprocess_exec(
        *(NODE, str(Path(__file__).with_name("inngest_send.mjs")), str(PACKAGE)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(asked.encode()), 60)
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    return told["error"] if "error" in told else told["ids"]


SDKS = pytest.mark.parametrize("send", [python, pytest.param(javascript, marks=HAS_NODE)])


@SDKS
async def test_what_the_seeds_send_begins_their_jobs(real: Gate, stage: Stage, send: Send) -> None:
    connected = await stage.connect()
    mail = {"name": "email/send", "data": {"to": stage.user.email, "subject": "Welcome"}}
    events = [mail if one["name"] == "email/send" else one for one in SEEDS]
    told = await send(real, real.key.key, events)

    assert isinstance(told, list), told
    rows = {row["key"]: row for row in await real.rows()}
    assert set(told) == set(rows)
    begun = [rows[key]["workflow_id"] or rows[key]["state"] for key in told]
    assert begun[0].startswith(f"research/{stage.tenant.id}/")
    assert begun[1:3] == [ids.calendar(stage.tenant.id, connected.calendar_id), ids.SWEEP]
    assert begun[3].startswith(f"transcript/{stage.tenant.id}/")
    assert begun[4].startswith(f"notice/{stage.tenant.id}/")
    assert begun[5] == "collected"
    there = [*(one for one in begun if "/" in one), ids.batch(stage.tenant.id, "record/entity.created")]
    for workflow_id in there:
        assert await stage.temporal.get_workflow_handle(workflow_id).describe()


@SDKS
@pytest.mark.parametrize(
    ("event", "key", "said"),
    [
        (adhoc(ADA), "a-wrong-key", "there is no such event key"),
        ({"name": "nda/forgotten", "data": {"a": 1}}, None, 'events[0].name: there is no event "nda/forgotten"'),
        (adhoc("nonsense"), None, "events[0].data.prospects[0].email: is not in the form that is expected"),
        ({"name": "record/created", "data": {"tenantId": "acme"}}, None, "is another tenant than the key's"),
        ({"name": "record/created", "data": {"x": "y" * 100_000}}, None, None),
        ([{"name": "record/created", "data": {"x": "y" * 100_000}}] * 6, None, "more than 512 KiB were sent"),
    ],
    ids=["wrong key", "unknown event", "wrong payload", "another tenant", "large", "too large"],
)
async def test_a_failure_is_reported_as_their_own_server_s(
    gate: Gate, twin: Twin, send: Send, event: Any, key: str | None, said: str | None
) -> None:
    events = event if isinstance(event, list) else [event]
    told = await send(gate, key or gate.key.key, events)
    if said is None:
        assert isinstance(told, list), told
        return
    assert isinstance(told, str)
    assert said in told
    assert (twin.begun, twin.collected) == ([], [])


@SDKS
async def test_an_sdk_s_own_second_try_is_the_same_event(gate: Gate, twin: Twin, send: Send) -> None:
    """Temporal is away at first: the SDK tries again by itself, with the ids that it had."""
    twin.away = True
    sending = asyncio.create_task(send(gate, gate.key.key, [adhoc(ADA), adhoc("bob@lovelace.example")]))
    async with asyncio.timeout(30):
        while not await gate.counted("put_off"):
            await asyncio.sleep(0.02)
    twin.away = False
    told = await sending

    assert isinstance(told, list), told
    assert sorted(one.key for one in twin.begun) == sorted(told)
    assert len(told) == 2


@SDKS
async def test_when_temporal_stays_away_the_sdk_says_so(gate: Gate, twin: Twin, send: Send) -> None:
    twin.away = True
    told = await send(gate, gate.key.key, [adhoc(ADA)])
    assert isinstance(told, str)
    assert "not all of it could be begun just now; send it again" in told
    assert twin.begun == []
    assert await gate.counted("put_off") == 5
