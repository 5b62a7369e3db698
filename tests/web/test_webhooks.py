"""Notifications: what is genuine rings, once Temporal has taken it; whatever else comes is answered alike and does nothing."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from temporalio.service import RPCError, RPCStatusCode

from activities import errors
from activities.store.channels import ChannelRow, ChannelStore
from activities.store.database import CROSSING
from schemas.calendars import Reason, Ring
from starter.web.app import build_app, listening
from starter.web.parts import Parts
from starter.web.webhooks import KNOWN_AT_ONCE, STRANGERS_AT_ONCE, Line, Notification, Remembered
from tests.diary import Diary
from tests.stage import Stage
from tests.web.conftest import settings as app_settings
from tests.web.senders import Raw

TENANT, CALENDAR, CHANNEL = (str(uuid4()) for _ in range(3))
TOKEN, RESOURCE = "a token that only its sender knows", "a-resource"
NOW = datetime.now(UTC)
PATH = "/webhooks/google-calendar"

OPEN = ChannelRow(
    tenant_id=TENANT,
    calendar_id=CALENDAR,
    status="active",
    token_hash=hashlib.sha256(TOKEN.encode()).digest(),
    resource_id=RESOURCE,
    expires_at=NOW + timedelta(days=6),
    accepted_until=None,
)
GENUINE = {
    "X-Goog-Channel-ID": CHANNEL,
    "X-Goog-Channel-Token": TOKEN,
    "X-Goog-Resource-ID": RESOURCE,
    "X-Goog-Resource-State": "exists",
    "X-Goog-Message-Number": "7",
}


@dataclass
class Kept:
    """A twin of the channels' store."""

    rows: dict[str, ChannelRow] = field(default_factory=lambda: {CHANNEL: OPEN})
    confirmed: list[tuple[str, str]] = field(default_factory=list)
    fails: Exception | None = None

    async def find(self, channel_id: str) -> ChannelRow | None:
        if self.fails:
            raise self.fails
        return self.rows.get(channel_id)

    async def confirm(self, _tenant_id: str, channel_id: str, resource_id: str, _now: datetime) -> None:
        self.confirmed.append((channel_id, resource_id))


@dataclass
class Bell:
    """A twin of Temporal: takes its time, or is away."""

    rung: list[tuple[str, str, Reason]] = field(default_factory=list)
    takes_s: float = 0.0
    away: Exception | None = None

    async def calendar(self, tenant_id: str, calendar_id: str, ring: Ring) -> None:
        await asyncio.sleep(self.takes_s)
        if self.away:
            raise self.away
        self.rung.append((tenant_id, calendar_id, ring.reason))


@dataclass
class Door:
    session: aiohttp.ClientSession
    port: int
    kept: Kept
    bell: Bell

    async def post(self, headers: Any = None, **more: Any) -> tuple[int, bytes]:
        async with self.session.post(PATH, headers=GENUINE if headers is None else headers, **more) as response:
            return response.status, await response.read()

    async def counted(self, outcome: str) -> float:
        async with self.session.get("/metrics") as response:
            lines = (await response.text()).splitlines()
        line = f'greenroom_web_notifications_total{{outcome="{outcome}"}} '
        return sum(float(one.removeprefix(line)) for one in lines if one.startswith(line))


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    kept, bell = Kept(), Bell()
    nothing: Any = None
    names = (
        "briefs",
        "explanations",
        "marks",
        "users",
        "agenda",
        "digests",
        "wishes",
        "meetings",
        "connections",
        "consent",
        "errands",
        "calls",
    )
    parts = Parts(settings=app_settings(), channels=kept, bell=bell, checks={}, **dict.fromkeys(names, nothing))
    async with listening(build_app(parts), 0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Door(session, port, kept, bell)


async def test_a_genuine_one_rings_its_calendar(door: Door) -> None:
    assert await door.post() == (200, b"")
    assert door.bell.rung == [(TENANT, CALENDAR, Reason.PUSH)]


@pytest.mark.parametrize("state", ["exists", "not_exists", "", "something new"])
async def test_every_state_but_the_first_means_look(door: Door, state: str) -> None:
    await door.post({**GENUINE, "X-Goog-Resource-State": state})
    assert len(door.bell.rung) == 1


async def test_the_first_message_confirms_the_channel_and_rings_nobody(door: Door) -> None:
    """It may come before the answer that says which resource it is."""
    door.kept.rows[CHANNEL] = replace(OPEN, status="creating", resource_id=None)
    assert await door.post({**GENUINE, "X-Goog-Resource-State": "sync"}) == (200, b"")
    assert door.kept.confirmed == [(CHANNEL, RESOURCE)]
    assert door.bell.rung == []


async def test_a_channel_that_was_replaced_counts_for_a_while(door: Door) -> None:
    door.kept.rows[CHANNEL] = replace(OPEN, status="stopped", accepted_until=NOW + timedelta(days=1))
    await door.post()
    assert len(door.bell.rung) == 1


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in GENUINE.items() if key != name}


