"""A calendar's channel is renewed before it ends: whatever happens between two steps, in the end there is one."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities import errors
from activities.ports import Channel
from activities.store.subscriptions import GRACE, Leftover, SubscriptionStore
from schemas.base import RowId, TenantId
from schemas.subscriptions import Errand, Opened, Opening, Retiring
from tests.stage import ACCOUNT
from tests.subscriptions.conftest import Watched
from workflows import policies


async def wrong(watched: Watched) -> list[str]:
    """Of what a renewal promises, what is not so."""
    active = await watched.active()
    promises = {
        "its provider knows one channel, the active one": watched.live() == [active["id"]],
        "it lasts for days": active["expires_at"] > datetime.now(UTC) + timedelta(days=6),
        "nothing is left over": not await watched.rows("creating", "replaced"),
    }
    return [promise for promise, kept in promises.items() if not kept]


async def missed(watched: Watched, *events: str) -> list[str]:
    """Of these events, those that the catch-up has not read in good time: no meeting in the database is theirs."""
    until = asyncio.get_running_loop().time() + 20
    while True:
        async with watched.stage.database.tenant(watched.stage.tenant.id) as connection:
            known = [row["source_key"] for row in await connection.fetch("SELECT source_key FROM meetings")]
        left = [event for event in events if not any(event in key for key in known)]
        if not left or asyncio.get_running_loop().time() > until:
            return left
        await asyncio.sleep(0.05)


def invite(watched: Watched, title: str) -> str:
    return watched.stage.sandbox.calendar(ACCOUNT).add(title, "tomorrow", attendees=["ada@lovelace.example"])


async def test_a_calendar_that_is_connected_gets_a_channel_and_is_read(watched: Watched) -> None:
    event = invite(watched, "Introduction")
    async with watched.working():
        outcome = await watched.renew()
        assert not await wrong(watched)
        assert not await missed(watched, event)

    active = await watched.active()
    channel = watched.stage.sandbox.calendar(ACCOUNT).channels[0]
    assert outcome.expires_at == active["expires_at"]
    assert channel.token is not None
    assert active["token_hash"] == hashlib.sha256(channel.token.encode()).digest()
    assert len(channel.token) >= 40
    assert active["resource_id"] == channel.resource_id


async def test_the_next_channel_is_another_and_the_old_one_s_late_messages_still_count(watched: Watched) -> None:
    async with watched.working():
        await watched.renew()
        first = await watched.active()
        secret = watched.stage.sandbox.calendar(ACCOUNT).channels[0].token
        began = datetime.now(UTC)
        outcome = await watched.renew()
        assert not await wrong(watched)

    (old,) = await watched.rows("stopped")
    assert old["id"] == first["id"]
    assert old["accepted_until"] >= began + GRACE - timedelta(seconds=1)
    assert outcome.stopped == 1
    assert watched.stage.sandbox.calendar(ACCOUNT).channels[0].token != secret
    assert watched.calls("events.watch") == ["events.watch"] * 2


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("watch is refused for now", {"kind": "status", "status": 503, "match": "/watch"}),
    ("watch is refused for now, twice", {"kind": "status", "status": 503, "match": "/watch", "times": 2}),
    ("too many calls", {"kind": "status", "status": 403, "reason": "rateLimitExceeded", "match": "/watch"}),
    ("the answer of watch is lost", {"kind": "drop", "match": "/watch"}),
    ("the answer of watch is lost, twice", {"kind": "drop", "match": "/watch", "times": 2}),
    ("the answer of watch is cut", {"kind": "truncated", "match": "/watch"}),
    ("the answer of watch is no JSON", {"kind": "garbage", "match": "/watch"}),
    ("the token is not taken", {"kind": "status", "status": 401, "match": "/watch"}),
    ("stop is refused for now", {"kind": "status", "status": 500, "match": "channels/stop"}),
    ("stop is refused for now, twice", {"kind": "status", "status": 500, "match": "channels/stop", "times": 2}),
    ("the answer of stop is lost", {"kind": "drop", "match": "channels/stop"}),
]


@pytest.mark.parametrize(("what", "fault"), FAULTS, ids=[what for what, _ in FAULTS])
@pytest.mark.parametrize("first", [True, False], ids=["first channel", "renewal"])
async def test_whatever_goes_wrong_between_two_calls(
    watched: Watched, quick: None, what: str, fault: dict[str, Any], first: bool
) -> None:
    async with watched.working():
        if not first:
            await watched.renew()
        before = invite(watched, "Before")
        watched.stage.sandbox.faults.put("google", **fault)
        renewal = asyncio.create_task(watched.renew())
        async with asyncio.timeout(10):
            while not watched.calls("events.watch"):
                await asyncio.sleep(0.01)
        during = invite(watched, "During")
        await renewal
        assert not await wrong(watched)
        assert not await missed(watched, before, during)


@pytest.mark.parametrize("first", [True, False], ids=["first channel", "renewal"])
async def test_a_channel_that_the_provider_has_forgotten_is_stopped(watched: Watched, quick: None, first: bool) -> None:
    async with watched.working():
        await watched.renew()
        if first:
            watched.stage.sandbox.calendar(ACCOUNT).channels[0].stopped = True
        else:
            watched.stage.sandbox.faults.put("google", "status", status=404, match="channels/stop", times=None)
        await watched.renew()
    assert [row["status"] for row in await watched.rows()] == ["stopped", "active"]


class DyingStore(SubscriptionStore):
    """Postgres goes away around one statement: before it, or after it was done."""

    def __init__(self, stage: Any, method: str, *, after: bool) -> None:
        super().__init__(stage.database)
        self._method, self._after = method, after

    async def _die(self, method: str, work: Any) -> Any:
        dies, self._method = self._method == method, self._method if self._method != method else ""
        if dies and not self._after:
            work.close()
            raise errors.database_failed("ConnectionDoesNotExistError")
        result = await work
        if dies:
            raise errors.database_failed("ConnectionDoesNotExistError")
        return result

    async def opened(self, opening: Opening) -> Opened | None:
        return await self._die("opened", super().opened(opening))

    async def begin(self, opening: Opening, channel_id: RowId, token_hash: bytes, expires_at: datetime) -> None:
        await self._die("begin", super().begin(opening, channel_id, token_hash, expires_at))

    async def activate(self, opening: Opening, channel: Channel) -> Opened:
        return await self._die("activate", super().activate(opening, channel))

    async def leftovers(self, retiring: Retiring) -> list[Leftover]:
        return await self._die("leftovers", super().leftovers(retiring))

    async def retire(self, tenant_id: TenantId, channel_id: RowId, *, expired: bool) -> None:
        await self._die("retire", super().retire(tenant_id, channel_id, expired=expired))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", ["opened", "begin", "activate", "leftovers", "retire"])
async def test_whichever_statement_fails(watched: Watched, quick: None, method: str, after: bool) -> None:
    async with watched.working():
        await watched.renew()
    event = invite(watched, "Introduction")
    async with watched.working(DyingStore(watched.stage, method, after=after)):
        await watched.renew()
        assert not await wrong(watched)
        assert not await missed(watched, event)


async def test_a_channel_that_cannot_be_stopped_is_stopped_by_a_later_sweep(watched: Watched, quick: None) -> None:
    async with watched.working():
        await watched.renew()
        watched.stage.sandbox.faults.put("google", "status", status=500, match="channels/stop", times=None)
        outcome = await watched.renew()
        assert (outcome.stopped, outcome.left) == (0, 1)
        assert len(watched.live()) == 2

        watched.stage.sandbox.faults.clear()
        tidied = await watched.renew(Errand.TIDY)
        assert tidied.stopped == 1
        assert not await wrong(watched)
    assert watched.calls("events.watch") == ["events.watch"] * 2


async def test_a_channel_whose_resource_nobody_learned_ends_by_itself(watched: Watched, quick: None) -> None:
    """Every try's answer is lost: there is no sister from which its resource could be known."""
    watched.stage.sandbox.faults.put("google", "drop", match="/watch", times=3)
    async with watched.working():
        failure = await watched.failure()
        assert failure.type == "ProviderDown"
        assert len(await watched.rows("creating")) == 3
        assert (await watched.renew(Errand.TIDY)).left == 3

        async with watched.stage.database.tenant(watched.stage.tenant.id) as connection:
            await connection.execute("UPDATE subscriptions SET expires_at = $1", datetime.now(UTC))
        await watched.renew(Errand.TIDY)
    assert len(await watched.rows("expired")) == 3


