"""What happened is told to the tenant's endpoint: signed, in order, once for each id, and what it will not take is parked."""

import asyncio
import json
import logging
import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import errors
from activities.deliveries import Answered, DeliveryActivities, Due, Verdict, verdict
from activities.providers.guarded import Guarded
from activities.providers.webhooks import SignedWebhooks, body, signed
from activities.sealing import Sealer
from activities.store.deliveries import DeliveryStore
from activities.store.endpoints import new_secret
from schemas.deliveries import Dispatch, Dispatched
from tests.deliveries.receiver import PATIENCE_S, Receiver, Tenant, raw
from tests.stage import TOKEN_KEYS
from workflows import policies, story
from workflows.deliveries import pause

SECONDS = timedelta(seconds=1)
NEAR = {"private_endpoints": True}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause is longer than a blink."""
    monkeypatch.setattr(policies, "DELIVERY_PAUSES", (timedelta(milliseconds=20),))


def activities(tenant: Tenant, timeout_s: float = 5) -> DeliveryActivities:
    store = DeliveryStore(tenant.stage.database, Sealer(TOKEN_KEYS))
    return DeliveryActivities(store, SignedWebhooks(Guarded(timeout_s=timeout_s, private=True), sandbox=False))


async def send(tenant: Tenant, done: DeliveryActivities | None = None, **changes: Any) -> Dispatched:
    """One step, outside of a workflow."""
    dispatch = Dispatch(tenant_id=tenant.id, budget_s=60, tries=5, patience_s=3 * 86_400)
    environment = ActivityEnvironment()
    now = datetime.now(UTC)
    environment.info = environment.default_info().__class__(
        **{**vars(environment.default_info()), "started_time": now, "current_attempt_scheduled_time": now}
    )
    return await environment.run((done or activities(tenant)).send, dispatch.model_copy(update=changes))


async def test_events_are_told_in_order_signed_and_once(tenant: Tenant, receiver: Receiver) -> None:
    unheard = await tenant.happened(2)
    await tenant.hears_at(receiver)
    async with tenant.stage.working(**NEAR):
        happened = await tenant.happened(25)
        done = await tenant.told_all()
    assert receiver.ids() == happened
    assert done.delivered == 25
    assert await tenant.states() == [None] * len(unheard) + ["delivered"] * 25
    first, row = receiver.posts[0], (await tenant.rows())[2]
    assert {key: first[key] for key in ("id", "type", "data", "sequence", "sandbox")} == {
        "id": happened[0],
        "type": "test/thing.happened",
        "data": {"number": 2},
        "sequence": row["sequence"],
        "sandbox": True,
    }
    assert datetime.fromisoformat(first["timestamp"]) == row["created_at"]
    assert receiver.headers[0]["content-type"] == "application/json"


async def test_rings_while_it_sends_are_not_lost_and_nothing_is_told_twice(tenant: Tenant, receiver: Receiver) -> None:
    await tenant.hears_at(receiver)

    async def slowly(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.02)
        return web.Response()

    receiver.answer = slowly
    happened: list[str] = []
    async with tenant.stage.working(**NEAR):
        for _ in range(10):
            happened += await tenant.happened(3)
            await asyncio.gather(*(tenant.ring() for _ in range(3)))
        await tenant.told_all()
    assert receiver.ids() == happened


@pytest.mark.usefixtures("quick")
async def test_what_is_refused_five_times_is_parked_and_the_next_go_on(tenant: Tenant, receiver: Receiver) -> None:
    await tenant.hears_at(receiver)
    poison, *good = await tenant.happened(3)

    async def picky(request: web.Request) -> web.Response:
        return web.Response(status=422 if request.headers["webhook-id"] == poison else 200, text="<script>")

    receiver.answer = picky
    async with tenant.stage.working(**NEAR):
        await tenant.told_all()
        assert receiver.ids() == [poison] * 5 + good
        parked = (await tenant.rows())[0]
        assert (parked["delivery"], parked["attempts"]) == ("parked", 5)
        assert parked["refusal"] == "the endpoint said 422"
        receiver.answer = None
        assert await tenant.endpoints.redeliver_parked(tenant.id) == 1
        await tenant.told_all()
    assert receiver.ids()[-1] == poison, "under the id that it had"
    assert await tenant.states() == ["delivered"] * 3
    assert (await tenant.rows())[0]["refusal"] is None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirection_is_not_followed_and_is_a_no(tenant: Tenant, receiver: Receiver, status: int) -> None:
    await tenant.hears_at(receiver)
    await tenant.happened()
    receiver.says(status, location=receiver.url.replace("/hook", "/elsewhere"))
    assert (await send(tenant)).put_off == f"the endpoint said {status}"
    assert len(receiver.posts) == 1
    assert (await tenant.rows())[0]["attempts"] == 1


async def test_after_410_nothing_is_sent_until_it_is_set_again(tenant: Tenant, receiver: Receiver) -> None:
    await tenant.hears_at(receiver)
    happened = await tenant.happened(3)
    receiver.says(410)
    async with tenant.stage.working(**NEAR):
        await tenant.told_all()
        later = await tenant.happened()
        await tenant.told_all()
        assert receiver.ids() == happened[:1]
        line = await tenant.endpoints.endpoint(tenant.id)
        assert line is not None
        assert (line.status, line.reason, line.pending) == ("refused", "the endpoint said 410", 3)
        assert (await tenant.states())[3] is None, "nobody was to hear of it"
        receiver.says(200)
        await tenant.set(receiver.url, rotate=False)
        await tenant.told_all()
    assert receiver.ids() == [happened[0], *happened]
    assert later[0] not in receiver.ids()


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (503, "7", 7),
        (429, "120", 120),
        (429, "Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (429, "soon, 'or' <1=1>", 0),
        (503, "-5", 0),
        (503, "99999999999999999999", 900),
        (429, "", 0),
        (408, "NaN", 0),
    ],
)
async def test_how_long_an_endpoint_asks_to_wait_is_bounded(
    tenant: Tenant, receiver: Receiver, status: int, header: str, wait: int
) -> None:
    await tenant.hears_at(receiver)
    await tenant.happened()
    receiver.says(status, retry_after=header)
    done = await send(tenant)
    assert (done.put_off, done.wait) == (f"the endpoint said {status}", wait * SECONDS)
    row = (await tenant.rows())[0]
    assert (row["delivery"], row["attempts"]) == ("pending", 0), "its absence is no answer to the event"


def test_pauses_grow_to_five_minutes_and_the_longer_wait_counts() -> None:
    waits = [pause(number, timedelta()).total_seconds() for number in range(1, 10)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert pause(1, 60 * SECONDS) == 60 * SECONDS
    assert pause(9, 60 * SECONDS) == 300 * SECONDS


@pytest.mark.parametrize(
    ("statuses", "meant"),
    [
        ((200, 201, 204, 299), Verdict.TAKEN),
        ((300, 304, 400, 401, 404, 413, 425, 451), Verdict.REFUSED),
        ((410,), Verdict.GONE),
        ((408, 429, 500, 502, 503, 599, 999), Verdict.DOWN),
    ],
)
def test_each_answer_means_one_thing(statuses: tuple[int, ...], meant: Verdict) -> None:
    assert {verdict(status) for status in statuses} == {meant}


Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


async def endless(_reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def drips(_reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.1)


async def garbage(_reader: Reader, writer: Writer) -> None:
    writer.write(b"\x00\xffcanary-77 HTTP/9 <b>\r\n" * 100 + b"\r\n\r\n")


async def silence(_reader: Reader, _writer: Writer) -> None:
    await asyncio.sleep(PATIENCE_S)


async def headers(_reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-canary-77: " + b"y" * 1000 + b"\r\n")
        await writer.drain()


async def nothing(_reader: Reader, writer: Writer) -> None:
    writer.close()


@pytest.mark.parametrize("script", [endless, drips])
async def test_a_body_without_end_takes_nothing_back(tenant: Tenant, script: Any) -> None:
    async with raw(script) as url:
        await tenant.set(url)
        await tenant.happened()
        done = await asyncio.wait_for(send(tenant, activities(tenant, 1)), 5)
    assert done.delivered == 1, "it said 200 before it went on and on"


@pytest.mark.parametrize("script", [garbage, silence, headers, nothing])
async def test_a_hostile_answer_is_none_and_says_nothing(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, script: Any
) -> None:
    async with raw(script) as url:
        await tenant.set(url)
        await tenant.happened()
        done = await asyncio.wait_for(send(tenant, activities(tenant, 1)), 5)
    assert done.put_off.startswith("the endpoint did not answer (")
    assert "canary" not in done.put_off + caplog.text
    assert await tenant.states() == ["pending"]


class Dying(DeliveryStore):
    """Whoever posted is gone before that is written down, once."""

    died = False

    async def delivered(self, due: Due, now: datetime) -> None:
        if not self.died:
            self.died = True
            raise errors.database_failed("57P01")
        await super().delivered(due, now)


async def test_a_worker_that_dies_between_post_and_mark_leaves_it_to_be_told_again_under_its_id(
    tenant: Tenant, receiver: Receiver
) -> None:
    await tenant.hears_at(receiver)
    one, two = await tenant.happened(2)
    posts = SignedWebhooks(Guarded(timeout_s=5, private=True), sandbox=False)
    doomed = DeliveryActivities(Dying(tenant.stage.database, Sealer(TOKEN_KEYS)), posts)
    with pytest.raises(ApplicationError, match="57P01"):
        await send(tenant, doomed)
    assert await tenant.states() == ["pending", "pending"]
    assert (await send(tenant, doomed)).delivered == 2
    assert receiver.ids() == [one, one, two]
    assert receiver.posts[0] == receiver.posts[1]


async def test_a_cancelled_step_writes_down_what_was_said(tenant: Tenant, receiver: Receiver) -> None:
    """A stopping worker: what the endpoint has taken is not posted again."""
    await tenant.hears_at(receiver)
    await tenant.happened()
    begun, go = asyncio.Event(), asyncio.Event()

    class Slow(DeliveryStore):
        async def delivered(self, due: Due, now: datetime) -> None:
            begun.set()
            await go.wait()
            await super().delivered(due, now)

    posts = SignedWebhooks(Guarded(timeout_s=5, private=True), sandbox=False)
    work = asyncio.ensure_future(
        send(tenant, DeliveryActivities(Slow(tenant.stage.database, Sealer(TOKEN_KEYS)), posts))
    )
    await asyncio.wait_for(begun.wait(), PATIENCE_S)
    work.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await tenant.states() == ["delivered"]


async def test_three_days_without_it_park_what_waited_so_long_and_leave_the_rest(
    tenant: Tenant, receiver: Receiver
) -> None:
    await tenant.hears_at(receiver)
    await tenant.happened(3)
    receiver.says(500)
    await send(tenant)
    since = datetime.now(UTC) - timedelta(days=3, seconds=1)
    await tenant.sql("UPDATE events SET created_at = $1 WHERE (payload->>'number')::int < 2", since)
    assert (await send(tenant)).parked == 0, "it is down for a moment only"
    await tenant.sql("UPDATE endpoints SET failing_since = $1", since)
    assert (await send(tenant)).parked == 2
    assert await tenant.states() == ["parked", "parked", "pending"]
    assert (await tenant.rows())[0]["refusal"] == "the endpoint said 500, for 3 days"
    assert await tenant.endpoints.redeliver_parked(tenant.id) == 2
    assert (await send(tenant)).parked == 0, "they have all their time again"


async def test_an_endpoint_that_was_set_meanwhile_is_not_refused_for_the_old_one(
    tenant: Tenant, receiver: Receiver
) -> None:
    await tenant.hears_at(receiver)
    await tenant.happened()

    async def moved(_request: web.Request) -> web.Response:
        receiver.secret = await tenant.set(receiver.url)
        receiver.answer = None
        return web.Response(status=410)

    receiver.answer = moved
    assert (await send(tenant)).delivered == 1
    line = await tenant.endpoints.endpoint(tenant.id)
    assert line is not None
    assert line.status == "active"
    assert len(receiver.posts) == 2


async def test_a_forbidden_address_is_waited_for_like_one_that_is_away(tenant: Tenant, receiver: Receiver) -> None:
    await tenant.hears_at(receiver)
    await tenant.happened()
    store = DeliveryStore(tenant.stage.database, Sealer(TOKEN_KEYS))
    strict = DeliveryActivities(store, SignedWebhooks(Guarded(timeout_s=5), sandbox=False))
    assert (await send(tenant, strict)).put_off == "the endpoint: it is not https"
    assert receiver.posts == []


async def test_off_parks_what_waits_and_nothing_is_sent(tenant: Tenant, receiver: Receiver) -> None:
    await tenant.hears_at(receiver)
    await tenant.happened(2)
    assert await tenant.endpoints.off(tenant.id)
    assert await send(tenant) == Dispatched()
    await tenant.happened()
    assert await tenant.states() == ["parked", "parked", None]
    assert receiver.posts == []
    assert not await tenant.endpoints.off(tenant.id)


async def test_another_tenant_hears_nothing(tenant: Tenant, receiver: Receiver) -> None:
    store = DeliveryStore(tenant.stage.database, Sealer(TOKEN_KEYS))
    assert tenant.id not in await store.waiting()
    await tenant.hears_at(receiver)
    assert tenant.id not in await store.waiting()
    await tenant.happened()
    assert tenant.id in await store.waiting()
    await tenant.sql("UPDATE endpoints SET status = 'refused'")
    assert tenant.id not in await store.waiting()


async def test_a_new_endpoint_is_tried_at_once_however_long_the_pause(tenant: Tenant, receiver: Receiver) -> None:
    await tenant.hears_at(receiver)
    happened = await tenant.happened(2)
    receiver.says(503, retry_after="900")
    async with tenant.stage.working(**NEAR):
        await tenant.ring()
        await tenant.until(lambda: _true(len(receiver.posts) == 1))
        await tenant.ring()
        receiver.answer = None
        await asyncio.sleep(0.5)
        assert len(receiver.posts) == 1, "a ring is no reason to hurry it"
        await tenant.ring(anew=True)
        await asyncio.wait_for(tenant.handle().result(), PATIENCE_S)
    assert receiver.ids() == [happened[0], *happened]


@pytest.mark.usefixtures("quick")
async def test_a_long_history_goes_on_in_another(
    tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        workflow.Info, "is_continue_as_new_suggested", lambda info: info.get_current_history_length() > 40
    )
    await tenant.hears_at(receiver)
    happened = await tenant.happened(2)
    receiver.says(503)
    async with tenant.stage.working(**NEAR):
        await tenant.ring()
        first = (await tenant.handle().describe()).run_id

        async def goes_on() -> bool:
            return (await tenant.handle().describe()).run_id != first

        await tenant.until(goes_on)
        receiver.answer = None
        there = await tenant.handle().describe()
        await asyncio.wait_for(tenant.handle().result(), PATIENCE_S)
    assert there.typed_search_attributes[story.TENANT_ID] == tenant.id
    assert receiver.ids()[-2:] == happened
    assert await tenant.states() == ["delivered"] * 2


async def _true(value: bool) -> bool:
    return value


async def both_are_known(tenant: Tenant) -> bool:
    """Visibility comes a moment after a run."""
    return (await tenant.stage.temporal.count_workflows(f"TenantId = '{tenant.id}'")).count == 2


async def histories(tenant: Tenant) -> str:
    """All that Temporal keeps of the tenant's runs, with what its payloads say."""
    client, parts = tenant.stage.temporal, []
    async for run in client.list_workflows(f"TenantId = '{tenant.id}'"):
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        text = (await handle.fetch_history()).to_json()
        told = [b64decode(data).decode() for data in re.findall(r'"data": "([^"]+)"', text)]
        parts += [text, *told, str((await handle.describe()).raw_description)]
    return "\n".join(parts)


