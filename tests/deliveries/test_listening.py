"""Whoever listens rings once for each burst, and loses nothing of what happened while nobody heard."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.store.events import CHANNEL
from activities.store.listening import listening
from starter.start import Doorbell
from tests.deliveries.receiver import Receiver, Tenant


class Bells:
    """Counts. `away` is how often Temporal does not answer."""

    def __init__(self, away: int = 0) -> None:
        self.rung: Counter[str] = Counter()
        self.away = away

    async def delivery(self, tenant_id: str) -> None:
        if self.away:
            self.away -= 1
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        self.rung[tenant_id] += 1


@asynccontextmanager
async def hearing(tenant: Tenant, bells: Bells) -> AsyncIterator[None]:
    urls = tenant.stage.urls
    async with listening(urls.application, urls.crossing, bells):
        await tenant.until(lambda: listens(tenant))
        yield


async def listens(tenant: Tenant) -> bool:
    return len(await ears(tenant)) == 1


async def ears(tenant: Tenant, *, end: bool = False) -> list[int]:
    """The connections that listen, as Postgres knows them; `end` has it end them."""
    connection = await asyncpg.connect(tenant.stage.urls.crossing)
    try:
        rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE query = $1", f'LISTEN "{CHANNEL}"')
        for row in rows if end else []:
            await connection.execute("SELECT pg_terminate_backend($1)", row["pid"])
        return [row["pid"] for row in rows]
    finally:
        await connection.close()


async def rung(tenant: Tenant, bells: Bells, times: int) -> bool:
    """Whether it comes to ring so often."""

    async def so_often() -> bool:
        return bells.rung[tenant.id] >= times

    try:
        await tenant.until(so_often)
    except TimeoutError:
        return False
    return True


async def test_a_burst_rings_once_and_the_next_rings_again(tenant: Tenant, receiver: Receiver) -> None:
    bells = Bells()
    await tenant.hears_at(receiver)
    async with hearing(tenant, bells):
        await tenant.sql("SELECT pg_notify($1, current_tenant()::text)", CHANNEL)
        assert await rung(tenant, bells, 1)
        before = bells.rung[tenant.id]
        await asyncio.gather(*(tenant.happened() for _ in range(8)))
        assert await rung(tenant, bells, before + 1)
        await asyncio.sleep(0.4)
        assert bells.rung[tenant.id] <= before + 3, "eight transactions at once are no eight rings"
        after = bells.rung[tenant.id]
        await tenant.happened()
        assert await rung(tenant, bells, after + 1)


async def test_without_an_endpoint_nobody_is_rung(tenant: Tenant) -> None:
    bells = Bells()
    async with hearing(tenant, bells):
        await tenant.happened()
        await tenant.sql("SELECT pg_notify($1, 'x; DROP TABLE events')", CHANNEL)
        await asyncio.sleep(0.5)
    assert tenant.id not in bells.rung
    assert all(len(one) == 36 for one in bells.rung)


async def test_a_lost_connection_loses_nothing(tenant: Tenant, receiver: Receiver) -> None:
    bells = Bells()
    await tenant.hears_at(receiver)
    async with hearing(tenant, bells):
        (first,) = await ears(tenant, end=True)
        await tenant.happened()
        assert await rung(tenant, bells, 1)
        await tenant.until(lambda: listens(tenant))
        assert await ears(tenant) != [first]
        before = bells.rung[tenant.id]
        await tenant.happened()
        assert await rung(tenant, bells, before + 1)


async def test_what_happened_while_nobody_listened_is_found_at_the_start(tenant: Tenant, receiver: Receiver) -> None:
    bells = Bells()
    await tenant.hears_at(receiver)
    await tenant.happened()
    async with hearing(tenant, bells):
        assert await rung(tenant, bells, 1)


async def test_a_bell_that_does_not_ring_is_rung_again(
    tenant: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.store.listening.AGAIN_S", 0.1)
    bells = Bells(away=3)
    await tenant.hears_at(receiver)
    await tenant.happened()
    async with hearing(tenant, bells):
        assert await rung(tenant, bells, 1)
    assert bells.away == 0, "it did not ring at first"


async def test_from_a_commit_to_the_endpoint_without_anybody_s_help(tenant: Tenant, receiver: Receiver) -> None:
    urls = tenant.stage.urls
    async with (
        tenant.stage.working(private_endpoints=True),
        listening(urls.application, urls.crossing, Doorbell(tenant.stage.temporal)),
    ):
        await tenant.hears_at(receiver)
        happened = await tenant.happened(3)

        async def all_told() -> bool:
            return await tenant.states() == ["delivered"] * 3

        await tenant.until(all_told)
    assert receiver.ids() == happened