async def test_and_it_is_stopped_once_a_sister_tells_the_resource(watched: Watched, quick: None) -> None:
    watched.stage.sandbox.faults.put("google", "drop", match="/watch", times=3)
    async with watched.working():
        await watched.failure()
        await watched.renew()
        assert not await wrong(watched)
    assert len(await watched.rows("stopped")) == 3


async def test_stopping_ends_all_channels_and_the_watch(watched: Watched) -> None:
    async with watched.working():
        await watched.renew()
        outcome = await watched.renew(Errand.STOP)
        assert (outcome.stopped, outcome.left, outcome.expires_at) == (1, 0, None)
        assert watched.live() == []
        async with watched.stage.database.tenant(watched.stage.tenant.id) as connection:
            assert not await connection.fetchval("SELECT watched FROM calendars")

        await watched.renew()
        assert not await wrong(watched)


async def test_a_renewal_ends_in_time(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "RENEWAL", timedelta(seconds=2))
    async with watched.working():
        await watched.renew()
        watched.stage.sandbox.faults.put("google", "hang", match="/watch", times=None)
        failure = await watched.failure()
    assert (failure.type, failure.message) == ("TooSlow", "not done within 2 s")
    assert (await watched.active())["renewal_failures"] == 1


async def test_stopping_that_takes_too_long_does_not_undo_the_renewal(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "RENEWAL", timedelta(seconds=2))
    async with watched.working():
        await watched.renew()
        event = invite(watched, "Introduction")
        watched.stage.sandbox.faults.put("google", "hang", match="channels/stop", times=None)
        outcome = await watched.renew()
        assert outcome.expires_at == (await watched.active())["expires_at"]
        assert not await missed(watched, event)
    assert len(await watched.rows("replaced")) == 1


async def test_a_late_try_of_an_older_order_does_not_take_over(watched: Watched) -> None:
    """A worker that was frozen in mid-call comes back when the channel of its successor notifies already."""
    store, now = SubscriptionStore(watched.stage.database), datetime.now(UTC)
    old, new = (
        Opening(tenant_id=watched.stage.tenant.id, calendar_id=watched.calendar_id, now=now + timedelta(seconds=n))
        for n in (0, 1)
    )
    ids = [f"{n}" * 8 + "-1111-4111-8111-111111111111" for n in (1, 2)]
    for opening, channel_id in zip((old, new), ids, strict=True):
        await store.begin(opening, channel_id, b"hash", now + timedelta(days=7))
    second = await store.activate(new, Channel(ids[1], "r", now + timedelta(days=7)))
    assert await store.activate(old, Channel(ids[0], "r", now + timedelta(days=7))) == second
    assert (await watched.active())["id"] == ids[1]
    retiring = Retiring(
        tenant_id=watched.stage.tenant.id, calendar_id=watched.calendar_id, keep=second.subscription_id, now=now
    )
    assert [one.id for one in await store.leftovers(retiring)] == [ids[0]], "and it is stopped"