async def test_secrets_stand_in_no_history_and_no_log(
    tenant: Tenant, receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "DELIVERY_PAUSES", (timedelta(milliseconds=20),))
    caplog.set_level(logging.INFO)
    receiver.url += "/path-canary-31?token=canary-41"
    await tenant.hears_at(receiver)
    await tenant.happened(2)
    receiver.says(500, 404, 200)
    async with tenant.stage.working(**NEAR):
        await tenant.told_all()
        await tenant.set("http://127.0.0.1:1/canary-59")
        await tenant.happened()
        await tenant.ring()
        line = None
        async with asyncio.timeout(PATIENCE_S):
            while line is None or line.failing_since is None:
                line = await tenant.endpoints.endpoint(tenant.id)
        await tenant.endpoints.off(tenant.id)
        await tenant.told_all()
    await tenant.until(lambda: both_are_known(tenant))
    known = await histories(tenant)
    assert "the endpoint said 500" in known
    assert "did not answer (ClientConnectorError)" in known
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")
    for word in (receiver.secret, receiver.secret.removeprefix("whsec_"), "canary", "test/thing"):
        assert word not in known
        assert word not in logged
    async with tenant.stage.database.tenant(tenant.id) as connection:
        kept = await connection.fetchval("SELECT count(*) FROM endpoints")
    assert kept == 0


