"""A renewal that fails: tried again while there is time, and told once when there is none, or when the account is lost."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from activities.store.subscriptions import Standing
from activities.subscriptions import warned
from schemas.calendars import Reason, Ring
from schemas.notices import NoticeKind, lost_key, unwatched_key
from schemas.subscriptions import NotRenewed, Renewal, Warned
from starter import start
from tests.stage import ACCOUNT
from tests.subscriptions.conftest import Watched
from tests.test_privacy import everything_temporal_knows, indexed
from workflows import policies
from workflows.subscriptions import notice

ROW = "1" * 8 + "-1111-4111-8111-" + "1" * 12
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
HOURS = timedelta(hours=1)


async def told(watched: Watched, count: int) -> None:
    """So many notices, all of them at their end, and no more after a while."""
    async with asyncio.timeout(10):
        while len([one for one in await watched.notices() if one["ended_at"]]) < count:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    assert len(await watched.notices()) == count


async def test_a_lost_account_is_told_once_and_not_called_again(watched: Watched, quick: None) -> None:
    async with watched.working():
        await watched.renew()
        watched.stage.sandbox.google.revoke(ACCOUNT)
        failure = await watched.failure()
        assert (failure.type, failure.message) == ("ReauthRequired", "the account lets us in no more")
        calls = len(watched.calls())

        assert (await watched.failure()).type == "ReauthRequired"
        bell = start.Doorbell(watched.stage.temporal)
        ring = Ring(reason=Reason.ASKED, at=datetime.now(UTC))
        await bell.calendar(watched.stage.tenant.id, watched.calendar_id, ring)
        await told(watched, 1)

    assert len(watched.calls()) == calls
    (only,) = await watched.notices()
    assert (only["kind"], only["status"]) == ("reconnect", "sent")
    assert {row["status"] for row in await watched.rows()} == {"expired"}, "a refused channel is none"


async def test_losing_it_again_after_a_reconnection_is_told_again(watched: Watched, quick: None) -> None:
    async with watched.working():
        for count in (1, 2):
            watched.stage.sandbox.google.revoke(ACCOUNT)
            await watched.failure()
            await told(watched, count)
            await watched.stage.connect()
    assert [(one["kind"], one["status"]) for one in await watched.notices()] == [("reconnect", "sent")] * 2


async def test_a_failure_with_time_left_stays_between_us(watched: Watched, quick: None) -> None:
    async with watched.working():
        await watched.renew()
        await watched.ends_in(10 * HOURS)
        watched.stage.sandbox.faults.put("google", "status", status=503, match="/watch", times=3)
        assert (await watched.failure()).type == "ProviderDown"
        active = await watched.active()
        assert (active["renewal_failures"], await watched.notices()) == (1, [])

        await watched.renew()
        assert (await watched.active())["renewal_failures"] == 0


async def test_a_channel_that_is_about_to_end_is_told_once(watched: Watched, quick: None) -> None:
    async with watched.working():
        await watched.renew()
        await watched.ends_in(5 * HOURS)
        for failures in (1, 2):
            watched.stage.sandbox.faults.put("google", "status", status=503, match="/watch", times=3)
            await watched.failure()
            assert (await watched.active())["renewal_failures"] == failures
        await told(watched, 1)


async def test_an_account_that_was_given_up_is_nobody_s_loss(watched: Watched) -> None:
    async with watched.working():
        await watched.renew()
        await watched.stage.connections().disconnect(
            watched.stage.tenant.id, watched.connected.connection_id, datetime.now(UTC)
        )
        assert (await watched.failure()).type == "Disconnected"
    assert await watched.notices() == []
    assert [row["status"] for row in await watched.rows()] == ["expired"]


async def test_temporal_knows_neither_the_account_nor_a_token(
    watched: Watched, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    known = watched.stage.tenant.id, watched.connected.connection_id
    tokens = await watched.stage.connections().tokens(*known)
    async with watched.working():
        await watched.renew()
        channel = watched.stage.sandbox.calendar(ACCOUNT).channels[0]
        watched.stage.sandbox.google.revoke(ACCOUNT)
        await watched.failure()
        await told(watched, 1)
    await indexed(watched.stage.temporal, watched.stage.tenant.id)
    said = await everything_temporal_knows(watched.stage.temporal, watched.stage.tenant.id)

    assert "the account lets us in no more" in said, "an operator reads why"
    for word in (ACCOUNT, "robin", tokens.access_token, tokens.refresh_token, channel.token, channel.resource_id):
        assert word
        assert word not in said
        assert not any(word in record.getMessage() for record in caplog.records)


def standing(status: str = "active", left: timedelta | None = 5 * HOURS) -> Standing:
    return Standing(ROW, ROW, 3, status, None if left is None else NOW + left)


def failure(*, lost: bool = False) -> NotRenewed:
    return NotRenewed(
        tenant_id=ROW, calendar_id=ROW, lost=lost, reason="x", tell_before=NOW + policies.LAST_HOURS, now=NOW
    )


@pytest.mark.parametrize(
    ("lost", "status", "left", "tell"),
    [
        (True, "reauth_required", 5 * HOURS, True),
        (True, "reauth_required", 100 * HOURS, True),
        (True, "reauth_required", None, True),
        (True, "active", 100 * HOURS, False),  # connected again meanwhile
        (True, "disconnected", 5 * HOURS, False),
        (False, "active", 6 * HOURS, False),
        (False, "active", 5.9 * HOURS, True),
        (False, "active", -2 * HOURS, True),
        (False, "active", None, False),  # it never had one: nobody's account is at fault
        (False, "disconnected", 1 * HOURS, False),
    ],
)
def test_whom_a_failed_renewal_concerns(lost: bool, status: str, left: timedelta | None, tell: bool) -> None:
    assert warned(failure(lost=lost), standing(status, left)).tell == tell


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"tell": False}, None),
        ({"user_id": None}, None),
        ({"lost": True}, lost_key(ROW, 3)),
        ({}, unwatched_key(ROW, NOW)),
        ({"expires_at": None}, lost_key(ROW, 3)),
    ],
)
def test_what_is_told_once(changes: dict[str, object], key: str | None) -> None:
    known = {"user_id": ROW, "connection_id": ROW, "version": 3, "tell": True, "expires_at": NOW}
    order = notice(Renewal(tenant_id=ROW, calendar_id=ROW), Warned.model_validate(known | changes))
    assert (order.key if order else None) == key
    assert order is None or order.kind is NoticeKind.RECONNECT
