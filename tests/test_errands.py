"""What is asked of Temporal from a page: it is done, or it is said that it was not."""

import asyncio
from datetime import timedelta

import pytest

from schemas.subscriptions import Errand, Renewal
from starter import start
from starter.errands import AwayError, Errands
from tests.stage import ACCOUNT, Stage


async def test_a_renewal_that_is_under_way_is_not_taken_for_the_stop(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end leaves a channel that notifies."""
    monkeypatch.setattr("starter.errands.PATIENCE", timedelta(seconds=30))
    connected = await stage.connect()
    errands, ids = Errands(stage.temporal), (stage.tenant.id, connected.calendar_id)
    renewal = Renewal(tenant_id=stage.tenant.id, calendar_id=connected.calendar_id, errand=Errand.RENEW)
    stage.sandbox.delays["google"] = 0.5
    async with stage.working():
        await start.renewal(stage.temporal, renewal)
        assert await errands.unwatch(*ids)
    assert stage.sandbox.calendar(ACCOUNT).channels == []


async def test_nobody_works_and_so_nothing_is_said_to_be_stopped(stage: Stage) -> None:
    connected = await stage.connect()
    with pytest.raises(AwayError):
        await Errands(stage.temporal).unwatch(stage.tenant.id, connected.calendar_id)


async def test_a_stop_that_fails_says_so(stage: Stage) -> None:
    connected = await stage.connect()
    errands, ids = Errands(stage.temporal), (stage.tenant.id, connected.calendar_id)
    async with stage.working():
        await errands.watch(*ids)
        async with asyncio.timeout(10):
            while not stage.sandbox.calendar(ACCOUNT).channels:
                await asyncio.sleep(0.1)
        stage.sandbox.google.revoke(ACCOUNT)
        assert not await errands.unwatch(*ids)