REFUSED: dict[str, tuple[Any, ChannelRow | None, str]] = {
    "no token": (without("X-Goog-Channel-Token"), OPEN, "malformed"),
    "no channel": (without("X-Goog-Channel-ID"), OPEN, "malformed"),
    "no resource": (without("X-Goog-Resource-ID"), OPEN, "malformed"),
    "nothing": ({}, OPEN, "malformed"),
    "an empty token": ({**GENUINE, "X-Goog-Channel-Token": ""}, OPEN, "forged"),
    "another token": ({**GENUINE, "X-Goog-Channel-Token": "guess"}, OPEN, "forged"),
    "the token's hash": ({**GENUINE, "X-Goog-Channel-Token": OPEN.token_hash.hex()}, OPEN, "forged"),
    "a token with a tail": ({**GENUINE, "X-Goog-Channel-Token": TOKEN + "x"}, OPEN, "forged"),
    "a long token": ({**GENUINE, "X-Goog-Channel-Token": "x" * 5000}, OPEN, "malformed"),
    "letters from elsewhere": ({**GENUINE, "X-Goog-Channel-Token": "ключ\u202e"}, OPEN, "forged"),
    "another resource": ({**GENUINE, "X-Goog-Resource-ID": "other"}, OPEN, "forged"),
    "an unknown channel": ({**GENUINE, "X-Goog-Channel-ID": str(uuid4())}, OPEN, "unknown"),
    "a channel of capitals": ({**GENUINE, "X-Goog-Channel-ID": CHANNEL.upper()}, OPEN, "malformed"),
    "SQL for a channel": ({**GENUINE, "X-Goog-Channel-ID": "'; DROP TABLE subscriptions; --"}, OPEN, "malformed"),
    "two tokens": ([*GENUINE.items(), ("X-Goog-Channel-Token", TOKEN)], OPEN, "malformed"),
    "two channels": ([*GENUINE.items(), ("X-Goog-Channel-ID", CHANNEL)], OPEN, "malformed"),
    "an expired channel": (GENUINE, replace(OPEN, expires_at=NOW - timedelta(seconds=1)), "closed"),
    "a stopped channel": (GENUINE, replace(OPEN, status="stopped"), "closed"),
    "a replaced channel, too late": (
        GENUINE,
        replace(OPEN, status="replaced", accepted_until=NOW - timedelta(seconds=1)),
        "closed",
    ),
    "a channel that is gone": (GENUINE, None, "unknown"),
    "a forged first message": (
        {**GENUINE, "X-Goog-Resource-State": "sync", "X-Goog-Channel-Token": "x"},
        OPEN,
        "forged",
    ),
}


@pytest.mark.parametrize(("headers", "row", "why"), REFUSED.values(), ids=REFUSED)
async def test_whatever_is_not_genuine_is_answered_alike_counted_and_left(
    door: Door, headers: Any, row: ChannelRow | None, why: str
) -> None:
    door.kept.rows = {} if row is None else {CHANNEL: row}
    assert await door.post(headers) == (200, b"")
    assert (door.bell.rung, door.kept.confirmed) == ([], [])
    assert await door.counted(why) == 1


async def test_a_token_is_never_in_the_log(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    await door.post()
    await door.post({**GENUINE, "X-Goog-Channel-Token": "a wrong one of somebody"})
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err
    assert "a wrong one" not in said.out + said.err


@pytest.mark.parametrize(
    "away", [RPCError("no", RPCStatusCode.UNAVAILABLE, b""), RuntimeError("cannot connect"), TimeoutError()]
)
async def test_when_temporal_is_away_it_is_to_be_sent_again(door: Door, away: Exception) -> None:
    door.bell.away = away
    status, _ = await door.post()
    assert status == 503
    assert await door.counted("put_off") == 1
    door.bell.away = None
    assert (await door.post())[0] == 200


async def test_when_postgres_is_away_it_is_to_be_sent_again(door: Door) -> None:
    door.kept.fails = errors.database_failed("57P01")
    assert (await door.post())[0] == 503


@pytest.mark.parametrize(
    "name", ["X-Goog-Channel-Token", "X-Goog-Resource-ID", "X-Goog-Channel-ID", "X-Goog-Resource-State"]
)
@pytest.mark.parametrize("status", ["active", "creating"])
async def test_bytes_that_are_no_text_are_left_like_anything_else(door: Door, name: str, status: str) -> None:
    """Or, where they stand in nothing that counts, not looked at."""
    door.kept.rows[CHANNEL] = replace(OPEN, status=status, resource_id=RESOURCE if status == "active" else None)
    counts = name != "X-Goog-Resource-State"
    lines = [f"{key}: {value}".encode() for key, value in GENUINE.items() if key != name]
    lines.append(name.encode() + b": \xff\xfe\x80\xc3(\xed\xa0\x80")
    raw = await Raw.at(door.port)
    raw.say(b"\r\n".join([f"POST {PATH} HTTP/1.1".encode(), b"Host: a", b"Connection: close", *lines, b"", b""]))
    answer = await raw.rest()

    assert answer.startswith(b"HTTP/1.1 200 "), answer[:60]
    assert (len(door.bell.rung), door.kept.confirmed) == (0 if counts else 1, [])


@dataclass
class Slow(Kept):
    """A twin of the channels' store that takes its time."""

    at_once: int = 0
    most: int = 0
    asked: int = 0

    async def find(self, channel_id: str) -> ChannelRow | None:
        self.asked += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.02)
        self.at_once -= 1
        return await super().find(channel_id)


