"""greenroom calendars, subscriptions, schedules and keys: what a person sees of them, and does."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator

import pytest

from activities.sealing import Sealer
from activities.store.connections import Connected
from starter import schedules
from tests.cli.conftest import Beside, Greenroom
from tests.stage import ACCOUNT, TOKEN_KEYS, Stage

NEW = "new:" + urlsafe_b64encode(b"n" * 32).decode()


@pytest.fixture
async def connected(wired: Stage) -> Connected:
    return await wired.connect()


async def test_a_connected_calendar_is_listed_with_its_health(
    wired: Stage, connected: Connected, beside: Beside
) -> None:
    ended = await beside("calendars", "list")
    assert (ended.code, ended.err) == (0, "")
    for word in (connected.calendar_id, ACCOUNT, "sandbox data", "robin@harbour.example", "active", "never"):
        assert word in ended.out

    async with wired.database.tenant(wired.tenant.id) as connection:
        await connection.execute(
            "UPDATE calendars SET failing_since = '2026-11-22 09:00Z', failure = 'google said 503'"
        )
    assert "2026-11-22 09:00 UTC: google said 503" in (await beside("calendars", "list")).out
    (document,) = (await beside("calendars", "list", "--json")).document
    assert (document["id"], document["account"], document["status"]) == (connected.calendar_id, ACCOUNT, "active")


async def test_without_any_calendar_the_way_to_one_is_said(wired: Stage, beside: Beside) -> None:
    assert "connect one on the pages" in (await beside("calendars", "list")).out
    assert "no channel yet" in (await beside("subscriptions", "list")).out


async def test_a_calendar_is_watched_renewed_and_stopped(wired: Stage, connected: Connected, beside: Beside) -> None:
    async with wired.working():
        watched = await beside("subscriptions", "watch", ACCOUNT)
        assert (watched.code, watched.out.startswith("It tells of changes until 20")) == (0, True), watched
        renewed = await beside("subscriptions", "renew", connected.calendar_id, "--json")
        assert renewed.document["stopped"] == 1
        listed = await beside("subscriptions", "list", "--json")
        assert [one["status"] for one in listed.document] == ["active", "stopped"]
        assert "active" in (await beside("subscriptions", "list")).out

        assert (await beside("subscriptions", "stop", ACCOUNT)).out == "1 stopped\n"
        assert wired.sandbox.calendar(ACCOUNT).channels == []
        assert "not watched" in (await beside("calendars", "list")).out
        unread = await beside("calendars", "sync", ACCOUNT)
        assert (unread.code, f"{ACCOUNT} is not watched, so it is not read" in unread.err) == (2, True), unread
        assert (await beside("calendars", "sync")).out == "0 calendars are being read\n"


async def test_a_sweep_can_be_asked_for(wired: Stage, connected: Connected, beside: Beside) -> None:
    async with wired.working():
        ended = await beside("subscriptions", "renew")
    assert (ended.code, " renewed, " in ended.out) == (0, True), ended
    assert len(wired.sandbox.calendar(ACCOUNT).channels) == 1


async def test_a_renewal_that_fails_says_why(wired: Stage, connected: Connected, beside: Beside) -> None:
    wired.sandbox.google.revoke(ACCOUNT)
    async with wired.working():
        ended = await beside("subscriptions", "renew", ACCOUNT)
    assert (ended.code, ended.out) == (1, "")
    assert "the account lets us in no more" in ended.err


async def test_a_calendar_is_read_when_somebody_asks(wired: Stage, connected: Connected, beside: Beside) -> None:
    async with wired.working():
        assert (await beside("calendars", "sync")).out == "1 calendar is being read\n"
        async with asyncio.timeout(10):
            while not (await beside("calendars", "list", "--json")).document[0]["read_at"]:
                await asyncio.sleep(0.1)
    nobody = await beside("calendars", "sync", "nobody@harbour.example")
    assert (nobody.code, "There is no calendar" in nobody.err) == (3, True)


async def test_an_account_is_given_up_with_its_channels_and_tokens(
    wired: Stage, connected: Connected, beside: Beside
) -> None:
    async with wired.working():
        await beside("subscriptions", "watch", ACCOUNT)
        unsure = await beside("calendars", "disconnect", ACCOUNT)
        assert (unsure.code, "--yes" in unsure.err) == (2, True)
        ended = await beside("calendars", "disconnect", ACCOUNT, "--yes")
    assert (ended.code, ended.out) == (0, f"{ACCOUNT} is disconnected\n")
    assert wired.sandbox.calendar(ACCOUNT).channels == []
    assert wired.sandbox.google.refresh_tokens(ACCOUNT) == []
    tokens = await wired.connections().tokens(wired.tenant.id, connected.connection_id)
    assert (tokens.status, tokens.refresh_token) == ("disconnected", "")


@pytest.fixture
async def planned(wired: Stage) -> AsyncIterator[Stage]:
    """A server without our schedules, before and after."""

    async def none() -> None:
        for one in await schedules.listed(wired.temporal):
            await wired.temporal.get_schedule_handle(one.id).delete()

    await none()
    yield wired
    await none()


async def test_schedules_are_made_once_and_an_operator_s_pause_stays(planned: Stage, beside: Beside) -> None:
    assert "no schedule yet" in (await beside("schedules", "list")).out
    made = await beside("schedules", "ensure", "--json")
    assert [(one["id"], one["every_s"], one["paused"]) for one in made.document] == [
        ("subscription-renewals", 21600, False),
        ("calendar-polls", 900, False),
        ("retention", 86400, False),
        ("call-sweeps", 3600, False),
        ("reconciliation", 300, False),
        ("digests", 86400, False),
        ("bills", 21600, False),
    ]
    await planned.temporal.get_schedule_handle("calendar-polls").pause(note="an outage of theirs")

    await asyncio.gather(*(schedules.ensure(planned.temporal, planned.settings(poll_every_s=60)) for _ in range(3)))
    _, polls, *_ = await schedules.listed(planned.temporal)
    assert (polls.every_s, polls.paused, polls.note) == (60, True, "an outage of theirs")
    ended = await beside("schedules", "list")
    assert "paused" in ended.out and "an outage of theirs" in ended.out


def test_a_new_key_is_one(greenroom: Greenroom) -> None:
    ended = greenroom("keys", "new")
    assert Sealer(ended.out.strip()).current == ended.out.partition(":")[0]


async def test_the_key_is_changed_by_command(
    wired: Stage, connected: Connected, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_TOKEN_KEYS", f"{NEW},{TOKEN_KEYS}")
    ended = await beside("keys", "rotate", "--json")
    assert ended.document["key"] == "new"
    assert ended.document["sealed"] >= 1
    async with wired.database.tenant(wired.tenant.id) as connection:
        assert await connection.fetchval("SELECT key_id FROM connections") == "new"
    # Other tests' connections have their key again.
    monkeypatch.setenv("GREENROOM_TOKEN_KEYS", f"{TOKEN_KEYS},{NEW}")
    await beside("keys", "rotate")


@pytest.mark.parametrize("keys", ["", "x", "a:b"])
async def test_what_are_no_keys_rotate_nothing(
    wired: Stage, beside: Beside, monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    monkeypatch.setenv("GREENROOM_TOKEN_KEYS", keys)
    ended = await beside("keys", "rotate")
    assert (ended.code, ended.out) == (2, "")
    assert "GREENROOM_TOKEN_KEYS" in ended.err