async def test_a_secret_is_sealed_in_its_row(tenant: Tenant, receiver: Receiver) -> None:
    await tenant.hears_at(receiver)
    async with tenant.stage.database.tenant(tenant.id) as connection:
        row = dict(await connection.fetchrow("SELECT * FROM endpoints"))
    assert receiver.secret.removeprefix("whsec_").encode() not in row["sealed"]
    assert receiver.secret not in json.dumps(row, default=str)
    stranger = DeliveryStore(tenant.stage.database, Sealer(TOKEN_KEYS.replace("test:", "other:")))
    await tenant.happened()
    with pytest.raises(ApplicationError, match="no key 'test'"):
        await stranger.due(tenant.id)


def test_a_signature_is_of_this_body_this_id_and_this_time() -> None:
    now, secret = datetime.now(UTC), new_secret()
    due = Due("t", "e", 7, "test/thing.happened", {"said": "Grüße ✓"}, now, "https://h.example", secret, now)
    said = body(due, sandbox=False)
    assert "sandbox" not in json.loads(said)
    assert Webhook(secret).verify(said, signed(due, said, now))["data"] == {"said": "Grüße ✓"}
    for wrong in (
        (said + " ", signed(due, said, now)),
        (said, signed(due, said, now) | {"webhook-id": "f"}),
        (said, signed(due, said, now - timedelta(hours=1))),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(*wrong)
    assert secret not in repr(due)
    assert Answered(200).retry_after == ""
