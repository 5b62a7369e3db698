"""An endpoint that is away for an hour hears all of it afterwards: in order, once for each id, and nobody hurried it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.store.database import Database
from sandbox import Sandbox
from starter.dev.postgres import Urls
from tests.deliveries.receiver import Receiver, Tenant
from tests.stage import Stage

HOUR = timedelta(hours=1)


@pytest.fixture
async def tenant(
    skipping: WorkflowEnvironment, database: Database, sandbox: Sandbox, urls: Urls
) -> AsyncIterator[Tenant]:
    stage = Stage(database, skipping.client, sandbox, urls, tenant_id=str(uuid4()))
    await stage.set_up(datetime.now(UTC))
    async with stage.working(private_endpoints=True):
        yield Tenant(stage)


async def test_an_hour_without_it_is_made_up_for(
    tenant: Tenant, receiver: Receiver, skipping: WorkflowEnvironment
) -> None:
    await tenant.hears_at(receiver)
    receiver.says(503)
    happened = await tenant.happened(5)
    begun = await skipping.get_current_time()
    await tenant.ring()
    for _ in range(6):
        await skipping.sleep(HOUR / 6)
        happened += await tenant.happened(2)
        await tenant.ring()
    assert await skipping.get_current_time() - begun >= HOUR
    # 5, 10, 20, 40, 80 and 160 s, and then every five minutes.
    assert 14 <= len(receiver.posts) <= 20
    assert set(receiver.ids()) == {happened[0]}, "the others wait behind the first"
    line = await tenant.endpoints.endpoint(tenant.id)
    assert line is not None
    assert (line.pending, line.reason) == (17, "the endpoint said 503")
    assert line.failing_since is not None

    tried = len(receiver.posts)
    receiver.answer = None
    await skipping.sleep(timedelta(minutes=6))
    done = await tenant.handle().result()
    assert done.delivered == 17
    assert receiver.ids()[tried:] == happened
    assert await tenant.states() == ["delivered"] * 17
    line = await tenant.endpoints.endpoint(tenant.id)
    assert line is not None
    assert (line.failing_since, line.reason) == (None, None)