async def test_ids_that_are_made_up_hold_up_none_that_is_known() -> None:
    slow = Slow()
    remembered = Remembered(slow, remembered_s=0)
    assert await remembered.find(CHANNEL) == OPEN
    flood = [asyncio.create_task(remembered.find(str(uuid4()))) for _ in range(100)]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(0.4):
        assert await remembered.find(CHANNEL) == OPEN
    assert not flood[-1].done()
    assert await asyncio.gather(*flood) == [None] * 100
    assert slow.most <= KNOWN_AT_ONCE + STRANGERS_AT_ONCE < CROSSING


async def test_who_comes_together_for_one_channel_shares_a_look_up() -> None:
    slow = Slow()
    remembered = Remembered(slow)
    assert await asyncio.gather(*(remembered.find(CHANNEL) for _ in range(50))) == [OPEN] * 50
    assert slow.asked <= STRANGERS_AT_ONCE


async def test_a_channel_that_is_gone_is_a_stranger_again() -> None:
    kept = Kept()
    remembered = Remembered(kept, remembered_s=0)
    assert await remembered.find(CHANNEL) == OPEN
    kept.rows.clear()
    assert [await remembered.find(CHANNEL) for _ in range(2)] == [None, None]


async def test_it_is_taken_by_post_alone_and_its_body_is_nobody_s_business(door: Door) -> None:
    async with door.session.get(PATH, headers=GENUINE) as response:
        assert response.status == 405
    assert (await door.post(data=b"\x00" * 1000))[0] == 200
    assert len(door.bell.rung) == 1


async def test_a_burst_shares_its_signals(door: Door) -> None:
    door.bell.takes_s = 0.05
    answers = await asyncio.gather(*(door.post() for _ in range(60)))
    assert {status for status, _ in answers} == {200}
    assert 1 <= len(door.bell.rung) <= 4


async def test_nobody_is_answered_by_a_signal_that_was_sent_before_they_came() -> None:
    sent: list[float] = []

    async def signal(_key: str) -> None:
        sent.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.05)

    line = Line(signal, between_s=0)
    first = asyncio.create_task(line.call("a"))
    await asyncio.sleep(0.02)
    came = asyncio.get_running_loop().time()
    await asyncio.gather(line.call("a"), line.call("a"), line.call("b"))
    assert first.done()
    assert len([moment for moment in sent if moment >= came]) == 2, "one for each of a and b"
    assert len(sent) == 3


async def test_whoever_leaves_takes_nobody_with_them() -> None:
    async def signal(_key: str) -> None:
        await asyncio.sleep(0.05)

    line = Line(signal, between_s=0)
    calls = [asyncio.create_task(line.call("a")) for _ in range(3)]
    await asyncio.sleep(0.01)
    calls[0].cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in done] == [asyncio.CancelledError, type(None), type(None)]


@dataclass
class Request:
    """As much of a request as is looked at."""

    headers: CIMultiDict[str]


@given(
    st.dictionaries(
        st.sampled_from(sorted(GENUINE)),
        st.text(st.characters(min_codepoint=32, max_codepoint=0x10FFFF, exclude_categories=["Cs", "Cc"]), max_size=300),
    )
)
@settings(deadline=None)
def test_whatever_the_headers_say_only_the_right_three_are_genuine(changes: dict[str, str]) -> None:
    request: Any = Request(CIMultiDict({**GENUINE, **changes}))
    notification = Notification.of(request)
    genuine = notification is not None and notification.channel_id == CHANNEL and notification.genuine(OPEN)
    assert genuine is all(changes.get(name, value) == value for name, value in list(GENUINE.items())[:3])


async def test_a_channel_is_found_across_tenants_and_its_token_is_not_kept(stage: Stage) -> None:
    diary = await Diary.connected(stage)
    async with stage.database.tenant(stage.tenant.id) as connection:
        await connection.execute(
            """
            INSERT INTO subscriptions (tenant_id, id, calendar_id, status, token_hash, created_at, expires_at)
            VALUES (current_tenant(), $1, $2, 'creating', $3, $4, $5)
            """,
            channel := str(uuid4()),
            diary.calendar_id,
            OPEN.token_hash,
            NOW,
            NOW + timedelta(days=1),
        )
    store = ChannelStore(stage.database)
    found = await store.find(channel)
    assert found == replace(
        OPEN,
        tenant_id=stage.tenant.id,
        calendar_id=diary.calendar_id,
        status="creating",
        resource_id=None,
        expires_at=NOW + timedelta(days=1),
    )
    await store.confirm(stage.tenant.id, channel, RESOURCE, NOW)
    await store.confirm(stage.tenant.id, channel, "another", NOW + timedelta(hours=1))
    confirmed = await store.find(channel)
    assert confirmed is not None
    assert confirmed.resource_id == RESOURCE
    assert await store.find(str(uuid4())) is None
